"""The province's store alone, at its full size: what it takes on disk and in time, and what a look-up costs there.

People are drawn chunk by chunk and copied into the parts of fourteen centres: the tables that a look-up by number reads, then
their keys and the directory. No centre runs, and no check (`benchmarks.population` measures the import with every check). The
load writes no log and does not wait for the disk; the look-ups are made on a durable server.

With less disk than all tables and indexes need, or less time, the load stops while enough is left, and says how many it took.

    TMPDIR=/a/roomy/disk python -m benchmarks.population_province [--persons N] [--keep-gb G] [--minutes M] [--names]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import population_lookups
from benchmarks.processes_ground import SERVER, cluster

TODAY = date(2026, 11, 23)
MOMENT = "2026-11-23T02:00:00Z"
CHANGE = "019ab000-0000-7000-8000-000000000001"
# What the load copies; the other columns have one value for all.
COLUMNS = {
    "population_person": (
        "person_id", "name", "name_pinyin", "name_plain", "name_initials", "sex", "ethnicity", "born_on",
        "native_division_code", "marital", "division_code", "household_id",
    ),
    "population_identity_number": ("id", "valid_from", "person_id", "number"),
    "population_residence": ("id", "valid_from", "person_id", "division_code", "address"),
}  # fmt: skip
CONSTANT: dict[str, dict[str, str]] = {
    "population_person": {
        "former_name": "", "born_division_code": "", "born_place": "", "status": "registered", "version": "1",
        "recorded_at": MOMENT,
    },
    "population_identity_number": {"recorded_at": MOMENT, "change_id": CHANGE, "type": "111"},
    "population_residence": {"recorded_at": MOMENT, "change_id": CHANGE, "kind": "permanent", "reason": "import"},
}  # fmt: skip
KEYS = {
    "population_person": "person_id",
    "population_identity_number": None,
    "population_residence": None,
}
# By which the look-up goes: who carries a number, and where somebody is registered.
INDEXES = ("population_number_active", "population_residence_one_permanent")
BY_NAME = ("population_person_named", "population_number_of_person")
LATER_BYTES = 210  # of each person, keys and directory: what the load must leave room for
BY_NAME_BYTES = 85
LOADING = {
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "1GB",
    "maintenance_work_mem": "512MB",
    "max_parallel_maintenance_workers": "1",
}


def drawn(persons: int) -> Iterator[tuple[str, dict[str, bytes], int]]:
    """Draw the people, chunk by chunk, one chunk ahead: the city, each table's rows, how many people.

    The households of a city are drawn once and stand, with keys and numbers of their own, under each of its ten reserved county
    codes: it is the store that is measured, and drawing would take as long as copying.
    """
    from furong.entrypoints.demo import PACK
    from furong.registries.population.bulk import synthesis
    from furong.registries.population.demo.content import read_content

    content = read_content(PACK)
    plan = list(synthesis._plan(content.places, persons))
    held: dict[str, Any] = {}

    def draw(number: int) -> tuple[str, dict[str, bytes], int]:
        county, places, wanted = plan[number]
        city = county[:4]
        if city not in held:
            held.clear()
            held[city] = _with_names(
                synthesis._draw(content, county=county, places=places, wanted=wanted, seed=7_000 + number, today=TODAY)
            )
        frame = held[city]
        return city, _rows(frame, county), frame.height

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(draw, 0)
        for number in range(len(plan)):
            ready = ahead.result()
            if number + 1 < len(plan):
                ahead = pool.submit(draw, number + 1)
            yield ready


def _with_names(frame: Any) -> Any:
    import polars as pl

    from furong.registries.population.naming import name_keys

    names = frame["name"].unique().to_list()
    keys = [name_keys(one) for one in names]
    table = pl.DataFrame(
        {
            "name": names,
            "name_pinyin": [one.pinyin for one in keys],
            "name_plain": [one.plain for one in keys],
            "name_initials": [one.initials for one in keys],
        }
    )
    return frame.join(table, on="name", how="left", maintain_order="left").with_columns(
        home=pl.col("household").rle_id(), valid_from="born_on", body=pl.col("number").str.slice(6, 11)
    )


def _rows(frame: Any, county: str) -> dict[str, bytes]:
    """Give the people keys, in the order in which they are minted as an import does, and numbers of ``county``."""
    import polars as pl

    from furong.foundation.codes.ids import new_ids
    from furong.registries.population.bulk.checking import check_character

    homes = pl.Series(new_ids(int(frame["home"].max()) + 1))
    frame = frame.with_columns(
        body=pl.lit(county) + pl.col("body"),
        household_id=homes.gather(frame["home"]),
        person_id=pl.Series(new_ids(frame.height)),
    )
    frame = frame.with_columns(number=pl.col("body") + check_character(pl.col("body")))
    return {
        name: frame.with_columns(id=pl.Series(new_ids(frame.height)))
        .select(columns)
        .write_csv(include_header=False)
        .encode()
        for name, columns in COLUMNS.items()
    }


def load(
    connection: Any, persons: int, *, folder: Path, keep_bytes: int, names: bool, most_seconds: float
) -> dict[str, Any]:
    """Fill the parts, then make their keys and the directory; give how many people, and the seconds of each step."""
    definitions = _bare(connection)
    later = LATER_BYTES + (BY_NAME_BYTES if names else 0)
    people, began = 0, time.monotonic()
    with connection.transaction():  # a table made or emptied in the transaction that fills it writes no log
        for name in COLUMNS:
            connection.execute(f"TRUNCATE public.{name}")
        for city, rows, count in drawn(persons):
            for name, data in rows.items():
                columns = ", ".join(COLUMNS[name])
                with connection.cursor().copy(
                    f"COPY public.{name}_{city} ({columns}) FROM STDIN (FORMAT csv, FREEZE)"
                ) as copy:
                    for start in range(0, len(data), 1 << 20):
                        copy.write(data[start : start + (1 << 20)])
            people += count
            free = shutil.disk_usage(folder).free
            rate = people / (time.monotonic() - began)
            print(
                f"{city} {people:>12,} people {rate:>10,.0f}/s {free / 1e9:>6.1f} GB free", file=sys.stderr, flush=True
            )
            if free - (people + count) * later < keep_bytes or time.monotonic() - began > most_seconds:
                print("No more: disk or time would not do for what is still to come.", file=sys.stderr, flush=True)
                break
    steps = {"copy_seconds": time.monotonic() - began}
    at = time.monotonic()
    with connection.transaction():
        connection.execute("TRUNCATE population_directory, population_number_directory")
        connection.execute("ALTER TABLE population_directory DROP CONSTRAINT population_directory_pkey")
        connection.execute(
            "INSERT INTO population_directory SELECT person_id, centre, version FROM public.population_person"
        )
        connection.execute("ALTER TABLE population_directory ADD PRIMARY KEY (person_id)")
    steps["directory_seconds"] = time.monotonic() - at
    at = time.monotonic()
    for table, key in KEYS.items():
        if key is not None:
            for (part,) in connection.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(%s)",
                [f"public.{table}"],
            ).fetchall():
                connection.execute(f"ALTER TABLE {part} ADD PRIMARY KEY ({key})")
    for name in (*INDEXES, *(BY_NAME if names else ())):
        connection.execute(definitions[name])
        print(f"{name} {time.monotonic() - at:.0f} s", file=sys.stderr, flush=True)
    steps["index_seconds"] = time.monotonic() - at
    at = time.monotonic()
    connection.execute("VACUUM (ANALYZE)")
    steps["vacuum_seconds"] = time.monotonic() - at
    return {"people": people, **{name: round(seconds) for name, seconds in steps.items()}}


def _bare(connection: Any) -> dict[str, str]:
    """Take the indexes and triggers off the parts, so that rows come first; give how the indexes were defined."""
    found = {}
    for table, constant in CONSTANT.items():
        rows = connection.execute(
            "SELECT i.relname, pg_get_indexdef(i.oid) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
            "WHERE x.indrelid = to_regclass(%s)",
            [f"public.{table}"],
        ).fetchall()
        for name, definition in rows:
            found[name] = definition.replace(" ON ONLY ", " ON ")
            connection.execute(f"DROP INDEX public.{name}")
        for (part,) in connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(%s)", [f"public.{table}"]
        ).fetchall():
            connection.execute(f"ALTER TABLE {part} DROP CONSTRAINT {part.removeprefix('public.')}_pkey")
            connection.execute(f"ALTER TABLE {part} DISABLE TRIGGER USER")
            values = {**constant, "centre": part[-4:]}
            for column, value in values.items():
                connection.execute(f"ALTER TABLE {part} ALTER COLUMN {column} SET DEFAULT '{value}'")
    return found


def sizes(connection: Any, tables: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Give the bytes of each table's rows, and of its indexes, over all its parts."""
    found = {}
    for table in tables:
        rows, indexes = connection.execute(
            "SELECT coalesce(sum(pg_table_size(c.oid)), 0), coalesce(sum(pg_indexes_size(c.oid)), 0) FROM pg_class c "
            "WHERE c.relkind = 'r' AND c.relname ~ %s",
            [f"^{table}(_43[0-9][0-9])?$"],
        ).fetchone()
        found[table] = (int(rows), int(indexes))
    return found


def memory() -> dict[str, float]:
    """Give the machine's memory, and what of it is free for the disk's pages, in GB."""
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return {
        "memory_gb": round(int(told["MemTotal"].split()[0]) / 1e6, 1),
        "cache_gb": round(int(told["Cached"].split()[0]) / 1e6, 1),
    }


def main() -> int:
    """Load, look up, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=5_000_000)
    parser.add_argument("--keep-gb", type=float, default=12.0, help="of the disk that stay free")
    parser.add_argument("--minutes", type=float, default=600.0, help="after which no more rows are copied")
    parser.add_argument("--names", action="store_true", help="with the index of names, and searches by whole name")
    args = parser.parse_args()
    began = time.perf_counter()
    with cluster() as server:
        from django.conf import settings
        from django.db import connections

        from furong.registries.population import centres

        codes = [
            f"43{one}" for one in ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "31")
        ]
        settings.POPULATION_CENTRES = frozenset(codes)
        centres.shape_province(codes)
        connections.close_all()
        server.stop()
        server.start(settings=LOADING)
        folder = Path(os.environ["FURONG_HOME"])
        with psycopg.connect(server.url("bench_population"), autocommit=True) as connection:
            told = load(
                connection,
                args.persons,
                folder=folder,
                keep_bytes=round(args.keep_gb * 1e9),
                names=args.names,
                most_seconds=60 * args.minutes,
            )
            held = sizes(connection, (*COLUMNS, "population_directory"))
            connection.execute("CHECKPOINT")
        load_at_load = round(os.getloadavg()[0], 1)
        server.stop()
        os.sync()
        server.start(settings=SERVER)
        at = time.perf_counter()
        found = population_lookups.cold(server.url("bench_population"))
        found |= population_lookups.lookups(server.url("bench_population"))
        print(f"looked up in {time.perf_counter() - at:.0f} s", file=sys.stderr, flush=True)
        if args.names:
            found |= population_lookups.searches(server.url("bench_population"), kinds=("name",), count=200)
        disk = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
    people = told["people"]
    figures = {
        "benchmark": "population_province",
        "persons": people,
        **told,
        "disk_gb": round(disk / 1e9, 1),
        "gb": {name: [round(part / 1e9, 2) for part in both] for name, both in held.items()},
        "bytes_a_person": {name: [round(part / people) for part in both] for name, both in held.items()},
        **memory(),
        **found,
        "load_at_load": load_at_load,
        "load_at_end": round(os.getloadavg()[0], 1),
        "minutes": round((time.perf_counter() - began) / 60, 1),
    }
    print(json.dumps(figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
