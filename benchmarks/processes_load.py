"""A province's processes made in SQL: open instances with a task and a timer each, and those of five years that are over.

Everything comes in the order in which it would have been written and into the partition of its year, with all indexes in place.
Keys are in order of time, as minted; the deadlines of open tasks lie from four days ago to five weeks ahead; one in twenty is
claimed. What is over has one closed task an instance, and one line of the log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks.processes_ground import NOW

ORGANIZATIONS = 2_000
FIRST_YEAR, YEARS = 2026, 5
# When the steps over the loaded database are measured: the partition of the year is as full as it gets.
LOADED_NOW = datetime(FIRST_YEAR + YEARS, 1, 1, tzinfo=UTC) - timedelta(hours=8)
DUE_FEW, DUE_MANY = 100, 10_000

_INSTANCE = "('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
_TASK = "('01900000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid"
_TIMER = "('01900000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'))::uuid"
_ENDED = "('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
_CLOSED = "('018f0000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid"
_OFFICE = f"md5('o' || n %% {ORGANIZATIONS})::uuid"
_DIVISION = "(430000000000 + (1 + n %% 14) * 100000000 + (1 + n / 14 %% 9) * 1000000 + n %% 997)::text"
_ENDED_AT = f"timestamptz '{FIRST_YEAR}-01-01 00:00+00' + n * (interval '{YEARS * 365} days' / %(ended)s::float8)"
_SERIES = "generate_series(%(first)s::bigint, %(last)s::bigint) n"

INSTANCES = f"""
INSERT INTO processes_instance (id, definition_id, code, version, next_token, business_key, organization_id, division_code,
  item_code, label, variables, started_at, state)
SELECT {_INSTANCE}, %(definition)s, 'bench', 1, 6, 'open-' || n, {_OFFICE}, {_DIVISION}, 'item-' || n %% 40, 'A' || n,
       '{{"number": 1}}', %(now)s::timestamptz - n %% 50 * interval '1 day', 'running'
  FROM {_SERIES}
"""
TOKENS = f"""
INSERT INTO processes_token (instance_id, number, scope, element_id, arrived_by, stuck)
SELECT {_INSTANCE}, 1, 0, 'police', 'split-police', false FROM {_SERIES}
"""
TASKS = f"""
INSERT INTO processes_task (instance_id, id, token, element_id, kind, title, department, organization_id, division_code,
  right_code, item_code, business_key, label, outcomes, priority, state, claimed_by, claimed_at, created_at, due_at,
  yellow_at, rank_at)
SELECT {_INSTANCE}, {_TASK}, 1, 'police', 'review', '审核', 'police', {_OFFICE}, {_DIVISION}, 'cases.handle',
       'item-' || n %% 40, 'open-' || n, 'A' || n, '{{}}', 0, CASE WHEN n %% 20 = 0 THEN 'claimed' ELSE 'open' END,
       CASE WHEN n %% 20 = 0 THEN md5('c' || n %% 5000)::uuid END,
       CASE WHEN n %% 20 = 0 THEN %(now)s::timestamptz END,
       %(now)s::timestamptz - interval '3 days', due, due - interval '1 day', due
  FROM (SELECT n, %(now)s::timestamptz + ((n * 7919) %% 60000 - 6000) * interval '1 minute' AS due FROM {_SERIES}) AS g
"""
# As many timers as open instances, all to come; some of them are made due later.
TIMERS = f"""
INSERT INTO processes_timer (instance_id, id, token, element_id, due_at, escalates, repeats)
SELECT {_INSTANCE}, {_TIMER}, 1, 'late', %(now)s::timestamptz + interval '1 hour' + ((n * 7919) %% 60000) * interval '1 minute',
       false, 0
  FROM {_SERIES}
"""
ENDED = f"""
INSERT INTO processes_instance_ended (id, definition_id, code, version, next_token, business_key, organization_id, division_code,
  item_code, label, variables, started_at, ended_at, ending, reason)
SELECT {_ENDED}, %(definition)s, 'bench', 8, 6, {_ENDED}::text, {_OFFICE}, {_DIVISION}, 'item-' || n %% 40, 'A' || n,
       '{{"number": 1, "score": 80}}', {_ENDED_AT} - interval '5 days', {_ENDED_AT}, 'completed', ''
  FROM {_SERIES}
"""
CLOSED = f"""
INSERT INTO processes_task_closed (instance_id, id, token, element_id, kind, title, department, organization_id, division_code,
  right_code, item_code, business_key, label, outcomes, priority, state, created_at, rank_at, closed_at, closed_by,
  ending, outcome)
SELECT {_ENDED}, {_CLOSED}, 5, 'deliver', 'task', '送达', '', {_OFFICE}, {_DIVISION}, '', 'item-' || n %% 40, {_ENDED}::text,
       'A' || n, '{{}}', 0, 'open', {_ENDED_AT} - interval '1 day', '9999-12-31 00:00+00', {_ENDED_AT},
       md5('c' || n %% 5000)::uuid, 'completed', ''
  FROM {_SERIES}
"""
LOG = f"""
INSERT INTO processes_log (at, instance_id, definition_id, kind, element_id, arrived_by, token)
SELECT {_ENDED_AT}, {_ENDED}, %(definition)s, 2, 'deliver', 'issue-deliver', 5 FROM {_SERIES}
"""
CHUNK = 500_000  # rows of one INSERT


def load(url: str, *, opened: int, ended: int, definition: int, tell: Callable[[str], None]) -> float:
    """Fill the database by two connections at once; it returns the seconds it took."""
    import psycopg

    began = time.perf_counter()
    sides = (
        (((INSTANCES, opened), (TOKENS, opened), (TASKS, opened), (TIMERS, opened), (LOG, ended)),
         "processes_instance, processes_token, processes_task, processes_timer, processes_log"),
        (((ENDED, ended), (CLOSED, ended)), "processes_instance_ended, processes_task_closed"),
    )  # fmt: skip
    total = sum(count for work, _ in sides for _, count in work)
    written = [0, 0]
    failed: list[BaseException] = []

    def fill(side: int) -> None:
        work, tables = sides[side]
        try:
            with psycopg.connect(url, autocommit=True) as connection, psycopg.ClientCursor(connection) as cursor:
                for text, count in work:
                    for first in range(1, count + 1, CHUNK):
                        last = min(count, first + CHUNK - 1)
                        params = {"first": first, "last": last, "definition": definition, "now": NOW, "ended": ended}
                        cursor.execute(text, {name: value for name, value in params.items() if f"%({name})s" in text})
                        written[side] += last - first + 1
                        tell(f"  {sum(written):,} of {total:,} rows after {time.perf_counter() - began:.0f} s")
                    # Or each foreign key of the next table is checked by the plan of an empty table, which reads all of this one.
                    cursor.execute(f"ANALYZE {tables}")
                cursor.execute(f"VACUUM ANALYZE {tables}")
        except BaseException as exc:  # noqa: BLE001 - raised again by the thread that waits
            failed.append(exc)

    threads = [threading.Thread(target=fill, args=(side,)) for side in range(len(sides))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    return time.perf_counter() - began


def due_scans(asked: int) -> dict[str, list[float]]:
    """Time the query of due timers as the timers' loop asks it, with few and then with many of them due.

    Where the database is smaller than `DUE_MANY`, all timers are due in the end.
    """
    from furong.domains.processes.store import execute, query

    found: dict[str, list[float]] = {}
    for due in (DUE_FEW, DUE_MANY):
        execute(
            "UPDATE processes_timer SET due_at = %(now)s::timestamptz - random() * interval '1 hour' WHERE id IN "
            "(SELECT id FROM processes_timer ORDER BY md5(id::text) LIMIT %(due)s)",
            {"now": NOW, "due": due},
        )
        execute("ANALYZE processes_timer", {})
        times: list[float] = []
        for turn in range(asked + 10):
            began = time.perf_counter()
            rows = execute(query("waking.sql", "due_timers"), [NOW, DUE_FEW]).fetchall()
            if turn >= 10:
                times.append((time.perf_counter() - began) * 1000)
            if len(rows) != DUE_FEW:
                raise RuntimeError(f"{len(rows)} timers are due")
        found[f"{DUE_FEW} of the timers that are due, of {due:,}"] = times
    return found
