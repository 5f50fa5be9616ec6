"""Jobs and loops of this room: service tasks as they come, and what is due."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.domains.processes import administering, commands, measuring
from furong.foundation.jobs.commands import defer, job
from furong.foundation.jobs.values import Retry


@job("processes.run_job", queue="default", retry=Retry(attempts=3))
def run_job(*, job_id: UUID, now: datetime) -> None:
    """Do the work of one service or send task. Its own retries are rows of this room, so that an administrator sees them."""
    commands.run_job(job_id=job_id, now=now)


def defer_job(job_id: UUID) -> None:
    """Bring a job to a worker once the transaction that made it has committed; wiring registers it by `ports.defer_jobs`."""
    defer(run_job, job_id=job_id)


def run_due(*, now: datetime, limit: int = 100) -> bool:
    """Fire due timers and run due jobs; True when there may be more at once. The worker's loop calls it every second."""
    fired = commands.run_due_timers(now=now, limit=limit)
    taken = commands.run_due_jobs(now=now, limit=limit)
    return max(fired, taken) >= limit


def measure(*, now: datetime) -> bool:
    """Measure what processes did, for heat maps; True when more days wait. The worker's loop calls it every ten seconds."""
    return measuring.measure(now=now)


def tidy(*, now: datetime) -> None:
    """Throw away the keys of requests that nobody repeats any more."""
    administering.forget_requests(now=now)
