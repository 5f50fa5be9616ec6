"""Pages of the portal that everyone may open."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from furong.sites.portal import queries
from furong.sites.portal.values import AUDIENCES, Audience

ABOUT = frozenset({"accessibility", "privacy", "open-source"})


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the home page: what happened to you, the river of life, and how well people were served."""
    wanted = request.GET.get("for", "")
    audience = Audience(wanted) if wanted in set(Audience) else Audience.PERSON
    content = queries.home_content(audience=audience, stage_code=request.GET.get("stage", ""), now=timezone.now())
    return render(request, "portal/home.jinja", {"home": content, "audiences": AUDIENCES}, using="furong")


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find life events and services by words, pinyin or initials among what is published."""
    words = request.GET.get("q", "").strip()[:100]
    found = queries.find_services(words=words, now=timezone.now())
    return render(request, "portal/search.jinja", {"words": words, "found": found}, using="furong")


@require_safe
def life_event(request: HttpRequest, code: str) -> HttpResponse:
    """Say what a life event needs: its services, departments, times, and what is asked."""
    raise Http404


@require_safe
def guide(request: HttpRequest, code: str) -> HttpResponse:
    """Show a service's guide with every field of its implementation list."""
    raise Http404


def start(request: HttpRequest, code: str) -> HttpResponse:
    """Open the resident's draft of a life event's form."""
    raise Http404


@require_safe
def about(request: HttpRequest, page: str) -> HttpResponse:
    """Show one of the pages about the platform itself."""
    if page not in ABOUT:
        raise Http404
    return render(request, f"portal/about/{page}.jinja", {}, using="furong")
