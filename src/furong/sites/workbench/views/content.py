"""Content: what is published. Items with their lists, forms, rules and diagrams."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.values import DataElement, SourceKind
from furong.domains.decisions import queries as decisions
from furong.domains.decisions.errors import DecisionRefused
from furong.domains.processes.values import parse_bpmn
from furong.domains.services import bodies
from furong.domains.services import queries as services
from furong.domains.services.errors import FormMissing, ItemCodeRefused, ItemMissing
from furong.domains.services.values.forms import Form
from furong.domains.services.values.items import ITEM_TYPES, LEVELS, POWER_SOURCES, implementation_code
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Level, Organization
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import Release
from furong.sites.workbench import words
from furong.sites.workbench.desk import page
from furong.sites.workbench.guards import needs

ITEM_RIGHTS = ("definitions.publish", "cases.supervise")


# --- items --------------------------------------------------------------------------------------------------------------


@require_safe
@needs(*ITEM_RIGHTS)
def items(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the published items with their department, clocks and version."""
    on = timezone.localdate()
    department = request.GET.get("department", "")[:40]
    names = {one.code: one.name for one in organizations.list_departments()}
    releases = {one.code: one for one in packs.list_current_releases(kind="item", on=on)}
    found = services.list_items(on=on)
    events: dict[str, list[Any]] = {}
    for event in services.list_life_events(on=on):
        for code in event.item_codes():
            events.setdefault(code, []).append(event.name)
    rows = [
        {"item": one, "release": releases[one.code], "events": events.get(one.code, [])}
        for one in found
        if department in {"", one.department}
    ]
    return page(
        request,
        actor,
        "content/items",
        "items",
        rows=rows,
        department=department,
        departments=[(code, names.get(code, code)) for code in sorted({one.department for one in found})],
        names=names,
        words=words.WORDS,
    )


@require_safe
@needs(*ITEM_RIGHTS)
def item(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Show an item: its implementation list, form with sources, diagram, rules and versions."""
    on = timezone.localdate()
    division_code = request.GET.get("division", "")[:12]
    try:
        found = services.get_item(code=code, division_code=division_code, on=on)
        closure = services.get_closure(code=code, on=on)
    except ItemMissing as missing:
        raise Http404 from missing
    body = bodies.find_body(item=found.item, division_code=division_code) if division_code else None
    if body is not None:
        found = bodies.get_implementation(code=code, organization=body, on=on).found
    form = _form(closure.form)
    return page(
        request,
        actor,
        "content/item",
        "items",
        item=found.item,
        found=found,
        body=body,
        number=_number(found.item.basic_code, body),
        division_code=division_code,
        divisions=[
            (city, organizations.list_divisions(parent_code=city.code))
            for city in organizations.list_divisions(level=Level.CITY)
        ],
        departments={one.code: one.name for one in organizations.list_departments()},
        types=ITEM_TYPES,
        powers=POWER_SOURCES,
        levels=LEVELS,
        words=words.WORDS,
        form=form,
        fields=_fields(form, on) if form else [],
        sources=words.SOURCES,
        sensitivity=words.SENSITIVITY,
        field_types=words.TYPES,
        elements=_elements((*found.item.inputs, *found.item.outputs), on),
        has_process=bool(closure.process),
        steps=_steps(closure.process),
        tables=_tables(closure.decision),
        policies=words.POLICIES,
        versions=_versions(code),
        closure=closure,
        on=on,
    )


@require_safe
@needs(*ITEM_RIGHTS)
def item_diagram(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Give the drawing of an item's process."""
    try:
        closure = services.get_closure(code=code, on=timezone.localdate())
    except ItemMissing as missing:
        raise Http404 from missing
    if not closure.process:
        raise Http404
    xml = packs.get_definition(digest=closure.process).content.decode()
    return JsonResponse({"xml": xml, "states": {}})


def _number(basic_code: str, body: Organization | None) -> str:
    if body is None or not body.code:
        return ""
    try:
        return implementation_code(organization_code=body.code, level=str(int(body.level)), basic_code=basic_code)
    except ItemCodeRefused:
        return ""


def _form(digest: str) -> Form | None:
    try:
        return services.get_form(digest=digest) if digest else None
    except FormMissing:
        return None


def _fields(form: Form, on: date) -> list[dict[str, Any]]:
    dictionary = catalogue.get_dictionary(on=on)
    rows = []
    for part in form.pages:
        for one in part.fields():
            element = dictionary.get(str(one.element))
            rows.append({"page": part.title, "field": one, "element": element, "source": _source(element)})
    return rows


def _source(element: DataElement | None) -> tuple[str, str]:
    """Give the kind of an element's source and its name."""
    if element is None:
        return "", ""
    name = element.source.name if element.source.kind is not SourceKind.DECLARED else ""
    return element.source.kind.value, ".".join(part for part in (name, element.source.field) if part)


def _elements(codes: Iterable[object], on: date) -> dict[str, DataElement]:
    dictionary = catalogue.get_dictionary(on=on)
    return {str(code): dictionary[str(code)] for code in codes if str(code) in dictionary}


def _steps(digest: str) -> list[tuple[str, str, Any]]:
    """Give the tasks of a process in the order of its file, for readers without script."""
    if not digest:
        return []
    graph = parse_bpmn(packs.get_definition(digest=digest).content, file="process.bpmn", check=False)
    return [
        (node.name or node.id, "", words.STEPS[node.tag]) for node in graph.nodes.values() if node.tag in words.STEPS
    ]


def _tables(digest: str) -> tuple[decisions.DecisionText, ...]:
    if not digest:
        return ()
    try:
        return decisions.describe_dmn(packs.get_definition(digest=digest).content, file="rules.dmn")
    except DecisionRefused:
        return ()


def _versions(code: str) -> list[tuple[str, Release]]:
    found = [
        (kind, release)
        for kind in ("item", "form", "process", "decision")
        for release in packs.list_releases(kind=kind, code=code, limit=20)
    ]
    return sorted(found, key=lambda one: (one[1].published_at, one[1].version), reverse=True)
