"""Reads of needs, demands and rulings, each for those who have to do with it: who asks, who answers, the data authority."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Q

from furong.domains.catalogue import lookup
from furong.domains.catalogue import models as catalogue_models
from furong.domains.catalogue.grants.requesting import is_requester
from furong.domains.catalogue.grants.values import RequestState
from furong.domains.catalogue.needs import finding, models, ruling, telling
from furong.domains.catalogue.needs.answering import offers_of
from furong.domains.catalogue.needs.errors import NeedMissing
from furong.domains.catalogue.needs.owning import asks, oversees, owns, supervises
from furong.domains.catalogue.needs.stating import CLOSED, benefit_of
from furong.domains.catalogue.needs.values import (
    DemandAct,
    DemandLine,
    DemandState,
    DemandView,
    ElementSupply,
    EscalationLine,
    EscalationView,
    Ground,
    NeedLine,
    NeedView,
    Outcome,
    ShareKind,
    Step,
    Urgency,
    after,
    priority,
)
from furong.domains.catalogue.queries import get_dictionary
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.domains.catalogue.views import Words
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Scope
from furong.foundation.calendar import queries as calendars

_OPEN = [one.value for one in DemandState if one.is_open]
_OWNERS, _ASKERS = {DemandAct.SUPPLY, DemandAct.PROMISE, DemandAct.REFUSE}, {DemandAct.WITHDRAW}
# What a list ranks at most; the ranking is by the whole formula, the cut by its stored part.
_MOST = 1000


# --- needs --------------------------------------------------------------------------------------------------------------------


def list_needs(*, actor: Actor, limit: int = 100) -> tuple[NeedLine, ...]:
    """Return the newest needs of those that the actor acts for or, as data authority, oversees."""
    edits, reviews = access.scope(actor=actor, right=EDIT), access.scope(actor=actor, right=REVIEW)
    rows = models.Need.objects.filter(_within(edits, "") | _within(reviews, "")).order_by("-stated_at", "id")
    shown = list(rows[: max(1, min(limit, 500))])
    return tuple(_need_line(one, counts) for one, counts in zip(shown, _counts(shown), strict=True))


def get_need(*, need_id: UUID, actor: Actor, now: datetime) -> NeedView:
    """Return a need with the resources that may carry it, who supplies its elements, and its demands.

    What is found is found anew each time, as the reader sees the catalogue. Raises `NeedMissing` for those who have nothing to do
    with it. Cost: as `finding.find_for`.
    """
    row = models.Need.objects.filter(id=need_id).first()
    if row is None or not (asks(row, actor) or oversees(row, actor)):
        raise NeedMissing
    today = calendars.current().local_date(now)
    demands = list(models.Demand.objects.select_related("need").filter(need=row).order_by("filed_at", "id"))
    is_open, mine = row.closed_at is None, asks(row, actor)
    return NeedView(
        line=_need_line(row, next(iter(_counts([row])))),
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        by=row.by,
        outcome=row.outcome,
        closed_at=row.closed_at,
        hits=finding.find_for(
            actor=actor, words=row.words, chosen=row.elements, on=today, organization_id=row.organization_id
        )
        if is_open
        else (),
        elements=_supplies(row, demands, actor=actor, on=today),
        demands=_demand_lines(demands, now),
        may=frozenset({"demand", "close"}) if is_open and mine else frozenset(),
    )


def purpose_of_need(*, need_id: UUID, actor: Actor) -> tuple[str, str]:
    """Return for what, and on what legal basis, a need is felt. Raises `NeedMissing`."""
    row = models.Need.objects.filter(id=need_id).first()
    if row is None or not (asks(row, actor) or oversees(row, actor)):
        raise NeedMissing
    return row.purpose, row.legal_basis


def _supplies(
    row: models.Need, demands: Iterable[models.Demand], *, actor: Actor, on: date
) -> tuple[ElementSupply, ...]:
    dictionary = get_dictionary(on=on)
    chosen = [code for code in row.elements if code in dictionary]
    meant = [code for code in finding.meant_elements(row.words, on=on) if code not in chosen]
    carried: dict[str, list[str]] = {}
    for one in finding.carriers(actor=actor, elements=[*chosen, *meant]):
        carried.setdefault(one.element, []).append(one.code)
    standing = {one.element: one.id for one in demands if one.element and one.state not in CLOSED}
    return tuple(
        ElementSupply(
            code=code,
            name=dictionary[code].name.as_dict(),
            owner=dictionary[code].owner,
            is_chosen=code in chosen,
            suppliers=tuple(carried.get(code, ())),
            demand_id=standing.get(code),
        )
        for code in [*chosen, *meant]
    )


def _counts(needs: list[models.Need]) -> list[tuple[int, int]]:
    rows = models.Demand.objects.filter(need__in=needs).values("need_id")
    found = {
        row["need_id"]: (row["every"], row["open"])
        for row in rows.annotate(every=Count("id"), open=Count("id", filter=Q(state__in=_OPEN)))
    }
    return [found.get(one.id, (0, 0)) for one in needs]


def _need_line(row: models.Need, counts: tuple[int, int]) -> NeedLine:
    return NeedLine(
        id=row.id,
        number=row.number,
        words=row.words,
        urgency=Urgency(row.urgency),
        benefit=benefit_of(row),
        organization_id=row.organization_id,
        stated_at=row.stated_at,
        is_open=row.closed_at is None,
        demands=counts[0],
        demands_open=counts[1],
    )


# --- demands ------------------------------------------------------------------------------------------------------------------


def list_demands(*, actor: Actor, box: str, now: datetime, limit: int = 200) -> tuple[DemandLine, ...]:
    """Return demands, ranked by `values.priority`: those that the actor answers (``owner``), those of the
    actor's organisation (``mine``, also closed ones), or, for the data authority, all open ones (``authority``).
    """
    edits, reviews = access.scope(actor=actor, right=EDIT), access.scope(actor=actor, right=REVIEW)
    where = {
        "owner": Q(state__in=_OPEN) & _within(edits, "provider_"),
        "mine": _within(edits, ""),
        "authority": Q(state__in=_OPEN) & _within(reviews, "provider_"),
    }[box]
    rows = models.Demand.objects.select_related("need").filter(where).order_by("-weight", "filed_at", "id")[:_MOST]
    lines = _demand_lines(rows, now)
    ranked = sorted(lines, key=lambda one: (not one.state.is_open, -one.priority.total, one.filed_at))
    return tuple(ranked[: max(1, min(limit, _MOST))])


def count_to_answer(*, actor: Actor) -> int:
    """Count the demands that wait for the actor's answer: unanswered ones, and those to be supplied."""
    edits = access.scope(actor=actor, right=EDIT)
    return models.Demand.objects.filter(Q(state__in=_OPEN) & _within(edits, "provider_")).count()


def get_demand(*, demand_id: UUID, actor: Actor, now: datetime) -> DemandView:
    """Return a demand with its steps to its two sides and the data authority.

    To whoever may supply it, with the resources by which they could. Raises `NeedMissing` for everybody else.
    """
    row = models.Demand.objects.select_related("need").filter(id=demand_id).first()
    if row is None:
        raise NeedMissing
    asker, owner, authority = asks(row, actor), owns(row, actor), supervises(row, actor)
    if not (asker or owner or authority):
        raise NeedMissing
    today = calendars.current().local_date(now)
    may = _may(row, asker=asker, owner=owner, authority=authority, today=today)
    escalation = models.Escalation.objects.filter(subject_id=row.id).order_by("-raised_at", "-id").first()
    names = {line.code: line.name for line in lookup.list_lines(actor=actor, codes=[row.resource_code])}
    return DemandView(
        line=next(iter(_demand_lines([row], now))),
        purpose=row.need.purpose,
        legal_basis=row.need.legal_basis,
        resource_code=row.resource_code if row.resource_code in names else "",
        resource_name=names.get(row.resource_code, {}),
        steps=tuple(
            Step(act=DemandAct(one.act), at=one.at, by=one.by, words=one.words, clause=one.clause, day=one.day)
            for one in models.DemandStep.objects.filter(demand=row).order_by("at", "id")
        ),
        escalation_id=escalation.id if escalation is not None else None,
        offers=lookup.list_lines(actor=actor, codes=offers_of(row)) if DemandAct.SUPPLY in may else (),
        is_asker=asker,
        is_owner=owner,
        is_authority=authority,
        may=may,
    )


def _may(row: models.Demand, *, asker: bool, owner: bool, authority: bool, today: date) -> frozenset[DemandAct]:
    found: set[DemandAct] = set()
    if owner:
        found |= _OWNERS
    if authority and row.is_unowned:
        found.add(DemandAct.ASSIGN)
    if asker:
        found |= _ASKERS
    found = {act for act in found if after(DemandState(row.state), act) is not None}
    if asker and ruling.may_appeal_demand(row, today):
        found.add(DemandAct.ASK_RULING)
    return frozenset(found)


def _demand_lines(rows: Iterable[models.Demand], now: datetime) -> tuple[DemandLine, ...]:
    shown = list(rows)
    today = calendars.current().local_date(now)
    backing = _backing({one.element for one in shown if one.element})
    escalated = set(
        models.Escalation.objects.filter(outcome="", subject_id__in=[one.id for one in shown]).values_list(
            "subject_id", flat=True
        )
    )
    return tuple(
        _demand_line(
            one,
            title=telling.called(one, now=now),
            others=len(backing.get(one.element, set()) - {one.organization_id}),
            is_escalated=one.id in escalated,
            today=today,
        )
        for one in shown
    )


def _backing(elements: Iterable[str]) -> Mapping[str, set[UUID]]:
    """Which organisations have an open demand for each element."""
    found: dict[str, set[UUID]] = {}
    rows = models.Demand.objects.filter(element__in=list(elements), state__in=_OPEN)
    for element, organization_id in rows.values_list("element", "organization_id").distinct():
        found.setdefault(element, set()).add(organization_id)
    return found


def _demand_line(row: models.Demand, *, title: Words, others: int, is_escalated: bool, today: date) -> DemandLine:
    state, urgency, benefit = DemandState(row.state), Urgency(row.need.urgency), benefit_of(row.need)
    return DemandLine(
        id=row.id,
        number=row.number,
        need_id=row.need_id,
        title=title,
        words=row.words,
        element=row.element,
        urgency=urgency,
        benefit=benefit,
        priority=priority(urgency=urgency, benefit=benefit, others=others),
        organization_id=row.organization_id,
        provider_organization_id=row.provider_organization_id,
        is_unowned=row.is_unowned,
        state=state,
        filed_at=row.filed_at,
        due_on=row.due_on,
        is_late=state.is_open and row.due_on is not None and row.due_on < today,
        is_escalated=is_escalated,
    )


# --- rulings ------------------------------------------------------------------------------------------------------------------


def list_escalations(*, actor: Actor, now: datetime, limit: int = 200) -> tuple[EscalationLine, ...]:
    """Return what is or was before the data authority, as far as the actor has to do with it: open ones first,
    by the day of the ruling, then the newest.
    """
    edits, reviews = access.scope(actor=actor, right=EDIT), access.scope(actor=actor, right=REVIEW)
    where = _within(edits, "") | _within(edits, "provider_") | _within(reviews, "provider_")
    rows = models.Escalation.objects.filter(where)
    waiting = list(rows.filter(outcome="").order_by("due_on", "id")[:limit])
    ended = list(rows.exclude(outcome="").order_by("-raised_at", "id")[: max(1, limit - len(waiting))])
    return _escalation_lines([*waiting, *ended], now)


def count_to_rule(*, actor: Actor) -> int:
    """Count what waits for the actor's ruling."""
    reviews = access.scope(actor=actor, right=REVIEW)
    return models.Escalation.objects.filter(Q(outcome="") & _within(reviews, "provider_")).count()


def get_escalation(*, escalation_id: UUID, actor: Actor, now: datetime) -> EscalationView:
    """Return an escalation with what both sides wrote and the ruling. Raises `NeedMissing` for strangers."""
    row = models.Escalation.objects.filter(id=escalation_id).first()
    if row is None or not (asks(row, actor) or owns(row, actor) or supervises(row, actor)):
        raise NeedMissing
    if row.kind == ShareKind.DEMAND:
        demand = models.Demand.objects.select_related("need").get(id=row.subject_id)
        refusals = models.DemandStep.objects.filter(demand=demand, act=DemandAct.REFUSE.value)
        refusal = refusals.filter(at__lte=row.raised_at).order_by("-at").first()
        more = "" if demand.words == demand.need.words else f"\n{demand.words}"
        asked_for, answer = f"{demand.need.words}{more}", refusal.words if refusal else ""
        clause, stands = (refusal.clause if refusal else ""), demand.state == row.stood
    else:
        request = catalogue_models.Request.objects.get(id=row.subject_id)
        asked_for, clause, stands = request.scenario, "", request.state == row.stood
        answer = request.reason if row.stood == RequestState.REFUSED else ""
    may_rule = not row.outcome and stands and supervises(row, actor)
    return EscalationView(
        line=next(iter(_escalation_lines([row], now))),
        asked_for=asked_for,
        words=row.words,
        answer=answer,
        answer_clause=clause,
        was_due_on=row.was_due_on,
        ruling=row.ruling,
        clause=row.clause,
        supply_by=row.supply_by,
        ruled_at=row.ruled_at,
        by=row.by,
        may_rule=may_rule,
        last_on=ruling.latest_supply(now=now) if may_rule else None,
    )


def escalation_of(*, request_id: UUID, actor: Actor, now: datetime) -> tuple[EscalationLine | None, bool]:
    """Return what is or was last before the data authority of a request, and whether the actor may bring it.

    (None, False) for those who have nothing to do with it.
    """
    row = models.Escalation.objects.filter(subject_id=request_id).order_by("-raised_at", "-id").first()
    seen = row is not None and (asks(row, actor) or owns(row, actor) or supervises(row, actor))
    request = catalogue_models.Request.objects.filter(id=request_id).first()
    may = (
        request is not None
        and is_requester(request, actor)
        and ruling.may_appeal_request(request, calendars.current().local_date(now))
    )
    return (next(iter(_escalation_lines([row], now))) if row is not None and seen else None), may


def _escalation_lines(rows: list[models.Escalation], now: datetime) -> tuple[EscalationLine, ...]:
    today = calendars.current().local_date(now)
    demands = {
        one.id: one
        for one in models.Demand.objects.select_related("need").filter(
            id__in=[r.subject_id for r in rows if r.kind == ShareKind.DEMAND]
        )
    }
    codes = dict(
        catalogue_models.Request.objects.filter(
            id__in=[r.subject_id for r in rows if r.kind == ShareKind.REQUEST]
        ).values_list("id", "resource_code")
    )
    names = {
        code: {"zh": zh, "en": en}
        for code, zh, en in catalogue_models.Resource.objects.filter(code__in=set(codes.values())).values_list(
            "code", "name_zh", "name_en"
        )
    }

    def title(row: models.Escalation) -> Words:
        if row.kind == ShareKind.DEMAND:
            return telling.called(demands[row.subject_id], now=now)
        code = codes.get(row.subject_id, "")
        return names.get(code, {"zh": code})

    return tuple(
        EscalationLine(
            id=row.id,
            number=row.number,
            kind=ShareKind(row.kind),
            subject_id=row.subject_id,
            subject_number=row.subject_number,
            title=title(row),
            ground=Ground(row.ground),
            organization_id=row.organization_id,
            provider_organization_id=row.provider_organization_id,
            raised_at=row.raised_at,
            due_on=row.due_on,
            is_late=not row.outcome and row.due_on < today,
            outcome=Outcome(row.outcome),
        )
        for row in rows
    )


def _within(scope: Scope, prefix: str) -> Q:
    """The condition for rows whose ``{prefix}organization_id`` and ``{prefix}division_code`` a scope covers."""
    if scope.everything:
        return Q(pk__isnull=False)  # not Q(): an empty one is lost where conditions are or-ed
    found = Q(pk__in=[])
    if scope.organization_ids:
        found |= Q(**{f"{prefix}organization_id__in": scope.organization_ids})
    for division in scope.division_prefixes:
        found |= Q(**{f"{prefix}division_code__startswith": division})
    for organization_id, division in scope.narrowed:
        found |= Q(**{f"{prefix}organization_id": organization_id, f"{prefix}division_code__startswith": division})
    return found
