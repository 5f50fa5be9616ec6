"""Pages of the portal that everyone may open."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.services import bodies
from furong.domains.services import queries as services
from furong.domains.services.errors import ItemMissing
from furong.domains.services.values.implementations import ImplementationList
from furong.domains.services.values.items import ITEM_TYPES, LEVELS, POWER_SOURCES
from furong.foundation.access.values import Actor
from furong.foundation.identity import throttle
from furong.foundation.identity.errors import TooManyAttempts
from furong.foundation.identity.sign_in import address_of
from furong.foundation.organizations.values import Organization
from furong.foundation.web import problem
from furong.foundation.web.uploads import oversized_fields
from furong.registries.licences import queries as licences
from furong.registries.licences.errors import FileNotReadable
from furong.sites.portal import presenting_guide, queries
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
def life_event(request: HttpRequest, code: str) -> HttpResponse:
    """Say what a life event needs: its services, departments, times, and what is asked."""
    page = queries.life_event_page(code=code, now=timezone.now())
    if page is None:
        raise Http404
    return render(request, "portal/life_event.jinja", {"page": page, "code": code}, using="furong")


@require_safe
def guide(request: HttpRequest, code: str) -> HttpResponse:
    """Show a service's guide with every field of its implementation list, as the organisation of a division does it."""
    division_code = request.GET.get("division", "")[:12]
    on = timezone.localdate()
    try:
        found = services.get_item(code=code, division_code=division_code, on=on)
    except ItemMissing as missing:
        raise Http404 from missing
    body, number = None, ""
    if division_code:
        body = bodies.find_body(item=found.item, division_code=division_code)
    if body is not None:
        done = bodies.get_implementation(code=code, organization=body, on=on)
        found, number = done.found, done.number
    return guide_page(request, found=found, body=body, number=number, division_code=division_code)


def guide_page(
    request: HttpRequest, *, found: ImplementationList, body: Organization | None, number: str, division_code: str
) -> HttpResponse:
    """Write the guide of an item, as a body does it when one is given."""
    context = {
        "item": found.item,
        "found": found,
        "body": body,
        "number": number,
        "division_code": division_code,
        "divisions": queries.division_groups(),
        "types": ITEM_TYPES,
        "powers": POWER_SOURCES,
        "levels": LEVELS,
        "words": presenting_guide.WORDS,
        "departments": queries.department_names(),
        "can_start": queries.can_start(found.item),
        "clusters": queries.clusters_of(item=found.item, on=timezone.localdate()),
    }
    return render(request, "portal/guide.jinja", context, using="furong")


@require_safe
def about(request: HttpRequest, page: str) -> HttpResponse:
    """Show one of the pages about the platform itself."""
    if page not in ABOUT:
        raise Http404
    return render(request, f"portal/about/{page}.jinja", {}, using="furong")


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, token: str = "") -> HttpResponse:
    """Check a licence by the token of its QR code, by what was typed, or by its file: always the same verdict."""
    now, verdict, unreadable = timezone.now(), None, False
    token = (token or request.GET.get("token", "")).strip()[:64]
    actor = getattr(request, "actor", None) or Actor.anonymous()
    if token or request.method == "POST":
        try:
            throttle.count(now=now, licence_check_address=address_of(request))
        except TooManyAttempts:
            return problem.answer(request, problem.TOO_MANY)
    if request.method == "POST":
        upload = request.FILES.get("file")
        if upload is None or "file" in oversized_fields(request):
            unreadable = True
        else:
            try:
                verdict = licences.verify_pdf(data=upload.read(), actor=actor, now=now)
            except FileNotReadable:
                unreadable = True
    elif token:
        verdict = licences.verify(token=token, actor=actor, now=now)
    context = {"verdict": verdict, "unreadable": unreadable, "token": token}
    status = 422 if unreadable else 200
    return render(request, "portal/verify.jinja", context, using="furong", status=status)
