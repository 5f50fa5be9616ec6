"""What the end of one case means for those that wait for it."""

from __future__ import annotations

from datetime import datetime

from furong.domains.cases import models, notifying
from furong.domains.cases.commands.issuing import issue
from furong.domains.cases.commands.moving import end_with, move, note, remedies_of
from furong.domains.cases.values.documents import DocumentKind
from furong.domains.cases.values.states import FAILED, Act, CaseState, EndReason
from furong.foundation.access.values import Actor
from furong.foundation.jobs.commands import defer


def settle_dependents(case: models.Case, *, actor: Actor, now: datetime) -> None:
    """Start or end the cases that waited for ``case``, which has just ended, and those behind them in turn.

    The application's row is locked by the caller, so that a case waiting for two others sees both.
    """
    application = case.application
    rows = list(models.Case.objects.select_for_update(no_key=True).filter(application=application))
    by_item = {c.item_code: c for c in rows}
    waiting = [c for c in rows if c.state == CaseState.WAITING_PREREQUISITES and case.item_code in c.requires]
    for other in waiting:
        other.application = application
        needed = [by_item[code] for code in other.requires if code in by_item]
        failed = next((c for c in needed if CaseState(c.state) in FAILED), None)
        if failed is not None:
            fail_prerequisite(other, failed, actor=actor, now=now)
        elif all(c.state == CaseState.COMPLETED for c in needed):
            want_start(other)


def want_start(case: models.Case) -> None:
    """Have a job start the case's process, once the caller commits."""
    defer("cases.start_case", key=f"cases.start:{case.id}:{case.version}", case_id=str(case.id))


def fail_prerequisite(case: models.Case, failed: models.Case, *, actor: Actor, now: datetime) -> None:
    """End a waiting case because what it needs has failed, with the reason and a way on."""
    end_with(case, EndReason.PREREQUISITE_FAILED)
    case.remedies = [
        {
            "zh": f"“{failed.item_name.get('zh', '')}”办成后，可单独重新申请本事项，已填信息自动带入。",
            "en": f"Once “{failed.item_name.get('en') or failed.item_name.get('zh', '')}” is done you can apply for this item "
            "alone; what you entered is taken over.",
        },
        *remedies_of(case, now),
    ]
    move(
        case,
        Act.FAIL_PREREQUISITE,
        actor=actor,
        now=now,
        params={"item": dict(failed.item_name), "case": failed.number, "why": failed.end_reason},
    )
    models.Consent.objects.filter(case=case, state="requested").update(state="dropped", answered_at=now)
    issue(
        case,
        DocumentKind.TERMINATION,
        actor=actor,
        now=now,
        data={
            "why": EndReason.PREREQUISITE_FAILED.value,
            "failed_item": dict(failed.item_name),
            "failed_case": failed.number,
            "failed_why": failed.end_reason,
            "remedies": case.remedies,
        },
    )
    notifying.case_moved(case, "prerequisite_failed", now=now)
    settle_dependents(case, actor=actor, now=now)


def wait_again(case: models.Case, *, actor: Actor, now: datetime) -> None:
    """Put back those cases that ended because ``case`` had failed, now that it was reopened."""
    rows = models.Case.objects.select_for_update(no_key=True).filter(
        application=case.application,
        state=CaseState.ABNORMAL_END.value,
        end_reason=EndReason.PREREQUISITE_FAILED.value,
    )
    for other in rows:
        if case.item_code not in other.requires:
            continue
        other.application = case.application
        other.ended_at = other.ended_on = None
        other.remedies = []
        end_with(other, EndReason.NONE)
        move(other, Act.WAIT_AGAIN, actor=actor, now=now)
        wait_again(other, actor=actor, now=now)
    note(case.application, case, "case.dependents_wait_again", actor=actor, now=now)
