"""The arithmetic of working days over the pack's real holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.calendar import commands, queries, registry
from furong.foundation.calendar.errors import CalendarNotLoadedError, CalendarRefused
from furong.foundation.calendar.loading import parse_calendar
from furong.foundation.calendar.values import Calendar, PeriodUnit

PACK = Path(__file__).parents[3] / "packs" / "hunan" / "holidays.yaml"
MAINLAND = parse_calendar(PACK.read_bytes(), file="holidays.yaml")
LOCAL = ZoneInfo("Asia/Shanghai")
DAYS = st.dates(min_value=date(2023, 6, 1), max_value=date(2027, 6, 30))
KNOWN = st.dates(min_value=date(2024, 1, 1), max_value=date(2026, 12, 31))


def _at(year: int, month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=LOCAL)


# --- the pack's data --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "working"), [(2024, 251), (2025, 248), (2026, 248)])
def test_each_year_has_the_working_days_it_has(year: int, working: int) -> None:
    assert MAINLAND.working_days_between(date(year - 1, 12, 31), date(year, 12, 31)) == working


def test_make_up_days_are_worked_and_holidays_are_not() -> None:
    assert MAINLAND.is_working_day(date(2024, 2, 4))  # a Sunday
    assert not MAINLAND.is_working_day(date(2024, 2, 13))  # a Tuesday of the Spring Festival
    assert not MAINLAND.is_working_day(date(2024, 2, 24))  # a plain Saturday
    holiday = MAINLAND.holiday_on(date(2024, 2, 18))
    assert holiday is not None
    assert holiday.name == {"zh": "春节", "en": "Spring Festival"}
    assert MAINLAND.holiday_on(date(2024, 3, 5)) is None


# --- clocks -----------------------------------------------------------------------------------------------------


def test_a_five_working_day_clock_crosses_the_spring_festival_with_its_make_up_days() -> None:
    # Received on Wednesday 7 February 2024: 8, 9, then Sunday 18 (made up), 19, 20.
    deadline = MAINLAND.deadline_after(_at(2024, 2, 7), days=5)
    assert deadline.due_on == date(2024, 2, 20)
    assert deadline.due_at == datetime(2024, 2, 20, 16, 0, tzinfo=UTC)
    assert deadline.certain
    assert deadline.note == {}
    # Received on Friday 2 February: Sunday 4 counts, so the clock ends two days earlier than the week would say.
    assert MAINLAND.deadline_after(_at(2024, 2, 2), days=5).due_on == date(2024, 2, 8)
    # 2026: Friday 13 February: Saturday 14 counts, then nothing to the 23rd, then 24, 25, 26, 27.
    assert MAINLAND.deadline_after(_at(2026, 2, 13), days=5).due_on == date(2026, 2, 27)
    assert MAINLAND.deadline_after(_at(2026, 2, 13), days=6).due_on == date(2026, 2, 28)


def test_twenty_working_days_skip_the_national_holiday() -> None:
    assert MAINLAND.deadline_after(_at(2025, 9, 22), days=20).due_on == date(2025, 10, 24)


def test_the_day_of_the_event_is_the_local_day() -> None:
    # 16:30 UTC on the 5th is already the 6th where the office is.
    late = datetime(2025, 3, 5, 16, 30, tzinfo=UTC)
    assert MAINLAND.local_date(late) == date(2025, 3, 6)
    assert MAINLAND.deadline_after(late, days=1).due_on == date(2025, 3, 7)


def test_a_deadline_may_end_when_the_office_closes() -> None:
    deadline = MAINLAND.deadline_after(_at(2025, 3, 5), days=1, within_office_hours=True)
    assert deadline.due_at == _at(2025, 3, 6, 17)


def test_calendar_days_that_end_on_a_day_off_end_on_the_next_working_day() -> None:
    assert MAINLAND.deadline_after(_at(2025, 9, 22), days=10, unit="calendar").due_on == date(2025, 10, 9)
    assert MAINLAND.deadline_after(_at(2025, 3, 3), days=3, unit=PeriodUnit.CALENDAR).due_on == date(2025, 3, 6)


def test_working_hours_run_only_while_the_office_is_open() -> None:
    assert MAINLAND.deadline_after(_at(2025, 3, 5, 11), hours=2).due_at == _at(2025, 3, 5, 14)
    assert MAINLAND.deadline_after(_at(2025, 3, 5, 16), hours=2).due_at == _at(2025, 3, 6, 10)
    assert MAINLAND.deadline_after(_at(2025, 3, 5, 7), hours=7).due_at == _at(2025, 3, 5, 17)
    assert MAINLAND.deadline_after(_at(2025, 3, 5, 20), hours=1).due_at == _at(2025, 3, 6, 10)
    # Saturday morning starts on Monday.
    assert MAINLAND.deadline_after(_at(2025, 3, 8, 9), hours=3).due_at == _at(2025, 3, 10, 12)
    # The eve of the Spring Festival, over eight days off.
    assert MAINLAND.deadline_after(_at(2025, 1, 27, 16), hours=8).due_at == _at(2025, 2, 5, 17)
    assert MAINLAND.deadline_after(_at(2025, 3, 5, 9), hours=70).due_at == _at(2025, 3, 18, 17)
    assert MAINLAND.is_open(_at(2025, 3, 5, 11, 59))
    assert not MAINLAND.is_open(_at(2025, 3, 5, 12))
    assert not MAINLAND.is_open(_at(2025, 3, 8, 10))


def test_calendar_hours_run_through_and_need_no_holidays() -> None:
    deadline = MAINLAND.deadline_after(_at(2031, 2, 7, 10), hours=24, unit="calendar")
    assert deadline.due_at == _at(2031, 2, 8, 10)
    assert deadline.certain


def test_a_deadline_past_the_data_says_so() -> None:
    inside = MAINLAND.deadline_after(_at(2026, 12, 28), days=3)
    assert (inside.due_on, inside.certain) == (date(2026, 12, 31), True)
    past = MAINLAND.deadline_after(_at(2026, 12, 28), days=4)
    assert past.due_on == date(2027, 1, 1)
    assert not past.certain
    assert "2026年12月31日" in past.note["zh"]
    assert "2026-12-31" in past.note["en"]
    assert not MAINLAND.deadline_after(_at(2023, 12, 28), days=30).certain


def test_periods_that_make_no_sense_are_refused() -> None:
    for wrong in ({"days": 1, "hours": 1}, {}, {"days": -1}, {"hours": -1}, {"days": 200_000}, {"hours": 10**9}):
        with pytest.raises(ValueError):
            MAINLAND.deadline_after(_at(2025, 3, 5), **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        MAINLAND.deadline_after(datetime(2025, 3, 5, 10), days=1)  # noqa: DTZ001  naive on purpose
    with pytest.raises(ValueError):
        MAINLAND.add_working_days(date(2025, 3, 5), 10**7)


# --- properties -------------------------------------------------------------------------------------------------


def _slow(calendar: Calendar, start_on: date, days: int) -> date:
    step = timedelta(days=1 if days > 0 else -1)
    day = start_on
    while days:
        day += step
        if calendar.is_working_day(day):
            days += -1 if days > 0 else 1
    return day


@given(DAYS, st.integers(min_value=-400, max_value=400).filter(bool))
def test_adding_agrees_with_counting_one_day_at_a_time(start_on: date, days: int) -> None:
    assert MAINLAND.add_working_days(start_on, days) == _slow(MAINLAND, start_on, days)


@given(DAYS, st.integers(min_value=1, max_value=400))
def test_between_undoes_adding(start_on: date, days: int) -> None:
    assert MAINLAND.working_days_between(start_on, MAINLAND.add_working_days(start_on, days)) == days


@given(DAYS, st.integers(min_value=1, max_value=60), st.integers(min_value=1, max_value=60))
def test_two_periods_end_to_end_are_their_sum(start_on: date, first: int, second: int) -> None:
    once = MAINLAND.add_working_days(start_on, first + second)
    assert MAINLAND.add_working_days(MAINLAND.add_working_days(start_on, first), second) == once


@given(DAYS, st.integers(min_value=0, max_value=90))
def test_a_last_day_is_always_a_working_day(start_on: date, days: int) -> None:
    moment = datetime.combine(start_on, time(10), LOCAL)
    for unit in PeriodUnit:
        assert MAINLAND.is_working_day(MAINLAND.deadline_after(moment, days=days, unit=unit).due_on)


@given(DAYS, st.integers(min_value=1, max_value=90), st.integers(min_value=0, max_value=30))
def test_a_later_start_never_ends_earlier(start_on: date, days: int, later: int) -> None:
    first = MAINLAND.add_working_days(start_on, days)
    assert MAINLAND.add_working_days(start_on + timedelta(days=later), days) >= first


@given(KNOWN, KNOWN)
def test_counts_of_neighbouring_stretches_add_up(one: date, other: date) -> None:
    start, end = min(one, other), max(one, other)
    middle = start + (end - start) // 2
    whole = MAINLAND.working_days_between(start, end)
    assert MAINLAND.working_days_between(start, middle) + MAINLAND.working_days_between(middle, end) == whole
    day = timedelta(days=1)
    assert MAINLAND.working_days_between(end, start) == -MAINLAND.working_days_between(start - day, end - day)


@given(
    st.builds(datetime.combine, st.dates(date(2025, 1, 1), date(2025, 12, 1)), st.times()),
    st.integers(0, 60),
)
def test_working_hours_leave_out_exactly_the_closed_hours(start: datetime, hours: int) -> None:
    start = start.replace(second=0, microsecond=0)
    due = MAINLAND.deadline_after(start.replace(tzinfo=LOCAL), hours=hours).due_at.astimezone(LOCAL)
    open_minutes = 0
    day = start.date()
    while day <= due.date():
        if MAINLAND.is_working_day(day):
            for one in MAINLAND.office_hours:
                begin = max(datetime.combine(day, one.opens), start)
                end = min(datetime.combine(day, one.closes), due.replace(tzinfo=None))
                open_minutes += max(0, int((end - begin).total_seconds()) // 60)
        day += timedelta(days=1)
    assert open_minutes == hours * 60


# --- files ------------------------------------------------------------------------------------------------------


def _findings(text: str) -> list[tuple[int, str]]:
    with pytest.raises(CalendarRefused) as refusal:
        parse_calendar(text.encode(), file="holidays.yaml")
    return [(one.line, one.rule) for one in refusal.value.findings]


HEAD = """name: tiny
zone: Europe/Oslo
weekend: [saturday, sunday]
office_hours: ["08:00-16:00"]
known_from_on: 2025-01-01
known_until_on: 2026-01-01
years:
  2025:
    holidays:
"""


def test_another_countrys_calendar_runs_the_same_code() -> None:
    text = HEAD + "      - name: {zh: 宪法日, en: Constitution Day}\n        off: [2025-05-16]\n"
    calendar = parse_calendar(text.encode(), file="holidays.yaml")
    assert calendar.add_working_days(date(2025, 5, 15), 1) == date(2025, 5, 19)
    deadline = calendar.deadline_after(datetime(2025, 5, 15, 8, tzinfo=UTC), days=1, within_office_hours=True)
    assert deadline.due_at == datetime(2025, 5, 19, 14, tzinfo=UTC)


def test_findings_name_the_line_and_the_rule() -> None:
    text = HEAD + (
        "      - name: {zh: 甲, en: A}\n"
        "        off: [2025-13-01]\n"
        "        make_up: [2025-05-14]\n"
        "      - name: {zh: 乙, en: B}\n"
        "        off: [2025-05-10, 2025-05-10]\n"
        "        make_up: [2025-05-10]\n"
        "      - off: [2026-01-02, 2025-03-04..2025-03-01]\n"
    )
    assert _findings(text) == [
        (11, "calendar.date"),
        (12, "calendar.make_up"),
        (14, "calendar.day_off"),
        (1, "calendar.shape"),
        (16, "calendar.stretch"),
        (15, "calendar.make_up"),
        (6, "calendar.known"),
    ]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: [", "calendar.yaml"),
        ("- 1", "calendar.shape"),
        ("", "calendar.shape"),
        (HEAD.replace("Europe/Oslo", "Nowhere/Oslo"), "calendar.zone"),
        (HEAD.replace("saturday", "caturday"), "calendar.weekday"),
        (HEAD.replace("08:00-16:00", "16:00-08:00"), "calendar.office_hours"),
        (HEAD.replace("08:00-16:00", "noon"), "calendar.office_hours"),
        (HEAD.replace("2026-01-01", "2024-01-01"), "calendar.known"),
        (HEAD.replace("2026-01-01", "soon"), "calendar.date"),
        (HEAD.replace("  2025:", "  then:"), "calendar.year"),
        (HEAD.replace("name: tiny\n", ""), "calendar.missing"),
        (HEAD + "  2025: {}\n", "calendar.duplicate"),
        (
            HEAD.replace("saturday", "monday, tuesday, wednesday, thursday, friday, saturday"),
            "calendar.weekend",
        ),
    ],
)
def test_a_file_that_cannot_be_put_in_force_is_refused(text: str, rule: str) -> None:
    assert rule in [found for _, found in _findings(text)]


@pytest.fixture
def no_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    """No calendar in force, and no source that wiring may have named."""
    monkeypatch.setattr(registry, "_state", registry._State())


@pytest.mark.usefixtures("no_calendar")
def test_a_loaded_calendar_is_in_force_until_a_good_one_replaces_it() -> None:
    assert not queries.is_loaded()
    with pytest.raises(CalendarNotLoadedError):
        queries.current()
    loaded = commands.load_calendar(data=PACK.read_bytes(), file="holidays.yaml")
    assert queries.current() is loaded
    with pytest.raises(CalendarRefused):
        commands.load_calendar(data=b"a: [", file="holidays.yaml")
    assert queries.current() is loaded
    assert len(loaded.digest) == 64


@pytest.mark.usefixtures("no_calendar")
def test_a_newer_release_is_in_force_after_the_lease_and_a_refused_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(registry, "monotonic", lambda: clock[0])
    releases = {"1": PACK.read_bytes(), "2": HEAD.encode() + b"      []\n", "3": b"a: ["}
    latest, asked = ["1"], []

    def source(digest: str) -> commands.CalendarData | None:
        asked.append(digest)
        if digest == latest[0]:
            return None
        return commands.CalendarData(latest[0], releases[latest[0]], "holidays.yaml")

    commands.follow_releases(source=source)
    assert queries.current().zone == "Asia/Shanghai"
    latest[0] = "2"
    assert queries.current().zone == "Asia/Shanghai"
    clock[0] += registry.LEASE_SECONDS
    assert queries.current().zone == "Europe/Oslo"
    assert asked == ["", "1"]
    latest[0] = "3"
    clock[0] += registry.LEASE_SECONDS
    with pytest.raises(CalendarRefused):
        queries.current()
    clock[0] += registry.LEASE_SECONDS
    assert queries.current().zone == "Europe/Oslo"
    assert asked == ["", "1", "2", "3"]
