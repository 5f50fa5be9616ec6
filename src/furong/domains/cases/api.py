"""Applications and cases for programs: what the pages do, by the same commands and with the same refusals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, cast
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Base64Bytes, Field

from furong.domains.cases import commands, queries
from furong.domains.cases.values import CaseState
from furong.domains.cases.values.procedures import SpecialProcedure
from furong.domains.services.values.forms import MEDIA_TYPES
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.storage import commands as storage

router = Router()
Text = dict[str, str]


class ApplicationLineOut(Schema):
    """A line of the list of one's applications."""

    id: UUID
    number: str
    title: Text
    state: str
    submitted_at: datetime
    due_on: date | None
    cases_total: int
    cases_ended: int
    action_needed: bool


class LaneOut(Schema):
    """One item on its way: state, clock, what can be done now."""

    case_id: UUID
    number: str
    item_code: str
    item_name: Text
    department: str
    organization_name: Text
    state: str
    version: int
    light: str
    used_days: int
    limit_days: int
    accepted_on: date | None
    due_on: date | None
    statutory_due_on: date | None
    decided_on: date | None
    ended_on: date | None
    in_time: bool | None
    waiting_for: list[Text]
    waiting_for_consent: bool
    end_reason: str
    reason: str
    remedies: list[Text]
    can_withdraw: bool
    can_rate: bool
    can_ask_review: bool


class TimelineOut(Schema):
    """What happened, in words."""

    at: datetime
    code: str
    text: Text
    case_id: UUID | None


class AnswerOut(Schema):
    """A fact with its source. ``withheld``: why its value is not given (a refusal's code); ``resource_code``: what to ask for."""

    element: str
    value: Any
    source: str
    source_label: Text
    legal_basis: str
    withheld: str = ""
    resource_code: str = ""


class ApplicationOut(Schema):
    """An application as its applicant sees it."""

    id: UUID
    number: str
    title: Text
    state: str
    submitted_at: datetime
    due_on: date | None
    remaining_days: int | None
    lanes: list[LaneOut]
    timeline: list[TimelineOut]
    answers: list[AnswerOut]


class SubmittedOut(Schema):
    """The application that a draft became."""

    application_id: UUID
    number: str
    repeated: bool


class CaseLineOut(Schema):
    """A case in a list for staff; nothing in it is personal."""

    case_id: UUID
    number: str
    item_code: str
    item_name: Text
    state: str
    light: str
    organization_id: UUID
    division_code: str
    submitted_at: datetime
    due_on: date | None
    statutory_due_on: date | None


class CasePageOut(Schema):
    """A page of cases; ``next_after`` asks for the following one and is empty on the last."""

    lines: list[CaseLineOut]
    next_after: str


class CaseOut(Schema):
    """A case as its department sees it: the answers that its item declares, and nothing of the others'."""

    lane: LaneOut
    application_number: str
    submitted_at: datetime
    legal_basis: str
    acceptance_due_on: date | None
    deemed_accepted: bool
    answers: list[AnswerOut]
    outputs: dict[str, Any]
    timeline: list[TimelineOut]
    acts: list[str]


class WantedIn(Schema):
    """One thing that is missing, and what would satisfy it."""

    element: str = ""
    what: Text
    how: Text = Field(default_factory=dict)


class FileIn(Schema):
    """A file, at most 10 MB, of a kind that the pages take: PDF, JPEG, PNG, HEIC, OFD or DOCX."""

    name: str = Field(default="", max_length=200)
    media_type: str = ""
    content: Base64Bytes


class SupplementLineOut(Schema):
    """A line of the notice with what was handed in; ``file`` names it by its digest."""

    element: str
    what: Text
    how: Text
    value: Any
    words: str
    file: dict[str, Any] | None


class SupplementOut(Schema):
    """What a department asked for once, and what came in."""

    reason: str
    requested_at: datetime
    due_on: date
    answered_at: datetime | None
    lapsed_at: datetime | None
    lines: list[SupplementLineOut]
    note: str


class SupplementIn(Schema):
    """The answer to a supplement notice. Keys are the elements that it names; what it asks for in words is answered under
    ``#1`` (words) or ``#1/file``, by the line's place counted from 1. ``note`` may stand for what is asked in words.
    """

    answers: dict[str, str | bool | int | float | list[str]] = Field(default_factory=dict)
    files: dict[str, FileIn] = Field(default_factory=dict, max_length=20)
    note: str = Field(default="", max_length=1000)


class ActIn(Schema):
    """An act on a case. ``version`` is the one seen; a case that moved on since refuses."""

    act: Literal[
        "accept", "refuse_acceptance", "request_supplement", "pause", "resume", "request_extension", "approve", "reject"
    ]
    version: int | None = None
    reason: str = ""
    legal_basis: str = ""
    opinion: str = ""
    procedure: SpecialProcedure | None = None
    until_on: date | None = None
    wanted: list[WantedIn] = Field(default_factory=list)


def _actor(request: HttpRequest) -> Actor:
    return cast(Actor, request.auth)  # type: ignore[attr-defined]  # ninja puts the session's actor there


@router.get("/applications", response=list[ApplicationLineOut], summary="List one's applications")
def applications(request: HttpRequest, before: datetime | None = None, limit: int = 50) -> Any:
    """List the applications that the actor made, or that were made for whom they act for, newest first."""
    return queries.list_applications(
        actor=_actor(request), now=timezone.now(), limit=max(1, min(limit, 200)), before=before
    )


@router.get("/applications/{application_id}", response=ApplicationOut, summary="Give one's application")
def application(request: HttpRequest, application_id: UUID) -> Any:
    """Give an application with its lanes, timeline and facts."""
    return queries.application_view(application_id=application_id, actor=_actor(request), now=timezone.now())


@router.post("/drafts/{draft_id}/submission", response=SubmittedOut, summary="Hand in a draft")
def submission(request: HttpRequest, draft_id: UUID) -> Any:
    """Hand in a draft. The draft is the idempotency key: sent again, the same application is the answer."""
    return commands.submit_application(draft_id=draft_id, actor=_actor(request), now=timezone.now())


@router.post("/applications/{application_id}/withdrawal", response=list[UUID], summary="Withdraw an application")
def withdrawal(request: HttpRequest, application_id: UUID, reason: str = "") -> Any:
    """Withdraw every item that is not decided, and give their keys."""
    return commands.withdraw_application(
        application_id=application_id, reason=reason, actor=_actor(request), now=timezone.now()
    )


@router.get("/{case_id}/supplement", response=SupplementOut, summary="Give what a department asked one for")
def supplement(request: HttpRequest, case_id: UUID) -> Any:
    """Give the one notice of what is missing in a case of one's own, with what was handed in."""
    found = queries.own_supplement(case_id=case_id, actor=_actor(request))
    notice = {name: getattr(found.notice, name) for name in SupplementOut.model_fields if name not in {"lines", "note"}}
    return {**notice, "lines": found.lines, "note": found.note}


@router.post("/{case_id}/supplement", response={204: None}, summary="Hand in what was missing")
def hand_in_supplement(request: HttpRequest, case_id: UUID, body: SupplementIn) -> Status[None]:
    """Answer everything that the notice names, at once; the days for acceptance begin anew. For the applicant."""
    actor, now = _actor(request), timezone.now()
    queries.own_supplement(case_id=case_id, actor=actor)  # nobody stores files for a case that is not theirs
    answers: dict[str, Any] = dict(body.answers)
    for key, file in body.files.items():
        stored = storage.put(file.content, file.media_type, accept=tuple(MEDIA_TYPES.values()), now=now)
        answers[key] = {
            "digest": stored.digest,
            "name": file.name[-80:],
            "media_type": stored.media_type,
            "size": stored.size,
        }
    commands.submit_supplement(case_id=case_id, answers=answers, note_text=body.note, actor=actor, now=now)
    return Status(204, None)


@router.get("", response=CasePageOut, summary="Search the cases within the actor's posts")
def cases(
    request: HttpRequest,
    right: Literal["cases.handle", "cases.decide", "cases.supervise"] = "cases.handle",
    text: str = "",
    state: CaseState | None = None,
    item: str = "",
    after: str = "",
    limit: int = 50,
) -> Any:
    """Search by number and item; never by what applicants wrote."""
    actor = _actor(request)
    access.require(actor=actor, right=right)
    return queries.search_cases(
        scope=access.scope(actor=actor, right=right),
        text=text,
        states=[state] if state is not None else [],
        item_code=item,
        after=after,
        limit=max(1, min(limit, 200)),
        actor=actor,
        now=timezone.now(),
    )


@router.get("/{case_id}", response=CaseOut, summary="Give a case of the actor's organisation")
def case(request: HttpRequest, case_id: UUID, purpose: str, legal_basis: str = "") -> Any:
    """Give a case with what its department may see. The purpose is recorded, and the person can read it."""
    found = queries.case_view(
        case_id=case_id,
        actor=_actor(request),
        basis=Basis(purpose=purpose, legal_basis=legal_basis, case_id=case_id),
        now=timezone.now(),
    )
    return {**{f: getattr(found, f) for f in CaseOut.model_fields if f != "acts"}, "acts": sorted(found.acts)}


@router.post("/{case_id}/acts", response={204: None}, summary="Act on a case")
def act(request: HttpRequest, case_id: UUID, body: ActIn) -> Status[None]:
    """Accept, refuse, ask for what is missing, pause, resume, ask for more time, approve or reject."""
    actor, now = _actor(request), timezone.now()
    common: dict[str, Any] = {"case_id": case_id, "actor": actor, "now": now}
    seen: dict[str, Any] = {**common, "expected_version": body.version}
    if body.act == "accept":
        commands.accept_case(**seen)
    elif body.act == "refuse_acceptance":
        commands.refuse_acceptance(**seen, reason=body.reason, legal_basis=body.legal_basis)
    elif body.act == "request_supplement":
        commands.request_supplement(**seen, wanted=[w.dict() for w in body.wanted], reason=body.reason)
    elif body.act == "pause":
        commands.pause_case(
            **seen,
            procedure=body.procedure or SpecialProcedure.HEARING,
            legal_basis=body.legal_basis if body.procedure else "",
            reason=body.reason,
            expected_until_on=body.until_on,
        )
    elif body.act == "resume":
        commands.resume_case(**seen, outcome=body.opinion)
    elif body.act == "request_extension":
        commands.request_extension(**common, reason=body.reason)
    elif body.act == "approve":
        commands.approve_case(**seen, opinion=body.opinion)
    else:
        commands.reject_case(**seen, reason=body.reason, legal_basis=body.legal_basis)
    return Status(204, None)
