"""Receiving a case: its prerequisites are in, its process begins, consents are asked for, the days for acceptance run."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from furong.domains.cases import flow, models, notifying
from furong.domains.cases.commands.acceptance import not_accepted
from furong.domains.cases.commands.completing import ask_again
from furong.domains.cases.commands.moving import (
    due_after,
    lock_case,
    move,
    note,
    refresh,
    rules,
    today,
)
from furong.domains.cases.errors import (
    ConsentAlreadyAnswered,
    ConsentNotYours,
    ConsentTooLate,
)
from furong.domains.cases.values.states import FAILED, Act, CaseState, EndReason
from furong.foundation.access.queries import require_assurance
from furong.foundation.access.values import Actor, Assurance
from furong.foundation.audit import commands as audit
from furong.foundation.audit.commands import command


@command("cases.start_case")
def start_case(*, case_id: UUID, actor: Actor, now: datetime) -> bool:
    """Start the process of a case whose prerequisites are in; False when it runs or has ended. Repeatable.

    Where somebody else must consent, they were asked at submission, and the case is received once they have answered.
    """
    case = lock_case(case_id=case_id)
    state = CaseState(case.state)
    if case.process_instance_id is not None or state not in {
        CaseState.WAITING_PREREQUISITES,
        CaseState.SUBMITTED,
    }:
        return False
    if state is CaseState.WAITING_PREREQUISITES and not prerequisites_are_in(case):
        return False
    if case.application.awaited:
        ask_again(case.application, actor=actor, now=now)
        refresh(case)
    request_consents(case, actor=actor, now=now)
    if state is CaseState.WAITING_PREREQUISITES and not case.consents.filter(state="requested").exists():
        receive(case, actor=actor, now=now)
    case.process_instance_id = flow.start(case, actor=actor, now=now)
    case.save(update_fields=["process_instance_id"])
    # A case taken up again keeps the consents it had; its new process hears of them.
    for consent in case.consents.exclude(state="requested"):
        flow.consent_answered(case, consent, actor=actor, now=now)
    return True


def prerequisites_are_in(case: models.Case) -> bool:
    """Tell whether every item that the case needs, of those applied for together, is completed."""
    states = models.Case.objects.filter(application_id=case.application_id, item_code__in=case.requires).values_list(
        "state", flat=True
    )
    return all(s == CaseState.COMPLETED for s in states)


def prerequisite_failed(case: models.Case) -> bool:
    """Tell whether an item that the case needs has ended without its result."""
    return models.Case.objects.filter(
        application_id=case.application_id, item_code__in=case.requires, state__in=[s.value for s in FAILED]
    ).exists()


def receive(case: models.Case, *, actor: Actor, now: datetime) -> None:
    """Receive a locked case: the days for acceptance run from today."""
    case.received_at, case.received_on = now, today(now)
    case.acceptance_due_on = due_after(days=rules(now).acceptance_days, now=now)
    move(
        case,
        Act.RECEIVE,
        actor=actor,
        now=now,
        params={"due_on": case.acceptance_due_on.isoformat()},
    )


def request_consents(case: models.Case, *, actor: Actor, now: datetime) -> None:
    """Ask those whose consent the item needs, as far as the application names them. Repeatable.

    Who was asked is not asked again, unless the case had ended before they answered and was taken up again.
    """
    wanted = people_asked(case)
    if not wanted:
        return
    current = rules(now)
    asked = {(row.code, row.requested_of_person_id): row for row in case.consents.all()}
    for consent, person_id in wanted:
        before = asked.get((consent["code"], person_id))
        if before is not None and before.state != "dropped":
            continue
        row = before or models.Consent(case=case, code=consent["code"], requested_of_person_id=person_id)
        row.case, row.state = case, "requested"
        row.statement, row.message = consent["statement"], consent["message"]
        row.requested_at, row.answered_at, row.reminded_at = now, None, None
        row.remind_on = due_after(days=consent["reminder_days"] or current.consent_reminder_days, now=now)
        row.due_on = due_after(days=consent["days"] or current.consent_days, now=now)
        row.save(force_insert=before is None)
        note(
            case.application,
            case,
            "consent.requested",
            actor=actor,
            now=now,
            params={"due_on": row.due_on.isoformat()},
        )
        notifying.consent_requested(row, now=now)


def people_asked(case: models.Case) -> list[tuple[dict[str, Any], UUID]]:
    """Return whose consent the case needs: those named in its answers who did not apply themselves."""
    application, found = case.application, []
    agreed = {str(application.applicant_person_id), str(application.principal_id), ""}
    for consent in case.terms.get("consents", ()):
        people = {str((application.answers.get(e) or {}).get("value") or "") for e in consent["of"]} - agreed
        found += [(consent, UUID(person_id)) for person_id in sorted(people)]
        agreed |= people
    return found


@command("cases.give_consent")
def give_consent(*, consent_id: UUID, actor: Actor, now: datetime) -> None:
    """Record the consent of the person asked; once all are in, the case is received.

    Raises ConsentNotYours for everybody else, ConsentAlreadyAnswered, ConsentTooLate after the last day, AssuranceTooLow.
    """
    consent, case = _answering(consent_id=consent_id, actor=actor, now=now)
    consent.state = "given"
    consent.save()
    note(case.application, case, "consent.given", actor=actor, now=now)
    if (
        case.state == CaseState.WAITING_PREREQUISITES
        and not case.consents.filter(state="requested").exists()
        and prerequisites_are_in(case)
    ):
        receive(case, actor=actor, now=now)
    flow.consent_answered(case, consent, actor=Actor.system("cases"), now=now)
    notifying.consent_answered(consent, now=now)


@command("cases.refuse_consent")
def refuse_consent(*, consent_id: UUID, actor: Actor, now: datetime, reason: str = "") -> None:
    """Record that the person asked does not consent; the case ends with that reason, the others stand."""
    consent, case = _answering(consent_id=consent_id, actor=actor, now=now)
    consent.state, consent.refusal_reason = "refused", reason
    consent.save()
    note(case.application, case, "consent.refused", actor=actor, now=now)
    notifying.consent_answered(consent, now=now)
    end_for_consent(case, consent, EndReason.CONSENT_REFUSED, actor=actor, now=now)


def _answering(*, consent_id: UUID, actor: Actor, now: datetime) -> tuple[models.Consent, models.Case]:
    found = models.Consent.objects.filter(id=consent_id).values_list("case_id", "requested_of_person_id").first()
    if found is None or not actor.is_resident or actor.person_id is None or found[1] != actor.person_id:
        raise ConsentNotYours
    # A consent is the person's own act: no mandate, no unverified account.
    require_assurance(actor=actor, level=Assurance.VERIFIED)
    if actor.principal is not None:
        raise ConsentNotYours
    case = lock_case(case_id=found[0])
    consent = models.Consent.objects.select_for_update().get(id=consent_id)
    audit.current().object("consent", consent.id)
    audit.current().subject(actor.person_id, fields=["consent"])
    if consent.state == "lapsed" or (consent.state == "requested" and today(now) > consent.due_on):
        raise ConsentTooLate
    if consent.state != "requested":
        raise ConsentAlreadyAnswered
    consent.answered_at, consent.answered_by_account_id = now, actor.account_id
    return consent, case


@command("cases.remind_of_consent")
def remind_of_consent(*, consent_id: UUID, actor: Actor, now: datetime) -> bool:
    """Remind the person asked, once; False when there is nothing to do."""
    consent = models.Consent.objects.select_for_update().select_related("case__application").get(id=consent_id)
    audit.current().object("consent", consent.id)
    due = consent.remind_on is not None and today(now) >= consent.remind_on
    if consent.state != "requested" or consent.reminded_at is not None or not due:
        return False
    consent.reminded_at = now
    consent.save(update_fields=["reminded_at"])
    note(consent.case.application, consent.case, "consent.reminded", actor=actor, now=now)
    notifying.consent_requested(consent, now=now, again=True)
    return True


@command("cases.lapse_consent")
def lapse_consent(*, consent_id: UUID, actor: Actor, now: datetime) -> bool:
    """Let an unanswered consent lapse, which ends its case; False when there is nothing to do."""
    case_id = models.Consent.objects.values_list("case_id", flat=True).get(id=consent_id)
    case = lock_case(case_id=case_id)
    consent = models.Consent.objects.select_for_update().get(id=consent_id)
    if consent.state != "requested" or today(now) <= consent.due_on:
        return False
    consent.state, consent.answered_at = "lapsed", now
    consent.save()
    note(case.application, case, "consent.lapsed", actor=actor, now=now)
    notifying.consent_answered(consent, now=now)
    end_for_consent(case, consent, EndReason.CONSENT_LAPSED, actor=actor, now=now)
    return True


def end_for_consent(case: models.Case, consent: models.Consent, why: EndReason, *, actor: Actor, now: datetime) -> None:
    """End a locked case because a consent it needs was refused or never came."""
    if case.state not in {CaseState.WAITING_PREREQUISITES, CaseState.SUBMITTED}:
        return

    def tell_flow() -> None:
        flow.consent_answered(case, consent, actor=actor, now=now)

    models.Consent.objects.filter(case=case, state="requested").update(state="dropped", answered_at=now)
    not_accepted(case, Act.REFUSE_ACCEPTANCE, why, reason="", actor=actor, now=now, before_cancel=tell_flow)
