"""How the queues stand."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def count_jobs() -> dict[tuple[str, str], int]:
    """Give the number of jobs by queue and status (todo, doing, succeeded, failed, cancelled, aborted)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT queue_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2")
        return {(queue, status): count for queue, status, count in cursor.fetchall()}


def count_open() -> int:
    """Give how many jobs wait or run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def find_job(*, key: str) -> tuple[int, str] | None:
    """Give the number and status of the job deferred under ``key``, or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.job_id, coalesce(j.status::text, 'removed') FROM jobs_deferred d
            LEFT JOIN procrastinate_jobs j ON j.id = d.job_id WHERE d.key = %s
            """,
            [key],
        )
        row = cursor.fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def oldest_waiting_at() -> datetime | None:
    """Give since when the longest waiting job that is due waits, or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(e.at) FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'
            WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= clock_timestamp())
            """
        )
        row = cursor.fetchone()
    return row[0] if row else None


def list_failed(*, limit: int = 100) -> list[tuple[int, str, int]]:
    """Give number, name and attempts of jobs that failed for good, newest first. Their arguments are not told."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, task_name, attempts FROM procrastinate_jobs WHERE status = 'failed' ORDER BY id DESC LIMIT %s",
            [limit],
        )
        return [(int(r[0]), str(r[1]), int(r[2])) for r in cursor.fetchall()]
