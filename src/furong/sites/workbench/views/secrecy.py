"""Orders of secrecy: who gave them, until when they hold, what the person reads afterwards; giving, prolonging, lifting."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit import secrecy
from furong.foundation.codes.errors import Refusal
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_lookups import OrderEndForm, OrderForm
from furong.sites.workbench.forms_registers import LEGAL_BASES
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.registers import answer

RIGHT = secrecy.ORDER


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def orders(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the orders of the clerk's organisation; give one, or have one end at another time."""
    now = timezone.now()
    given = request.POST if request.method == "POST" else None
    chosen = request.POST.get("order", "") if given is not None else ""
    form, end_form = (
        OrderForm(None if chosen else given),
        OrderEndForm(given if chosen else None, prefix=_prefix(chosen)),
    )
    refused = None
    if given is not None:
        try:
            words = _end(end_form, chosen, actor) if chosen else _order(form, actor)
        except AccessRefused:
            raise
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            if words:
                messages.success(request, words)
                return HttpResponseRedirect(reverse("workbench:secrecy"))
    found = secrecy.list_orders(actor=actor)
    context: dict[str, Any] = {
        "form": form,
        "end_form": end_form,
        "chosen": chosen,
        "refused": refused,
        "legal_bases": LEGAL_BASES,
        "rows": [
            {
                "order": one,
                "in_force": one.is_in_force(now=now),
                "own": one.account_id == actor.account_id,
                "form": end_form if str(one.id) == chosen else OrderEndForm(prefix=_prefix(str(one.id))),
            }
            for one in found
        ],
    }
    return answer(page(request, actor, "registers/secrecy", "secrecy", **context), form, end_form)


def _prefix(order_id: str) -> str:
    """Keep the fields of several orders' forms apart on one page."""
    return f"o{order_id[-6:]}"


def _order(form: OrderForm, actor: Actor) -> str:
    if not form.is_valid():
        return ""
    secrecy.order_secrecy(
        reference=form.cleaned_data["reference"],
        until=form.ends_at(),
        actor=actor,
        basis=Basis(purpose=_("Secrecy for an investigation"), legal_basis=form.cleaned_data["legal_basis"]),
        now=timezone.now(),
    )
    return _("The order is given. Those of your organisation who look people up can choose it, except you.")


def _end(form: OrderEndForm, chosen: str, actor: Actor) -> str:
    if not form.is_valid():
        return ""
    now = timezone.now()
    reason = form.cleaned_data["reason"]
    secrecy.end_secrecy(
        order_id=UUID(chosen),
        until=form.ends_at(now),
        actor=actor,
        basis=Basis(purpose=_("Secrecy for an investigation"), legal_basis=reason),
        now=now,
    )
    if form.cleaned_data["until"] is None:
        return _("The order has ended. The people who were read see it from now on.")
    return _("The order ends on the day you gave.")
