"""Five hundred people want fifty slots at once: how many places are given, how many twice, and how long each waits.

Real threads, each with a connection of its own, on the PostgreSQL that ships; each person has the same ten minutes of the day in
mind as the others and takes the next slot when told that theirs is full, up to three times. ``overbooked`` counts places beyond
what a slot takes, read from the rows afterwards and not from what the commands said.

    python -m benchmarks.services_bookings
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

SLOTS, USERS, THREADS, TRIES = 50, 500, 16, 3
PACK = Path(__file__).resolve().parents[1] / "packs" / "hunan"
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def measure(*, users: int = USERS) -> dict[str, Any]:
    """Book with ``users`` people at once and return the figures."""
    from tests import cluster

    os.environ.setdefault("FURONG_SECRET_KEY", "benchmark-only-" + "0" * 40)
    os.environ["DJANGO_SETTINGS_MODULE"] = "furong.entrypoints.settings"
    os.environ["FURONG_HOME"] = home = tempfile.mkdtemp(prefix="furong-benchmark-")
    cluster.start()
    os.environ.update(cluster.environment(cluster.names()))
    try:
        import django

        django.setup()
        return _measured(users)
    finally:
        from django.db import connections

        for connection in connections.all(initialized_only=True):
            connection.close()
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


def _measured(users: int) -> dict[str, Any]:
    from django.core.management import call_command
    from django.db import connection, connections
    from tests import cluster as here

    from furong.domains.bookings import commands, queries
    from furong.domains.bookings.errors import SlotFull
    from furong.foundation.access.values import Actor, ActorKind, Assurance
    from furong.foundation.packs import commands as packs

    for name in here.names().values():
        here.cluster().ensure_database(name)
    for alias in ("default", "population"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    packs.import_pack(path=PACK, actor=Actor.system("benchmark"), now=MONDAY)
    on = MONDAY.astimezone(ZoneInfo("Asia/Shanghai")).date()
    book = queries.find_book(item_code="passport", on=on)
    assert book is not None
    (office, *_) = queries.list_offices(item_code="passport", division_code="430202", on=on)
    days = queries.list_days(book=book, office=office, from_on=on, days=book.days_ahead, now=MONDAY)
    slots = [slot for day in days for slot in day.slots][:SLOTS]
    places = sum(slot.capacity for slot in slots)
    told: Counter[str] = Counter()
    waited: list[float] = []
    gate = threading.Barrier(THREADS)
    first = threading.local()

    def one(number: int) -> None:
        if not getattr(first, "came", False):
            first.came = True
            gate.wait()
        dice = random.Random(number)
        actor = Actor(kind=ActorKind.RESIDENT, account_id=uuid4(), person_id=uuid4(), assurance=Assurance.VERIFIED)
        draft, wish = uuid4(), dice.randrange(len(slots))
        begun = time.perf_counter()
        for n in range(TRIES):
            try:
                commands.hold(
                    draft_id=draft,
                    item_code="passport",
                    division_code="430202",
                    organization_id=office.id,
                    starts_at=slots[(wish + n) % len(slots)].starts_at,
                    actor=actor,
                    now=MONDAY + timedelta(seconds=1),
                )
            except SlotFull:
                told["full"] += 1
                continue
            told["kept"] += 1
            break
        waited.append((time.perf_counter() - begun) * 1000)

    def close_own() -> None:
        connections.close_all()

    begun = time.perf_counter()
    with ThreadPoolExecutor(max_workers=THREADS) as people:
        list(people.map(one, range(users)))
        list(people.map(lambda _: close_own(), range(THREADS * 2)))
    seconds = time.perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(sum(greatest(0, taken - capacity)), 0), sum(taken), sum(taken - seats) FROM (
                   SELECT count(*) AS taken, max(capacity) AS capacity, count(DISTINCT seat) AS seats
                     FROM bookings_booking WHERE state = 'held' GROUP BY organization_id, book_code, starts_at) AS slot"""
        )
        overbooked, taken, twice = cursor.fetchone()
    return {
        "slots": len(slots),
        "places": places,
        "users": users,
        "kept": told["kept"],
        "told_full": told["full"],
        "rows": int(taken or 0),
        "overbooked": int(overbooked) + int(twice or 0),
        "book_p95_ms": round(statistics.quantiles(waited, n=20)[-1], 1),
        "bookings_s": round(users / seconds, 1),
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
