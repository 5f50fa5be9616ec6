"""Worker, database and store killed during batches of portraits and of cards: no bytes without a record, no record without bytes,
no card made twice.
"""

from __future__ import annotations

import csv
import io
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import Error, connections

from furong.foundation.codes.ids import new_id
from furong.foundation.storage import store
from furong.registries.identity_cards import commands as cards
from furong.registries.identity_cards.models import Batch, Card, Production, Return
from furong.registries.identity_cards.values import Reason
from furong.registries.portraits import commands, tidying
from furong.registries.portraits.models import Intent, Portrait
from furong.registries.portraits.queries import list_damaged
from furong.registries.portraits.values import NewPortrait
from tests.registries.population.people import household, person
from tests.registries.portraits.people import NOW, SYSTEM, WHY, join, new, rejoin, take

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("database"), pytest.mark.timeout(180)]
SEED = int(os.environ.get("FURONG_FAULTS_SEED", "20261123"))


@pytest.fixture(autouse=True)
def _joined(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(settings, "HOME", tmp_path / "home")
    join()
    yield
    rejoin()


def forked(work: Callable[[], None]) -> int:
    """Do ``work`` in a process of its own; give its key."""
    for connection in connections.all():
        connection.close()
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def cut_connections() -> None:
    """End every other connection to the platform's database, as a server that is restarted does."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connections["default"].close()


class Store:
    """A store that ends its process, or refuses, before or after it wrote."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.real = dice, store._write_file

    def __call__(self, place: Path, file: Any) -> None:
        chance = self.dice.random()
        if chance < 0.01:
            os.kill(os.getpid(), signal.SIGKILL)
        if chance < 0.03:
            raise OSError("the store is away")
        self.real(place, file)
        if chance > 0.99:
            os.kill(os.getpid(), signal.SIGKILL)


def test_whatever_is_killed_each_record_has_its_bytes_and_all_bytes_have_a_record(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    batches = [[new(seed=100 * b + n) for n in range(8)] for b in range(8)]
    told = tmp_path / "told"
    told.touch()

    def work() -> None:
        monkeypatch.setattr(store, "_write_file", Store(random.Random(dice.random())))
        for batch in batches:
            while not _taken(batch):
                pass
            with told.open("a") as out:
                out.write("".join(f"{one.effect_id}\n" for one in batch))
                out.flush()
                os.fsync(out.fileno())

    ended = 0
    for turn in range(14):
        child = forked(work)
        time.sleep(dice.uniform(0.03, 0.5))
        if turn % 3 == 0:
            cut_connections()
            time.sleep(0.05)
        end(child)
        ended += 1
    for batch in batches:  # what was not told to have been taken is sent again
        commands.take_portraits(new=batch, actor=SYSTEM, basis=WHY, now=NOW)
    assert ended == 14

    tidying.throw_away_leavings(now=NOW + timedelta(hours=2))
    folder = settings.HOME / "files"
    on_disk = {path.name for path in folder.rglob("*") if path.is_file()}
    recorded = set(Portrait.objects.values_list("digest", flat=True))
    assert on_disk == recorded
    assert Intent.objects.count() == 0
    held = list(Portrait.objects.filter(state="held").values_list("effect_id", flat=True))
    assert sorted(held) == sorted(one.effect_id for batch in batches for one in batch), "each once"
    assert {str(one) for one in held} >= set(told.read_text().split())
    assert tidying.sweep(now=NOW) == len(recorded)
    assert list_damaged(actor=SYSTEM) == ()


def _taken(batch: list[NewPortrait]) -> bool:
    try:
        commands.take_portraits(new=batch, actor=SYSTEM, basis=WHY, now=NOW)
    except (Error, psycopg.Error, OSError):
        for connection in connections.all():
            connection.close()
        return False
    return True


def test_whatever_is_killed_a_factorys_file_is_taken_whole_and_no_card_is_made_twice() -> None:
    rejoin()
    dice = random.Random(SEED)
    home = household()
    for number in range(12):
        key = person("单石生", sex="1", born_on=date(1990, 5, 4), household=home)
        take(new(key, seed=number))
        cards.apply_for_card(effect_id=new_id(), person_id=key, reason=Reason.FIRST, actor=SYSTEM, basis=WHY, now=NOW)

    def order() -> None:
        cards.order_cards(actor=SYSTEM, basis=WHY, now=NOW, most=4)

    for _ in range(4):
        child = forked(order)
        time.sleep(dice.uniform(0.0, 0.2))
        end(child)
    while Card.objects.filter(state="ready").exists():
        order()
    assert Production.objects.count() == 12
    for batch in Batch.objects.all():
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["batch", "card", "result", "chip", "remark"])
        made = list(Production.objects.filter(batch=batch))
        writer.writerows([batch.number, one.pk, "ok", f"{one.pk}", ""] for one in made)
        data = out.getvalue().encode()

        def taking(key: Any = batch.pk, data: bytes = data) -> None:
            cards.take_return(batch_id=key, data=data, actor=SYSTEM, basis=WHY, now=NOW)

        for _ in range(3):
            child = forked(taking)
            time.sleep(dice.uniform(0.0, 0.15))
            end(child)
            done = Production.objects.filter(batch=batch, state="made").count()
            assert done in {0, len(made)}, "nothing half done"
            assert Return.objects.filter(batch=batch).count() == (1 if done else 0)
        taking()
        taking()
        assert Return.objects.filter(batch=batch).count() == 1
    assert Card.objects.filter(state="produced").count() == 12
    assert Production.objects.filter(state="made").count() == 12
