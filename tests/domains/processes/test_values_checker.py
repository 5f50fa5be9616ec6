"""The checker: every rule is seen where it is broken and nowhere else; sound diagrams of any tool give no error."""

from __future__ import annotations

import pytest

from furong.domains.processes.values import markings as markings_module
from furong.domains.processes.values import read_bpmn
from furong.domains.processes.values.rules import RULES
from tests.domains.processes.violations import BROKEN

# What needs the database of published processes: see test_commands.
ELSEWHERE = {"bpmn.resource_twice"}


def test_every_rule_has_a_diagram_that_breaks_it() -> None:
    assert set(RULES) - ELSEWHERE == set(BROKEN)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_found_in_its_line_at_its_element_and_nothing_else_is(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = BROKEN[rule]
    if rule == "bpmn.markings_many":
        monkeypatch.setattr(markings_module, "MOST_MARKINGS", 3)
    reading = read_bpmn(one.content, file="x.bpmn", **one.kwargs)  # type: ignore[arg-type]
    found = {
        (f.rule, f.line, f.element) for f in reading.findings if f.rule in {rule, *RULES} - {"bpmn.variable_unknown"}
    }
    if rule == "bpmn.variable_unknown":
        found = {(f.rule, f.line, f.element) for f in reading.findings}
    assert found == {(rule, one.number, one.element)}
    (finding,) = [f for f in reading.findings if f.rule == rule]
    assert finding.severity is RULES[rule].severity
    assert (reading.definition is None) == finding.is_error
    assert "{" not in finding.message.pick("zh") + finding.message.pick("en") + finding.mend.pick("zh")
    assert finding.message.pick("zh") != finding.message.pick("en")


@pytest.mark.parametrize("rule", [name for name, rule in RULES.items() if rule.to_publish])
def test_what_publication_wants_is_a_warning_until_then(rule: str) -> None:
    one = BROKEN[rule]
    assert read_bpmn(one.content).definition is not None
    reading = read_bpmn(one.content, to_publish=True)
    assert reading.definition is None
    assert [f.rule for f in reading.findings if f.is_error] == [rule]
