"""Pages of what is offered: the clusters, and an implementation list under its own address."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from furong.domains.services import bodies
from furong.sites.portal import queries
from furong.sites.portal.values import AUDIENCES, Audience
from furong.sites.portal.views.public import guide_page


def _audience(request: HttpRequest) -> Audience | None:
    wanted = request.GET.get("for", "")
    return Audience(wanted) if wanted in set(Audience) else None


@require_safe
def clusters(request: HttpRequest) -> HttpResponse:
    """Show every cluster for one of the three audiences."""
    audience = _audience(request) or Audience.PERSON
    on = timezone.localdate()
    context = {
        "audience": audience,
        "audiences": AUDIENCES,
        "clusters": queries.cluster_cards(audience=audience, on=on),
        "items": queries.count_items(on=on),
        "lists": bodies.count_implementations(on=on),
    }
    return render(request, "portal/clusters.jinja", context, using="furong")


@require_safe
def cluster(request: HttpRequest, code: str) -> HttpResponse:
    """Show a cluster's services by department: the second of at most three clicks."""
    page = queries.cluster_page(code=code, audience=_audience(request), now=timezone.now())
    if page is None:
        raise Http404
    return render(request, "portal/cluster.jinja", {"page": page, "audiences": AUDIENCES}, using="furong")


@require_safe
def implementation(request: HttpRequest, number: str) -> HttpResponse:
    """Show an implementation list under its code of 31 characters (GB/T 39554.1)."""
    found = bodies.find_by_number(number=number, on=timezone.localdate())
    if found is None:
        raise Http404
    return guide_page(request, found=found.found, body=found.body, number=found.number, division_code="")
