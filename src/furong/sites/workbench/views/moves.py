"""Moves across counties and cities: what waits at the counter, a request, and one move with its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.registries.population import queries as population
from furong.registries.population.kinship import HEAD
from furong.registries.population.moves import commands, queries
from furong.registries.population.moves.errors import MoveNotFound
from furong.registries.population.moves.values import MoveAct, MoveState, MoveView
from furong.sites.workbench import facts
from furong.sites.workbench import words_moves as words
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_moves import (
    HOUSEHOLD,
    ArrivalForm,
    DepartureForm,
    NothingForm,
    ReasonForm,
    RequestForm,
)
from furong.sites.workbench.guards import needs

RIGHT = "population.register"
# What the counter does with moves is its duty itself; each read and each step says so in the log.
BASIS = Basis(purpose="户口迁移", legal_basis="户口登记条例 第十条、第十三条")
TABS: Mapping[str, tuple[Promise, tuple[MoveState, ...]]] = {
    "open": (
        gettext_lazy("Under way"),
        (MoveState.APPLIED, MoveState.APPROVED, MoveState.ISSUED, MoveState.OUT),
    ),
    "arrived": (gettext_lazy("Arrived"), (MoveState.IN,)),
    "ended": (gettext_lazy("Ended without arrival"), (MoveState.REFUSED, MoveState.VOID, MoveState.EXPIRED)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One step as it is offered: its words, what it does, its command."""

    label: Promise
    effect: Promise
    run: Callable[..., object]
    kind: str = ""


DEEDS: Mapping[MoveAct, Deed] = {
    MoveAct.APPROVE: Deed(
        label=gettext_lazy("Approve the move"),
        effect=gettext_lazy("The permit to move can be issued then."),
        run=commands.approve_move,
    ),
    MoveAct.ISSUE: Deed(
        label=gettext_lazy("Issue the permit to move"),
        effect=gettext_lazy(
            "The permit (准迁证) counts for 40 days; the counter of the old residence sees it at once."
        ),
        run=commands.issue_move_permit,
    ),
    MoveAct.DEPART: Deed(
        label=gettext_lazy("Record the departure"),
        effect=gettext_lazy(
            "The certificate (迁移证) is issued. The person stands in the old register until the arrival is recorded."
        ),
        run=commands.record_departure,
    ),
    MoveAct.ARRIVE: Deed(
        label=gettext_lazy("Record the arrival"),
        effect=gettext_lazy("The person is registered here and, in the same moment, no more at the old residence."),
        run=commands.record_arrival,
    ),
    MoveAct.REFUSE: Deed(
        label=gettext_lazy("Refuse the move"),
        effect=gettext_lazy("The applicant reads the reason. The person stays where they are registered."),
        run=commands.refuse_move,
        kind="warn",
    ),
    MoveAct.VOID: Deed(
        label=gettext_lazy("Declare the move void"),
        effect=gettext_lazy("Papers that are out count no more. The person stays where they are registered."),
        run=commands.void_move,
        kind="warn",
    ),
}


@require_safe
@needs(RIGHT)
def moves(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the moves into and out of the actor's area, by how they stand."""
    now = timezone.now()
    tab = request.GET.get("show", "")
    tab = tab if tab in TABS else "open"
    counts = queries.count_moves(actor=actor)
    places = facts.Places()
    found = queries.list_moves(states=TABS[tab][1], actor=actor, basis=BASIS, now=now)
    here = reverse("workbench:moves")
    return page(
        request,
        actor,
        "registers/moves",
        "moves",
        rows=[
            {
                "view": one,
                "from": places.name(one.from_division),
                "to": places.name(one.to_division),
                "mine": bool(one.may),
            }
            for one in found
        ],
        tabs=[
            (
                f"{label} {sum(counts.get(one, 0) for one in states)}",
                here if code == "open" else f"{here}?show={code}",
                code == tab,
            )
            for code, (label, states) in TABS.items()
        ],
        tab=tab,
        words=words,
        today=timezone.localdate(now),
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def move_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take the request of somebody who wants to be registered here."""
    now = timezone.now()
    other = _together(request.GET.get("with", ""), actor, now)
    form = RequestForm(
        request.POST if request.method == "POST" else None, places=facts.townships(actor), together=other is not None
    )
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            move_id = _request(form.cleaned_data, other, actor, now)
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("The request is recorded."))
            return HttpResponseRedirect(reverse("workbench:move", kwargs={"move_id": move_id}))
    places = facts.Places()
    response = page(
        request,
        actor,
        "registers/move_new",
        "moves",
        form=form,
        refused=refused,
        other=other,
        to=places.name(other.to_division) if other else "",
    )
    response.status_code = 422 if refused or form.errors else 200
    return response


def _together(text_of_key: str, actor: Actor, now: Any) -> MoveView | None:
    """Give the move with which another of the family goes along."""
    if not text_of_key:
        return None
    try:
        return queries.get_move(move_id=UUID(text_of_key), actor=actor, basis=BASIS, now=now)
    except (ValueError, MoveNotFound) as missing:
        raise Http404 from missing


def _request(given: dict[str, Any], other: MoveView | None, actor: Actor, now: Any) -> UUID:
    asking = {"actor": actor, "basis": BASIS, "now": now}
    person_id = queries.find_mover(number=given["number"], name=given["name"], **asking)
    applicant = person_id
    if given["asks"] == "other":
        applicant = queries.find_mover(number=given["applicant_number"], name=given["applicant_name"], **asking)
    where: dict[str, Any]
    if other is not None:
        where = {"together_with_move_id": other.id, "division_code": other.to_division}
    elif given["place"] == HOUSEHOLD:
        household_id, division = queries.find_household(number=given["household_number"], actor=actor)
        where = {"household_id": household_id, "division_code": division}
    else:
        where = {"division_code": given["division_code"], "address": given["address"]}
    return commands.request_move(
        person_id=person_id,
        applicant_person_id=applicant,
        reason=given["reason"],
        words=given["words"],
        consent=given.get("consent", ""),
        guardian_evidence=given["guardian_evidence"],
        **where,
        **asking,
    ).move_id


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def move(request: HttpRequest, actor: Actor, move_id: UUID) -> HttpResponse:
    """Show a move with its papers and steps, and take one step."""
    now = timezone.now()
    view = queries.get_move(move_id=move_id, actor=actor, basis=BASIS, now=now)
    verb = request.POST.get("act", "")
    done = MoveAct(verb) if verb in set(MoveAct) else None
    offered = {act: deed for act, deed in DEEDS.items() if act in view.may}
    shown = {act: _form(act, view, request.POST if act is done else None, actor, now) for act in offered}
    refused = None
    if request.method == "POST":
        if done is None or done not in offered:
            refused = (_("This step is not open as the move stands now."), _("Reload the page."))
        elif shown[done].is_valid():
            given = {name: value for name, value in shown[done].cleaned_data.items() if value not in ("", None)}
            try:
                offered[done].run(move_id=move_id, actor=actor, basis=BASIS, now=now, **given)
            except Refusal as refusal:
                refused = words_of(refusal)
            else:
                messages.success(request, _("Recorded."))
                return HttpResponseRedirect(request.path)
    places = facts.Places()
    response = page(
        request,
        actor,
        "registers/move",
        "moves",
        view=view,
        words=words,
        places={"from": places.name(view.from_division), "to": places.name(view.to_division)},
        deeds=[(act.value, deed, shown[act]) for act, deed in offered.items()],
        done=shown[done] if done is not None and done in offered else None,
        refused=refused,
        today=timezone.localdate(now),
    )
    response.status_code = 422 if refused or any(form.errors for form in shown.values()) else 200
    return response


def _form(act: MoveAct, view: MoveView, data: Any, actor: Actor, now: Any) -> forms.Form:
    if act in {MoveAct.REFUSE, MoveAct.VOID}:
        return ReasonForm(data, prefix=act.value)
    if act is MoveAct.DEPART:
        return DepartureForm(data, prefix=act.value, members=_members(view, actor, now))
    if act is MoveAct.ARRIVE:
        return ArrivalForm(data, prefix=act.value, today=timezone.localdate(now))
    return NothingForm(data, prefix=act.value)


def _members(view: MoveView, actor: Actor, now: Any) -> list[tuple[str, str]]:
    """Give those who stay, when the head moves: one of them follows."""
    asking = {"actor": actor, "basis": BASIS, "now": now}
    try:
        own = population.get_person(person_id=view.person_id, fields=("household_id", "household_relation"), **asking)
        if own["household_relation"] != HEAD or own["household_id"] is None:
            return []
        book = population.list_household(
            household_id=UUID(str(own["household_id"])), fields=("name_masked", "born_on"), **asking
        )
    except AccessRefused:  # part of the household is registered elsewhere; the command says what is missing
        return []
    return [
        (
            str(one.person.person_id),
            f"{one.person.text('name_masked')} · {facts.word('household_relation', one.relation)}",
        )
        for one in book.members
        if one.person.person_id != view.person_id
    ]
