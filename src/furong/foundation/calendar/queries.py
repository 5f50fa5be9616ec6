"""Reads of the calendar in force."""

from __future__ import annotations

from furong.foundation.calendar import registry
from furong.foundation.calendar.errors import CalendarNotLoadedError
from furong.foundation.calendar.values import Calendar

__all__ = ["current", "is_loaded"]


def current() -> Calendar:
    """Return the calendar in force. Raises ``CalendarNotLoadedError`` when none is loaded."""
    calendar = registry.get()
    if calendar is None:
        raise CalendarNotLoadedError
    return calendar


def is_loaded() -> bool:
    """Tell whether a calendar is in force in this process."""
    return registry.get() is not None
