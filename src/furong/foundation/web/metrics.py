"""Counts and times for Prometheus. Labels are route names and codes, never anything about a person."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY

from furong.foundation.audit import queries as audit
from furong.foundation.events import queries as outbox
from furong.foundation.jobs import queries as jobs

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_requests = Counter("furong_requests", "Requests answered.", ("method", "route", "status"))
_seconds = Histogram(
    "furong_request_seconds",
    "Time from the first byte read to the answer built.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def observe(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request. An unknown method or route gets one shared label, so that strangers cannot grow the table."""
    route = route or "none"
    _requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
    _seconds.labels(route).observe(seconds)


class _Platform:
    """What waits in the databases, counted when asked: the seal, events, jobs. Nothing of it when a database is away."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the gauges."""
        try:
            unsealed = GaugeMetricFamily(
                "furong_audit_unsealed", "Audit entries not under a signed head.", labels=["database"]
            )
            events = GaugeMetricFamily("furong_events", "Events by what they wait for.", labels=["database", "state"])
            for name in settings.OWN_DATABASES:
                unsealed.add_metric([name], audit.count_unsealed(database=name))
                events.add_metric([name, "waiting"], outbox.count_waiting(database=name))
                events.add_metric([name, "retrying"], outbox.count_retrying(database=name))
                events.add_metric([name, "dead"], outbox.count_dead(database=name))
            queue = GaugeMetricFamily("furong_jobs", "Jobs by queue and state.", labels=["queue", "state"])
            for (name, state), count in jobs.count_jobs().items():
                queue.add_metric([name, state], count)
        except DatabaseError:
            return
        yield from (unsealed, events, queue)


class Collects(Protocol):
    """A room's figures, counted when they are asked for."""

    def collect(self) -> Iterable[GaugeMetricFamily]: ...


_of_rooms: list[Collects] = []


def add_figures(figures: Collects) -> None:
    """Add a room's figures to the exposition; the same kind a second time changes nothing."""
    if not any(type(one) is type(figures) for one in _of_rooms):
        _of_rooms.append(figures)


def exposition() -> bytes:
    """Give all figures of this machine's web processes, and what waits in the databases, in Prometheus' text format."""
    platform = CollectorRegistry()
    for figures in (_Platform(), *_of_rooms):
        platform.register(figures)
    return _of_processes() + generate_latest(platform)


def _of_processes() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY)
