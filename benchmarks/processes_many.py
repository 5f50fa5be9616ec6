"""Eight connections, in the shapes in which a machine may hold them, and workers that keep a database open to be timed.

Production runs ``furong web --workers W --threads T``: threads in a few processes. Here that is a worker a core, so on two cores
two processes of four threads. Eight processes of one thread each, and eight threads of one process, which its lock lets run one
at a time, are measured beside it.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchmarks.processes_ground import STEPS_PER_CASE, our_case, publish, set_up

CONNECTIONS = 8
CORES = min(CONNECTIONS, os.cpu_count() or 1)
ONE, A_WORKER_A_CORE = (1, 1), (CORES, CONNECTIONS // CORES)
PROCESSES, THREADS = (CONNECTIONS, 1), (1, CONNECTIONS)
SHAPES = tuple(dict.fromkeys((ONE, A_WORKER_A_CORE, PROCESSES, THREADS)))


@dataclass(frozen=True, slots=True)
class Steps:
    """This value asks a worker for engine steps on ``threads`` connections for some seconds; the answer is steps a second."""

    seconds: float
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Doors:
    """This value asks a worker for cases through the commands; the answer is the milliseconds of starts and completions."""

    cases: int
    now: datetime


def _serve(pipe: Any, url: str, number: int) -> None:
    os.environ["FURONG_DATABASE_URL"] = url
    set_up()
    from django.db import connection

    from benchmarks.processes_full import full_case, make_clerk

    definition, actor = publish(), make_clerk()
    numbers = itertools.count((number + 10) * 10**9)
    for _ in range(8):
        our_case(definition, next(numbers))
        full_case(definition, actor)
    pipe.send("ready")

    def steps_until(end: float) -> int:
        done = 0
        while time.perf_counter() < end:
            our_case(definition, next(numbers))
            done += STEPS_PER_CASE
        return done

    with ThreadPoolExecutor(max_workers=CONNECTIONS) as threads:  # kept, and so are their connections
        while (asked := pipe.recv()) is not None:
            if isinstance(asked, Doors):
                starts: list[float] = []
                completions: list[float] = []
                for _ in range(asked.cases):
                    one_start, its_completions = full_case(definition, actor, now=asked.now)
                    starts += one_start
                    completions += its_completions
                pipe.send((starts, completions))
                continue
            began = time.perf_counter()
            running = [threads.submit(steps_until, began + asked.seconds) for _ in range(asked.threads)]
            done = sum(one.result() for one in running)
            pipe.send(done / (time.perf_counter() - began))
    connection.close()


class Worker:
    """This class will start a process of its own on the database ``url``."""

    def __init__(self, url: str, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, url, number), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, what: Steps | Doors | None) -> None:
        self.pipe.send(what)

    def answer(self) -> Any:
        return self.pipe.recv()


@contextmanager
def workers(*urls: str) -> Iterator[list[Worker]]:
    """Start a worker for each database named, one after the other, and end them afterwards."""
    found: list[Worker] = []
    try:
        for number, url in enumerate(urls):
            found.append(Worker(url, number))
            found[-1].answer()
        yield found
    finally:
        for one in found:
            one.ask(None)
        for one in found:
            one.process.join(30)


@dataclass(slots=True)
class Rates:
    """Steps a second of each round, by shape: processes and threads of each."""

    rounds: dict[tuple[int, int], list[float]] = field(default_factory=dict)

    def median(self, shape: tuple[int, int]) -> float:
        return statistics.median(self.rounds[shape])

    def ratio(self, shape: tuple[int, int]) -> float:
        """The median of the rounds' ratios to one connection: the two of a round saw the same machine."""
        return statistics.median(many / one for one, many in zip(self.rounds[ONE], self.rounds[shape], strict=True))


def rates(url: str, *, rounds: int, seconds: float) -> Rates:
    """Measure all shapes in turns."""
    found = Rates()
    with workers(*[url] * CONNECTIONS) as pool:
        for turn in range(rounds + 1):
            for processes, threads in SHAPES:
                used = pool[:processes]
                for one in used:
                    one.ask(Steps(seconds, threads))
                steps_per_s = sum(one.answer() for one in used)
                if turn:  # the first round warms up
                    found.rounds.setdefault((processes, threads), []).append(steps_per_s)
    return found
