"""Reads of identity cards: a person's cards, the counter's lists, batches, differences."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from furong.foundation.access import queries as access
from furong.foundation.access.sharing import decide_sharing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read, record_read
from furong.foundation.codes.masking import mask_name

from . import ports
from .batches import get_batch, return_record
from .models import Batch, Card, CardEvent, Mismatch, Production, Return
from .rights import COMPARE, HANDLE, PRODUCE
from .steps import stated
from .values import (
    FACTS,
    OPEN,
    BatchRecord,
    CardLine,
    CardRecord,
    CardStep,
    Kind,
    MismatchRecord,
    Reason,
    ReturnRecord,
    State,
    Step,
    Verdict,
)

__all__ = [
    "count_waiting",
    "find_batch",
    "list_batches",
    "list_mismatches",
    "list_missing",
    "list_of_person",
    "list_on_the_way",
    "list_returns",
    "open_order",
]

DATABASE = "default"
RESOURCE = "population_persons"  # publishes no item of cards: nobody but its own department reads them
_SHOWN = (*FACTS, "identity_card")


@read("identity_cards.list_of_person", database=DATABASE)
def list_of_person(*, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> tuple[CardRecord, ...]:
    """Return a person's cards with their history, newest first.

    Their own, or to staff with ``identity_cards.handle`` over where each was applied for. Raises ``PurposeMissing``,
    ``AccessRefused``, ``AssuranceTooLow``, ``SharingRefused``.
    """
    stated(basis)
    access.require_person(actor=actor, basis=basis, person_ids=[person_id], right=HANDLE)
    cards = list(Card.objects.filter(person_id=person_id).order_by("-applied_at", "-id"))
    if not actor.is_resident:
        scope = access.scope(actor=actor, right=HANDLE)
        cards = [card for card in cards if scope.covers(organization_id=None, division_code=card.division_code)]
    if not cards:
        return ()
    divisions = {card.division_code for card in cards}
    decide_sharing(
        actor=actor, resource=RESOURCE, fields=("identity_card",), basis=basis, now=now, divisions=divisions, subjects=1
    )
    steps: dict[UUID, list[CardStep]] = {card.pk: [] for card in cards}
    for one in CardEvent.objects.filter(card__in=steps).order_by("id"):
        line = CardStep(step=Step(one.step), at=one.at, by=one.organization_label, note=one.note)
        steps[one.card_id].append(line)
    open_ones = Counter(
        Mismatch.objects.filter(card__in=steps, verdict__in=["open", "correcting"]).values_list("card_id", flat=True)
    )
    record_read(
        actor=actor,
        basis=basis,
        what="identity_cards.list_of_person",
        subjects=[person_id],
        fields=_SHOWN,
        database=DATABASE,
        now=now,
    )
    return tuple(
        CardRecord(
            card_id=card.pk,
            person_id=card.person_id,
            kind=Kind(card.kind),
            reason=Reason(card.reason),
            state=State(card.state),
            facts=dict(card.facts),
            portrait_id=card.portrait_id,
            division_code=card.division_code,
            applied_at=card.applied_at,
            due_on=card.due_on,
            valid_from=card.valid_from,
            valid_until=card.valid_until,
            chip=card.chip,
            history=tuple(steps[card.pk]),
            open_mismatches=open_ones[card.pk],
        )
        for card in cards
    )


@read("identity_cards.list_on_the_way", database=DATABASE)
def list_on_the_way(
    *, states: Sequence[State] = OPEN, actor: Actor, basis: Basis, now: datetime, limit: int = 50
) -> tuple[CardLine, ...]:
    """Return the cards on their way in the actor's area, those due first; names masked.

    Raises ``AccessRefused``.
    """
    stated(basis)
    scope = access.require(actor=actor, right=HANDLE).scope
    where, params = scope.sql(organization_column="", division_column="division_code")
    found = Card.objects.filter(state__in=list(states)).extra(where=[where], params=params)  # noqa: S610 - by Scope.sql
    cards = list(found.order_by("due_on", "applied_at")[:limit])
    if not cards:
        return ()
    decide_sharing(
        actor=actor,
        resource=RESOURCE,
        fields=("identity_card",),
        basis=basis,
        now=now,
        divisions={card.division_code for card in cards},
        subjects=len(cards),
    )
    record_read(
        actor=actor,
        basis=basis,
        what="identity_cards.list_on_the_way",
        subjects={card.person_id for card in cards},
        fields=("name_masked", "identity_card"),
        database=DATABASE,
        now=now,
    )
    today = timezone.localdate(now)
    return tuple(
        CardLine(
            card_id=card.pk,
            person_id=card.person_id,
            name_masked=mask_name(card.facts["name"]),
            kind=Kind(card.kind),
            reason=Reason(card.reason),
            state=State(card.state),
            applied_at=card.applied_at,
            due_on=card.due_on,
            is_late=card.due_on < today,
        )
        for card in cards
    )


def count_waiting(*, actor: Actor) -> dict[str, int]:
    """Return how much waits in the actor's area: cards by state, and open differences. It names nobody."""
    scope = access.scope(actor=actor, right=HANDLE)
    where, params = scope.sql(organization_column="", division_column="division_code")
    cards = Card.objects.filter(state__in=list(OPEN)).extra(where=[where], params=params)  # noqa: S610 - by Scope.sql
    counts: dict[str, int] = Counter(cards.values_list("state", flat=True))
    return {**dict.fromkeys(OPEN, 0), **counts}


# --- batches ------------------------------------------------------------------------------------------------------------


def list_batches(*, actor: Actor, limit: int = 50) -> tuple[BatchRecord, ...]:
    """Return the batches that the actor's organisation ordered, newest first. Raises ``AccessRefused``."""
    access.require(actor=actor, right=PRODUCE)
    batches = list(Batch.objects.filter(organization_id=actor.organization_id).order_by("-ordered_at", "-id")[:limit])
    return tuple(batch_record(one) for one in batches)


def batch_record(batch: Batch) -> BatchRecord:
    """Return a batch with how its cards stand."""
    counts = Counter(Production.objects.filter(batch=batch).values_list("state", flat=True))
    return BatchRecord(
        batch_id=batch.pk,
        number=batch.number,
        ordered_at=batch.ordered_at,
        cards=batch.cards,
        made=counts["made"],
        defective=counts["defective"],
        withdrawn=counts["withdrawn"],
        missing=counts["ordered"],
    )


def find_batch(*, batch_id: UUID, actor: Actor) -> BatchRecord:
    """Return one batch. Raises `BatchNotFound`, ``AccessRefused``."""
    return batch_record(get_batch(batch_id, actor=actor))


def list_missing(*, batch_id: UUID, actor: Actor) -> tuple[str, ...]:
    """Return the keys of a batch's cards of which no file spoke yet. Raises `BatchNotFound`."""
    batch = get_batch(batch_id, actor=actor)
    found = Production.objects.filter(batch=batch, state="ordered").order_by("id")
    return tuple(str(key) for key in found.values_list("pk", flat=True))


def list_returns(*, batch_id: UUID, actor: Actor) -> tuple[ReturnRecord, ...]:
    """Return the factory's files of a batch with each row's outcome, newest first. Raises `BatchNotFound`."""
    batch = get_batch(batch_id, actor=actor)
    return tuple(return_record(one) for one in Return.objects.filter(batch=batch).order_by("-taken_at"))


@read("identity_cards.open_order", database=DATABASE)
def open_order(*, batch_id: UUID, actor: Actor, basis: Basis, now: datetime) -> bytes:
    """Return a batch as the factory takes it: a ZIP with ``cards.csv`` and the portraits.

    Only what is still to be made; everybody in it is recorded. Raises `BatchNotFound`, ``AccessRefused``, ``PurposeMissing``.
    """
    stated(basis)
    batch = get_batch(batch_id, actor=actor)
    made = list(Production.objects.filter(batch=batch, state="ordered").select_related("card").order_by("id"))
    portraits = [one.card.portrait_id for one in made if one.card.portrait_id is not None]
    decide_sharing(
        actor=actor,
        resource=RESOURCE,
        fields=("identity_card",),
        basis=basis,
        now=now,
        divisions={one.card.division_code for one in made},
        subjects=len(made),
    )
    pictures = ports.pictures().pictures(portrait_ids=portraits, actor=actor, basis=basis, now=now)
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["batch", "card", *FACTS, "valid_from", "valid_until", "portrait"])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for one in made:
            card = one.card
            limit = card.valid_until.isoformat() if card.valid_until else ""
            start = card.valid_from.isoformat() if card.valid_from else ""
            name = f"portraits/{one.pk}.jpg"
            facts = [card.facts[fact] for fact in FACTS]
            writer.writerow([batch.number, str(one.pk), *facts, start, limit, name])
            if card.portrait_id is not None and card.portrait_id in pictures:
                archive.writestr(name, pictures[card.portrait_id])
        archive.writestr("cards.csv", b"\xef\xbb\xbf" + table.getvalue().encode())
    record_read(
        actor=actor,
        basis=basis,
        what="identity_cards.open_order",
        subjects={one.card.person_id for one in made},
        fields=_SHOWN,
        database=DATABASE,
        now=now,
        object=("card_batch", batch.pk),
        detail={"cards": len(made)},
    )
    return out.getvalue()


# --- differences ----------------------------------------------------------------------------------------------------------


@read("identity_cards.list_mismatches", database=DATABASE)
def list_mismatches(*, actor: Actor, basis: Basis, now: datetime, limit: int = 50) -> tuple[MismatchRecord, ...]:
    """Return where cards and register differ in the actor's area, oldest first. Raises ``AccessRefused``."""
    stated(basis)
    scope = access.require(actor=actor, right=COMPARE).scope
    where, params = scope.sql(organization_column="", division_column="division_code")
    open_ones = Mismatch.objects.filter(verdict__in=[Verdict.OPEN, Verdict.CORRECTING])
    found = list(open_ones.extra(where=[where], params=params).order_by("found_at")[:limit])  # noqa: S610 - by Scope.sql
    if not found:
        return ()
    decide_sharing(
        actor=actor,
        resource=RESOURCE,
        fields=("identity_card",),
        basis=basis,
        now=now,
        divisions={one.division_code for one in found},
        subjects=len({one.person_id for one in found}),
    )
    record_read(
        actor=actor,
        basis=basis,
        what="identity_cards.list_mismatches",
        subjects={one.person_id for one in found},
        fields={one.fact for one in found},
        database=DATABASE,
        now=now,
    )
    return tuple(
        MismatchRecord(
            mismatch_id=one.pk,
            card_id=one.card_id,
            person_id=one.person_id,
            fact=one.fact,
            on_card=one.on_card,
            in_register=one.in_register,
            verdict=Verdict(one.verdict),
            found_at=one.found_at,
            note=one.note,
        )
        for one in found
    )
