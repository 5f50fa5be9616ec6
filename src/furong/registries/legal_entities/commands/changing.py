"""Changes of registration items, dormancy, and coming back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar.values import months_later
from furong.foundation.events.commands import publish

from ..errors import (
    EntityClosed,
    FactsIncomplete,
    NothingChanged,
    NoticeRunning,
    ReservationLapsed,
    ReservationNotFound,
)
from ..events import EntityChanged, EntityStateChanged
from ..ledger import (
    ONCE,
    Effect,
    end_roles,
    facts_of,
    local_date,
    open_roles,
    role_as_officer,
    rules_on,
    set_facts,
    take_entity,
    write_act,
    write_roles,
)
from ..models import Act, Entity, Name, Role
from ..names import name_key
from ..rights import REGISTER
from ..values import KINDS, ActKind, EntityKind, EntityState, Officer, RoleKind
from .registering import check_officers

CHANGEABLE = frozenset({"capital_fen", "address", "scope", "term_until"})


@command("legal_entities.change")
def change(
    *,
    entity_id: UUID,
    items: Mapping[str, Any] | None = None,
    officers: Mapping[RoleKind, Sequence[Officer]] | None = None,
    reservation_id: UUID | None = None,
    since: date | None = None,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> tuple[str, ...]:
    """Change registration items of an entity from a day on, and return which (Order 746, art. 24).

    ``items`` are of ``capital_fen``, ``address``, ``scope``, ``term_until`` (a date or None). ``officers`` replaces, of each kind
    named, everybody who holds it. ``reservation_id`` is a name that was kept for the head or a holder; the old one is nobody's
    for a year (Order 734, art. 17). ``since`` is today unless an earlier day is recorded late; then the change holds until the
    one that came after it. What was believed before stays readable. The same ``effect_id`` again returns the first result.

    Raises `EntityNotFound`, `EntityClosed` (deregistered, annulled, or its licence revoked), `NoticeRunning`, `FactsIncomplete`,
    `NothingChanged`, `ReservationNotFound`, `ReservationLapsed`, ``AccessRefused``, ``PurposeMissing``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    given = {k: v.isoformat() if isinstance(v, date) else v for k, v in (items or {}).items()}
    people = {kind: tuple(some) for kind, some in (officers or {}).items()}
    effect = Effect.of(
        effect_id, "change", entity_id, given, [[k, v] for k, v in people.items()], reservation_id, since
    )
    if (before := effect.find()) is not None:
        return tuple(before.result["items"])
    entity = take_entity(entity_id=entity_id)
    access.require(actor=actor, right=REGISTER, organization_id=entity.registrar_id, division_code=entity.division_code)
    if entity.state == EntityState.REVOKED:
        raise EntityClosed
    if (running := entity.notices.filter(state="open").first()) is not None:
        raise NoticeRunning(ends_on=running.ends_on.isoformat())
    today = local_date(now)
    on = since or today
    if on > today or on < entity.established_on:
        raise FactsIncomplete(field="since")
    for item in given:
        if item not in CHANGEABLE:
            raise FactsIncomplete(field=item)
    facts: dict[str, Any] = dict(given)
    for item in ("address", "scope"):
        if item in facts and not str(facts[item]).strip():
            raise FactsIncomplete(field=item)
    kept = _take_name(reservation_id, entity, today=today) if reservation_id is not None else None
    if kept is not None:
        facts["name"] = kept.name
    held = open_roles(entity.id)
    _check_people(entity, held, people, facts, on=on)
    head = next(iter(people.get(RoleKind.HEAD, ())), None)
    if head is not None:
        facts["head"] = head.name
    replaced = {kind: [row for row in held if row.kind == kind] for kind in people}
    moved = {kind for kind in people if _as_set(map(role_as_officer, replaced[kind])) != _as_set(people[kind])}
    changed_roles: list[dict[str, object]] = [
        {"item": kind.value, "before": _named(map(role_as_officer, replaced[kind])), "after": _named(people[kind])}
        for kind in people
        if kind in moved and kind is not RoleKind.HEAD
    ]
    latest = facts_of(entity)

    def make_act(changes: list[dict[str, object]]) -> Act:
        every = [*changes, *changed_roles]
        return write_act(
            entity,
            ActKind.CHANGED,
            on=on,
            changes=every,
            effect=effect,
            result={"items": [str(one["item"]) for one in every]},
            actor=actor,
            basis=basis,
            now=now,
        )

    done = set_facts(entity, facts, since=on, make_act=make_act, now=now)
    if done is None and not moved:
        raise NothingChanged
    act = done[0] if done is not None else make_act([])
    for kind in moved:
        end_roles(replaced[kind], act, on=on, now=now)
        write_roles(entity, people[kind], act, since=on, now=now)
        for one in (*map(role_as_officer, replaced[kind]), *people[kind]):
            if one.person_id is not None:
                current().subject(one.person_id, fields=("name", kind.value))
    if head is not None:
        entity.head_person_id = head.person_id
    if kept is not None and entity.name == kept.name:
        end_name(entity, on=on, months=rules_on(today).quarantine_months)
        kept.entity, kept.kept_until = entity, None
        kept.save(update_fields=["entity", "kept_until"])
    entity.name_key = name_key(entity.name)
    entity.version += 1
    entity.recorded_at = now
    entity.save()
    if latest != facts_of(entity) or moved or done is not None:
        publish(
            EntityChanged(
                entity_id=entity.id,
                credit_code=entity.credit_code,
                items=tuple(act.result["items"]),
                case_id=basis.case_id,
            ),
            now=now,
        )
    return tuple(act.result["items"])


@command("legal_entities.declare_dormant")
def declare_dormant(*, entity_id: UUID, reason: str, actor: Actor, basis: Basis, now: datetime) -> date:
    """Record that an entity suspends its business, and return until when at most (Order 746, art. 30).

    Raises `EntityNotFound`, `EntityClosed`, `NothingChanged`, ``AccessRefused``, ``PurposeMissing``.
    """
    entity = set_state(
        entity_id,
        EntityState.DORMANT,
        ActKind.DORMANT,
        allowed=(EntityState.ACTIVE,),
        right=REGISTER,
        reason=reason,
        actor=actor,
        basis=basis,
        now=now,
    )
    del entity
    today = local_date(now)
    return months_later(today, 12 * rules_on(today).dormant_years)


@command("legal_entities.resume")
def resume(*, entity_id: UUID, actor: Actor, basis: Basis, now: datetime) -> None:
    """Record that a dormant entity does business again.

    Raises `EntityNotFound`, `EntityClosed`, `NothingChanged`, ``AccessRefused``, ``PurposeMissing``.
    """
    set_state(
        entity_id,
        EntityState.ACTIVE,
        ActKind.RESUMED,
        allowed=(EntityState.DORMANT,),
        right=REGISTER,
        reason="",
        actor=actor,
        basis=basis,
        now=now,
    )


def set_state(
    entity_id: UUID,
    state: EntityState,
    kind: ActKind,
    *,
    allowed: Sequence[EntityState],
    right: str,
    reason: str,
    effect: Effect = ONCE,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> Entity:
    """Private: bring an entity into another state, with its act, its history and its event. Returns the row, locked."""
    if not basis.is_stated:
        raise PurposeMissing
    entity = take_entity(entity_id=entity_id)
    access.require(actor=actor, right=right, organization_id=entity.registrar_id, division_code=entity.division_code)
    if EntityState(entity.state) not in allowed:
        if entity.state == state:
            raise NothingChanged
        raise EntityClosed
    today = local_date(now)

    def make_act(changes: list[dict[str, object]]) -> Act:
        return write_act(
            entity,
            kind,
            on=today,
            changes=changes,
            reason=reason.strip(),
            effect=effect,
            actor=actor,
            basis=basis,
            now=now,
        )

    done = set_facts(entity, {"state": state.value}, since=today, make_act=make_act, now=now)
    if done is not None and not state.is_registered:
        entity.ended_on = today
        end_roles(open_roles(entity.id), done[0], on=today, now=now)
        end_name(entity, on=today, months=rules_on(today).quarantine_months)
    entity.version += 1
    entity.recorded_at = now
    entity.save()
    publish(
        EntityStateChanged(entity_id=entity.id, credit_code=entity.credit_code, state=state.value, act=kind.value),
        now=now,
    )
    return entity


def end_name(entity: Entity, *, on: date, months: int) -> None:
    """Private: an entity's name is its own no more, and nobody else's for some months (Order 734, art. 17)."""
    Name.objects.filter(entity=entity, ended_on__isnull=True).update(
        ended_on=on, blocked_until=months_later(on, months) if months else None
    )


def _take_name(reservation_id: UUID, entity: Entity, *, today: date) -> Name:
    row: Name | None = Name.objects.select_for_update().filter(pk=reservation_id, kept_for__isnull=False).first()
    people = [role.person_id for role in open_roles(entity.id, (RoleKind.HEAD, RoleKind.HOLDER))]
    if row is None or row.kept_for not in people:
        raise ReservationNotFound
    if row.entity_id is not None or row.ended_on is not None or row.kept_until is None or row.kept_until <= today:
        raise ReservationLapsed
    if row.parts.get("kind") != entity.kind:
        raise FactsIncomplete(field="kind")
    return row


def _check_people(
    entity: Entity,
    held: Sequence[Role],
    people: Mapping[RoleKind, tuple[Officer, ...]],
    facts: Mapping[str, Any],
    *,
    on: date,
) -> None:
    """Check who would hold what after the change, where it touches people or the capital."""
    if not people and "capital_fen" not in facts:
        return
    if any(one.kind is not kind for kind, some in people.items() for one in some):
        raise FactsIncomplete(field="officers")
    staying = [role_as_officer(row) for row in held if RoleKind(row.kind) not in people]
    every = (*staying, *(one for some in people.values() for one in some))
    capital = facts.get("capital_fen", entity.capital_fen)
    kind = EntityKind(entity.kind)
    if KINDS[kind].has_holders or people or capital is None:
        check_officers(kind, every, capital_fen=capital, on=on)
    elif capital <= 0:
        raise FactsIncomplete(field="capital_fen")


def _as_set(officers: Any) -> set[str]:
    return {str(sorted(one.as_json().items())) for one in officers}


def _named(officers: Any) -> str:
    return "、".join(one.name for one in officers)
