"""Portraits on record: one in force, who sees it and leaves a trace, doubtful ones, links, bytes that are gone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections

from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Basis
from furong.foundation.audit import queries as audit
from furong.foundation.codes.ids import new_id
from furong.foundation.storage import queries as stored
from furong.foundation.storage import store
from furong.registries.portraits import commands, links, queries, tidying
from furong.registries.portraits.drawing import draw_portrait
from furong.registries.portraits.errors import (
    LinkOver,
    NotAPortraitFile,
    NotForReview,
    PersonNotOnRecord,
    PortraitNotFound,
    ReasonMissing,
)
from furong.registries.portraits.models import Intent, Portrait
from furong.registries.portraits.values import Damage, Doubt, PortraitState, Size
from tests.registries.population.people import resident
from tests.registries.population.test_queries import officer
from tests.registries.portraits.people import NOBODY, NOW, SYSTEM, WHY, join, new, rejoin, take

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def _joined() -> Iterator[None]:
    join()
    yield
    rejoin()


def reads_of(person_id) -> list[str]:
    return [one.what for one in audit.list_reads_of_person(person_id=person_id)]


def test_a_portrait_is_in_force_once_and_the_one_before_is_kept() -> None:
    first = new()
    assert take(first).state is PortraitState.HELD
    assert take(first) == take(first)
    later = take(new(first.person_id, seed=2))
    states = dict(Portrait.objects.filter(person_id=first.person_id).values_list("id", "state"))
    assert sorted(states.values()) == ["held", "replaced"]
    assert states[later.portrait_id] == "held"
    assert Intent.objects.count() == 0
    with pytest.raises(PersonNotOnRecord):
        take(new(NOBODY))
    assert Intent.objects.count() == 0


def test_who_may_take_and_see_a_portrait_and_who_learns_of_it() -> None:
    clerk, far = officer("portraits.take", "portraits.view"), officer("portraits.take", "portraits.view", prefix="4331")
    one = new()
    with pytest.raises(AccessRefused):
        take(one, actor=far)
    with pytest.raises(AccessRefused):
        take(one, actor=officer("population.read"))
    kept = take(one, actor=clerk)

    def seen(actor, basis: Basis = WHY, size: Size = Size.FULL) -> bytes:
        return queries.open_portrait(portrait_id=kept.portrait_id, size=size, actor=actor, basis=basis, now=NOW)

    assert seen(clerk) == one.data
    assert len(seen(clerk, size=Size.THUMBNAIL)) < 8_000
    assert seen(resident(one.person_id)) == one.data
    for stranger in (far, officer("population.read"), resident(new_id())):
        with pytest.raises(AccessRefused):
            seen(stranger)
    with pytest.raises(PurposeMissing):
        seen(clerk, Basis(purpose=" "))
    with pytest.raises(PortraitNotFound):
        queries.open_portrait(portrait_id=new_id(), size=Size.FULL, actor=clerk, basis=WHY, now=NOW)
    told = audit.list_reads_of_person(person_id=one.person_id)
    assert {(read.what, read.purpose) for read in told if read.action == "read"} >= {
        ("portraits.open_portrait", WHY.purpose)
    }
    commands.follow_move(person_id=one.person_id, division_code="433101005201", actor=SYSTEM, now=NOW)
    assert seen(far) == one.data
    with pytest.raises(AccessRefused):
        seen(clerk)


def test_a_link_serves_one_account_for_two_minutes() -> None:
    clerk = officer("portraits.view")
    key = new_id()
    token = links.seal(portrait_id=key, size=Size.FULL, actor=clerk, basis=WHY, now=NOW)
    assert links.unseal(token, actor=clerk, now=NOW + timedelta(seconds=119)).basis == WHY
    for actor, at in (
        (clerk, NOW + timedelta(seconds=121)),
        (replace(clerk, post_id=new_id()), NOW),
        (replace(clerk, account_id=new_id()), NOW),
    ):
        with pytest.raises(LinkOver):
            links.unseal(token, actor=actor, now=at)
    with pytest.raises(LinkOver):
        links.unseal(token[:-4] + "AAAA", actor=clerk, now=NOW)
    assert str(key) not in token


def test_a_doubtful_portrait_waits_and_is_decided_once() -> None:
    person_id = new_id()
    held = take(new(person_id))
    small = take(new(person_id, data=draw_portrait(5, head=0.45)))
    assert (small.state, small.doubts) == (PortraitState.REVIEW, (Doubt.HEAD_SMALL,))
    chief, clerk = officer("portraits.review"), officer("portraits.take")
    (line,) = queries.list_reviews(actor=chief)
    assert line.portrait_id == small.portrait_id
    assert queries.count_reviews(actor=officer("portraits.review", prefix="4331")) == 0

    def say(actor, *, accept: bool, reason: str = "") -> None:
        commands.review_portrait(
            portrait_id=small.portrait_id, accept=accept, reason=reason, actor=actor, basis=WHY, now=NOW
        )

    with pytest.raises(AccessRefused):
        say(clerk, accept=True)
    with pytest.raises(ReasonMissing):
        say(chief, accept=False)
    say(chief, accept=True)
    with pytest.raises(NotForReview):
        say(chief, accept=False, reason="late")
    states = dict(Portrait.objects.values_list("id", "state"))
    assert states == {held.portrait_id: "replaced", small.portrait_id: "held"}


def test_the_same_file_for_somebody_else_waits_for_an_eye() -> None:
    one = new()
    take(one)
    assert take(new(data=one.data)).doubts == (Doubt.SAME_PICTURE,)


def test_a_batch_tells_what_became_of_each_and_keeps_none_back() -> None:
    twice = new_id()
    batch = [
        new(seed=11),
        new(seed=12, data=b"%PDF-1.4 nothing"),
        new(NOBODY, seed=13),
        new(twice, seed=14),
        new(twice, seed=15),
        new(seed=16, data=draw_portrait(16, head=0.45)),
    ]
    told = commands.take_portraits(new=batch, actor=SYSTEM, basis=WHY, now=NOW)
    assert [one.effect_id for one in told] == [one.effect_id for one in batch]
    assert [one.code for one in told] == [
        "", NotAPortraitFile.code, PersonNotOnRecord.code, "portraits.twice_in_batch", "", "",
    ]  # fmt: skip
    assert [one.state for one in told if one.state] == [PortraitState.HELD, PortraitState.HELD, PortraitState.REVIEW]
    again = commands.take_portraits(new=batch, actor=SYSTEM, basis=WHY, now=NOW)
    assert [one.portrait_id for one in again] == [one.portrait_id for one in told]
    ids = [one.portrait_id for one in told if one.portrait_id]
    pictures = queries.get_pictures(portrait_ids=ids, actor=SYSTEM, basis=WHY, now=NOW)
    assert pictures == {told[n].portrait_id: batch[n].data for n in (0, 4, 5)}
    assert "portraits.get_pictures" in reads_of(batch[0].person_id)


def test_bytes_gone_or_changed_become_a_task_once_and_an_outage_does_not(monkeypatch) -> None:
    whole, gone, changed = (take(new(seed=n)) for n in (1, 2, 3))
    digests = dict(Portrait.objects.values_list("id", "digest"))
    store.remove(digests[gone.portrait_id])
    place = settings.HOME / "files" / store.path_of(digests[changed.portrait_id])
    place.write_bytes(b"another")

    def down(digest: str) -> bytes:
        raise OSError("the store does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(store, "read", down)
        with pytest.raises(OSError, match="answer"):
            tidying.sweep(now=NOW)
    chief = officer("portraits.review")
    assert queries.list_damaged(actor=chief) == ()
    assert tidying.sweep(now=NOW, most=2) == 2
    assert tidying.sweep(now=NOW, most=2) == 1
    assert tidying.sweep(now=NOW) == 0, "the next round begins later"
    tidying.sweep(now=NOW + timedelta(days=31))
    found = queries.list_damaged(actor=chief)
    assert {(one.portrait_id, one.damage) for one in found} == {
        (gone.portrait_id, Damage.GONE),
        (changed.portrait_id, Damage.CHANGED),
    }
    assert queries.get_sweep().last_round_looked_at == 3
    for one in found:
        commands.settle_damage(finding_id=one.finding_id, note="重新采集", actor=chief, basis=WHY, now=NOW)
    assert queries.list_damaged(actor=chief) == ()
    states = dict(Portrait.objects.values_list("id", "state"))
    assert states[whole.portrait_id] == "held"
    assert states[gone.portrait_id] == states[changed.portrait_id] == "refused"


def test_bytes_that_a_killed_process_left_are_thrown_away_and_nothing_else() -> None:
    kept = take(new(seed=1))
    digest = Portrait.objects.get(pk=kept.portrait_id).digest
    left, fresh = draw_portrait(90), draw_portrait(91)
    for data, at in ((left, NOW - timedelta(hours=2)), (fresh, NOW)):
        store.write_many({hashlib.sha256(data).hexdigest(): data})
        Intent.objects.create(digest=hashlib.sha256(data).hexdigest(), noted_at=at)
    Intent.objects.create(digest=digest, noted_at=NOW - timedelta(hours=2))  # its record was written by another attempt
    assert tidying.throw_away_leavings(now=NOW) == 1
    assert not stored.exists(hashlib.sha256(left).hexdigest())
    assert stored.exists(hashlib.sha256(fresh).hexdigest())
    assert stored.exists(digest)
    assert Intent.objects.count() == 1
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM storage_file")
        assert cursor.fetchone() == (1,)
