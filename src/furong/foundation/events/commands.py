"""Publishing and subscribing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import first_row
from furong.foundation.events.errors import SubscriptionError
from furong.foundation.events.values import Delivery, event, name_of, to_json

__all__ = ["CHANNEL", "Subscription", "event", "publish", "subscribe", "subscriptions", "wake"]

CHANNEL = "furong_events"

Handler = Callable[[Any, Delivery], None]

_PUBLISH = """
WITH written AS (
    INSERT INTO events_outbox (id, name, payload, occurred_at) VALUES (%s, %s, %s::jsonb, %s) RETURNING id
)
SELECT pg_notify(%s, '') FROM written
"""
# A transaction that will be prepared may not notify.
_PUBLISH_QUIETLY = _PUBLISH.replace("pg_notify(%s, '')", "%s")


def publish(event: object, *, database: str = "default", now: datetime, wake: bool = True) -> UUID:
    """Write ``event`` to the outbox of ``database`` in the transaction that is open there, and give its id.

    It is delivered after the commit, and not at all after a rollback. Wakes the dispatcher by NOTIFY; one who will prepare the
    transaction (``PREPARE TRANSACTION``) says ``wake=False`` and calls `wake` after its commit.
    """
    event_id = new_id()
    statement = _PUBLISH if wake else _PUBLISH_QUIETLY
    first_row(statement, [event_id, name_of(type(event)), json.dumps(to_json(event)), now, CHANNEL], database=database)
    return event_id


def wake(*, database: str) -> None:
    """Wake the dispatcher of ``database``, which looks by itself too, but later."""
    first_row("SELECT pg_notify(%s, '')", [CHANNEL], database=database)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A handler, its stable name (the inbox knows it by that), and the database of its effects."""

    event: str
    name: str
    handler: Handler
    database: str


_SUBSCRIPTIONS: dict[str, dict[str, Subscription]] = {}


def subscribe(event: type | str, handler: Handler, *, name: str, database: str = "default") -> None:
    """Have ``handler(event, delivery)`` called once for every event, in a transaction on ``database``.

    ``name`` is stable (``portal.notify_decided``): under a new name the handler would count as new. Called again with
    the same handler it changes nothing. Effects outside ``database`` must be repeatable: key them by
    ``delivery.event_id``.
    Raises `SubscriptionError` when the name is taken by another handler.
    """
    event_name = event if isinstance(event, str) else name_of(event)
    subscription = Subscription(event=event_name, name=name, handler=handler, database=database)
    known = _SUBSCRIPTIONS.setdefault(event_name, {}).setdefault(name, subscription)
    if (known.handler, known.database) != (handler, database):
        raise SubscriptionError(f"Two handlers of {event_name!r} are called {name!r}.")


def unsubscribe(event: type | str, *, name: str) -> None:
    """Take a subscription away: for tests and for handlers that a pack switches off."""
    event_name = event if isinstance(event, str) else name_of(event)
    _SUBSCRIPTIONS.get(event_name, {}).pop(name, None)


def subscriptions(event: str) -> tuple[Subscription, ...]:
    """Give the handlers of an event, in the order of their subscription."""
    return tuple(_SUBSCRIPTIONS.get(event, {}).values())
