"""The clock and the states, without tables and without the time of day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.cases.values import (
    ENDED,
    OPEN,
    TRANSITIONS,
    Act,
    ApplicationState,
    CaseState,
    Clock,
    DayUnit,
    Light,
    application_state,
    next_state,
)
from furong.domains.cases.values.clock import ClockMisusedError, add_days, count_days


class Year2026:
    """The Spring Festival of 2026: 15–23 February off, Saturdays 14 and 28 February worked instead."""

    off = frozenset(date(2026, 2, 15) + timedelta(days=n) for n in range(9))
    made_up = frozenset({date(2026, 2, 14), date(2026, 2, 28)})

    def is_working_day(self, on: date) -> bool:
        return on in self.made_up or (on.weekday() < 5 and on not in self.off)


CALENDAR = Year2026()
days = st.dates(date(2026, 1, 1), date(2026, 6, 30))
units = st.sampled_from(DayUnit)
WORKING = DayUnit.WORKING


@st.composite
def clocks(draw: st.DrawFn, unit: DayUnit | None = None) -> Clock:
    """A clock that was stopped and let run on a few times."""
    on = draw(days)
    clock = Clock.started(
        on=on,
        promised_days=draw(st.integers(1, 20)),
        statutory_days=draw(st.integers(20, 45)),
        unit=unit or draw(units),
    )
    for _ in range(draw(st.integers(0, 4))):
        on += timedelta(days=draw(st.integers(0, 12)))
        clock = clock.stopped(on=on, why="hearing", legal_basis="45") if clock.is_running else clock.resumed(on=on)
    return clock


def test_the_day_on_which_a_clock_starts_is_not_counted() -> None:
    clock = Clock.started(on=date(2026, 3, 2), promised_days=1, statutory_days=20)
    assert clock.promised_due_on(CALENDAR) == date(2026, 3, 3)


def test_the_clock_counts_make_up_saturdays_and_skips_the_spring_festival() -> None:
    clock = Clock.started(on=date(2026, 2, 12), promised_days=5, statutory_days=20)
    # Friday 13, Saturday 14 (make-up), then nine days off, Tuesday 24, 25, 26.
    assert clock.promised_due_on(CALENDAR) == date(2026, 2, 26)
    # 13, 14, 24–28 (Saturday 28 is a make-up day), 2–6, 9–13, 16–18 March.
    assert clock.statutory_due_on(CALENDAR) == date(2026, 3, 18)


def test_a_calendar_that_forgets_the_make_up_days_gives_another_day() -> None:
    class Forgetful(Year2026):
        made_up = frozenset[date]()

    clock = Clock.started(on=date(2026, 2, 12), promised_days=5, statutory_days=20)
    assert clock.promised_due_on(Forgetful()) != clock.promised_due_on(CALENDAR)


def test_a_period_in_natural_days_that_ends_in_the_festival_ends_on_the_next_working_day() -> None:
    assert add_days(after=date(2026, 2, 10), days=7, unit=DayUnit.NATURAL, calendar=CALENDAR) == date(2026, 2, 24)


def test_time_in_a_hearing_is_not_counted_and_the_due_day_moves_by_as_much() -> None:
    clock = Clock.started(on=date(2026, 3, 2), promised_days=10, statutory_days=20)
    assert clock.promised_due_on(CALENDAR) == date(2026, 3, 16)
    stopped = clock.stopped(on=date(2026, 3, 4), why="hearing", legal_basis="行政许可法第四十五条")
    assert stopped.promised_due_on(CALENDAR) is None
    assert stopped.light(on=date(2026, 4, 30), share_percent=70, calendar=CALENDAR) is Light.STOPPED
    resumed = stopped.resumed(on=date(2026, 3, 11))
    assert resumed.promised_due_on(CALENDAR) == date(2026, 3, 23)
    assert resumed.stopped_days(on=date(2026, 3, 23), calendar=CALENDAR) == 5
    assert resumed.used_days(on=date(2026, 3, 23), calendar=CALENDAR) == 10


def test_an_extension_moves_both_limits_by_ten_days() -> None:
    clock = Clock.started(on=date(2026, 3, 2), promised_days=5, statutory_days=20).extended(days=10)
    assert clock.promised_due_on(CALENDAR) == date(2026, 3, 23)
    assert clock.statutory_due_on(CALENDAR) == date(2026, 4, 13)


def test_the_lights_turn_yellow_then_red_then_overdue() -> None:
    clock = Clock.started(on=date(2026, 3, 2), promised_days=5, statutory_days=7)

    def light(day: int) -> Light:
        return clock.light(on=date(2026, 3, day), share_percent=70, calendar=CALENDAR)

    assert [light(d) for d in (2, 5, 6, 9, 10, 11, 12)] == [
        Light.GREEN,
        Light.GREEN,
        Light.YELLOW,
        Light.YELLOW,
        Light.RED,
        Light.RED,
        Light.OVERDUE,
    ]
    assert clock.yellow_on(share_percent=70, calendar=CALENDAR) == date(2026, 3, 6)


def test_a_clock_stopped_on_its_last_day_is_due_on_the_day_it_runs_on() -> None:
    clock = Clock.started(on=date(2026, 3, 2), promised_days=2, statutory_days=20)
    clock = clock.stopped(on=date(2026, 3, 4), why="inspection").resumed(on=date(2026, 3, 10))
    assert clock.promised_due_on(CALENDAR) == date(2026, 3, 10)
    assert clock.light(on=date(2026, 3, 11), share_percent=70, calendar=CALENDAR) is Light.RED


def test_stopping_after_the_limit_does_not_make_a_late_case_timely() -> None:
    clock = Clock.started(on=date(2026, 3, 2), promised_days=2, statutory_days=3)
    stopped = clock.stopped(on=date(2026, 3, 10), why="inspection")
    assert stopped.light(on=date(2026, 3, 10), share_percent=70, calendar=CALENDAR) is Light.OVERDUE
    assert stopped.statutory_due_on(CALENDAR) == date(2026, 3, 5)


def test_an_item_without_a_limit_shows_no_light() -> None:
    clock = Clock.started(on=date(2026, 3, 2), promised_days=0, statutory_days=0)
    assert clock.light(on=date(2026, 6, 1), share_percent=70, calendar=CALENDAR) is Light.NONE
    assert clock.yellow_on(share_percent=70, calendar=CALENDAR) is None


def test_a_clock_cannot_be_stopped_twice_or_run_on_while_it_runs() -> None:
    clock = Clock.started(on=date(2026, 3, 2), promised_days=5, statutory_days=20)
    with pytest.raises(ClockMisusedError):
        clock.resumed(on=date(2026, 3, 3))
    stopped = clock.stopped(on=date(2026, 3, 3), why="hearing")
    with pytest.raises(ClockMisusedError):
        stopped.stopped(on=date(2026, 3, 4), why="hearing")
    with pytest.raises(ClockMisusedError):
        stopped.resumed(on=date(2026, 3, 2))
    with pytest.raises(ClockMisusedError):
        clock.stopped(on=date(2026, 3, 1), why="hearing")


@given(clocks())
def test_a_clock_survives_the_way_to_json_and_back(clock: Clock) -> None:
    assert Clock.from_json(clock.to_json()) == clock


@given(clocks(unit=WORKING), st.integers(0, 60))
def test_the_due_day_is_the_last_day_within_the_limit(clock: Clock, limit: int) -> None:
    due = clock.due_on(days=limit, calendar=CALENDAR)
    if due is None:
        assert not clock.is_running
        assert clock.used_days(on=date(2027, 12, 31), calendar=CALENDAR) <= limit
        return
    assert clock.used_days(on=due, calendar=CALENDAR) <= limit
    following = due + timedelta(days=1)
    while not CALENDAR.is_working_day(following):
        following += timedelta(days=1)
    later = max(following, clock.segments[-1].from_on + timedelta(days=10))
    assert clock.used_days(on=later, calendar=CALENDAR) > limit


@given(clocks(), days, st.integers(0, 60))
def test_days_used_never_shrink_as_time_passes(clock: Clock, on: date, more: int) -> None:
    later = on + timedelta(days=more)
    assert clock.used_days(on=on, calendar=CALENDAR) <= clock.used_days(on=later, calendar=CALENDAR)


@given(days, st.integers(1, 20), st.integers(0, 40), st.integers(0, 40))
def test_a_stop_moves_the_due_day_by_exactly_the_working_days_it_lasted(
    start: date, limit: int, run: int, stop: int
) -> None:
    clock = Clock.started(on=start, promised_days=limit, statutory_days=60)
    stopped_on = start + timedelta(days=run)
    resumed_on = stopped_on + timedelta(days=stop)
    due = clock.promised_due_on(CALENDAR)
    assert due is not None
    used = count_days(after=start, until=stopped_on, unit=WORKING, calendar=CALENDAR)
    after = clock.stopped(on=stopped_on, why="x").resumed(on=resumed_on).promised_due_on(CALENDAR)
    assert after is not None
    if used < limit:
        lasted = count_days(after=stopped_on, until=resumed_on, unit=WORKING, calendar=CALENDAR)
        assert count_days(after=due, until=after, unit=WORKING, calendar=CALENDAR) == lasted
    elif used > limit:
        assert after == due


@given(days, st.integers(0, 40), units)
def test_counting_and_adding_agree(start: date, n: int, unit: DayUnit) -> None:
    end = add_days(after=start, days=n, unit=unit, calendar=CALENDAR, to_working_day=False)
    assert count_days(after=start, until=end, unit=unit, calendar=CALENDAR) == n


@given(clocks(), st.integers(0, 150), st.integers(1, 100))
def test_the_yellow_day_is_the_first_day_that_is_not_green(clock: Clock, n: int, share: int) -> None:
    yellow = clock.yellow_on(share_percent=share, calendar=CALENDAR)
    on = clock.segments[0].from_on + timedelta(days=n)
    light = clock.light(on=on, share_percent=share, calendar=CALENDAR)
    if light is Light.GREEN:
        assert yellow is None or on < yellow
    if light is Light.YELLOW:
        assert yellow is not None
        assert on >= yellow


def test_every_transition_names_known_states_and_no_end_state_leads_anywhere_but_through_review() -> None:
    assert set(CaseState) == OPEN | ENDED
    leaving = {(s, a) for (s, a) in TRANSITIONS if s in ENDED}
    assert {a for _, a in leaving} == {Act.REOPEN, Act.WAIT_AGAIN}


def test_every_open_state_can_be_left_and_every_state_is_reached() -> None:
    assert {s for s, _ in TRANSITIONS} >= OPEN
    assert set(TRANSITIONS.values()) == set(CaseState)


def test_a_decided_case_cannot_be_withdrawn_or_decided_again() -> None:
    for state in (CaseState.APPROVED, CaseState.REJECTED, CaseState.COMPLETED):
        for act in (Act.WITHDRAW, Act.APPROVE, Act.REJECT, Act.PAUSE, Act.EXTEND):
            assert next_state(state, act) is None


@given(st.lists(st.sampled_from(CaseState), min_size=1, max_size=6))
def test_an_application_is_open_exactly_while_a_case_is(states: list[CaseState]) -> None:
    derived = application_state(states)
    still_open = any(s in OPEN for s in states)
    assert still_open == (
        derived in {ApplicationState.SUBMITTED, ApplicationState.IN_PROGRESS, ApplicationState.ACTION_NEEDED}
    )


def test_one_rejected_item_leaves_the_others_standing() -> None:
    done, rejected = CaseState.COMPLETED, CaseState.REJECTED
    assert application_state([done, rejected, CaseState.IN_PROGRESS]) is ApplicationState.IN_PROGRESS
    assert application_state([done, rejected]) is ApplicationState.PARTLY_COMPLETED
    assert application_state([done, CaseState.WITHDRAWN]) is ApplicationState.COMPLETED
    assert application_state([rejected, rejected]) is ApplicationState.NOT_GRANTED
    assert application_state([CaseState.WITHDRAWN]) is ApplicationState.WITHDRAWN
    assert application_state([CaseState.TO_SUPPLEMENT, done]) is ApplicationState.ACTION_NEEDED
