"""Requests for data and grants, for programs: what the pages do, by the same commands, rights and refusals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, cast
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from furong.domains.catalogue.errors import RequestRefused
from furong.domains.catalogue.grants import granting, reading, requesting
from furong.domains.catalogue.grants.values import MOST_DAYS, MOST_QUOTA, GrantView, RequestView, Terms
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor

router = Router()
Text = dict[str, str]
_ITEMS = 500


class TermsBody(Schema):
    """What is asked for or granted. ``divisions`` and ``services`` empty: all; ``daily_quota`` null: not counted.

    ``days`` from the second signature; ``by_subject``: one person at a time, in a case; ``with_lower``: also for the
    department's organisations below; ``delegable``: may be passed on, narrower.
    """

    items: list[str] = Field(max_length=_ITEMS)
    days: int = Field(ge=1, le=MOST_DAYS)
    divisions: list[str] = Field(default_factory=list, max_length=_ITEMS)
    by_subject: bool = False
    services: list[str] = Field(default_factory=list, max_length=_ITEMS)
    methods: list[str] = Field(default_factory=lambda: ["interface"], max_length=20)
    daily_quota: int | None = Field(default=None, ge=1, le=MOST_QUOTA)
    with_lower: bool = False
    delegable: bool = False

    def terms(self) -> Terms:
        """Give them as the room takes them."""
        return Terms.of_json(self.dict())


class ChangeOut(Schema):
    """What became of the resource since it was asked for: `kind`, and the item, empty when it is all of it."""

    kind: str
    item: str


class RequestLineOut(Schema):
    """A request in a list."""

    id: UUID
    number: str
    resource_code: str
    resource_name: Text
    organization_id: UUID
    provider_organization_id: UUID
    scenario: str
    state: str
    sharing: str
    submitted_at: datetime
    reply_due_on: date | None
    supply_due_on: date | None
    grant_id: UUID | None


class RequestOut(RequestLineOut):
    """A request as both sides and the data authority read it; ``may``: what the reader can do with it now."""

    resource_version: int
    legal_basis: str
    terms: TermsBody
    agreed: TermsBody | None
    reason: str
    question: str
    answer: str
    by: str
    replied_at: datetime | None
    supplied_at: datetime | None
    changes: list[ChangeOut]
    may: list[str]


class RequestPageOut(Schema):
    """A page of requests, twenty each."""

    rows: list[RequestLineOut]
    total: int
    number: int
    pages: int


class RequestIn(Schema):
    """A request, in the name of one's organisation."""

    resource_code: str = Field(max_length=64)
    scenario: str = Field(max_length=requesting.MAX_TEXT)
    legal_basis: str = Field(max_length=requesting.MAX_TEXT)
    terms: TermsBody


class MadeOut(Schema):
    """The key of what was made."""

    id: UUID


class RequestActIn(Schema):
    """An act on a request. ``terms`` narrow a consent or adapt a request; ``words``: reason, question or answer."""

    act: Literal["consent", "ask", "refuse", "supplement", "supply", "withdraw"]
    words: str = Field(default="", max_length=requesting.MAX_TEXT)
    terms: TermsBody | None = None


class EntryOut(Schema):
    """One act in the life of a grant; ``is_good``: its signature was checked now and is good for the grant as it stands."""

    act: str
    organization_id: UUID | None
    by: str
    reason: str
    at: datetime
    key_id: str
    signature: str
    is_good: bool


class GrantLineOut(Schema):
    """A grant in a list. ``is_in_force`` holds when it and all that it was passed on from are active."""

    id: UUID
    number: str
    request_id: UUID
    parent_id: UUID | None
    resource_code: str
    resource_name: Text
    organization_id: UUID
    provider_organization_id: UUID
    terms: TermsBody
    scenario: str
    legal_basis: str
    sharing: str
    state: str
    is_in_force: bool
    valid_from: date | None
    valid_until: date | None


class GrantOut(GrantLineOut):
    """A grant with its acts, its use by day in thirty days, and what was passed on from it."""

    idle_days: int
    last_used_at: datetime | None
    entries: list[EntryOut]
    children: list[GrantLineOut]
    uses: dict[str, int]
    may: list[str]


class GrantActIn(Schema):
    """An act on a grant. ``organization_id`` and ``terms``: to whom and how much is passed on; ``words``: why."""

    act: Literal["sign", "delegate", "suspend", "resume", "revoke"]
    words: str = Field(default="", max_length=requesting.MAX_TEXT)
    organization_id: UUID | None = None
    terms: TermsBody | None = None


def _officer(request: HttpRequest) -> Actor:
    """The session's actor, who compiles or reviews something. Raises ``AccessRefused`` for everybody else."""
    actor = cast(Actor, request.auth)  # type: ignore[attr-defined]  # ninja puts the session's actor there
    if not access.allows(actor=actor, right=EDIT):
        access.require(actor=actor, right=REVIEW)
    return actor


@router.get("/requests", response=RequestPageOut, summary="List requests for data")
def requests(request: HttpRequest, box: Literal["mine", "waiting", "all"] = "all", page: int = 1) -> Any:
    """List the requests of one's organisation, those that wait for oneself (the most urgent first), or all one may see."""
    found = reading.list_requests(actor=_officer(request), box=box, page=page)
    return {
        "rows": [_line(one) for one in found.rows],
        "total": found.total,
        "number": found.number,
        "pages": found.pages,
    }


@router.post("/requests", response={201: MadeOut}, summary="Ask for data")
def submit(request: HttpRequest, body: RequestIn) -> Status[Any]:
    """Ask the provider of a resource for what the terms say, in the name of one's organisation."""
    made = requesting.submit_request(
        resource_code=body.resource_code,
        terms=body.terms.terms(),
        scenario=body.scenario,
        legal_basis=body.legal_basis,
        actor=_officer(request),
        now=timezone.now(),
    )
    return Status(201, {"id": made})


@router.get("/requests/{request_id}", response=RequestOut, summary="Give a request for data")
def one_request(request: HttpRequest, request_id: UUID) -> Any:
    """Give a request with what changed in its resource since; missing for those who have nothing to do with it."""
    return _request(reading.get_request(request_id=request_id, actor=_officer(request)))


@router.post("/requests/{request_id}/acts", response=RequestOut, summary="Act on a request for data")
def act_on_request(request: HttpRequest, request_id: UUID, body: RequestActIn) -> Any:
    """Consent (narrower, if terms are given), ask once for additions, refuse, answer, confirm the supply, or withdraw."""
    actor, now = _officer(request), timezone.now()
    common: dict[str, Any] = {"request_id": request_id, "actor": actor, "now": now}
    terms = body.terms.terms() if body.terms is not None else None
    if body.act == "consent":
        requesting.consent_request(**common, terms=terms)
    elif body.act == "ask":
        requesting.ask_supplement(**common, question=body.words)
    elif body.act == "refuse":
        requesting.refuse_request(**common, reason=body.words)
    elif body.act == "supplement":
        requesting.supplement_request(**common, answer=body.words, terms=terms)
    elif body.act == "supply":
        requesting.confirm_supply(**common)
    else:
        requesting.withdraw_request(**common)
    return _request(reading.get_request(request_id=request_id, actor=actor))


@router.get("/grants", response=list[GrantLineOut], summary="List grants")
def grants(request: HttpRequest, resource: str = "", limit: int = 100, page: int = 1) -> Any:
    """List the newest grants that one's organisation holds or gave, or that one supervises; of one resource when given."""
    found = reading.list_grants(actor=_officer(request), resource_code=resource, limit=limit, page=page)
    return [_grant_line(one) for one in found]


@router.get("/grants/{grant_id}", response=GrantOut, summary="Give a grant")
def one_grant(request: HttpRequest, grant_id: UUID) -> Any:
    """Give a grant with its acts, signatures checked; missing for those who have nothing to do with it."""
    return _grant(reading.get_grant(grant_id=grant_id, actor=_officer(request), now=timezone.now()))


@router.post("/grants/{grant_id}/acts", response=GrantOut, summary="Act on a grant")
def act_on_grant(request: HttpRequest, grant_id: UUID, body: GrantActIn) -> Any:
    """Sign it, pass it on, suspend, resume or revoke it. What takes away answers once nobody reads by it any more.

    After passing on, the grant that was made is the answer.
    """
    actor, now = _officer(request), timezone.now()
    common: dict[str, Any] = {"grant_id": grant_id, "actor": actor, "now": now}
    shown = grant_id
    if body.act == "sign":
        granting.sign_grant(**common)
    elif body.act == "delegate":
        if body.organization_id is None or body.terms is None:
            raise RequestRefused("Say to which organisation it is passed on, and on what terms.")
        shown = granting.delegate_grant(**common, organization_id=body.organization_id, terms=body.terms.terms())
    elif body.act == "suspend":
        granting.suspend_grant(**common, reason=body.words)
    elif body.act == "resume":
        granting.resume_grant(**common)
    else:
        granting.revoke_grant(**common, reason=body.words)
    return _grant(reading.get_grant(grant_id=shown, actor=actor, now=now))


# --- how ----------------------------------------------------------------------------------------------------------------


def _line(one: RequestView) -> dict[str, Any]:
    return {name: getattr(one, name) for name in RequestLineOut.model_fields}


def _request(one: RequestView) -> dict[str, Any]:
    found = {name: getattr(one, name) for name in RequestOut.model_fields if name not in {"terms", "agreed", "may"}}
    return {
        **found,
        "terms": one.terms.as_json(),
        "agreed": one.agreed.as_json() if one.agreed is not None else None,
        "may": sorted(one.may),
    }


def _grant_line(one: GrantView) -> dict[str, Any]:
    found = {name: getattr(one, name) for name in GrantLineOut.model_fields if name != "terms"}
    return {**found, "terms": one.terms.as_json()}


def _grant(one: GrantView) -> dict[str, Any]:
    return {
        **_grant_line(one),
        "idle_days": one.idle_days,
        "last_used_at": one.last_used_at,
        "entries": list(one.entries),
        "children": [_grant_line(child) for child in one.children],
        "uses": {day.isoformat(): count for day, count in sorted(one.uses.items())},
        "may": sorted(one.may),
    }
