"""Needs and demands: stating a need, what the catalogue has for it, demands by rank, one of them and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.needs import answering, reading, ruling, stating
from furong.domains.catalogue.needs.values import DemandAct, DemandView, NeedView, ShareKind
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.foundation.organizations import queries as organizations
from furong.foundation.web.texts import text
from furong.sites.workbench import words_catalogue, words_needs
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_needs import (
    AppealForm,
    AssignForm,
    CloseForm,
    FileDemandForm,
    NeedForm,
    NothingForm,
    PromiseForm,
    RefuseForm,
    SupplyForm,
)
from furong.sites.workbench.guards import needs

EDIT, REVIEW = "catalogue.edit", "catalogue.review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that can be done: its words, what it does, its form and its command."""

    label: Promise
    effect: Promise
    form: Callable[..., forms.Form]
    run: Callable[..., object]
    kind: str = ""


def _appeal(*, demand_id: UUID, **given: Any) -> object:
    return ruling.ask_ruling(kind=ShareKind.DEMAND, subject_id=demand_id, **given)


DEEDS: Mapping[DemandAct, Deed] = {
    DemandAct.SUPPLY: Deed(
        label=gettext_lazy("Supply it by a resource"),
        effect=gettext_lazy("Whoever asked is told, and requests the resource from you."),
        form=SupplyForm,
        run=answering.supply_demand,
    ),
    DemandAct.PROMISE: Deed(
        label=gettext_lazy("Promise it by a day"),
        effect=gettext_lazy("Once that day has passed it comes before the data authority by itself."),
        form=PromiseForm,
        run=answering.promise_supply,
        kind="quiet",
    ),
    DemandAct.REFUSE: Deed(
        label=gettext_lazy("Refuse it"),
        effect=gettext_lazy("Whoever asked reads clause and reason, and may ask the data authority for a ruling."),
        form=RefuseForm,
        run=answering.refuse_demand,
        kind="quiet",
    ),
    DemandAct.ASSIGN: Deed(
        label=gettext_lazy("Name who answers"),
        effect=gettext_lazy("Its ten working days begin today."),
        form=AssignForm,
        run=answering.assign_demand,
    ),
    DemandAct.ASK_RULING: Deed(
        label=gettext_lazy("Ask for a ruling"),
        effect=gettext_lazy("The data authority decides between you and the owner within ten working days."),
        form=AppealForm,
        run=_appeal,
    ),
    DemandAct.WITHDRAW: Deed(
        label=gettext_lazy("Withdraw the demand"),
        effect=gettext_lazy("The owner need not answer it any more."),
        form=NothingForm,
        run=answering.withdraw_demand,
        kind="quiet",
    ),
}


@require_safe
@needs(EDIT, REVIEW)
def needs_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the needs of the reader's organisation, or demands by rank: those on it, or all of them for the data authority."""
    now = timezone.now()
    boxes = [
        *(
            (("mine", 0), ("owner", reading.count_to_answer(actor=actor)))
            if access.allows(actor=actor, right=EDIT)
            else ()
        ),
        *((("authority", 0),) if access.allows(actor=actor, right=REVIEW) else ()),
    ]
    known = [code for code, _count in boxes]
    box = request.GET.get("box", "")
    if box not in known:
        box = "authority" if "authority" in known else known[0]
    stated = reading.list_needs(actor=actor) if box == "mine" else ()
    ranked = reading.list_demands(actor=actor, box=box, now=now)
    return page(
        request,
        actor,
        "needs/all",
        "needs",
        box=box,
        boxes=[(code, words_needs.BOXES[code], count) for code, count in boxes],
        to_rule=reading.count_to_rule(actor=actor),
        may_state=access.allows(actor=actor, right=EDIT) and actor.organization_id is not None,
        stated=stated,
        ranked=ranked,
        names=_names(
            *(one.organization_id for one in stated),
            *(one.organization_id for one in ranked),
            *(one.provider_organization_id for one in ranked),
        ),
        words=words_needs,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT)
def need_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """State a need, in the name of the actor's organisation."""
    form = NeedForm(
        request.POST if request.method == "POST" else None,
        find_element=_element_finder(),
        initial={"words": request.GET.get("words", "")[:1000]},
    )
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            made = stating.state_need(actor=actor, now=timezone.now(), **form.need())
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("The need is recorded. Below is what the catalogue has for it."))
            return HttpResponseRedirect(reverse("workbench:need", kwargs={"need_id": made}))
    own = organizations.find_organization(organization_id=actor.organization_id) if actor.organization_id else None
    return _answer(page(request, actor, "needs/new", "needs", form=form, refused=refused, own=own), refused, form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT, REVIEW)
def need_page(request: HttpRequest, actor: Actor, need_id: UUID) -> HttpResponse:
    """Show a need, what the catalogue has for it with the reasons, and its demands; file one more, or close it."""
    view = reading.get_need(need_id=need_id, actor=actor, now=timezone.now())
    verb = request.POST.get("act", "")
    elements = [(one.code, text(one.name)) for one in view.elements if one.demand_id is None]
    shown: dict[str, forms.Form] = {}
    if "demand" in view.may:
        data = request.POST if verb == "demand" else None
        given = request.GET.get("element", "")
        shown["demand"] = FileDemandForm(data, prefix="demand", elements=elements, initial={"element": given})
    if "close" in view.may:
        shown["close"] = CloseForm(request.POST if verb == "close" else None, prefix="close")
    run: Mapping[str, Callable[..., object]] = {"demand": stating.file_demand, "close": stating.close_need}
    refused, done = None, shown.get(verb)
    if request.method == "POST":
        if done is None:
            refused = (_("This cannot be done as it stands now."), _("Reload the page."))
        elif done.is_valid():
            try:
                run[verb](need_id=need_id, actor=actor, now=timezone.now(), **done.cleaned_data)
            except Refusal as refusal:
                refused = words_of(refusal)
            else:
                messages.success(request, _("Recorded."))
                return HttpResponseRedirect(request.path)
    return _answer(
        page(
            request,
            actor,
            "needs/one",
            "needs",
            view=view,
            line=view.line,
            forms=shown,
            done=done,
            refused=refused,
            may_request=access.allows(actor=actor, right=EDIT) and actor.organization_id == view.line.organization_id,
            departments=_departments(),
            names=_need_names(view),
            words=words_needs,
            terms=words_catalogue,
        ),
        refused,
        done,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT, REVIEW)
def demand_page(request: HttpRequest, actor: Actor, demand_id: UUID) -> HttpResponse:
    """Show a demand with its rank and its steps, and do one thing to it."""
    now = timezone.now()
    view = reading.get_demand(demand_id=demand_id, actor=actor, now=now)
    verb = request.POST.get("act", "")
    done = DemandAct(verb) if verb in set(DemandAct) else None
    offered = {act: deed for act, deed in DEEDS.items() if act in view.may and _can(act, view)}
    shown = {
        act: deed.form(request.POST if act is done else None, prefix=act.value, **_choices(act, view))
        for act, deed in offered.items()
    }
    refused = None
    if request.method == "POST":
        if done not in offered:
            refused = (_("This cannot be done as it stands now."), _("Reload the page."))
        elif shown[done].is_valid():
            try:
                offered[done].run(demand_id=demand_id, actor=actor, now=now, **shown[done].cleaned_data)
            except Refusal as refusal:
                refused = words_of(refusal)
            else:
                messages.success(request, _("Recorded."))
                return HttpResponseRedirect(request.path)
    return _answer(
        page(
            request,
            actor,
            "needs/demand",
            "needs",
            view=view,
            line=view.line,
            deeds=[(act.value, deed, shown[act]) for act, deed in offered.items()],
            nothing_to_offer=DemandAct.SUPPLY in view.may and not view.offers,
            done=shown[done] if done in offered else None,
            refused=refused,
            names=_names(view.line.organization_id, view.line.provider_organization_id),
            words=words_needs,
        ),
        refused,
        *shown.values(),
    )


def _can(act: DemandAct, view: DemandView) -> bool:
    return act is not DemandAct.SUPPLY or bool(view.offers)


def _choices(act: DemandAct, view: DemandView) -> dict[str, Any]:
    if act is DemandAct.SUPPLY:
        return {"offers": [(one.code, text(one.name)) for one in view.offers]}
    if act is DemandAct.ASSIGN:
        return {"departments": [(code, text(name)) for code, name in _departments().items()]}
    return {}


def _element_finder() -> Callable[[str], str | None]:
    """Find an element by its code, its name or a synonym."""
    dictionary = catalogue.get_dictionary(on=timezone.localdate())
    by_name: dict[str, str] = {}
    for code, one in dictionary.items():
        for name in (*(word for _lang, word in one.name.values), *one.synonyms):
            by_name.setdefault(name.casefold(), code)

    def find(given: str) -> str | None:
        return given if given in dictionary else by_name.get(given.casefold())

    return find


def _departments() -> dict[str, Any]:
    return {one.code: one.name for one in organizations.list_departments()}


def _need_names(view: NeedView) -> dict[UUID, Any]:
    return _names(
        view.line.organization_id,
        *(one.organization_id for one in view.demands),
        *(one.provider_organization_id for one in view.demands),
    )


def _names(*ids: UUID) -> dict[UUID, Any]:
    return dict(organizations.labels_of_organizations(organization_ids=ids))


def _answer(response: HttpResponse, refused: object, *shown: forms.Form | None) -> HttpResponse:
    if refused or any(form is not None and form.errors for form in shown):
        response.status_code = 422
    return response
