"""Days, weeks and the clock (10.3.4.7, 10.3.4.10). ``now`` and ``today`` are what the caller says they are."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from furong.foundation.feel.functions.registry import Null, builtin
from furong.foundation.feel.values import Run
from furong.foundation.feel.wide import Day, Moment, day_of, days_in, make_day, moved_day, ordinal

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@builtin("day of year", "date: date")
def _day_of_year(run: Run, day: Day | Moment) -> object:
    return Decimal(ordinal(day) - ordinal(make_day(day.year, 1, 1)) + 1)


@builtin("day of week", "date: date")
def _day_of_week(run: Run, day: Day | Moment) -> object:
    return _DAYS[day.isoweekday() - 1]


@builtin("month of year", "date: date")
def _month_of_year(run: Run, day: Day | Moment) -> object:
    return _MONTHS[day.month - 1]


@builtin("week of year", "date: date")
def _week_of_year(run: Run, day: Day | Moment) -> object:
    # ISO 8601: a week belongs to the year of its Thursday.
    thursday = moved_day(day_of(day), 4 - day.isoweekday())
    return Decimal((ordinal(thursday) - ordinal(make_day(thursday.year, 1, 1))) // 7 + 1)


@builtin("last day of month", "date: date")
def _last_day_of_month(run: Run, day: Day | Moment) -> object:
    return Decimal(days_in(day.year, day.month))


def _now(run: Run) -> datetime:
    if run.now is None:
        raise Null("The caller gave no clock.")
    return run.now


@builtin("now", pure=False)
def _now_(run: Run) -> object:
    return _now(run)


@builtin("today", pure=False)
def _today(run: Run) -> object:
    return _now(run).date()
