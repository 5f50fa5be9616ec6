"""CKAN's read API (action API, version 3), so that harvesters and clients work unchanged. It only reads, as a stranger."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from furong import __version__
from furong.domains.catalogue import published
from furong.domains.catalogue.errors import ResourceMissing
from furong.domains.catalogue.harvest import queries as harvest
from furong.domains.catalogue.licence import current_licence
from furong.domains.catalogue.published import Wanted
from furong.foundation.web.queries import get_site
from furong.foundation.web.texts import text
from furong.sites.opendata import ckan_query, words
from furong.sites.opendata.ckan_query import QueryRefusedError, class_item_of, group_name
from furong.sites.opendata.ckan_shape import UNSPECIFIED, Shaper

# The version whose answers these are shaped after.
CKAN_VERSION = "2.11.0"
MOST_ROWS = 1000
MAX_BODY = 64 * 1024
_FACETS = {
    "organization": "department",
    "groups": "class_item",
    "tags": "tag",
    "res_format": "format",
    "update_cycle": "cycle",
    "openness": "openness",
}
_READS_NOTHING = (
    "create",
    "update",
    "patch",
    "delete",
    "purge",
    "upsert",
    "revise",
    "invite",
    "follow",
    "unfollow",
    "put",
)
Asked = Mapping[str, Any]


class ActionError(Exception):
    """An answer that is no success: status and the members of ``error``."""

    def __init__(self, status: int, kind: str, **members: Any) -> None:
        self.status = status
        self.members = {"__type": kind, **members}
        super().__init__(kind)


def _missing() -> ActionError:
    return ActionError(404, "Not Found Error", message="Not found")


def _not_valid(**members: list[str]) -> ActionError:
    return ActionError(409, "Validation Error", **members)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])
def call(request: HttpRequest, action: str) -> HttpResponse:
    """Answer one action. A POST carries its parameters as JSON or as a form; nothing is ever written."""
    if request.method == "OPTIONS":
        return _open(HttpResponse(status=204))
    run = ACTIONS.get(action)
    if run is None:
        if action.rpartition("_")[2] in _READS_NOTHING:
            denied = {"message": "Access denied: this catalogue is read only", "__type": "Authorization Error"}
            return _told(request, action, 403, {"success": False, "error": denied})
        return _open(JsonResponse(f"Bad request - Action name not known: {action[:100]}", status=400, safe=False))
    try:
        asked = _asked(request)
    except ValueError as error:
        return _open(JsonResponse(f"Bad request - JSON Error: {error}", status=400, safe=False))
    root = request.build_absolute_uri("/").rstrip("/")
    shaper = Shaper(
        root=root,
        departments=words.department_names(),
        sources=harvest.source_titles(),
        licence=current_licence(on=timezone.localdate()),
    )
    try:
        result = run(asked, shaper)
    except ActionError as refused:
        return _told(request, action, refused.status, {"success": False, "error": refused.members})
    except QueryRefusedError as refused:
        members = {"__type": "Search Query Error", "message": f"Search Query is invalid: {refused}"}
        return _told(request, action, 400, {"success": False, "error": members})
    return _told(request, action, 200, {"success": True, "result": result})


def _told(request: HttpRequest, action: str, status: int, answer: dict[str, Any]) -> HttpResponse:
    help_ = request.build_absolute_uri(f"/api/3/action/help_show?name={action}")
    return _open(JsonResponse({"help": help_, **answer}, status=status, json_dumps_params={"ensure_ascii": False}))


def _open(answer: HttpResponse) -> HttpResponse:
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    answer["Access-Control-Allow-Headers"] = "Content-Type"
    answer["Cache-Control"] = "public, max-age=10" if answer.status_code == 200 else "no-store"
    return answer


def _asked(request: HttpRequest) -> Asked:
    """Give the parameters. Raises ``ValueError`` for a body that is no JSON object."""
    found: dict[str, Any] = dict(request.GET.items())
    if request.method != "POST":
        return found
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
        raise ValueError("the request is too large")
    if "json" in (request.content_type or "") or not request.POST:
        body = request.body.strip()
        given = json.loads(body) if body else {}
        if not isinstance(given, dict):
            raise ValueError("Request data JSON decoded to something that is no object")
        return {**found, **given}
    return {**found, **dict(request.POST.items())}


def _flag(asked: Asked, name: str, default: bool = False) -> bool:
    value = asked.get(name, default)
    return value if isinstance(value, bool) else str(value).strip().lower() in {"true", "1", "yes", "t", "y", "on"}


def _number(asked: Asked, name: str, default: int, most: int) -> int:
    value = asked.get(name)
    if value in (None, ""):
        return default
    try:
        number = int(str(value))
    except ValueError:
        raise _not_valid(**{name: ["Invalid integer"]}) from None
    if number < 0:
        raise _not_valid(**{name: ["Must be a natural number"]})
    return min(number, most)


def _words(asked: Asked, name: str) -> str:
    value = asked.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _not_valid(**{name: ["Must be a Unicode string value"]})
    return value


def _listed(asked: Asked, name: str) -> list[str]:
    value = asked.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else []
        except ValueError:
            value = [value]
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _not_valid(**{name: ["Must be a list of strings"]})
    return value[:50]


def _identifier(asked: Asked) -> str:
    found = asked.get("id") or asked.get("name_or_id")
    if not found:
        raise _not_valid(id=["Missing value"])
    return str(found)[:200]


# --- datasets -------------------------------------------------------------------------------------------------------------------


def package_search(asked: Asked, shaper: Shaper) -> dict[str, Any]:
    """Search datasets; count, page, facets."""
    query = ckan_query.parse([_words(asked, "q"), _words(asked, "fq"), *_listed(asked, "fq_list")])
    query.narrow_to_licences(shaper.licence_id, UNSPECIFIED)
    sort = _words(asked, "sort")
    fields = _listed(asked, "facet.field") if _flag(asked, "facet", True) else []
    for name in fields:
        if name not in _FACETS and name != "license_id":
            raise ActionError(409, "Search Error", message=f"Search error: 'undefined field: \"{name[:40]}\"'")
    limit = asked.get("facet.limit", 50)
    limit = int(str(limit)) if str(limit).lstrip("-").isdigit() else 50
    start, rows = _number(asked, "start", 0, published.MAX_START), _number(asked, "rows", 10, MOST_ROWS)
    wanted = Wanted(
        text=" ".join(query.words)[:200],
        only=tuple(query.only),
        without=tuple(query.without),
        changed_from=query.changed_from,
        changed_until=query.changed_until,
        sort=ckan_query.sort_of(sort),
        start=start,
        rows=rows,
        facets=tuple(dict.fromkeys("origin" if name == "license_id" else _FACETS[name] for name in fields)),
    )
    found = (
        published.PublishedFound(lines=(), total=0)
        if query.finds_nothing
        else published.search_published(wanted=wanted)
    )
    facets: dict[str, dict[str, int]] = {}
    searched: dict[str, Any] = {}
    for name in fields:
        if name == "license_id":
            others = sum(found.facets.get("origin", {}).values())
            counted = Counter({shaper.licence_id: found.total - others})
            counted[UNSPECIFIED] += others
            values = {code: count for code, count in counted.most_common() if count}
        else:
            values = dict(found.facets.get(_FACETS[name], {}))
        if name == "groups":
            values = {group_name(value): count for value, count in values.items()}
        if limit >= 0:
            values = dict(list(values.items())[:limit])
        facets[name] = values
        searched[name] = {
            "title": name,
            "items": [
                {"name": value, "display_name": _facet_words(name, value, shaper), "count": count}
                for value, count in values.items()
            ],
        }
    return {
        "count": found.total,
        "facets": facets,
        "results": [shaper.package(line) for line in found.lines],
        "sort": sort or "score desc, metadata_modified desc",
        "search_facets": searched,
    }


def _facet_words(name: str, value: str, shaper: Shaper) -> str:
    if name == "groups":
        return text(words.subject(class_item_of(value), shaper.departments))
    return words.value_words(_FACETS.get(name, name), value, shaper.departments, shaper.sources)


def _found(name: str) -> published.Published:
    try:
        return published.get_published(name=name)
    except ResourceMissing:
        raise _missing() from None


def package_show(asked: Asked, shaper: Shaper) -> dict[str, Any]:
    """Give one dataset by name."""
    return shaper.package(_found(_identifier(asked)))


def _all_names(start: int, rows: int) -> list[str]:
    names: list[str] = []
    while len(names) < rows:
        wanted = Wanted(sort="slug", start=start + len(names), rows=min(MOST_ROWS, rows - len(names)))
        lines = published.search_published(wanted=wanted).lines
        names += [line.name for line in lines]
        if len(lines) < wanted.rows:
            break
    return names


def package_list(asked: Asked, shaper: Shaper) -> list[str]:
    """List the names of datasets."""
    return _all_names(_number(asked, "offset", 0, published.MAX_START), _number(asked, "limit", 50_000, 50_000))


def current_package_list_with_resources(asked: Asked, shaper: Shaper) -> list[dict[str, Any]]:
    """List datasets, the last changed first."""
    start = _number(asked, "offset", 0, published.MAX_START)
    wanted = Wanted(sort="changed", start=start, rows=_number(asked, "limit", 100, MOST_ROWS))
    return [shaper.package(line) for line in published.search_published(wanted=wanted).lines]


def resource_show(asked: Asked, shaper: Shaper) -> dict[str, Any]:
    """Give one file of a dataset."""
    identifier = _identifier(asked)
    package = shaper.package(_found(identifier.rpartition(".")[0]))
    for one in package["resources"]:
        if one["id"] == identifier:
            return dict(one)
    raise _missing()


# --- organisations, groups, tags ------------------------------------------------------------------------------------------------


def _counted(facet: str) -> Mapping[str, int]:
    return published.search_published(wanted=Wanted(rows=0, facets=(facet,))).facets[facet]


def _list(asked: Asked, found: list[dict[str, Any]], which: str) -> list[Any]:
    if chosen := _listed(asked, which):
        found = [one for one in found if one["name"] in chosen]
    sort = _words(asked, "sort") or "title asc"
    name, _space, way = sort.partition(" ")
    key = {"package_count": "package_count", "packages": "package_count", "name": "name"}.get(name, "title")
    found.sort(key=lambda one: (one[key], one["name"]), reverse=way.strip().lower() == "desc")
    start, most = _number(asked, "offset", 0, 100_000), _number(asked, "limit", 1000, 1000)
    found = found[start : start + most]
    return found if _flag(asked, "all_fields") else [one["name"] for one in found]


def organization_list(asked: Asked, shaper: Shaper) -> list[Any]:
    """List the departments that have datasets, and the sources of what was harvested."""
    found = [shaper.organization(name, count) for name, count in _counted("department").items()]
    return _list(asked, found, "organizations")


def group_list(asked: Asked, shaper: Shaper) -> list[Any]:
    """List the subjects (类 and 项) that have datasets."""
    found = [shaper.group(name, count) for name, count in _counted("class_item").items()]
    return _list(asked, found, "groups")


def _with_packages(asked: Asked, shaper: Shaper, shown: dict[str, Any], facet: str, value: str) -> dict[str, Any]:
    if _flag(asked, "include_datasets"):
        wanted = Wanted(only=((facet, frozenset({value})),), rows=MOST_ROWS, sort="name")
        lines = published.search_published(wanted=wanted).lines
        shown = {**shown, "packages": [shaper.package(line) for line in lines]}
    return {**shown, "users": [], "tags": [], "groups": [], "extras": shown.get("extras", [])}


def organization_show(asked: Asked, shaper: Shaper) -> dict[str, Any]:
    """Give one organisation that has datasets."""
    name = _identifier(asked)
    counts = _counted("department")
    if name not in counts:
        raise _missing()
    return _with_packages(asked, shaper, shaper.organization(name, counts[name]), "department", name)


def group_show(asked: Asked, shaper: Shaper) -> dict[str, Any]:
    """Give one subject that has datasets."""
    item = class_item_of(_identifier(asked))
    counts = _counted("class_item")
    if item not in counts:
        raise _missing()
    return _with_packages(asked, shaper, shaper.group(item, counts[item]), "class_item", item)


def tag_list(asked: Asked, shaper: Shaper) -> list[Any]:
    """List the keywords of datasets."""
    names = sorted(name for name in _counted("tag") if _words(asked, "query").lower() in name.lower())
    if _flag(asked, "all_fields"):
        return [{"id": one, "name": one, "display_name": one, "vocabulary_id": None} for one in names]
    return names


def tag_show(asked: Asked, shaper: Shaper) -> dict[str, Any]:
    """Give one keyword that a dataset has."""
    name = _identifier(asked)
    if name not in _counted("tag"):
        raise _missing()
    return {"id": name, "name": name, "display_name": name, "vocabulary_id": None}


# --- the catalogue itself -------------------------------------------------------------------------------------------------------


def status_show(asked: Asked, shaper: Shaper) -> dict[str, Any]:
    """Say what this is."""
    site = get_site()
    return {
        "ckan_version": CKAN_VERSION,
        "site_url": shaper.root,
        "site_title": text(site.name),
        "site_description": text(site.tagline) if site.tagline else "",
        "locale_default": settings.LANGUAGE_CODE,
        "error_emails_to": None,
        "extensions": ["furong"],
        "furong_version": __version__,
    }


def site_read(asked: Asked, shaper: Shaper) -> bool:
    """Say that the catalogue may be read."""
    return True


def license_list(asked: Asked, shaper: Shaper) -> list[dict[str, Any]]:
    """List the licences: the one that the pack names for its own datasets, and that none is known."""
    unspecified = {
        "id": UNSPECIFIED,
        "title": "License not specified",
        "url": "",
        "status": "active",
        "is_okd_compliant": False,
        "is_osi_compliant": False,
        "od_conformance": "not reviewed",
        "osd_conformance": "not reviewed",
    }
    if shaper.licence is None:
        return [unspecified]
    own = {
        "id": shaper.licence.code,
        "title": text(shaper.licence.name),
        "url": shaper.licence.url,
        "is_okd_compliant": shaper.licence.conforms,
        "od_conformance": "approved" if shaper.licence.conforms else "not reviewed",
    }
    return [{**unspecified, **own}, unspecified]


def help_show(asked: Asked, shaper: Shaper) -> str:
    """Say what an action does."""
    found = ACTIONS.get(str(asked.get("name", "")))
    if found is None:
        raise _missing()
    return found.__doc__ or ""


ACTIONS: Mapping[str, Callable[[Asked, Shaper], Any]] = {
    one.__name__: one
    for one in (
        package_search,
        package_show,
        package_list,
        current_package_list_with_resources,
        resource_show,
        organization_list,
        organization_show,
        group_list,
        group_show,
        tag_list,
        tag_show,
        status_show,
        site_read,
        license_list,
        help_show,
    )
}
