"""From a document's row to its sealed file: the letter is composed, typeset, sealed and put away."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from furong.domains.cases import models
from furong.domains.cases.queries.reading import organization_names
from furong.domains.cases.values.documents import TITLES, DocumentKind
from furong.domains.cases.values.letters import facts, listed_wanted, paragraphs, pick
from furong.domains.cases.values.wording import REASONS
from furong.foundation.access.values import Actor, Basis
from furong.foundation.packs import queries as packs
from furong.foundation.packs.errors import DefinitionMissing
from furong.foundation.storage import commands as storage
from furong.registries.licences import documents
from furong.registries.population import queries as population


def render(document: models.Document, *, actor: Actor, now: datetime) -> str:
    """Make a document's sealed PDF and return the stored file's digest.

    The applicant's name is read from the population register for this letter and recorded like every read.
    """
    case = document.case
    application = case.application
    kind, language = DocumentKind(document.kind), _language()
    issuer = organization_names([document.organization_id]).get(document.organization_id, {"zh": ""})
    pdf = documents.render_sealed_pdf(
        template=_template(document),
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
            **_for_template(document, language),
        },
        now=now,
    )
    return storage.put(pdf, "application/pdf", now=now).digest


# Templates of a pack by kind of document; what has none, and a pack without them, gets the plain letter.
_TEMPLATES = {
    DocumentKind.ACCEPTANCE: "acceptance",
    DocumentKind.NON_ACCEPTANCE: "non_acceptance",
    DocumentKind.SUPPLEMENT: "supplement",
    DocumentKind.DECISION_APPROVED: "approval",
    DocumentKind.DECISION_REJECTED: "rejection",
    DocumentKind.EXTENSION: "extension",
    DocumentKind.SPECIAL_PROCEDURE: "special_procedure",
    DocumentKind.TERMINATION: "termination",
    DocumentKind.WITHDRAWAL: "withdrawal",
}


def _template(document: models.Document) -> str:
    kind = DocumentKind(document.kind)
    # Silence that counts as acceptance is said in other words than a decision to accept.
    if kind is DocumentKind.ACCEPTANCE and document.data.get("deemed"):
        return "deemed_acceptance"
    return _TEMPLATES[kind]


def _for_template(document: models.Document, language: str) -> dict[str, Any]:
    """What templates of letters ask for by name, as plain texts, days as ISO dates; what is empty is left out."""
    case, data = document.case, document.data
    why = data.get("reason") or REASONS.get(str(data.get("why", "")), {}).get(language, "")
    found = {
        "item_name": pick(case.item_name, language),
        "case_number": case.number,
        "applied_on": case.application.submitted_on.isoformat(),
        "accepted_on": data.get("accepted_on") or (case.accepted_on.isoformat() if case.accepted_on else ""),
        "statutory_days": str(case.terms.get("statutory_days") or ""),
        "promised_days": str(case.terms.get("promised_days") or ""),
        "due_on": data.get("due_on") or data.get("promised_due_on") or "",
        "reason": why,
        "legal_basis": data.get("legal_basis") or "",
        "missing": listed_wanted(data, language),
        "extended_days": str(data.get("days") or ""),
        "decision": data.get("opinion") or "",
        "remedies": [pick(r, language) for r in data.get("remedies", ())],
    }
    return {key: value for key, value in found.items() if value}


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
