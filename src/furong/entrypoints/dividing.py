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


def divide(codes: Sequence[str], *, is_shaped: bool = False, copy: bool = False) -> int:
    """Shape the province and its migrated centres, and join what is not joined; give how many were. Repeatable.

    ``copy``: also what centres hold already. ``is_shaped`` spares the first when nothing changed since (`shape_digest`). Needs
    Django, and settings that name the centres. Raises `CentreError`.
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
        joined += replication.join(code, copy=copy)
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


_WORDS = {
    "live": "同步 live",
    "catching_up": "追赶中 catching up",
    "silent": "无消息 silent",
    "failing": "出错 failing",
    "apart": "未接入 apart",
}


def print_status() -> int:
    """Print how far each centre is; give 1 when one is not abreast or two contradict each other."""
    from django.utils import timezone
    from rich.console import Console
    from rich.table import Table

    from furong.foundation.access.values import Actor
    from furong.registries.population.centres import watching

    actor, now = Actor.system("furong population status"), timezone.now()
    found = watching.list_centres(actor=actor, now=now)
    table = Table(box=None, pad_edge=False)
    for title in (
        "中心 centre",
        "状态 state",
        "人 people",
        "落后 behind",
        "保留日志 WAL kept",
        "最近 heard",
        "错误 errors",
    ):
        table.add_column(title, justify="left" if title[0] in "中状" else "right")
    for one in found:
        heard = "" if one.seen_at is None else timezone.localtime(one.seen_at).strftime("%m-%d %H:%M:%S")
        table.add_row(
            one.code,
            _WORDS[one.state],
            f"{one.people or 0:,}",
            _bytes(one.behind_bytes),
            _bytes(one.kept_bytes),
            heard,
            str(one.apply_errors),
        )
    console = Console(width=120)
    console.print(table)
    conflicts = watching.list_conflicts(actor=actor)
    if conflicts:
        console.print(f"{len(conflicts)} 处矛盾待处理 conflicts wait for a person: /work/population/centres")
    return 0 if all(one.state == "live" for one in found) and not conflicts else 1


def _bytes(count: int | None) -> str:
    if count is None:
        return "—"
    return f"{count / 1024 / 1024:,.1f} MB"
