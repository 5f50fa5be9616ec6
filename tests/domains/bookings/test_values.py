"""Slots are the hours of a book on working days, without closures, within its notice and its horizon."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from furong.domains.bookings.values import Book, Closure, Hours, Slot, Stretch, find_slot, moment_of, slots_on
from furong.foundation.calendar.values import Calendar, Holiday

MONDAY = date(2026, 11, 23)
CALENDAR = Calendar(
    name="test",
    zone="Asia/Shanghai",
    weekend=frozenset({5, 6}),
    office_hours=(),
    holidays=(Holiday(2026, {"zh": "节"}, (date(2026, 11, 25),), (date(2026, 11, 28),)),),
    known_from_on=date(2026, 1, 1),
    known_until_on=date(2027, 1, 1),
)
MORNING = Stretch(opens=time(9), closes=time(12))
BOOK = Book(
    code="hall",
    name={"zh": "大厅"},
    items=("passport",),
    slot_minutes=45,
    days_ahead=7,
    notice_hours=2,
    hold_minutes=20,
    change_until_hours=4,
    hours=Hours(stretches=(MORNING, Stretch(opens=time(14), closes=time(15))), capacity=3),
    offices={
        "430202": Hours(
            stretches=(MORNING,),
            capacity=1,
            closures=(Closure(from_on=date(2026, 11, 24), last_on=date(2026, 11, 24), reason={"zh": "搬迁"}),),
        )
    },
)


def _starts(division: str, on: date) -> list[str]:
    return [f"{begins.astimezone(CALENDAR.tz):%H:%M}" for begins, _, _ in slots_on(BOOK, division, on, CALENDAR)]


def test_a_slot_that_would_end_after_its_stretch_is_not_offered() -> None:
    assert _starts("430203", MONDAY) == ["09:00", "09:45", "10:30", "11:15", "14:00"]


def test_days_off_and_closures_have_no_slots_and_make_up_days_have() -> None:
    assert _starts("430203", date(2026, 11, 25)) == []
    assert _starts("430203", date(2026, 11, 29)) == []
    assert _starts("430203", date(2026, 11, 28)) != []
    assert _starts("430202", date(2026, 11, 24)) == []


def test_an_office_with_hours_of_its_own_has_its_own_places() -> None:
    assert {places for _, _, places in slots_on(BOOK, "430202", MONDAY, CALENDAR)} == {1}
    assert {places for _, _, places in slots_on(BOOK, "430203", MONDAY, CALENDAR)} == {3}


def test_a_moment_is_a_slot_only_where_the_grid_has_one_and_within_notice_and_horizon() -> None:
    now = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)  # 08:30 in the office's zone
    at = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
    assert find_slot(BOOK, "430203", at, CALENDAR, now) is not None
    assert find_slot(BOOK, "430203", at + timedelta(minutes=5), CALENDAR, now) is None
    assert find_slot(BOOK, "430203", at - timedelta(minutes=45), CALENDAR, now) is None
    assert find_slot(BOOK, "430203", at + timedelta(days=14), CALENDAR, now) is None


def test_what_a_form_sends_back_is_the_same_moment_and_nonsense_is_none() -> None:
    at = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
    assert moment_of(Slot(starts_at=at, ends_at=at, capacity=1, left=1).key) == at
    for wrong in ("", "x", "20261123T0230", "2026-11-23", "99999999T9999Z", "20261123T0230Z; DROP"):
        assert moment_of(wrong) is None
