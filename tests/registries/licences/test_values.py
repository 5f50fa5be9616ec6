"""Numbers, validity, states and the checker of licence types: no I/O."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.packs.frames import FALLBACK
from furong.foundation.packs.values import kind_named
from furong.registries.licences.kinds import LICENCE_TYPE, parse_template
from furong.registries.licences.values import LicenceState, number_series, pattern_problem, state_of, years_later

ON = date(2026, 3, 10)
TYPE = """
code: pass
name: {zh: 证, en: Pass}
seal: {zh: 专用章}
number: "A{year}{sequence:4}"
holder_name: name
fields:
  - {code: name, name: {zh: 姓名}}
  - {code: sex, name: {zh: 性别}, kind: code, table: sex}
"""


def check(text):
    return kind_named(LICENCE_TYPE).parse(text.encode(), "licence_type.yaml", FALLBACK)


@pytest.mark.parametrize(
    ("pattern", "number"),
    [
        ("Y43{sequence:7}", "Y430000012"),
        ("{division:6}{year}{sequence:6}", "4302022026000012"),
        ("SK{sequence}/{year}", "SK12/2026"),
    ],
)
def test_a_number_is_made_of_its_pattern(pattern, number):
    assert number_series(pattern, issued_on=ON, division_code="430202001").number(12) == number


def test_a_series_restarts_with_the_year_and_the_division():
    def series(year, division):
        return number_series("{division:6}{year}{sequence:6}", issued_on=date(year, 1, 1), division_code=division)

    assert len({series(2026, "430202"), series(2027, "430202"), series(2026, "430405"), series(2026, "430202")}) == 3


@given(st.integers(1, 10**9))
def test_two_numbers_of_a_series_never_meet(running):
    series = number_series("{division:6}{year}{sequence:6}", issued_on=ON, division_code="430202")

    assert series.number(running) != series.number(running + 1)


@pytest.mark.parametrize("pattern", ["no", "{sequence}{sequence}", "{name}{sequence}", "{sequence", "{year}"])
def test_a_pattern_without_one_running_number_is_a_problem(pattern):
    assert pattern_problem(pattern)


def test_the_29th_of_february_ends_on_the_first_of_march():
    assert years_later(date(2024, 2, 29), 1) == date(2025, 3, 1)
    assert years_later(date(2024, 2, 29), 4) == date(2028, 2, 29)


def test_revocation_outweighs_expiry_and_the_last_day_is_exclusive():
    revoked = datetime(2026, 3, 1, tzinfo=UTC)
    assert state_of(valid_until=ON, revoked_at=revoked, today=ON) is LicenceState.REVOKED
    assert state_of(valid_until=ON, revoked_at=None, today=ON) is LicenceState.EXPIRED
    assert state_of(valid_until=date(2026, 3, 11), revoked_at=None, today=ON) is LicenceState.VALID
    assert state_of(valid_until=None, revoked_at=None, today=ON) is LicenceState.VALID


def test_a_sound_type_is_read():
    value, findings = check(TYPE)

    assert findings == []
    assert value.field("sex").table == "sex"


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ('"A{year}{sequence:4}"', '"A{year}"', "licence_type.number", 5),
        ("holder_name: name", "holder_name: nobody", "licence_type.holder_name", 6),
        ("table: sex", "table: colours", "licence_type.table", 9),
        ("kind: code, table: sex", "kind: code", "licence_type.table", 9),
        ("seal: {zh: 专用章}\n", "", "schema.missing", 2),
    ],
)
def test_a_broken_type_is_a_finding_with_its_line(old, new, rule, line):
    _, findings = check(TYPE.replace(old, new))

    assert [(f.rule, f.line) for f in findings] == [(rule, line)]


def test_a_template_imports_nothing_from_the_network():
    value, findings = parse_template(b'#import "@preview/cetz:0.2.0"', "template.typ", FALLBACK)

    assert value is None
    assert [f.rule for f in findings] == ["typst.package"]
