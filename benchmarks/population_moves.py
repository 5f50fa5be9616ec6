"""What it costs to carry a person from one city's register to another's: two PostgreSQL clusters, both durable.

Each person comes with a history (two versions, a number, a household, two residences, the acts that wrote them). `transfer` is
the two-phase commit with its decision; `arrival` is the whole act at the counter around it: rights, checks, audit in both
registers, events. `bare` is the same protocol with one narrow row on each side and nothing else, by the same driver.

    python -m benchmarks.population_moves [--moves N] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.processes_ground import SERVER, cluster

SOURCE, DESTINATION = "centre_4302", "centre_4301"
FROM, TO = "430202001001", "430102001001"
DAY, NOW = date(2026, 11, 23), datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
THREADS = 8

HOUSEHOLDS = """
INSERT INTO population_household (household_id, number, kind, division_code, address, opened_on)
SELECT gen_random_uuid(), %(prefix)s || n, 'family', %(division)s, n || ' 号', '2020-01-01' FROM generate_series(1, %(count)s) n
RETURNING household_id
"""
PEOPLE = """
WITH one AS MATERIALIZED (
  SELECT gen_random_uuid() AS person, household_id, row_number() OVER () AS n FROM population_household
  WHERE number LIKE %(prefix)s || '%%'
), wrote AS (
  INSERT INTO population_change (id, kind, recorded_at, legal_basis, evidence, effect_digest, result)
  SELECT person, 'entry', %(now)s, '', '', '', '{}' FROM one
), p AS (
  INSERT INTO population_person (person_id, name, former_name, name_pinyin, name_plain, name_initials, sex, ethnicity, born_on,
    born_division_code, born_place, native_division_code, marital, status, division_code, household_id, version, recorded_at)
  SELECT person, '曾晓雅', '', 'zeng1 xiao3 ya3', 'zengxiaoya', 'zxy', '2', '01', '1992-08-09', '', '', '', '90', 'registered',
    %(division)s, household_id, 2, %(now)s FROM one
), v AS (
  INSERT INTO population_person_version (id, person_id, kind, facts, valid_from, valid_until, recorded_at, change_id)
  SELECT gen_random_uuid(), person, 'entry', jsonb_build_object('name', '曾晓雅', 'sex', '2', 'ethnicity', '01', 'born_on',
    '1992-08-09', 'marital', m, 'status', 'registered', 'former_name', '', 'native_division_code', ''), s, u, %(now)s, person
  FROM one, (VALUES ('10', date '1992-08-09', date '2018-10-01'), ('20', '2018-10-01', NULL)) x (m, s, u)
), i AS (
  INSERT INTO population_identity_number (id, person_id, type, number, valid_from, recorded_at, change_id)
  SELECT gen_random_uuid(), person, '111', %(prefix)s || n, '1992-08-09', %(now)s, person FROM one
), m AS (
  INSERT INTO population_household_member (id, household_id, person_id, relation, valid_from, recorded_at, change_id)
  SELECT gen_random_uuid(), household_id, person, '02', '2020-01-01', %(now)s, person FROM one
), r AS (
  INSERT INTO population_residence (id, person_id, kind, division_code, address, reason, valid_from, valid_until, recorded_at,
    change_id)
  SELECT gen_random_uuid(), person, 'permanent', %(division)s, '青石巷 ' || n || ' 号', '', s, u, %(now)s, person
  FROM one, (VALUES (date '1992-08-09', date '2020-01-01'), ('2020-01-01', NULL)) x (s, u)
)
SELECT person FROM one
"""
MOVES = """
INSERT INTO population_move (id, person_id, state, reason, words, applicant_person_id, from_division, to_division,
  to_household_id, to_address, opens_household, consent, guardian_evidence, permit_number, permit_until, certificate_number,
  certificate_until, departed_on, applied_at, changed_at)
SELECT gen_random_uuid(), p, 'out', 'work', '', p, %(from)s, %(to)s, h, '', false, '', '', 'ZQ', '2026-12-30', 'QY',
  '2026-12-20', '2026-11-20', %(now)s, %(now)s FROM unnest(%(people)s::uuid[], %(homes)s::uuid[]) x (p, h)
RETURNING id
"""
BARE = "CREATE TABLE bare_person (person_id uuid PRIMARY KEY, status text); CREATE TABLE bare_decision (gid text PRIMARY KEY)"


def in_threads(items: list[Any], work: Callable[[Any], None], *, threads: int) -> float:
    """Do the work on every item, some at a time; give the seconds. The first failure ends the run."""
    failed: list[BaseException] = []
    barrier = threading.Barrier(threads + 1)

    def run(part: list[Any]) -> None:
        from django.db import connections

        try:
            for alias in (SOURCE, DESTINATION):
                connections[alias].ensure_connection()
            barrier.wait()
            for item in part:
                work(item)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            failed.append(error)
            barrier.abort()
        finally:
            for alias in (SOURCE, DESTINATION):
                connections[alias].close()

    running = [threading.Thread(target=run, args=(items[n::threads],)) for n in range(threads)]
    for one in running:
        one.start()
    barrier.wait()
    began = time.perf_counter()
    for one in running:
        one.join()
    if failed:
        raise failed[0]
    return time.perf_counter() - began


def bare(people: list[UUID], urls: tuple[str, str]) -> Callable[[UUID], None]:
    """The protocol alone: one row on each side, the decision, and the three commits."""
    source, destination = urls
    with psycopg.connect(source, autocommit=True) as a, psycopg.connect(destination, autocommit=True) as b:
        for one in (a, b):
            one.execute(BARE)
        with a.cursor().copy("COPY bare_person FROM STDIN") as copy:
            for key in people:
                copy.write_row((key, "registered"))
    held = threading.local()

    def move(key: UUID) -> None:
        if not hasattr(held, "a"):
            held.a, held.b = psycopg.connect(source), psycopg.connect(destination)
        a, b, gid = held.a, held.b, f"bare-{key}"
        a.execute("SELECT status FROM bare_person WHERE person_id = %s FOR UPDATE", [key])
        b.execute("INSERT INTO bare_person VALUES (%s, 'registered')", [key])
        b.execute(f"PREPARE TRANSACTION '{gid}'".encode())
        a.execute("UPDATE bare_person SET status = 'moved' WHERE person_id = %s", [key])
        a.execute("INSERT INTO bare_decision VALUES (%s)", [gid])
        a.commit()
        b.autocommit = True
        b.execute(f"COMMIT PREPARED '{gid}'".encode())
        b.autocommit = False

    return move


def fill(urls: tuple[str, str], count: int, prefix: str) -> list[tuple[UUID, UUID]]:
    """Write people at the source and households that wait for them at the destination."""
    given = {"count": count, "prefix": prefix, "now": NOW}
    with psycopg.connect(urls[0], autocommit=True) as source, psycopg.connect(urls[1], autocommit=True) as destination:
        source.execute(HOUSEHOLDS, {**given, "division": FROM})
        people = [row[0] for row in source.execute(PEOPLE, {**given, "division": FROM}).fetchall()]
        homes = [row[0] for row in destination.execute(HOUSEHOLDS, {**given, "division": TO}).fetchall()]
        for one in (source, destination):
            one.execute("VACUUM (ANALYZE)")
            one.execute("CHECKPOINT")
    return list(zip(people, homes, strict=True))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=6_000)
    parser.add_argument("--quick", action="store_true", help="1,500 moves")
    args = parser.parse_args()
    count = 1_500 if args.quick else args.moves
    began = time.perf_counter()
    with cluster() as near:
        from furong.entrypoints.postgres import Cluster

        folder = Path(tempfile.mkdtemp(prefix="furong-bench-there-"))
        far = Cluster(folder)
        try:
            far.make()
            far.start(settings=SERVER)
            far.ensure_database("bench_population")
            urls = (near.url("bench_population"), far.url("bench_population"))
            figures = measure(urls, count)
        finally:
            far.stop()
            shutil.rmtree(folder, ignore_errors=True)
    figures |= {
        "benchmark": "population_moves",
        "quick": args.quick,
        "load_at_end": round(os.getloadavg()[0], 1),
        "minutes": round((time.perf_counter() - began) / 60, 1),
    }
    print(f"\n{'carrying people between two clusters':<44}{'1 thread':>10}{f'{THREADS} threads':>12}")
    for text, name in (
        ("transfer with its history, moves/s", "moves_per_s"),
        ("the whole arrival at the counter, moves/s", "arrivals_per_s"),
        ("the protocol with one bare row, moves/s", "bare_moves_per_s"),
    ):
        print(f"{text:<44}{figures[f'{name}_1']:>10,}{figures[name]:>12,}")
    print(json.dumps(figures))
    return 0


def measure(urls: tuple[str, str], count: int) -> dict[str, Any]:
    """Carry the people, in rounds of each kind."""
    from django.core.management import call_command
    from django.db import connections, transaction
    from psycopg.conninfo import conninfo_to_dict

    from furong.foundation.access.values import Actor, Basis
    from furong.foundation.codes.ids import new_id
    from furong.registries.population import place
    from furong.registries.population.moves import commands, ports
    from furong.registries.population.moves.transfer import Transfer, carry, let_go

    for alias, url in zip((SOURCE, DESTINATION), urls, strict=True):
        parts = conninfo_to_dict(url)
        connections.settings[alias] = connections.settings["population"] | {
            "HOST": parts["host"],
            "PORT": parts["port"],
            "NAME": parts["dbname"],
            "PASSWORD": parts["password"],
        }
    call_command("migrate", database=DESTINATION, verbosity=0, interactive=False)
    ports.bind(
        alias_of=lambda division: f"centre_{division[:4]}",
        registers=lambda: (SOURCE, DESTINATION),
        is_directed=lambda person_id, centre, version: False,
    )
    act: dict[str, Any] = {
        "actor": Actor.system("benchmark"),
        "basis": Basis(purpose="benchmark", legal_basis="benchmark"),
        "now": NOW,
    }

    def transfer(pair: tuple[UUID, UUID]) -> None:
        with transaction.atomic(using=SOURCE):
            one = Transfer(
                move_id=new_id(), person_id=pair[0], change_id=new_id(), source=SOURCE, destination=DESTINATION,
                from_division=FROM, to_division=TO, household_id=pair[1], day=DAY, now=NOW,
            )  # fmt: skip
            let_go(one)
            carry(one)

    def arrive(move_id: UUID) -> None:
        with place.at(SOURCE):
            commands.record_arrival(move_id=move_id, arrived_on=DAY, **act)

    figures: dict[str, Any] = {"moves": count}
    for threads, suffix, part in ((1, "_1", max(300, count // 4)), (THREADS, "", count)):
        pairs = fill(urls, part, f"T{threads}-")
        figures[f"moves_per_s{suffix}"] = round(part / in_threads(pairs, transfer, threads=threads))
        waiting = fill(urls, part // 2, f"A{threads}-")
        with psycopg.connect(urls[0], autocommit=True) as source:
            given = {
                "from": FROM,
                "to": TO,
                "now": NOW,
                "people": [p for p, _ in waiting],
                "homes": [h for _, h in waiting],
            }
            ids = [row[0] for row in source.execute(MOVES, given).fetchall()]
        figures[f"arrivals_per_s{suffix}"] = round(len(ids) / in_threads(ids, arrive, threads=threads))
        keys = [new_id() for _ in range(part)]
        if threads > 1:
            for url in urls:
                with psycopg.connect(url, autocommit=True) as one:
                    one.execute("DROP TABLE bare_person, bare_decision")
        figures[f"bare_moves_per_s{suffix}"] = round(part / in_threads(keys, bare(keys, urls), threads=threads))
    with psycopg.connect(urls[0]) as source, psycopg.connect(urls[1]) as destination:
        text = "SELECT count(*) FROM population_person WHERE status = %s"
        left = source.execute(text, ["moved"]).fetchone()
        there = destination.execute(text, ["registered"]).fetchone()
        doubt = destination.execute("SELECT count(*) FROM pg_prepared_xacts").fetchone()
    if left != there or doubt != (0,):
        raise RuntimeError(f"{left} left, {there} arrived, {doubt} in doubt")
    figures["transfer_ratio"] = round(figures["bare_moves_per_s"] / figures["moves_per_s"], 2)
    return figures


if __name__ == "__main__":
    raise SystemExit(main())
