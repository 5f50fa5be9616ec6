"""What an applicant sees: drafts, applications, consents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q

from furong.domains.cases import models
from furong.domains.cases.commands.drafting import KEPT_ASIDE
from furong.domains.cases.commands.moving import is_own, today
from furong.domains.cases.errors import CaseNotFound, ConsentNotYours, DraftNotFound
from furong.domains.cases.queries.reading import (
    answer_views,
    consent_view,
    document_view,
    lane,
    organization_names,
    remaining_days,
    supplement_view,
    timeline,
)
from furong.domains.cases.values.states import (
    ENDED,
    WITHDRAWABLE,
    CaseState,
    application_state,
)
from furong.domains.cases.values.supplements import NOTE, answered, files_in, is_element
from furong.domains.cases.values.views import (
    ApplicationLine,
    ApplicationView,
    CaseFile,
    ConsentView,
    DraftView,
    OwnSupplement,
)
from furong.domains.services.forms.conditions import nested
from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import record_read
from furong.foundation.codes.statements import first_row
from furong.foundation.feel import compile_expression

RELATED = (
    "consents",
    "reviews",
    Prefetch("supplement", queryset=models.Supplement.objects.all()),
    Prefetch("rating", queryset=models.Rating.objects.select_related("call_back")),
)


# Each page of a form reads its draft, once or twice.
_DRAFT = """
SELECT d.id, d.life_event_code, d.item_codes::text, d.division_code, d.form_digest, d.answers::text, d.pages_done::text,
       d.to_check::text, d.version, d.created_at, d.updated_at, a.id
  FROM cases_draft AS d
  LEFT JOIN cases_application AS a ON d.submitted_at IS NOT NULL AND a.draft_id = d.id
 WHERE d.id = %s AND d.account_id = %s AND d.discarded_at IS NULL
"""


def get_draft(*, draft_id: UUID, actor: Actor) -> DraftView:
    """Return the actor's own draft. Raises DraftNotFound for everybody else's."""
    if actor.account_id is None:
        raise DraftNotFound
    row = first_row(_DRAFT, [draft_id, actor.account_id])
    if row is None:
        raise DraftNotFound
    answers = json.loads(row[5])
    return DraftView(
        id=row[0],
        life_event_code=row[1],
        item_codes=tuple(json.loads(row[2])),
        division_code=row[3],
        form_digest=row[4],
        answers={k: v for k, v in answers.items() if k != KEPT_ASIDE},
        kept_aside=dict(answers.get(KEPT_ASIDE, {})),
        pages_done=tuple(json.loads(row[6])),
        to_check=tuple(json.loads(row[7])),
        version=row[8],
        created_at=row[9],
        updated_at=row[10],
        application_id=row[11],
    )


def list_drafts(*, actor: Actor, limit: int = 20) -> tuple[DraftView, ...]:
    """Return the actor's open drafts, the latest first."""
    if actor.account_id is None:
        raise SignInNeeded
    rows = models.Draft.objects.filter(account_id=actor.account_id, submitted_at=None, discarded_at=None).order_by(
        "-updated_at"
    )[:limit]
    return tuple(_draft(r) for r in rows)


def _draft(row: models.Draft) -> DraftView:
    application_id = None
    if row.submitted_at is not None:
        application_id = models.Application.objects.filter(draft_id=row.id).values_list("id", flat=True).first()
    return DraftView(
        id=row.id,
        life_event_code=row.life_event_code,
        item_codes=tuple(row.item_codes),
        division_code=row.division_code,
        form_digest=row.form_digest,
        answers={k: v for k, v in row.answers.items() if k != KEPT_ASIDE},
        kept_aside=dict(row.answers.get(KEPT_ASIDE, {})),
        pages_done=tuple(row.pages_done),
        to_check=tuple(row.to_check),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        application_id=application_id,
    )


def list_applications(
    *, actor: Actor, now: datetime, limit: int = 50, before: datetime | None = None
) -> tuple[ApplicationLine, ...]:
    """Return the applications a resident made, or that were made for whom they act for, newest first.

    ``before`` asks for those submitted earlier. Two statements.
    """
    rows = models.Application.objects.filter(_own(actor)).order_by("-submitted_at")
    if before is not None:
        rows = rows.filter(submitted_at__lt=before)
    rows = rows.prefetch_related(
        Prefetch("cases", queryset=models.Case.objects.select_related("rating").prefetch_related("consents"))
    )
    return tuple(_line(a) for a in rows[:limit])


def _own(actor: Actor) -> Q:
    if actor.account_id is None or not actor.is_resident:
        raise SignInNeeded
    if actor.principal is not None:
        return Q(principal_id=actor.principal.id)
    own = Q(applicant_account_id=actor.account_id)
    if actor.person_id is not None:
        own |= Q(applicant_person_id=actor.person_id) | Q(principal_kind="person", principal_id=actor.person_id)
    return own


def _line(application: models.Application) -> ApplicationLine:
    cases = list(application.cases.all())
    states = [CaseState(c.state) for c in cases]
    return ApplicationLine(
        id=application.id,
        number=application.number,
        title=application.title,
        state=application_state(states),
        submitted_at=application.submitted_at,
        due_on=_due_on(cases),
        cases_total=len(cases),
        cases_ended=sum(s in ENDED for s in states),
        action_needed=CaseState.TO_SUPPLEMENT in states,
        to_rate=sum(
            1
            for c in cases
            if CaseState(c.state) in ENDED and c.state != CaseState.WITHDRAWN and not hasattr(c, "rating")
        ),
    )


def _due_on(cases: Sequence[models.Case]) -> date | None:
    due = [c.promised_due_on for c in cases if c.promised_due_on and CaseState(c.state) not in ENDED]
    return max(due, default=None)


def application_view(*, application_id: UUID, actor: Actor, now: datetime) -> ApplicationView:
    """Return an application with its lanes, clocks, timeline, facts with their sources, and documents.

    Only to the applicant and to whom it was made for. Raises CaseNotFound for everybody else.
    """
    application = models.Application.objects.filter(id=application_id).first()
    if application is None or not is_own(application, actor):
        raise CaseNotFound
    on = today(now)
    cases = list(application.cases.order_by("ordinal").prefetch_related(*RELATED))
    names = organization_names(c.organization_id for c in cases)
    by_id = {c.id: c for c in cases}
    consents = models.Consent.objects.filter(case__in=cases).select_related("case__application").order_by("id")
    documents = models.Document.objects.filter(case__in=cases).order_by("-issued_at", "-id")
    states = [CaseState(c.state) for c in cases]
    due_on = _due_on(cases)
    if application.applicant_person_id is not None and application.applicant_person_id != actor.person_id:
        record_read(
            actor=actor,
            basis=Basis(purpose="application"),
            what="cases.application_view",
            subjects=[application.applicant_person_id],
            fields=["application"],
            database="default",
            now=now,
            object=("application", application.id),
        )
    outputs: dict[str, object] = {}
    for c in cases:
        outputs |= c.outputs
    return ApplicationView(
        id=application.id,
        number=application.number,
        title=application.title,
        life_event_code=application.life_event_code,
        state=application_state(states),
        division_code=application.division_code,
        submitted_at=application.submitted_at,
        due_on=due_on,
        remaining_days=remaining_days(due_on, on, "working"),
        lanes=tuple(lane(c, on=on, names=names, siblings=cases) for c in cases),
        timeline=timeline(application.events.order_by("-at"), by_id, public_only=True),
        answers=answer_views(_current(application, cases)),
        outputs=outputs,
        documents=tuple(document_view(d) for d in documents),
        consents=tuple(consent_view(c) for c in consents),
        can_withdraw=any(s in WITHDRAWABLE for s in states),
        acts_for_other=application.principal_id != actor.person_id,
    )


def _current(application: models.Application, cases: Sequence[models.Case]) -> dict[str, Any]:
    """The answers as supplements have changed them since."""
    answers: dict[str, Any] = dict(application.answers)
    for row in models.Supplement.objects.filter(case__in=cases, answered_at__isnull=False).order_by("answered_at"):
        answers |= {code: a for code, a in row.answers.items() if is_element(code)}
    return answers


def own_supplement(*, case_id: UUID, actor: Actor) -> OwnSupplement:
    """Return what was handed in on a case's supplement notice, to whoever may see the application.

    Raises CaseNotFound for everybody else, and while nothing was asked for.
    """
    case = _own_case(case_id, actor)
    row = models.Supplement.objects.filter(case=case).first()
    if row is None:
        raise CaseNotFound
    return OwnSupplement(
        notice=supplement_view(row),
        lines=answered(row.wanted, row.answers),
        note=str(row.answers.get(NOTE, {}).get("value") or ""),
    )


def open_own_file(*, case_id: UUID, digest: str, actor: Actor, now: datetime) -> CaseFile:
    """Return a file that was handed in with a case, to whoever may see the application.

    A digest alone opens nothing. An agent's look is recorded with the person they act for. Raises CaseNotFound.
    """
    case = _own_case(case_id, actor)
    answers = _current(case.application, [case])
    supplements = models.Supplement.objects.filter(case=case, answered_at__isnull=False)
    for given in supplements.values_list("answers", flat=True):
        answers |= given
    file = next((f for _, f in files_in(answers) if f["digest"] == digest), None)
    if file is None:
        raise CaseNotFound
    person_id = case.application.applicant_person_id
    if person_id is not None and person_id != actor.person_id:
        record_read(
            actor=actor,
            basis=Basis(purpose="application", case_id=case.id),
            what="cases.open_own_file",
            subjects=[person_id],
            fields=["file"],
            database="default",
            now=now,
            object=("case", case.id),
        )
    return CaseFile(
        digest=digest, name=str(file.get("name", "")), media_type=str(file["media_type"]), size=int(file["size"])
    )


def _own_case(case_id: UUID, actor: Actor) -> models.Case:
    case = models.Case.objects.select_related("application").filter(id=case_id).first()
    if case is None or not is_own(case.application, actor):
        raise CaseNotFound
    return case


def find_application_of_draft(*, draft_id: UUID, actor: Actor) -> UUID | None:
    """Return the application that a draft of the actor's became, or None."""
    return models.Application.objects.filter(draft_id=draft_id).filter(_own(actor)).values_list("id", flat=True).first()


def list_consents_asked_of(*, actor: Actor, open_only: bool = False) -> tuple[ConsentView, ...]:
    """Return the consents asked of the actor in person, newest first."""
    if actor.person_id is None or not actor.is_resident or actor.principal is not None:
        return ()
    rows = models.Consent.objects.filter(requested_of_person_id=actor.person_id)
    if open_only:
        rows = rows.filter(state="requested")
    return tuple(consent_view(r) for r in rows.select_related("case__application").order_by("-requested_at"))


def get_consent(*, consent_id: UUID, actor: Actor, now: datetime) -> ConsentView:
    """Return a consent asked of the actor in person, with what they would agree to.

    What it shows of the applicant is recorded as read. Raises ConsentNotYours for everybody else.
    """
    row = models.Consent.objects.filter(id=consent_id).select_related("case__application").first()
    asked = row is not None and actor.is_resident and row.requested_of_person_id == actor.person_id
    if row is None or not asked or actor.person_id is None:
        raise ConsentNotYours
    application = row.case.application
    facts = _agreed_to(row)
    if facts and application.applicant_person_id is not None:
        record_read(
            actor=actor,
            basis=Basis(purpose="consent", case_id=row.case_id, item_code=row.case.item_code),
            what="cases.get_consent",
            subjects=[application.applicant_person_id],
            fields=["application"],
            database="default",
            now=now,
            object=("consent", row.id),
        )
    return replace(consent_view(row), facts=facts)


def _agreed_to(row: models.Consent) -> tuple[tuple[Mapping[str, str], Mapping[str, str]], ...]:
    """The lines that the pack shows to whoever is asked, over the answers as they are now; what is not known is left out."""
    wanted: Mapping[str, Any] = next((c for c in row.case.terms.get("consents", ()) if c["code"] == row.code), {})
    if not wanted.get("shows") or row.state not in {"requested", "given"}:
        return ()
    answers = _current(row.case.application, [row.case])
    context = nested({code: a.get("value") for code, a in answers.items()})
    lines = []
    for line in wanted["shows"]:
        value = compile_expression(line["value"]).evaluate(context)
        if value not in (None, ""):
            words = line["words"].get(str(value)) or {"zh": str(value), "en": str(value)}
            lines.append((line["label"], words))
    return tuple(lines)
