"""A person's own identity cards and portrait, and reporting a card lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.foundation.web.problem import of_refusal
from furong.registries.identity_cards import commands, queries
from furong.registries.portraits import links
from furong.registries.portraits import queries as portraits
from furong.registries.portraits.values import PortraitRecord, Size
from furong.sites.portal import words_cards
from furong.sites.portal.views.space import own, space_page

OWN = Basis(purpose="own_cards")


@require_http_methods(["GET", "HEAD", "POST"])
@own
def cards(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the person's cards, each step of them, and their portrait; take the report of a loss."""
    now = timezone.now()
    refused = None
    if request.method == "POST":
        try:
            commands.report_loss(card_id=_key(request.POST.get("card", "")), actor=actor, basis=OWN, now=now)
        except Refusal as refusal:
            problem = of_refusal(refusal)
            refused = (problem.told(problem.detail or problem.title), problem.told(problem.mend))
        else:
            return HttpResponseRedirect(request.path)
    asking: dict[str, Any] = {"actor": actor, "basis": OWN, "now": now}
    person_id = None if actor.principal is not None else actor.person_id
    found = queries.list_of_person(person_id=person_id, **asking) if person_id is not None else ()
    held = portraits.find_portrait(person_id=person_id, **asking) if person_id is not None else None
    response = space_page(
        request,
        "cards",
        "cards",
        found=found,
        picture=None if held is None else _linked(held, **asking),
        refused=refused,
        states=words_cards.STATES,
        steps=words_cards.STEPS,
        kinds=words_cards.KINDS,
    )
    response.status_code = 422 if refused else 200
    return response


def _linked(held: PortraitRecord, **asking: Any) -> tuple[PortraitRecord, str]:
    token = links.seal(portrait_id=held.portrait_id, size=Size.FULL, **asking)
    return held, reverse("portal:portrait", args=[token])


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


@require_safe
@own
def portrait(request: HttpRequest, token: str, actor: Actor) -> HttpResponse:
    """Send the person's own portrait."""
    now = timezone.now()
    link = links.unseal(token, actor=actor, now=now)
    data = portraits.open_portrait(portrait_id=link.portrait_id, size=link.size, actor=actor, basis=link.basis, now=now)
    response = HttpResponse(data, content_type="image/jpeg")
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
