"""What is refused or late comes before the data authority, which rules: the refusal stands, or it is supplied by a day.

Both ways of asking lead here: a request for a resource (`grants.requesting`) and a demand for what no resource supplies. A
refusal is brought by who asked, within ten working days; what is late, by the worker, without being asked (Order 809: the data
authority settles disputes of sharing). A share stands before it once at a time. When its owner acts before the ruling, it is
settled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q

from furong.domains.catalogue import models as catalogue_models
from furong.domains.catalogue.acting import by_words, reason_of
from furong.domains.catalogue.errors import RequestMissing, RequestOpen
from furong.domains.catalogue.grants import flow, granting
from furong.domains.catalogue.grants.requesting import is_authority, is_provider, is_requester
from furong.domains.catalogue.grants.values import GrantAct, GrantState, RequestState
from furong.domains.catalogue.needs import models, telling
from furong.domains.catalogue.needs.errors import ClauseNeeded, DateRefused, NeedMissing, RulingImpossible
from furong.domains.catalogue.needs.events import RulingGiven, ShareEscalated
from furong.domains.catalogue.needs.owning import asks, demand_locked, owns, supervises
from furong.domains.catalogue.needs.stating import next_number, note
from furong.domains.catalogue.needs.values import (
    APPEAL_WORKING_DAYS,
    MAX_WORDS,
    RULING_WORKING_DAYS,
    SUPPLY_WORKING_DAYS,
    DemandAct,
    DemandState,
    Ground,
    Outcome,
    ShareKind,
)
from furong.domains.processes import commands as processes
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendars
from furong.foundation.events.commands import publish

SYSTEM = Actor.system("catalogue")
OPEN_DEMANDS = [one.value for one in DemandState if one.is_open]


@command("catalogue.ask_ruling")
def ask_ruling(*, kind: ShareKind, subject_id: UUID, words: str, actor: Actor, now: datetime) -> UUID:
    """Bring a refused request or demand before the data authority, and give the escalation.

    For who asked, within ten working days of the refusal, once. Raises ``ReasonNeeded``, `RulingImpossible`, `NeedMissing` or
    ``RequestMissing``, ``AccessRefused``.
    """
    why = reason_of(words)[:MAX_WORDS]
    today = calendars.current().local_date(now)
    if kind is ShareKind.DEMAND:
        demand = demand_locked(subject_id, actor)
        if not asks(demand, actor):
            raise AccessRefused
        if not may_appeal_demand(demand, today):
            raise RulingImpossible
        row = _raise_demand(demand, Ground.REFUSED, words=why, actor=actor, now=now)
    else:
        request = catalogue_models.Request.objects.select_for_update(no_key=True).filter(id=subject_id).first()
        if request is None or not any(who(request, actor) for who in (is_requester, is_provider, is_authority)):
            raise RequestMissing
        if not is_requester(request, actor):
            raise AccessRefused
        if not may_appeal_request(request, today):
            raise RulingImpossible
        row = _raise_request(request, Ground.REFUSED, was_due_on=None, words=why, actor=actor, now=now)
    current().object("escalation", row.id)
    current().detail(number=row.number, kind=row.kind, subject=row.subject_number, ground=row.ground)
    return row.id


@command("catalogue.escalate_late")
def escalate_late(*, now: datetime, actor: Actor = SYSTEM, limit: int = 200) -> int:
    """Bring every request and demand whose time has run out before the data authority; gives how many.

    A request that the provider did not reply to, or did not sign or supply in time; a demand not answered, or not supplied by the
    day promised or ordered. A request that waits for the asking side's signature is not late. Each is brought once for each time
    it is late. Cost: two ranges of an index, and a few statements for each that is found.
    """
    today = calendars.current().local_date(now)
    settled = _settle_moot(now=now)
    before = models.Escalation.objects.filter(outcome="").values("subject_id")
    demands = (
        models.Demand.objects.select_related("need")
        .select_for_update(of=("self",), skip_locked=True)
        .filter(state__in=OPEN_DEMANDS, due_on__lt=today, is_unowned=False)
        .exclude(id__in=before)
        .order_by("due_on", "id")[:limit]
    )
    found = 0
    for demand in demands:
        _raise_demand(demand, Ground.LATE, words="", actor=actor, now=now)
        found += 1
    requests = (
        catalogue_models.Request.objects.select_for_update(skip_locked=True)
        .filter(
            Q(state=RequestState.SUBMITTED.value, reply_due_on__lt=today)
            | Q(state=RequestState.CONSENTED.value, supply_due_on__lt=today)
        )
        .exclude(id__in=before)
        .order_by("submitted_at", "id")[: limit - found]
    )
    for request in requests:
        if request.state == RequestState.CONSENTED and _waits_for_asker(request):
            continue
        due = request.reply_due_on if request.state == RequestState.SUBMITTED else request.supply_due_on
        _raise_request(request, Ground.LATE, was_due_on=due, words="", actor=actor, now=now)
        found += 1
    current().detail(escalated=found, settled=settled)
    return found


@command("catalogue.give_ruling")
def give_ruling(
    *,
    escalation_id: UUID,
    outcome: Outcome,
    words: str,
    actor: Actor,
    now: datetime,
    clause: str = "",
    supply_by: date | None = None,
) -> None:
    """Rule for the data authority: ``ORDER`` the supply by a day, or ``UPHOLD`` the refusal by a clause.

    An ordered demand stands open until that day; an ordered request goes back to its provider, who cannot refuse it again, with
    that day as its time limit. What is upheld is closed. Both sides are told. Raises ``ReasonNeeded``, `ClauseNeeded`,
    `DateRefused`, `RulingImpossible` when the share stands otherwise by now, `NeedMissing`, ``AccessRefused``.
    """
    row = models.Escalation.objects.select_for_update(no_key=True).filter(id=escalation_id).first()
    if row is None or not (asks(row, actor) or owns(row, actor) or supervises(row, actor)):
        raise NeedMissing
    if not supervises(row, actor):
        raise AccessRefused
    if row.outcome or outcome not in {Outcome.ORDER, Outcome.UPHOLD}:
        raise RulingImpossible
    row.ruling = reason_of(words)
    if outcome is Outcome.ORDER:
        last_on = latest_supply(now=now)
        if supply_by is None or not calendars.current().local_date(now) < supply_by <= last_on:
            raise DateRefused(last_on=last_on.isoformat())
        row.supply_by = supply_by
    else:
        row.clause = clause.strip()[:MAX_WORDS]
        if not row.clause:
            raise ClauseNeeded
    row.outcome, row.by, row.ruled_at = outcome.value, by_words(actor), now
    row.save()
    what = (
        _carry_out_demand(row, actor=actor, now=now)
        if row.kind == ShareKind.DEMAND
        else _carry_out_request(row, now=now)
    )
    current().object("escalation", row.id)
    current().detail(number=row.number, kind=row.kind, subject=row.subject_number, outcome=row.outcome)
    publish(RulingGiven(escalation_id=row.id, kind=row.kind, subject_id=row.subject_id, outcome=row.outcome), now=now)
    telling.tell_of_ruling(row, what=what, now=now)


def latest_supply(*, now: datetime) -> date:
    """Give the latest day by which a supply can be ordered: twenty working days from today."""
    days = calendars.current()
    return days.add_working_days(days.local_date(now), SUPPLY_WORKING_DAYS)


def settle(subject_ids: Collection[UUID], *, now: datetime) -> int:
    """End what stands before the data authority of these shares, for their owner has acted; give how many."""
    return models.Escalation.objects.filter(subject_id__in=list(subject_ids), outcome="").update(
        outcome=Outcome.SETTLED.value, ruled_at=now
    )


def may_appeal_demand(row: models.Demand, today: date) -> bool:
    """Say whether a demand can be brought before the data authority now by who filed it."""
    in_time = row.state == DemandState.REFUSED and row.due_on is not None and today <= row.due_on
    return in_time and not _was_upheld_or_is_open(row.id)


def may_appeal_request(row: catalogue_models.Request, today: date) -> bool:
    """Say whether a refused request can be brought before the data authority now by who made it."""
    if row.state != RequestState.REFUSED or row.replied_at is None:
        return False
    days = calendars.current()
    last_on = days.add_working_days(days.local_date(row.replied_at), APPEAL_WORKING_DAYS)
    return today <= last_on and not _was_upheld_or_is_open(row.id)


def _was_upheld_or_is_open(subject_id: UUID) -> bool:
    return models.Escalation.objects.filter(subject_id=subject_id, outcome__in=["", Outcome.UPHOLD.value]).exists()


# --- raising ------------------------------------------------------------------------------------------------------------------


def _raise_demand(
    demand: models.Demand, ground: Ground, *, words: str, actor: Actor, now: datetime
) -> models.Escalation:
    act = DemandAct.ASK_RULING if ground is Ground.REFUSED else DemandAct.ESCALATE
    demand.version += 1
    demand.save(update_fields=["version"])
    note(demand, act, actor=actor, now=now, words=words)
    late_since = demand.due_on if ground is Ground.LATE else None
    return _raised(
        ShareKind.DEMAND, demand, ground, late_since, telling.called(demand, now=now), words=words, actor=actor, now=now
    )


def _raise_request(
    request: catalogue_models.Request,
    ground: Ground,
    *,
    was_due_on: date | None,
    words: str,
    actor: Actor,
    now: datetime,
) -> models.Escalation:
    return _raised(
        ShareKind.REQUEST, request, ground, was_due_on, _resource_name(request), words=words, actor=actor, now=now
    )


def _raised(
    kind: ShareKind,
    subject: models.Demand | catalogue_models.Request,
    ground: Ground,
    was_due_on: date | None,
    what: Mapping[str, str],
    *,
    words: str,
    actor: Actor,
    now: datetime,
) -> models.Escalation:
    days = calendars.current()
    today = days.local_date(now)
    row = models.Escalation.objects.create(
        number=f"CJ{today.year}-{next_number('catalogue_ruling_number'):06d}",
        kind=kind.value,
        subject_id=subject.id,
        subject_number=subject.number,
        ground=ground.value,
        stood=subject.state,
        was_due_on=was_due_on,
        organization_id=subject.organization_id,
        division_code=subject.division_code,
        provider_organization_id=subject.provider_organization_id,
        provider_division_code=subject.provider_division_code,
        words=words,
        raised_by=by_words(actor),
        raised_at=now,
        due_on=days.add_working_days(today, RULING_WORKING_DAYS),
    )
    publish(ShareEscalated(escalation_id=row.id, kind=row.kind, subject_id=row.subject_id, ground=row.ground), now=now)
    telling.tell_of_escalation(row, what=what, now=now)
    return row


def _waits_for_asker(request: catalogue_models.Request) -> bool:
    """Whether the provider has signed and the asking side has not."""
    grant = catalogue_models.Grant.objects.filter(request=request, parent=None).first()
    if grant is None or grant.state != GrantState.OFFERED:
        return False
    signed = set(catalogue_models.GrantEntry.objects.filter(grant=grant).values_list("act", flat=True))
    return GrantAct.SIGN_PROVIDER.value in signed and GrantAct.SIGN_GRANTEE.value not in signed


def _settle_moot(*, now: datetime) -> int:
    """End what is before the data authority of requests that stand otherwise by now."""
    return sum(
        settle([row.subject_id], now=now)
        for row in models.Escalation.objects.filter(outcome="", kind=ShareKind.REQUEST.value)
        if not catalogue_models.Request.objects.filter(id=row.subject_id, state=row.stood).exists()
    )


# --- carrying out -------------------------------------------------------------------------------------------------------------


def _carry_out_demand(row: models.Escalation, *, actor: Actor, now: datetime) -> Mapping[str, str]:
    demand = (
        models.Demand.objects.select_related("need").select_for_update(of=("self",), no_key=True).get(id=row.subject_id)
    )
    if demand.state != row.stood:
        raise RulingImpossible
    ordered = row.outcome == Outcome.ORDER
    demand.state = (DemandState.ORDERED if ordered else DemandState.UPHELD).value
    demand.due_on, demand.version = row.supply_by, demand.version + 1
    if not ordered:
        demand.clause = row.clause
    demand.save()
    act = DemandAct.ORDER if ordered else DemandAct.UPHOLD
    note(demand, act, actor=actor, now=now, words=row.ruling, clause=row.clause, day=row.supply_by)
    return telling.called(demand, now=now)


def _carry_out_request(row: models.Escalation, *, now: datetime) -> Mapping[str, str]:
    request = catalogue_models.Request.objects.select_for_update().get(id=row.subject_id)
    if request.state != row.stood:
        raise RulingImpossible
    if row.outcome == Outcome.ORDER:
        _order(request, row, now=now)
    elif request.state == RequestState.SUBMITTED:
        request.reason = _words(row)
        request.save(update_fields=["reason"])
        flow.complete(flow.open_task(request, flow.REPLY), outcome=flow.REFUSED, actor=SYSTEM, now=now)
    elif request.state == RequestState.CONSENTED:
        request.reason, request.state = _words(row), RequestState.REFUSED.value
        request.save(update_fields=["reason", "state"])
        flow.cancel(request, reason="ruled that it need not be supplied", actor=SYSTEM, now=now)
        for grant in catalogue_models.Grant.objects.filter(request=request, parent=None):
            if not GrantState(grant.state).is_over:
                granting.revoke_grant(grant_id=grant.id, reason=_words(row), actor=SYSTEM, now=now)
    return _resource_name(request)


def _order(request: catalogue_models.Request, row: models.Escalation, *, now: datetime) -> None:
    """Set the day by which a request is replied to or supplied; one that was refused goes back to its provider."""
    if request.state == RequestState.CONSENTED:
        request.supply_due_on = row.supply_by
        request.save(update_fields=["supply_due_on"])
        task = flow.open_task(request, flow.SUPPLY)
        due = calendars.current().end_of_day(row.supply_by) if row.supply_by else None
        processes.change_deadline(
            task_id=task.id, due_at=due, yellow_at=None, reason="ordered by a ruling", actor=SYSTEM, now=now
        )
        return
    if request.state == RequestState.REFUSED:
        other = catalogue_models.Request.objects.filter(
            organization_id=request.organization_id,
            resource_code=request.resource_code,
            state__in=["submitted", "to_supplement", "with_authority"],
        ).first()
        if other is not None:
            raise RequestOpen(number=other.number)
        request.state, request.reason, request.agreed = RequestState.SUBMITTED.value, "", None
        request.replied_at, request.reply_due_on = None, row.supply_by
        request.save()
        request.process_instance_id = flow.start(request, actor=SYSTEM, now=now)
        request.save(update_fields=["process_instance_id"])
    request.reply_due_on = row.supply_by
    request.save(update_fields=["reply_due_on"])
    flow.run_clock(request, now=now)


def _words(row: models.Escalation) -> str:
    return f"{row.ruling}（{row.clause}）"[:MAX_WORDS]


def _resource_name(request: catalogue_models.Request) -> Mapping[str, str]:
    found = (
        catalogue_models.Resource.objects.filter(code=request.resource_code).values_list("name_zh", "name_en").first()
    )
    if found is None:
        return {"zh": request.resource_code}
    return {"zh": found[0], "en": found[1]} if found[1] else {"zh": found[0]}
