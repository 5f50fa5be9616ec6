"""The search, for programs: open to everybody; what one may read goes by the session, if there is one."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router, Schema
from ninja import Query as Given

from furong.domains.search import queries
from furong.domains.search.errors import IndexMissingError, SearchAway
from furong.domains.search.values import MAX_FIRST, Hit, Kind, Query
from furong.foundation.access.values import Actor
from furong.foundation.web.texts import content_language

router = Router(auth=None)
_AWAY = {"responses": {503: {"description": "No index can be read just now; come again in a few minutes"}}}


class HitOut(Schema):
    """A document that was found. In ``snippet`` and ``marked_title``, what was looked for stands in pieces of their own."""

    key: str
    kind: Kind
    title: str
    address: str
    site: str
    department: str
    language: str
    published_on: date | None
    marked_title: list[PieceOut]
    snippet: list[PieceOut]


class PieceOut(Schema):
    """A stretch of plain text, to be escaped by whoever shows it."""

    text: str
    is_match: bool


class FacetOut(Schema):
    """A value of a facet, and how many of the documents found carry it."""

    value: str
    count: int


class ResultsOut(Schema):
    """A page of results. ``services`` are those that answer the question; ``hits`` everything else.

    ``is_estimate``: ``total`` and the counts of facets are rounded estimates.
    """

    total: int
    is_estimate: bool
    services: list[HitOut]
    hits: list[HitOut]
    facets: dict[str, list[FacetOut]]
    is_broad: bool
    shown_for: str
    meant: str


class SuggestionOut(Schema):
    """A phrase offered while somebody types."""

    text: str
    kind: str
    address: str


HitOut.model_rebuild()


class Narrowing(Schema):
    """What narrows a search. Dates are local; ``until`` is exclusive; ``exact`` asks for no help with spelling."""

    kind: list[Kind] = Field(default_factory=list)
    site: list[str] = Field(default_factory=list)
    department: list[str] = Field(default_factory=list)
    audience: list[str] = Field(default_factory=list)
    year: list[int] = Field(default_factory=list)
    since: date | None = None
    until: date | None = None
    place: str = ""
    exact: bool = False


@router.get(
    "",
    response=ResultsOut,
    summary="Search services, pages, data, documents, offices and questions",
    openapi_extra=_AWAY,
)
def search(request: HttpRequest, q: str, narrowing: Given[Narrowing], first: int = 0, size: int = 10) -> dict[str, Any]:
    """Find a page of results."""
    wanted = Query(
        text=q,
        today=timezone.localdate(),
        kinds=tuple(one.value for one in narrowing.kind),
        sites=tuple(narrowing.site[:20]),
        departments=tuple(narrowing.department[:20]),
        audiences=tuple(narrowing.audience[:20]),
        years=tuple(narrowing.year[:50]),
        since=narrowing.since,
        until=narrowing.until,
        places=(narrowing.place,) if narrowing.place else (),
        first=min(max(first, 0), MAX_FIRST),
        size=min(max(size, 1), 100),
        shown_in=content_language(),
    )
    try:
        found = queries.search(query=wanted, actor=_actor(request), as_typed=narrowing.exact, counted=False)
    except IndexMissingError as missing:
        raise SearchAway from missing
    return {
        "total": found.total,
        "is_estimate": found.page.is_estimate,
        "services": [_hit(one) for one in found.cards],
        "hits": [_hit(one) for one in found.page.hits],
        "facets": {
            name: [{"value": one.value, "count": one.count} for one in values]
            for name, values in found.page.facets.items()
        },
        "is_broad": found.page.is_broad,
        "shown_for": found.shown_for,
        "meant": found.meant,
    }


@router.get(
    "/suggestions",
    response=list[SuggestionOut],
    summary="Offer phrases that begin with what was typed",
    openapi_extra=_AWAY,
)
def suggestions(request: HttpRequest, q: str, size: int = 8) -> list[dict[str, Any]]:
    """Offer phrases."""
    try:
        found = queries.suggest(
            typed=q[:60],
            actor=_actor(request),
            on=timezone.localdate(),
            size=min(max(size, 1), 20),
            shown_in=content_language(),
        )
    except IndexMissingError as missing:
        raise SearchAway from missing
    return [{"text": one.text, "kind": one.kind, "address": one.address} for one in found]


def _actor(request: HttpRequest) -> Actor:
    return getattr(request, "actor", None) or Actor.anonymous()


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "key": hit.key,
        "kind": hit.kind,
        "title": hit.title,
        "address": hit.address,
        "site": hit.site,
        "department": hit.department,
        "language": hit.language,
        "published_on": hit.published_on,
        "marked_title": [{"text": one.text, "is_match": one.is_match} for one in hit.marked_title],
        "snippet": [{"text": one.text, "is_match": one.is_match} for one in hit.snippet],
    }
