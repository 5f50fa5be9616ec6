"""The years ahead of tables by year: made before they begin, with whatever went to the rest meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection, connections

from furong.foundation.partitions.commands import prepare_years
from furong.foundation.partitions.queries import YEARS_AHEAD, list_missing

TODAY, LATER = datetime(2026, 11, 23, tzinfo=UTC), datetime(2035, 6, 1, tzinfo=UTC)
TABLES = ("processes_instance_ended", "processes_log", "processes_task_closed")
NEW_YEARS = (2037, 2038, 2039, 2040)


def _rows(statement: str, *given: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return list(cursor.fetchall())


@pytest.fixture
def _undone(database: object) -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        for table in TABLES:
            for year in NEW_YEARS:
                cursor.execute(f"DROP TABLE IF EXISTS {table}_{year}")


def _log(at: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO processes_log (at, instance_id, definition_id, kind, element_id, arrived_by, token)"
            " VALUES (%s, gen_random_uuid(), 1, 1, 'x', '', 0)",
            [at],
        )


def test_what_the_migration_made_is_enough_for_now(database: object) -> None:
    assert prepare_years(now=TODAY) == 0
    assert list_missing(database="population", now=LATER) == []


@pytest.mark.usefixtures("_undone")
def test_the_next_years_are_made_before_they_begin_and_what_lay_in_the_rest_moves_to_its_year() -> None:
    _log("2040-03-01T00:00:00+00:00")
    _log("2055-03-01T00:00:00+00:00")
    assert _rows("SELECT count(*) FROM processes_log_rest") == [(2,)]
    assert prepare_years(now=LATER) == len(TABLES) * len(NEW_YEARS)
    assert NEW_YEARS[-1] == 2035 + YEARS_AHEAD
    assert _rows("SELECT count(*) FROM processes_log_2040") == [(1,)]
    assert _rows("SELECT count(*) FROM processes_log_rest") == [(1,)]
    _log("2037-12-31T23:59:59+00:00")
    assert _rows("SELECT tableoid::regclass::text FROM processes_log WHERE at < '2038-01-01'") == [
        ("processes_log_2037",)
    ]
    indexes = {name for (name,) in _rows("SELECT indexdef FROM pg_indexes WHERE tablename = 'processes_log_2038'")}
    assert any("instance_id" in str(one) for one in indexes)
    assert prepare_years(now=LATER) == 0


@pytest.mark.usefixtures("_undone")
def test_two_workers_at_once_make_each_part_once() -> None:
    made: list[int] = []

    def make() -> None:
        try:
            made.append(prepare_years(now=LATER))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == len(TABLES) * len(NEW_YEARS)
