"""How a case follows its process: called in the transaction in which the process moved. ``binding`` registers these."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.domains.cases import flow, models
from furong.domains.cases.commands.acceptance import accept
from furong.domains.cases.commands.deciding import approve, complete, end_abnormally, reject
from furong.domains.cases.commands.moving import lock_case, move
from furong.domains.cases.commands.receiving import end_for_consent
from furong.domains.cases.errors import ActNotAllowed, ReasonMissing
from furong.domains.cases.staffing import case_in_step, forget_case
from furong.domains.cases.values.states import ENDED, Act, CaseState, EndReason
from furong.domains.processes.ports import ProcessFact, TaskFact
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.codes.statements import first_row

COMPLETED, REJECTED = "completed", "rejected"


def on_task_completed(fact: TaskFact) -> None:
    """Make the completion of a task by other ways than the case's own acts the act that it is.

    Whoever finishes an acceptance or decision task by the engine's own door accepts or approves; a refusal needs its reason
    and has to take the case's door. While the case is stopped, nothing is finished at all: ActNotAllowed, ReasonMissing.
    """
    if fact.kind not in {flow.ACCEPTANCE, flow.DECISION}:
        return
    state = _state_of(fact.business_key)
    if state in {CaseState.PAUSED, CaseState.TO_SUPPLEMENT}:
        raise ActNotAllowed
    undecided = {CaseState.SUBMITTED, CaseState.ACCEPTED, CaseState.IN_PROGRESS}
    if state not in ({CaseState.SUBMITTED} if fact.kind == flow.ACCEPTANCE else undecided):
        return
    forget_case(fact.found)
    case = lock_case(case_id=UUID(fact.business_key))
    actor = Actor(
        kind=ActorKind.STAFF if fact.actor_id is not None else ActorKind.SYSTEM,
        account_id=fact.actor_id,
        organization_id=fact.organization_id,
        division_code=fact.division_code,
        label="processes",
    )
    if fact.kind == flow.ACCEPTANCE:
        accept(case, actor=actor, now=fact.now, finish_task=False)
    elif fact.outcome == REJECTED:
        raise ReasonMissing
    else:
        approve(case, actor=actor, now=fact.now, finish_task=False)


def on_task_created(fact: TaskFact) -> None:
    """Note that an accepted case is being handled, when its first task after acceptance opens.

    A task to accept what counts as accepted already (the process was held up before it) is done as it opens.
    """
    known = case_in_step(fact.found, business_key=fact.business_key)
    state = CaseState(known[2]) if known is not None else None
    if state not in {CaseState.ACCEPTED, CaseState.IN_PROGRESS} or (
        state is CaseState.IN_PROGRESS and fact.kind != flow.ACCEPTANCE
    ):
        return
    forget_case(fact.found)
    case = lock_case(case_id=UUID(fact.business_key))
    actor = Actor.system("cases")
    if fact.kind == flow.ACCEPTANCE:
        flow.finish_acceptance(case, outcome="accepted", actor=actor, now=fact.now)
    elif case.state == CaseState.ACCEPTED:
        move(case, Act.BEGIN, actor=actor, now=fact.now)


def on_process_ended(fact: ProcessFact) -> None:
    """Complete a granted case, and bring one that its process left undecided to an end.

    A process without a decision by a person ends in the applicant's favour unless its variable ``decision`` says
    ``rejected``: then a rule has refused, and the rule's ``reason`` stands in the decision.
    """
    before = _state_of(fact.business_key)
    if before is None or before in ENDED:
        return
    case = lock_case(case_id=UUID(fact.business_key))
    if CaseState(case.state) in ENDED or case.process_instance_id not in {None, fact.instance_id}:
        return
    actor, state = Actor.system("cases"), CaseState(case.state)
    if fact.ending != COMPLETED:
        _end(case, actor=actor, now=fact.now)
    elif state is CaseState.APPROVED:
        complete(case, actor=actor, now=fact.now)
    elif state in {CaseState.SUBMITTED, CaseState.ACCEPTED, CaseState.IN_PROGRESS}:
        if fact.variables.get("decision") == REJECTED:
            reason = str(fact.variables.get("reason") or "")
            reject(case, reason=reason, actor=actor, now=fact.now, finish_task=False)
        else:
            approve(case, actor=actor, now=fact.now, finish_task=False)
            complete(case, actor=actor, now=fact.now)
    else:
        _end(case, actor=actor, now=fact.now)


def _end(case: models.Case, *, actor: Actor, now: datetime) -> None:
    """End a case whose process ended without its decision: for a consent that never came, or abnormally."""
    consent = models.Consent.objects.filter(case=case, state="requested").first()
    if consent is not None and case.state == CaseState.WAITING_PREREQUISITES:
        consent.state, consent.answered_at = "lapsed", now
        consent.save()
        end_for_consent(case, consent, EndReason.CONSENT_LAPSED, actor=actor, now=now)
    elif case.state in {CaseState.WAITING_PREREQUISITES, CaseState.TO_SUPPLEMENT}:
        case.process_instance_id = None
        case.save(update_fields=["process_instance_id"])
    else:
        end_abnormally(case, EndReason.PROCESS_FAILED, reason="", actor=actor, now=now)


def _state_of(business_key: str) -> CaseState | None:
    """The state of the process's case, read without a lock; None for a process that is no case's.

    Acts lock the case before its process, and this runs with the process locked: it asks for the case only where it must.
    """
    try:
        key = UUID(business_key)
    except ValueError:
        return None
    row = first_row("SELECT state FROM cases_case WHERE id = %s", [key])
    return CaseState(row[0]) if row is not None else None
