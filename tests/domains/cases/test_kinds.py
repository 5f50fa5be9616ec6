"""What a pack may say about cases, and what is refused with file, line and mend."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from furong.domains.cases.kinds import NUMBERS
from furong.domains.cases.values import Clock
from furong.foundation.calendar.loading import parse_calendar
from furong.foundation.packs.values import Frame, Text, kind_named

PACK = Path(__file__).resolve().parents[3] / "packs" / "hunan"
FRAME = Frame(
    code="t",
    name=Text.of({"zh": "试"}),
    languages=("zh", "en"),
    time_zone="Asia/Shanghai",
    in_force_from=date(2026, 1, 1),
)


def _parse(kind: str, text: str) -> tuple[object, list[str]]:
    found = kind_named(kind)
    assert found is not None
    value, findings = found.parse(text.encode(), f"{kind}/x.yaml", FRAME)
    return value, [f.rule for f in findings]


def test_the_packs_parameters_each_name_their_source() -> None:
    value, rules = _parse("case_rules", (PACK / "case_rules" / "national.yaml").read_text())
    assert rules == []
    by_code = {p.code: p for p in value}  # type: ignore[attr-defined]
    assert by_code["acceptance_days"].value == 5
    assert "第三十二条" in by_code["acceptance_days"].legal_basis
    assert all(p.source for p in by_code.values())
    assert set(by_code) <= set(NUMBERS)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (
            "code: x\nparameters:\n  - {code: acceptance_days, in_force_from: 2026-01-01, source: 某法}\n",
            "case_rules.value",
        ),
        (
            "code: x\nparameters:\n  - {code: mood, in_force_from: 2026-01-01, value: 1, source: 某法}\n",
            "schema.choice",
        ),
        ("code: x\nparameters: []\n", "schema.count"),
    ],
)
def test_a_parameter_without_value_or_unknown_is_refused(text: str, rule: str) -> None:
    _, rules = _parse("case_rules", text)
    assert rule in rules


def test_a_jurisdiction_is_feel_and_nothing_else() -> None:
    good, rules = _parse("jurisdiction", "code: x\nitem: a\nplace: mother.division_code\n")
    assert (good, rules) == (("a", "mother.division_code"), [])
    _, rules = _parse("jurisdiction", "code: x\nitem: a\nplace: __import__('os').system('id')\n")
    assert rules == ["jurisdiction.feel"]


def test_a_consent_names_who_must_agree() -> None:
    value, rules = _parse("consent", "code: c\nitem: a\nstatement: {zh: 同意}\nof: [mother.person_id]\n")
    assert rules == []
    item, consent = value  # type: ignore[misc]
    assert (item, consent.of, consent.message) == ("a", ("mother.person_id",), "consent")
    _, rules = _parse("consent", "code: c\nitem: a\nstatement: {zh: 同意}\n")
    assert rules


def test_a_clock_over_the_packs_own_spring_festival_counts_its_make_up_days() -> None:
    calendar = parse_calendar((PACK / "holidays.yaml").read_bytes(), file="holidays.yaml")
    clock = Clock.started(on=date(2026, 2, 12), promised_days=5, statutory_days=20)
    assert clock.promised_due_on(calendar) == date(2026, 2, 26)
    assert clock.statutory_due_on(calendar) == date(2026, 3, 18)
    assert calendar.is_working_day(date(2026, 2, 14))  # a Saturday made up for
