"""Paying a fee: the notice, the way to the provider, the receipt; and the page of the simulated provider."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.cases import queries as case_queries
from furong.domains.cases.values.views import ApplicationView
from furong.domains.payments import commands as payments
from furong.domains.payments import ports
from furong.domains.payments import queries as payment_queries
from furong.domains.payments.errors import NoticeClosed, ReceiptNotReady
from furong.domains.payments.twin import SimulatedProvider
from furong.domains.payments.values import Notice, NoticeState
from furong.foundation.access.values import Actor
from furong.foundation.storage import queries as storage
from furong.sites.portal.views.space import own, space_page


@require_http_methods(["GET", "HEAD", "POST"])
@own
def fee(request: HttpRequest, application_id: UUID, notice_id: UUID, actor: Actor) -> HttpResponse:
    """Show a fee notice, and lead to the provider who takes the money."""
    now = timezone.now()
    view, notice = _notice(application_id, notice_id, actor)
    if request.method == "POST" and notice.state is NoticeState.REQUESTED:
        try:
            return HttpResponseRedirect(payments.start_order(notice_id=notice_id, actor=actor, now=now))
        except NoticeClosed:
            return HttpResponseRedirect(request.path)
    lane = next((one for one in view.lanes if one.case_id == notice.case_id), None)
    return space_page(
        request, "fee", "applications", view=view, notice=notice, item=lane.item_name if lane is not None else ""
    )


@require_safe
@own
def receipt(request: HttpRequest, application_id: UUID, notice_id: UUID, actor: Actor) -> HttpResponse:
    """Hand out the sealed receipt of a paid notice."""
    _, notice = _notice(application_id, notice_id, actor)
    if notice.state is not NoticeState.PAID:
        raise Http404
    if not notice.receipt_digest:
        raise ReceiptNotReady
    response = HttpResponse(storage.get(notice.receipt_digest), content_type="application/pdf")
    response["Content-Disposition"] = 'inline; filename="receipt.pdf"'
    patch_cache_control(response, no_store=True)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@own
def cashier(request: HttpRequest, ref: str, actor: Actor) -> HttpResponse:
    """Stand for the provider's own page where no real one is bound: no money moves."""
    now = timezone.now()
    provider = ports.provider() if ports.is_bound() else None
    notice = payment_queries.find_notice_of_order(ref=ref)
    if not isinstance(provider, SimulatedProvider) or notice is None:
        raise Http404
    view = case_queries.application_view(application_id=notice.application_id, actor=actor, now=now)
    back = reverse("portal:fee", kwargs={"application_id": view.id, "notice_id": notice.id})
    amount_fen = provider.find_amount(ref=ref)
    if amount_fen is None or notice.state is not NoticeState.REQUESTED:
        return HttpResponseRedirect(back)
    if request.method == "POST":
        told = provider.take_money(ref=ref, now=now)
        if told is not None:
            payments.hear(body=told[0], signature=told[1], actor=Actor.system("payments.provider"), now=now)
        return HttpResponseRedirect(back)
    response = render(
        request, "portal/cashier.jinja", {"amount_fen": amount_fen, "ref": ref, "back": back}, using="furong"
    )
    patch_cache_control(response, no_store=True)
    return response


def _notice(application_id: UUID, notice_id: UUID, actor: Actor) -> tuple[ApplicationView, Notice]:
    """The actor's application and its notice; not found for all others."""
    view = case_queries.application_view(application_id=application_id, actor=actor, now=timezone.now())
    notice = payment_queries.get_notice(notice_id=notice_id)
    if notice.application_id != view.id:
        raise Http404
    return view, notice
