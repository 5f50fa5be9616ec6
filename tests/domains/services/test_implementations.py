"""Implementation lists: an organisation's own settings are laid over the basic item and survive its changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.services.errors import ItemCodeRefused
from furong.domains.services.values.clocks import ItemClock, Limit, LimitUnit, longest_natural_days
from furong.domains.services.values.implementations import OVERRIDE, Override, implement, is_within
from furong.domains.services.values.items import Item, implementation_code
from furong.foundation.packs.queries import read_pack
from furong.foundation.packs.values import Report, parse_yaml
from tests.packs.planting import HUNAN


@pytest.fixture(scope="module")
def item() -> Item:
    found: Item = read_pack(HUNAN).values("item")["household_registration"]
    return found


def override(code: str, where: str, chosen: str) -> Override:
    report = Report("o.yaml", ("zh",))
    text = f"code: {code}\nitem: household_registration\nwhere: {{{where}}}\nset: {{{chosen}}}\n"
    made: Override = OVERRIDE.read(parse_yaml(text.encode(), file="o.yaml"), report, "")
    assert report.findings == []
    return made


PROVINCE = override("province", 'division: "430000"', "on_site_visits: 2, promised: {days: 5, unit: working}")
CITY = override("city", 'division: "430200"', "on_site_visits: 1")
COUNTY = override("county", 'division: "430202"', "promised: {days: 1, unit: working}")


def visits_and_days(item: Item, division: str, *overrides: Override) -> tuple[int, int]:
    found = implement(item, overrides, division_code=division).item
    assert found.clock is not None
    return found.on_site_visits, found.clock.effective.days


def test_the_narrowest_division_wins_field_by_field(item: Item) -> None:
    every = (COUNTY, PROVINCE, CITY)
    assert visits_and_days(item, "430202001", *every) == (1, 1)
    assert visits_and_days(item, "430202", *every) == (1, 1)
    assert visits_and_days(item, "430203", *every) == (1, 5)
    assert visits_and_days(item, "430100", *every) == (2, 5)
    assert visits_and_days(item, "440100", *every) == (0, 3)


def test_a_countys_own_setting_survives_a_change_of_the_province(item: Item) -> None:
    changed = replace(PROVINCE, set={**PROVINCE.set, "on_site_visits": 3, "quota": 9})
    found = implement(item, [changed, COUNTY], division_code="430202")
    assert found.item.clock is not None
    assert found.item.clock.effective.days == 1
    assert (found.item.on_site_visits, found.item.quota) == (3, 9)
    assert dict(found.own) == {"on_site_visits": "province", "quota": "province", "promised": "county"}
    assert found.applied == ("province", "county")


def test_a_promise_that_the_law_has_overtaken_gives_way_to_the_law(item: Item) -> None:
    assert item.clock is not None
    stricter = replace(
        item,
        clock=ItemClock(
            statutory=Limit(days=2, unit=LimitUnit.WORKING), promised=Limit(days=1, unit=LimitUnit.WORKING)
        ),
    )
    found = implement(stricter, [PROVINCE], division_code="430100")
    assert found.item.clock is not None
    assert found.item.clock.effective.days == 2


def test_a_department_and_a_single_organisation_can_be_meant(item: Item) -> None:
    police = override("police", "department: police", "quota: 1")
    health = override("health", "department: health", "quota: 2")
    one = override("one", "organization: 11430202000000000X", "quota: 3")
    assert implement(item, [police, health, one], division_code="430202").item.quota == 1
    found = implement(item, [one, police, health], division_code="430202", organization_code="11430202000000000X")
    assert found.item.quota == 3


@pytest.mark.parametrize(
    ("chosen", "rule"),
    [
        ("type: '01'", "schema.unknown_key"),
        ("legal_basis: []", "schema.unknown_key"),
        ("clock: {}", "schema.unknown_key"),
        ("on_site_visits: many", "schema.type"),
    ],
)
def test_what_the_basic_item_fixes_cannot_be_set(chosen: str, rule: str) -> None:
    report = Report("o.yaml", ("zh",))
    text = f"code: o\nitem: i\nwhere: {{division: '430000'}}\nset: {{{chosen}}}\n"
    assert OVERRIDE.read(parse_yaml(text.encode(), file="o.yaml"), report, "") is None
    assert [f.rule for f in report.findings] == [rule]


@pytest.mark.parametrize(
    ("division", "ancestor", "within"),
    [
        ("430202", "430000", True),
        ("430202", "430200", True),
        ("430202", "430202", True),
        ("430203", "430202", False),
        ("431200", "430200", False),
        ("430202001", "430202", True),
        ("430202001003", "430202001000", True),
        ("430202002003", "430202001000", False),
        ("L1A", "L1", True),
    ],
)
def test_a_division_lies_in_those_above_it(division: str, ancestor: str, within: bool) -> None:
    assert is_within(division, ancestor) is within


def test_an_implementation_code_has_thirty_one_characters() -> None:
    code = implementation_code(organization_code="114300000000000190", level="2", basic_code="430709001001")
    assert code == "1143000000000001902430709001001"
    assert len(code) == 31


@pytest.mark.parametrize(
    "wrong",
    [
        {"organization_code": "1143"},
        {"level": "7"},
        {"basic_code": "43070900100"},
        {"basic_code": "43070900100X"},
    ],
)
def test_an_implementation_code_of_other_parts_is_refused(wrong: dict[str, Any]) -> None:
    right = {"organization_code": "114300000000000190", "level": "2", "basic_code": "430709001001"}
    with pytest.raises(ItemCodeRefused):
        implementation_code(**{**right, **wrong})


LIMITS = st.builds(lambda days, unit: Limit(days=days, unit=unit), st.integers(0, 90), st.sampled_from(list(LimitUnit)))


@given(LIMITS, LIMITS)
def test_what_certainly_exceeds_also_may_and_never_both_ways(first: Limit, second: Limit) -> None:
    if first.certainly_exceeds(second):
        assert first.may_exceed(second)
        assert not second.certainly_exceeds(first)
        assert longest_natural_days(first) > (second.days if second.unit is LimitUnit.NATURAL else 0)
