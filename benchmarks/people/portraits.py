"""Portraits put on record and fetched, beside the bare store with the same durability.

The bare store writes contents of the same kind in as many threads and flushes as ours does, file by file and as a batch; the
faster of the two counts. It knows no record, no right, no check of the picture and no log. Both take turns in short rounds.
Fetching is compared with reading the files in as many threads, without a record that somebody saw them.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

LIMIT = 0.5
BATCH = 200
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PACK = Path(__file__).resolve().parents[2] / "packs" / "hunan"


def measure(*, quick: bool) -> tuple[dict[str, Any], list[str]]:
    """Measure in a process of its own, on a durable server of its own; give the figures and what was missed."""
    asked = [sys.executable, "-m", "benchmarks.people.portraits", *(["--quick"] if quick else [])]
    out = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    print(out.rpartition("\n{")[0])
    figures, missed = json.loads("{" + out.rpartition("\n{")[2]).values()
    return figures, missed


def put_and_fetch(*, quick: bool) -> tuple[dict[str, Any], list[str]]:
    """Put portraits of invented people on record and fetch them again; give the figures and what was missed."""
    from furong.foundation.access.values import Actor, Basis
    from furong.foundation.codes.ids import new_id
    from furong.registries.population import demo
    from furong.registries.portraits import commands, queries
    from furong.registries.portraits.drawing import draw_portrait
    from furong.registries.portraits.values import NewPortrait, Size

    rounds, batches = (3, 1) if quick else (8, 3)
    system, why = Actor.system("benchmark"), Basis(purpose="居民身份证办理", legal_basis="居民身份证法")
    many = rounds * batches * BATCH
    demo.load_residents(pack=PACK, count=many + 200, actor=system, now=NOW)
    people = _people(many)
    ours = [draw_portrait(number) for number in range(many)]
    theirs = [draw_portrait(number) for number in range(many, 2 * many)]
    more = [draw_portrait(number) for number in range(2 * many, 3 * many)]
    kept: list[Any] = []

    def put(first: int) -> None:
        new = [
            NewPortrait(effect_id=new_id(), person_id=people[n], data=ours[n], taken_on=date(2026, 3, 2))
            for n in range(first, first + BATCH)
        ]
        told = commands.take_portraits(new=new, actor=system, basis=why, now=NOW)
        kept.extend(one.portrait_id for one in told if one.portrait_id is not None)

    def get(first: int) -> None:
        found = queries.get_pictures(
            portrait_ids=kept[first : first + BATCH], actor=system, basis=why, now=datetime.now(UTC)
        )
        if len(found) != BATCH:
            raise RuntimeError("a portrait is missing")

    digests = [hashlib.sha256(data).hexdigest() for data in theirs]
    puts = _rounds(
        rounds,
        batches,
        {
            "ours": put,
            "bare_one_by_one": lambda first: _write_each(theirs[first : first + BATCH]),
            "bare_batch": lambda first: _write_batch(more[first : first + BATCH]),
        },
    )
    gets = _rounds(rounds, batches, {"ours": get, "bare": lambda first: _read_each(digests[first : first + BATCH])})
    bare_put = max(puts["bare_one_by_one"], puts["bare_batch"])
    alone = _alone(
        lambda n: commands.take_portrait(
            new=NewPortrait(
                effect_id=new_id(), person_id=people[n], data=draw_portrait(9_000_000 + n), taken_on=date(2026, 3, 2)
            ),
            actor=system,
            basis=why,
            now=NOW,
        ),
        30 if quick else 100,
    )
    seen = _alone(
        lambda n: queries.open_portrait(
            portrait_id=kept[n], size=Size.FULL, actor=system, basis=why, now=datetime.now(UTC)
        ),
        100 if quick else 400,
    )
    small = _alone(
        lambda n: queries.open_portrait(
            portrait_id=kept[n], size=Size.THUMBNAIL, actor=system, basis=why, now=datetime.now(UTC)
        ),
        100 if quick else 400,
    )
    figures = {
        "portrait_bytes": round(statistics.fmean(len(one) for one in ours)),
        "portrait_put_per_s": round(puts["ours"]),
        "portrait_put_bare_per_s": round(bare_put),
        "portrait_put_ratio": round(puts["ours"] / bare_put, 2),
        "portrait_get_per_s": round(gets["ours"]),
        "portrait_get_bare_per_s": round(gets["bare"]),
        "portrait_get_ratio": round(gets["ours"] / gets["bare"], 2),
        "portrait_put_alone_ms": alone,
        "portrait_seen_ms": seen,
        "portrait_seen_small_ms": small,
    }
    figures |= _bytes_a_record()
    for name, value in figures.items():
        print(f"{name:<32}{value:>12}")
    missed = [
        f"{name} {figures[name]} < {LIMIT}"
        for name in ("portrait_put_ratio", "portrait_get_ratio")
        if figures[name] < LIMIT
    ]
    return figures, missed


def _bytes_a_record() -> dict[str, int]:
    """What a portrait takes in PostgreSQL: its record and the register of files, rows and indexes."""
    from django.db import connections

    found = {}
    with connections["default"].cursor() as cursor:
        for table in ("portraits_portrait", "storage_file"):
            cursor.execute(
                f"SELECT pg_table_size('{table}') / count(*), pg_indexes_size('{table}') / count(*) FROM {table}"
            )
            found[f"{table}_row_bytes"], found[f"{table}_index_bytes"] = (int(one) for one in cursor.fetchone())
    return found


def _people(many: int) -> list[Any]:
    from django.db import connections

    with connections["population"].cursor() as cursor:
        cursor.execute("SELECT person_id FROM population_person WHERE status = 'registered' LIMIT %s", [many])
        found = [row[0] for row in cursor.fetchall()]
    if len(found) < many:
        raise RuntimeError(f"{len(found)} people where {many} are needed")
    return found


def _rounds(rounds: int, batches: int, sides: dict[str, Callable[[int], None]]) -> dict[str, float]:
    """Let the sides take turns; give each one's median of things a second."""
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for one in range(rounds):
        for name, side in sides.items():
            began = time.perf_counter()
            for batch in range(batches):
                side((one * batches + batch) * BATCH)
            speeds[name].append(batches * BATCH / (time.perf_counter() - began))
    return {name: statistics.median(found) for name, found in speeds.items()}


def _alone(act: Callable[[int], object], times: int) -> float:
    took = []
    for number in range(times):
        began = time.perf_counter()
        act(number)
        took.append(time.perf_counter() - began)
    return round(statistics.median(took) * 1000, 2)


def _write_each(contents: Sequence[bytes]) -> None:
    import io

    from furong.foundation.storage import store

    def write(data: bytes) -> None:
        store.write(hashlib.sha256(data).hexdigest(), io.BytesIO(data), size=len(data))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, contents))


def _write_batch(contents: Sequence[bytes]) -> None:
    from furong.foundation.storage import store

    store.write_many({hashlib.sha256(data).hexdigest(): data for data in contents})


def _read_each(digests: Sequence[str]) -> None:
    from furong.foundation.storage import store

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.read, digests))


if __name__ == "__main__":
    from benchmarks.processes import cluster

    with cluster():
        found, wrong = put_and_fetch(quick="--quick" in sys.argv)
    print(json.dumps({"figures": found, "missed": wrong}))
