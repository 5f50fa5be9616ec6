"""docs/reference/bpmn.md says of every element, event, attribute and rule what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from furong.domains.processes.values.elements import (
    ATTRIBUTES,
    DRAWN,
    EVENT_DEFINITIONS,
    EVENT_STARTS,
    EVENT_TAGS,
    EVENTS,
    LANE_ATTRIBUTES,
    LOOP_ATTRIBUTES,
    REFUSED,
    TASKS,
    Treatment,
)
from furong.domains.processes.values.rules import RULES
from furong.domains.processes.values.standard import ELEMENTS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "bpmn.md").read_text("utf-8")
NAME = re.compile(r"`([A-Za-z_.:]+)`")


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the first table under a heading, without its head."""
    lines = PAGE[PAGE.index(f"\n{heading}\n") :].splitlines()[2:]
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in re.split(r"(?<!\\\\)\|", line)[1:-1]])
    return [table[0], *table[2:]]


def test_the_page_says_of_every_element_of_the_standard_what_becomes_of_it() -> None:
    said = [(name, row[1]) for row in rows("## Elements")[1:] for name in NAME.findall(row[0])]
    assert len(said) == len(ELEMENTS)
    assert dict(said) == {name: str(treatment) for name, treatment in ELEMENTS.items()}


def test_the_table_of_the_standard_and_the_reader_agree() -> None:
    assert all(ELEMENTS[name] is Treatment.RUNS for name in (*TASKS, *EVENT_TAGS))
    assert all(ELEMENTS[name] is Treatment.REFUSED for name in REFUSED)
    assert {name for name in DRAWN if ELEMENTS[name] is Treatment.REFUSED} == set()
    some = {definition for _, definition in EVENTS if definition} | EVENT_STARTS
    for name in EVENT_DEFINITIONS:
        assert ELEMENTS[name] is (Treatment.RUNS if name in some else Treatment.REFUSED)


def test_the_page_says_of_every_event_what_becomes_of_it() -> None:
    head, *lines = rows("## Events")
    said = {}
    for definition, *cells in lines:
        names = NAME.findall(definition)
        for column, cell in zip(head[1:], cells, strict=True):
            said[column, names[0] if names else ""] = cell == "runs"
    inside = "`startEvent` of an event sub-process"
    for (column, definition), runs in said.items():
        expected = definition in EVENT_STARTS if column == inside else (NAME.findall(column)[0], definition) in EVENTS
        assert runs == expected, (column, definition)
    assert {definition for _, definition in said} == {"", *EVENT_DEFINITIONS}


def test_the_page_says_every_rule_as_the_checker_does() -> None:
    said = {NAME.findall(row[0])[0]: row[1:] for row in rows("### Rules")[1:]}
    expected = {}
    for code, rule in RULES.items():
        words = [text.translate(str.maketrans("{}", "**")).replace("|", "\\|") for text in (rule.en, rule.mend_en)]
        expected[code] = [f"{rule.severity}{', error at publication' if rule.to_publish else ''}", *words]
    assert said == expected


def test_the_page_lists_every_attribute() -> None:
    names = [*ATTRIBUTES, *LANE_ATTRIBUTES, *LOOP_ATTRIBUTES, "sender", "variable"]
    assert [name for name in names if f"`furong:{name}`" not in PAGE] == []
