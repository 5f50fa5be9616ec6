"""Orders to the factory and what it sends back. A file is taken whole, once; what became of each of its rows is kept."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.ids import new_id

from .comparing import compare
from .errors import BatchNotFound, NothingToOrder, ReturnUnreadable
from .models import Batch, Card, Production, Return
from .rights import PRODUCE
from .steps import DATABASE, lock, stated, take
from .values import FACTS, MOST_IN_BATCH, Kind, Outcome, ReturnRecord, ReturnRow, State, Step, validity

MOST_ROWS = 3 * MOST_IN_BATCH
COLUMNS = ("batch", "card", "result", "chip", "remark")
_MADE, _DEFECT = "ok", "defect"


@command("identity_cards.order_cards", database=DATABASE)
def order_cards(*, actor: Actor, basis: Basis, now: datetime, most: int = MOST_IN_BATCH) -> UUID:
    """Order every card that waits in the actor's area, those due first, and return the batch's key.

    A card that another takes at the same moment is left to that one. Raises `NothingToOrder`, ``AccessRefused``.
    """
    stated(basis)
    scope = access.require(actor=actor, right=PRODUCE).scope
    where, params = scope.sql(organization_column="", division_column="division_code")
    ready = Card.objects.select_for_update(skip_locked=True).filter(state=State.READY, kind=Kind.REGULAR)
    cards = list(ready.extra(where=[where], params=params).order_by("due_on", "id")[:most])  # noqa: S610 - by Scope.sql
    if not cards:
        raise NothingToOrder
    today = timezone.localdate(now)
    lock("batch-number")
    count = Batch.objects.filter(number__startswith=f"{today:%Y%m%d}-").count()
    batch = Batch.objects.create(
        id=new_id(),
        number=f"{today:%Y%m%d}-{count + 1:03d}",
        ordered_at=now,
        organization_id=actor.organization_id,
        division_prefix=actor.division_code,
        cards=len(cards),
    )
    Production.objects.bulk_create(Production(id=new_id(), card=card, batch=batch) for card in cards)
    for card in cards:
        card.valid_from = today
        born_on = date.fromisoformat(card.facts["born_on"])
        card.valid_until = validity(kind=Kind.REGULAR, born_on=born_on, made_on=today)
        saved = ("valid_from", "valid_until")
        take(card, Step.ORDERED, to=State.ORDERED, actor=actor, now=now, note=batch.number, save=saved)
    current().object("card_batch", batch.pk)
    current().detail(cards=len(cards))
    return batch.pk


def get_batch(batch_id: UUID, *, actor: Actor) -> Batch:
    """Give a batch that the actor's own organisation ordered. Raises `BatchNotFound`, ``AccessRefused``."""
    access.require(actor=actor, right=PRODUCE)
    found = Batch.objects.filter(pk=batch_id).first()
    if found is None or not (actor.is_system or found.organization_id == actor.organization_id):
        raise BatchNotFound
    return found


@command("identity_cards.take_return", database=DATABASE)
def take_return(*, batch_id: UUID, data: bytes, actor: Actor, basis: Basis, now: datetime) -> ReturnRecord:
    """Take a file of the factory and return what became of each of its rows.

    CSV in UTF-8 with the columns batch, card (the key under which it was ordered), result (ok or defect), chip, remark, and, if
    the factory says what it engraved, the names of a card's facts: these are held against the register. All rows or none; the
    same file again gives the first answer. Cards of the batch that no file speaks of stay ordered and are listed as missing.
    Raises `ReturnUnreadable`, `BatchNotFound`, ``AccessRefused``.
    """
    stated(basis)
    batch = get_batch(batch_id, actor=actor)
    current().object("card_batch", batch.pk)
    lock(f"batch:{batch.pk}")
    digest = hashlib.sha256(data).hexdigest()
    before = Return.objects.filter(batch=batch, digest=digest).first()
    if before is not None:
        current().detail(repeated=True)
        return return_record(before)
    rows = _read(data, batch.number)
    told = _settle(batch, rows, actor=actor, now=now)
    taken = Return.objects.create(
        id=new_id(),
        batch=batch,
        digest=digest,
        taken_at=now,
        rows=[[one.line, one.reference, one.outcome.value, one.note] for one in told],
    )
    engraved = _engraved(rows, told)
    if engraved:
        compare(engraved, actor=actor, basis=basis, now=now)
    record = return_record(taken)
    current().detail(**{f"rows_{name}": count for name, count in record.counts.items()})
    return record


def _read(data: bytes, number: str) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        missing = [name for name in COLUMNS[:3] if name not in (reader.fieldnames or ())]
        if missing:
            raise ReturnUnreadable(problem=_("it has no column %(name)s") % {"name": ", ".join(missing)})
        rows = []
        for row in reader:
            rows.append({name: (value or "").strip() for name, value in row.items() if isinstance(name, str)})
            if len(rows) > MOST_ROWS:
                raise ReturnUnreadable(problem=_("it has more than %(rows)s rows") % {"rows": MOST_ROWS})
    except (UnicodeDecodeError, csv.Error) as broken:
        raise ReturnUnreadable(problem=_("it is no CSV in UTF-8")) from broken
    if not rows:
        raise ReturnUnreadable(problem=_("it has no rows"))
    if any(row["batch"] != number for row in rows):
        raise ReturnUnreadable(problem=_("it speaks of another batch"))
    return rows


def _settle(batch: Batch, rows: list[dict[str, str]], *, actor: Actor, now: datetime) -> list[ReturnRow]:
    keys = {row["card"]: key for row in rows if (key := _key(row["card"])) is not None}
    ordered = {
        one.pk: one
        for one in Production.objects.select_for_update(of=("self",))
        .filter(pk__in=keys.values())
        .select_related("card")
    }
    locked = Card.objects.select_for_update().filter(pk__in=[one.card.pk for one in ordered.values()]).order_by("pk")
    cards = {card.pk: card for card in locked}
    chips = set(
        Card.objects.filter(chip__in=[row.get("chip", "") for row in rows])
        .exclude(chip="")
        .values_list("chip", flat=True)
    )
    seen: set[UUID] = set()
    told = []
    for line, row in enumerate(rows, start=2):
        key = keys.get(row["card"])
        production = ordered.get(key) if key is not None else None
        outcome = _outcome(row, production, batch, seen, chips)
        if production is not None:
            seen.add(production.pk)
        if production is not None and outcome in {Outcome.MADE, Outcome.DEFECTIVE}:
            _apply(production, cards[production.card.pk], row, outcome, actor=actor, now=now)
            if outcome is Outcome.MADE:
                chips.add(row["chip"])
        told.append(ReturnRow(line=line, reference=row["card"][:64], outcome=outcome, note=row.get("remark", "")[:200]))
    return told


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _outcome(
    row: Mapping[str, str], production: Production | None, batch: Batch, seen: set[UUID], chips: set[str]
) -> Outcome:
    if row["result"] not in {_MADE, _DEFECT} or (row["result"] == _MADE and not row.get("chip")):
        return Outcome.UNREADABLE
    if production is None:
        return Outcome.UNKNOWN
    if production.batch_id != batch.pk:
        return Outcome.OTHER_BATCH
    if production.pk in seen:
        return Outcome.DOUBLED
    if production.state == "withdrawn":
        return Outcome.WITHDRAWN
    if production.state != "ordered":
        return Outcome.TOLD_BEFORE
    if row["result"] == _MADE and row["chip"] in chips:
        return Outcome.CHIP_TAKEN
    return Outcome.MADE if row["result"] == _MADE else Outcome.DEFECTIVE


def _apply(
    production: Production, card: Card, row: Mapping[str, str], outcome: Outcome, *, actor: Actor, now: datetime
) -> None:
    made = outcome is Outcome.MADE
    production.state, production.told_at = "made" if made else "defective", now
    production.save(update_fields=["state", "told_at"])
    remark = row.get("remark", "")[:200]
    if made:
        card.chip = row["chip"][:64]
        take(card, Step.PRODUCED, to=State.PRODUCED, actor=actor, now=now, note=remark, save=("chip",))
    else:  # back among those to be ordered, with what was wrong
        take(card, Step.DEFECTIVE, to=State.READY, actor=actor, now=now, note=remark)


def _engraved(rows: list[dict[str, str]], told: list[ReturnRow]) -> dict[UUID, dict[str, str]]:
    """What the factory says stands on each card made, by card."""
    made = {one.reference: row for one, row in zip(told, rows, strict=True) if one.outcome is Outcome.MADE}
    keys = {UUID(reference): row for reference, row in made.items()}
    found = {}
    for production in Production.objects.filter(pk__in=keys).select_related("card"):
        row = keys[production.pk]
        found[production.card.pk] = {name: row[name] for name in FACTS if row.get(name)}
    return found


@command("identity_cards.withdraw_missing", database=DATABASE)
def withdraw_missing(*, batch_id: UUID, actor: Actor, basis: Basis, now: datetime) -> int:
    """Take back the orders of a batch that no file spoke of, and return how many; their cards wait anew.

    A card that the factory sends after all under the old key is told as withdrawn, to be destroyed: no card is issued twice.
    Raises `BatchNotFound`, ``AccessRefused``.
    """
    stated(basis)
    batch = get_batch(batch_id, actor=actor)
    lock(f"batch:{batch.pk}")
    current().object("card_batch", batch.pk)
    missing = list(
        Production.objects.select_for_update(of=("self",)).filter(batch=batch, state="ordered").select_related("card")
    )
    for production in missing:
        card = Card.objects.select_for_update().get(pk=production.card.pk)
        production.state, production.told_at = "withdrawn", now
        production.save(update_fields=["state", "told_at"])
        take(card, Step.ORDER_WITHDRAWN, to=State.READY, actor=actor, now=now, note=batch.number)
    current().detail(cards=len(missing))
    return len(missing)


def return_record(one: Return) -> ReturnRecord:
    """Give a file as it was answered."""
    rows = tuple(ReturnRow(line=r[0], reference=r[1], outcome=Outcome(r[2]), note=r[3]) for r in one.rows)
    counts = Counter(row.outcome.value for row in rows)
    return ReturnRecord(return_id=one.pk, taken_at=one.taken_at, rows=rows, counts=dict(counts))
