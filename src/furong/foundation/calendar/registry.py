"""The calendar in force, one a process."""

from __future__ import annotations

from furong.foundation.calendar.values import Calendar

__all__ = ["get", "put"]

# One reference, replaced whole: readers need no lock and never see half a calendar.
_in_force: list[Calendar | None] = [None]


def get() -> Calendar | None:
    """This function will return the calendar in force, or None."""
    return _in_force[0]


def put(calendar: Calendar | None) -> Calendar | None:
    """This function will put ``calendar`` in force and return the one it replaces."""
    before = _in_force[0]
    _in_force[0] = calendar
    return before
