"""Duties of collection: the days on which they ask, the burden they make, and who may know of them."""

from __future__ import annotations

from calendar import isleap
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.catalogue.collecting import AskedItem, Duty, burdens, list_duties, months_of, occasions
from furong.domains.catalogue.commands import move_online
from furong.domains.catalogue.resources.values import CollectedFrom, Cycle
from furong.domains.catalogue.states import Act
from furong.foundation.access.values import Actor
from tests.domains.catalogue.reading import NOW
from tests.domains.catalogue.test_queries import STRANGER, SYSTEM, officer, reviewer, staff

CLERK = "cases.handle"


def asked(*codes: str, element: str = "") -> tuple[AskedItem, ...]:
    return tuple(
        AskedItem(code=code, name={"zh": code, "en": code}, elements=(element,) if element else ()) for code in codes
    )


def duty(cycle: Cycle, *codes: str, **other: object) -> Duty:
    made = Duty(
        resource="reports",
        resource_name={"zh": "年报", "en": "Reports"},
        department="market_regulation",
        collected_from=CollectedFrom.ENTERPRISE,
        cycle=cycle,
        items=asked(*(codes or ("staff", "assets"))),
    )
    return replace(made, **other)  # type: ignore[arg-type]  # fields by name


def test_what_is_yearly_is_asked_in_its_window() -> None:
    (one,) = occasions(duty(Cycle.YEARLY, opens="01-01", closes="06-30"), year=2026)
    assert (one.opens_on, one.closes_on) == (date(2026, 1, 1), date(2026, 6, 30))
    assert months_of(duty(Cycle.YEARLY, opens="03-01", closes="06-30"), year=2026) == (
        *("", "", "open", "open", "open", "due"),
        *[""] * 6,
    )
    (whole,) = occasions(duty(Cycle.YEARLY), year=2026)
    assert (whole.opens_on, whole.closes_on) == (date(2026, 1, 1), date(2026, 12, 31))


def test_what_is_monthly_falls_due_so_many_days_after_the_month() -> None:
    found = occasions(duty(Cycle.MONTHLY, due_days=15), year=2026)
    assert [one.closes_on for one in found] == [date(2026, month, 15) for month in range(1, 13)]
    assert set(months_of(duty(Cycle.MONTHLY, due_days=15), year=2026)) == {"due"}


def test_what_is_quarterly_or_half_yearly_is_asked_after_its_period() -> None:
    assert [one.opens_on.month for one in occasions(duty(Cycle.QUARTERLY, due_days=20), year=2026)] == [1, 4, 7, 10]
    assert months_of(duty(Cycle.HALF_YEARLY, due_days=40), year=2026) == (
        *("open", "due", "", "", "", ""),
        *("open", "due", "", "", "", ""),
    )


@pytest.mark.parametrize("cycle", [Cycle.REALTIME, Cycle.DAILY, Cycle.WEEKLY, Cycle.IRREGULAR, Cycle.OTHER])
def test_what_arises_or_never_stops_has_no_day_in_the_calendar(cycle: Cycle) -> None:
    assert occasions(duty(cycle), year=2026) == ()
    assert months_of(duty(cycle), year=2026) == ("",) * 12


@given(
    cycle=st.sampled_from([Cycle.MONTHLY, Cycle.QUARTERLY, Cycle.HALF_YEARLY]),
    year=st.integers(2000, 2100),
    days=st.one_of(st.none(), st.integers(1, 180)),
)
def test_every_occasion_is_as_long_as_stated_and_they_follow_in_order(
    cycle: Cycle, year: int, days: int | None
) -> None:
    found = occasions(duty(cycle, due_days=days), year=year)
    assert len(found) == duty(cycle).times
    for one in found:
        length = (one.closes_on - one.opens_on).days + 1
        february = 29 if isleap(year) else 28
        assert length == days if days else length in {february, 30, 31}
        assert one.opens_on.year == year
    assert [one.opens_on for one in found] == sorted(one.opens_on for one in found)


def test_the_burden_counts_answers_by_the_year_and_things_once() -> None:
    element = asked("code", element="project.code")
    every = [
        duty(Cycle.MONTHLY, "staff", "wages"),
        duty(Cycle.YEARLY, "assets", items=(*asked("assets"), *element)),
        duty(Cycle.IRREGULAR, resource="projects", items=(*asked("place", "cost"), *element)),
        duty(Cycle.YEARLY, department="tax", resource="returns", items=element),
    ]
    (all_,) = burdens(every)
    assert (all_.duties, all_.items, all_.per_year, all_.on_occasion) == (4, 6, 2 * 12 + 2 + 1, 3)
    by = burdens(every, by_department=True)
    assert [(one.department, one.duties, one.per_year) for one in by] == [("market_regulation", 3, 26), ("tax", 1, 1)]
    assert burdens([]) == ()


def test_persons_come_before_enterprises() -> None:
    every = [duty(Cycle.MONTHLY), duty(Cycle.YEARLY, collected_from=CollectedFrom.PERSON)]
    assert [one.collected_from for one in burdens(every)] == [CollectedFrom.PERSON, CollectedFrom.ENTERPRISE]


# --- as the pack states them ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("platform")
def test_the_annual_report_of_enterprises_stands_with_form_window_items_and_basis() -> None:
    (one,) = [each for each in list_duties(actor=SYSTEM) if each.resource == "enterprise_annual_reports"]
    assert (one.department, one.collected_from, one.cycle) == ("market_regulation", "enterprise", "yearly")
    assert one.form == {"zh": "企业年度报告书", "en": "Annual report of the enterprise"}
    assert (one.opens, one.closes) == ("01-01", "06-30")
    assert "employees" in {item.code for item in one.items}
    assert one.legal_basis[0]["clause"]["zh"] == "第八条"
    assert one.per_year == len(one.items)


@pytest.mark.usefixtures("platform")
def test_duties_are_narrowed_by_subject_and_department() -> None:
    every = list_duties(actor=SYSTEM)
    assert {one.collected_from for one in every} >= {CollectedFrom.PERSON, CollectedFrom.ENTERPRISE}
    persons = list_duties(actor=SYSTEM, collected_from="person")
    assert persons == tuple(one for one in every if one.collected_from is CollectedFrom.PERSON)
    tax = list_duties(actor=SYSTEM, department="tax")
    assert {one.department for one in tax} == {"tax"}
    assert list_duties(actor=SYSTEM, department="nobody") == ()


@pytest.mark.usefixtures("platform")
def test_a_duty_of_what_is_not_shared_is_known_to_its_department_and_the_data_authority_only() -> None:
    def resources(actor: Actor) -> set[str]:
        return {one.resource for one in list_duties(actor=actor)}

    hidden = "monthly_enterprise_reports"  # of the statistics bureau, shared with nobody
    clerk = staff_of(CLERK)
    for actor in (STRANGER, clerk, officer("police")):
        assert hidden not in resources(actor)
    for actor in (officer("statistics"), reviewer(), SYSTEM):
        assert hidden in resources(actor)
    assert "pension_insurance" not in resources(STRANGER)
    assert resources(STRANGER) < resources(clerk) < resources(SYSTEM)


@pytest.mark.usefixtures("platform")
def test_a_duty_goes_with_its_resource() -> None:
    clerk = staff_of(CLERK)
    code = "enterprise_annual_reports"
    assert code in {one.resource for one in list_duties(actor=clerk)}
    move_online(code=code, act=Act.TAKE_OFFLINE, actor=reviewer(), now=NOW, reason="纠正错误")
    assert code not in {one.resource for one in list_duties(actor=clerk)}


def staff_of(right: str) -> Actor:
    from furong.foundation.access.values import PostRight

    return staff(PostRight(right=right, everywhere=True))
