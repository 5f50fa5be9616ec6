"""The legal clock of a case, as a pure value.

A clock runs in working or natural days. The day on which a period begins is not counted (Civil Code art. 201), so a
clock started on a Monday has its first day on Tuesday, and a clock stopped on a day has used that day. What stops it (a
supplement, a hearing, an inspection, an expert review: Administrative Licensing Law art. 45) is a gap between two
running segments. Nothing here reads the time or a table: the caller passes the date and the calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Protocol, Self


class DayCalendar(Protocol):
    """What a clock needs from ``foundation.calendar``: which days are worked, make-up days included."""

    def is_working_day(self, on: date) -> bool:
        """Say whether people work on that day."""
        ...


class DayUnit(StrEnum):
    """In what a period is counted."""

    WORKING = "working"
    NATURAL = "natural"


class Light(StrEnum):
    """What supervision sees of a case's time."""

    GREEN = "green"
    YELLOW = "yellow"  # the promised limit is near
    RED = "red"  # the promised limit has passed
    OVERDUE = "overdue"  # the statutory limit has passed
    STOPPED = "stopped"  # the law has stopped the clock
    NONE = "none"  # no clock runs: not begun, or decided in time on the spot


class ClockMisusedError(ValueError):
    """A caller's mistake: a clock stopped twice, or before it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch in which the clock ran: the days after ``from_on`` up to and including ``until_on`` (open while None)."""

    from_on: date
    until_on: date | None = None
    why_stopped: str = ""
    legal_basis: str = ""


def count_days(*, after: date, until: date, unit: DayUnit, calendar: DayCalendar) -> int:
    """Count the days in ``(after, until]``, 0 when ``until`` is not later."""
    if until <= after:
        return 0
    if unit is DayUnit.NATURAL:
        return (until - after).days
    return sum(calendar.is_working_day(after + timedelta(days=n)) for n in range(1, (until - after).days + 1))


def add_days(*, after: date, days: int, unit: DayUnit, calendar: DayCalendar, to_working_day: bool = True) -> date:
    """Return the last day of a period of ``days`` that begins on ``after``.

    A period in natural days that would end on a day off ends on the next working day (Civil Code art. 203), unless
    ``to_working_day`` is false. A period of 0 days ends on ``after`` itself. Raises what the calendar raises when the
    date lies past its data.
    """
    if days < 0:
        raise ClockMisusedError("A period has no negative length.")
    if unit is DayUnit.NATURAL:
        on = after + timedelta(days=days)
        while days and to_working_day and not calendar.is_working_day(on):
            on += timedelta(days=1)
        return on
    on = after
    while days:
        on += timedelta(days=1)
        if calendar.is_working_day(on):
            days -= 1
    return on


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A case's clock: what it may use, and the stretches in which it ran.

    ``promised_days`` is what the body promises in public, ``statutory_days`` what the law allows; ``extension_days``
    lengthens both once another person has approved it (art. 42: ten days, with notice). 0 statutory days means that no
    limit is set.
    """

    unit: DayUnit = DayUnit.WORKING
    promised_days: int
    statutory_days: int
    extension_days: int = 0
    # Where the law counts otherwise than the promise does.
    statutory_unit: DayUnit | None = None
    segments: tuple[Segment, ...] = ()

    @classmethod
    def started(
        cls,
        *,
        on: date,
        promised_days: int,
        statutory_days: int,
        unit: DayUnit = DayUnit.WORKING,
        statutory_unit: DayUnit | None = None,
    ) -> Self:
        """Start a clock whose first counted day is the day after ``on``."""
        return cls(
            unit=unit,
            statutory_unit=statutory_unit if statutory_unit is not unit else None,
            promised_days=promised_days,
            statutory_days=statutory_days,
            segments=(Segment(from_on=on),),
        )

    @property
    def is_running(self) -> bool:
        """Whether days are being counted now."""
        return bool(self.segments) and self.segments[-1].until_on is None

    @property
    def started_on(self) -> date | None:
        """The day the period began (itself not counted)."""
        return self.segments[0].from_on if self.segments else None

    def stopped(self, *, on: date, why: str, legal_basis: str = "") -> Clock:
        """Stop the clock on a day, which is still counted. Raises ClockMisusedError when it does not run."""
        if not self.is_running:
            raise ClockMisusedError("The clock does not run.")
        last = self.segments[-1]
        if on < last.from_on:
            raise ClockMisusedError("A clock cannot stop before it began.")
        closed = replace(last, until_on=on, why_stopped=why, legal_basis=legal_basis)
        return replace(self, segments=(*self.segments[:-1], closed))

    def resumed(self, *, on: date) -> Clock:
        """Let the clock run on from a day, the next day being the first counted."""
        if self.is_running or not self.segments:
            raise ClockMisusedError("Only a stopped clock can run on.")
        until_on = self.segments[-1].until_on
        if until_on is not None and on < until_on:
            raise ClockMisusedError("A clock cannot run on before it was stopped.")
        return replace(self, segments=(*self.segments, Segment(from_on=on)))

    def extended(self, *, days: int) -> Clock:
        """Lengthen both limits by ``days``."""
        if days <= 0:
            raise ClockMisusedError("An extension has at least one day.")
        return replace(self, extension_days=self.extension_days + days)

    def used_days(self, *, on: date, calendar: DayCalendar) -> int:
        """Count the days used up to and including ``on``; time stopped is not counted."""
        used = 0
        for s in self.segments:
            until = on if s.until_on is None else min(on, s.until_on)
            used += count_days(after=s.from_on, until=until, unit=self.unit, calendar=calendar)
        return used

    def stopped_days(self, *, on: date, calendar: DayCalendar) -> int:
        """Count the days up to ``on`` on which the law had stopped the clock."""
        if self.started_on is None:
            return 0
        all_days = count_days(after=self.started_on, until=on, unit=self.unit, calendar=calendar)
        return all_days - self.used_days(on=on, calendar=calendar)

    def due_on(self, *, days: int, calendar: DayCalendar, unit: DayUnit | None = None) -> date | None:
        """Return the last day within a limit of ``days``, None while the clock is stopped short of it.

        A clock stopped on the very last day has no day left: let run on again, it is due on the day it does.
        """
        counted = unit or self.unit
        used = 0
        for s in self.segments:
            if s.until_on is None:
                return add_days(after=s.from_on, days=days - used, unit=counted, calendar=calendar)
            here = count_days(after=s.from_on, until=s.until_on, unit=counted, calendar=calendar)
            if used + here > days:
                last = add_days(after=s.from_on, days=days - used, unit=counted, calendar=calendar)
                if last < s.until_on:
                    return last
            used = min(days, used + here)
        return None

    def reached_on(self, *, days: int, calendar: DayCalendar) -> date | None:
        """Return the first day on which at least ``days`` (one or more) are used, None if never so far."""
        used = 0
        for s in self.segments:
            here = None
            if s.until_on is not None:
                here = count_days(after=s.from_on, until=s.until_on, unit=self.unit, calendar=calendar)
            if here is None or used + here >= days:
                return add_days(
                    after=s.from_on, days=days - used, unit=self.unit, calendar=calendar, to_working_day=False
                )
            used += here
        return None

    def promised_due_on(self, calendar: DayCalendar) -> date | None:
        """Return the last day of the promised limit, None while stopped or where nothing is promised."""
        if not self.promised_days:
            return self.statutory_due_on(calendar)
        return self.due_on(days=self.promised_days + self.extension_days, calendar=calendar)

    def statutory_due_on(self, calendar: DayCalendar) -> date | None:
        """Return the last day of the statutory limit, None while stopped or where the law sets none."""
        if not self.statutory_days:
            return None
        days = self.statutory_days + self.extension_days
        return self.due_on(days=days, calendar=calendar, unit=self.statutory_unit)

    def yellow_on(self, *, share_percent: int, calendar: DayCalendar) -> date | None:
        """Return the first day with a yellow light: ``share_percent`` of the promised limit is used.

        The last day of the limit is always yellow, so a one-day limit is yellow from its only day.
        """
        days = self._yellow_days(share_percent)
        return self.reached_on(days=days, calendar=calendar) if days else None

    def _yellow_days(self, share_percent: int) -> int:
        limit = self.promised_days or self.statutory_days
        if not limit:
            return 0
        limit += self.extension_days
        return min(limit, max(1, -(-limit * share_percent // 100)))

    def light(self, *, on: date, share_percent: int, calendar: DayCalendar) -> Light:
        """Return the light on a day."""
        yellow_days = self._yellow_days(share_percent)
        if not self.segments or not yellow_days:
            return Light.NONE
        if on > (self.statutory_due_on(calendar) or on):
            return Light.OVERDUE
        if on > (self.promised_due_on(calendar) or on):
            return Light.RED
        if not self.is_running:
            return Light.STOPPED
        return Light.YELLOW if self.used_days(on=on, calendar=calendar) >= yellow_days else Light.GREEN

    def to_json(self) -> dict[str, Any]:
        """Return the clock as JSON; ``from_json`` gives the same clock back."""
        return {
            "unit": self.unit.value,
            "statutory_unit": self.statutory_unit.value if self.statutory_unit else None,
            "promised_days": self.promised_days,
            "statutory_days": self.statutory_days,
            "extension_days": self.extension_days,
            "segments": [
                {
                    "from_on": s.from_on.isoformat(),
                    "until_on": s.until_on.isoformat() if s.until_on else None,
                    "why_stopped": s.why_stopped,
                    "legal_basis": s.legal_basis,
                }
                for s in self.segments
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a clock that ``to_json`` wrote."""
        segments: Iterable[Mapping[str, Any]] = data.get("segments", ())
        return cls(
            unit=DayUnit(data["unit"]),
            statutory_unit=DayUnit(data["statutory_unit"]) if data.get("statutory_unit") else None,
            promised_days=int(data["promised_days"]),
            statutory_days=int(data["statutory_days"]),
            extension_days=int(data.get("extension_days", 0)),
            segments=tuple(
                Segment(
                    from_on=date.fromisoformat(s["from_on"]),
                    until_on=date.fromisoformat(s["until_on"]) if s["until_on"] else None,
                    why_stopped=s.get("why_stopped", ""),
                    legal_basis=s.get("legal_basis", ""),
                )
                for s in segments
            ),
        )
