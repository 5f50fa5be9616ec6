"""The DMN TCK (github.com/dmn-tck/tck), levels 2 and 3: every case that needs no Java gives what the kit expects.

Runs where ``FURONG_DMN_TCK`` names the kit's folder ``TestCases``; its files are not ours to keep here.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from furong.domains.decisions import read_dmn, write_json
from furong.entrypoints import cli
from tests.contracts.tck import LEVELS, Case, cases, same, same_json

FOLDER = os.environ.get("FURONG_DMN_TCK", "")
ROOT = Path(FOLDER) if FOLDER else None
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

pytestmark = pytest.mark.skipif(ROOT is None, reason="FURONG_DMN_TCK names no folder: THE DMN TCK IS NOT RUN")

# Java is not run here, by design: what calls it is null with an error that says so.
JAVA = "0076-feel-external-java"
# The declared type of these inputs is Any, so that a date in JSON stays the text that it is.
UNTYPED = frozenset(
    (
        *("0095-feel-day-of-year-function", "0096-feel-day-of-week-function"),
        *("0097-feel-month-of-year-function", "0098-feel-week-of-year-function"),
    )
)


def _folders() -> list[Path]:
    if ROOT is None:
        return [Path("no-kit")]
    return [one for level in LEVELS for one in sorted((ROOT / level).iterdir()) if one.is_dir()]


@pytest.mark.parametrize("folder", _folders(), ids=lambda folder: folder.name)
def test_every_case_gives_what_the_kit_expects(folder: Path) -> None:
    wrong = []
    asked = list(cases(folder))
    assert asked
    for case in asked:
        result = read_dmn(case.model, lenient=True).evaluate(case.asked, case.inputs, now=NOW)
        value = result.outputs.get(case.name, result.value)
        if folder.name == JAVA and not same(value, case.expected):
            assert value is None
            assert any("Java" in one.message for one in result.told()), case.label
        elif not same(value, case.expected):
            wrong.append(f"{case.label}: {value!r}, not {case.expected!r}; {result.told()}")
    assert not wrong, "\n".join(wrong)


def test_the_command_prints_what_the_kit_expects(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    asked: list[Case] = [case for folder in _folders() for case in cases(folder) if folder.name != JAVA]
    lines = [write_json({"file": str(case.model), "decision": case.asked, "input": case.texts}) for case in asked]
    (tmp_path / "cases.jsonl").write_text("\n".join(lines))
    assert cli.main(["decide", "--cases", str(tmp_path / "cases.jsonl")]) == 0
    printed = capfdbinary.readouterr().out.decode().splitlines()
    assert len(printed) == len(asked)
    wrong = []
    for case, line in zip(asked, printed, strict=True):
        told = json.loads(line, parse_int=Decimal, parse_float=Decimal)
        value = told["outputs"].get(case.name) if case.name in told["outputs"] else told["outputs"]
        temporal = case.inputs != case.texts and case.model.parent.name in UNTYPED
        if not same_json(value, case.expected) and not temporal:
            wrong.append(f"{case.label}: {line}, not {case.expected!r}")
    assert not wrong, "\n".join(wrong)
