"""How old the copies of this node are."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from furong.foundation.codes.leases import Leased
from furong.foundation.codes.statements import first_row
from furong.foundation.replicas.errors import CopyTooOld
from furong.foundation.replicas.joining import statements
from furong.foundation.replicas.values import CopyState, Grade, grade_of

_heard: Leased[datetime | None] = Leased(seconds=1.0)


def is_counter() -> bool:
    """Say whether this process serves a city's counter from the centre's own node."""
    return bool(settings.CENTRE)


def copy_state(*, now: datetime) -> CopyState:
    """Return as of when this node's copies are whole, and how that stands; at most a second old."""
    at = _heard.get("", _read)
    return CopyState(at, grade_of(at, now=now, most=timedelta(hours=settings.CENTRE_MOST_HOURS)))


def require_fresh(*, now: datetime) -> None:
    """Refuse work at a node whose copies are older than the operator allows. Raises `CopyTooOld`."""
    if is_counter() and copy_state(now=now).grade is Grade.OVER:
        raise CopyTooOld


def forget() -> None:
    """Forget what was read (tests)."""
    _heard.forget()


def _read() -> datetime | None:
    row = first_row(statements()["heard"], [])
    return None if row is None else row[0]
