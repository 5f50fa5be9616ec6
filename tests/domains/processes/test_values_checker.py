"""The checker: every rule is seen where it is broken and nowhere else; sound diagrams of any tool give no error."""

from __future__ import annotations

from pathlib import Path

import pytest

from furong.domains.processes.values import read_bpmn, soundness
from furong.domains.processes.values.reader import list_processes
from furong.domains.processes.values.rules import RULES
from furong.foundation.feel import FeelType
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.violations import BROKEN, SAE, A, B, E, S, broken

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
        monkeypatch.setattr(soundness, "MOST_MARKINGS", 3)
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


# --- sound diagrams -------------------------------------------------------------------------------------------------------------

SOUND = sorted((Path(__file__).parent / "sound").glob("*.bpmn"))
# What a diagram of another tool cannot know of this platform, and what must come from outside.
HINTS = {"bpmn.variable_unknown", "furong.handler_missing", "bpmn.message_missing", "bpmn.message_unsent"}


def test_there_are_sound_diagrams_of_many_tools() -> None:
    assert len(SOUND) >= 15


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_a_sound_diagram_of_any_tool_gives_no_error_and_no_false_alarm(path: Path) -> None:
    content = path.read_bytes()
    names = [name for name, runs in list_processes(content) if runs] or [None]
    for name in names:
        reading = read_bpmn(content, file=path.name, process_id=name)
        hints = HINTS | ({"bpmn.implicit_end"} if path.stem == "without_events" else set())
        assert [one.format() for one in reading.findings if one.rule not in hints] == []
        assert reading.definition is not None
        assert reading.definition.xml == content


# --- expressions ----------------------------------------------------------------------------------------------------------------


def choice(condition: str, *, before: str = "", variables: str = "", **kwargs: object) -> set[str]:
    """Give the rules that a condition breaks behind a task whose outcome is ``decision``."""
    elements = "\n".join(
        [S, before or A, '<userTask id="t" furong:result="decision" furong:outcomes="approve reject"/>', E]
    )
    one = broken(
        f'{elements}\n<exclusiveGateway id="x" default="x-e"/>\n{B}',
        f"s -> a\na -> t\nt -> x\nx -> b if {condition}\nx -> e\nb -> e",
        "x-b",
        variables=variables,
    )
    reading = read_bpmn(one.content, **kwargs)  # type: ignore[arg-type]
    return {f.rule for f in reading.findings if f.element == "x-b"}


@pytest.mark.parametrize(
    ("condition", "rules"),
    [
        ('decision = "approve"', set()),
        ('decision != "reject" and decision != null', set()),
        ('decision in ["approve", "reject"]', set()),
        ('"approve" = decision', set()),
        ('list contains(["approve"], decision)', set()),
        ("decision = other", {"bpmn.variable_unknown"}),
        ('some decision in ["x"] satisfies decision = "y"', set()),
        ('decision = "aprove"', {"bpmn.outcome_unknown"}),
        ('"aprove" = decision', {"bpmn.outcome_unknown"}),
        ('not(decision = "aprove")', {"bpmn.outcome_unknown"}),
        ('decision in ("approve", "revise")', {"bpmn.outcome_unknown"}),
        ("decision = 1", {"bpmn.expression_type"}),
        ("decision", {"bpmn.condition_type"}),
        ("decision + 1", {"bpmn.expression_type"}),
        ('if decision = "approve" then 1 else 2', {"bpmn.condition_type"}),
        ("date", {"bpmn.variable_unknown"}),
    ],
)
def test_a_condition_is_typed_against_the_outcomes_of_tasks(condition: str, rules: set[str]) -> None:
    assert choice(condition) - {"bpmn.variable_unknown"} == rules - {"bpmn.variable_unknown"}


SCRIPT = '<scriptTask id="a"{}><script>{}</script></scriptTask>'
EACH = (
    '<userTask id="a"><multiInstanceLoopCharacteristics furong:collection="{}" furong:element="one" '
    'furong:output_collection="all" furong:output_element="{}"/></userTask>'
)


@pytest.mark.parametrize(
    ("before", "condition", "rules"),
    [
        (SCRIPT.format(' furong:result="n"', "1 + 2"), "n > 2", set()),
        (SCRIPT.format(' furong:result="n"', "1 + 2"), 'n = "x"', {"bpmn.expression_type"}),
        (SCRIPT.format("", '{n: 1, ok: true, day: date("2026-01-01")}'), "ok", set()),
        (SCRIPT.format("", '{n: 1, ok: true, day: date("2026-01-01")}'), "n", {"bpmn.condition_type"}),
        # As a variable a date is a text.
        (SCRIPT.format("", '{day: date("2026-01-01")}'), "date(day) < today()", set()),
        (SCRIPT.format("", '{day: date("2026-01-01")}'), "day < today()", {"bpmn.expression_type"}),
        (EACH.format("[1, 2]", "one * 2"), "count(all) > 1", set()),
        (EACH.format("[1, 2]", "one * 2"), "all > 1", {"bpmn.expression_type"}),
    ],
)
def test_what_elements_give_is_known_behind_them(before: str, condition: str, rules: set[str]) -> None:
    assert choice(condition, before=before) == rules


def test_declared_variables_have_types_and_the_rest_is_unknown() -> None:
    variables = 'name="score" type="number"|name="who" type="context&lt;age: number&gt;"|name="by" values="post web"'
    assert choice("score >= 60", variables=variables) == set()
    assert choice('score = "60"', variables=variables) == {"bpmn.expression_type"}
    assert choice("who.age > 17", variables=variables) == set()
    assert choice("who.aeg > 17", variables=variables) == {"bpmn.expression_type"}
    assert choice('by = "fax"', variables=variables) == {"bpmn.outcome_unknown"}
    assert choice("scores > 1", variables=variables) == {"bpmn.variable_undeclared"}


def test_what_a_decision_gives_is_known_when_its_type_is() -> None:
    rule = '<businessRuleTask id="a" furong:decision="rules#fee" furong:result="fee"/>'
    types = {("rules", "fee"): FeelType("number")}
    assert choice("fee > 1", before=rule, decision_types=types) == set()
    assert choice('fee = "none"', before=rule, decision_types=types) == {"bpmn.expression_type"}
    assert choice('fee = "none"', before=rule) == set()


@pytest.mark.parametrize(
    ("loop", "rules"),
    [
        ("<loopCardinality>3</loopCardinality>", set()),
        ('<loopCardinality>"3"</loopCardinality>', {"bpmn.expression_type"}),
        (
            "<loopCardinality>3</loopCardinality><completionCondition>numberOfCompletedInstances > 1</completionCondition>",
            set(),
        ),
        (
            "<loopCardinality>3</loopCardinality><completionCondition>loopCounter + 1</completionCondition>",
            {"bpmn.condition_type"},
        ),
    ],
)
def test_the_expressions_of_a_repeated_activity_are_typed(loop: str, rules: set[str]) -> None:
    loop = loop.replace("> 1", "&gt; 1")
    task = f'<userTask id="a"><multiInstanceLoopCharacteristics>{loop}</multiInstanceLoopCharacteristics></userTask>'
    assert {f.rule for f in read_bpmn(bpmn(f"{S}\n{task}\n{E}", SAE)).findings} == rules
