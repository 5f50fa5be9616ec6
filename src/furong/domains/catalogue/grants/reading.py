"""Reads of requests and grants, each for those who have to do with it: the asking side, the provider, the data authority."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from furong.domains.catalogue import models
from furong.domains.catalogue.errors import RequestMissing
from furong.domains.catalogue.grants import signing
from furong.domains.catalogue.grants.compiling import is_in_force
from furong.domains.catalogue.grants.requesting import changes_of, is_authority, is_provider, is_requester
from furong.domains.catalogue.grants.values import (
    Entry,
    GrantAct,
    GrantState,
    GrantView,
    RequestState,
    RequestView,
    Terms,
)
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.foundation.access import queries as access
from furong.foundation.access import using
from furong.foundation.access.values import Actor, Scope
from furong.foundation.calendar import queries as calendar

_UNDECIDED = [RequestState.SUBMITTED.value, RequestState.TO_SUPPLEMENT.value, RequestState.WITH_AUTHORITY.value]
PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """A page of requests, with how many there are."""

    rows: tuple[RequestView, ...]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


def get_request(*, request_id: UUID, actor: Actor) -> RequestView:
    """Return a request with what changed in its resource since. Raises `RequestMissing` for strangers."""
    row = models.Request.objects.filter(id=request_id).first()
    if row is None:
        raise RequestMissing
    return _request(row, actor, _names([row.resource_code]), _grants_of([row]), with_changes=True)


def list_requests(*, actor: Actor, box: str, page: int = 1) -> Requests:
    """Return a page of requests: those of the actor's organisation (``mine``), those that wait for the actor
    (``waiting``, the most urgent first), or all that the actor may see (``all``).
    """
    where = {"mine": _mine, "waiting": _waiting, "all": _all}[box](actor)
    rows = models.Request.objects.filter(where)
    order = ("reply_due_on", "submitted_at") if box == "waiting" else ("-submitted_at",)
    number = max(1, min(page, 1000))
    shown = list(rows.order_by(*order, "id")[(number - 1) * PAGE : number * PAGE])
    names, grants = _names([one.resource_code for one in shown]), _grants_of(shown)
    return Requests(rows=tuple(_request(one, actor, names, grants) for one in shown), total=rows.count(), number=number)


def count_waiting(*, actor: Actor) -> int:
    """Count the requests that wait for the actor."""
    return models.Request.objects.filter(_waiting(actor)).count()


def find_for_resource(*, resource_code: str, actor: Actor) -> tuple[RequestView | None, GrantView | None]:
    """Return what the actor's organisation has going for a resource: its open request and its last grant."""
    if actor.organization_id is None:
        return None, None
    mine = models.Request.objects.filter(organization_id=actor.organization_id, resource_code=resource_code)
    request = (
        mine.filter(state__in=[one.value for one in RequestState if one.is_open]).order_by("-submitted_at").first()
    )
    held = models.Grant.objects.filter(organization_id=actor.organization_id, resource_code=resource_code)
    grant = held.exclude(state__in=["revoked", "expired"]).order_by("-offered_at").first()
    names = _names([resource_code])
    return (
        _request(request, actor, names, _grants_of([request])) if request and is_requester(request, actor) else None,
        _grant(grant, actor, names) if grant and is_requester(grant, actor) else None,
    )


def get_grant(*, grant_id: UUID, actor: Actor, now: datetime) -> GrantView:
    """Return a grant with its acts, signatures checked, its use in thirty days, and what was passed on.

    Raises `RequestMissing` for those who have nothing to do with it.
    """
    row = models.Grant.objects.select_related("request").filter(id=grant_id).first()
    if row is None:
        raise RequestMissing
    return _grant(row, actor, _names([row.resource_code]), whole=True, now=now)


def list_grants(*, actor: Actor, resource_code: str = "", limit: int = 100, page: int = 1) -> tuple[GrantView, ...]:
    """Return the newest grants that the actor's organisation holds or gave, or whom it supervises.

    ``limit`` is at most 500; ``page`` counts from 1. Empty behind the last.
    """
    rows = models.Grant.objects.select_related("request").filter(_all(actor))
    if resource_code:
        rows = rows.filter(resource_code=resource_code)
    size, number = max(1, min(limit, 500)), max(1, min(page, 1000))
    shown = list(rows.order_by("-offered_at", "id")[(number - 1) * size : number * size])
    names = _names([one.resource_code for one in shown])
    return tuple(_grant(one, actor, names) for one in shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantWords:
    """What a grant is called and for what it was given, for logs and configurations."""

    number: str
    scenario: str
    legal_basis: str


def describe_grants(*, ids: Iterable[UUID]) -> dict[UUID, GrantWords]:
    """Return number, scenario and legal basis of grants, for the platform itself. One read."""
    rows = models.Grant.objects.filter(id__in=set(ids)).values_list(
        "id", "number", "request__scenario", "request__legal_basis"
    )
    return {key: GrantWords(number=n, scenario=s, legal_basis=b) for key, n, s, b in rows}


# --- who sees what ------------------------------------------------------------------------------------------------------


def _within(scope: Scope, prefix: str) -> Q:
    """The condition for rows whose ``{prefix}organization_id`` and ``{prefix}division_code`` a scope covers."""
    if scope.everything:
        return Q(pk__isnull=False)  # not Q(): an empty one is lost where conditions are or-ed
    found = Q(pk__in=[])
    if scope.organization_ids:
        found |= Q(**{f"{prefix}organization_id__in": scope.organization_ids})
    for division in scope.division_prefixes:
        found |= Q(**{f"{prefix}division_code__startswith": division})
    for organization_id, division in scope.narrowed:
        found |= Q(**{f"{prefix}organization_id": organization_id, f"{prefix}division_code__startswith": division})
    return found


def _mine(actor: Actor) -> Q:
    return _within(access.scope(actor=actor, right=EDIT), "")


def _waiting(actor: Actor) -> Q:
    edits, reviews = access.scope(actor=actor, right=EDIT), access.scope(actor=actor, right=REVIEW)
    return (
        (Q(state=RequestState.SUBMITTED.value) & _within(edits, "provider_"))
        | (Q(state=RequestState.WITH_AUTHORITY.value) & _within(reviews, "provider_"))
        | (Q(state=RequestState.CONSENTED.value) & (_within(edits, "provider_") | _within(edits, "")))
        | (Q(state=RequestState.TO_SUPPLEMENT.value) & _within(edits, ""))
    )


def _all(actor: Actor) -> Q:
    edits, reviews = access.scope(actor=actor, right=EDIT), access.scope(actor=actor, right=REVIEW)
    return _within(edits, "") | _within(edits, "provider_") | _within(reviews, "provider_")


# --- making values ------------------------------------------------------------------------------------------------------


def _names(codes: Iterable[str]) -> dict[str, tuple[Mapping[str, str], str]]:
    rows = models.Resource.objects.filter(code__in=set(codes)).values_list("code", "name_zh", "name_en", "digest")
    return {code: ({"zh": zh, "en": en}, digest) for code, zh, en, digest in rows}


def _grants_of(requests: Iterable[models.Request]) -> dict[UUID, UUID]:
    rows = models.Grant.objects.filter(request__in=list(requests), parent=None).values_list("request_id", "id")
    return dict(rows)


def _request(
    row: models.Request,
    actor: Actor,
    names: Mapping[str, Any],
    grants: Mapping[UUID, UUID],
    *,
    with_changes: bool = False,
) -> RequestView:
    requester, provider, authority = is_requester(row, actor), is_provider(row, actor), is_authority(row, actor)
    if not (requester or provider or authority):
        raise RequestMissing
    state = RequestState(row.state)
    may: set[str] = set()
    if state is RequestState.SUBMITTED and provider:
        may |= {"consent", "refuse"} | (set() if row.question else {"ask"})
    if state is RequestState.WITH_AUTHORITY and authority:
        may |= {"consent", "refuse"}
    if state is RequestState.TO_SUPPLEMENT and requester:
        may.add("supplement")
    if row.state in _UNDECIDED and requester:
        may.add("withdraw")
    if state is RequestState.CONSENTED and provider and _is_signed(row):
        may.add("supply")
    return RequestView(
        id=row.id,
        number=row.number,
        resource_code=row.resource_code,
        resource_name=names[row.resource_code][0] if row.resource_code in names else {"zh": row.resource_code},
        resource_version=row.resource_version,
        organization_id=row.organization_id,
        provider_organization_id=row.provider_organization_id,
        scenario=row.scenario,
        legal_basis=row.legal_basis,
        sharing=row.sharing,
        terms=Terms.of_json(row.terms),
        agreed=Terms.of_json(row.agreed) if row.agreed else None,
        state=state,
        reason=row.reason,
        question=row.question,
        answer=row.answer,
        by=row.by,
        submitted_at=row.submitted_at,
        reply_due_on=row.reply_due_on,
        replied_at=row.replied_at,
        supply_due_on=row.supply_due_on,
        supplied_at=row.supplied_at,
        grant_id=grants.get(row.id),
        process_instance_id=row.process_instance_id,
        is_requester=requester,
        is_provider=provider,
        is_authority=authority,
        may=frozenset(may),
        changes=changes_of(row) if with_changes and state.is_open else (),
    )


def _is_signed(row: models.Request) -> bool:
    return models.Grant.objects.filter(request=row, parent=None, valid_from__isnull=False).exists()


def _grant(
    row: models.Grant, actor: Actor, names: Mapping[str, Any], *, whole: bool = False, now: datetime | None = None
) -> GrantView:
    grantee, provider, authority = is_requester(row, actor), is_provider(row, actor), is_authority(row, actor)
    if not (grantee or provider or authority):
        raise RequestMissing
    state, terms = GrantState(row.state), Terms.of_json(row.terms)
    entries = (
        [_entry(row, one) for one in models.GrantEntry.objects.filter(grant=row).order_by("at", "id")] if whole else []
    )
    done = {one.act for one in entries}
    may: set[str] = set()
    unsigned = {GrantAct.SIGN_GRANTEE: grantee, GrantAct.SIGN_PROVIDER: provider}
    if state is GrantState.OFFERED and whole and any(mine for act, mine in unsigned.items() if act not in done):
        may.add("sign")
    if state is GrantState.ACTIVE:
        may |= {"suspend"} if provider or authority else set()
        may |= {"delegate"} if grantee and terms.delegable and is_in_force(row) else set()
    if state is GrantState.SUSPENDED and (provider or authority):
        may.add("resume")
    if not state.is_over:
        may.add("revoke")
    children: tuple[GrantView, ...] = ()
    if whole:
        below = models.Grant.objects.select_related("request").filter(parent=row).order_by("offered_at", "id")[:200]
        children = tuple(
            _grant(one, actor, names) for one in below if is_provider(one, actor) or is_requester(one, actor)
        )
    return GrantView(
        id=row.id,
        number=row.number,
        request_id=row.request_id,
        parent_id=row.parent_id,
        resource_code=row.resource_code,
        resource_name=names[row.resource_code][0] if row.resource_code in names else {"zh": row.resource_code},
        organization_id=row.organization_id,
        provider_organization_id=row.provider_organization_id,
        terms=terms,
        scenario=row.request.scenario,
        legal_basis=row.request.legal_basis,
        sharing=row.sharing,
        state=state,
        is_in_force=is_in_force(row),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        idle_days=row.idle_days,
        last_used_at=using.last_used(grant_ids=[row.id]).get(row.id) if whole else None,
        entries=tuple(entries),
        children=children,
        uses=using.uses_by_day(grant_id=row.id, until=calendar.current().local_date(now)) if whole and now else {},
        is_grantee=grantee,
        is_provider=provider,
        may=frozenset(may),
    )


def _entry(grant: models.Grant, row: models.GrantEntry) -> Entry:
    return Entry(
        act=GrantAct(row.act),
        organization_id=row.organization_id,
        by=row.by,
        reason=row.reason,
        at=row.at,
        key_id=row.key_id,
        signature=row.signature,
        is_good=signing.is_good(grant, row),
    )
