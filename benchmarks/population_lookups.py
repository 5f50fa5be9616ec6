"""What it costs to look people up: by number with rights, pace, decision and a durable entry in the log, beside the bare query.

The bare caller is a program of the same kind without any of that: as many threads of one process, a connection each, the very
statement prepared. Both take turns in short rounds, so that they see the same machine.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

CALLERS = 16
ROUNDS = 5
SECONDS = 3.0
FIELDS = ("name", "sex", "born_on", "division_code", "status", "address")


def sample(connection: Any, count: int, *, seed: int = 11) -> list[tuple[str, str, str, str, str, Any]]:
    """Give number, name, name_plain, name_initials, sex and birth of people drawn at random."""
    people = connection.execute("SELECT reltuples::bigint FROM pg_class WHERE relname = 'population_person'").fetchone()
    share = min(100.0, 100.0 * 3 * count / max(1, int(people[0])))
    found = connection.execute(
        "SELECT n.number, p.name, p.name_plain, p.name_initials, p.sex, p.born_on FROM population_person AS p "
        f"TABLESAMPLE SYSTEM ({share}) REPEATABLE ({seed}) JOIN population_identity_number AS n USING (person_id)"
    ).fetchall()
    random.Random(seed).shuffle(found)
    return found[:count]


def police() -> Any:
    """Give a police officer of the whole province, with the rights to search and to read."""
    from furong.foundation.access.commands import set_post_rights
    from furong.foundation.access.values import Actor, ActorKind, Assurance, PostRight
    from furong.foundation.codes.ids import new_id

    post = new_id()
    rights = [PostRight(right=right, division_prefix="43") for right in ("population.search", "population.read")]
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
    callers: int, seconds: float, make: Callable[[int], Callable[[int], object]]
) -> tuple[float, list[float]]:
    """Have ``callers`` threads call again and again what ``make`` gives each; give calls a second and each call's seconds."""
    from django.db import connections

    barrier, stop = threading.Barrier(callers + 1), threading.Event()
    taken: list[list[float]] = [[] for _ in range(callers)]
    faults: list[BaseException] = []

    def run(place: int) -> None:
        try:
            call = make(place)
            for step in range(8):  # prepared, connected, rights read
                call(step)
            barrier.wait()
            step, mine = 8, taken[place]
            while not stop.is_set():
                at = time.perf_counter()
                call(step)
                mine.append(time.perf_counter() - at)
                step += 1
        except BaseException as error:  # noqa: BLE001 - told below
            faults.append(error)
            barrier.abort()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(callers)]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - began
    if faults:
        raise faults[0]
    calls = [one for several in taken for one in several]
    return len(calls) / wall, calls


def lookups(url: str, *, rounds: int = ROUNDS, seconds: float = SECONDS) -> dict[str, float]:
    """Measure look-ups by number at one and at sixteen callers, ours and bare."""
    import psycopg
    from django.conf import settings

    from furong.foundation.access.values import Basis
    from furong.registries.population import queries
    from furong.registries.population.queries import reading

    settings.POPULATION_PACES = {"population.get_by_number": (10_000_000, 1_000_000_000)}
    with psycopg.connect(url, autocommit=True) as connection:
        numbers = [row[0] for row in sample(connection, 20_000)]
    actor, basis = police(), Basis(purpose="benchmark", legal_basis="benchmark")
    sql = reading._columns_of(FIELDS).format(*reading._BY_NUMBER)

    def ours(place: int) -> Callable[[int], object]:
        def call(step: int) -> None:
            number = numbers[(place * 7919 + step) % len(numbers)]
            found = queries.get_by_number(number=number, fields=FIELDS, actor=actor, basis=basis, now=datetime.now(UTC))
            if found is None:
                raise RuntimeError("nobody was found")

        return call

    def bare(place: int) -> Callable[[int], object]:
        cursor = psycopg.connect(url, autocommit=True).cursor()

        def call(step: int) -> None:
            number = numbers[(place * 7919 + step) % len(numbers)]
            cursor.execute(sql, [number, "111"], prepare=True)
            if len(cursor.fetchall()) != 1:
                raise RuntimeError("nobody was found")

        return call

    found: dict[str, float] = {}
    for callers in (1, CALLERS):
        speeds: dict[str, list[float]] = {"ours": [], "bare": []}
        times: list[float] = []
        for _ in range(rounds):
            speed, calls = in_threads(callers, seconds, ours)
            speeds["ours"].append(speed)
            times += calls
            speeds["bare"].append(in_threads(callers, seconds, bare)[0])
        end = "" if callers == 1 else f"_{callers}"
        times.sort()
        found[f"lookup_p50_ms{end}"] = round(1000 * times[len(times) // 2], 2)
        found[f"lookup_p99_ms{end}"] = round(1000 * times[len(times) * 99 // 100], 2)
        found[f"lookups_per_s{end}"] = round(statistics.median(speeds["ours"]))
        found[f"bare_per_s{end}"] = round(statistics.median(speeds["bare"]))
        ratios = [theirs / mine for mine, theirs in zip(speeds["ours"], speeds["bare"], strict=True)]
        found["lookup_ratio" if callers > 1 else "lookup_ratio_1"] = round(statistics.median(ratios), 2)
    return found


def searches(url: str, *, count: int = 500) -> dict[str, float]:
    """Measure pages of searches by name, as people type them."""
    import psycopg
    from django.conf import settings

    from furong.foundation.access.values import Basis
    from furong.registries.population import queries

    settings.POPULATION_PACES = {"population.search_people": (10_000_000, 1_000_000_000)}
    with psycopg.connect(url, autocommit=True) as connection:
        people = sample(connection, count, seed=12)
    actor, basis = police(), Basis(purpose="benchmark", legal_basis="benchmark")
    year = timedelta(days=365)
    kinds: Sequence[Callable[[Any], dict[str, Any]]] = (
        lambda one: {"name": one[1]},
        lambda one: {"name": one[1], "sex": one[4], "born_on": one[5] - year, "born_until": one[5] + year},
        lambda one: {"name": one[1][:2], "sex": one[4]},
        lambda one: {"name": one[1][:1], "division_prefix": f"{one[0][:4]}"},
        lambda one: {"name": one[1], "native_of": "43"},
        lambda one: {"pinyin": one[2]},
        lambda one: {"pinyin": one[3], "born_on": one[5]},
        lambda one: {"born_on": one[5], "sex": one[4]},
    )
    times: dict[int, list[float]] = {}
    for place, one in enumerate(people):
        kind = place % len(kinds)
        criteria = kinds[kind](one)
        at = time.perf_counter()
        page = queries.search_people(**criteria, actor=actor, basis=basis, now=datetime.now(UTC))
        if place >= 2 * len(kinds):
            times.setdefault(kind, []).append(time.perf_counter() - at)
        if kind < 2 and not page.hits:
            raise RuntimeError("nobody was found")
    taken = sorted(one for several in times.values() for one in several)
    slowest = max(sorted(several)[len(several) * 95 // 100] for several in times.values())
    return {
        "name_search_p50_ms": round(1000 * taken[len(taken) // 2], 2),
        "name_search_p95_ms": round(1000 * taken[len(taken) * 95 // 100], 2),
        "name_search_slowest_kind_p95_ms": round(1000 * slowest, 2),
    }
