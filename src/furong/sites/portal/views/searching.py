"""The search: one box over everything the public may read."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from furong.domains.search import counting, queries
from furong.domains.search.errors import IndexMissingError, NothingAsked, ResultGone
from furong.domains.services import queries as services
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.errors import OrganizationNotFound
from furong.foundation.web import problem
from furong.foundation.web.texts import content_language
from furong.sites.portal import presenting_search
from furong.sites.portal import queries as portal
from furong.sites.portal.asking_search import PAGE_SIZE, asked

PLACE_COOKIE = "furong_place"
_YEAR_SECONDS = 365 * 24 * 3600


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show what was found for a question, the right service on top. Always a page: also for what cannot be looked for."""
    question = asked(request.GET, raw=request.META.get("QUERY_STRING", ""))
    on = timezone.localdate()
    place = _place(request)
    context = {
        "asked": question,
        "words": question.words[:200],
        "found": None,
        "state": "",
        "place": place,
        "divisions": portal.division_groups(),
        "page_size": PAGE_SIZE,
    }
    status = 200
    if question.words:
        query = question.query(today=on, places=_places(place), shown_in=content_language())
        try:
            found = queries.search(query=query, actor=_actor(request), as_typed=question.as_typed)
        except NothingAsked:
            context["state"] = "nothing"
        except IndexMissingError:
            context["state"], status = "away", 503
        else:
            pages = min(-(-found.page.total // PAGE_SIZE), 100)
            context |= {
                "found": found,
                "lines": presenting_search.lines(found, question, host=request.get_host()),
                "cards": presenting_search.cards(found, place=place, on=on) if question.page == 1 else [],
                "tabs": presenting_search.tabs(found, question),
                "facets": presenting_search.facets(found, question),
                "previous": question.at_page(question.page - 1) if question.page > 1 else "",
                "next": question.at_page(question.page + 1) if question.page < pages else "",
                "pages": pages,
            }
    return render(request, "portal/search.jinja", context, using="furong", status=status)


@require_safe
def opened(request: HttpRequest, key: str) -> HttpResponse:
    """Count that a result was opened, and lead there. What is gone or hidden by now is *not found*, alike."""
    on = timezone.localdate()
    try:
        address = queries.address_to_open(key=key, actor=_actor(request), on=on)
    except (ResultGone, IndexMissingError) as gone:
        raise Http404 from gone
    place = request.GET.get("n", "")
    number = int(place) if place.isascii() and place.isdigit() and len(place) < 5 else 0
    if number and request.method == "GET":
        counting.count_opened(token=request.GET.get("of", ""), place=number, today=on)
    division = request.GET.get("division", "")
    if division.isascii() and division.isalnum() and len(division) <= 12 and address.startswith("/guide/"):
        path, hash_, rest = address.partition("#")
        address = f"{path}?division={division}{hash_}{rest}"
    if urlsplit(address).scheme not in {"", "http", "https"}:
        raise Http404
    return HttpResponseRedirect(address)


@require_safe
def suggest(request: HttpRequest) -> JsonResponse:
    """Offer phrases that begin with what was typed. An empty list when nothing fits or no index can be read."""
    typed = request.GET.get("q", "")[:60]
    try:
        found = queries.suggest(
            typed=typed, actor=_actor(request), on=timezone.localdate(), shown_in=content_language()
        )
    except IndexMissingError:
        found = ()
    kinds = presenting_search.KINDS
    answer = JsonResponse(
        {"suggestions": [{"text": one.text, "kind": str(kinds[one.kind]) if one.kind else ""} for one in found]}
    )
    answer["Cache-Control"] = "private, max-age=30"
    return answer


@require_safe
def place(request: HttpRequest) -> HttpResponse:
    """Remember the reader's place in a cookie, so that services name the right office; an empty one forgets it."""
    code = request.GET.get("place", "")[:12]
    if code and organizations.find_division(code=code) is None:
        raise Http404
    wanted = request.GET.get("next", "")
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    response = HttpResponseRedirect(wanted if safe else "/")
    if code:
        response.set_cookie(
            PLACE_COOKIE,
            code,
            max_age=_YEAR_SECONDS,
            samesite="Lax",
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )
    else:
        response.delete_cookie(PLACE_COOKIE)
    return response


@require_safe
def office(request: HttpRequest, organization_id: UUID) -> HttpResponse:
    """Show an office: where it is, how to reach it, and which services its department does."""
    try:
        found = organizations.get_organization(organization_id=organization_id)
    except OrganizationNotFound as missing:
        raise Http404 from missing
    if not found.is_open:
        return problem.answer(request, problem.NOT_FOUND)
    context = {
        "office": found,
        "path": organizations.path_of_division(code=found.division_code),
        "department": portal.department_names().get(found.department, ""),
        "services": services.list_items(on=timezone.localdate(), department=found.department),
    }
    return render(request, "portal/office.jinja", context, using="furong")


def _actor(request: HttpRequest) -> Actor:
    return getattr(request, "actor", None) or Actor.anonymous()


def _place(request: HttpRequest) -> str:
    code = request.COOKIES.get(PLACE_COOKIE, "")[:12]
    if not code or not code.isalnum() or organizations.find_division(code=code) is None:
        return ""
    return code


def _places(code: str) -> tuple[str, ...]:
    """The reader's place and those around it, the nearest first."""
    if not code:
        return ()
    return tuple(one.code for one in reversed(organizations.path_of_division(code=code)))
