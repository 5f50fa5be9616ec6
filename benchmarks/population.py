"""What it costs to take people in from a file, beside PostgreSQL's own COPY of the very rows.

A Parquet file of invented people in households of three is imported: staging, every check, the register's six tables, one
audit entry and one event a batch. Then the rows that this wrote are copied out, the tables emptied, and the rows copied in
again, as an operator's script would, with the same keys and indexes and without any check.

    python -m benchmarks.population [--persons N] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.processes_ground import cluster

TABLES = (
    "household", "person", "person_version", "identity_number", "household_member", "residence",
)  # fmt: skip
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许", "安宁若溪知夏念荷芷沅子衿清和景明书禾文远"


def make_file(path: Path, persons: int, *, chunk: int = 200_000) -> None:
    """Write invented people: numbers that check, households of three, 8,000 different names."""
    import polars as pl

    columns = ["number", "name", "ethnicity", "division_code", "address", "household", "relation"]
    made = [
        pl.DataFrame([_person(n) for n in range(first, min(first + chunk, persons))], schema=columns, orient="row")
        for first in range(0, persons, chunk)
    ]
    pl.concat(made).write_parquet(path)


def _person(n: int) -> tuple[str, ...]:
    from furong.foundation.codes.checks import mod_11_2

    # 300 sequences of each county and day: no number comes twice.
    slot, sequence = divmod(n, 300)
    county, day = divmod(slot, 30_000)
    born = date(1940, 1, 1) + timedelta(days=day)
    body = f"43{1 + county % 13:02d}{90 + county // 13:02d}{born:%Y%m%d}{sequence + 1:03d}"
    name = SURNAMES[n % 20] + GIVEN[n // 20 % 20] + GIVEN[n // 400 % 20]
    relation = ("02", "11" if (sequence + 1) % 2 else "12", "97")[n % 3]
    home = n // 3
    division = f"4302020010{home % 90 + 10}"
    return body + mod_11_2(body), name, "01", division, f"荷叶街 {home} 号", f"H{home:09d}", relation


def raw_copy(url: str, folder: Path) -> tuple[float, int]:
    """Copy the register's rows out, empty the tables, and copy them in again; give the seconds of the last, and the people."""
    import psycopg

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
        return time.perf_counter() - began, int(people[0]) if people else 0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=5_000_000)
    parser.add_argument("--quick", action="store_true", help="200,000 people")
    args = parser.parse_args()
    persons = 200_000 if args.quick else args.persons
    began = time.perf_counter()
    with cluster() as server:
        from furong.foundation.access.values import Actor, Basis
        from furong.registries.population import bulk

        folder = Path(os.environ["FURONG_HOME"]) / "import"
        folder.mkdir()
        source = folder / "people.parquet"
        make_file(source, persons)
        at = time.perf_counter()
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
        seconds = time.perf_counter() - at
        if done.written != persons:
            raise RuntimeError(f"{done.written} of {persons} were written: {done.reasons}")
        raw, people = raw_copy(server.url("bench_population"), folder)
        if people != persons:
            raise RuntimeError(f"{people} people were copied")
    figures = {
        "benchmark": "population",
        "quick": args.quick,
        "persons": persons,
        "load_rows_per_s": round(persons / seconds),
        "copy_rows_per_s": round(persons / raw),
        "load_ratio": round(raw / seconds, 2),
        "load_at_end": round(os.getloadavg()[0], 1),
        "minutes": round((time.perf_counter() - began) / 60, 1),
    }
    print(f"\n{'taking people in':<44}{'people/s':>10}")
    print(f"{'import: checks, keys, audit, six tables':<44}{figures['load_rows_per_s']:>10,}")
    print(f"{'COPY of the same rows into the same tables':<44}{figures['copy_rows_per_s']:>10,}")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
