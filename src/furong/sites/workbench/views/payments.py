"""Fees at the workbench: those of a case, refunds asked for and approved, and the days compared with the provider."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from furong.domains.cases import queries as cases
from furong.domains.payments import commands as payments
from furong.domains.payments import queries as payment_queries
from furong.domains.payments.errors import NoticeNotFound
from furong.domains.payments.queries import RECONCILE
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.guards import needs


@require_http_methods(["GET", "HEAD", "POST"])
@needs("cases.handle")
def fees(request: HttpRequest, actor: Actor, case_id: UUID) -> HttpResponse:
    """Show the fee notices of a case, and ask for money to be given back."""
    now = timezone.now()
    notices = payment_queries.list_for_staff(case_id=case_id, actor=actor)
    if not notices:
        raise Http404
    number, _name = cases.labels_of_cases(case_ids=[case_id]).get(case_id, ("", {}))
    refused: tuple[str, str] | None = None
    if request.method == "POST":
        try:
            notice = next((one for one in notices if str(one.id) == request.POST.get("notice")), None)
            if notice is None:
                raise NoticeNotFound
            payments.request_refund(
                notice_id=notice.id,
                amount_fen=_fen(request.POST.get("amount", "")),
                reason=request.POST.get("reason", ""),
                actor=actor,
                now=now,
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("The refund waits for somebody else’s approval."))
            return HttpResponseRedirect(request.path)
    return page(request, actor, "fees", "cases", case_id=case_id, number=number, notices=notices, refused=refused)


@require_safe
@needs("cases.handle", "cases.decide")
def refunds(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the refunds of the actor's organisation."""
    return page(request, actor, "refunds", "refunds", rows=payment_queries.list_refunds(actor=actor))


@require_POST
@needs("cases.decide")
def approve_refund(request: HttpRequest, actor: Actor, refund_id: UUID) -> HttpResponse:
    """Approve a refund that somebody else asked for."""
    try:
        payments.approve_refund(refund_id=refund_id, actor=actor, now=timezone.now())
    except Refusal as refusal:
        messages.warning(request, " ".join(words_of(refusal)))
    else:
        messages.success(request, _("Approved; the money is given back."))
    return HttpResponseRedirect(reverse("workbench:refunds"))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RECONCILE)
def reconciliation(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the days compared with the provider and what differed; compare a day again."""
    now = timezone.now()
    if request.method == "POST":
        on = _day(request.POST.get("on", ""))
        try:
            if on is not None:
                payments.compare_day(on=on, actor=actor, now=now)
                messages.success(request, _("Compared."))
        except Refusal as refusal:
            messages.warning(request, " ".join(words_of(refusal)))
        return HttpResponseRedirect(request.path)
    return page(
        request,
        actor,
        "reconciliation",
        "reconciliation",
        days=payment_queries.list_days(actor=actor),
        differences=payment_queries.list_differences(actor=actor),
    )


@require_POST
@needs(RECONCILE)
def settle_difference(request: HttpRequest, actor: Actor, difference_id: UUID) -> HttpResponse:
    """Note how a difference was settled."""
    try:
        payments.settle_difference(
            difference_id=difference_id, words=request.POST.get("words", ""), actor=actor, now=timezone.now()
        )
    except Refusal as refusal:
        messages.warning(request, " ".join(words_of(refusal)))
    else:
        messages.success(request, _("Recorded."))
    return HttpResponseRedirect(reverse("workbench:reconciliation"))


def _fen(given: str) -> int:
    try:
        found = Decimal(given.strip()) * 100
    except InvalidOperation:
        return 0
    return int(found) if found.is_finite() and found == found.to_integral_value() and 0 < found < 10**12 else 0


def _day(given: str) -> date | None:
    try:
        found = date.fromisoformat(given)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None
