"""The pages about DMN say what the code does, and their examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from furong.domains.decisions import DecisionRefused
from furong.domains.decisions.boxed import BOXES
from furong.domains.decisions.elements import ELEMENTS, KEPT, REFUSED, RUNS
from furong.domains.decisions.tabling import AGGREGATIONS, POLICIES
from furong.entrypoints import cli
from tests.domains.decisions.test_values import decision, literal, model

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "reference" / "dmn.md").read_text()
_BLOCK = re.compile(r"(?:^\*\*([\w.-]+)\*\*\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _rows(title: str) -> list[list[str]]:
    part = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [[one.strip() for one in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("| `")]


def test_the_table_of_elements_is_the_codes() -> None:
    told = {name: row[1] for row in _rows("Elements") for name in re.findall(r"`([^`]+)`", row[0])}
    assert told == ELEMENTS


def test_every_box_that_runs_is_told_to_run() -> None:
    assert {ELEMENTS[one] for one in BOXES} == {RUNS}
    assert set(ELEMENTS.values()) == {RUNS, KEPT, REFUSED}


@pytest.mark.parametrize("name", sorted(name for name, told in ELEMENTS.items() if told == KEPT))
def test_what_is_kept_changes_nothing(name: str) -> None:
    assert model(f"<{name}/>" + decision(f"<{name}/>" + literal("1"))).evaluate("d", {}).value == 1


def test_what_is_refused_is_refused_by_name() -> None:
    logic = '<literalExpression><importedValues namespace="x" importType="y"/></literalExpression>'
    with pytest.raises(DecisionRefused) as refused:
        model(decision(logic))
    assert "Imported values" in refused.value.findings[0].message


def test_an_element_that_the_page_does_not_have_is_named() -> None:
    with pytest.raises(DecisionRefused) as refused:
        model("<magic/>" + decision(literal("1")))
    assert [one.rule for one in refused.value.findings] == ["decisions.element"]


def test_the_hit_policies_are_the_codes() -> None:
    rows = _rows("Hit policies")
    assert {re.findall(r"`([^`]+)`", row[0])[0] for row in rows} == set(POLICIES)
    collect = next(row for row in rows if "COLLECT" in row[0])
    assert set(re.findall(r"`([^`]+)`", collect[1])) == set(AGGREGATIONS)


def test_every_error_of_the_code_is_on_the_page() -> None:
    source = Path(__file__).resolve().parents[3] / "src" / "furong"
    found: set[str] = set()
    for path in [*(source / "domains" / "decisions").glob("*.py"), source / "entrypoints" / "deciding.py"]:
        found |= set(re.findall(r'"(decisions\.[a-z_]+|feel\.limit)"', path.read_text()))
    told = {name for row in _rows("Errors") for name in re.findall(r"`([^`…]+)`", row[0])}
    assert {one for one in found if one not in told} <= {
        "decisions.none",
        "decisions.fault",
        "decisions.xml",
        "decisions.feel",
    }
    assert {one for one in told if not one.startswith("feel.")} <= found


def test_the_steps_of_the_how_to_give_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    answered = 0
    for file, language, body in _BLOCK.findall((DOCS / "how-to" / "evaluate-a-decision.md").read_text()):
        if file:
            (tmp_path / file).write_text(body)
        elif language == "console":
            command, _, answer = body.removeprefix("$ ").partition("\n")
            cli.main(command.split()[1:])
            assert capfd.readouterr().out == answer
            answered += 1
    assert answered == 3
