"""What passed through a gateway since the last report: counts by consumer, service and outcome, and how long they took."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

# Upper bounds in milliseconds; the last bucket has none.
BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_BUCKETS = len(BOUNDS_MS) + 1
# Whoever cannot sign has no name here, so members, services and codes bound the size.
Line = tuple[int, str, str, str, str]


class TrafficBook:
    """Counts by minute. `take` gives what was counted and begins anew."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[Line, list[int]] = {}

    def note(self, *, at: float, consumer: str, service: str, grant: str, outcome: str, seconds: float) -> None:
        """Count one message. ``at`` in Unix seconds; ``outcome`` is ok or the code of the refusal."""
        line = (int(at) // 60 * 60, consumer, service, grant, outcome)
        buckets = self._counts.get(line)
        if buckets is None:
            buckets = self._counts[line] = [0] * _BUCKETS
        buckets[bisect_left(BOUNDS_MS, seconds * 1000)] += 1

    def take(self) -> list[dict[str, Any]]:
        """Give everything counted, as a report carries it, and begin anew."""
        found, self._counts = self._counts, {}
        return [
            {
                "minute": minute,
                "consumer": consumer,
                "service": service,
                "grant": grant,
                "outcome": outcome,
                "buckets": b,
            }
            for (minute, consumer, service, grant, outcome), b in sorted(found.items())
        ]
