"""Looking after the search: how its index stands, what people looked for in vain, and what editors put on top."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.search import commands, queries
from furong.domains.search.values import MANAGE
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_search import BetForm
from furong.sites.workbench.guards import needs

PERIODS = (7, 28, 90)
LEAST = 2  # what was asked once may say too much of who asked


@require_safe
@needs(MANAGE)
def search(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show how the search fares: its index, the questions without an answer, those whose answers nobody opens, best bets."""
    given = request.GET.get("days", "")
    days = int(given) if given in {str(one) for one in PERIODS} else PERIODS[1]
    now = timezone.now()
    today = timezone.localdate(now)
    return page(
        request,
        actor,
        "search/search",
        "search",
        status=queries.get_status(now=now),
        report=queries.get_report(since=today - timedelta(days=days), least=LEAST),
        bets=queries.list_bets(actor=actor, today=today),
        days=days,
        periods=PERIODS,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def bet_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Put an address on top of the results for a question."""
    words = request.GET.get("words", "")[:60]
    form = BetForm(request.POST if request.method == "POST" else None, initial={"words": words})
    refused = None
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            commands.place_best_bet(**form.cleaned_data, today=timezone.localdate(now), actor=actor, now=now)
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("It stands on top of the results now."))
            return HttpResponseRedirect(reverse("workbench:search"))
    response = page(request, actor, "search/bet_new", "search", form=form, refused=refused)
    response.status_code = 422 if refused or form.errors else 200
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def bet_end(request: HttpRequest, actor: Actor, bet_id: int) -> HttpResponse:
    """Take a best bet down."""
    bets = queries.list_bets(actor=actor, today=timezone.localdate())
    bet = next((one for one in bets if one.id == bet_id), None)
    if bet is None:
        raise Http404
    if request.method == "POST":
        commands.end_best_bet(bet_id=bet_id, actor=actor, now=timezone.now())
        messages.success(request, _("It is taken down."))
        return HttpResponseRedirect(reverse("workbench:search"))
    return page(request, actor, "search/bet_end", "search", bet=bet, form=forms.Form())
