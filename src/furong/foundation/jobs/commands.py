"""Declaring and deferring jobs."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job as QueuedJob
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.statements import first_row
from furong.foundation.events.values import from_json, to_json
from furong.foundation.jobs.errors import JobUnknownError
from furong.foundation.jobs.values import QUEUES, JobRun, Retry

__all__ = ["JOBS", "Job", "defer", "job", "purge", "run_again"]


class _Strategy(BaseRetryStrategy):
    """Ours in procrastinate's shape. A refusal is an answer, not a failure: it is not tried again."""

    def __init__(self, retry: Retry) -> None:
        self.retry = retry

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:
        failures = job.attempts + 1
        if isinstance(exception, Refusal) or failures >= self.retry.attempts:
            return None
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=self.retry.pause_seconds(failures)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A declared job. Call it by `defer`; calling it directly runs the function here and now."""

    name: str
    queue: str
    retry: Retry
    function: Callable[..., object]
    task: procrastinate.tasks.Task[Any, Any, Any]

    def __call__(self, **arguments: object) -> object:
        return self.function(**arguments)


JOBS: dict[str, Job] = {}

_KEEP_KEY = """
INSERT INTO jobs_deferred (key, job, job_id, deferred_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING 1
"""


def job(name: str, *, queue: str = "default", retry: Retry | None = None) -> Callable[[Callable[..., object]], Job]:
    """Declare a keyword-only function as the job ``name`` on ``queue``.

    Arguments travel as JSON and come back as the function's annotations say (UUID, datetime, enums, dataclasses). A
    parameter ``now`` that was not deferred gets the time of the run, a parameter ``run`` a `JobRun`. A raised
    `Refusal` ends the job as failed, any other exception is tried again after ``retry``'s pauses.
    """
    if queue not in QUEUES:
        raise JobUnknownError(f"The job {name!r} is on the queue {queue!r}, which nobody consumes.")
    policy = retry or Retry()

    def decorate(function: Callable[..., object]) -> Job:
        known = JOBS.get(name)
        if known is not None and known.function.__qualname__ != function.__qualname__:
            raise JobUnknownError(f"Two jobs are called {name!r}.")
        parameters = inspect.signature(function).parameters
        if any(p.kind is not inspect.Parameter.KEYWORD_ONLY for p in parameters.values()):
            raise TypeError(f"{name}: a job takes keywords only.")

        def run(context: JobContext, /, **arguments: Any) -> None:
            hints = typing.get_type_hints(function)
            now = datetime.now(UTC)
            values = {key: from_json(hints.get(key, Any), value) for key, value in arguments.items()}
            if "now" in parameters and "now" not in values:
                values["now"] = now
            if "run" in parameters and "run" not in values:
                attempt = context.job.attempts + 1
                values["run"] = JobRun(
                    id=context.job.id or 0, attempt=attempt, now=now, last_attempt=attempt >= policy.attempts
                )
            function(**values)

        task = app.task(name=name, queue=queue, retry=_Strategy(policy), pass_context=True)(run)
        declared = Job(name=name, queue=queue, retry=policy, function=function, task=task)
        JOBS[name] = declared
        return declared

    return decorate


def defer(
    job: Job | str,
    *,
    key: str | None = None,
    run_at: datetime | None = None,
    lock: str | None = None,
    priority: int = 0,
    **arguments: object,
) -> int | None:
    """Queue a job in the transaction that is open on the platform's database; a rollback takes it back.

    ``key`` makes it once for ever: a second deferral under the same key does nothing and gives None. ``run_at`` is
    the earliest time. Jobs with the same ``lock`` run one after the other, in order. Gives the job's number.
    Raises `JobUnknownError` for an unknown name.
    """
    name = job if isinstance(job, str) else job.name
    declared = JOBS.get(name)
    if declared is None:
        raise JobUnknownError(f"No job is called {name!r}.")
    plain = {k: to_json(v) for k, v in arguments.items()}
    with transaction.atomic(savepoint=False):
        job_id = app.configure_task(name, queue=declared.queue, lock=lock, priority=priority, schedule_at=run_at).defer(
            **plain
        )
        if key is not None and first_row(_KEEP_KEY, [key, name, job_id, datetime.now(UTC)]) is None:
            # Nobody has seen the job yet: what was deferred under the key before is the one.
            first_row("DELETE FROM procrastinate_jobs WHERE id = %s", [job_id])
            return None
    return job_id


def run_again(*, job_id: int, now: datetime) -> bool:
    """Queue a failed job once more, after its cause was mended; say whether it was one that had failed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM procrastinate_jobs WHERE id = %s AND status = 'failed' FOR UPDATE", [job_id])
        if cursor.fetchone() is None:
            return False
        app.job_manager.retry_job_by_id(job_id=job_id, retry_at=now)
    return True


def purge(*, now: datetime, keep: timedelta = timedelta(days=30), limit: int = 10_000) -> int:
    """Delete up to ``limit`` jobs that ended well longer than ``keep`` ago; failed ones stay. Give how many.

    Keys stay 13 times as long, so that a repeat within a year is still known.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM procrastinate_jobs WHERE id IN (
                SELECT j.id FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id
                WHERE j.status IN ('succeeded', 'cancelled', 'aborted') GROUP BY j.id HAVING max(e.at) < %s LIMIT %s
            )
            """,
            [now - keep, limit],
        )
        deleted = int(cursor.rowcount)
        cursor.execute("DELETE FROM jobs_deferred WHERE deferred_at < %s", [now - 13 * keep])
    return deleted
