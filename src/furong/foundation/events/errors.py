"""Faults of delivery."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault


class EventUnknownError(Fault):
    """An event's name is registered nowhere, or twice."""

    code = "events.unknown"


class SubscriptionError(Fault):
    """Two handlers of one event carry the same name."""

    code = "events.subscription"
