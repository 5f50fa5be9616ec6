"""Putting a calendar in force."""

from __future__ import annotations

from furong.foundation.calendar import registry
from furong.foundation.calendar.loading import parse_calendar
from furong.foundation.calendar.values import Calendar

__all__ = ["load_calendar", "use_calendar"]


def load_calendar(*, data: bytes, file: str) -> Calendar:
    """This function will parse a pack's ``holidays.yaml`` and put it in force in this process.

    ``file`` is named in findings. Raises ``CalendarRefused`` with every finding, and then the calendar that was in
    force stays.
    """
    calendar = parse_calendar(data, file=file)
    registry.put(calendar)
    return calendar


def use_calendar(*, calendar: Calendar | None) -> Calendar | None:
    """This function will put ``calendar`` in force in this process and return the one it replaces (tests, restores)."""
    return registry.put(calendar)
