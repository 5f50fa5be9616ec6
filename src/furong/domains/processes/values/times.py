"""Timers and deadlines: ISO 8601 durations and dates, in natural time or in working days. No clock: ``now`` is passed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from furong.foundation.calendar.values import Calendar, PeriodUnit


class DayCounting(StrEnum):
    """How whole days are counted: as 24 hours, or by the law's rules for working or natural days."""

    CLOCK = ""
    WORKING = "working"
    NATURAL = "natural"


# ISO 8601-1 5.5.2: PnYnMnDTnHnMnS or PnW; only seconds may have a fraction.
_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W|(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?)\Z"
)
# Ten thousand days are enough for any deadline, and keep a typing slip from overflowing a date.
_MOST_DAYS = 40_000


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: calendar months, whole days and seconds, kept apart because a month has no fixed length."""

    months: int = 0
    days: int = 0
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read an ISO 8601 duration such as ``P3D`` or ``PT36H``; raises ValueError on anything else."""
        match = _DURATION.match(text.strip())
        if match is None or text.strip() in {"P", "PT"}:
            raise ValueError(f"{text!r} is not an ISO 8601 duration such as P3D or PT12H")
        part = {key: float(value) if value else 0.0 for key, value in match.groupdict().items()}
        found = cls(
            months=int(part["years"]) * 12 + int(part["months"]),
            days=int(part["weeks"]) * 7 + int(part["days"]),
            seconds=part["hours"] * 3600 + part["minutes"] * 60 + part["seconds"],
        )
        if found.months * 31 + found.days + found.seconds / 86_400 > _MOST_DAYS:
            raise ValueError(f"{text!r} is longer than {_MOST_DAYS} days")
        return found

    @property
    def is_whole_days(self) -> bool:
        return self.months == 0 and self.seconds == 0

    def after(self, start: datetime) -> datetime:
        """Give the time this duration after ``start``; a day that a month lacks becomes the month's last day."""
        moved = start
        if self.months:
            year, month = divmod(start.year * 12 + start.month - 1 + self.months, 12)
            last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
            moved = start.replace(year=year, month=month + 1, day=min(start.day, last))
        return moved + timedelta(days=self.days, seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeated time (ISO 8601-1 5.6.1): ``R3/PT10M``, ``R/2026-01-01T08:00:00+08:00/P1D``; ``times`` None is without end."""

    times: int | None
    every: Duration
    start: datetime | None = None

    @classmethod
    def parse(cls, text: str, *, zone: tzinfo) -> Cycle:
        """Read a repeated time; raises ValueError on anything else, and on one that would fire without pause."""
        parts = text.strip().split("/")
        head = parts[0]
        if len(parts) not in {2, 3} or head[:1] != "R" or not (head[1:] == "" or head[1:].isdigit()):
            raise ValueError(f"{text!r} is not a repeated time such as R3/PT10M")
        every = Duration.parse(parts[-1])
        if not (every.months or every.days or every.seconds >= 1):
            raise ValueError(f"{text!r} would fire more than once a second")
        start = parse_moment(parts[1], zone=zone) if len(parts) == 3 else None
        return cls(int(head[1:]) if head[1:] else None, every, start)

    def first(self, now: datetime, counting: DayCounting, calendar: Callable[[], Calendar]) -> datetime:
        """Give when it fires first: at its start, or one period from now."""
        return self.start or due_after(self.every, start=now, counting=counting, calendar=calendar)


def parse_moment(text: str, *, zone: tzinfo) -> datetime:
    """Read an ISO 8601 date (its first moment in ``zone``) or date and time; raises ValueError on anything else."""
    text = text.strip()
    if "T" not in text:
        return datetime.combine(date.fromisoformat(text), time(), zone)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def due_after(
    duration: Duration, *, start: datetime, counting: DayCounting, calendar: Callable[[], Calendar]
) -> datetime:
    """Give when ``duration`` after ``start`` is over; days of the law end with their last day (Civil Code, articles 201, 203)."""
    if counting is DayCounting.CLOCK or not duration.is_whole_days:
        return duration.after(start)
    unit = PeriodUnit.WORKING if counting is DayCounting.WORKING else PeriodUnit.CALENDAR
    return calendar().deadline_after(start, days=duration.days, unit=unit).due_at


def warn_after(duration: Duration) -> Duration:
    """Give when a task turns yellow if its author does not say: a day before the end, or halfway through a short one."""
    if duration.is_whole_days and duration.days >= 2:
        return Duration(days=duration.days - 1)
    if duration.is_whole_days and duration.days == 1:
        return Duration(seconds=43_200)
    if duration.months:
        return Duration(months=0, days=duration.months * 30 + duration.days - 3, seconds=duration.seconds)
    half = (duration.days * 86_400 + duration.seconds) / 2
    return Duration(seconds=half)
