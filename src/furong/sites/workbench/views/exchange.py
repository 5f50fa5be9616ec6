"""The exchange for its operator: the last hour in a minute, members and their keys, and the approval of a gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.exchange import commands, queries
from furong.domains.exchange.values import OPERATE, GatewayState, MemberState, MemberView
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.sites.workbench import drawing_exchange, words_exchange
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_exchange import (
    AdmitForm,
    FindForm,
    FingerprintForm,
    KeyForm,
    ReasonForm,
    ServiceForm,
)
from furong.sites.workbench.guards import needs

SECTION = "exchange"
DONE: Mapping[str, Promise] = {
    "suspend": gettext_lazy("The member is suspended."),
    "resume": gettext_lazy("The member takes part again."),
    "key": gettext_lazy("The key is registered; gateways know it within a second."),
    "revoke_key": gettext_lazy("The key is void."),
    "service": gettext_lazy("The service is published; the catalogue's grants apply to it at once."),
    "withdraw": gettext_lazy("The service is withdrawn."),
    "approve": gettext_lazy("The gateway is live: it fetches its configuration within a second."),
    "refuse": gettext_lazy("The gateway is turned down."),
    "revoke": gettext_lazy("The gateway is shut out, and its key is void."),
}


@require_safe
@needs(OPERATE)
def monitor(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the last hour: what passed, what went wrong and who can mend it, what needs a look, and the map."""
    now = timezone.now()
    found = queries.get_monitor(actor=actor, now=now)
    wrong = sum(found.causes[cause] for cause in words_exchange.CAUSES)
    return page(
        request,
        actor,
        "exchange/monitor",
        SECTION,
        found=found,
        waiting=[one for one in found.gateways if one.state is GatewayState.REQUESTED],
        live=[one for one in found.gateways if one.is_live],
        warned=[(one, code) for one in found.gateways for code in one.warnings],
        late=[(one, code) for one in found.nodes for code in one.warnings],
        wrong=wrong,
        share=wrong / found.messages if found.messages else 0.0,
        age_seconds=int((now - found.issued_at).total_seconds()) if found.issued_at else None,
        chart=drawing_exchange.draw_map(found),
        bars=drawing_exchange.draw_bars(found),
        names={code: name for one in found.abroad for code, name, _ in one.members if name}
        | {one.code: one.name for one in found.members},
        words=words_exchange,
        tone_of=drawing_exchange.tone_of,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(OPERATE)
def admit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Find an organisation and make it a member; its one-time code is shown once."""
    find = FindForm(request.GET or None)
    text = find.cleaned_data["text"] if find.is_bound and find.is_valid() else ""
    form = AdmitForm(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            code = commands.admit_member(
                code=given["code"], organization_id=given["organization"], actor=actor, now=timezone.now()
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            return _member(request, actor, given["code"], code=code)
    found = queries.list_candidates(text=text, actor=actor)
    chosen = request.POST.get("organization") or request.GET.get("organization", "")
    response = page(
        request,
        actor,
        "exchange/admit",
        SECTION,
        find=find,
        text=text,
        found=found,
        chosen=next((one for one in found if str(one.id) == chosen), None),
        form=form if form.is_bound else AdmitForm(initial={"organization": chosen}),
        refused=refused,
    )
    if refused or form.errors:
        response.status_code = 422
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(OPERATE)
def member(request: HttpRequest, actor: Actor, member: str) -> HttpResponse:
    """Show a member with gateways, keys, services and grants, and do one thing to it."""
    if request.method != "POST":
        return _member(request, actor, member)
    act, now = request.POST.get("act", ""), timezone.now()
    view = queries.get_member(member=member, actor=actor, now=now)
    shown: dict[str, forms.Form] = {}
    try:
        if act == "code":
            return _member(request, actor, member, code=commands.renew_code(member=member, actor=actor, now=now))
        if act in ("suspend", "resume"):
            doing: Callable[..., object] = commands.suspend_member if act == "suspend" else commands.resume_member
            doing(member=member, actor=actor, now=now)
            return _done(request, act)
        if act == "withdraw":
            commands.withdraw_service(code=request.POST.get("service", ""), actor=actor, now=now)
            return _done(request, act)
        form = _form(act, request, view, actor)
        shown[act] = form
        if form.is_valid():
            if act == "key":
                commands.register_key(member=member, actor=actor, now=now, **form.cleaned_data)
            elif act == "revoke_key":
                commands.revoke_key(key_id=request.POST.get("key_id", ""), actor=actor, now=now, **form.cleaned_data)
            elif act == "service":
                commands.publish_service(actor=actor, now=now, provider=member, **form.cleaned_data)
            if act in DONE:
                return _done(request, act)
    except Refusal as refusal:
        return _member(request, actor, member, refused=words_of(refusal), shown=shown)
    return _member(request, actor, member, shown=shown)


def _form(act: str, request: HttpRequest, view: MemberView, actor: Actor) -> forms.Form:
    if act == "key":
        return KeyForm(request.POST, prefix="key")
    if act == "revoke_key":
        return ReasonForm(request.POST, prefix="revoke")
    if act == "service":
        return ServiceForm(request.POST, prefix="service", gateways=_places(view, actor))
    return forms.Form()


def _places(view: MemberView, actor: Actor) -> list[str]:
    """The member's own gateways; for a member without one, those of others, where it is hosted."""
    own = [one.code for one in view.gateways if one.is_live]
    return own or list(queries.list_live_gateways(actor=actor))


def _done(request: HttpRequest, act: str) -> HttpResponse:
    messages.success(request, str(DONE[act]))
    return HttpResponseRedirect(request.path)


def _member(
    request: HttpRequest,
    actor: Actor,
    code_of_member: str,
    *,
    code: str = "",
    refused: tuple[str, str] | None = None,
    shown: Mapping[str, forms.Form] | None = None,
) -> HttpResponse:
    now = timezone.now()
    view = queries.get_member(member=code_of_member, actor=actor, now=now)
    given = shown or {}
    response = page(
        request,
        actor,
        "exchange/member",
        SECTION,
        view=view,
        grants=queries.list_grants(member=code_of_member, actor=actor, now=now),
        code=code,
        centre=request.build_absolute_uri("/").rstrip("/"),
        key_form=given.get("key") or KeyForm(prefix="key"),
        service_form=given.get("service") or ServiceForm(prefix="service", gateways=_places(view, actor)),
        reason_form=given.get("revoke_key") or ReasonForm(prefix="revoke"),
        failed=next((form for form in given.values() if form.errors), None),
        refused=refused,
        is_suspended=view.state is MemberState.SUSPENDED,
        words=words_exchange,
        tone_of=drawing_exchange.tone_of,
    )
    if refused or any(form.errors for form in given.values()):
        response.status_code = 422
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(OPERATE)
def gateway(request: HttpRequest, actor: Actor, gateway: str) -> HttpResponse:
    """Show a gateway with its fingerprint; approve it, turn it down, or shut it out."""
    now = timezone.now()
    form, refused = FingerprintForm(), None
    if request.method == "POST":
        act = request.POST.get("act", "")
        try:
            if act == "approve":
                form = FingerprintForm(request.POST)
                if form.is_valid():
                    commands.approve_gateway(gateway=gateway, actor=actor, now=now, **form.cleaned_data)
                    return _done(request, act)
            elif act in ("refuse", "revoke"):
                doing = commands.refuse_gateway if act == "refuse" else commands.revoke_gateway
                doing(gateway=gateway, actor=actor, now=now)
                return _done(request, act)
            else:
                refused = (_("This cannot be done with the gateway as it stands now."), _("Reload the page."))
        except Refusal as refusal:
            refused = words_of(refusal)
    view = queries.get_gateway(gateway=gateway, actor=actor, now=now)
    response = page(
        request,
        actor,
        "exchange/gateway",
        SECTION,
        view=view,
        health=view.report.get("health") or {},
        form=form,
        refused=refused,
        words=words_exchange,
    )
    if refused or form.errors:
        response.status_code = 422
    return response
