"""Days, weeks and the clock (10.3.4.7, 10.3.4.10). ``now`` and ``today`` are what the caller says they are."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from furong.foundation.feel.functions.registry import Null, builtin
from furong.foundation.feel.values import Run

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@builtin("day of year", "date: date")
def _day_of_year(run: Run, day: date) -> object:
    return Decimal(day.timetuple().tm_yday)


@builtin("day of week", "date: date")
def _day_of_week(run: Run, day: date) -> object:
    return _DAYS[day.weekday()]


@builtin("month of year", "date: date")
def _month_of_year(run: Run, day: date) -> object:
    return _MONTHS[day.month - 1]


@builtin("week of year", "date: date")
def _week_of_year(run: Run, day: date) -> object:
    return Decimal(day.isocalendar().week)


@builtin("last day of month", "date: date")
def _last_day_of_month(run: Run, day: date) -> object:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1) if day.year < 9999 or day.month < 12 else None
    return Decimal(31 if following is None else (following.toordinal() - date(day.year, day.month, 1).toordinal()))


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
