"""Acting in a post or for somebody: switching, and mandates given and ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from furong.foundation.access.errors import SignInNeeded
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import commands, queries, throttle
from furong.foundation.identity import sign_in as way_in
from furong.foundation.identity.forms import (
    EnterpriseForm,
    MandateForm,
)
from furong.foundation.identity.values import POWER_NAMES, MandateBasis, years_after
from furong.foundation.identity.views.pages import (
    actor_of,
    for_account,
    form_page,
    me_of,
    page,
    refuse_in,
    to,
)
from furong.foundation.organizations.values import today


@for_account
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Switch to another post (``post``), to a principal (``mandate``), or back to oneself (neither)."""
    me, now, actor = me_of(request), timezone.now(), actor_of(request)
    if request.POST.get("post"):
        commands.choose_post(session_id=me.session_id, post_id=_uuid(request, "post"), actor=actor, now=now)
    else:
        mandate_id = _uuid(request, "mandate") if request.POST.get("mandate") else None
        commands.switch_principal(session_id=me.session_id, mandate_id=mandate_id, actor=actor, now=now)
    return HttpResponseRedirect(way_in.safe_next(request, request.POST.get("next", ""), reverse("identity:overview")))


def _uuid(request: HttpRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        return UUID(int=0)


@for_account
@require_GET
def mandates(request: HttpRequest) -> HttpResponse:
    """For whom the account may act, and who may act for its person."""
    me, now = me_of(request), timezone.now()
    way_in.refresh_children(actor=actor_of(request), now=now)
    return page(
        request,
        "mandates",
        {
            "me": me,
            "held": queries.list_mandates_of_agent(account_id=me.account_id, now=now),
            "given": queries.list_mandates_given(account_id=me.account_id, now=now),
            "bases": _basis_names(),
            "power_names": {power: names[_english()] for power, names in POWER_NAMES.items()},
            "told": [str(message) for message in messages.get_messages(request)],
        },
    )


@for_account
@require_http_methods(["GET", "POST"])
def mandate_new(request: HttpRequest) -> HttpResponse:
    """Let somebody act for oneself, or for the enterprise one acts for."""
    me = me_of(request)
    form = MandateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        given = form.cleaned_data
        try:
            commands.grant_mandate(
                agent_username=given["agent_username"],
                agent_name=given["agent_name"],
                powers=form.chosen_powers(),
                until_on=_until(int(given["months"]), today(now)),
                reference=given["reference"],
                actor=actor_of(request),
                now=now,
            )
        except Refusal as refusal:
            if isinstance(refusal, SignInNeeded):
                raise
            refuse_in(form, refusal)
        else:
            messages.success(request, _("The mandate has been recorded. You can end it at any time."))
            return to("identity:mandates")
    lead = _("The agent may act for you from today on. Everything they do is recorded under their own name.")
    if me.principal is not None:
        lead = _("The agent may act for %(principal)s from today on.") % {"principal": me.principal_label}
    return form_page(
        request,
        form,
        title=_("Let somebody act for you"),
        button=_("Give the mandate"),
        lead=lead,
        back=reverse("identity:mandates"),
    )


@for_account
@require_http_methods(["GET", "POST"])
def mandate_enterprise(request: HttpRequest) -> HttpResponse:
    """Act for an enterprise as its legal representative."""
    form = EnterpriseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            throttle.count(now=now, real_name_account=f"enterprise:{me_of(request).account_id}")
            commands.claim_enterprise(**form.cleaned_data, actor=actor_of(request), now=now)
        except Refusal as refusal:
            refuse_in(form, refusal, "credit_code")
        else:
            throttle.forgive(real_name_account=f"enterprise:{me_of(request).account_id}")
            messages.success(request, _("You can act for the enterprise now."))
            return to("identity:mandates")
    return form_page(
        request,
        form,
        title=_("Act for an enterprise"),
        button=_("Check with the register"),
        lead=_("The register of enterprises names its legal representative. If that is you, you can act for it."),
        back=reverse("identity:mandates"),
    )


@for_account
@require_POST
def mandate_revoke(request: HttpRequest, mandate_id: UUID) -> HttpResponse:
    """End a mandate at once."""
    commands.revoke_mandate(mandate_id=mandate_id, actor=actor_of(request), now=timezone.now())
    messages.success(request, _("The mandate has ended."))
    return to("identity:mandates")


def _until(months: int, day: Any) -> Any:
    if months % 12 == 0:
        return years_after(day, months // 12)
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, 28))


def _english() -> int:
    return 1 if (get_language() or "").startswith("en") else 0


def _basis_names() -> dict[MandateBasis, str]:
    return {
        MandateBasis.PARENTHOOD: _("Parent of a minor"),
        MandateBasis.GUARDIANSHIP: _("Guardian"),
        MandateBasis.POWER_OF_ATTORNEY: _("Power of attorney"),
        MandateBasis.LEGAL_REPRESENTATIVE: _("Legal representative"),
        MandateBasis.ENTERPRISE_AGENT: _("Agent of the enterprise"),
    }
