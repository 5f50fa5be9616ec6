"""Writes of portraits: putting them on record, looking at doubtful ones, settling what the sweep found.

The order of a write: the intent is committed, then the bytes are on disk, then the record, the register of files and the intent's
end commit together. So no record names bytes that are not there, and bytes that a killed process left are known and thrown away
(`tidying`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.audit.recording import own_connection
from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import all_rows, first_row
from furong.foundation.events.commands import publish
from furong.foundation.storage import commands as storage
from furong.foundation.storage import queries as stored
from furong.foundation.storage.errors import FileDamagedError, FileMissingError
from furong.foundation.storage.values import JPEG

from . import ports
from .checks import check
from .errors import NotForReview, PersonNotOnRecord, PortraitRefused, ReasonMissing
from .events import PortraitHeld, PortraitRefusedByEye
from .models import Damaged, Portrait
from .rights import REVIEW, TAKE
from .values import Doubt, Kept, NewPortrait, Picture, PortraitState

__all__ = ["follow_move", "review_portrait", "settle_damage", "take_portrait", "take_portraits"]

DATABASE = "default"
_AT_ONCE = 4

# Who puts away the same bytes, or another portrait of the same person, waits; in one order, so that no two wait for each other.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(k, 30)) FROM (SELECT unnest(%s::text[]) AS k ORDER BY 1) AS keys"


@command("portraits.take_portrait", database=DATABASE)
def take_portrait(*, new: NewPortrait, actor: Actor, basis: Basis, now: datetime) -> Kept:
    """Put a person's portrait on record, in force at once or waiting for an eye, and return which.

    The one in force before is kept as replaced. The same ``effect_id`` again returns the first result. Raises `PortraitRefused`
    (its kinds say why), `PersonNotOnRecord`, ``PurposeMissing``, ``AccessRefused``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    access.require(actor=actor, right=TAKE)
    picture = check(new.data, ask=new.ask)
    (kept,) = _keep([(new, picture)], actor=actor, basis=basis, now=now)
    if kept.portrait_id is None:
        raise PersonNotOnRecord
    current().object("portrait", kept.portrait_id)
    return kept


@command("portraits.take_portraits", database=DATABASE)
def take_portraits(*, new: Sequence[NewPortrait], actor: Actor, basis: Basis, now: datetime) -> tuple[Kept, ...]:
    """Put many portraits on record as one act, and return what became of each, in the order given.

    A picture that cannot be a portrait, or of nobody on record, is told by its refusal's code and keeps no other back. Two of one
    person in one batch: the later one counts, the other is refused as ``portraits.twice_in_batch``. Raises ``PurposeMissing``,
    ``AccessRefused`` as a whole.
    """
    if not basis.is_stated:
        raise PurposeMissing
    access.require(actor=actor, right=TAKE)
    with ThreadPoolExecutor(_AT_ONCE, "portraits") as pool:
        checked = list(pool.map(_checked, new))
    last = {one.person_id: one.effect_id for one in new}
    told: dict[UUID, Kept] = {}
    wanted: list[tuple[NewPortrait, Picture]] = []
    for one, found in zip(new, checked, strict=True):
        if isinstance(found, PortraitRefused):
            told[one.effect_id] = _refused(one, found.code)
        elif last[one.person_id] != one.effect_id:
            told[one.effect_id] = _refused(one, "portraits.twice_in_batch")
        else:
            wanted.append((one, found))
    told |= {one.effect_id: one for one in _keep(wanted, actor=actor, basis=basis, now=now)}
    outcome = tuple(told[one.effect_id] for one in new)
    current().detail(pictures=len(new), kept=sum(one.portrait_id is not None for one in outcome))
    return outcome


def _checked(new: NewPortrait) -> Picture | PortraitRefused:
    try:
        return check(new.data, ask=new.ask)
    except PortraitRefused as refusal:
        return refusal


def _refused(new: NewPortrait, code: str) -> Kept:
    return Kept(effect_id=new.effect_id, person_id=new.person_id, portrait_id=None, state=None, code=code)


@dataclass(slots=True)
class _Row:
    """A record about to be written."""

    new: NewPortrait
    picture: Picture
    portrait_id: UUID
    division: str
    doubts: tuple[Doubt, ...] = ()

    @property
    def state(self) -> PortraitState:
        return PortraitState.REVIEW if self.doubts else PortraitState.HELD


def _keep(wanted: Sequence[tuple[NewPortrait, Picture]], *, actor: Actor, basis: Basis, now: datetime) -> list[Kept]:
    if not wanted:
        return []
    divisions = ports.divisions_of([new.person_id for new, _ in wanted], actor=actor, basis=basis, now=now)
    for division in set(divisions.values()):
        access.require(actor=actor, right=TAKE, division_code=division)
    told = [_refused(new, PersonNotOnRecord.code) for new, _ in wanted if new.person_id not in divisions]
    rows = [
        _Row(new=new, picture=picture, portrait_id=new_id(), division=divisions[new.person_id])
        for new, picture in wanted
        if new.person_id in divisions
    ]
    if not rows:
        return told
    intents = _intend([row.picture.digest for row in rows], now=now)
    all_rows(LOCK, [[*{r.picture.digest for r in rows}, *{f"person:{r.new.person_id}" for r in rows}]])
    repeated = _repeated(rows)
    told += repeated.values()
    rows = [row for row in rows if row.new.effect_id not in repeated]
    if rows:
        _doubt(rows)
        storage.put_many([row.picture.data for row in rows], JPEG, now=now)
        _write(rows, actor=actor, now=now)
    all_rows("DELETE FROM portraits_intent WHERE id = ANY(%s) RETURNING 1", [intents])
    entry = current()
    for row in rows:
        entry.subject(row.new.person_id, fields=("portrait",))
        if row.state is PortraitState.HELD:
            publish(_held(row.portrait_id, row.new.person_id, row.division), database=DATABASE, now=now)
        told.append(
            Kept(
                effect_id=row.new.effect_id,
                person_id=row.new.person_id,
                portrait_id=row.portrait_id,
                state=row.state,
                doubts=row.doubts,
            )
        )
    return told


def _intend(digests: Sequence[str], *, now: datetime) -> list[int]:
    """Commit what is about to be put away, whatever becomes of the transaction that is open."""
    with own_connection(DATABASE) as connection:
        rows = connection.execute(
            "INSERT INTO portraits_intent (digest, noted_at) SELECT unnest(%s::text[]), %s RETURNING id",
            [list(digests), now],
        )
        return [row[0] for row in rows]


def _repeated(rows: Sequence[_Row]) -> dict[UUID, Kept]:
    found = Portrait.objects.filter(effect_id__in=[row.new.effect_id for row in rows])
    return {
        one.effect_id: Kept(
            effect_id=one.effect_id,
            person_id=one.person_id,
            portrait_id=one.pk,
            state=PortraitState(one.state),
            doubts=tuple(Doubt(d) for d in one.doubts),
        )
        for one in found
    }


# The very same bytes in force for somebody else: a picture in the wrong file, which only a person can tell.
SAME = """
SELECT w.person_id FROM unnest(%s::uuid[], %s::text[]) AS w (person_id, digest)
 WHERE EXISTS (SELECT 1 FROM portraits_portrait AS p
                WHERE p.digest = w.digest AND p.person_id <> w.person_id AND p.state IN ('held', 'review'))
"""
REPLACE = """
UPDATE portraits_portrait AS p SET state = 'replaced', ended_at = %s
  FROM unnest(%s::uuid[], %s::text[]) AS w (person_id, state)
 WHERE p.person_id = w.person_id AND (p.state = 'review' OR (p.state = 'held' AND w.state = 'held'))
RETURNING p.id
"""
INSERT = """
INSERT INTO portraits_portrait (id, effect_id, person_id, digest, size, width, height, head_share, doubts, state, division_code,
                                organization_id, post_id, taken_on, recorded_at, reason)
SELECT w.id, w.effect_id, w.person_id, w.digest, w.size, w.width, w.height, w.head_share,
       string_to_array(w.doubts, ','), w.state, w.division_code, %s, %s, w.taken_on, %s, ''
  FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::smallint[], %s::smallint[], %s::float8[], %s::text[],
              %s::text[], %s::text[], %s::date[])
    AS w (id, effect_id, person_id, digest, size, width, height, head_share, doubts, state, division_code, taken_on)
RETURNING id
"""


def _doubt(rows: Sequence[_Row]) -> None:
    same = {row[0] for row in all_rows(SAME, [_people(rows), [row.picture.digest for row in rows]])}
    seen: set[str] = set()
    for row in rows:
        row.doubts = row.picture.doubts
        if row.new.person_id in same or row.picture.digest in seen:
            row.doubts = (*row.doubts, Doubt.SAME_PICTURE)
        if row.new.ask and not row.doubts:
            row.doubts = (Doubt.NOT_FACE_LIKE,)
        seen.add(row.picture.digest)


def _people(rows: Sequence[_Row]) -> list[UUID]:
    return [row.new.person_id for row in rows]


def _write(rows: Sequence[_Row], *, actor: Actor, now: datetime) -> None:
    all_rows(REPLACE, [now, _people(rows), [row.state.value for row in rows]])
    all_rows(
        INSERT,
        [
            actor.organization_id,
            actor.post_id,
            now,
            [row.portrait_id for row in rows],
            [row.new.effect_id for row in rows],
            _people(rows),
            [row.picture.digest for row in rows],
            [len(row.picture.data) for row in rows],
            [row.picture.width for row in rows],
            [row.picture.height for row in rows],
            [row.picture.head_share for row in rows],
            [",".join(row.doubts) for row in rows],
            [row.state.value for row in rows],
            [row.division for row in rows],
            [row.new.taken_on for row in rows],
        ],
    )


def _held(portrait_id: UUID, person_id: UUID, division: str) -> PortraitHeld:
    return PortraitHeld(portrait_id=portrait_id, person_id=person_id, division_code=division)


@command("portraits.review_portrait", database=DATABASE)
def review_portrait(
    *, portrait_id: UUID, accept: bool, reason: str = "", actor: Actor, basis: Basis, now: datetime
) -> None:
    """Put a doubtful portrait in force, or refuse it with a reason, after somebody looked at it.

    Raises `NotForReview`, `ReasonMissing`, ``AccessRefused``, ``PurposeMissing``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    found = Portrait.objects.select_for_update().filter(pk=portrait_id, state=PortraitState.REVIEW).first()
    if found is None:
        raise NotForReview
    access.require(actor=actor, right=REVIEW, division_code=found.division_code)
    if not accept and not reason.strip():
        raise ReasonMissing
    all_rows(LOCK, [[f"person:{found.person_id}"]])
    if accept:
        before = Portrait.objects.filter(person_id=found.person_id, state=PortraitState.HELD)
        before.update(state=PortraitState.REPLACED.value, ended_at=now)
    found.state = (PortraitState.HELD if accept else PortraitState.REFUSED).value
    found.reason = reason.strip()
    found.reviewed_by_post_id = actor.post_id
    found.ended_at = None if accept else now
    found.save(update_fields=["state", "reason", "reviewed_by_post_id", "ended_at"])
    current().object("portrait", found.pk)
    current().subject(found.person_id, fields=("portrait",))
    current().detail(accepted=accept)
    made = _held if accept else _refused_by_eye
    publish(made(found.pk, found.person_id, found.division_code), database=DATABASE, now=now)


def _refused_by_eye(portrait_id: UUID, person_id: UUID, division: str) -> PortraitRefusedByEye:
    return PortraitRefusedByEye(portrait_id=portrait_id, person_id=person_id, division_code=division)


@command("portraits.settle_damage", database=DATABASE)
def settle_damage(*, finding_id: UUID, note: str, actor: Actor, basis: Basis, now: datetime) -> None:
    """Close the task of a record whose bytes are gone or changed.

    When they are whole again (brought back from a backup), it stays as it is; else the record ends, and the person needs another
    portrait. Raises `NotForReview`, `ReasonMissing`, ``AccessRefused``.
    """
    if not note.strip():
        raise ReasonMissing
    found = (
        Damaged.objects.select_for_update(of=("self",))
        .filter(pk=finding_id, settled_at__isnull=True)
        .select_related("portrait")
        .first()
    )
    if found is None:
        raise NotForReview
    access.require(actor=actor, right=REVIEW, division_code=found.portrait.division_code)
    try:
        stored.get(found.portrait.digest)
        whole = True
    except (FileMissingError, FileDamagedError):
        whole = False
        Portrait.objects.filter(pk=found.portrait.pk).update(
            state=PortraitState.REFUSED.value, reason=note.strip(), ended_at=now
        )
    found.settled_at, found.settled_by_post_id, found.note = now, actor.post_id, note.strip()
    found.save(update_fields=["settled_at", "settled_by_post_id", "note"])
    current().object("portrait", found.portrait.pk)
    current().subject(found.portrait.person_id, fields=("portrait",))
    current().detail(damage=found.damage, whole=whole)


@command("portraits.follow_move", database=DATABASE)
def follow_move(*, person_id: UUID, division_code: str, actor: Actor, now: datetime) -> None:
    """Note where a person is registered now, so that the police there see the portrait."""
    first_row(
        "UPDATE portraits_portrait SET division_code = %s WHERE person_id = %s RETURNING id", [division_code, person_id]
    )
    current().subject(person_id, fields=("division_code",))


def damaged_ids(portrait_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Tell which of these records have an open task already."""
    return frozenset(
        Damaged.objects.filter(portrait__in=list(portrait_ids), settled_at__isnull=True).values_list(
            "portrait_id", flat=True
        )
    )
