"""Steps and scenarios as they are written: what is no step is refused, with its line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from furong.domains.processes.values.steps import Step, StepsError, read_json_lines, read_scenarios, read_steps
from furong.foundation.packs.values.source import parse_yaml
from tests.domains.processes.conftest import CALENDAR


def test_steps_are_the_same_in_json_lines_and_in_yaml() -> None:
    lines = (
        '{"complete": "a", "outcome": "yes", "variables": {"n": 1.50, "none": null, "code": "01", "on": "2026-03-02"}}'
    )
    text = '- complete: a\n  outcome: yes\n  variables: {n: 1.50, none: null, code: "01", on: 2026-03-02}'
    expected = Step(
        line=1,
        verb="complete",
        value="a",
        more={"outcome": "yes", "variables": {"n": Decimal("1.50"), "none": None, "code": "01", "on": "2026-03-02"}},
    )
    assert read_json_lines(lines) == read_steps(parse_yaml(text.encode(), file="a.yaml")) == (expected,)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("{", "This is not JSON"),
        ("[]", "A step is a map of keys."),
        ('{"outcome": "x"}', "A step has one of"),
        ('{"complete": "a", "message": "m"}', "A step has one of"),
        ('{"complete": "a", "text": "x"}', "complete has no key text; use outcome, token, variables, where."),
        ('{"complete": 1}', "complete takes a text."),
        ('{"complete": "a", "variables": 1}', "variables takes a map of keys."),
        ('{"expect": {"colour": 1}}', "colour cannot be expected"),
        ('{"expect": []}', "expect takes a map of keys."),
    ],
)
def test_a_step_that_is_none_is_refused_with_its_line(line: str, wrong: str) -> None:
    with pytest.raises(StepsError, match=wrong.replace(".", r"\.")) as caught:
        read_json_lines(f'{{"complete": "a"}}\n\n{line}')
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        ("code: p", 1, "The file has no list of scenarios."),
        ("code: p\nscenarios:\n  - steps: []", 3, "The scenario has no name of lower-case letters."),
        ("code: p\nscenarios:\n  - name: a", 3, "The scenario a has no steps."),
        ("code: p\ncolour: x\nscenarios: []", 2, "There is no key colour"),
        ("code: p\nscenarios:\n  - {name: a, steps: []}\n  - {name: a, steps: []}", 4, "There are two scenarios a."),
        ("code: p\nnow: soon\nscenarios:\n  - {name: a, steps: []}", 2, "now is neither a date nor a time"),
        ("code: p\nscenarios:\n  - name: a\n    steps:\n      - comple: b", 5, "A step has one of"),
    ],
)
def test_a_file_of_scenarios_that_is_wrong_is_refused_with_the_line(text: str, line: int, wrong: str) -> None:
    with pytest.raises(StepsError, match=wrong.replace(".", r"\.")) as caught:
        read_scenarios(parse_yaml(text.encode(), file="s.yaml"), zone=CALENDAR.tz)
    assert caught.value.line == line
