from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import pytest
from django.db import connection, transaction

from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id
from furong.foundation.jobs import queries, worker
from furong.foundation.jobs.commands import JOBS, defer, job, purge, run_again
from furong.foundation.jobs.errors import JobUnknownError
from furong.foundation.jobs.values import QUEUES, JobRun, Retry

pytestmark = pytest.mark.usefixtures("database")

seen: list[object] = []


class Kind(StrEnum):
    BIRTH = "birth"


@pytest.fixture(autouse=True)
def _forget() -> None:
    seen.clear()


@job("test.remember", queue="registers")
def remember(*, effect_id: UUID, at: datetime, kind: Kind, now: datetime, run: JobRun) -> None:
    seen.append((effect_id, at, kind, now, run))


@job("test.fail_twice", retry=Retry(attempts=3, first_seconds=0))
def fail_twice(*, run: JobRun) -> None:
    seen.append(run.attempt)
    if run.attempt < 3:
        raise RuntimeError("not yet")


@job("test.always_fails", retry=Retry(attempts=2, first_seconds=0))
def always_fails(*, run: JobRun) -> None:
    seen.append(run.last_attempt)
    raise RuntimeError("never")


class Closed(Refusal):
    code = "test.closed"


@job("test.refuses")
def refuses() -> None:
    seen.append("refused")
    raise Closed


def test_arguments_come_back_as_the_annotations_say_and_now_and_run_are_given() -> None:
    effect_id, at = new_id(), datetime(2026, 11, 3, tzinfo=UTC)
    defer(remember, effect_id=effect_id, at=at, kind=Kind.BIRTH)
    worker.run_until_idle()
    [(found_id, found_at, kind, now, run)] = seen
    assert (found_id, found_at, kind) == (effect_id, at, Kind.BIRTH)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    assert (run.attempt, run.last_attempt) == (1, False)
    assert queries.count_jobs() == {("registers", "succeeded"): 1}


def test_a_rollback_takes_the_job_back_and_its_key_with_it() -> None:
    with transaction.atomic():
        assert defer(refuses, key="once") is not None
        transaction.set_rollback(True)
    assert queries.count_open() == 0
    assert queries.find_job(key="once") is None


def test_a_key_makes_it_once_for_ever_also_after_it_ran() -> None:
    first = defer("test.refuses", key="once")
    assert defer("test.refuses", key="once") is None
    worker.run_until_idle()
    assert defer("test.refuses", key="once") is None
    assert queries.find_job(key="once") == (first, "failed")
    assert seen == ["refused"]


def test_two_transactions_that_defer_under_one_key_at_once_make_one_job() -> None:
    ids: list[int | None] = []
    start = threading.Barrier(4)

    def deferring() -> None:
        start.wait()
        with transaction.atomic():
            ids.append(defer("test.refuses", key="raced"))
            time.sleep(0.05)
        connection.close()

    threads = [threading.Thread(target=deferring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(i is None for i in ids) == [False, True, True, True]
    assert queries.count_open() == 1


def test_a_failed_job_runs_again_until_it_succeeds() -> None:
    defer(fail_twice)
    worker.run_until_idle()
    assert seen == [1, 2, 3]
    assert queries.count_jobs() == {("default", "succeeded"): 1}


def test_a_job_that_always_fails_ends_as_failed_after_its_attempts() -> None:
    defer(always_fails)
    worker.run_until_idle()
    assert seen == [False, True]
    assert queries.count_jobs() == {("default", "failed"): 1}


def test_a_failed_job_can_be_run_again_and_a_finished_one_cannot() -> None:
    job_id = defer(always_fails)
    worker.run_until_idle()
    assert [(n, name) for n, name, _ in queries.list_failed()] == [(job_id, "test.always_fails")]
    assert run_again(job_id=job_id or 0, now=datetime.now(UTC))
    assert not run_again(job_id=job_id or 0, now=datetime.now(UTC))
    worker.run_until_idle()
    assert len(seen) == 3


def test_old_jobs_are_purged_and_failed_ones_stay() -> None:
    defer(fail_twice, key="k")
    defer(always_fails)
    worker.run_until_idle()
    now = datetime.now(UTC)
    assert purge(now=now + timedelta(days=29)) == 0
    assert purge(now=now + timedelta(days=31)) == 1
    assert queries.count_jobs() == {("default", "failed"): 1}
    assert defer(fail_twice, key="k") is None
    assert queries.find_job(key="k") is not None
    purge(now=now + timedelta(days=400))
    assert queries.find_job(key="k") is None


def test_a_refusal_is_not_tried_again() -> None:
    defer(refuses)
    worker.run_until_idle()
    assert seen == ["refused"]


def test_a_job_for_later_waits() -> None:
    defer(refuses, run_at=datetime.now(UTC) + timedelta(hours=1))
    worker.run_until_idle()
    assert seen == []
    assert queries.count_open() == 1


def test_a_job_on_a_queue_that_nobody_consumes_cannot_be_declared() -> None:
    with pytest.raises(JobUnknownError):
        job("test.lost", queue="nowhere")
    assert all(declared.queue in QUEUES for declared in JOBS.values())


def test_an_unknown_job_cannot_be_deferred() -> None:
    with pytest.raises(JobUnknownError):
        defer("test.nobody_declared_this")


def test_arguments_do_not_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    secret = new_id()
    with caplog.at_level(logging.DEBUG):
        defer(remember, effect_id=secret, at=datetime.now(UTC), kind=Kind.BIRTH)
        worker.run_until_idle()
    assert any("test.remember" in record.getMessage() for record in caplog.records)
    assert not [
        record.name
        for record in caplog.records
        if str(secret) in record.getMessage() or str(secret) in repr(record.__dict__)
    ]


def test_the_worker_stops_within_a_second_when_told_and_runs_what_comes_meanwhile() -> None:
    stop = threading.Event()
    running = threading.Thread(target=worker.run, args=(stop,))
    running.start()
    try:
        defer(refuses)
        deadline = time.monotonic() + 10
        while not seen and time.monotonic() < deadline:
            time.sleep(0.02)
        assert seen == ["refused"]
    finally:
        stop.set()
        running.join(10)
    assert not running.is_alive()


KILLED = """
import django, os, sys, threading, time
django.setup()
from furong.foundation.jobs import worker
from furong.foundation.jobs.commands import job

@job("test.slow")
def slow(*, marker: str) -> None:
    open(marker, "w").close()
    time.sleep(60)

worker.run(threading.Event())
"""


@job("test.slow")
def slow(*, marker: str) -> None:
    seen.append(marker)


@pytest.mark.faults
def test_the_job_of_a_killed_worker_runs_again_in_another(
    tmp_path,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    monkeypatch.setattr(worker, "STALLED_AFTER_SECONDS", 1.0)
    monkeypatch.setattr(worker, "RESCUE_EVERY_SECONDS", 0.2)
    marker = tmp_path / "started"
    defer(slow, marker=str(marker))
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(KILLED)], env=os.environ)
    try:
        deadline = time.monotonic() + 30
        while not marker.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert marker.exists()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    stop = threading.Event()
    running = threading.Thread(target=worker.run, args=(stop,))
    running.start()
    try:
        deadline = time.monotonic() + 30
        while not seen and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        stop.set()
        running.join(20)
    assert seen == [str(marker)]
    assert queries.count_jobs() == {("default", "succeeded"): 1}
