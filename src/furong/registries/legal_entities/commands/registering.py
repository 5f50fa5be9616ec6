"""Setting an entity up: its items, its people, its credit code, its name."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar.values import months_later
from furong.foundation.codes.credit_codes import parse_credit_code
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish

from ..errors import (
    CreditCodeTaken,
    EntityClosed,
    FactsIncomplete,
    NameRefused,
    ReservationLapsed,
    ReservationNotFound,
)
from ..events import EntityRegistered
from ..ledger import (
    Effect,
    first_version,
    local_date,
    lock,
    names_of_organization,
    rules_on,
    take_credit_code,
    take_entity,
    write_act,
    write_roles,
)
from ..models import Act, Entity, Name
from ..names import name_key
from ..rights import REGISTER
from ..values import (
    KINDS,
    ActKind,
    EntityKind,
    EntityState,
    NewEntity,
    Officer,
    Registered,
    RoleKind,
    county_of_code,
)

_SUBSCRIBE_WITHIN_MONTHS = 60  # 公司法 (2023), art. 47


@command("legal_entities.register")
def register(
    *,
    effect_id: UUID | None,
    entity: NewEntity,
    entity_id: UUID | None = None,
    reservation_id: UUID | None = None,
    name: str = "",
    given_code: str = "",
    established_on: date | None = None,
    registrar_organization_id: UUID | None,
    division_code: str,
    invented: bool = False,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> Registered:
    """Register an entity, give it its credit code, and make its name its own.

    A market entity bears a name that was kept for its head or a holder (``reservation_id``); branches, institutions and social
    organisations bear ``name``, which nobody else may bear. ``given_code`` is a code that another system allotted; else the next
    of the registrar's division is taken (GB 32100), or of the county kept for invented ones. ``established_on`` is today unless
    the entity was set up earlier elsewhere; ``entity_id`` is the key by which it is known already. The same ``effect_id`` again
    returns the first result.

    Raises `FactsIncomplete` naming the item, `ReservationNotFound`, `ReservationLapsed`, `NameRefused`, `CreditCodeTaken`,
    `EntityNotFound` and `EntityClosed` for the firm of a branch, ``AccessRefused``, ``PurposeMissing``.
    Faults: `EffectReusedError`, `SubjectsExhaustedError`. Order 746, art. 8, 9, 21. 10 ms.
    """
    if not basis.is_stated:
        raise PurposeMissing
    access.require(
        actor=actor, right=REGISTER, organization_id=registrar_organization_id, division_code=division_code or None
    )
    effect = Effect.of(effect_id, "register", entity, reservation_id, name, given_code, division_code)
    if (before := effect.find()) is not None:
        return _registered(before)
    today = local_date(now)
    on = established_on or today
    if on > today:
        raise FactsIncomplete(field="established_on")
    check_items(entity, on=on)
    facts = KINDS[entity.kind]
    parent = None
    if entity.kind is EntityKind.BRANCH:
        parent = take_entity(code=entity.parent_code)
        if parent.state == EntityState.REVOKED:
            raise EntityClosed
    kept = _take_reservation(reservation_id, entity, today=today) if reservation_id is not None else None
    if facts.is_market and parent is None and kept is None and not given_code:
        raise FactsIncomplete(field="name")
    borne = kept.name if kept is not None else "".join(name.split())
    if len(borne) < 2:
        raise FactsIncomplete(field="name")
    if kept is None:
        lock(f"name:{name_key(borne)}")
        if Name.objects.filter(name_key=name_key(borne), ended_on__isnull=True).exists():
            raise NameRefused(reason="与已登记的名称相同。 The name is borne already.")
    code = _checked_code(given_code) if given_code else take_credit_code(
        kind=entity.kind,
        county=county_of_code(division_code=division_code, invented=invented),
        prefix=rules_on(today).subject_prefix,
    )  # fmt: skip
    head = next(one for one in entity.officers if one.kind is RoleKind.HEAD)
    row = Entity(
        id=entity_id or new_id(),
        credit_code=code,
        kind=entity.kind.value,
        name=borne,
        name_key=name_key(borne),
        state=EntityState.ACTIVE.value,
        head_name=head.name,
        head_person_id=head.person_id,
        capital_fen=entity.capital_fen,
        address=entity.address.strip(),
        scope=entity.scope.strip(),
        term_until=entity.term_until,
        established_on=on,
        registrar_id=registrar_organization_id,
        registrar=names_of_organization(registrar_organization_id),
        division_code=division_code,
        parent=parent,
        recorded_at=now,
    )
    row.save(force_insert=True)
    result = {"credit_code": code, "name": borne, "kind": entity.kind.value, "established_on": on.isoformat()}
    act = write_act(row, ActKind.REGISTERED, on=on, effect=effect, result=result, actor=actor, basis=basis, now=now)
    first_version(row, act, on=on, now=now)
    write_roles(row, entity.officers, act, since=on, now=now)
    if kept is not None:
        kept.entity, kept.kept_until = row, None
        kept.save(update_fields=["entity", "kept_until"])
    else:
        Name.objects.create(
            name=borne, name_key=name_key(borne), trade_key="", sound="", area=division_code[:6], entity=row, since=now
        )
    entry = current()
    for one in entity.officers:
        if one.person_id is not None:
            entry.subject(one.person_id, fields=("name", one.kind.value))
    publish(
        EntityRegistered(
            entity_id=row.id,
            credit_code=code,
            kind=entity.kind.value,
            division_code=division_code,
            case_id=basis.case_id,
        ),
        now=now,
    )
    return _registered(act)


def check_items(entity: NewEntity, *, on: date) -> None:
    """Check the registration items of a kind against one another. Raises `FactsIncomplete` with the item.

    A company's shares add up to its capital, and are due within five years in a limited one (公司法 art. 47); who heads it is one
    person; each person stands once in an office.
    """
    facts = KINDS[entity.kind]
    if not entity.address.strip():
        raise FactsIncomplete(field="address")
    if facts.is_market and not entity.scope.strip():
        raise FactsIncomplete(field="scope")
    if entity.term_until is not None and entity.term_until <= on:
        raise FactsIncomplete(field="term_until")
    check_officers(entity.kind, entity.officers, capital_fen=entity.capital_fen, on=on)


def check_officers(kind: EntityKind, officers: tuple[Officer, ...], *, capital_fen: int | None, on: date) -> None:
    """Check who leads and holds an entity, and its capital. Raises `FactsIncomplete`."""
    facts = KINDS[kind]
    heads = [one for one in officers if one.kind is RoleKind.HEAD]
    if len(heads) != 1 or heads[0].person_id is None:
        raise FactsIncomplete(field="head")
    if any(not one.name.strip() or (one.person_id is None) == (not one.holder_code) for one in officers):
        raise FactsIncomplete(field="officers")
    who = [(one.kind, one.person_id or one.holder_code) for one in officers]
    if len(set(who)) < len(who):
        raise FactsIncomplete(field="officers")
    if facts.is_market and facts.has_capital:
        if capital_fen is None or capital_fen <= 0:
            raise FactsIncomplete(field="capital_fen")
    elif capital_fen is not None and capital_fen < 0:
        raise FactsIncomplete(field="capital_fen")
    if not facts.has_holders:
        return
    holders = [one for one in officers if one.kind is RoleKind.HOLDER]
    if not holders or any(one.subscribed_fen is None or one.subscribed_fen <= 0 for one in holders):
        raise FactsIncomplete(field="holders")
    if any((one.paid_fen or 0) > (one.subscribed_fen or 0) for one in holders):
        raise FactsIncomplete(field="paid_fen")
    if sum(one.subscribed_fen or 0 for one in holders) != capital_fen:
        raise FactsIncomplete(field="capital_fen")
    if kind is EntityKind.LIMITED_COMPANY and any(
        one.due_on is not None and one.due_on > months_later(on, _SUBSCRIBE_WITHIN_MONTHS) for one in holders
    ):
        raise FactsIncomplete(field="due_on")
    if kind is EntityKind.PARTNERSHIP and len(holders) < 2:  # 合伙企业法, art. 14
        raise FactsIncomplete(field="holders")


def _take_reservation(reservation_id: UUID, entity: NewEntity, *, today: date) -> Name:
    row: Name | None = Name.objects.select_for_update().filter(pk=reservation_id, kept_for__isnull=False).first()
    people = {one.person_id for one in entity.officers if one.kind in {RoleKind.HEAD, RoleKind.HOLDER}}
    if row is None or row.kept_for not in people:
        raise ReservationNotFound
    if row.entity_id is not None or row.ended_on is not None or row.kept_until is None or row.kept_until <= today:
        raise ReservationLapsed
    if row.parts.get("kind") != entity.kind.value:
        raise FactsIncomplete(field="kind")
    return row


def _checked_code(code: str) -> str:
    found = parse_credit_code(code).number
    lock(f"code:{found}")
    if Entity.objects.filter(credit_code=found).exists():
        raise CreditCodeTaken
    return found


def _registered(act: Act) -> Registered:
    return Registered(
        entity_id=act.entity_id,
        credit_code=act.result["credit_code"],
        name=act.result["name"],
        kind=EntityKind(act.result["kind"]),
        established_on=date.fromisoformat(act.result["established_on"]),
    )
