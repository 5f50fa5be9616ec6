"""The engine against SpiffWorkflow, and a work list over a million open cases.

Both run the same diagram (four department tasks, a join, a decision, two tasks) on one connection each to one PostgreSQL
with fsync on; every step is a durable transaction of its own, and cases of the two alternate. SpiffWorkflow keeps its
state alone as one row of JSON, its parsed specification is shared, and it commits as often as we do. CPU is the client's.

    python -m benchmarks.processes [--quick] [--open N]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.processes_diagram import DIAGRAM
from benchmarks.processes_page import make_department, page_times

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
STEPS_PER_CASE = 8  # the start, four departments, the decision, two tasks
ORGANIZATIONS = 2_000


@dataclass
class Meter:
    """Sums up one engine's share of the run."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    steps: int = 0
    step_ms: list[float] = field(default_factory=list)

    @contextmanager
    def running(self, steps: int) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall_s += time.perf_counter() - wall
        self.cpu_s += time.process_time() - cpu
        self.steps += steps

    @property
    def steps_per_s(self) -> float:
        return self.steps / self.wall_s

    @property
    def cpu_ms(self) -> float:
        return self.cpu_s * 1000 / self.steps


@contextmanager
def cluster() -> Iterator[Any]:
    """Start a durable PostgreSQL of our own and point Django at it."""
    from furong.entrypoints.postgres import Cluster

    folder = Path(tempfile.mkdtemp(prefix="furong-bench-"))
    found = Cluster(folder)
    try:
        found.make()
        found.start(settings={"fsync": "on", "synchronous_commit": "on", "max_wal_size": "4GB"})
        found.ensure_database("bench")
        os.environ["FURONG_DATABASE_URL"] = found.url("bench")
        os.environ["FURONG_HOME"] = str(folder)
        os.environ["DJANGO_SETTINGS_MODULE"] = "furong.entrypoints.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", "processes", verbosity=0)
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


# --- ours ----------------------------------------------------------------------------------------------------------------------


def publish() -> Any:
    from django.db import transaction

    from furong.domains.processes import publishing

    with transaction.atomic():
        return publishing.publish(xml=DIAGRAM, file="bench.bpmn", code="bench", now=NOW)


def our_case(definition: Any, number: int) -> None:
    """Run one case, each step its own transaction."""
    from django.db import transaction

    from furong.domains.processes import engine

    with transaction.atomic():
        step = engine.start(definition=definition, business_key=f"case-{number}", variables={"number": number}, now=NOW)
    waiting = list(step.created)
    while waiting:
        task = waiting.pop(0)
        given: dict[str, object] = {"score": 80} if task.element_id == "decide" else {task.element_id: True}
        step = engine.complete_task(task_id=task.task_id, variables=given, now=NOW)
        waiting += step.created
    if not step.ending:
        raise RuntimeError("our case did not end")


# --- SpiffWorkflow -------------------------------------------------------------------------------------------------------------


class Spiff:
    """SpiffWorkflow with its state alone as JSON in a row; the specification is parsed once and shared."""

    def __init__(self, url: str) -> None:
        import psycopg
        from lxml import etree
        from SpiffWorkflow.bpmn import BpmnWorkflow
        from SpiffWorkflow.bpmn.parser import BpmnParser
        from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
        from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
        from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter, WorkflowConverter

        parser = BpmnParser()
        parser.add_bpmn_xml(etree.fromstring(DIAGRAM), filename="bench.bpmn")
        self.spec = spec = parser.get_spec("bench")
        self.workflow = BpmnWorkflow

        class StateOnly(BpmnWorkflowConverter):  # type: ignore[misc]
            def to_dict(self, workflow: Any) -> Any:
                found = WorkflowConverter.to_dict(self, workflow)
                found["bpmn_events"] = self.registry.convert(workflow.bpmn_events)
                return found

            def from_dict(self, dct: Any) -> Any:
                workflow = self.target_class(spec, {}, deserializing=True)
                workflow.tasks = self.mapping_from_dict(dct["tasks"], UUID, workflow=workflow)
                workflow.task_tree = workflow.tasks.get(UUID(dct["root"]))
                self.set_default_attributes(workflow, dct)
                workflow.bpmn_events = self.registry.restore(dct.pop("bpmn_events", []))
                return workflow

        config = {**DEFAULT_CONFIG, BpmnWorkflow: StateOnly}
        self.serializer = BpmnWorkflowSerializer(registry=BpmnWorkflowSerializer.configure(config))
        self.connection = psycopg.connect(url)
        self.connection.execute("CREATE TABLE spiff (id bigint PRIMARY KEY, state text NOT NULL)")
        self.connection.commit()

    def case(self, number: int) -> None:
        """Run one case, each step its own transaction."""
        from SpiffWorkflow.util.task import TaskState

        workflow = self.workflow(self.spec)
        workflow.task_tree.data["number"] = number
        workflow.do_engine_steps()
        self.connection.execute(
            "INSERT INTO spiff (id, state) VALUES (%s, %s)", [number, self.serializer.serialize_json(workflow)]
        )
        self.connection.commit()
        while True:
            row = self.connection.execute("SELECT state FROM spiff WHERE id = %s FOR UPDATE", [number]).fetchone()
            assert row is not None
            workflow = self.serializer.deserialize_json(row[0])
            ready = workflow.get_tasks(state=TaskState.READY, manual=True)
            task = ready[0]
            task.data.update({"score": 80} if task.task_spec.name == "decide" else {task.task_spec.name: True})
            task.run()
            workflow.do_engine_steps()
            self.connection.execute(
                "UPDATE spiff SET state = %s WHERE id = %s", [self.serializer.serialize_json(workflow), number]
            )
            self.connection.commit()
            if workflow.is_completed():
                return


def compare(url: str, *, rounds: int, cases: int) -> tuple[Meter, Meter]:
    """Run both, a few cases of one and then of the other, after a warm-up of each."""
    definition = publish()
    peer = Spiff(url)
    ours, theirs = Meter(), Meter()
    numbers = iter(range(1, 10**9))
    for _ in range(8):
        our_case(definition, next(numbers))
        peer.case(next(numbers))
    for turn in range(rounds):
        sides: list[tuple[Meter, Callable[[int], None]]] = [
            (ours, lambda n: our_case(definition, n)),
            (theirs, peer.case),
        ]
        for meter, case in sides if turn % 2 else reversed(sides):
            with meter.running(cases * STEPS_PER_CASE):
                for _ in range(cases):
                    case(next(numbers))
    peer.connection.close()
    return ours, theirs


# --- a million open cases -------------------------------------------------------------------------------------------------------

# Keys are in order of time, as minted; the deadlines lie from four days ago to five weeks ahead; one task in twenty is claimed.
_INSTANCE = "('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
_TASK = "('01900000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid"
_OFFICE = "md5('o' || n %% {organizations})::uuid"
_DIVISION = "(430000000000 + (1 + n %% 14) * 100000000 + (1 + n / 14 %% 9) * 1000000 + n %% 997)::text"
LOAD = f"""
INSERT INTO processes_instance (id, definition_id, code, version, next_token, business_key, organization_id, division_code,
  item_code, label, variables, started_at, state)
SELECT {_INSTANCE}, %(definition)s, 'bench', 1, 6, 'open-' || n, {_OFFICE}, {_DIVISION}, 'item-' || n %% 40, 'A' || n,
       '{{{{"number": 1}}}}', %(now)s::timestamptz - n %% 50 * interval '1 day', 'running'
  FROM generate_series(1::bigint, %(count)s) n;
INSERT INTO processes_token (instance_id, number, scope, element_id, arrived_by, stuck)
SELECT {_INSTANCE}, 1, 0, 'police', 'split-police', false FROM generate_series(1::bigint, %(count)s) n;
INSERT INTO processes_task (instance_id, id, token, element_id, kind, title, department, organization_id, division_code,
  right_code, item_code, business_key, label, outcomes, priority, state, claimed_by, claimed_at, created_at, due_at,
  yellow_at, rank_at)
SELECT {_INSTANCE}, {_TASK}, 1, 'police', 'review', '审核', 'police', {_OFFICE}, {_DIVISION}, 'cases.handle',
       'item-' || n %% 40, 'open-' || n, 'A' || n, '{{{{}}}}', 0, CASE WHEN n %% 20 = 0 THEN 'claimed' ELSE 'open' END,
       CASE WHEN n %% 20 = 0 THEN md5('c' || n %% 5000)::uuid END,
       CASE WHEN n %% 20 = 0 THEN %(now)s::timestamptz END,
       %(now)s::timestamptz - interval '3 days', due, due - interval '1 day', due
  FROM (SELECT n, %(now)s::timestamptz + ((n * 7919) %% 60000 - 6000) * interval '1 minute' AS due
          FROM generate_series(1::bigint, %(count)s) n) AS g;
VACUUM ANALYZE processes_task; ANALYZE processes_instance; ANALYZE processes_token
"""


def load_open(url: str, count: int, definition: int) -> float:
    """Load open cases in SQL; give the seconds it took."""
    import psycopg

    began = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as connection:
        for text in LOAD.format(organizations=ORGANIZATIONS).split(";"):
            params = {"definition": definition, "now": NOW, "count": count} if "%(" in text else None
            with psycopg.ClientCursor(connection) as cursor:
                cursor.execute(text, params)
        connection.execute("CHECKPOINT")
    return time.perf_counter() - began


def work_lists(count: int, asked: int) -> dict[str, list[float]]:
    """Time what a work list asks for: a first page, a page further down, a city's page, the counts for the lights."""
    from furong.domains.processes import queries
    from furong.domains.processes.values import Light, TaskFilters
    from furong.foundation.access.values import Scope

    chance = random.Random(7)
    found: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = call()
        found.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        return result

    def organization() -> UUID:
        return UUID(hashlib.md5(f"o{chance.randrange(ORGANIZATIONS)}".encode(), usedforsecurity=False).hexdigest())

    for turn in range(asked + 5):
        office = Scope(organization_ids=frozenset({organization()}))
        city_code = f"43{1 + chance.randrange(14):02}"
        county = Scope(division_prefixes=(f"{city_code}{1 + chance.randrange(9):02}",))
        city = Scope(division_prefixes=(city_code,))
        province = Scope(everything=True)
        narrow = TaskFilters(item_code="item-7", light=Light.YELLOW)
        page = timed("a department's first page", partial(queries.work_list, scope=office, now=NOW))
        if count >= 100_000 and not page.tasks:
            raise RuntimeError("the work list is empty")
        timed("its next page", partial(queries.work_list, scope=office, now=NOW, after=page.following))
        timed("its counts for the lights", partial(queries.count_tasks, scope=office, now=NOW))
        timed("a county's page", partial(queries.work_list, scope=county, now=NOW))
        timed("a city's page", partial(queries.work_list, scope=city, now=NOW))
        timed("a city's page, one item, yellow", partial(queries.work_list, scope=city, now=NOW, filters=narrow))
        timed("a city's counts for the lights", partial(queries.count_tasks, scope=city, now=NOW))
        mixed = Scope(organization_ids=frozenset({organization(), organization()}), division_prefixes=("430204",))
        timed("two departments' and a county's page", partial(queries.work_list, scope=mixed, now=NOW))
        timed("the province's page", partial(queries.work_list, scope=province, now=NOW))
        if turn < 5:
            found.clear()
    return found


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18] if len(values) > 1 else values[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, a million cases all the same")
    parser.add_argument("--open", type=int, default=1_000_000, help="open cases to load")
    given = parser.parse_args()
    rounds, cases, asked = (10, 10, 40) if given.quick else (30, 20, 200)
    with cluster() as server:
        url = server.url("bench")
        print(
            f"PostgreSQL {server.server.major} ({server.server.source}), Python {platform.python_version()}, fsync on"
        )
        ours, theirs = compare(url, rounds=rounds, cases=cases)
        print(f"\n{'engine, one connection':34}{'steps/s':>10}{'CPU ms/step':>14}{'steps':>8}")
        for name, meter in (("Furong", ours), ("SpiffWorkflow, state-only rows", theirs)):
            print(f"{name:34}{meter.steps_per_s:10.0f}{meter.cpu_ms:14.3f}{meter.steps:8}")
        make_department(server)
        seconds = load_open(url, given.open, publish().id)
        lists = work_lists(given.open, asked)
        print(f"\n{f'{given.open:,} open cases (loaded in {seconds:.0f} s)':44}{'p50 ms':>8}{'p95 ms':>8}")
        for name, values in lists.items():
            print(f"{name:44}{statistics.median(values):8.2f}{p95(values):8.2f}")
        queries = [values for name, values in lists.items() if "page" in name]
        page = page_times(lambda n: UUID(hashlib.md5(f"o{n}".encode(), usedforsecurity=False).hexdigest()), asked)
        print(f"{'the page itself, five departments':44}{statistics.median(page):8.2f}{p95(page):8.2f}")
        from django.db import connections

        connections.close_all()
    print(
        json.dumps(
            {
                "benchmark": "processes",
                "quick": given.quick,
                "steps_per_s": round(ours.steps_per_s, 1),
                "cpu_ms": round(ours.cpu_ms, 3),
                "spiff_steps_per_s": round(theirs.steps_per_s, 1),
                "spiff_cpu_ms": round(theirs.cpu_ms, 3),
                "cpu_ratio": round(theirs.cpu_ms / ours.cpu_ms, 2),
                "ratio": round(ours.steps_per_s / theirs.steps_per_s, 2),
                "cases_open": given.open,
                "worklist_query_p95_ms": round(max(p95(values) for values in queries), 2),
                "worklist_p95_ms": round(p95(page), 2),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
