"""Enterprises: what the law publishes of each, and names: whether one is free, and keeping it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, Assurance, Basis
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import throttle
from furong.foundation.identity.errors import TooManyAttempts
from furong.foundation.identity.sign_in import address_of
from furong.foundation.web import problem
from furong.foundation.web.texts import text
from furong.registries.legal_entities import commands
from furong.registries.legal_entities import queries as entities
from furong.registries.legal_entities.errors import EntityNotFound, FactsIncomplete
from furong.registries.legal_entities.values import KINDS, STATES, EntityState, PublicEntity
from furong.sites.portal import queries
from furong.sites.portal.forms_entities import NameForm

KEEPING = Basis(purpose="企业名称自主申报", legal_basis="《企业名称登记管理规定》第十六条")
TONES = {EntityState.ACTIVE: "ok", EntityState.DORMANT: "wait", EntityState.REVOKED: "over"}


def _actor(request: HttpRequest) -> Actor:
    return getattr(request, "actor", None) or Actor.anonymous()


@require_safe
def firms(request: HttpRequest) -> HttpResponse:
    """Find an enterprise by its name or credit code; of nobody a name."""
    asked = request.GET.get("q", "").strip()[:100]
    found = entities.find_public(text=asked) if asked else ()
    if len(found) == 1 and found[0].credit_code == asked.upper():
        return HttpResponseRedirect(reverse("portal:firm", kwargs={"code": found[0].credit_code}))
    lines = [(one, KINDS[one.kind].name, STATES[one.state], TONES.get(one.state, "over")) for one in found]
    return render(request, "portal/firms.jinja", {"asked": asked, "lines": lines}, using="furong")


@require_safe
def firm(request: HttpRequest, code: str) -> HttpResponse:
    """Show what the law publishes of an enterprise (企业信息公示暂行条例, art. 6)."""
    try:
        throttle.count(now=timezone.now(), licence_check_address=address_of(request))
        found = entities.get_public(code=code, actor=_actor(request), now=timezone.now())
    except TooManyAttempts:
        return problem.answer(request, problem.TOO_MANY)
    except EntityNotFound as missing:
        raise Http404 from missing
    context = {
        "firm": found,
        "rows": _rows(found),
        "state": STATES[found.state],
        "tone": TONES.get(found.state, "over"),
        "changes": [
            (one.on, one.label, _shown(one.item, one.before), _shown(one.item, one.after)) for one in found.changes
        ],
    }
    return render(request, "portal/firm.jinja", context, using="furong")


@require_http_methods(["GET", "HEAD", "POST"])
def firm_name(request: HttpRequest) -> HttpResponse:
    """Check a name; somebody who is signed in keeps it for two months."""
    now, actor = timezone.now(), _actor(request)
    given = request.POST if request.method == "POST" else request.GET if "trade_name" in request.GET else None
    form = NameForm(
        given,
        divisions=queries.division_choices(),
        industries=entities.industries(now=now),
        initial={"area": "city", "division": request.GET.get("division", "")},
    )
    verdict = kept = None
    if form.is_bound and form.is_valid():
        try:
            verdict = entities.check_name(**form.parts(), now=now)
            if request.method == "POST" and verdict.is_free:
                kept = _keep(request, form, actor)
                if kept:
                    return HttpResponseRedirect(reverse("portal:firm_name"))
        except FactsIncomplete:
            form.add_error("area", _("The place has no such level."))
    mine: Any = ()
    if actor.is_resident and actor.person_id is not None and actor.assurance >= Assurance.VERIFIED:
        mine = entities.list_reservations(person_id=actor.person_id, actor=actor, basis=KEEPING, now=now)
    context = {
        "form": form,
        "asked": [(name, form.data.get(name, "")) for name in form.fields] if form.is_bound else [],
        "verdict": verdict,
        "mine": mine,
        "may_keep": actor.is_resident and actor.person_id is not None,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "portal/firm_name.jinja", context, using="furong", status=status)


def _keep(request: HttpRequest, form: NameForm, actor: Actor) -> bool:
    """Keep the name for whoever is signed in; a refusal stands at the form."""
    if actor.person_id is None:
        raise AccessRefused
    try:
        done = commands.reserve_name(
            **form.parts(),
            person_id=actor.person_id,
            accept_similar=request.POST.get("accept_similar") == "yes",
            actor=actor,
            basis=KEEPING,
            now=timezone.now(),
        )
    except AccessRefused:
        raise
    except Refusal as refusal:
        form.add_error("trade_name", _(refusal.text) % refusal.params)
        return False
    messages.success(request, _("%(name)s is kept for you.") % {"name": done.name})
    return True


def _rows(found: PublicEntity) -> list[dict[str, Any]]:
    """The facts as a page lists them; what an entity has not is left out."""
    rows: list[tuple[Any, Any]] = [
        (_("Unified social credit code"), found.credit_code),
        (_("Kind of enterprise"), text(KINDS[found.kind].name)),
        (text(found.head_label), found.head),
        (_("Registered capital"), _shown("capital_fen", found.capital_fen)),
        (_("Established"), found.established_on.isoformat()),
        (_("Ended on"), found.ended_on.isoformat() if found.ended_on else ""),
        (_("Registered office"), found.address),
        (_("Scope of business"), found.scope),
        (_("Term"), found.term_until.isoformat() if found.term_until else ""),
        (_("Registered by"), text(found.registrar)),
    ]
    return [{"term": term, "value": value} for term, value in rows if value]


def _shown(item: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if item == "capital_fen":
        return _("%(yuan)s yuan") % {"yuan": f"{int(value) // 100:,}"}
    if item == "state":
        return text(STATES[EntityState(value)])
    return str(value)
