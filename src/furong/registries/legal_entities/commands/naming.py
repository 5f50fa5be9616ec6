"""Names: keeping one for a founder, and giving it up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Assurance, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar.values import months_later
from furong.foundation.codes.ids import new_id

from ..errors import NameRefused, NameSimilar, ReservationLapsed, ReservationNotFound
from ..ledger import local_date, lock, rules_on
from ..models import Entity, Name
from ..names import name_key, sound_of
from ..naming import judge, names_of_places, parts_of
from ..rights import REGISTER
from ..values import EntityKind, Reservation


@command("legal_entities.reserve_name")
def reserve_name(
    *,
    kind: EntityKind,
    trade_name: str,
    industry: str = "",
    industry_words: str = "",
    form: str = "",
    area: str = "city",
    division_code: str,
    person_id: UUID,
    accept_similar: bool = False,
    owner_code: str = "",
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> Reservation:
    """Keep a name for a person who sets up an entity, for two months (Order 734, art. 19).

    ``area`` is the division that the name bears (``county``, ``city``, ``province``) of the place ``division_code``. ``industry``
    is a trade of the rules, empty for a name without one. ``owner_code`` names a firm in which the founder holds shares, whose
    trade name may then be borne too (art. 17). Names that are merely alike are accepted with ``accept_similar`` (art. 18). Of two
    who ask at once for clashing names one waits and is refused. The same ``effect_id`` again returns the first result; a person
    who keeps the very name already keeps it on.

    Raises `NameRefused` with the first reason, `NameSimilar`, `FactsIncomplete`, ``AccessRefused``, ``PurposeMissing``. 5 ms.
    """
    if not basis.is_stated:
        raise PurposeMissing
    if actor.is_resident:
        access.require_assurance(actor=actor, level=Assurance.VERIFIED)
        if person_id != actor.person_id:
            raise AccessRefused
    else:
        access.require(actor=actor, right=REGISTER)
    today = local_date(now)
    rules = rules_on(today)
    parts, area_code = parts_of(
        kind=kind,
        trade_name=trade_name,
        industry=industry,
        industry_words=industry_words,
        form=form,
        area=area,
        division_code=division_code,
        rules=rules,
    )
    entry = current()
    entry.subject(person_id, fields=("reserved_name",))
    whole, trade = name_key(parts.name), name_key(parts.trade_name)
    if effect_id is not None:
        lock(f"effect:{effect_id}")
        if (before := Name.objects.filter(effect_id=effect_id).first()) is not None:
            entry.object("reserved_name", before.id)
            entry.detail(repeated=True)
            return _reservation(before)
    # Trade names clash by sound and by holding one another only in a warning: what is refused is locked.
    for key in sorted({f"name:{whole}", f"trade:{area_code}:{trade}"}):
        lock(key)
    mine = Name.objects.filter(name_key=whole, kept_for=person_id, entity__isnull=True, ended_on__isnull=True).first()
    if mine is not None and mine.kept_until is not None and mine.kept_until > today:
        entry.object("reserved_name", mine.id)
        return _reservation(mine)
    _sweep(whole, now=now)
    owner = _owner(owner_code, person_id)
    verdict = judge(parts, area=area_code, on=today, rules=rules, places=names_of_places(division_code), owner=owner)
    for found in verdict.findings:
        if found.refuses:
            raise NameRefused(reason=found.message.primary)
    if verdict.similar and not accept_similar:
        raise NameSimilar
    row = Name(
        id=new_id(),
        name=parts.name,
        name_key=whole,
        trade_key=trade,
        sound=sound_of(trade),
        industry=industry,
        area=area_code,
        parts={"kind": kind.value, "trade_name": parts.trade_name, "industry": industry, "form": parts.form},
        owner=owner,
        kept_for=person_id,
        effect_id=effect_id,
        since=now,
        kept_until=months_later(today, rules.reserve_months),
    )
    row.save(force_insert=True)
    entry.object("reserved_name", row.id)
    entry.detail(area=area_code, industry=industry)
    return _reservation(row)


@command("legal_entities.release_name")
def release_name(*, reservation_id: UUID, actor: Actor, basis: Basis, now: datetime) -> None:
    """Give up a kept name; anybody may take it at once.

    For the person it is kept for, and registrars. Raises `ReservationNotFound`, `ReservationLapsed`, ``PurposeMissing``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    row = Name.objects.select_for_update().filter(pk=reservation_id, kept_for__isnull=False).first()
    if row is None or (actor.is_resident and row.kept_for != actor.person_id):
        raise ReservationNotFound
    if not actor.is_resident:
        access.require(actor=actor, right=REGISTER)
    if row.entity_id is not None or row.ended_on is not None:
        raise ReservationLapsed
    row.ended_on = local_date(now)
    row.save(update_fields=["ended_on"])
    current().object("reserved_name", row.id)
    if row.kept_for is not None:
        current().subject(row.kept_for, fields=("reserved_name",))


def _sweep(whole: str, *, now: datetime) -> None:
    """End the reservation of this whole name that has lapsed, so that the next may take it."""
    today = local_date(now)
    Name.objects.filter(name_key=whole, entity__isnull=True, ended_on__isnull=True, kept_until__lte=today).update(
        ended_on=today
    )


def _owner(code: str, person_id: UUID) -> str:
    """The firm whose trade name the founder may bear: they lead it, or hold shares in it."""
    if not code:
        return ""
    found = Entity.objects.filter(credit_code=code.strip().upper()).first()
    if (
        found is None
        or not found.roles.filter(
            person_id=person_id, kind__in=["head", "holder"], superseded_at__isnull=True, valid_until__isnull=True
        ).exists()
    ):
        raise NameRefused(reason="投资关系未登记 The founder holds nothing in that firm.")
    Name.objects.filter(entity=found, ended_on__isnull=True, owner="").update(owner=found.credit_code)
    return found.credit_code


def _reservation(row: Name) -> Reservation:
    return Reservation(
        id=row.id, name=row.name, until=row.kept_until or local_date(row.since), registered=row.entity_id is not None
    )
