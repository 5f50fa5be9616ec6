"""The calendar in force, one a process, and where a newer one would come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from furong.foundation.calendar.loading import parse_calendar
from furong.foundation.calendar.values import Calendar

__all__ = ["CalendarData", "Source", "follow", "get", "put"]

LEASE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class CalendarData:
    """The released holiday file: its bytes, their digest, and the name that findings give it."""

    digest: str
    data: bytes
    file: str


# Given the digest in force, a source returns a newer release, or None when that is still the one.
Source = Callable[[str], "CalendarData | None"]


@dataclass(slots=True)
class _State:
    calendar: Calendar | None = None
    source: Source | None = None
    released: str = ""  # the digest that the source last gave
    look_again_at: float = 0.0


# One reference, replaced whole: readers need no lock and never see half a calendar.
_state = _State()


def get() -> Calendar | None:
    """This function will return the calendar in force, or None; it asks the source at most each half minute."""
    if _state.source is not None and monotonic() >= _state.look_again_at:
        _state.look_again_at = monotonic() + LEASE_SECONDS
        newer = _state.source(_state.released)
        if newer is not None:
            _state.released = newer.digest  # first, so that a release that is refused is refused once
            _state.calendar = parse_calendar(newer.data, file=newer.file)
    return _state.calendar


def put(calendar: Calendar | None) -> Calendar | None:
    """This function will put ``calendar`` in force and return the one it replaces."""
    before, _state.calendar = _state.calendar, calendar
    return before


def follow(source: Source | None) -> None:
    """This function will take calendars from ``source`` from now on; None stops that."""
    _state.source, _state.released, _state.look_again_at = source, "", 0.0
