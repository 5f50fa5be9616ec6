"""The decision, and what ends a case."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.domains.cases import flow, models, notifying
from furong.domains.cases.commands.acceptance import accept, not_accepted, stop_clock, used_days
from furong.domains.cases.commands.dependents import settle_dependents
from furong.domains.cases.commands.issuing import issue
from furong.domains.cases.commands.moving import (
    calendar,
    check,
    due_after,
    end_with,
    lock_case,
    move,
    note,
    read_clock,
    refresh,
    remedies_of,
    require_handler,
    rules,
    today,
)
from furong.domains.cases.errors import ReasonMissing
from furong.domains.cases.values.documents import DocumentKind
from furong.domains.cases.values.states import ENDED, Act, CaseState, EndReason
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command


@command("cases.approve_case")
def approve_case(
    *,
    case_id: UUID,
    actor: Actor,
    now: datetime,
    opinion: str = "",
    basis: Basis | None = None,
    expected_version: int | None = None,
) -> None:
    """Grant what was applied for; the process then carries it out and completes the case.

    A case that was not accepted yet is accepted in the same breath (即办件). Needs ``cases.decide``. Raises CaseClosed,
    ActNotAllowed (also while earlier steps of the process are open), CaseChanged.
    """
    case = lock_case(case_id=case_id, expected_version=expected_version)
    require_handler(case, actor, "cases.decide")
    approve(case, actor=actor, now=now, opinion=opinion)


def approve(case: models.Case, *, actor: Actor, now: datetime, opinion: str = "", finish_task: bool = True) -> None:
    """Grant a locked case; ``finish_task`` is false when the process itself has decided."""
    if case.state == CaseState.SUBMITTED:
        accept(case, actor=actor, now=now, finish_task=finish_task)
        refresh(case)
    check(case, Act.APPROVE)
    _decided(case, actor=actor, now=now)
    case.delivery_due_on = due_after(days=rules(now).delivery_days, now=now)
    move(case, Act.APPROVE, actor=actor, now=now)
    issue(
        case,
        DocumentKind.DECISION_APPROVED,
        actor=actor,
        now=now,
        data={"opinion": opinion, "result": dict(case.result_name), "used_days": case.used_days},
    )
    notifying.case_moved(case, "approved", now=now)
    if finish_task:
        flow.finish_decision(case, outcome="approved", opinion=opinion, actor=actor, now=now)


@command("cases.reject_case")
def reject_case(
    *,
    case_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    legal_basis: str = "",
    basis: Basis | None = None,
    expected_version: int | None = None,
) -> None:
    """Refuse what was applied for, with reason and remedies in a sealed decision (art. 38).

    The other items of the application stand; those that need this one end with the reason. Raises ReasonMissing, CaseClosed,
    ActNotAllowed, CaseChanged.
    """
    case = lock_case(case_id=case_id, expected_version=expected_version)
    require_handler(case, actor, "cases.decide")
    if not reason.strip():
        raise ReasonMissing
    reject(case, reason=reason, legal_basis=legal_basis, actor=actor, now=now)


def reject(
    case: models.Case,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    legal_basis: str = "",
    finish_task: bool = True,
) -> None:
    """Refuse a locked case; ``finish_task`` is false when the process itself has decided."""
    if case.state == CaseState.SUBMITTED:
        accept(case, actor=actor, now=now, finish_task=finish_task)
        refresh(case)
    check(case, Act.REJECT)
    _decided(case, actor=actor, now=now)
    end_with(case, EndReason.REJECTED, text=reason)
    case.remedies = remedies_of(case, now)
    move(case, Act.REJECT, actor=actor, now=now)
    issue(
        case,
        DocumentKind.DECISION_REJECTED,
        actor=actor,
        now=now,
        data={
            "reason": reason,
            "legal_basis": legal_basis or case.terms.get("legal_basis", ""),
            "remedies": case.remedies,
            "used_days": case.used_days,
        },
    )
    notifying.case_moved(case, "rejected", now=now)
    if finish_task:
        flow.finish_decision(case, outcome="rejected", opinion=reason, actor=actor, now=now)
    settle_dependents(case, actor=actor, now=now)


def _decided(case: models.Case, *, actor: Actor, now: datetime) -> None:
    clock = read_clock(case)
    if clock is not None:
        due_on = clock.promised_due_on(calendar())
        stop_clock(case, why="decided", legal_basis="", now=now)
        case.in_time = due_on is None or today(now) <= due_on
        if case.promised_due_on is None:
            case.promised_due_on = due_on
    case.used_days = used_days(case, now=now)
    case.decided_at, case.decided_on = now, today(now)
    case.decided_by_account_id = actor.account_id


@command("cases.complete_case")
def complete_case(*, case_id: UUID, actor: Actor, now: datetime) -> bool:
    """Complete a case that was granted and carried out; False when it has ended before. Repeatable."""
    case = lock_case(case_id=case_id)
    if CaseState(case.state) in ENDED:
        return False
    complete(case, actor=actor, now=now)
    return True


def complete(case: models.Case, *, actor: Actor, now: datetime) -> None:
    """Complete a locked case; whatever waited for it begins."""
    move(case, Act.COMPLETE, actor=actor, now=now, params={"result": dict(case.result_name)})
    notifying.case_moved(case, "completed", now=now)
    settle_dependents(case, actor=actor, now=now)


def end_abnormally(case: models.Case, why: EndReason, *, reason: str, actor: Actor, now: datetime) -> None:
    """End a locked case that its process could not bring to a decision."""
    end_with(case, why, text=reason)
    case.remedies = remedies_of(case, now)
    case.acceptance_due_on = None
    stop_clock(case, why=why.value, legal_basis="", now=now)
    move(case, Act.END_ABNORMALLY, actor=actor, now=now, params={"reason": why.value})
    issue(
        case,
        DocumentKind.TERMINATION,
        actor=actor,
        now=now,
        data={"why": why.value, "reason": reason, "remedies": case.remedies},
    )
    notifying.case_moved(case, "ended", now=now)
    settle_dependents(case, actor=actor, now=now)


@command("cases.end_without_result")
def end_without_result(*, case_id: UUID, reason: str, actor: Actor, now: datetime) -> bool:
    """End a case because its process has found that what was applied for cannot be; False when it has ended.

    Before acceptance it is a refusal to accept, before the decision a refusal, each with its letter and the remedies; after the
    decision the case ends with the reason, as something granted that could not be carried out. The others stand. Repeatable.
    Raises ReasonMissing, ActNotAllowed while a supplement is awaited.
    """
    case = lock_case(case_id=case_id)
    state = CaseState(case.state)
    if state in ENDED:
        return False
    if not reason.strip():
        raise ReasonMissing
    if state is CaseState.SUBMITTED:
        not_accepted(
            case, Act.REFUSE_ACCEPTANCE, EndReason.NOT_ACCEPTED, reason=reason, actor=actor, now=now, cancel=False
        )
    elif state in {CaseState.ACCEPTED, CaseState.IN_PROGRESS}:
        reject(case, reason=reason, actor=actor, now=now, finish_task=False)
    else:
        end_abnormally(case, EndReason.NOT_CARRIED_OUT, reason=reason, actor=actor, now=now)
    return True


@command("cases.set_output")
def set_output(*, case_id: UUID, outputs: dict[str, object], actor: Actor, now: datetime) -> None:
    """Keep what a case has produced (element code to value), for the cases that build on it. Repeatable."""
    case = lock_case(case_id=case_id)
    if all(case.outputs.get(k) == v for k, v in outputs.items()):
        return
    case.outputs = {**case.outputs, **outputs}
    case.save(update_fields=["outputs"])
    note(
        case.application,
        case,
        "case.output",
        actor=actor,
        now=now,
        params={"elements": sorted(outputs)},
    )
