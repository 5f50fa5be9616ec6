"""Feeds for other catalogues: DCAT-AP 3 as JSON-LD and Turtle, a hundred datasets a page."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from furong.domains.catalogue import published
from furong.domains.catalogue.licence import current_licence
from furong.domains.catalogue.published import Wanted
from furong.foundation.web.queries import get_site
from furong.sites.opendata import words

PAGE_SIZE = 100
FORMATS = {"jsonld": ("json-ld", "application/ld+json"), "ttl": ("turtle", "text/turtle; charset=utf-8")}


@require_safe
def catalog(request: HttpRequest, suffix: str) -> HttpResponse:
    """Give one page of the platform's own datasets as DCAT-AP; ``?page=`` counts from 1."""
    from furong.sites.opendata.dcat import graph_of  # rdflib takes its time to load, and most pages need none of it

    if suffix not in FORMATS:
        raise Http404
    given = request.GET.get("page", "1")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0
    wanted = Wanted(
        only=(("origin", frozenset({""})),), sort="slug", start=(max(1, number) - 1) * PAGE_SIZE, rows=PAGE_SIZE
    )
    found = published.search_published(wanted=wanted)
    if number < 1 or (number > 1 and not found.lines):
        raise Http404
    root = request.build_absolute_uri("/").rstrip("/")
    graph = graph_of(
        root=root,
        suffix=suffix,
        title=get_site().name.as_dict(),
        found=found,
        departments=words.department_names(),
        licence=current_licence(on=timezone.localdate()),
        number=number,
        size=PAGE_SIZE,
    )
    kind, media_type = FORMATS[suffix]
    options: dict[str, Any] = {"auto_compact": True, "indent": None, "sort_keys": False} if kind == "json-ld" else {}
    answer = HttpResponse(graph.serialize(format=kind, **options), content_type=media_type)
    if number * PAGE_SIZE < found.total:
        answer["Link"] = f'<{root}/catalog.{suffix}?page={number + 1}>; rel="next"'
    answer["Cache-Control"] = "public, max-age=60"
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
