"""What happens between acceptance and decision: special procedures that stop the clock, and the extension."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from furong.domains.cases import flow, models, notifying
from furong.domains.cases.commands.acceptance import run_clock_on, stop_clock
from furong.domains.cases.commands.issuing import issue
from furong.domains.cases.commands.moving import (
    check,
    lock_case,
    move,
    note,
    put_clock,
    read_clock,
    require_handler,
    rules,
    today,
)
from furong.domains.cases.errors import (
    ExtensionAlreadyUsed,
    ExtensionNotOffered,
    LegalBasisMissing,
    ReasonMissing,
    SamePersonCannotApprove,
)
from furong.domains.cases.values.documents import DocumentKind
from furong.domains.cases.values.procedures import SpecialProcedure
from furong.domains.cases.values.states import Act
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command


@command("cases.pause_case")
def pause_case(
    *,
    case_id: UUID,
    procedure: SpecialProcedure,
    legal_basis: str,
    actor: Actor,
    now: datetime,
    reason: str = "",
    expected_until_on: date | None = None,
    basis: Basis | None = None,
    expected_version: int | None = None,
) -> None:
    """Stop a case's clock for a special procedure, and tell the applicant in writing (art. 45).

    Raises LegalBasisMissing unless a procedure and its basis are named, CaseClosed, ActNotAllowed before acceptance or
    while another procedure runs.
    """
    case = lock_case(case_id=case_id, expected_version=expected_version)
    require_handler(case, actor)
    check(case, Act.PAUSE)
    if not legal_basis.strip():
        raise LegalBasisMissing
    models.Pause.objects.create(
        case=case,
        procedure=SpecialProcedure(procedure).value,
        legal_basis=legal_basis,
        reason=reason,
        expected_until_on=expected_until_on,
        started_at=now,
        started_on=today(now),
        by_account_id=actor.account_id,
    )
    stop_clock(case, why=procedure.value, legal_basis=legal_basis, now=now)
    move(
        case,
        Act.PAUSE,
        actor=actor,
        now=now,
        params={
            "procedure": procedure.value,
            "until_on": expected_until_on.isoformat() if expected_until_on else "",
        },
    )
    issue(
        case,
        DocumentKind.SPECIAL_PROCEDURE,
        actor=actor,
        now=now,
        data={
            "procedure": procedure.value,
            "legal_basis": legal_basis,
            "reason": reason,
            "expected_until_on": expected_until_on.isoformat() if expected_until_on else "",
        },
    )
    flow.clock_changed(case, now=now, why=procedure.value)
    notifying.case_moved(case, "paused", now=now)


@command("cases.resume_case")
def resume_case(
    *,
    case_id: UUID,
    actor: Actor,
    now: datetime,
    outcome: str = "",
    basis: Basis | None = None,
    expected_version: int | None = None,
) -> None:
    """Let a paused case's clock run on. Raises CaseClosed, ActNotAllowed when it is not paused."""
    case = lock_case(case_id=case_id, expected_version=expected_version)
    require_handler(case, actor)
    check(case, Act.RESUME)
    pause = models.Pause.objects.select_for_update().get(case=case, ended_at=None)
    pause.ended_at, pause.ended_on, pause.outcome = now, today(now), outcome
    pause.save()
    run_clock_on(case, now=now)
    move(
        case,
        Act.RESUME,
        actor=actor,
        now=now,
        params={
            "procedure": pause.procedure,
            "due_on": case.promised_due_on.isoformat() if case.promised_due_on else "",
        },
    )
    flow.clock_changed(case, now=now, why="resumed")
    notifying.case_moved(case, "resumed", now=now)


@command("cases.request_extension")
def request_extension(*, case_id: UUID, reason: str, actor: Actor, now: datetime, basis: Basis | None = None) -> UUID:
    """Ask the person in charge for more days (art. 42); nothing changes until they approve.

    Returns the request's key. Raises ExtensionAlreadyUsed, ExtensionNotOffered, ReasonMissing, CaseClosed, ActNotAllowed.
    """
    case = lock_case(case_id=case_id)
    require_handler(case, actor)
    check(case, Act.EXTEND)
    days = extension_days(case, now=now)
    if not days:
        raise ExtensionNotOffered
    if not reason.strip():
        raise ReasonMissing
    if actor.account_id is None:
        raise SamePersonCannotApprove
    try:
        with transaction.atomic():
            extension = models.Extension.objects.create(
                case=case,
                days=days,
                reason=reason,
                requested_at=now,
                requested_by_account_id=actor.account_id,
            )
    except IntegrityError as error:
        raise ExtensionAlreadyUsed from error
    note(case.application, case, "case.extension_requested", actor=actor, now=now, params={"days": days})
    return extension.id


def extension_days(case: models.Case, *, now: datetime) -> int:
    """Return by how many days the case may be extended, 0 when not at all."""
    own = case.terms.get("extension_days")
    return rules(now).extension_days if own is None else int(own)


@command("cases.decide_extension")
def decide_extension(
    *,
    extension_id: UUID,
    approve: bool,
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
) -> None:
    """Approve or refuse an extension; approved, both limits move and the applicant is told why.

    Needs ``cases.decide`` and another person than the one who asked: SamePersonCannotApprove else, also held by the
    table. Raises ExtensionAlreadyUsed when it was decided before, CaseClosed, ActNotAllowed.
    """
    case_id = models.Extension.objects.values_list("case_id", flat=True).get(id=extension_id)
    case = lock_case(case_id=case_id)
    require_handler(case, actor, "cases.decide")
    extension = models.Extension.objects.select_for_update().get(id=extension_id)
    if extension.state != "requested":
        raise ExtensionAlreadyUsed
    if actor.account_id is None or actor.account_id == extension.requested_by_account_id:
        raise SamePersonCannotApprove
    extension.state = "approved" if approve else "refused"
    extension.decided_at, extension.decided_by_account_id = now, actor.account_id
    extension.save()
    if not approve:
        note(case.application, case, "case.extension_refused", actor=actor, now=now)
        return
    check(case, Act.EXTEND)
    clock = read_clock(case)
    if clock is not None:
        put_clock(case, clock.extended(days=extension.days), now=now)
    due_on = case.promised_due_on.isoformat() if case.promised_due_on else ""
    move(case, Act.EXTEND, actor=actor, now=now, params={"days": extension.days, "due_on": due_on})
    issue(
        case,
        DocumentKind.EXTENSION,
        actor=actor,
        now=now,
        data={"days": extension.days, "reason": extension.reason, "due_on": due_on},
    )
    flow.clock_changed(case, now=now, why="extended")
    notifying.case_moved(case, "extended", now=now)
