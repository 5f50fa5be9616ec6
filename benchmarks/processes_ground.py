"""The ground that all figures of processes stand on: a durable cluster, the case that is run, how time is taken."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.processes_diagram import DIAGRAM

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
STEPS_PER_CASE = 8  # the start, four departments, the decision, two tasks
# What deploy/postgresql.conf sets too, as far as it bears on a step; memory and room for the log as this machine allows.
SERVER = {"fsync": "on", "synchronous_commit": "on", "max_wal_size": "8GB"}


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
        found.start(settings=SERVER)
        for name, variable in (
            ("bench", "FURONG_DATABASE_URL"),
            ("bench_population", "FURONG_POPULATION_DATABASE_URL"),
        ):
            found.ensure_database(name)
            os.environ[variable] = found.url(name)
        os.environ["FURONG_HOME"] = str(folder)
        set_up()
        from furong.entrypoints.loading import migrate

        migrate()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


def set_up() -> None:
    """Make Django ready for the databases that the environment names."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "furong.entrypoints.settings"
    import django

    django.setup()


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


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18] if len(values) > 1 else values[0]
