"""The calendar in force, one a process, and where a newer one would come from."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from furong.foundation.calendar.errors import CalendarRefused
from furong.foundation.calendar.loading import parse_calendar
from furong.foundation.calendar.values import Calendar

__all__ = ["CalendarData", "Source", "follow", "get", "put"]

LEASE_SECONDS = 30.0
_log = logging.getLogger(__name__)


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


# Held while a process reads its first calendar, so that nobody meanwhile goes on without one and takes UTC's day for the local.
_first = Lock()


def get() -> Calendar | None:
    """Return the calendar in force, or None; it asks the source at most each half minute.

    Whoever asks while the first calendar is being read waits for it; when that fails, the next caller tries again.
    """
    if _state.source is not None and monotonic() >= _state.look_again_at:
        if _state.calendar is not None:
            _look()
        else:
            with _first:
                if monotonic() >= _state.look_again_at:
                    _look()
    return _state.calendar


def _look() -> None:
    first, source = _state.calendar is None, _state.source
    if source is None:
        return
    if not first:
        _state.look_again_at = monotonic() + LEASE_SECONDS  # the others go on with the one that they have
    try:
        newer = source(_state.released)
        if newer is not None:
            _state.released = newer.digest  # first, so that a release that is refused is refused once
            _state.calendar = parse_calendar(newer.data, file=newer.file)
    except CalendarRefused:
        _state.look_again_at = monotonic() + LEASE_SECONDS
        raise
    except Exception as exc:
        if not first:  # the database is away: the calendar in force stays
            _log.warning("calendar: no newer release could be looked for: %s", type(exc).__name__)
            return
        raise
    if _state.calendar is not None:  # until a first one is released, whoever asks looks
        _state.look_again_at = monotonic() + LEASE_SECONDS


def put(calendar: Calendar | None) -> Calendar | None:
    """Put ``calendar`` in force and return the one it replaces; after None the source is asked anew."""
    before, _state.calendar = _state.calendar, calendar
    if calendar is None:
        _state.released, _state.look_again_at = "", 0.0
    return before


def follow(source: Source | None) -> None:
    """Take calendars from ``source`` from now on; None stops that."""
    _state.source, _state.released, _state.look_again_at = source, "", 0.0
