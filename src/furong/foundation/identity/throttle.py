"""Counting failures, by account and by network address, so that guessing costs time.

Keys are HMACs: no name and no address is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from datetime import datetime

from django.conf import settings
from django.db import connection

from furong.foundation.identity.errors import TooManyAttempts
from furong.foundation.identity.values import LIMITS

_CHECK = "SELECT max(blocked_until) FROM identity_throttle WHERE key = ANY(%s) AND blocked_until > %s"

# A window that has passed starts anew. From the limit on each further try blocks the next ones: after a block there is one try.
# A blocked row is not touched: then nothing is returned, and of many tries at once only those up to the limit get through.
_COUNT = """
INSERT INTO identity_throttle AS t (key, failures, window_started_at, blocked_until)
VALUES (%(key)s, 1, %(now)s, CASE WHEN %(limit)s <= 1 THEN %(block)s::timestamptz END)
ON CONFLICT (key) DO UPDATE SET
    failures = CASE WHEN t.window_started_at < %(window)s THEN 1 ELSE t.failures + 1 END,
    window_started_at = CASE WHEN t.window_started_at < %(window)s THEN %(now)s ELSE t.window_started_at END,
    blocked_until = CASE WHEN t.window_started_at >= %(window)s AND t.failures + 1 >= %(limit)s THEN %(block)s::timestamptz END
WHERE t.blocked_until IS NULL OR t.blocked_until <= %(now)s
RETURNING 1
"""


def _key(kind: str, what: str) -> str:
    secret = hashlib.sha256(f"furong.throttle.{settings.SECRET_KEY}".encode()).digest()
    return f"{kind}:{hmac.new(secret, what.encode(), hashlib.sha256).hexdigest()[:32]}"


def check(*, now: datetime, **keys: str) -> None:
    """Raise ``TooManyAttempts`` while one of ``keys`` is blocked. One read.

    Keys are written ``sign_in_account="…"`` for the limit ``sign_in.account``; empty ones are not counted.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHECK, [[_key(kind, what) for kind, what in _kinds(keys)], now])
        blocked: datetime | None = cursor.fetchone()[0]
    if blocked is not None:
        raise _too_many(blocked, now)


def count(*, now: datetime, **keys: str) -> None:
    """Count a try for each of ``keys`` before it is made; `forgive` takes it back when it succeeds.

    Counting first leaves no room for many tries at once. It commits by itself, outside of any transaction that a refusal rolls
    back. Raises ``TooManyAttempts`` while one of the keys is blocked.
    """
    check(now=now, **keys)
    with connection.cursor() as cursor:
        for kind, what in _kinds(keys):
            limit = LIMITS[kind]
            cursor.execute(
                _COUNT,
                {
                    "key": _key(kind, what),
                    "now": now,
                    "limit": limit.failures,
                    "window": now - limit.window,
                    "block": now + limit.block,
                },
            )
            if cursor.fetchone() is None:  # blocked since the check above, by tries at the same time
                raise _too_many(now + limit.block, now)


def forgive(**keys: str) -> None:
    """Forget all failures of ``keys``: the right password was given."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM identity_throttle WHERE key = ANY(%s)", [[_key(kind, what) for kind, what in _kinds(keys)]]
        )


def take_back(**keys: str) -> None:
    """Take back the one try of each of ``keys`` that turned out well; earlier failures stay counted."""
    with connection.cursor() as cursor:
        for kind, what in _kinds(keys):
            cursor.execute(
                "UPDATE identity_throttle SET failures = greatest(failures - 1, 0), "
                "blocked_until = CASE WHEN failures - 1 < %s THEN NULL ELSE blocked_until END WHERE key = %s",
                [LIMITS[kind].failures, _key(kind, what)],
            )


def sweep(*, now: datetime) -> int:
    """Delete counts older than two days and return how many. For the daily job."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM identity_throttle WHERE window_started_at < %s - interval '2 days' "
            "AND (blocked_until IS NULL OR blocked_until < %s)",
            [now, now],
        )
        return int(cursor.rowcount)


def _kinds(keys: dict[str, str]) -> list[tuple[str, str]]:
    return [(".".join(name.rsplit("_", 1)), what) for name, what in keys.items() if what]


def _too_many(blocked: datetime, now: datetime) -> TooManyAttempts:
    return TooManyAttempts(minutes=max(1, math.ceil((blocked - now).total_seconds() / 60)))
