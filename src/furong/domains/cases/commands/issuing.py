"""The numbered documents of a case, and the record of their service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.domains.cases import models, notifying
from furong.domains.cases.commands.moving import is_own, note, require_handler, rules, today
from furong.domains.cases.errors import CaseNotFound, DocumentNotReady
from furong.domains.cases.numbers import document_number
from furong.domains.cases.rendering import render
from furong.domains.cases.values.documents import DocumentKind
from furong.foundation.access.values import Actor
from furong.foundation.audit import commands as audit
from furong.foundation.audit.commands import command
from furong.foundation.jobs.commands import defer
from furong.foundation.organizations import queries as organizations


def _office(organization_id: UUID) -> str:
    """The word that stands for the office in its documents' numbers (机关代字): its short name."""
    found = organizations.get_organization(organization_id=organization_id)
    return found.short_zh or found.name.zh


def issue(
    case: models.Case,
    kind: DocumentKind,
    *,
    actor: Actor,
    now: datetime,
    data: Mapping[str, Any],
) -> models.Document:
    """Number a document of a locked case and have a job render, seal and serve it.

    ``data`` holds what the document says beside what the case knows: reasons, dates, lists. No personal data: the
    applicant's name is read when the file is made, under the document's own purpose.
    """
    on = today(now)
    current = rules(now)
    document = models.Document.objects.create(
        case=case,
        kind=kind.value,
        organization_id=case.organization_id,
        number=document_number(
            organization_id=case.organization_id,
            office=_office(case.organization_id),
            mark=current.document_marks[kind.value]["zh"],
            year=on.year,
        ),
        issued_at=now,
        issued_on=on,
        signed_by_account_id=actor.account_id if actor.is_staff else None,
        data=dict(data),
    )
    defer("cases.render_document", key=f"cases.document:{document.id}", document_id=str(document.id))
    note(
        case.application,
        case,
        "document.issued",
        actor=actor,
        now=now,
        params={"kind": kind.value, "number": document.number, "document_id": str(document.id)},
    )
    return document


@command("cases.render_document")
def render_document(*, document_id: UUID, actor: Actor, now: datetime) -> str:
    """Make the sealed file of a document and put it into the applicant's mailbox, which is its service.

    A repeat changes nothing. Returns the file's digest. Raises CaseNotFound for an unknown document.
    """
    document = (
        models.Document.objects.select_for_update(of=("self",))
        .select_related("case__application")
        .filter(id=document_id)
        .first()
    )
    if document is None:
        raise CaseNotFound
    audit.current().object("case_document", document.id)
    if document.file_digest:
        return document.file_digest
    document.file_digest = render(document, actor=actor, now=now)
    document.rendered_at = document.served_at = now
    document.served_by = "mailbox"
    document.save()
    notifying.document_served(document, now=now)
    return document.file_digest


@command("cases.open_document")
def open_document(*, document_id: UUID, actor: Actor, now: datetime) -> str:
    """Return the digest of a document's file and record when the applicant first opened it.

    Staff of the case's organisation may open it too, which is not recorded as service. Raises DocumentNotReady while
    the file is being made, and the answer for *no such case* to everybody else.
    """
    document = (
        models.Document.objects.select_for_update(of=("self",))
        .select_related("case__application")
        .filter(id=document_id)
        .first()
    )
    if document is None:
        raise CaseNotFound
    audit.current().object("case_document", document.id)
    own = is_own(document.case.application, actor)
    if not own:
        if not actor.is_staff:
            raise CaseNotFound
        require_handler(document.case, actor)
    if not document.file_digest:
        raise DocumentNotReady
    if own and document.opened_at is None:
        document.opened_at = now
        document.save(update_fields=["opened_at"])
    return document.file_digest
