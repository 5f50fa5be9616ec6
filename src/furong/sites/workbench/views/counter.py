"""Registering at the counter: who stands there, what can be registered for them, one act.

The same pages serve the provincial platform and a centre's own node; there, whoever another city keeps cannot be asked about.
The acts themselves are data, in `deeds_counter`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.registries.population import queries as population
from furong.registries.population.errors import EffectReusedError
from furong.registries.population.moves import queries as moves
from furong.registries.population.moves.values import MoveState
from furong.sites.workbench import facts
from furong.sites.workbench.deeds_counter import DEEDS, At, find_person, grouped, stays_of
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.enquiries import Enquiry, seal, unseal
from furong.sites.workbench.forms_counter import WhoForm
from furong.sites.workbench.guards import needs

RIGHT = "population.register"
KIND, RECEIPT = "counter", "counter_receipt"
# What the counter registers is its duty itself; each read and each act says so in the log.
BASIS = Basis(purpose="户口登记", legal_basis="户口登记条例")
_SHOWN = ("name", "sex", "ethnicity", "born_on", "number_masked", "status", "division_code", "address")
_NEEDED = (
    *_SHOWN,
    "born_place",
    "household_id",
    "household_number",
    "household_relation",
    "spouse_id",
    "missing_since",
)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def counter(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask for the card of whoever stands at the counter."""
    now = timezone.now()
    form = WhoForm(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        asking: dict[str, Any] = {"actor": actor, "basis": BASIS, "now": now}
        try:
            person_id = find_person(**form.cleaned_data, asking=asking)
            title = population.get_person(person_id=person_id, fields=("name_masked",), **asking).text("name_masked")
        except AccessRefused:
            refused = (
                _("This person is registered outside your area."),
                _("Ask the counter of that place; for a move here, take a request."),
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            return HttpResponseRedirect(reverse("workbench:counter_person", args=[_open(person_id, title, actor, now)]))
    waiting = moves.count_moves(actor=actor)
    response = page(
        request,
        actor,
        "counter/start",
        "counter",
        form=form,
        refused=refused,
        groups=grouped(DEEDS),
        arriving=waiting.get(MoveState.OUT, 0),
    )
    response.status_code = 422 if refused or form.errors else 200
    return response


def _open(person_id: UUID, title: str, actor: Actor, now: datetime, *, kind: str = KIND) -> str:
    basis = Basis(purpose=BASIS.purpose, legal_basis=BASIS.legal_basis, about=person_id)
    return seal(Enquiry(kind=kind, object_id=person_id, title=title, basis=basis), actor=actor, now=now)


def _at(enquiry: Enquiry, actor: Actor, now: datetime) -> At:
    asking: dict[str, Any] = {"actor": actor, "basis": enquiry.basis, "now": now}
    known = population.get_person(person_id=enquiry.object_id, fields=_NEEDED, **asking).values
    household = None
    if isinstance(known["household_id"], UUID):
        try:
            household = population.list_household(
                household_id=known["household_id"], fields=("name_masked", "born_on"), **asking
            )
        except AccessRefused:  # some of its members are registered outside the area
            household = None
    return At(
        person_id=enquiry.object_id, known=known, household=household, asking=asking, today=timezone.localdate(now)
    )


@require_safe
@needs(RIGHT)
def counter_person(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Show who stands at the counter, and what can be registered for them."""
    now = timezone.now()
    at = _at(unseal(token, kind=KIND, actor=actor, now=now), actor, now)
    at = replace(at, stays=stays_of(at))
    return page(
        request,
        actor,
        "counter/person",
        "counter",
        at=at,
        token=token,
        title=at.known["name"],
        status=facts.status_words(str(at.known["status"])),
        rows=facts.rows(at.known, [one for one in _SHOWN if one not in {"name", "status"}], facts.Places()),
        groups=grouped(code for code, deed in DEEDS.items() if deed.is_offered(at)),
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def counter_act(request: HttpRequest, actor: Actor, token: str, code: str) -> HttpResponse:
    """Take one act; what was typed stays when it is refused."""
    now = timezone.now()
    if code not in DEEDS:
        raise Http404
    deed, at = DEEDS[code], _at(unseal(token, kind=KIND, actor=actor, now=now), actor, now)
    form = deed.open_form(at, request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            person_id = deed.take(at, form)
        except Refusal as refusal:
            refused = words_of(refusal)
        except EffectReusedError:  # back from the page that follows, and something else was typed
            refused = (
                _("From this form something else was registered before."),
                _("See the record; if another act is wanted, open its form anew."),
            )
        else:
            if deed.receipt:
                receipt = _open(person_id, "", actor, now, kind=RECEIPT)
                return HttpResponseRedirect(reverse("workbench:counter_done", args=[receipt]))
            messages.success(request, str(deed.said))
            return HttpResponseRedirect(reverse("workbench:counter_person", args=[token]))
    response = page(
        request,
        actor,
        "counter/act",
        "counter",
        at=at,
        token=token,
        code=code,
        deed=deed,
        form=form,
        refused=refused,
        title=at.known["name"],
    )
    response.status_code = 422 if refused or form.errors else 200
    return response


@require_safe
@needs(RIGHT)
def counter_done(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Show what a birth gave: the number, for the book and the receipt."""
    now = timezone.now()
    enquiry = unseal(token, kind=RECEIPT, actor=actor, now=now)
    asking: dict[str, Any] = {"actor": actor, "basis": enquiry.basis, "now": now}
    fields = ("name", "sex", "born_on", "number", "household_number", "household_relation", "division_code", "address")
    found = population.get_person(person_id=enquiry.object_id, fields=fields, **asking).values
    return page(
        request,
        actor,
        "counter/done",
        "counter",
        name=found["name"],
        number=found["number"],
        rows=facts.rows(found, [one for one in fields if one not in {"name", "number"}], facts.Places()),
        token=_open(enquiry.object_id, str(found["name"])[:1] + "*", actor, now),
    )
