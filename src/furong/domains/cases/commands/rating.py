"""Good and bad ratings (好差评): five levels, once per case, by who was served; a bad one is called back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from furong.domains.cases import models, notifying, staffing
from furong.domains.cases.commands.moving import due_after, is_own, lock_case, note, rules, today
from furong.domains.cases.errors import (
    AlreadyRated,
    CaseNotFound,
    RatingNotValid,
    RatingNotYet,
    RatingNotYours,
    ReasonMissing,
)
from furong.domains.cases.events import CaseRated
from furong.domains.cases.values.ratings import ASPECTS, is_bad
from furong.domains.cases.values.states import ENDED, CaseState
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit import commands as audit
from furong.foundation.audit.commands import command
from furong.foundation.events.commands import publish


@command("cases.rate_case")
def rate_case(
    *,
    case_id: UUID,
    level: int,
    actor: Actor,
    now: datetime,
    aspects: Mapping[str, bool] | None = None,
    comment: str = "",
) -> UUID:
    """Record how the applicant was served, 5 (very satisfied) to 1, once for a case that has ended.

    The two lowest levels open a call-back. Raises RatingNotYours for staff (also under their resident's account, when
    they work for the body), AlreadyRated, RatingNotYet, RatingNotValid.
    """
    case = lock_case(case_id=case_id)
    if not is_own(case.application, actor) or actor.account_id is None:
        raise RatingNotYours
    if staffing.works_for(person_id=actor.person_id, organization_id=case.organization_id, on=today(now)):
        raise RatingNotYours
    if CaseState(case.state) not in ENDED or case.state == CaseState.WITHDRAWN:
        raise RatingNotYet
    chosen = {k: bool(v) for k, v in (aspects or {}).items()}
    if level not in range(1, 6) or set(chosen) - set(ASPECTS):
        raise RatingNotValid
    try:
        with transaction.atomic():
            rating = models.Rating.objects.create(
                case=case,
                level=level,
                aspects=chosen,
                comment=comment.strip(),
                account_id=actor.account_id,
                person_id=actor.person_id,
                organization_id=case.organization_id,
                division_code=case.division_code,
                at=now,
                rated_on=today(now),
            )
    except IntegrityError as error:
        raise AlreadyRated from error
    note(case.application, case, "case.rated", actor=actor, now=now, params={"level": level})
    if is_bad(level):
        current = rules(now)
        models.CallBack.objects.create(
            rating=rating,
            contact_due_on=due_after(days=current.call_back_contact_days, now=now),
            fix_due_on=due_after(days=current.call_back_fix_days, now=now),
            opened_at=now,
        )
        note(case.application, case, "rating.call_back", actor=actor, now=now)
    publish(
        CaseRated(
            case_id=case.id,
            organization_id=case.organization_id,
            division_code=case.division_code,
            level=level,
        ),
        now=now,
    )
    return rating.id


@command("cases.record_call_back")
def record_call_back(
    *,
    call_back_id: UUID,
    text: str,
    fixed: bool,
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
) -> None:
    """Record that the applicant was called, or, with ``fixed``, that what was bad has been put right.

    Needs ``cases.supervise`` over the organisation. Raises ReasonMissing without a text.
    """
    row = (
        models.CallBack.objects.select_for_update(of=("self",))
        .select_related("rating__case__application")
        .filter(id=call_back_id)
        .first()
    )
    if row is None:
        raise CaseNotFound
    rating = row.rating
    access.require(
        actor=actor,
        right="cases.supervise",
        organization_id=rating.organization_id,
        division_code=rating.division_code,
    )
    audit.current().object("call_back", row.id)
    if not text.strip():
        raise ReasonMissing
    if row.contacted_at is None:
        row.contacted_at, row.contact_note = now, text
        row.state = "contacted"
    if fixed:
        row.fixed_at, row.fix_note = now, text
        row.state = "closed"
    row.by_account_id = actor.account_id
    row.save()
    note(
        rating.case.application,
        rating.case,
        "rating.fixed" if fixed else "rating.contacted",
        actor=actor,
        now=now,
    )
    if fixed:
        notifying.case_moved(rating.case, "rating_fixed", now=now)


@command("cases.rate_again")
def rate_again(*, call_back_id: UUID, level: int, actor: Actor, now: datetime) -> None:
    """Record the one follow-up rating after a call-back was closed. Raises AlreadyRated, RatingNotYet."""
    row = (
        models.CallBack.objects.select_for_update(of=("self",))
        .select_related("rating__case__application")
        .filter(id=call_back_id)
        .first()
    )
    if row is None or not is_own(row.rating.case.application, actor):
        raise RatingNotYours
    audit.current().object("call_back", row.id)
    if row.state != "closed":
        raise RatingNotYet
    if row.new_level is not None:
        raise AlreadyRated
    if level not in range(1, 6):
        raise RatingNotValid
    row.new_level, row.new_level_at = level, now
    row.save()
