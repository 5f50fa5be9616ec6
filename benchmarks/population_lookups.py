"""What it costs to look people up: by number with rights, pace, decision and a durable entry in the log, beside the bare query.

The bare caller is a program of the same kind without any of that: as many processes and threads, a connection each, the very
statement prepared. Both take turns in short rounds, so that they see the same machine. Sixteen callers are two processes of eight
threads, as ``furong web`` runs; the same in one process is told beside it.
"""

from __future__ import annotations

import multiprocessing
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROUNDS = 5
SECONDS = 3.0
FIELDS = ("name", "sex", "born_on", "division_code", "status", "address")
WARM = 8  # calls of each thread before time is taken: prepared, connected, rights read


def sample_numbers(connection: Any, count: int, *, seed: int = 11) -> list[str]:
    """Give numbers drawn evenly at random from all over the register."""
    (held,) = connection.execute(
        "SELECT sum(reltuples)::bigint FROM pg_class WHERE relkind = 'r' AND relname ~ '^population_identity_number(_[0-9]+)?$'"
    ).fetchone()
    share = min(100.0, 100.0 * 1.3 * count / max(1, int(held)))
    found = connection.execute(
        f"SELECT number FROM public.population_identity_number TABLESAMPLE BERNOULLI ({share:.6f}) REPEATABLE ({seed})"
    ).fetchall()
    random.Random(seed).shuffle(found)
    return [row[0] for row in found[:count]]


def sample(connection: Any, count: int, *, seed: int = 11) -> list[tuple[str, str, str, str, str, Any]]:
    """Give number, name, name_plain, name_initials, sex and birth of people drawn at random."""
    return [
        connection.execute(
            "SELECT k.number, p.name, p.name_plain, p.name_initials, p.sex, p.born_on FROM population_identity_number AS k "
            "JOIN population_person AS p USING (person_id) "
            "WHERE k.number = %s AND k.type = '111' AND k.superseded_at IS NULL AND k.valid_until IS NULL",
            [number],
        ).fetchone()
        for number in sample_numbers(connection, count, seed=seed)
    ]


def police() -> Any:
    """Give a police officer of the whole province, with the rights to search and to read."""
    from furong.foundation.access.commands import set_post_rights
    from furong.foundation.access.values import Actor, ActorKind, Assurance, PostRight
    from furong.foundation.codes.ids import new_id

    post = new_id()
    rights = [
        PostRight(right=right, division_prefix="43")
        for right in ("population.search", "population.read", "population.match")
    ]
    set_post_rights(post_id=post, rights=rights, now=datetime.now(UTC))
    return Actor(
        kind=ActorKind.STAFF,
        account_id=new_id(),
        post_id=post,
        organization_id=new_id(),
        assurance=Assurance.IN_PERSON,
        label="benchmark",
        organization_label="benchmark",
    )


def in_threads(
    callers: int, make: Callable[[int], Callable[[int], object]], barrier: Any, seconds: float
) -> tuple[float, list[float]]:
    """Have ``callers`` threads call again and again what ``make`` gives each, from the barrier on; give calls a second and each
    call's seconds.
    """
    from django.db import connections

    stop = threading.Event()
    ready = threading.Barrier(callers + 1)
    taken: list[list[float]] = [[] for _ in range(callers)]
    faults: list[BaseException] = []

    def run(place: int) -> None:
        try:
            call = make(place)
            for step in range(WARM):
                call(step)
            ready.wait()
            step, mine = WARM, taken[place]
            while not stop.is_set():
                at = time.perf_counter()
                call(step)
                mine.append(time.perf_counter() - at)
                step += 1
        except BaseException as error:  # noqa: BLE001 - told below
            faults.append(error)
            ready.abort()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(callers)]
    for thread in threads:
        thread.start()
    try:
        barrier.wait(300)
        ready.wait(300)
        began = time.perf_counter()
        time.sleep(seconds)
    except threading.BrokenBarrierError:
        began = time.perf_counter()
    stop.set()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - began
    if faults:
        raise faults[0]
    calls = [one for several in taken for one in several]
    return len(calls) / wall, calls


def _child(place: int, url: str, actor: Any, numbers: list[str], barrier: Any, told: Any) -> None:
    """A process of callers: does what it is told through the pipe, and answers with what `in_threads` gave."""
    from benchmarks.processes_ground import set_up

    set_up()
    import psycopg
    from django.conf import settings

    from furong.foundation.access.values import Basis
    from furong.registries.population import queries
    from furong.registries.population.queries import reading

    settings.POPULATION_PACES = {"population.get_by_number": (10_000_000, 1_000_000_000)}
    basis = Basis(purpose="benchmark", legal_basis="benchmark")
    sql = reading._statement(FIELDS, *reading._BY_NUMBER)

    def number_of(caller: int, step: int) -> str:
        return numbers[((place * 8 + caller) * 7919 + step) % len(numbers)]

    def ours(caller: int) -> Callable[[int], object]:
        def call(step: int) -> None:
            found = queries.get_by_number(
                number=number_of(caller, step), fields=FIELDS, actor=actor, basis=basis, now=datetime.now(UTC)
            )
            if found is None:
                raise RuntimeError("nobody was found")

        return call

    def bare(caller: int) -> Callable[[int], object]:
        cursor = psycopg.connect(url, autocommit=True).cursor()

        def call(step: int) -> None:
            cursor.execute(sql, [number_of(caller, step), "111"], prepare=True)
            if len(cursor.fetchall()) != 1:
                raise RuntimeError("nobody was found")

        return call

    while (asked := told.recv()) is not None:
        kind, threads, seconds = asked
        cpu = time.process_time()
        try:
            speed, calls = in_threads(threads, ours if kind == "ours" else bare, barrier, seconds)
            told.send((speed, calls, time.process_time() - cpu))
        except BaseException as error:  # noqa: BLE001 - told where it is seen
            told.send(error)


@contextmanager
def callers(processes: int, url: str, actor: Any, numbers: list[str]) -> Iterator[Callable[..., Any]]:
    """Start processes of callers; give what has all of them call for a while: calls a second, seconds of each, CPU of all."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    pipes, running = [], []
    for place in range(processes):
        mine, theirs = context.Pipe()
        one = context.Process(target=_child, args=(place, url, actor, numbers, barrier, theirs), daemon=True)
        one.start()
        pipes.append(mine)
        running.append(one)

    def call(kind: str, *, threads: int, seconds: float) -> tuple[float, list[float], float]:
        for pipe in pipes:
            pipe.send((kind, threads, seconds))
        answers = []
        for pipe in pipes:
            if not pipe.poll(seconds + 400):
                raise TimeoutError("a process of callers does not answer")
            answer = pipe.recv()
            if isinstance(answer, BaseException):
                raise answer
            answers.append(answer)
        return (
            sum(one[0] for one in answers),
            [each for one in answers for each in one[1]],
            sum(one[2] for one in answers),
        )

    try:
        yield call
    finally:
        for pipe, one in zip(pipes, running, strict=True):
            with suppress(OSError):
                pipe.send(None)
            one.join(10)
            if one.is_alive():
                one.terminate()


def lookups(url: str, *, rounds: int = ROUNDS, seconds: float = SECONDS) -> dict[str, float]:
    """Measure look-ups by number at one and at sixteen callers, ours and bare."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        numbers = sample_numbers(connection, 20_000)
    actor = police()
    found: dict[str, float] = {}
    for processes, threads, end in ((1, 1, ""), (2, 8, "_16"), (1, 16, "_one_process")):
        speeds: dict[str, list[float]] = {"ours": [], "bare": []}
        cpu: dict[str, list[float]] = {"ours": [], "bare": []}
        times: list[float] = []
        with callers(processes, url, actor, numbers) as call:
            for _ in range(rounds):
                for kind in ("ours", "bare"):
                    speed, calls, spent = call(kind, threads=threads, seconds=seconds)
                    speeds[kind].append(speed)
                    cpu[kind].append(1000 * spent / len(calls))
                    if kind == "ours":
                        times += calls
        times.sort()
        found[f"lookup_p50_ms{end}"] = round(1000 * times[len(times) // 2], 2)
        found[f"lookup_p99_ms{end}"] = round(1000 * times[len(times) * 99 // 100], 2)
        found[f"lookups_per_s{end}"] = round(statistics.median(speeds["ours"]))
        found[f"bare_per_s{end}"] = round(statistics.median(speeds["bare"]))
        found[f"lookup_cpu_ms{end}"] = round(statistics.median(cpu["ours"]), 3)
        found[f"bare_cpu_ms{end}"] = round(statistics.median(cpu["bare"]), 3)
        ratios = [theirs / mine for mine, theirs in zip(speeds["ours"], speeds["bare"], strict=True)]
        found["lookup_ratio" if end == "_16" else f"lookup_ratio{end or '_1'}"] = round(statistics.median(ratios), 2)
    return found


def cold(url: str, *, count: int = 2_000) -> dict[str, float]:
    """Measure look-ups of people whom nobody has asked for since the server was started, one after another."""
    import psycopg
    from django.conf import settings

    from furong.foundation.access.values import Basis
    from furong.registries.population import queries

    settings.POPULATION_PACES = {"population.get_by_number": (10_000_000, 1_000_000_000)}
    with psycopg.connect(url, autocommit=True) as connection:
        numbers = sample_numbers(connection, count, seed=13)
    actor, basis = police(), Basis(purpose="benchmark", legal_basis="benchmark")
    times = []
    for number in numbers:
        at = time.perf_counter()
        found = queries.get_by_number(number=number, fields=FIELDS, actor=actor, basis=basis, now=datetime.now(UTC))
        times.append(time.perf_counter() - at)
        if found is None:
            raise RuntimeError("nobody was found")
    times = sorted(times[WARM:])
    return {
        "lookup_first_p50_ms": round(1000 * times[len(times) // 2], 2),
        "lookup_first_p99_ms": round(1000 * times[len(times) * 99 // 100], 2),
    }


KINDS = {
    "name": lambda one: {"name": one[1]},
    "name and birth range": lambda one: {
        "name": one[1],
        "sex": one[4],
        "born_on": one[5] - timedelta(days=365),
        "born_until": one[5] + timedelta(days=365),
    },
    "beginning of the name": lambda one: {"name": one[1][:2], "sex": one[4]},
    "surname and city": lambda one: {"name": one[1][:1], "division_prefix": f"{one[0][:4]}"},
    "name and native place": lambda one: {"name": one[1], "native_of": "43"},
    "pinyin": lambda one: {"pinyin": one[2]},
    "initials and birthday": lambda one: {"pinyin": one[3], "born_on": one[5]},
    "birthday": lambda one: {"born_on": one[5], "sex": one[4]},
}


def searches(url: str, *, count: int = 500, kinds: Sequence[str] = tuple(KINDS)) -> dict[str, Any]:
    """Measure pages of searches by name, as people type them."""
    import psycopg
    from django.conf import settings

    from furong.foundation.access.values import Basis
    from furong.registries.population import queries

    settings.POPULATION_PACES = {"population.search_people": (10_000_000, 1_000_000_000)}
    with psycopg.connect(url, autocommit=True) as connection:
        people = sample(connection, count, seed=12)
    actor, basis = police(), Basis(purpose="benchmark", legal_basis="benchmark")
    times: dict[str, list[float]] = {}
    for place, one in enumerate(people):
        kind = kinds[place % len(kinds)]
        criteria = KINDS[kind](one)
        at = time.perf_counter()
        page = queries.search_people(**criteria, actor=actor, basis=basis, now=datetime.now(UTC))
        if place >= 2 * len(kinds):
            times.setdefault(kind, []).append(time.perf_counter() - at)
        if not page.hits:
            raise RuntimeError(f"nobody was found by {kind}")
    taken = sorted(one for several in times.values() for one in several)
    each = {kind: sorted(several)[len(several) * 95 // 100] for kind, several in times.items()}
    return {
        "name_search_p50_ms": round(1000 * taken[len(taken) // 2], 2),
        "name_search_p95_ms": round(1000 * taken[len(taken) * 95 // 100], 2),
        "name_search_kinds_p95_ms": {kind: round(1000 * seconds, 2) for kind, seconds in each.items()},
    }


def matches(url: str, folder: Path, *, rows: int = 1_000_000) -> dict[str, Any]:
    """Measure the comparison of a file with the register, by number with the name: asked for, compared, kept, recorded."""
    import polars as pl
    import psycopg

    from furong.foundation.access.values import Basis
    from furong.registries.population.matches import commands
    from furong.registries.population.matches.models import Match

    with psycopg.connect(url, autocommit=True) as connection:
        numbers = sample_numbers(connection, rows, seed=14)
        names: dict[str, str] = dict(
            connection.execute(
                "SELECT k.number, p.name FROM unnest(%s::text[]) AS g(number) JOIN population_identity_number AS k "
                "ON k.number = g.number JOIN population_person AS p USING (person_id)",
                [numbers],
            ).fetchall()
        )
    # Every tenth carries another name, every tenth a number that nobody has.
    asked = [
        {
            "number": number if place % 10 != 1 else f"{number[:6]}1899{number[10:]}",
            "name": names[number] if place % 10 else "别的人",
        }
        for place, number in enumerate(numbers)
    ]
    source = folder / "asked.parquet"
    pl.DataFrame(asked).write_parquet(source)
    actor, basis = police(), Basis(purpose="benchmark", legal_basis="benchmark")
    at, cpu = time.perf_counter(), time.process_time()
    match_id = commands.request_match(
        source=source,
        file_name=source.name,
        columns={},
        fields=("number_masked", "name_masked", "sex", "status"),
        actor=actor,
        basis=basis,
        now=datetime.now(UTC),
    )
    request_seconds = time.perf_counter() - at
    commands.carry_out(match_id=match_id, now=datetime.now(UTC))
    seconds = time.perf_counter() - at
    told = Match.objects.get(pk=match_id)
    if told.state != "done":
        raise RuntimeError(f"the comparison ended as {told.state}: {told.problem}")
    return {
        "match_rows": len(asked),
        "match_seconds": round(seconds, 1),
        "match_request_seconds": round(request_seconds, 1),
        "match_cpu_seconds": round(time.process_time() - cpu, 1),
        "match_answers": told.counts,
    }
