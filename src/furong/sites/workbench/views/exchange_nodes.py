"""The cascade for its operator: the tree of nodes and how each is, joining and admitting, and requests that go up."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from furong.domains.exchange import queries as exchange
from furong.domains.exchange.nodes import commands, queries
from furong.domains.exchange.nodes.values import Cascade, NodeState
from furong.domains.exchange.values import OPERATE
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Fault, Refusal
from furong.sites.workbench import words_exchange
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.drawing_exchange import draw_tree
from furong.sites.workbench.forms_exchange import AdmitNodeForm, AskForm, FingerprintForm, JoinForm, OwnNodeForm
from furong.sites.workbench.guards import needs

DONE: Mapping[str, Promise] = {
    "name": gettext_lazy("The node is named."),
    "join": gettext_lazy("Joined. Documents come as soon as the operator above has compared the fingerprint."),
    "approve": gettext_lazy("The node exchanges with this one."),
    "revoke": gettext_lazy("What the node gave is out of force."),
    "ask": gettext_lazy("The request is carried up within seconds."),
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
        commands.ask_above(**values, actor=actor, now=now)  # type: ignore[arg-type]  # as above
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
        case "ask":
            entry = next((one for one in found.entries if one.code == request.POST.get("ask-resource")), None)
            return AskForm(request.POST, prefix="ask", entry=entry, members=_members(actor)) if entry else None
    return None


def _ask_form(resource: str, shown: Mapping[str, forms.Form], found: Cascade, actor: Actor) -> forms.Form:
    given = shown.get("ask")
    if given is not None and given.data.get("ask-resource") == resource:
        return given
    entry = next(one for one in found.entries if one.code == resource)
    return AskForm(prefix="ask", entry=entry, members=_members(actor), auto_id=f"{resource}_%s")


def _members(actor: Actor) -> list[tuple[str, str]]:
    found = exchange.list_members(actor=actor)
    return [(code, words_exchange.said(name)) for code, name in found]
