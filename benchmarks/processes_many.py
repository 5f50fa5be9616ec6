"""Worker processes that run cases on a connection each, as production does; threads in one process, for comparison.

A machine that serves eight connections runs eight processes: the interpreter's lock lets one thread of a process run at a time.
A worker holds its database open, so that two databases can be timed in turns.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchmarks.processes_ground import STEPS_PER_CASE, our_case, publish, set_up


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

    def steps_until(end: float, found: list[int]) -> None:
        done = 0
        while time.perf_counter() < end:
            our_case(definition, next(numbers))
            done += STEPS_PER_CASE
        found.append(done)

    def on_own_connection(end: float, found: list[int]) -> None:
        steps_until(end, found)
        connection.close()

    while (asked := pipe.recv()) is not None:
        if isinstance(asked, Doors):
            starts: list[float] = []
            completions: list[float] = []
            for _ in range(asked.cases):
                for every, one in zip((starts, completions), full_case(definition, actor, now=asked.now), strict=True):
                    every += one
            pipe.send((starts, completions))
            continue
        began, found = time.perf_counter(), list[int]()
        end = began + asked.seconds
        if asked.threads == 1:
            steps_until(end, found)
        else:
            threads = [threading.Thread(target=on_own_connection, args=(end, found)) for _ in range(asked.threads)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        pipe.send(sum(found) / (time.perf_counter() - began))
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
    """This function will start a worker for each database named, one after the other, and end them afterwards."""
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
    """Steps a second of each round, on one connection, on eight in as many processes, on eight threads of one process."""

    one: list[float] = field(default_factory=list)
    eight: list[float] = field(default_factory=list)
    threads: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: the two of a round saw the same machine."""
        return statistics.median(eight / one for one, eight in zip(self.one, self.eight, strict=True))


def rates(url: str, *, rounds: int, seconds: float, connections: int = 8) -> Rates:
    """This function will measure the three in turns."""
    found = Rates()
    with workers(*[url] * connections) as pool:
        for turn in range(rounds):
            for group, times in ((pool[:1], found.one), (pool, found.eight)):
                for one in group:
                    one.ask(Steps(seconds))
                times.append(sum(one.answer() for one in group))
            if turn % 3 == 0:
                pool[0].ask(Steps(seconds, threads=connections))
                found.threads.append(pool[0].answer())
    return found
