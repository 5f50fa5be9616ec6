"""Reads of portraits. Each opening of a picture leaves a trace that the person sees, with its purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read, record_read
from furong.foundation.storage import queries as storage

from . import terms
from .checks import thumbnail
from .errors import PortraitNotFound
from .models import Damaged, Portrait, SweepState
from .rights import REVIEW, VIEW
from .values import Damage, Doubt, Finding, PortraitRecord, PortraitState, Size, Sweep

__all__ = [
    "count_reviews",
    "find_portrait",
    "get_pictures",
    "get_sweep",
    "list_damaged",
    "list_reviews",
    "open_portrait",
]

DATABASE = "default"
_AT_ONCE = 8


@read("portraits.open_portrait", database=DATABASE)
def open_portrait(*, portrait_id: UUID, size: Size, actor: Actor, basis: Basis, now: datetime) -> bytes:
    """Return a portrait as JPEG, whole or small, and record that it was seen.

    A person sees their own; staff need ``portraits.view`` over the division where the person is registered. Raises
    `PortraitNotFound`, ``PurposeMissing``, ``AccessRefused``, ``SharingRefused``. Faults: ``FileMissingError``,
    ``FileDamagedError``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    found = Portrait.objects.filter(pk=portrait_id).first()
    if found is None:
        raise PortraitNotFound
    terms.allow([found], actor=actor, basis=basis, now=now)
    data = storage.get(found.digest)
    record_read(
        actor=actor,
        basis=basis,
        what="portraits.open_portrait",
        subjects=[found.person_id],
        fields=("portrait",),
        database=DATABASE,
        now=now,
        object=("portrait", found.pk),
        detail={"size": size.value},
    )
    return thumbnail(data) if size is Size.THUMBNAIL else data


@read("portraits.get_pictures", database=DATABASE)
def get_pictures(*, portrait_ids: Iterable[UUID], actor: Actor, basis: Basis, now: datetime) -> Mapping[UUID, bytes]:
    """Return many portraits' bytes by key, for one duty (a batch for the factory), and record each person.

    Who is unknown is left out; refused as a whole when one may not be seen. Raises as `open_portrait`.
    """
    if not basis.is_stated:
        raise PurposeMissing
    found = list(Portrait.objects.filter(pk__in=list(portrait_ids)).only("id", "person_id", "digest", "division_code"))
    if not found:
        return {}
    terms.allow(found, actor=actor, basis=basis, now=now)
    with ThreadPoolExecutor(_AT_ONCE, "portraits") as pool:
        pictures = dict(zip((one.pk for one in found), pool.map(storage.get, [p.digest for p in found]), strict=True))
    record_read(
        actor=actor,
        basis=basis,
        what="portraits.get_pictures",
        subjects=[one.person_id for one in found],
        fields=("portrait",),
        database=DATABASE,
        now=now,
        detail={"pictures": len(found)},
    )
    return pictures


@read("portraits.find_portrait", database=DATABASE)
def find_portrait(
    *, person_id: UUID, actor: Actor, basis: Basis, now: datetime, state: PortraitState = PortraitState.HELD
) -> PortraitRecord | None:
    """Return the record of a person's portrait in force (or waiting to be looked at), None without one.

    No picture: that is `open_portrait`. Raises as it does.
    """
    if not basis.is_stated:
        raise PurposeMissing
    found = Portrait.objects.filter(person_id=person_id, state=state).first()
    if found is None:
        access.require_person(actor=actor, basis=basis, person_ids=[person_id], right=VIEW)
        return None
    terms.allow([found], actor=actor, basis=basis, now=now)
    record_read(
        actor=actor,
        basis=basis,
        what="portraits.find_portrait",
        subjects=[person_id],
        fields=("portrait_taken_on",),
        database=DATABASE,
        now=now,
        object=("portrait", found.pk),
    )
    return record_of(found)


def list_reviews(*, actor: Actor, limit: int = 50) -> tuple[PortraitRecord, ...]:
    """Return the portraits that wait for the actor's eye, oldest first; no names, no pictures.

    Raises ``AccessRefused``.
    """
    access.require(actor=actor, right=REVIEW)
    where, params = _scope(actor)
    found = Portrait.objects.filter(state=PortraitState.REVIEW).extra(where=[where], params=params)  # noqa: S610 - by Scope.sql
    return tuple(record_of(one) for one in found.order_by("id")[:limit])


def count_reviews(*, actor: Actor) -> int:
    """Return how many portraits wait for the actor's eye; 0 for who may not look."""
    where, params = _scope(actor)
    return Portrait.objects.filter(state=PortraitState.REVIEW).extra(where=[where], params=params).count()  # noqa: S610


def list_damaged(*, actor: Actor, limit: int = 50) -> tuple[Finding, ...]:
    """Return the records whose bytes are gone or changed, oldest first. Raises ``AccessRefused``."""
    scope = access.require(actor=actor, right=REVIEW).scope
    where, params = scope.sql(organization_column="", division_column='"portraits_portrait"."division_code"')
    found = Damaged.objects.filter(settled_at__isnull=True).select_related("portrait")
    return tuple(
        Finding(
            finding_id=one.pk,
            portrait_id=one.portrait.pk,
            person_id=one.portrait.person_id,
            damage=Damage(one.damage),
            division_code=one.portrait.division_code,
            found_at=one.found_at,
        )
        for one in found.extra(where=[where], params=params).order_by("found_at")[:limit]  # noqa: S610
    )


def get_sweep() -> Sweep:
    """Return how far the integrity sweep is. It speaks of nobody."""
    state = SweepState.objects.filter(pk=1).first() or SweepState()
    return Sweep(
        looked_at=state.looked_at,
        damaged=Damaged.objects.filter(settled_at__isnull=True).count(),
        round_started_at=state.round_started_at,
        last_round_ended_at=state.last_round_ended_at,
        last_round_looked_at=state.last_round_looked_at,
    )


def _scope(actor: Actor) -> tuple[str, list[object]]:
    found = access.scope(actor=actor, right=REVIEW)
    return found.sql(organization_column="", division_column='"portraits_portrait"."division_code"')


def record_of(one: Portrait) -> PortraitRecord:
    """Return a row as others see it."""
    return PortraitRecord(
        portrait_id=one.pk,
        person_id=one.person_id,
        digest=one.digest,
        width=one.width,
        height=one.height,
        size=one.size,
        state=PortraitState(one.state),
        doubts=tuple(Doubt(d) for d in one.doubts),
        division_code=one.division_code,
        taken_on=one.taken_on,
        recorded_at=one.recorded_at,
        ended_at=one.ended_at,
        reason=one.reason,
    )
