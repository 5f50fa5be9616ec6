"""How long after a city's commit the province shows it: a centre and the province, each a durable PostgreSQL cluster of its own.

Writers commit at the centre at a steady pace: an act's row and a person's next version, which is what the smallest act sends. A
reader at the province asks for these people again and again. The time runs from the writer having its answer to the reader having
the row in its hand: decoding, sending, applying with the directory's trigger, and the look itself.

    python -m benchmarks.population_centres [--seconds N] [--quick]
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from benchmarks.processes_ground import SERVER, cluster

CODE = "4301"
LANES = 4  # writers; each has a person of its own, whose version counts its commits
PACES = (50, 500)  # commits a second, of all writers
LOOK_SECONDS = 0.0002

PERSON = """
INSERT INTO population_person (person_id, name, former_name, name_pinyin, name_plain, name_initials, sex, ethnicity, born_on,
  born_division_code, born_place, native_division_code, marital, status, division_code, version, recorded_at)
VALUES (%s, '曾晓雅', '', 'zeng1 xiao3 ya3', 'zengxiaoya', 'zxy', '2', '01', '1992-08-09', '', '', '', '90', 'registered',
  '430102001001', 0, now())
"""
ACT = """
WITH act AS (INSERT INTO population_change (id, kind, recorded_at, legal_basis, evidence, effect_digest, result)
  VALUES (%s, 'amendment', %s, '', 'benchmark', '', '{}'))
UPDATE population_person SET version = %s, recorded_at = %s WHERE person_id = %s
"""
LOOK = f"SELECT person_id, version FROM public.population_person_{CODE} WHERE person_id = ANY(%s)"


def measure(centre_url: str, province_url: str, *, pace: int, seconds: float) -> list[float]:
    """Commit ``pace`` times a second for ``seconds``; give, for each commit, the seconds until it was seen, in order."""
    people = [uuid4() for _ in range(LANES)]
    count = max(1, int(pace * seconds / LANES))
    commits: dict[UUID, list[float]] = {key: [] for key in people}
    with psycopg.connect(centre_url, autocommit=True) as centre:
        for key in people:
            centre.execute(PERSON, [key])
    began = time.perf_counter() + 1.0
    threads = [
        threading.Thread(target=_write, args=(centre_url, key, count, began + lane / pace, LANES / pace, commits[key]))
        for lane, key in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    seen = _watch(province_url, people, count, until=began + seconds + 60)
    for thread in threads:
        thread.join()
    found = []
    for key, at in commits.items():
        versions = [version for version, _ in seen[key]]
        for number, committed in enumerate(at, 1):
            found.append(max(0.0, seen[key][bisect.bisect_left(versions, number)][1] - committed))
    return sorted(found)


def _write(url: str, key: UUID, count: int, begin: float, pause: float, commits: list[float]) -> None:
    with psycopg.connect(url, autocommit=True) as centre:
        for number in range(1, count + 1):
            time.sleep(max(0.0, begin + (number - 1) * pause - time.perf_counter()))
            at = datetime.now(UTC)
            centre.execute(ACT, [uuid4(), at, number, at, key], prepare=True)
            commits.append(time.perf_counter())


def _watch(url: str, people: list[UUID], count: int, *, until: float) -> dict[UUID, list[tuple[int, float]]]:
    """Ask until every person's last version is seen; give the versions seen of each, and when."""
    seen: dict[UUID, list[tuple[int, float]]] = {key: [] for key in people}
    last = dict.fromkeys(people, 0)
    with psycopg.connect(url, autocommit=True) as province:
        while min(last.values()) < count:
            rows = province.execute(LOOK, [people], prepare=True).fetchall()
            at = time.perf_counter()
            for key, version in rows:
                if version > last[key]:
                    last[key] = version
                    seen[key].append((version, at))
            if at > until:
                raise TimeoutError("The province did not show what the centre committed.")
            time.sleep(LOOK_SECONDS)
    return seen


def figures(*, seconds: float) -> dict[str, Any]:
    """Start centre and province, join them, and measure at each pace."""
    with cluster() as province:
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connections
        from psycopg.conninfo import conninfo_to_dict

        from furong.entrypoints.postgres import Cluster
        from furong.registries.population import centres
        from furong.registries.population.centres import replication

        folder = Path(tempfile.mkdtemp(prefix="furong-bench-centre-"))
        centre = Cluster(folder)
        try:
            centre.make()
            centre.start(settings=SERVER)
            centre.ensure_database("bench_centre")
            url = centre.url("bench_centre")
            parts = conninfo_to_dict(url)
            connections.settings[f"centre_{CODE}"] = connections.settings["population"] | {
                "HOST": parts["host"],
                "PORT": parts["port"],
                "NAME": parts["dbname"],
                "PASSWORD": parts["password"],
            }
            settings.POPULATION_CENTRES = frozenset({CODE})
            call_command("migrate", database=f"centre_{CODE}", verbosity=0, interactive=False)
            centres.shape_province([CODE])
            centres.shape_centre(CODE)
            replication.join(CODE, copy=False)
            found: dict[str, Any] = {}
            measure(url, province.url("bench_population"), pace=PACES[0], seconds=2)  # plans, catalogues, connections
            for pace in PACES:
                times = measure(url, province.url("bench_population"), pace=pace, seconds=seconds)
                end = "" if pace == PACES[0] else f"_{pace}"
                found[f"replication_p50_ms{end}"] = round(1000 * times[len(times) // 2], 2)
                found[f"replication_p99_ms{end}"] = round(1000 * times[len(times) * 99 // 100], 2)
                found[f"replication_commits{end}"] = len(times)
            replication.leave(CODE)
        finally:
            connections.close_all()
            centre.stop()
            shutil.rmtree(folder, ignore_errors=True)
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each pace")
    parser.add_argument("--quick", action="store_true", help="8 seconds of each pace")
    args = parser.parse_args()
    began = time.perf_counter()
    told = {
        "benchmark": "population_centres",
        "quick": args.quick,
        **figures(seconds=8.0 if args.quick else args.seconds),
        "load_at_end": round(os.getloadavg()[0], 1),
        "minutes": round((time.perf_counter() - began) / 60, 1),
    }
    print(f"\n{'a commit at a centre, seen at the province':<44}{'50/s':>10}{'500/s':>12}")
    for text, name in (("median ms", "replication_p50_ms"), ("99th of 100, ms", "replication_p99_ms")):
        print(f"{text:<44}{told[name]:>10}{told[f'{name}_500']:>12}")
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
