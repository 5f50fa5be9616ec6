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
    """Sums up one side's share of the run, and keeps its rounds."""

    rounds: list[tuple[float, float, int]] = field(default_factory=list)  # seconds, seconds of CPU, steps

    def add(self, wall_s: float, cpu_s: float, steps: int) -> None:
        self.rounds.append((wall_s, cpu_s, steps))

    @contextmanager
    def running(self, steps: int) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.add(time.perf_counter() - wall, time.process_time() - cpu, steps)

    @property
    def steps(self) -> int:
        return sum(steps for _, _, steps in self.rounds)

    @property
    def steps_per_s(self) -> float:
        return self.steps / sum(wall for wall, _, _ in self.rounds)

    @property
    def cpu_ms(self) -> float:
        return sum(cpu for _, cpu, _ in self.rounds) * 1000 / self.steps

    def speed_over(self, other: Meter) -> float:
        """The median of the rounds' ratios of steps a second: the two of a round saw the same machine."""
        return statistics.median(theirs[0] / own[0] for own, theirs in zip(self.rounds, other.rounds, strict=True))

    def cpu_over(self, other: Meter) -> float:
        """The same for the CPU of a step."""
        return statistics.median(own[1] / theirs[1] for own, theirs in zip(self.rounds, other.rounds, strict=True))


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
