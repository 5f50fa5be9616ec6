"""Requests and grants: asking for a resource, what waits, what was granted, and what either side does with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
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
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.errors import RequestMissing, ResourceMissing
from furong.domains.catalogue.grants import granting, reading, requesting
from furong.domains.catalogue.grants.values import GrantView, RequestView, Terms
from furong.domains.catalogue.needs import reading as rulings
from furong.domains.catalogue.views import ResourceView
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Level
from furong.foundation.web.texts import text
from furong.sites.workbench import words_catalogue, words_grants
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_grants import (
    DelegateForm,
    QuestionForm,
    RequestForm,
    SupplementForm,
    SureForm,
    TermsForm,
    WhyForm,
)
from furong.sites.workbench.guards import needs

EDIT, REVIEW = "catalogue.edit", "catalogue.review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that can be done: its words, what it does, and its form."""

    label: Promise
    effect: Promise
    done: Promise
    form: type[forms.Form] = SureForm
    kind: str = ""


REQUEST_DEEDS: Mapping[str, Deed] = {
    "consent": Deed(
        label=gettext_lazy("Consent to the request"),
        effect=gettext_lazy(
            "You may narrow it, never widen it. After the last consent both sides sign, and it is supplied within twenty "
            "working days."
        ),
        done=gettext_lazy("You have consented."),
        form=TermsForm,
    ),
    "ask": Deed(
        label=gettext_lazy("Ask for additions"),
        effect=gettext_lazy("The clock stands still until the answer is in. It can be done once."),
        done=gettext_lazy("The requester has been asked."),
        form=QuestionForm,
        kind="quiet",
    ),
    "refuse": Deed(
        label=gettext_lazy("Refuse the request"),
        effect=gettext_lazy("The requester reads the reason, and may ask the data authority for a ruling."),
        done=gettext_lazy("The request is refused."),
        form=WhyForm,
        kind="quiet",
    ),
    "supplement": Deed(
        label=gettext_lazy("Answer and send again"),
        effect=gettext_lazy("The provider's time begins anew."),
        done=gettext_lazy("Your answer is with the provider."),
        form=SupplementForm,
    ),
    "supply": Deed(
        label=gettext_lazy("Confirm the supply"),
        effect=gettext_lazy("The request is closed: the data is being supplied outside the platform."),
        done=gettext_lazy("The request is closed."),
    ),
    "withdraw": Deed(
        label=gettext_lazy("Withdraw the request"),
        effect=gettext_lazy("Nobody decides on it any more. You may ask anew at any time."),
        done=gettext_lazy("The request is withdrawn."),
        kind="quiet",
    ),
}
GRANT_DEEDS: Mapping[str, Deed] = {
    "sign": Deed(
        label=gettext_lazy("Sign the grant"),
        effect=gettext_lazy(
            "Your organisation agrees to the terms beside. With the second signature the grant is in force at once."
        ),
        done=gettext_lazy("Signed."),
    ),
    "delegate": Deed(
        label=gettext_lazy("Pass it on"),
        effect=gettext_lazy(
            "An organisation below yours may use it at once, on narrower terms. It rests and ends with your own grant."
        ),
        done=gettext_lazy("It has been passed on."),
        form=DelegateForm,
        kind="quiet",
    ),
    "suspend": Deed(
        label=gettext_lazy("Suspend the grant"),
        effect=gettext_lazy("Within a second nobody reads by it any more, nor by what was passed on from it."),
        done=gettext_lazy("The grant rests. Nobody reads by it any more."),
        form=WhyForm,
        kind="quiet",
    ),
    "resume": Deed(
        label=gettext_lazy("Resume the grant"),
        effect=gettext_lazy("It is in force again, until its old end."),
        done=gettext_lazy("The grant is in force again."),
    ),
    "revoke": Deed(
        label=gettext_lazy("Revoke the grant"),
        effect=gettext_lazy(
            "Within a second nobody reads by it any more, nor by what was passed on from it. It cannot be undone."
        ),
        done=gettext_lazy("The grant is revoked. Nobody reads by it any more."),
        form=WhyForm,
        kind="warn",
    ),
}


# --- requests -----------------------------------------------------------------------------------------------------------


@require_safe
@needs(EDIT, REVIEW)
def requests(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List requests: those that wait for the reader, those of the reader's organisation, all."""
    waiting = reading.count_waiting(actor=actor)
    box = request.GET.get("box", "")
    box = box if box in words_grants.BOXES else "waiting" if waiting else "mine"
    number = request.GET.get("page", "")
    found = reading.list_requests(
        actor=actor, box=box, page=int(number) if number.isdecimal() and len(number) < 5 else 1
    )
    return page(
        request,
        actor,
        "catalogue/requests",
        "requests",
        found=found,
        box=box,
        boxes=[(code, label, waiting if code == "waiting" else 0) for code, label in words_grants.BOXES.items()],
        names=_names(
            *(one.organization_id for one in found.rows), *(one.provider_organization_id for one in found.rows)
        ),
        words=words_grants,
        today=timezone.localdate(),
        previous=f"?box={box}&page={found.number - 1}" if found.number > 1 else "",
        following=f"?box={box}&page={found.number + 1}" if found.number < found.pages else "",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT)
def request_new(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Ask for a resource, in the name of the actor's organisation."""
    try:
        view = catalogue.get_resource(actor=actor, code=code)
    except ResourceMissing as missing:
        raise Http404 from missing
    items, methods = _item_choices(view), _method_choices(view.detail["sharing"].get("methods") or ())
    form = RequestForm(
        request.POST if request.method == "POST" else None,
        items=items,
        methods=methods,
        divisions=_division_choices(),
        services=_service_choices(actor.organization_id),
        initial={
            **({"methods": [code for code, _label in methods]} if len(methods) == 1 else {}),
            **_of_need(request.GET.get("need", ""), actor),
        },
    )
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            made = requesting.submit_request(
                resource_code=code,
                terms=form.terms(),
                scenario=form.cleaned_data["scenario"],
                legal_basis=form.cleaned_data["legal_basis"],
                actor=actor,
                now=timezone.now(),
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("The request is with the provider."))
            return HttpResponseRedirect(reverse("workbench:request", kwargs={"request_id": made}))
    own = organizations.find_organization(organization_id=actor.organization_id) if actor.organization_id else None
    return _answer(
        page(
            request,
            actor,
            "catalogue/request_new",
            "requests",
            view=view,
            line=view.line,
            form=form,
            refused=refused,
            own=own,
            provider=_names(view.organization_id).get(view.organization_id) if view.organization_id else None,
            words=words_catalogue,
        ),
        form,
        refused,
    )


@require_safe
@needs(EDIT, REVIEW)
def request_page(request: HttpRequest, actor: Actor, request_id: UUID) -> HttpResponse:
    """Show a request: what is asked for and why, how it stands, what changed meanwhile, what can be done."""
    found = _request(actor, request_id)
    escalation, may_appeal = rulings.escalation_of(request_id=request_id, actor=actor, now=timezone.now())
    return page(
        request,
        actor,
        "catalogue/request",
        "requests",
        found=found,
        deeds=[(verb, deed) for verb, deed in REQUEST_DEEDS.items() if verb in found.may],
        names=_names(found.organization_id, found.provider_organization_id),
        steps=_steps(found),
        escalation=escalation,
        may_appeal=may_appeal,
        today=timezone.localdate(),
        **_shared(actor, found.resource_code, found.organization_id),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT, REVIEW)
def request_act(request: HttpRequest, actor: Actor, request_id: UUID, verb: str) -> HttpResponse:
    """Do one thing to a request, after saying what it does."""
    found = _request(actor, request_id)
    deed = REQUEST_DEEDS.get(verb)
    if deed is None:
        raise Http404
    shared = _shared(actor, found.resource_code, found.organization_id)
    form = _form(
        deed,
        request,
        found.agreed or found.terms,
        shared,
        as_asked=verb == "supplement",
        organization_id=found.organization_id,
    )
    run: Mapping[str, Callable[..., object]] = {
        "consent": lambda **given: requesting.consent_request(terms=form.terms(), **given),  # type: ignore[attr-defined]
        "ask": lambda **given: requesting.ask_supplement(question=form.cleaned_data["question"], **given),
        "refuse": lambda **given: requesting.refuse_request(reason=form.cleaned_data["reason"], **given),
        "supplement": lambda **given: requesting.supplement_request(
            answer=form.cleaned_data["answer"],
            terms=form.terms(),  # type: ignore[attr-defined]
            **given,
        ),
        "supply": requesting.confirm_supply,
        "withdraw": requesting.withdraw_request,
    }
    home = reverse("workbench:request", kwargs={"request_id": request_id})
    do = partial(run[verb], request_id=request_id)
    return _act(request, actor, found, deed, form, do=do, home=home, offered=verb in found.may, shared=shared)


# --- grants -------------------------------------------------------------------------------------------------------------


@require_safe
@needs(EDIT, REVIEW)
def grants(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the grants that the reader's organisation holds or gave, or that the reader supervises."""
    found = reading.list_grants(actor=actor)
    return page(
        request,
        actor,
        "catalogue/grants",
        "requests",
        found=found,
        boxes=[(code, label, 0) for code, label in words_grants.BOXES.items()],
        names=_names(*(one.organization_id for one in found), *(one.provider_organization_id for one in found)),
        words=words_grants,
        today=timezone.localdate(),
    )


@require_safe
@needs(EDIT, REVIEW)
def grant_page(request: HttpRequest, actor: Actor, grant_id: UUID) -> HttpResponse:
    """Show a grant: terms, signatures, use, what was passed on, and what can be done."""
    found = _grant(actor, grant_id)
    today = timezone.localdate()
    most = max(found.uses.values(), default=0)
    return page(
        request,
        actor,
        "catalogue/grant",
        "requests",
        found=found,
        deeds=[(verb, deed) for verb, deed in GRANT_DEEDS.items() if verb in found.may],
        names=_names(
            found.organization_id,
            found.provider_organization_id,
            *(one.organization_id for one in found.children),
            *(one.organization_id for one in found.entries if one.organization_id),
        ),
        uses=[(day, count, max(1, round(100 * count / most))) for day, count in sorted(found.uses.items())],
        used=sum(found.uses.values()),
        today=today,
        left=(found.valid_until - today).days if found.valid_until else None,
        **_shared(actor, found.resource_code, found.organization_id),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT, REVIEW)
def grant_act(request: HttpRequest, actor: Actor, grant_id: UUID, verb: str) -> HttpResponse:
    """Do one thing to a grant, after saying what it does."""
    found = _grant(actor, grant_id)
    deed = GRANT_DEEDS.get(verb)
    if deed is None:
        raise Http404
    shared = _shared(actor, found.resource_code, found.organization_id)
    form = _form(deed, request, found.terms, shared, organization_id=found.organization_id)
    run: Mapping[str, Callable[..., object]] = {
        "sign": granting.sign_grant,
        "delegate": lambda **given: granting.delegate_grant(
            organization_id=UUID(form.cleaned_data["organization"]),
            terms=form.terms(),  # type: ignore[attr-defined]
            **given,
        ),
        "suspend": lambda **given: granting.suspend_grant(reason=form.cleaned_data["reason"], **given),
        "resume": granting.resume_grant,
        "revoke": lambda **given: granting.revoke_grant(reason=form.cleaned_data["reason"], **given),
    }
    home = reverse("workbench:grant", kwargs={"grant_id": grant_id})
    do = partial(run[verb], grant_id=grant_id)
    return _act(request, actor, found, deed, form, do=do, home=home, offered=verb in found.may, shared=shared)


# --- how ----------------------------------------------------------------------------------------------------------------


def _act(
    request: HttpRequest,
    actor: Actor,
    found: RequestView | GrantView,
    deed: Deed,
    form: forms.Form,
    *,
    do: Callable[..., object],
    home: str,
    offered: bool,
    shared: Mapping[str, Any],
) -> HttpResponse:
    """Do what was sent, or show what it would do."""
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            do(actor=actor, now=timezone.now())
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, str(deed.done))
            return HttpResponseRedirect(home)
    response = page(
        request,
        actor,
        "catalogue/grant_act",
        "requests",
        form=form,
        refused=refused,
        found=found,
        title=found.number,
        home=home,
        deed=deed,
        offered=offered,
        names=_names(found.organization_id, found.provider_organization_id),
        **shared,
    )
    return _answer(response, form, refused)


def _of_need(given: str, actor: Actor) -> dict[str, str]:
    """Begin a request with what its need says; with nothing where the need is not the reader's."""
    try:
        found = rulings.purpose_of_need(need_id=UUID(given), actor=actor)
    except (ValueError, Refusal):
        return {}
    return {"scenario": found[0], "legal_basis": found[1]}


def _request(actor: Actor, request_id: UUID) -> RequestView:
    try:
        return reading.get_request(request_id=request_id, actor=actor)
    except RequestMissing as missing:
        raise Http404 from missing


def _grant(actor: Actor, grant_id: UUID) -> GrantView:
    try:
        return reading.get_grant(grant_id=grant_id, actor=actor, now=timezone.now())
    except RequestMissing as missing:
        raise Http404 from missing


def _answer(response: HttpResponse, form: forms.Form, refused: object) -> HttpResponse:
    if refused or form.errors:
        response.status_code = 422
    return response


def _names(*ids: UUID | None) -> dict[UUID, Any]:
    return dict(organizations.labels_of_organizations(organization_ids={one for one in ids if one is not None}))


def _shared(actor: Actor, code: str, organization_id: UUID) -> dict[str, Any]:
    """What every page about a request or a grant shows its terms with; a resource that is gone leaves codes."""
    try:
        view: ResourceView | None = catalogue.get_resource(actor=actor, code=code)
    except ResourceMissing:
        view = None
    return {
        "view": view,
        "item_names": {item.code: item.name for item in view.items} if view else {},
        "division_names": dict(_division_choices()),
        "service_names": dict(_service_choices(organization_id)),
        "words": words_grants,
        "terms_words": words_catalogue,
    }


def _item_choices(view: ResourceView) -> list[tuple[str, str]]:
    return [(item.code, text(item.name)) for item in view.items if item.sharing["type"] != "none"]


def _method_choices(methods: Any) -> list[tuple[str, Any]]:
    return [(code, words_catalogue.METHODS[code]) for code in methods]


def _division_choices() -> list[tuple[str, str]]:
    return [(one.code, text(one.name)) for one in organizations.list_divisions(level=Level.CITY)]


def _service_choices(organization_id: UUID | None) -> list[tuple[str, str]]:
    if organization_id is None:
        return []
    found = requesting.own_services(organization_id=organization_id, now=timezone.now())
    return [(one.code, text(one.name.as_dict())) for one in found]


def _form(
    deed: Deed,
    request: HttpRequest,
    wider: Terms,
    shared: Mapping[str, Any],
    *,
    as_asked: bool = False,
    organization_id: UUID | None = None,
) -> forms.Form:
    data = request.POST if request.method == "POST" else None
    if not issubclass(deed.form, TermsForm):
        return deed.form(data)
    view, names = shared["view"], shared["item_names"]
    services = _service_choices(organization_id)
    items = [(code, text(names[code]) if code in names else code) for code in wider.items]
    cities = _division_choices()
    divisions = [one for one in cities if not wider.divisions or one[0] in wider.divisions]
    given: dict[str, Any] = {
        "items": items,
        "methods": _method_choices(wider.methods),
        "divisions": divisions,
        "services": [one for one in services if not wider.services or one[0] in wider.services],
        "wider": wider,
    }
    if as_asked and view is not None:  # the requester may also ask for other items of the resource as it is now
        given |= {"items": _item_choices(view), "divisions": cities, "services": services}
    if deed.form is DelegateForm and organization_id is not None:
        below = organizations.ids_of_subtree(organization_id=organization_id)[1:400]
        names_below = organizations.labels_of_organizations(organization_ids=below)
        given["organizations"] = [(str(key), text(names_below[key])) for key in below if key in names_below]
    return deed.form(data, **given)


def _steps(found: RequestView) -> list[tuple[str, str, Any]]:
    """The way of a request as a line: each step's words, how it stands (done, now, ahead, stopped), and its day."""
    order = ["submitted", "with_authority", "consented", "supplied"]
    if found.sharing == "unconditional":
        order.remove("with_authority")
    labels = {
        "submitted": _("Reply of the provider"),
        "with_authority": _("Review of the data authority"),
        "consented": _("Signatures and supply"),
        "supplied": _("Supplied"),
    }
    days = {"submitted": found.reply_due_on, "consented": found.supply_due_on}
    state = {"to_supplement": "submitted"}.get(found.state.value, found.state.value)
    if state not in order:  # refused or withdrawn
        return [(labels[one], "stopped" if one == order[0] else "ahead", None) for one in order[:1]]
    at = order.index(state)
    return [
        (
            labels[one],
            "done" if place < at or state == "supplied" else "now" if place == at else "ahead",
            days.get(one) if place == at else None,
        )
        for place, one in enumerate(order)
    ]
