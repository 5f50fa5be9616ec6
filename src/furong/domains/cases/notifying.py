"""What people are told at each step. Messages carry numbers of cases and names of items, nothing personal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.domains.cases import models
from furong.domains.cases.values.documents import TITLES, DocumentKind
from furong.foundation.notices import commands as notices


def application_submitted(application: models.Application, *, now: datetime) -> None:
    """Tell the applicant the number of what they handed in."""
    _tell(application, "cases.submitted", {"number": application.number, "title": dict(application.title)}, now=now)


def case_moved(case: models.Case, step: str, *, now: datetime) -> None:
    """Tell the applicant what happened to a case; ``step`` names the message."""
    _tell(
        case.application,
        f"cases.{step}",
        {
            "number": case.number,
            "item": dict(case.item_name),
            "due_on": case.promised_due_on.isoformat() if case.promised_due_on else "",
        },
        case_id=case.id,
        now=now,
    )


def document_served(document: models.Document, *, now: datetime) -> None:
    """Tell the applicant that a document lies in their mailbox."""
    _tell(
        document.case.application,
        "cases.document",
        {
            "number": document.number,
            "title": dict(TITLES[DocumentKind(document.kind)]),
            "item": dict(document.case.item_name),
            "document_id": str(document.id),
        },
        case_id=document.case_id,
        now=now,
    )


def consent_requested(consent: models.Consent, *, now: datetime, again: bool = False) -> None:
    """Ask the person whose consent is needed, or remind them."""
    _send(
        person_id=consent.requested_of_person_id,
        account_id=None,
        template="cases.consent_reminder" if again else "cases.consent_requested",
        params={
            "item": dict(consent.case.item_name),
            "due_on": consent.due_on.isoformat(),
            "consent_id": str(consent.id),
        },
        case_id=consent.case_id,
        now=now,
    )


def consent_answered(consent: models.Consent, *, now: datetime) -> None:
    """Tell the applicant what the person asked has answered."""
    case = consent.case
    _tell(
        case.application,
        "cases.consent_expired" if consent.state == "lapsed" else f"cases.consent_{consent.state}",
        {"number": case.number, "item": dict(case.item_name)},
        case_id=case.id,
        now=now,
    )


def _tell(
    application: models.Application,
    template: str,
    params: Mapping[str, Any],
    *,
    now: datetime,
    case_id: UUID | None = None,
) -> None:
    _send(
        person_id=application.applicant_person_id,
        account_id=application.applicant_account_id,
        template=template,
        params={**params, "application_id": str(application.id)},
        case_id=case_id,
        now=now,
    )


def _send(
    *,
    person_id: UUID | None,
    account_id: UUID | None,
    template: str,
    params: Mapping[str, Any],
    case_id: UUID | None,
    now: datetime,
) -> None:
    notices.send(
        account_id=account_id,
        person_id=person_id if account_id is None else None,
        template=template,
        params=dict(params),
        case_id=case_id,
        now=now,
    )
