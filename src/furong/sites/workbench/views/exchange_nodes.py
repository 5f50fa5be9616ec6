"""The cascade for its operator: the tree of nodes and how each is, joining and admitting, and requests that go up."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from furong.domains.exchange import queries as exchange
from furong.domains.exchange.nodes import commands, keys, queries, requests
from furong.domains.exchange.nodes.values import AskState, Cascade, NodeState, Offered
from furong.domains.exchange.values import OPERATE
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Fault, Refusal
from furong.sites.workbench import words_exchange
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.drawing_exchange import draw_tree
from furong.sites.workbench.forms_exchange import (
    AdmitNodeForm,
    AskForm,
    ChosenAskForm,
    DeclineForm,
    FingerprintForm,
    JoinForm,
    OwnNodeForm,
    ProposeForm,
    RejoinForm,
    RekeyForm,
    RotateForm,
    SureForm,
)
from furong.sites.workbench.guards import needs

EDIT = "catalogue.edit"
DONE: Mapping[str, Promise] = {
    "name": gettext_lazy("The node is named."),
    "join": gettext_lazy("Joined. Documents come as soon as the operator above has compared the fingerprint."),
    "approve": gettext_lazy("The node exchanges with this one."),
    "revoke": gettext_lazy("What the node gave is out of force."),
    "ask": gettext_lazy("The request is carried within seconds."),
    "carry": gettext_lazy("The request is carried within seconds."),
    "decline": gettext_lazy("The department is told why its request is not carried."),
    "rotate": gettext_lazy("The new key is in use; gateways and nodes follow by themselves."),
    "lost": gettext_lazy(
        "The new key is in use. Members name it at their gateways, and the nodes around exchange keys anew."
    ),
    "rejoin": gettext_lazy("Keys are exchanged. Documents pass once the operator above has compared the fingerprint."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(OPERATE)
def nodes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the nodes above and below with how each is, and do one thing."""
    now = timezone.now()
    found = queries.get_cascade(actor=actor, now=now)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    shown: dict[str, forms.Form] = {}
    code, refused = "", None
    try:
        form = _form(act, request, found, actor)
        if form is not None:
            shown[act] = form
        if form is not None and form.is_valid():
            code = _do(act, form.cleaned_data, request.POST.get("node", ""), actor)
            if act in DONE:
                messages.success(request, str(DONE[act]))
                return HttpResponseRedirect(request.path)
            found = queries.get_cascade(actor=actor, now=now)
    except Refusal as refusal:
        refused = words_of(refusal)
    except Fault:
        refused = (_("The node above does not answer."), _("Check the address and try again."))
    failed = next((form for form in shown.values() if form.errors), None)
    own = found.own
    response = page(
        request,
        actor,
        "exchange/nodes",
        "exchange",
        found=found,
        tree=draw_tree(found),
        waiting=[one for one in found.lower if one.state is NodeState.REQUESTED],
        code=code,
        refused=refused,
        failed=failed,
        own_form=shown.get("name")
        or OwnNodeForm(
            initial={"address": request.build_absolute_uri("/").rstrip("/"), "level": "province"}
            if own is None
            else {"code": own.code, "level": own.level, "address": own.address, **own.name}
        ),
        admit_form=shown.get("admit") or AdmitNodeForm(prefix="admit", initial={"level": "city"}),
        join_form=shown.get("join") or JoinForm(prefix="join"),
        fingerprint_form=shown.get("approve") or FingerprintForm(prefix="approve"),
        decline_forms={
            one.id: _again(shown, "decline", "decline-ask", str(one.id))
            or DeclineForm(prefix="decline", initial={"ask": one.id}, auto_id=f"{one.id}_%s")
            for one in found.asks
            if one.state is AskState.PROPOSED
        },
        rotate_form=shown.get("rotate") or RotateForm(prefix="rotate"),
        lost_form=shown.get("lost") or SureForm(prefix="lost"),
        rejoin_form=shown.get("rejoin") or RejoinForm(prefix="rejoin"),
        rekey_forms={
            one.code: _again(shown, "rekey", "node", one.code) or RekeyForm(prefix="rekey", auto_id=f"{one.code}_%s")
            for one in found.lower
        },
        proposed=sum(one.state is AskState.PROPOSED for one in found.asks),
        ask_forms=[(one, _ask_form(one.code, shown, found, actor)) for one in found.entries],
        words=words_exchange,
    )
    if refused or failed:
        response.status_code = 422
    return response


def _do(act: str, given: Mapping[str, object], node: str, actor: Actor) -> str:
    """Do what was asked; give the code of a node that was invited, which is shown once."""
    now = timezone.now()
    values = dict(given)
    if act == "admit":
        return commands.admit_node(**values, actor=actor, now=now)  # type: ignore[arg-type]  # the form's fields are its arguments
    if act == "name":
        commands.name_node(**values, actor=actor, now=now)  # type: ignore[arg-type]  # as above
    elif act == "join":
        commands.join_upper(**values, actor=actor, now=now)  # type: ignore[arg-type]  # as above
    elif act == "approve":
        commands.approve_node(node=node, fingerprint=str(values["fingerprint"]), actor=actor, now=now)
    elif act == "revoke":
        commands.revoke_node(node=node, actor=actor, now=now)
    elif act == "ask":
        requests.ask_node(**values, actor=actor, now=now)  # type: ignore[arg-type]  # as above
    elif act == "carry":
        requests.carry_ask(ask=UUID(str(values["ask"])), actor=actor, now=now)
    elif act == "decline":
        requests.decline_ask(ask=UUID(str(values["ask"])), reason=str(values["reason"]), actor=actor, now=now)
    elif act in ("rotate", "lost"):
        grace = int(str(values.get("grace_days", 0)))
        keys.rotate_operator_key(grace_days=grace, is_lost=act == "lost", actor=actor, now=now)
    elif act == "rejoin":
        keys.rejoin_upper(code=str(values["code"]), actor=actor, now=now)
    elif act == "rekey":
        return keys.revoke_node_key(node=node, is_stolen=values["why"] == "stolen", actor=actor, now=now)
    return ""


def _form(act: str, request: HttpRequest, found: Cascade, actor: Actor) -> forms.Form | None:
    match act:
        case "name":
            return OwnNodeForm(request.POST)
        case "admit":
            return AdmitNodeForm(request.POST, prefix="admit")
        case "join":
            return JoinForm(request.POST, prefix="join")
        case "approve":
            return FingerprintForm(request.POST, prefix="approve")
        case "revoke":
            return forms.Form(request.POST)
        case "carry":
            return ChosenAskForm(request.POST)
        case "decline":
            return DeclineForm(request.POST, prefix="decline")
        case "rotate":
            return RotateForm(request.POST, prefix="rotate")
        case "lost":
            return SureForm(request.POST, prefix="lost")
        case "rejoin":
            return RejoinForm(request.POST, prefix="rejoin")
        case "rekey":
            return RekeyForm(request.POST, prefix="rekey")
        case "ask":
            entry = next((one for one in found.entries if one.code == request.POST.get("ask-resource")), None)
            return AskForm(request.POST, prefix="ask", entry=entry, members=_members(actor)) if entry else None
    return None


def _again(shown: Mapping[str, forms.Form], act: str, name: str, value: str) -> forms.Form | None:
    """Give the form as it was sent, for the one of several that it was sent from."""
    given = shown.get(act)
    return given if given is not None and given.data.get(name) == value else None


def _ask_form(resource: str, shown: Mapping[str, forms.Form], found: Cascade, actor: Actor) -> forms.Form:
    given = shown.get("ask")
    if given is not None and given.data.get("ask-resource") == resource:
        return given
    entry = next(one for one in found.entries if one.code == resource)
    return AskForm(prefix="ask", entry=entry, members=_members(actor), auto_id=f"{resource}_%s")


def _members(actor: Actor) -> list[tuple[str, str]]:
    found = exchange.list_members(actor=actor)
    return [(code, words_exchange.said(name)) for code, name in found]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT)
def offered(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show a department what other nodes offer and what it asked for; propose a request, or take one back."""
    now = timezone.now()
    found = queries.get_offered(actor=actor)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    form: forms.Form | None = None
    refused = None
    try:
        if act == "propose":
            form = _proposal(request.POST.get("ask-resource", ""), found, request)
            if form is not None and form.is_valid():
                requests.propose_ask(**form.cleaned_data, actor=actor, now=now)
                messages.success(request, _("The request waits for the operator of the exchange."))
                return HttpResponseRedirect(request.path)
        elif act == "withdraw":
            chosen = ChosenAskForm(request.POST)
            if chosen.is_valid():
                requests.withdraw_ask(ask=chosen.cleaned_data["ask"], actor=actor, now=now)
                messages.success(request, _("The request is taken back."))
                return HttpResponseRedirect(request.path)
    except Refusal as refusal:
        refused = words_of(refusal)
    asked = str(form.data.get("ask-resource", "")) if form is not None else ""
    response = page(
        request,
        actor,
        "exchange/offered",
        "requests",
        found=found,
        failed=form if form is not None and form.errors else None,
        refused=refused,
        ask_forms=[(one, form if one.code == asked else _proposal(one.code, found)) for one in found.entries],
        words=words_exchange,
    )
    if refused or (form is not None and form.errors):
        response.status_code = 422
    return response


def _proposal(resource: str, found: Offered, request: HttpRequest | None = None) -> forms.Form | None:
    entry = next((one for one in found.entries if one.code == resource), None)
    if entry is None:
        return None
    if request is not None:
        return ProposeForm(request.POST, prefix="ask", entry=entry)
    return ProposeForm(prefix="ask", entry=entry, auto_id=f"{resource}_%s")
