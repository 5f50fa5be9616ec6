"""The pages: searching, a dataset, its rows as files and as JSON, and how programs read all of it."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from furong.domains.catalogue import data, published, quality
from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.errors import ResourceMissing
from furong.domains.catalogue.harvest import queries as harvest
from furong.domains.catalogue.licence import current_licence
from furong.sites.opendata import charting, presenting, words
from furong.sites.opendata.asking import Asked
from furong.sites.opendata.exporting import FORMATS, plain

MOST_ROWS = 1000
_KEEP = "public, max-age=60"


def page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Give a page of this site."""
    return render(request, f"opendata/{template}.jinja", context, using="furong")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Search what the government holds and what of it is open."""
    asked = Asked.of(request.GET)
    found = published.search_published(wanted=asked.wanted())
    departments, sources = words.department_names(), harvest.source_titles()
    return page(
        request,
        "search",
        asked=asked,
        found=found,
        lines=[presenting.line_view(line, departments, sources) for line in found.lines],
        facets=presenting.facet_views(found, asked, departments, sources),
        pages=presenting.pages_of(found, asked),
        cycles=words.CYCLES,
        openness=words.OPENNESS,
    )


@require_safe
def dataset(request: HttpRequest, name: str) -> HttpResponse:
    """Show a dataset: what it is, its items, its first rows, a chart, and how to get all of it."""
    line = published.get_published(name=name)
    departments, sources = words.department_names(), harvest.source_titles()
    context: dict[str, Any] = {
        "line": line,
        "shown": presenting.line_view(line, departments, sources),
        "cycles": words.CYCLES,
        "openness": words.OPENNESS,
        "types": words.ITEM_TYPES,
        "classes": words.CLASSES,
    }
    if line.origin:
        return page(request, "harvested", source=sources.get(line.origin, {}), **context)
    view = catalogue.get_resource(actor=data.STRANGER, code=name)
    table = data.find_table(code=name)
    now = timezone.now()
    if table is not None:
        quality.note_passed(table=table, now=now)
    chart = None
    if table is not None:
        chart = charting.chart_of(table, group=request.GET.get("by", ""), measure=request.GET.get("of", ""))
    return page(
        request,
        "dataset",
        view=view,
        subject=words.subject(view.line.class_item, departments),
        table=table,
        quality=next(iter(quality.list_quality(code=name, until=timezone.localdate(now))), None),
        preview=presenting.preview_of(table) if table is not None else None,
        licence=current_licence(on=timezone.localdate(now)),
        chart=chart,
        groups=list(charting.groups_of(table)) if table is not None else [],
        measures=charting.measures_of(table) if table is not None else (),
        formats=FORMATS,
        related=[
            presenting.line_view(published.get_published(name=one.code), departments, sources) for one in view.related
        ],
        **context,
    )


def _table(code: str) -> data.Table:
    try:
        table = data.find_table(code=code)
    except ResourceMissing as missing:
        raise Http404 from missing
    if table is None:
        raise Http404
    quality.note_passed(table=table, now=timezone.now())
    return table


@require_safe
def download(request: HttpRequest, file: str) -> HttpResponse:
    """Give all rows of an open dataset as a file: ``CODE.csv``, ``.json``, ``.xlsx``, ``.parquet``."""
    code, _dot, suffix = file.rpartition(".")
    chosen = FORMATS.get(suffix)
    if chosen is None or not code:
        raise Http404
    table = _table(code)
    tag = f'"{hashlib.sha256(repr((suffix, table)).encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return _open(HttpResponseNotModified(), tag)
    answer = HttpResponse(b"" if request.method == "HEAD" else chosen.write(table), content_type=chosen.media_type)
    answer["Content-Disposition"] = f'attachment; filename="{code}.{suffix}"'
    return _open(answer, tag)


def _open(answer: HttpResponse, tag: str = "") -> HttpResponse:
    """Let caches keep an answer for a minute and pages elsewhere read it: it is the same for everybody."""
    answer["Cache-Control"] = _KEEP
    answer["Access-Control-Allow-Origin"] = "*"
    if tag:
        answer["ETag"] = tag
    return answer


@require_safe
def rows(request: HttpRequest, code: str) -> HttpResponse:
    """Give rows of an open dataset as JSON: ``limit`` (at most 1000), ``offset``, and ``ITEM=VALUE`` to narrow them."""
    table = _table(code)
    codes = [column.code for column in table.columns]
    numbers = {}
    for name, default in (("limit", 100), ("offset", 0)):
        given = request.GET.get(name, str(default))
        if not (given.isascii() and given.isdigit() and len(given) < 10):
            return _open(JsonResponse({"error": f"{name} is no whole number."}, status=400))
        numbers[name] = int(given)
    narrowed = {name: str(value) for name, value in request.GET.items() if name not in numbers}
    if unknown := sorted(set(narrowed) - set(codes)):
        return _open(
            JsonResponse({"error": "There is no such item.", "items": codes, "unknown": unknown[:10]}, status=400)
        )
    found = [row for row in table.rows if all(_same(row[codes.index(name)], value) for name, value in narrowed.items())]
    licence = current_licence(on=timezone.localdate())
    first = numbers["offset"]
    chosen = found[first : first + min(numbers["limit"], MOST_ROWS)]
    return _open(
        JsonResponse(
            {
                "dataset": code,
                "total": len(found),
                "offset": first,
                "as_of": plain(table.as_of),
                "source": dict(table.source),
                "licence": licence.url if licence is not None else "",
                "items": [{"code": one.code, "name": dict(one.name), "type": one.type.value} for one in table.columns],
                "rows": [dict(zip(codes, map(plain, row), strict=True)) for row in chosen],
            },
            json_dumps_params={"ensure_ascii": False},
        )
    )


def _same(value: Any, text: str) -> bool:
    if value is None:
        return text == ""
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    return str(plain(value)) == text


@require_safe
def interface(request: HttpRequest) -> HttpResponse:
    """Say how programs read the catalogue and its rows, with examples that work."""
    found = published.search_published(wanted=published.Wanted(only=(("has_data", frozenset({"true"})),), rows=1))
    example = next((line.name for line in found.lines if not line.origin), "")
    root = request.build_absolute_uri("/").rstrip("/")
    licence = current_licence(on=timezone.localdate())
    return page(request, "interface", root=root, example=example, licence=licence, home=reverse("opendata:home"))
