"""Review by the body itself (复核): the applicant asks, another person than the one who decided looks again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from furong.domains.cases import models, notifying
from furong.domains.cases.commands.dependents import wait_again, want_start
from furong.domains.cases.commands.moving import (
    due_after,
    end_with,
    lock_case,
    move,
    note,
    require_handler,
    require_own,
    rules,
    today,
)
from furong.domains.cases.errors import ReasonMissing, ReviewNotPossible, SamePersonCannotApprove
from furong.domains.cases.values.states import Act, CaseState, EndReason
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command


@command("cases.request_review")
def request_review(*, case_id: UUID, reason: str, actor: Actor, now: datetime) -> UUID:
    """Ask the body to look again at a refusal and return the review's key.

    Raises ReviewNotPossible when nothing was refused, the days have passed or a review was asked for before,
    ReasonMissing, NotYours.
    """
    case = lock_case(case_id=case_id)
    require_own(case.application, actor)
    current = rules(now)
    last_on = case.ended_on + timedelta(days=current.review_within_natural_days) if case.ended_on is not None else None
    refused = case.state in {CaseState.REJECTED, CaseState.NOT_ACCEPTED}
    if not refused or last_on is None or today(now) > last_on or case.reviews.exists():
        raise ReviewNotPossible
    if not reason.strip() or actor.account_id is None:
        raise ReasonMissing
    due_on = due_after(days=current.review_days, now=now)
    try:
        with transaction.atomic():
            review = models.Review.objects.create(
                case=case,
                reason=reason,
                requested_at=now,
                requested_by_account_id=actor.account_id,
                due_on=due_on,
            )
    except IntegrityError as error:
        raise ReviewNotPossible from error
    note(case.application, case, "review.requested", actor=actor, now=now, params={"due_on": due_on.isoformat()})
    return review.id


@command("cases.answer_review")
def answer_review(
    *,
    review_id: UUID,
    uphold: bool,
    answer: str,
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
) -> None:
    """Uphold the refusal, or reopen the case: it is received anew and its process begins again.

    Needs ``cases.decide`` and another person than the one who decided. Raises SamePersonCannotApprove, ReasonMissing,
    ReviewNotPossible.
    """
    case_id = models.Review.objects.values_list("case_id", flat=True).get(id=review_id)
    case = lock_case(case_id=case_id)
    require_handler(case, actor, "cases.decide")
    review = models.Review.objects.select_for_update().get(id=review_id)
    if review.state != "requested":
        raise ReviewNotPossible
    if actor.account_id is None or actor.account_id == case.decided_by_account_id:
        raise SamePersonCannotApprove("A review is answered by another person than the one who decided.")
    if not answer.strip():
        raise ReasonMissing
    review.state = "upheld" if uphold else "reopened"
    review.answer, review.answered_at, review.answered_by_account_id = answer, now, actor.account_id
    review.save()
    note(case.application, case, f"review.{review.state}", actor=actor, now=now)
    if not uphold:
        _reopen(case, actor=actor, now=now)
    notifying.case_moved(case, f"review_{review.state}", now=now)


def _reopen(case: models.Case, *, actor: Actor, now: datetime) -> None:
    end_with(case, EndReason.NONE)
    case.remedies = []
    case.process_instance_id = None
    case.ended_at = case.ended_on = None
    case.accepted_at = case.accepted_on = case.clock = None
    case.promised_due_on = case.statutory_due_on = case.yellow_on = None
    case.decided_at = case.decided_on = case.decided_by_account_id = None
    case.in_time = case.used_days = None
    case.received_at, case.received_on = now, today(now)
    case.acceptance_due_on = due_after(days=rules(now).acceptance_days, now=now)
    move(case, Act.REOPEN, actor=actor, now=now)
    want_start(case)
    wait_again(case, actor=actor, now=now)
