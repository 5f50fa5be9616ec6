"""Running jobs: one procrastinate worker over every queue, which looks after the jobs of killed workers too."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.db import connections
from procrastinate import App
from procrastinate.contrib.django import app

from furong.foundation.jobs.values import QUEUES

logger = logging.getLogger("furong.jobs")

CONCURRENCY = 8
HEARTBEAT_SECONDS = 2.0
STALLED_AFTER_SECONDS = 10.0
RESCUE_EVERY_SECONDS = 3.0
POLL_SECONDS = 1.0
STOP_WITHIN_SECONDS = 15.0
# With no job at work, what is left of a stop is to take leave of the database, which may be gone.
LEAVE_WITHIN_SECONDS = 2.0


def run(stop: threading.Event, *, concurrency: int = CONCURRENCY) -> None:
    """Run jobs of all `QUEUES` in this thread until ``stop`` is set; running jobs are given 15 s to end.

    Jobs run in threads, ``concurrency`` at a time, and are woken by NOTIFY. Raises when the database goes away;
    `loops` starts it again.
    """
    asyncio.run(_run(stop, concurrency=concurrency, wait=True))


def run_until_idle(*, concurrency: int = 1) -> None:
    """Run the jobs that are due now and return: for tests and the demo's check."""
    asyncio.run(_run(threading.Event(), concurrency=concurrency, wait=False))


class _Threads(ThreadPoolExecutor):
    """The threads that jobs run in, which know how many of them are at work or wait for a thread."""

    def __init__(self, count: int) -> None:
        super().__init__(count, thread_name_prefix="furong-job")
        self._given: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        self._given.add(future)
        future.add_done_callback(self._given.discard)
        return future

    @property
    def are_idle(self) -> bool:
        return not self._given


async def _run(stop: threading.Event, *, concurrency: int, wait: bool) -> None:
    threads = _Threads(concurrency)
    asyncio.get_running_loop().set_default_executor(threads)
    try:
        await _work(stop, threads=threads, concurrency=concurrency, wait=wait)
    finally:
        _close_connections(threads, concurrency)


def _close_connections(threads: ThreadPoolExecutor, count: int) -> None:
    """Have every thread of the pool close its database connections: each waits for the others, so that none does it twice."""
    together = threading.Barrier(count)

    def close() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):  # a job that did not end in time keeps its thread
            together.wait(2)
        connections.close_all()

    for closing in [threads.submit(close) for _ in range(count)]:
        with contextlib.suppress(TimeoutError):
            closing.result(5)


async def _work(stop: threading.Event, *, threads: _Threads, concurrency: int, wait: bool) -> None:
    async with _worker_app().open_async() as worker_app:
        working = asyncio.create_task(
            worker_app.run_worker_async(
                queues=list(QUEUES),
                concurrency=concurrency,
                wait=wait,
                fetch_job_polling_interval=POLL_SECONDS,
                listen_notify=wait,
                install_signal_handlers=False,
                shutdown_graceful_timeout=STOP_WITHIN_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_AFTER_SECONDS,
            )
        )
        rescuing = asyncio.create_task(_rescue_often(worker_app)) if wait else None
        watched = {working} if rescuing is None else {working, rescuing}
        try:
            while not stop.is_set():
                done, _ = await asyncio.wait(watched, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    for task in done:
                        task.result()  # raises what ended it
                    return
        finally:
            await _end(watched, threads)


async def _end(tasks: set[asyncio.Task[None]], threads: _Threads) -> None:
    """Ask ``tasks`` to end: jobs at work may, and a farewell that the database does not take is cut short."""
    for task in tasks:
        task.cancel()
    idle_since: float | None = None
    left: set[asyncio.Task[None]] = tasks
    while left:
        _done, left = await asyncio.wait(left, timeout=0.1)
        now = time.monotonic()
        idle_since = (idle_since or now) if threads.are_idle else None
        if idle_since is not None and now - idle_since > LEAVE_WITHIN_SECONDS:
            idle_since = None
            for task in left:
                task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)  # what ended them was told before


def _worker_app() -> App:
    return app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]


async def _rescue_often(worker_app: App) -> None:
    while True:
        await rescue(worker_app)
        await asyncio.sleep(RESCUE_EVERY_SECONDS)


async def rescue(worker_app: App) -> int:
    """Queue again the jobs of workers whose heartbeat is older than 10 s; give how many.

    A worker that was only slow may still end such a job: jobs key their effects, so running twice changes nothing.
    """
    manager = worker_app.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS))
    for job in stalled:
        logger.warning("job of a lost worker is run again", extra={"job": job.task_name, "job_id": job.id})
        with contextlib.suppress(Exception):  # another worker's rescue was quicker
            await manager.retry_job(job)
    await manager.prune_stalled_workers(STALLED_AFTER_SECONDS * 6)
    return len(stalled)
