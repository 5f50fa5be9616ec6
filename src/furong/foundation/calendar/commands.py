"""Putting a calendar in force."""

from __future__ import annotations

from furong.foundation.calendar import registry
from furong.foundation.calendar.loading import parse_calendar
from furong.foundation.calendar.registry import CalendarData, Source
from furong.foundation.calendar.values import Calendar

__all__ = ["CalendarData", "follow_releases", "load_calendar", "use_calendar"]


def load_calendar(*, data: bytes, file: str) -> Calendar:
    """Parse a pack's ``holidays.yaml`` and put it in force in this process.

    ``file`` is named in findings. Raises ``CalendarRefused`` with every finding, and then the calendar that was in
    force stays.
    """
    calendar = parse_calendar(data, file=file)
    registry.put(calendar)
    return calendar


def use_calendar(*, calendar: Calendar | None) -> Calendar | None:
    """Put ``calendar`` in force in this process and return the one it replaces (tests, restores)."""
    return registry.put(calendar)


def follow_releases(*, source: Source | None) -> None:
    """Take the calendar from ``source`` from now on: at first use, then asked each half minute.

    ``source`` is given the digest it last returned and returns a newer ``CalendarData``, or None. Wiring sets it to
    read the released holiday file, so that a new year's days off are in force in every process without a restart. A
    release that is refused raises ``CalendarRefused`` once and leaves the calendar before it in force.
    """
    registry.follow(source)
