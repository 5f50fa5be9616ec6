"""Counting the use of grants: when each was last used, how often on a day, and what is left of its quota.

A process counts in memory and writes at most every few seconds; the audit has each single reading. A quota is reserved in blocks,
committed before they are used, so that all processes together never exceed it; one that is killed loses what it had reserved.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, connections
from django.utils import timezone

from furong.foundation.access.recording import apart
from furong.foundation.access.terms import CompiledGrant
from furong.foundation.codes.statements import first_row

FLUSH_SECONDS = 5.0
_MOST_BLOCK = 100

_COUNT = """
INSERT INTO access_grant_use (grant_id, day, calls, last_at)
SELECT * FROM unnest(%s::uuid[], %s::date[], %s::bigint[], %s::timestamptz[]) AS g(grant_id, day, calls, last_at)
ORDER BY grant_id, day
ON CONFLICT (grant_id, day) DO UPDATE SET
    calls = access_grant_use.calls + excluded.calls, last_at = greatest(access_grant_use.last_at, excluded.last_at)
"""
_RESERVE = """
INSERT INTO access_grant_use AS u (grant_id, day, calls, last_at) VALUES (%(grant)s, %(day)s, %(block)s, %(now)s)
ON CONFLICT (grant_id, day) DO UPDATE SET calls = u.calls + excluded.calls, last_at = greatest(u.last_at, excluded.last_at)
    WHERE u.calls + excluded.calls <= %(quota)s
RETURNING calls
"""

_lock = threading.Lock()
_pending: dict[tuple[str, UUID, date], list[object]] = {}
_blocks: dict[tuple[str, UUID, date], list[int]] = {}  # left in this process's block, and in the quota beyond it
_seen: set[tuple[str, UUID, date]] = set()
_flushed_at = [0.0]


def use(grant: CompiledGrant, *, now: datetime) -> int | None:
    """Count a reading under ``grant``; give what is left of today's quota after it, None without one, -1 when it was spent."""
    key = (str(connection.settings_dict["NAME"]), grant.id, timezone.localdate(now))
    if grant.daily_quota is not None:
        return _take(grant, key, now)
    with _lock:
        counted = _pending.get(key)
        if counted is None:
            _pending[key] = [1, now]
        else:
            counted[0] = int(counted[0]) + 1  # type: ignore[call-overload]
            counted[1] = now
        first = key not in _seen
        if first:
            if len(_seen) > 100_000:
                _seen.clear()
            _seen.add(key)
    if first or time.monotonic() - _flushed_at[0] > FLUSH_SECONDS:
        flush(when_free=True)
    return None


def _take(grant: CompiledGrant, key: tuple[str, UUID, date], now: datetime) -> int:
    quota = grant.daily_quota or 0
    with _lock:
        block = _blocks.get(key)
        if block is None or block[0] <= 0:
            if len(_blocks) > 100_000:
                _blocks.clear()
            block = _blocks[key] = _reserve(grant.id, key[2], quota, now)
        if block[0] <= 0:
            return -1
        block[0] -= 1
        return block[0] + block[1]


def _reserve(grant_id: UUID, day: date, quota: int, now: datetime) -> list[int]:
    """Reserve a block, or what is left one by one: how many, and how many are left beyond them."""
    for size in sorted({max(1, min(_MOST_BLOCK, quota // 20)), 1}, reverse=True):
        if size > quota:
            continue
        row = apart(_RESERVE, {"grant": grant_id, "day": day, "block": size, "quota": quota, "now": now})
        if row:
            return [size, max(0, quota - int(str(row[0])))]
    return [0, 0]


def flush(*, when_free: bool = False) -> None:
    """Write what was counted of the database at hand. ``when_free``: not inside a transaction, which might be rolled back."""
    if when_free and connection.in_atomic_block:
        return
    name = str(connection.settings_dict["NAME"])
    with _lock:
        mine = {key: _pending.pop(key) for key in [key for key in _pending if key[0] == name]}
        _flushed_at[0] = time.monotonic()
    if not mine:
        return
    rows = [(key[1], key[2], *counted) for key, counted in mine.items()]
    first_row(_COUNT, [list(column) for column in zip(*rows, strict=True)])


@atexit.register
def _at_exit() -> None:
    if _pending:
        # A process that goes down loses a few seconds' counts at most; the audit has the readings.
        with suppress(Exception):
            flush()
        with contextlib.suppress(Exception):
            connections.close_all()


def count(*, grant_id: UUID, day: date, calls: int, last_at: datetime) -> None:
    """Count readings under a grant that passed outside the platform's processes, as the exchange's gateways report them."""
    first_row(_COUNT, [[grant_id], [day], [calls], [last_at]])


def forget() -> None:
    """Forget what was counted and reserved (tests)."""
    with _lock:
        _pending.clear()
        _blocks.clear()
        _seen.clear()


def last_used(*, grant_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Give when each grant was last used; those never used are left out."""
    flush(when_free=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT grant_id, max(last_at) FROM access_grant_use WHERE grant_id = ANY(%s) GROUP BY grant_id",
            [list(grant_ids)],
        )
        return dict(cursor.fetchall())


def uses_by_day(*, grant_id: UUID, until: date, days: int = 30) -> dict[date, int]:
    """Give how often a grant was used on each of the last ``days`` days up to and with ``until``; days without use are left
    out.
    """
    flush(when_free=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day, calls FROM access_grant_use WHERE grant_id = %s AND day > %s AND day <= %s ORDER BY day",
            [grant_id, until - timedelta(days=days), until],
        )
        return dict(cursor.fetchall())


def used_since(*, grant_ids: Sequence[UUID], since: date) -> set[UUID]:
    """Give those of the grants that were used on the local day ``since`` or later."""
    flush(when_free=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT grant_id FROM access_grant_use WHERE grant_id = ANY(%s) AND day >= %s",
            [list(grant_ids), since],
        )
        return {row[0] for row in cursor.fetchall()}


def calls_on(*, day: date) -> dict[UUID, int]:
    """Give how often each grant was used on a local day; grants without use are left out."""
    flush(when_free=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT grant_id, calls FROM access_grant_use WHERE day = %s", [day])
        return dict(cursor.fetchall())
