"""Queues, retries, and what a job is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# Every queue is consumed by `furong worker`; a job on any other is refused when it is declared.
QUEUES: tuple[str, ...] = ("default", "registers", "documents", "notices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and after what pause a failed job runs again: the pause doubles up to ``longest_seconds``."""

    attempts: int = 12
    first_seconds: float = 1
    factor: float = 2
    longest_seconds: float = 300

    def pause_seconds(self, failures: int) -> float:
        """Give the pause after the ``failures``-th failure (from 1)."""
        return float(min(self.longest_seconds, self.first_seconds * self.factor ** min(failures - 1, 30)))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """What a job is told of its run when it asks by a parameter ``run``."""

    id: int
    attempt: int  # from 1
    now: datetime
    last_attempt: bool
