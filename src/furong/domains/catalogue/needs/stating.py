"""Writes on needs: state one, file a demand for what nothing supplies, close it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from furong.domains.catalogue.acting import by_words, reason_of
from furong.domains.catalogue.errors import ElementMissing, OwnResource
from furong.domains.catalogue.needs import finding, models, telling
from furong.domains.catalogue.needs.errors import DemandOpen, NeedMissing, NeedRefused
from furong.domains.catalogue.needs.events import DemandFiled
from furong.domains.catalogue.needs.owning import need_locked, owner_of
from furong.domains.catalogue.needs.values import (
    MAX_WORDS,
    MOST_BENEFIT,
    MOST_ELEMENTS,
    REPLY_WORKING_DAYS,
    Benefit,
    DemandAct,
    DemandState,
    Urgency,
    after,
    priority,
)
from furong.domains.catalogue.queries import get_dictionary
from furong.domains.catalogue.sight import EDIT
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendars
from furong.foundation.events.commands import publish
from furong.foundation.organizations import queries as organizations

CLOSED = [DemandState.WITHDRAWN.value, DemandState.REFUSED.value, DemandState.UPHELD.value]
NOTHING = Benefit()


@command("catalogue.state_need")
def state_need(
    *,
    words: str,
    purpose: str,
    actor: Actor,
    now: datetime,
    legal_basis: str = "",
    elements: Sequence[str] = (),
    urgency: Urgency = Urgency.ORDINARY,
    benefit: Benefit = NOTHING,
) -> UUID:
    """Write down what the actor's organisation needs, and file demands for what the catalogue does not have.

    ``words`` say what is needed, ``purpose`` for what; ``elements`` are codes of the dictionary, at most 20; ``benefit`` is that
    of a year. A chosen element that no live, shared resource carries is demanded of its owner at once; where none is chosen and
    nothing is found, the whole need is demanded of the data authority. Gives the need. Raises `NeedRefused`, `ElementMissing`,
    ``AccessRefused``.
    """
    if actor.organization_id is None:
        raise NeedRefused("Ask in the name of an organisation.")
    own = organizations.get_organization(organization_id=actor.organization_id)
    access.require(actor=actor, right=EDIT, organization_id=own.id, division_code=own.division_code)
    said, why = _said(words), _said(purpose)
    chosen = list(dict.fromkeys(elements))
    if len(chosen) > MOST_ELEMENTS:
        raise NeedRefused("Name at most %(most)s elements.", most=MOST_ELEMENTS)
    days = calendars.current()
    today = days.local_date(now)
    dictionary = get_dictionary(on=today)
    for code in chosen:
        if code not in dictionary:
            raise ElementMissing(element=code)
    counts = (benefit.people, benefit.enterprises, benefit.cases, benefit.materials)
    if any(not 0 <= count <= MOST_BENEFIT for count in counts):
        raise NeedRefused("A benefit is a number from 0 to %(most)s.", most=MOST_BENEFIT)
    need = models.Need.objects.create(
        number=f"XQ{today.year}-{_next('catalogue_need_number'):06d}",
        organization_id=own.id,
        division_code=own.division_code,
        words=said,
        elements=chosen,
        purpose=why,
        legal_basis=legal_basis.strip()[:MAX_WORDS],
        urgency=urgency.value,
        people=benefit.people,
        enterprises=benefit.enterprises,
        cases=benefit.cases,
        materials=benefit.materials,
        by=by_words(actor),
        by_account_id=actor.account_id,
        stated_at=now,
    )
    current().object("need", need.id)
    filed = [_file(need, code, "", actor=actor, now=now).number for code in _unsupplied(need, actor=actor, on=today)]
    if not chosen and not finding.find_for(
        actor=actor, words=said, chosen=(), on=today, organization_id=own.id, limit=1
    ):
        filed.append(_file(need, "", "", actor=actor, now=now).number)
    current().detail(number=need.number, elements=chosen, urgency=need.urgency, demands=filed)
    return need.id


@command("catalogue.file_demand")
def file_demand(*, need_id: UUID, element: str, words: str, actor: Actor, now: datetime) -> UUID:
    """Ask the owner of an element to supply what a need lacks, and give the demand.

    Without an ``element`` it goes to the data authority, which finds who answers. ``words`` add what the need does not say;
    empty: the need's own words. The owner answers within ten working days. Raises `DemandOpen`, `OwnResource`, `ElementMissing`,
    `NeedMissing`.
    """
    need = need_locked(need_id, actor)
    if need.closed_at is not None:
        raise NeedMissing
    demand = _file(need, element, words, actor=actor, now=now)
    current().object("need", need.id)
    current().detail(number=demand.number, element=element)
    return demand.id


@command("catalogue.close_need")
def close_need(*, need_id: UUID, outcome: str, actor: Actor, now: datetime) -> None:
    """Close a need: met, or no longer felt. Its open demands are withdrawn.

    Raises ``ReasonNeeded``, `NeedMissing`.
    """
    need = need_locked(need_id, actor)
    if need.closed_at is not None:
        raise NeedMissing
    need.outcome, need.closed_at = reason_of(outcome), now
    need.save(update_fields=["outcome", "closed_at"])
    rows = models.Demand.objects.select_for_update(no_key=True).filter(need=need)
    for demand in rows:
        if after(DemandState(demand.state), DemandAct.WITHDRAW) is not None:
            withdraw_row(demand, actor=actor, now=now)
    current().object("need", need.id)
    current().detail(number=need.number)


def withdraw_row(demand: models.Demand, *, actor: Actor, now: datetime) -> None:
    """Take a demand back, tell its owner, and end what was before the data authority."""
    from furong.domains.catalogue.needs.ruling import settle

    demand.state, demand.due_on, demand.version = DemandState.WITHDRAWN.value, None, demand.version + 1
    demand.save(update_fields=["state", "due_on", "version"])
    note(demand, DemandAct.WITHDRAW, actor=actor, now=now)
    settle([demand.id], now=now)
    telling.tell_owner(demand, "catalogue.demand_withdrawn", now=now)


def note(
    demand: models.Demand,
    act: DemandAct,
    *,
    actor: Actor,
    now: datetime,
    words: str = "",
    clause: str = "",
    day: date | None = None,
) -> None:
    """Enter an act on a demand, in its own record and in the audit."""
    models.DemandStep.objects.create(
        demand=demand, act=act.value, by=by_words(actor), words=words, clause=clause, day=day, at=now
    )
    current().object("demand", demand.id)
    current().detail(act=act.value, number=demand.number, state=demand.state)


def _file(need: models.Need, element: str, words: str, *, actor: Actor, now: datetime) -> models.Demand:
    days = calendars.current()
    today = days.local_date(now)
    owner = owner_of(element=element, on=today, organization_id=need.organization_id, division_code=need.division_code)
    if owner is None:
        raise NeedRefused("There is neither an owner nor a data authority that could answer.")
    if owner.organization_id == need.organization_id and not owner.is_unowned:
        raise OwnResource
    same = models.Demand.objects.filter(need=need, element=element).exclude(state__in=CLOSED).first()
    if same is not None:
        raise DemandOpen(number=same.number)
    demand = models.Demand(
        number=f"{need.number}-{models.Demand.objects.filter(need=need).count() + 1}",
        need=need,
        element=element,
        words=words.strip()[:MAX_WORDS] or need.words,
        organization_id=need.organization_id,
        division_code=need.division_code,
        provider_organization_id=owner.organization_id,
        provider_division_code=owner.division_code,
        is_unowned=owner.is_unowned,
        weight=priority(urgency=Urgency(need.urgency), benefit=benefit_of(need)).total,
        state=DemandState.FILED.value,
        filed_at=now,
        due_on=days.add_working_days(today, REPLY_WORKING_DAYS),
    )
    demand.save(force_insert=True)
    note(demand, DemandAct.FILE, actor=actor, now=now, words=words.strip()[:MAX_WORDS])
    publish(DemandFiled(demand_id=demand.id, element=element), now=now)
    telling.tell_owner(demand, "catalogue.demand_filed", now=now)
    return demand


def _unsupplied(need: models.Need, *, actor: Actor, on: date) -> list[str]:
    """The chosen elements that nobody supplies; what the organisation owns itself is not demanded."""
    carried = {one.element for one in finding.carriers(actor=actor, elements=need.elements)}
    found = []
    for code in need.elements:
        owner = owner_of(element=code, on=on, organization_id=need.organization_id, division_code=need.division_code)
        if code not in carried and owner is not None and owner.organization_id != need.organization_id:
            found.append(code)
    return found


def benefit_of(need: models.Need) -> Benefit:
    """Give whom a need would serve in a year."""
    return Benefit(people=need.people, enterprises=need.enterprises, cases=need.cases, materials=need.materials)


def _said(text: str) -> str:
    found = text.strip()
    if not found:
        raise NeedRefused("Say what is needed, and for what.")
    if len(found) > MAX_WORDS:
        raise NeedRefused("Write at most %(most)s characters.", most=MAX_WORDS)
    return found


def _next(sequence: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s::regclass)", [sequence])
        return int(cursor.fetchone()[0])


next_number = _next
