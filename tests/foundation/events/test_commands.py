from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from django.db import connection, connections, transaction

from furong.foundation.codes.ids import new_id
from furong.foundation.events import dispatcher, queries
from furong.foundation.events.commands import publish, subscribe, unsubscribe
from furong.foundation.events.errors import EventUnknownError, SubscriptionError
from furong.foundation.events.values import MAX_ATTEMPTS, Delivery, event, retry_after

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)


@event("test.case_closed")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed:
    case_id: UUID
    closed_on: date
    codes: tuple[str, ...] = ()
    note: str | None = None


@dataclass
class Crash(BaseException):
    """As if the process had been killed: nothing catches it."""


@pytest.fixture
def seen() -> Iterator[list[tuple[object, Delivery]]]:
    """What a handler on the platform's database was given."""
    found: list[tuple[object, Delivery]] = []
    subscribe(CaseClosed, lambda e, d: found.append((e, d)), name="test.seen")
    yield found
    for name in ("test.seen", "test.other", "test.effect", "test.city"):
        unsubscribe(CaseClosed, name=name)


def closed(**values: object) -> CaseClosed:
    return CaseClosed(case_id=new_id(), closed_on=date(2026, 11, 3), **values)  # type: ignore[arg-type]


def put_row(alias: str = "default", digest: str = "a" * 64) -> None:
    """An effect that can be counted: a row in a table of this alias."""
    table = "storage_file (digest, size, media_type, created_at)" if alias == "default" else "events_inbox"
    values = (digest, 1, "text/plain", NOW) if alias == "default" else ("effect", new_id(), digest, NOW)
    with connections[alias].cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (%s, %s, %s, %s)", values)


def count_rows(alias: str = "default") -> int:
    sql = (
        "SELECT count(*) FROM storage_file"
        if alias == "default"
        else "SELECT count(*) FROM events_inbox WHERE source = 'effect'"
    )
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


def test_an_event_arrives_as_it_was_published(seen: list[tuple[object, Delivery]]) -> None:
    sent = closed(codes=("a", "b"), note="n")
    event_id = publish(sent, now=NOW)
    assert dispatcher.dispatch_once() == 1
    [(got, delivery)] = seen
    assert got == sent
    assert (delivery.event_id, delivery.name, delivery.source) == (event_id, "test.case_closed", "default")
    assert (delivery.occurred_at, delivery.attempt) == (NOW, 1)
    assert queries.count_waiting() == 0


def test_an_event_of_a_rolled_back_transaction_never_arrives(seen: list[object]) -> None:
    with transaction.atomic():
        publish(closed(), now=NOW)
        transaction.set_rollback(True)
    assert dispatcher.dispatch_once() == 0
    assert seen == []


def test_an_event_of_a_transaction_still_open_waits_for_its_commit(seen: list[object]) -> None:
    with transaction.atomic():
        publish(closed(), now=NOW)
        assert dispatcher.dispatch_once() == 0
    assert dispatcher.dispatch_once() == 1
    assert len(seen) == 1


def test_a_handler_runs_once_when_the_dispatcher_dies_between_its_effect_and_the_outboxs_mark(
    seen: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(CaseClosed, lambda e, d: put_row(), name="test.effect")
    publish(closed(), now=NOW)
    deliver = dispatcher._deliver

    def deliver_and_die(*args: object, **kwargs: object) -> object:
        deliver(*args, **kwargs)  # type: ignore[arg-type]
        raise Crash

    monkeypatch.setattr(dispatcher, "_deliver", deliver_and_die)
    with pytest.raises(Crash):
        dispatcher.dispatch_once()
    assert count_rows() == 1
    assert queries.count_waiting() == 1
    monkeypatch.undo()
    assert dispatcher.dispatch_once() == 1
    assert count_rows() == 1
    assert len(seen) == 1


def test_a_handler_that_dies_before_its_commit_leaves_nothing_and_runs_again(seen: list[object]) -> None:
    deaths = [Crash()]

    def handler(_: object, __: Delivery) -> None:
        put_row()
        if deaths:
            raise deaths.pop()

    subscribe(CaseClosed, handler, name="test.effect")
    publish(closed(), now=NOW)
    with pytest.raises(Crash):
        dispatcher.dispatch_once()
    assert count_rows() == 0
    assert dispatcher.dispatch_once() == 1
    assert count_rows() == 1


def test_a_failing_handler_is_tried_again_after_a_pause_and_does_not_hold_up_the_others(
    seen: list[object],
) -> None:
    failures = [RuntimeError("a name that must not be kept")]

    def handler(_: object, delivery: Delivery) -> None:
        put_row()
        if failures:
            raise failures.pop()
        assert delivery.attempt == 2

    subscribe(CaseClosed, handler, name="test.effect")
    publish(closed(), now=NOW)
    dispatcher.dispatch_once(now=NOW)
    assert len(seen) == 1
    assert (queries.count_waiting(), queries.count_retrying(), count_rows()) == (0, 1, 0)
    assert dispatcher.dispatch_once(now=NOW + timedelta(milliseconds=900)) == 0
    assert dispatcher.dispatch_once(now=NOW + timedelta(seconds=2)) == 1
    assert (queries.count_retrying(), count_rows()) == (0, 1)
    assert len(seen) == 1


def test_a_delivery_that_never_succeeds_is_kept_as_a_dead_letter_and_can_be_revived(seen: list[object]) -> None:
    broken = [True]

    def handler(_: object, __: Delivery) -> None:
        if broken:
            raise RuntimeError("13800001234")
        put_row()

    subscribe(CaseClosed, handler, name="test.effect")
    event_id = publish(closed(), now=NOW)
    at = NOW
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert dispatcher.dispatch_once(now=at) == 1
        at += retry_after(attempt)
    assert dispatcher.dispatch_once(now=at + timedelta(days=1)) == 0
    assert queries.count_dead() == 1
    [letter] = queries.list_dead()
    assert (letter.event_id, letter.handler, letter.attempts) == (event_id, "test.effect", MAX_ATTEMPTS)
    assert letter.last_error.startswith("RuntimeError at")
    assert "13800001234" not in letter.last_error
    broken.clear()
    assert dispatcher.revive(now=at) == 1
    assert dispatcher.dispatch_once(now=at) == 1
    assert (queries.count_dead(), count_rows()) == (0, 1)


def test_dispatchers_side_by_side_handle_every_event_once(seen: list[object]) -> None:
    for _ in range(120):
        publish(closed(), now=NOW)
    start = threading.Barrier(3)
    taken: list[int] = []

    def work() -> None:
        start.wait()
        while count := dispatcher.dispatch_once(limit=7):
            taken.append(count)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 120
    assert len({d.event_id for _, d in seen}) == len(seen) == 120  # type: ignore[misc]
    assert queries.count_waiting() == 0


def test_an_event_of_the_population_database_has_its_effect_on_the_platform_once(seen: list[object]) -> None:
    subscribe(CaseClosed, lambda e, d: put_row(), name="test.effect")
    publish(closed(), database="population", now=NOW)
    assert dispatcher.dispatch_once("default") == 0
    assert dispatcher.dispatch_once("population") == 1
    with connections["population"].cursor() as cursor:
        cursor.execute("UPDATE events_outbox SET dispatched_at = NULL")  # as after a crash
    assert dispatcher.dispatch_once("population") == 1
    assert count_rows() == 1
    [(_, delivery)] = seen
    assert delivery.source == "population"  # type: ignore[attr-defined]


def test_an_event_of_the_platform_has_its_effect_in_the_population_database_once(seen: list[object]) -> None:
    subscribe(CaseClosed, lambda e, d: put_row("population"), name="test.city", database="population")
    publish(closed(), now=NOW)
    assert dispatcher.dispatch_once() == 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_outbox SET dispatched_at = NULL")
    assert dispatcher.dispatch_once() == 1
    assert count_rows("population") == 1


def test_an_event_nobody_listens_to_is_done_with() -> None:
    publish(closed(), now=NOW)
    assert dispatcher.dispatch_once() == 1
    assert queries.count_waiting() == 0


def test_a_commit_wakes_the_dispatcher_at_once(seen: list[object]) -> None:
    stop = threading.Event()
    running = threading.Thread(
        target=lambda: (dispatcher.run("default", stop, idle_seconds=30), connections.close_all())
    )
    running.start()
    try:
        wait_until(lambda: listening())
        publish(closed(), now=NOW)
        wait_until(lambda: bool(seen))  # far sooner than the idle 30 s
    finally:
        stop.set()
        publish(closed(), now=NOW)
        running.join(20)
    assert not running.is_alive()


def listening() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'"
            " AND query LIKE 'LISTEN%%'"
        )
        return bool(cursor.fetchone()[0])


def wait_until(condition: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_when_the_handlers_database_goes_away_nothing_is_lost_and_no_attempt_is_counted(seen: list[object]) -> None:
    cut = [True]

    def handler(_: object, __: Delivery) -> None:
        put_row()
        if cut:
            cut.clear()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    subscribe(CaseClosed, handler, name="test.effect")
    publish(closed(), now=NOW)
    with pytest.raises((dispatcher.DatabaseGoneError, psycopg.OperationalError)):
        dispatcher.dispatch_once()
    assert (queries.count_waiting(), queries.count_retrying(), count_rows()) == (1, 0, 0)
    assert dispatcher.dispatch_once() == 1
    assert count_rows() == 1


def test_delivered_events_are_purged_after_their_time_and_needed_ones_stay(seen: list[object]) -> None:
    def broken(_: object, __: Delivery) -> None:
        raise RuntimeError

    publish(closed(), now=NOW)
    dispatcher.dispatch_once(now=NOW)
    subscribe(CaseClosed, broken, name="test.effect")
    publish(closed(), now=NOW)
    dispatcher.dispatch_once(now=NOW)
    assert dispatcher.purge(now=NOW + timedelta(days=6)) == 0
    assert dispatcher.purge(now=NOW + timedelta(days=8)) == 1
    assert queries.count_retrying() == 1


def test_an_unregistered_event_is_refused() -> None:
    with pytest.raises(EventUnknownError):
        publish(object(), now=NOW)


def test_two_handlers_of_one_name_are_refused(seen: list[object]) -> None:
    with pytest.raises(SubscriptionError):
        subscribe(CaseClosed, lambda e, d: None, name="test.seen")
