"""How often somebody may ask: so many times a minute, so many times a day, for each query of their own.

The minute is a bucket in this process: it fills at an even rate and holds a minute's worth. The day is counted in the database,
in blocks that a process takes before it uses them, so that all processes together never exceed it; one that is killed loses what
it had taken. The platform's own work is not counted: whoever had it done was.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from furong.foundation.access.errors import TooManyAsked
from furong.foundation.access.recording import apart
from furong.foundation.access.values import Actor

_MOST_BLOCK = 1000
_MOST_KEPT = 100_000

_TAKE = """
INSERT INTO access_asked AS a (actor_id, what, day, times) VALUES (%(actor)s, %(what)s, %(day)s, %(block)s)
ON CONFLICT (actor_id, what, day) DO UPDATE SET times = a.times + excluded.times WHERE a.times + excluded.times <= %(most)s
RETURNING times
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often one account may ask one thing."""

    per_minute: int
    per_day: int

    def __post_init__(self) -> None:
        if not 0 < self.per_minute <= self.per_day:
            raise ValueError("A pace allows something a minute, and no less a day.")


@dataclass(slots=True)
class _Asked:
    """What one account asked of one thing, as this process counts it."""

    tokens: float
    at: datetime
    day: date
    day_ends_at: datetime
    left: int = 0  # of the block taken for the day
    lock: threading.Lock = field(default_factory=threading.Lock)


_asked: dict[tuple[UUID, str], _Asked] = {}


def keep_pace(*, actor: Actor, what: str, pace: Pace, now: datetime) -> None:
    """Count that ``actor`` asks ``what``, or refuse because they asked it too often.

    Raises ``TooManyAsked``, which says when it goes on. Costs microseconds; once in a block (a twentieth of the day's number, at
    most a thousand) one statement, committed whatever becomes of the transaction that is open.
    """
    who = actor.account_id or actor.post_id or actor.person_id
    if actor.is_system or who is None:
        return
    asked = _asked.get((who, what))
    if asked is None:
        if len(_asked) > _MOST_KEPT:
            _asked.clear()
        today = timezone.localdate(now)
        asked = _asked.setdefault((who, what), _Asked(float(pace.per_minute), now, today, _midnight_after(today)))
    with asked.lock:
        passed = max(0.0, (now - asked.at).total_seconds())
        tokens = min(float(pace.per_minute), asked.tokens + passed * pace.per_minute / 60)
        if tokens < 1:
            wait = timedelta(seconds=(1 - tokens) * 60 / pace.per_minute)
            raise TooManyAsked.within_a_minute(most=pace.per_minute, goes_on_at=now + wait)
        if now >= asked.day_ends_at:
            asked.day, asked.left = timezone.localdate(now), 0
            asked.day_ends_at = _midnight_after(asked.day)
        asked.at = max(asked.at, now)
        if asked.left <= 0:
            asked.left = _take(who, what, asked.day, pace.per_day)
        if asked.left <= 0:
            raise TooManyAsked.today(most=pace.per_day, goes_on_at=asked.day_ends_at)
        asked.tokens = tokens - 1
        asked.left -= 1


def _take(who: UUID, what: str, day: date, most: int) -> int:
    """Take a block of the day's number, or what is left one by one; give how many."""
    for block in sorted({max(1, min(_MOST_BLOCK, most // 20)), 1}, reverse=True):
        if apart(_TAKE, {"actor": who, "what": what, "day": day, "block": block, "most": most}):
            return block
    return 0


def _midnight_after(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min), timezone.get_default_timezone())


def sweep(*, now: datetime) -> int:
    """Delete the counts of days before yesterday and return how many. For the daily job."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM access_asked WHERE day < %s", [timezone.localdate(now) - timedelta(days=1)])
        return int(cursor.rowcount)


def forget() -> None:
    """Forget what this process counted (tests)."""
    _asked.clear()
