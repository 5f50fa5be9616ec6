"""Dividing the population register into city centres: their databases, tables, subscriptions. For `furong demo` and operators."""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

from furong.entrypoints.postgres import Cluster
from furong.registries import population

_PREFECTURE = "3"  # a city, in the pack's divisions
_PATIENCE_SECONDS = 120.0


def cities_of(pack: Path) -> tuple[str, ...]:
    """Give the codes of a pack's cities, which are its centres: four digits, in order."""
    with (pack / "divisions" / "mca" / "divisions.csv").open(newline="", encoding="utf-8") as file:
        return tuple(sorted(row["code"][:4] for row in csv.DictReader(file) if row["level"] == _PREFECTURE))


def database_of(code: str) -> str:
    """Give the name of a centre's database in the embedded cluster."""
    return f"furong_centre_{code}"


def make_databases(cluster: Cluster, codes: Sequence[str]) -> dict[str, str]:
    """Make the databases of the centres in the embedded cluster, and give the address of each. Nothing is in new ones."""
    for code in codes:
        cluster.ensure_database(database_of(code))
    return {code: cluster.url(database_of(code)) for code in codes}


def shape_digest() -> str:
    """Give a digest of everything that decides how the register's tables look: while it stands, nothing need be shaped again."""
    room = Path(population.__file__).resolve().parent
    seen = hashlib.sha256()
    for path in sorted([*room.glob("sql/*.sql"), *room.glob("migrations/*.py"), *room.glob("centres/*.py")]):
        seen.update(path.read_bytes())
    return seen.hexdigest()


def divide(codes: Sequence[str], *, is_shaped: bool = False) -> int:
    """Shape the province and its migrated centres, and join what is not joined; give how many were. Repeatable.

    ``is_shaped`` spares the first when nothing changed since (`shape_digest`). Needs Django, and settings that name the
    centres. Raises `CentreError`.
    """
    from furong.registries.population.centres import replication, shaping

    if not codes:
        return 0
    if not is_shaped:
        shaping.shape_province(codes)
    joined = 0
    for code in codes:
        if not is_shaped:
            shaping.shape_centre(code)
        joined += replication.join(code, copy=False)
    return joined


def wait_until_abreast(codes: Sequence[str]) -> None:
    """Wait until the province shows everything that the centres hold. Raises TimeoutError with the centres that lag."""
    from furong.foundation.events.connections import connect
    from furong.registries.population.centres.values import alias_of

    if not codes:
        return
    until = time.monotonic() + _PATIENCE_SECONDS
    waiting = set(codes)
    while waiting:
        for code in sorted(waiting):
            with connect(alias_of(code)) as centre, connect("population") as province:
                wanted = centre.execute("SELECT count(*) FROM population_relation").fetchone()
                held = province.execute(
                    "SELECT count(*) FROM public.population_relation WHERE centre = %s", [code]
                ).fetchone()
            if wanted == held:
                waiting.discard(code)
        if waiting and time.monotonic() > until:
            raise TimeoutError(f"The province is still behind {', '.join(sorted(waiting))}.")
        if waiting:
            time.sleep(0.1)
