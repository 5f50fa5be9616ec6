"""Writes on demands: the owner supplies, promises or refuses, the data authority says who answers, the asking side withdraws."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from furong.domains.catalogue import models as catalogue_models
from furong.domains.catalogue.acting import reason_of
from furong.domains.catalogue.errors import ActImpossible
from furong.domains.catalogue.needs import models, telling
from furong.domains.catalogue.needs.errors import ClauseNeeded, DateRefused, NeedMissing, NeedRefused, SupplyLacking
from furong.domains.catalogue.needs.events import DemandAnswered
from furong.domains.catalogue.needs.owning import asks, demand_locked, owns, supervises
from furong.domains.catalogue.needs.ruling import settle
from furong.domains.catalogue.needs.stating import note, withdraw_row
from furong.domains.catalogue.needs.values import (
    APPEAL_WORKING_DAYS,
    MAX_WORDS,
    REPLY_WORKING_DAYS,
    SUPPLY_WORKING_DAYS,
    DemandAct,
    DemandState,
    after,
)
from furong.domains.catalogue.states import Audience
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command
from furong.foundation.calendar import queries as calendars
from furong.foundation.events.commands import publish
from furong.foundation.organizations import queries as organizations


@command("catalogue.assign_demand")
def assign_demand(*, demand_id: UUID, department: str, words: str, actor: Actor, now: datetime) -> None:
    """Let the data authority name the department that answers a demand for what nobody owns yet.

    The ten working days begin anew for it. Raises `NeedRefused` for a department without an organisation or the asking one
    itself, ``ActImpossible``, `NeedMissing`, ``AccessRefused``.
    """
    row = demand_locked(demand_id, actor)
    if not supervises(row, actor):
        raise AccessRefused
    state = _after(row, DemandAct.ASSIGN)
    body = organizations.find_responsible(department=department, division_code=row.provider_division_code)
    if body is None or body.id == row.organization_id:
        raise NeedRefused("This department has no organisation that could answer.")
    row.provider_organization_id, row.provider_division_code, row.is_unowned = body.id, body.division_code, False
    row.due_on = _term(now, REPLY_WORKING_DAYS)
    _move(row, state, DemandAct.ASSIGN, actor=actor, now=now, words=words.strip()[:MAX_WORDS])
    settle([row.id], now=now)
    telling.tell_owner(row, "catalogue.demand_filed", now=now)


@command("catalogue.supply_demand")
def supply_demand(*, demand_id: UUID, resource_code: str, words: str, actor: Actor, now: datetime) -> None:
    """Answer a demand with a resource that supplies it; the asking side requests it from there.

    Raises `SupplyLacking` when the resource is not live and shared, is another organisation's, or does not carry the demanded
    element; ``ActImpossible``, `NeedMissing`, ``AccessRefused``.
    """
    row = _owned(demand_id, actor)
    state = _after(row, DemandAct.SUPPLY)
    if not supplies(row, resource_code):
        raise SupplyLacking
    row.resource_code, row.answered_at, row.due_on = resource_code, row.answered_at or now, None
    _move(row, state, DemandAct.SUPPLY, actor=actor, now=now, words=words.strip()[:MAX_WORDS])
    settle([row.id], now=now)
    telling.tell_asker(row, "catalogue.demand_supplied", now=now)
    publish(DemandAnswered(demand_id=row.id, state=row.state, resource_code=resource_code), now=now)


@command("catalogue.promise_supply")
def promise_supply(*, demand_id: UUID, supply_by: date, words: str, actor: Actor, now: datetime) -> None:
    """Answer a demand with the day by which it will be supplied, at most twenty working days from today.

    Raises `DateRefused`, ``ActImpossible``, `NeedMissing`, ``AccessRefused``.
    """
    row = _owned(demand_id, actor)
    state = _after(row, DemandAct.PROMISE)
    day_in_time(supply_by, now=now)
    row.due_on, row.answered_at = supply_by, now
    _move(row, state, DemandAct.PROMISE, actor=actor, now=now, words=words.strip()[:MAX_WORDS], day=supply_by)
    settle([row.id], now=now)
    telling.tell_asker(row, "catalogue.demand_promised", now=now)
    publish(DemandAnswered(demand_id=row.id, state=row.state), now=now)


@command("catalogue.refuse_demand")
def refuse_demand(*, demand_id: UUID, clause: str, reason: str, actor: Actor, now: datetime) -> None:
    """Refuse a demand by a law's clause and with the reason (拒绝应当说明理由和依据).

    The asking side has ten working days to bring it before the data authority. Raises `ClauseNeeded`, ``ReasonNeeded``,
    ``ActImpossible``, `NeedMissing`, ``AccessRefused``.
    """
    row = _owned(demand_id, actor)
    state = _after(row, DemandAct.REFUSE)
    law, why = clause_of(clause), reason_of(reason)
    row.clause, row.reason, row.answered_at = law, why, now
    row.due_on = _term(now, APPEAL_WORKING_DAYS)
    _move(row, state, DemandAct.REFUSE, actor=actor, now=now, words=why, clause=law)
    settle([row.id], now=now)
    telling.tell_asker(row, "catalogue.demand_refused", now=now)
    publish(DemandAnswered(demand_id=row.id, state=row.state), now=now)


@command("catalogue.withdraw_demand")
def withdraw_demand(*, demand_id: UUID, actor: Actor, now: datetime) -> None:
    """Take an open demand back. Raises ``ActImpossible``, `NeedMissing`, ``AccessRefused``."""
    row = demand_locked(demand_id, actor)
    if not asks(row, actor):
        raise AccessRefused
    _after(row, DemandAct.WITHDRAW)
    withdraw_row(row, actor=actor, now=now)


def supplies(row: models.Demand, resource_code: str) -> bool:
    """Say whether a resource answers a demand: live and shared, of the owner, and carrying the element that is demanded."""
    resource = catalogue_models.Resource.objects.filter(
        code=resource_code,
        live=True,
        audience__lte=Audience.STAFF,
        organization_id=row.provider_organization_id,
    )
    if not row.element:
        return resource.exists()
    carried = catalogue_models.Carried.objects.filter(element=row.element, audience__lte=Audience.STAFF)
    return resource.filter(code__in=carried.values("resource_id")).exists()


def offers_of(row: models.Demand, *, limit: int = 200) -> list[str]:
    """Give the codes of the resources by which the owner could answer a demand."""
    found = catalogue_models.Resource.objects.filter(
        live=True, audience__lte=Audience.STAFF, organization_id=row.provider_organization_id
    )
    if row.element:
        carried = catalogue_models.Carried.objects.filter(element=row.element, audience__lte=Audience.STAFF)
        found = found.filter(code__in=carried.values("resource_id"))
    return list(found.order_by("name_pinyin", "code").values_list("code", flat=True)[:limit])


def day_in_time(day: date, *, now: datetime) -> None:
    """Check a day of supply. Raises `DateRefused` when it is not between tomorrow and the twentieth working day."""
    last_on = _term(now, SUPPLY_WORKING_DAYS)
    if not calendars.current().local_date(now) < day <= last_on:
        raise DateRefused(last_on=last_on.isoformat())


def clause_of(given: str) -> str:
    """Give a clause as it is kept. Raises `ClauseNeeded` for an empty one."""
    law = given.strip()[:MAX_WORDS]
    if not law:
        raise ClauseNeeded
    return law


def _owned(demand_id: UUID, actor: Actor) -> models.Demand:
    row = demand_locked(demand_id, actor)
    if not owns(row, actor):
        raise AccessRefused
    return row


def _after(row: models.Demand, act: DemandAct) -> DemandState:
    state = after(DemandState(row.state), act)
    if state is None or (act is DemandAct.ASSIGN and not row.is_unowned):
        raise ActImpossible
    return state


def _term(now: datetime, days: int) -> date:
    calendar = calendars.current()
    return calendar.add_working_days(calendar.local_date(now), days)


def _move(
    row: models.Demand,
    state: DemandState,
    act: DemandAct,
    *,
    actor: Actor,
    now: datetime,
    words: str = "",
    clause: str = "",
    day: date | None = None,
) -> None:
    row.state, row.version = state.value, row.version + 1
    row.save()
    note(row, act, actor=actor, now=now, words=words, clause=clause, day=day)


__all__ = [
    "NeedMissing",
    "assign_demand",
    "clause_of",
    "day_in_time",
    "offers_of",
    "promise_supply",
    "refuse_demand",
    "supplies",
    "supply_demand",
    "withdraw_demand",
]
