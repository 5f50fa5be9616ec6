"""Counts and times for Prometheus. Labels are route names and codes, never anything about a person."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.registry import REGISTRY

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


def exposition() -> bytes:
    """Give all figures of this machine's web processes in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY)
