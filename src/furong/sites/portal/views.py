"""Pages of the portal that everyone may open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from furong.sites.portal import queries
from furong.sites.portal.values import AUDIENCES, Audience


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the home page: what happened to you, the river of life, and how well people were served."""
    wanted = request.GET.get("for", "")
    audience = Audience(wanted) if wanted in set(Audience) else Audience.PERSON
    content = queries.home_content(audience=audience, stage_code=request.GET.get("stage", ""), now=timezone.now())
    return render(request, "portal/home.jinja", {"home": content, "audiences": AUDIENCES}, using="furong")
