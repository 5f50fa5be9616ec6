"""What it costs to take people in from a file, beside PostgreSQL's own COPY of the very rows.

An invented province is drawn (`synthesize_rows_per_s`) and imported: staging, every check, the register's six tables, one
audit entry and one event a batch. Then the rows that this wrote are copied out, the tables emptied, and the rows copied in
again, as an operator's script would, with the same keys and indexes and without any check.

Each part says when it is over, so that a long run can be followed; `minutes` tells how long each took.

    python -m benchmarks.population [--persons N] [--match-rows N] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg

from benchmarks import population_lookups, population_province
from benchmarks.processes_ground import cluster

TABLES = (
    "household", "person", "person_version", "identity_number", "household_member", "residence",
)  # fmt: skip


def raw_copy(url: str, folder: Path) -> tuple[float, int]:
    """Copy the register's rows out, empty the tables, and copy them in again; give the seconds of the last, and the people."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in TABLES:
            with (
                (folder / f"{table}.copy").open("wb") as out,
                connection.cursor().copy(f"COPY population_{table} TO STDOUT (FORMAT binary)") as copy,
            ):
                for block in copy:
                    out.write(block)
        people = connection.execute("SELECT count(*) FROM population_person").fetchone()
        connection.execute(f"TRUNCATE {', '.join(f'population_{table}' for table in TABLES)} CASCADE")
        connection.execute("CHECKPOINT")
        began = time.perf_counter()
        for table in TABLES:
            with (
                (folder / f"{table}.copy").open("rb") as read,
                connection.cursor().copy(f"COPY population_{table} FROM STDIN (FORMAT binary)") as copy,
            ):
                while block := read.read(1 << 20):
                    copy.write(block)
            # Or each row's person would be looked for by the plan for an empty table.
            connection.execute(f"ANALYZE population_{table}")
        return time.perf_counter() - began, int(people[0]) if people else 0


class Phases:
    """How many minutes each part took."""

    def __init__(self) -> None:
        self.at, self.minutes = time.perf_counter(), dict[str, float]()

    def over(self, name: str) -> None:
        """Note that a part is over, and say so."""
        at, before = time.perf_counter(), self.at
        self.at, self.minutes[name] = at, round((at - before) / 60, 2)
        print(f"{name}: {at - before:.0f} s", file=sys.stderr, flush=True)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=5_000_000)
    parser.add_argument("--match-rows", type=int, default=1_000_000, help="rows of the file that is compared")
    parser.add_argument("--quick", action="store_true", help="200,000 people")
    args = parser.parse_args()
    persons = 200_000 if args.quick else args.persons
    began, phases = time.perf_counter(), Phases()
    with cluster() as server:
        from furong.entrypoints.demo import PACK
        from furong.foundation.access.values import Actor, Basis
        from furong.registries.population import bulk
        from furong.registries.population.demo.content import read_content

        folder = Path(os.environ["FURONG_HOME"]) / "import"
        folder.mkdir()
        drawn = bulk.synthesize(
            content=read_content(PACK), persons=persons, folder=folder / "people", today=date(2026, 11, 23)
        )
        phases.over("draw")
        at, written = time.perf_counter(), 0
        for source in sorted((folder / "people").iterdir()):
            done = bulk.import_people(
                source=source,
                mapping=None,
                folder=folder / "staged",
                rejects=folder / "rejects.csv",
                actor=Actor.system("benchmark"),
                basis=Basis(purpose="benchmark", legal_basis="benchmark"),
                now=lambda: datetime.now(UTC),
                allow_reserved=True,
            )
            written += done.written
            if done.rejected:
                raise RuntimeError(f"{source.name}: {done.reasons}")
        seconds = time.perf_counter() - at
        phases.over("import")
        if written != drawn.people:
            raise RuntimeError(f"{written} of {drawn.people} were written")
        raw, people = raw_copy(server.url("bench_population"), folder)
        phases.over("copy out and in")
        if people != written:
            raise RuntimeError(f"{people} people were copied")
        with psycopg.connect(server.url("bench_population"), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            held = population_province.sizes(connection, [f"population_{table}" for table in TABLES])
        phases.over("vacuum")
        found = population_lookups.lookups(server.url("bench_population"))
        phases.over("look-ups")
        found |= population_lookups.searches(server.url("bench_population"))
        phases.over("searches")
        asked = min(args.match_rows, written // 2)
        found |= population_lookups.matches(server.url("bench_population"), folder, rows=asked)
        phases.over("comparison")
    figures = {
        "benchmark": "population",
        "quick": args.quick,
        "persons": written,
        "synthesize_rows_per_s": round(drawn.people / drawn.seconds),
        "load_rows_per_s": round(written / seconds),
        "copy_rows_per_s": round(written / raw),
        "load_ratio": round(raw / seconds, 2),
        "bytes_a_person": {table: [round(part / written) for part in both] for table, both in held.items()},
        **found,
        "load_at_end": round(os.getloadavg()[0], 1),
        "minutes": {**phases.minutes, "all": round((time.perf_counter() - began) / 60, 1)},
    }
    print(f"\n{'drawing an invented province':<44}{figures['synthesize_rows_per_s']:>10,} people/s")
    print(f"{'taking people in':<44}{'people/s':>10}")
    print(f"{'import: checks, keys, audit, six tables':<44}{figures['load_rows_per_s']:>10,}")
    print(f"{'COPY of the same rows into the same tables':<44}{figures['copy_rows_per_s']:>10,}")
    print(f"\n{'looking people up by number':<44}{'1 caller':>10}{'16 callers':>12}{'in 1 process':>14}")
    for text, name in (
        ("ours: rights, pace, terms, durable entry, /s", "lookups_per_s"),
        ("the bare prepared query, /s", "bare_per_s"),
        ("ours, median ms", "lookup_p50_ms"),
        ("ours, 99th of 100, ms", "lookup_p99_ms"),
        ("ours, the client's CPU, ms", "lookup_cpu_ms"),
        ("bare, the client's CPU, ms", "bare_cpu_ms"),
    ):
        values = [figures[f"{name}{end}"] for end in ("", "_16", "_one_process")]
        print(f"{text:<44}{values[0]:>10,}{values[1]:>12,}{values[2]:>14,}")
    ratios = [figures[f"lookup_ratio{end}"] for end in ("_1", "", "_one_process")]
    print(f"{'times as many bare':<44}{ratios[0]:>10}{ratios[1]:>12}{ratios[2]:>14}")
    print(f"\n{'a page of a search, 95th of 100, ms':<44}{figures['name_search_p95_ms']:>10}")
    for kind, taken in figures["name_search_kinds_p95_ms"].items():
        print(f"    {kind:<40}{taken:>10}")
    label = f"comparing a file of {figures['match_rows']:,} people, s"
    print(f"{label:<44}{figures['match_seconds']:>10}")
    print(json.dumps(figures), flush=True)
    # Each starts clusters of its own, and a Django that points at them.
    for part in ("population_moves", "population_centres"):
        subprocess.run([sys.executable, "-m", f"benchmarks.{part}", *(["--quick"] if args.quick else [])], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
