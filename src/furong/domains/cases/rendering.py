"""From a document's row to its sealed file: the letter is composed, typeset, sealed and put away."""

from __future__ import annotations

from datetime import datetime

from furong.domains.cases import models
from furong.domains.cases.queries.reading import organization_names
from furong.domains.cases.values.documents import TITLES, DocumentKind
from furong.domains.cases.values.letters import facts, paragraphs
from furong.foundation.access.values import Actor, Basis
from furong.foundation.packs import queries as packs
from furong.foundation.packs.errors import DefinitionMissing
from furong.foundation.storage import commands as storage
from furong.registries.licences import documents
from furong.registries.population import queries as population


def render(document: models.Document, *, actor: Actor, now: datetime) -> str:
    """This function will make a document's sealed PDF and return the stored file's digest.

    The applicant's name is read from the population register for this letter and recorded like every read.
    """
    case = document.case
    application = case.application
    kind, language = DocumentKind(document.kind), _language()
    issuer = organization_names([document.organization_id]).get(document.organization_id, {"zh": ""})
    pdf = documents.render_sealed_pdf(
        template=f"case_{kind.value}",
        title=TITLES[kind],
        number=document.number,
        issuer=issuer,
        addressee=_addressee(document, actor=actor, now=now),
        issued_on=document.issued_on,
        data={
            "paragraphs": paragraphs(
                kind,
                item=case.item_name,
                submitted_on=application.submitted_on,
                data=document.data,
                language=language,
            ),
            "facts": facts(kind, case_number=case.number, item=case.item_name, data=document.data, language=language),
        },
        now=now,
    )
    return storage.put(pdf, "application/pdf", now=now).digest


def _language() -> str:
    try:
        return packs.get_frame().languages[0]
    except DefinitionMissing:
        return "zh"


def _addressee(document: models.Document, *, actor: Actor, now: datetime) -> str:
    application = document.case.application
    if application.principal_kind != "person":
        return ""
    record = population.get_person(
        person_id=application.principal_id,
        fields=["name"],
        actor=actor,
        basis=Basis(
            purpose="document",
            legal_basis=str(document.case.terms.get("legal_basis", "")),
            case_id=document.case_id,
            item_code=document.case.item_code,
        ),
        now=now,
    )
    return record.text("name")
