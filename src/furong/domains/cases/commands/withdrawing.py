"""Withdrawal: of one item, or of everything that is not decided yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.domains.cases import flow, models, notifying
from furong.domains.cases.commands.acceptance import stop_clock
from furong.domains.cases.commands.dependents import settle_dependents
from furong.domains.cases.commands.issuing import issue
from furong.domains.cases.commands.moving import (
    end_with,
    lock_application,
    lock_case,
    move,
    note,
    require_own,
    today,
)
from furong.domains.cases.errors import CaseClosed, WithdrawalTooLate
from furong.domains.cases.values.documents import DocumentKind
from furong.domains.cases.values.states import ENDED, WITHDRAWABLE, Act, CaseState, EndReason
from furong.foundation.access.values import Actor
from furong.foundation.audit import commands as audit
from furong.foundation.audit.commands import command


@command("cases.withdraw_case")
def withdraw_case(*, case_id: UUID, actor: Actor, now: datetime, reason: str = "") -> None:
    """Withdraw one item that is not decided; items that need it end with it, the others stand.

    Raises WithdrawalTooLate once it is decided, CaseClosed, NotYours.
    """
    case = lock_case(case_id=case_id)
    require_own(case.application, actor)
    _withdraw(case, actor=actor, now=now, reason=reason)


@command("cases.withdraw_application")
def withdraw_application(*, application_id: UUID, actor: Actor, now: datetime, reason: str = "") -> tuple[UUID, ...]:
    """Withdraw every item that is not decided yet and return their keys; what was decided stays.

    Raises WithdrawalTooLate when nothing is left to withdraw, NotYours.
    """
    application = lock_application(application_id=application_id)
    require_own(application, actor)
    audit.current().object("application", application.id)
    rows = models.Case.objects.select_for_update(no_key=True).filter(application=application).order_by("-ordinal")
    withdrawn = []
    # Dependents first, so that they end as withdrawn and not because what they need has gone.
    for case in _dependents_first(list(rows)):
        case.refresh_from_db()
        case.application = application
        if CaseState(case.state) in WITHDRAWABLE:
            _withdraw(case, actor=actor, now=now, reason=reason)
            withdrawn.append(case.id)
    if not withdrawn:
        raise WithdrawalTooLate
    note(application, None, "application.withdrawn", actor=actor, now=now, params={"cases": len(withdrawn)})
    return tuple(withdrawn)


def _dependents_first(cases: list[models.Case]) -> list[models.Case]:
    by_item = {c.item_code: c for c in cases}
    ordered: list[models.Case] = []

    def visit(case: models.Case) -> None:
        for other in cases:
            if case.item_code in other.requires and other not in ordered:
                visit(other)
        if case not in ordered:
            ordered.append(case)

    for case in by_item.values():
        visit(case)
    return ordered


def _withdraw(case: models.Case, *, actor: Actor, now: datetime, reason: str) -> None:
    state = CaseState(case.state)
    if state in {CaseState.APPROVED, CaseState.COMPLETED, CaseState.REJECTED}:
        raise WithdrawalTooLate
    if state in ENDED:
        raise CaseClosed
    end_with(case, EndReason.WITHDRAWN, text=reason)
    case.acceptance_due_on = None
    stop_clock(case, why="withdrawn", legal_basis="", now=now)
    models.Pause.objects.filter(case=case, ended_at=None).update(ended_at=now, ended_on=today(now))
    models.Consent.objects.filter(case=case, state="requested").update(state="dropped", answered_at=now)
    move(case, Act.WITHDRAW, actor=actor, now=now)
    issue(case, DocumentKind.WITHDRAWAL, actor=actor, now=now, data={"reason": reason})
    flow.cancel(case, why=EndReason.WITHDRAWN.value, actor=actor, now=now)
    notifying.case_moved(case, "withdrawn", now=now)
    settle_dependents(case, actor=actor, now=now)
