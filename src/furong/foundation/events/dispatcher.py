"""Delivery, at least once to each handler and handled once.

A batch is claimed with SKIP LOCKED on a connection of its own; each event is handled in transactions of the handlers' databases,
where the inbox's mark commits with the handler's effect. Whatever dies in between, the next claim finds the event again, and the
inbox hides what was done.
"""

from __future__ import annotations

import json
import logging
import select
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import Error as DatabaseFailure
from django.db import connections, transaction

from furong.foundation.events.commands import CHANNEL, Subscription, subscriptions
from furong.foundation.events.connections import connect
from furong.foundation.events.values import (
    EVENTS,
    MAX_ATTEMPTS,
    Delivery,
    describe_error,
    from_json,
    retry_after,
)

logger = logging.getLogger("furong.events")

BATCH = 50
RETRIES_SECONDS = 5.0  # how often a quiet database among many is asked for what is due again
AWAY_SECONDS = 10.0

_CLAIM = """
SELECT id, name, payload, occurred_at FROM events_outbox WHERE dispatched_at IS NULL
ORDER BY seq LIMIT %s FOR UPDATE SKIP LOCKED
"""

_CLAIM_FAILED = """
SELECT f.event_id, o.name, o.payload, o.occurred_at, f.handler, f.attempts
FROM events_failed f JOIN events_outbox o ON o.id = f.event_id
WHERE f.dead_at IS NULL AND f.next_at <= %s
ORDER BY f.next_at LIMIT %s FOR UPDATE OF f SKIP LOCKED
"""

_FAIL = """
INSERT INTO events_failed (event_id, handler, attempts, next_at, last_error, dead_at)
VALUES (%(event)s, %(handler)s, %(attempts)s, %(next)s, %(error)s, %(dead)s)
ON CONFLICT (event_id, handler) DO UPDATE SET attempts = excluded.attempts, next_at = excluded.next_at,
    last_error = excluded.last_error, dead_at = excluded.dead_at
"""

_MARK = """
INSERT INTO events_inbox (source, event_id, handler, handled_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class _Event:
    id: UUID
    name: str
    payload: Any
    occurred_at: datetime


class DatabaseGoneError(Exception):
    """The handler's database went away: not the handler's fault, so it costs no attempt."""


def dispatch_once(database: str = "default", limit: int = BATCH, *, now: datetime | None = None) -> int:
    """Deliver up to ``limit`` new events and as many due retries of the outbox in ``database``; give how many were taken.

    Any number of processes may do so at once. ``now`` is for tests. Raises `DatabaseGoneError` or psycopg's
    OperationalError when a database is away; nothing is lost then.
    """
    with connect(database) as claims:
        return _dispatch(claims, database, limit, now)


def _dispatch(claims: psycopg.Connection[Any], source: str, limit: int, now: datetime | None) -> int:
    with claims.transaction():
        at = now or datetime.now(UTC)
        batch = [_event(row) for row in claims.execute(_CLAIM, [limit]).fetchall()]
        for event in batch:
            for handler, error in _deliver(event, subscriptions(event.name), source, attempt=1, now=at):
                _keep_failure(claims, event, handler, error, attempts=1, now=at)
        if batch:
            claims.execute(
                "UPDATE events_outbox SET dispatched_at = %s WHERE id = ANY(%s)", [at, [e.id for e in batch]]
            )
    with claims.transaction():
        at = now or datetime.now(UTC)
        retries = claims.execute(_CLAIM_FAILED, [at, limit]).fetchall()
        for *columns, handler, attempts in retries:
            event = _event(columns)
            known = [one for one in subscriptions(event.name) if one.name == handler]
            if not known:
                # This process does not know the handler (an older or newer one does): leave it for a while.
                _keep_failure(claims, event, handler, "no such handler here", attempts=attempts, now=at)
                continue
            failures = _deliver(event, known, source, attempt=attempts + 1, now=at)
            if failures:
                _keep_failure(claims, event, handler, failures[0][1], attempts=attempts + 1, now=at)
            else:
                claims.execute("DELETE FROM events_failed WHERE event_id = %s AND handler = %s", [event.id, handler])
    return len(batch) + len(retries)


def _event(row: Sequence[Any]) -> _Event:
    payload = row[2]
    return _Event(row[0], row[1], json.loads(payload) if isinstance(payload, str) else payload, row[3])


def _deliver(
    event: _Event, handlers: Iterable[Subscription], source: str, *, attempt: int, now: datetime
) -> list[tuple[str, str]]:
    """Hand an event to handlers, those of one database in one transaction; give the names and errors of those that
    failed.
    """
    wanted = list(handlers)
    if not wanted:
        return []
    kind = EVENTS.get(event.name)
    if kind is None:
        return [(one.name, f"no event is called {event.name}") for one in wanted]
    try:
        fact = from_json(kind, event.payload)
    except (TypeError, ValueError, KeyError) as exc:
        return [(one.name, f"the payload is not a {event.name}: {type(exc).__name__}") for one in wanted]
    delivery = Delivery(
        event_id=event.id, name=event.name, source=source, occurred_at=event.occurred_at, attempt=attempt, now=now
    )
    failures: list[tuple[str, str]] = []
    for database in dict.fromkeys(one.database for one in wanted):
        here = [one for one in wanted if one.database == database]
        failures += _handle_in(database, here, fact, delivery)
    return failures


def _handle_in(
    database: str, handlers: Sequence[Subscription], fact: object, delivery: Delivery
) -> list[tuple[str, str]]:
    failures: list[tuple[str, str]] = []
    connection = connections[database]
    try:
        connection.close_if_unusable_or_obsolete()
        with transaction.atomic(using=database):
            for one in handlers:
                try:
                    with transaction.atomic(using=database):
                        if _mark(database, one.name, delivery):
                            one.handler(fact, delivery)
                except Exception as exc:
                    if _is_gone(database):
                        raise DatabaseGoneError(database) from exc
                    logger.warning(
                        "event delivery failed",
                        extra={
                            "event": delivery.name,
                            "event_id": str(delivery.event_id),
                            "handler": one.name,
                            "attempt": delivery.attempt,
                            "error": type(exc).__name__,
                        },
                    )
                    failures.append((one.name, describe_error(exc)))
    except DatabaseFailure as exc:
        if _is_gone(database):
            connection.close()
            raise DatabaseGoneError(database) from exc
        # The commit itself failed (a deferred constraint): nothing of this transaction holds.
        failed = {name for name, _ in failures}
        failures += [(one.name, describe_error(exc)) for one in handlers if one.name not in failed]
    return failures


def _mark(database: str, handler: str, delivery: Delivery) -> bool:
    """Write the inbox's mark; say whether it is new."""
    with connections[database].cursor() as cursor:
        cursor.execute(_MARK, [delivery.source, delivery.event_id, handler, delivery.now])
        return bool(cursor.rowcount)


def _is_gone(database: str) -> bool:
    connection = connections[database]
    raw = connection.connection
    return raw is None or raw.closed or raw.broken


def _keep_failure(
    claims: psycopg.Connection[Any], event: _Event, handler: str, error: str, *, attempts: int, now: datetime
) -> None:
    dead = attempts >= MAX_ATTEMPTS
    if dead:
        logger.error(
            "event delivery given up",
            extra={"event": event.name, "event_id": str(event.id), "handler": handler, "error": error},
        )
    claims.execute(
        _FAIL,
        {
            "event": event.id,
            "handler": handler,
            "attempts": attempts,
            "next": now + retry_after(attempts),
            "error": error,
            "dead": now if dead else None,
        },
    )


def run(database: str, stop: threading.Event, *, idle_seconds: float = 1.0) -> None:
    """Deliver the events of ``database`` until ``stop`` is set: woken by NOTIFY, or after ``idle_seconds`` for due retries.

    Raises when a database goes away; `jobs.loops` starts it again after a pause.
    """
    with connect(database) as claims, connect(database) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        while not stop.is_set():
            while _dispatch(claims, database, BATCH, None) and not stop.is_set():
                pass
            if not stop.is_set():
                for _ in listener.notifies(timeout=idle_seconds, stop_after=1):
                    pass


def run_many(databases: Sequence[str], stop: threading.Event, *, idle_seconds: float = 1.0) -> None:
    """Deliver the events of many quiet databases in one thread until ``stop`` is set: woken by any one's NOTIFY.

    One that goes away is left alone for a while and holds up no other. For handlers that are quick.
    """
    held: dict[str, psycopg.Connection[Any]] = {}
    again: dict[str, float] = {}
    try:
        while not stop.is_set():
            ready = _wait(held, idle_seconds) if held else []
            if not held:
                stop.wait(idle_seconds)
            due = time.monotonic()
            for database in databases:
                if stop.is_set():
                    return
                if database not in ready and due < again.get(database, 0.0):
                    continue
                try:
                    if database not in held:
                        held[database] = _open_listener(database)
                    while _dispatch(held[database], database, BATCH, None) and not stop.is_set():
                        pass
                    again[database] = time.monotonic() + RETRIES_SECONDS
                except (psycopg.OperationalError, DatabaseFailure, DatabaseGoneError) as error:
                    logger.warning("events wait", extra={"database": database, "error": type(error).__name__})
                    again[database] = time.monotonic() + AWAY_SECONDS
                    if (gone := held.pop(database, None)) is not None:
                        gone.close()
    finally:
        for connection in held.values():
            connection.close()


def _open_listener(database: str) -> psycopg.Connection[Any]:
    params = connections[database].get_connection_params()
    for name in ("cursor_factory", "context"):
        params.pop(name, None)
    connection = psycopg.connect(**params, autocommit=True)
    connection.execute(f"LISTEN {CHANNEL}")
    return connection


def _wait(held: dict[str, psycopg.Connection[Any]], seconds: float) -> list[str]:
    """Wait for news on any of the connections; give the databases that have some."""
    places = {connection.fileno(): database for database, connection in held.items() if not connection.closed}
    readable, _, _ = select.select(list(places), [], [], seconds)
    return [places[one] for one in readable] + [name for name, one in held.items() if one.closed]


def revive(*, database: str = "default", event_id: UUID | None = None, now: datetime) -> int:
    """Put dead letters (all, or those of one event) back for delivery with a fresh count; give how many."""
    with connections[database].cursor() as cursor:
        cursor.execute(
            """
            UPDATE events_failed SET dead_at = NULL, attempts = 0, next_at = %s
            WHERE dead_at IS NOT NULL AND (%s::uuid IS NULL OR event_id = %s::uuid)
            """,
            [now, event_id, event_id],
        )
        return int(cursor.rowcount)


def purge(*, database: str = "default", now: datetime, keep: timedelta = timedelta(days=7)) -> int:
    """Delete events delivered longer than ``keep`` ago that no failed delivery still needs, and marks four times as old."""
    with connections[database].cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM events_outbox o WHERE o.dispatched_at < %s
            AND NOT EXISTS (SELECT 1 FROM events_failed f WHERE f.event_id = o.id)
            """,
            [now - keep],
        )
        deleted = int(cursor.rowcount)
        cursor.execute("DELETE FROM events_inbox WHERE handled_at < %s", [now - 4 * keep])
    return deleted
