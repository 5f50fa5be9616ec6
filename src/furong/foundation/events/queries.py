"""What waits, what failed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connections

from furong.foundation.events.values import DeadLetter


def count_waiting(*, database: str = "default") -> int:
    """Give how many events of ``database`` are not dispatched yet."""
    return _count("SELECT count(*) FROM events_outbox WHERE dispatched_at IS NULL", database)


def count_retrying(*, database: str = "default") -> int:
    """Give how many deliveries failed and will be tried again."""
    return _count("SELECT count(*) FROM events_failed WHERE dead_at IS NULL", database)


def count_dead(*, database: str = "default") -> int:
    """Give how many deliveries were given up."""
    return _count("SELECT count(*) FROM events_failed WHERE dead_at IS NOT NULL", database)


def list_dead(*, database: str = "default", limit: int = 100) -> Sequence[DeadLetter]:
    """Give the deliveries given up, newest first."""
    with connections[database].cursor() as cursor:
        cursor.execute(
            """
            SELECT f.event_id, o.name, f.handler, f.attempts, f.last_error, f.dead_at
            FROM events_failed f JOIN events_outbox o ON o.id = f.event_id
            WHERE f.dead_at IS NOT NULL ORDER BY f.dead_at DESC LIMIT %s
            """,
            [limit],
        )
        return [
            DeadLetter(event_id=r[0], name=r[1], handler=r[2], attempts=r[3], last_error=r[4], since=r[5])
            for r in cursor.fetchall()
        ]


def _count(sql: str, database: str) -> int:
    with connections[database].cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return int(row[0]) if row else 0
