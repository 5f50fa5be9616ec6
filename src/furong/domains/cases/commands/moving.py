"""Moving a case from state to state: the one place that does it, under lock, by the table, with its trace.

Every act takes the application's row first and the case's after it, so that two acts on cases of one application never
wait for each other crosswise, and a case that waits for two others sees both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.domains.bookings import commands as bookings
from furong.domains.bookings import queries as booking_queries
from furong.domains.cases import models
from furong.domains.cases.errors import (
    ActNotAllowed,
    CaseChanged,
    CaseClosed,
    CaseNotFound,
    NotYours,
)
from furong.domains.cases.events import ApplicationFinished, CaseEnded, CaseMoved
from furong.domains.cases.parameters import current_rules
from furong.domains.cases.values.clock import Clock
from furong.domains.cases.values.rules import Rules
from furong.domains.cases.values.states import ENDED, Act, CaseState, EndReason, application_state, next_state
from furong.domains.payments import commands as payments
from furong.domains.payments import queries as payment_queries
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit import commands as audit
from furong.foundation.calendar import queries as calendars
from furong.foundation.calendar.values import Calendar
from furong.foundation.events.commands import publish


def today(now: datetime) -> date:
    """Return the local day of ``now`` in the pack's time zone."""
    return calendar().local_date(now)


def calendar() -> Calendar:
    """Return the working calendar in force."""
    return calendars.current()


def rules(now: datetime) -> Rules:
    """Return the parameters in force on the local day of ``now``."""
    return current_rules(on=today(now))


def lock_case(*, case_id: UUID, expected_version: int | None = None) -> models.Case:
    """Lock the application and the case and return the case, ``case.application`` filled in.

    Raises CaseNotFound, and CaseChanged when ``expected_version`` is no longer the case's.
    """
    application_id = models.Case.objects.filter(id=case_id).values_list("application_id", flat=True).first()
    if application_id is None:
        raise CaseNotFound
    application = lock_application(application_id=application_id)
    case = models.Case.objects.select_for_update(no_key=True).get(id=case_id)
    case.application = application
    if expected_version is not None and case.version != expected_version:
        raise CaseChanged
    audit.current().object("case", case.id)
    return case


def refresh(case: models.Case) -> None:
    """Read a locked case again, after its process may have moved it."""
    application = case.application
    case.refresh_from_db()
    case.application = application


def lock_application(*, application_id: UUID) -> models.Application:
    """Lock an application's row. Raises CaseNotFound."""
    found = models.Application.objects.select_for_update(no_key=True).filter(id=application_id).first()
    if found is None:
        raise CaseNotFound
    return found


def require_handler(case: models.Case, actor: Actor, right: str = "cases.handle") -> None:
    """Let through the system and staff who hold ``right`` over the case's organisation."""
    access.require(actor=actor, right=right, organization_id=case.organization_id, division_code=case.division_code)


def is_own(application: models.Application, actor: Actor) -> bool:
    """Tell whether a resident applied, or is the person or enterprise applied for, or acts for them."""
    if not actor.is_resident:
        return False
    own = {actor.person_id} - {None}
    if actor.principal is not None:
        return application.principal_id == actor.principal.id
    return (
        application.applicant_account_id == actor.account_id
        or application.applicant_person_id in own
        or (application.principal_kind == "person" and application.principal_id in own)
    )


def require_own(application: models.Application, actor: Actor) -> None:
    """Refuse everybody but the applicant and who was applied for, with the answer for *no such case*."""
    if not is_own(application, actor):
        raise NotYours


def note(
    application: models.Application,
    case: models.Case | None,
    code: str,
    *,
    actor: Actor,
    now: datetime,
    params: Mapping[str, Any] | None = None,
) -> models.CaseEvent:
    """Add a line to the timeline. ``params`` hold no personal data."""
    return models.CaseEvent.objects.create(
        application=application,
        case=case,
        at=now,
        code=code,
        params=dict(params or {}),
        actor_kind=actor.kind.value,
        account_id=actor.account_id,
        organization_id=actor.organization_id,
    )


def check(case: models.Case, act: Act) -> CaseState:
    """Return where ``act`` leads. Raises CaseClosed or ActNotAllowed where the table does not know it."""
    after = next_state(CaseState(case.state), act)
    if after is None:
        raise CaseClosed if CaseState(case.state) in ENDED else ActNotAllowed
    return after


def move(
    case: models.Case,
    act: Act,
    *,
    actor: Actor,
    now: datetime,
    params: Mapping[str, Any] | None = None,
    code: str = "",
) -> None:
    """Move a locked case by ``act``, save it and leave a line and an event.

    What the caller changed on the case is saved with it. Raises CaseClosed or ActNotAllowed.
    """
    after = check(case, act)
    before = CaseState(case.state)
    case.state = after.value
    case.version += 1
    if after in ENDED and before not in ENDED:
        case.ended_at, case.ended_on = now, today(now)
    case.save()
    note(case.application, case, code or f"case.{act.value}", actor=actor, now=now, params=params)
    audit.current().detail(act=act.value, before=before.value, after=after.value, version=case.version)
    publish(
        CaseMoved(
            case_id=case.id,
            application_id=case.application_id,
            item_code=case.item_code,
            organization_id=case.organization_id,
            division_code=case.division_code,
            act=act.value,
            before=before.value,
            after=after.value,
            version=case.version,
        ),
        now=now,
    )
    if after in ENDED and before not in ENDED:
        publish(
            CaseEnded(
                case_id=case.id,
                application_id=case.application_id,
                item_code=case.item_code,
                organization_id=case.organization_id,
                division_code=case.division_code,
                state=after.value,
                end_reason=case.end_reason,
                in_time=case.in_time,
            ),
            now=now,
        )
        if booking_queries.items_wanting(item_codes=[case.item_code], on=today(now)):
            # Nobody comes for a case that has ended: the place is somebody else's.
            bookings.cancel(case_id=case.id, actor=actor, now=now, at_any_time=True)
        if payment_queries.list_of_case(case_id=case.id):
            payments.end_of_case(case_id=case.id, granted=after is CaseState.COMPLETED, actor=actor, now=now)
        _tell_if_finished(case.application, actor=actor, now=now)


def _tell_if_finished(application: models.Application, *, actor: Actor, now: datetime) -> None:
    states = [CaseState(s) for s in application.cases.values_list("state", flat=True)]
    if any(s not in ENDED for s in states):
        return
    state = application_state(states)
    note(application, None, "application.finished", actor=actor, now=now, params={"state": state.value})
    publish(
        ApplicationFinished(application_id=application.id, number=application.number, state=state.value),
        now=now,
    )


def end_with(case: models.Case, reason: EndReason, *, text: str = "") -> None:
    """Write why a case ends into its row; the caller moves it after that."""
    case.end_reason = reason.value
    case.end_note = text


def read_clock(case: models.Case) -> Clock | None:
    """Return the case's clock, None before acceptance."""
    return Clock.from_json(case.clock) if case.clock else None


def put_clock(case: models.Case, clock: Clock, *, now: datetime) -> None:
    """Store the clock and the days that listings and supervision read."""
    days = calendar()
    case.clock = clock.to_json()
    case.promised_due_on = clock.promised_due_on(days)
    case.statutory_due_on = clock.statutory_due_on(days)
    case.yellow_on = clock.yellow_on(share_percent=rules(now).yellow_share_percent, calendar=days)
    case.light_told = ""


def due_after(*, days: int, now: datetime) -> date:
    """Return the last day of a period of working days that begins today."""
    return calendar().add_working_days(today(now), days)


def remedies_of(case: models.Case, now: datetime) -> list[dict[str, str]]:
    """Return what an applicant can do against a refusal: the item's own remedies, else the general ones."""
    own = case.terms.get("remedies") or []
    return [dict(r) for r in (own or rules(now).remedies)]
