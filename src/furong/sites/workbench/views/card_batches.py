"""Card batches, differences from the register, and portraits to look at: what is settled behind the counter."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.registries.identity_cards import commands, queries
from furong.registries.identity_cards.rights import COMPARE, PRODUCE
from furong.registries.population import queries as population
from furong.registries.portraits import commands as portrait_commands
from furong.registries.portraits import queries as portraits
from furong.registries.portraits.rights import REVIEW
from furong.registries.portraits.values import Size
from furong.sites.workbench import facts
from furong.sites.workbench.desk import words_of
from furong.sites.workbench.forms_cards import DecisionForm, LookForm, ReturnForm, SettleForm
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.cards import cards_page, link_to

MAKING = Basis(purpose="居民身份证制证", legal_basis="居民身份证法")
COMPARING = Basis(purpose="证件与人口库比对更正", legal_basis="户口登记条例 第十七条")
LOOKING = Basis(purpose="人像复核", legal_basis="居民身份证法")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(PRODUCE)
def card_batches(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the orders to the factory, and order what waits."""
    refused = None
    if request.method == "POST":
        try:
            batch_id = commands.order_cards(actor=actor, basis=MAKING, now=timezone.now())
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("The cards are ordered. Fetch the file for the factory here."))
            return HttpResponseRedirect(reverse("workbench:card_batch", args=[batch_id]))
    waiting = queries.count_waiting(actor=actor)["ready"]
    found = queries.list_batches(actor=actor)
    return cards_page(
        request, actor, "batches", "card_batches", found=found, waiting=waiting, refused=refused, bad=bool(refused)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(PRODUCE)
def card_batch(request: HttpRequest, actor: Actor, batch_id: UUID) -> HttpResponse:
    """Show a batch and each row of what the factory sent, and take a file of it or withdraw what is missing."""
    now = timezone.now()
    sent = request.POST.get("act", "") if request.method == "POST" else ""
    form = ReturnForm(request.POST, request.FILES) if sent == "return" else ReturnForm()
    refused = None
    try:
        if sent == "return" and form.is_valid():
            data = form.cleaned_data["file"].read()
            commands.take_return(batch_id=batch_id, data=data, actor=actor, basis=MAKING, now=now)
            messages.success(request, _("The file was taken. What became of each row stands below."))
            return HttpResponseRedirect(request.path)
        if sent == "withdraw":
            commands.withdraw_missing(batch_id=batch_id, actor=actor, basis=MAKING, now=now)
            messages.success(request, _("The missing cards wait to be ordered again."))
            return HttpResponseRedirect(request.path)
    except Refusal as refusal:
        refused = words_of(refusal)
    batch = queries.find_batch(batch_id=batch_id, actor=actor)
    return cards_page(
        request,
        actor,
        "batch",
        "card_batches",
        batch=batch,
        form=form,
        returns=queries.list_returns(batch_id=batch_id, actor=actor),
        missing=queries.list_missing(batch_id=batch_id, actor=actor),
        refused=refused,
        bad=bool(refused or form.errors),
    )


@require_safe
@needs(PRODUCE)
def card_order(request: HttpRequest, actor: Actor, batch_id: UUID) -> HttpResponse:
    """Send a batch as the factory takes it."""
    data = queries.open_order(batch_id=batch_id, actor=actor, basis=MAKING, now=timezone.now())
    response = HttpResponse(data, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="cards-{str(batch_id)[:8]}.zip"'
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(COMPARE)
def card_mismatches(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show where cards and register differ, and take which of the two is right."""
    now = timezone.now()
    chosen = request.POST.get("mismatch", "") if request.method == "POST" else ""
    sent = DecisionForm(request.POST, prefix=chosen) if chosen else None
    refused = None
    if sent is not None and sent.is_valid():
        try:
            commands.decide_mismatch(
                mismatch_id=_key(chosen),
                register_is_wrong=sent.cleaned_data["wrong"] == "register",
                evidence=sent.cleaned_data["evidence"],
                actor=actor,
                basis=COMPARING,
                now=now,
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("Decided. What is wrong is put right, once."))
            return HttpResponseRedirect(request.path)
    found = queries.list_mismatches(actor=actor, basis=COMPARING, now=now)
    names = population.list_persons(
        person_ids=[one.person_id for one in found], fields=("name_masked",), actor=actor, basis=COMPARING, now=now
    )
    named = {one.person_id: one.text("name_masked") for one in names}
    lines = [
        (
            one,
            named.get(one.person_id, ""),
            facts.field_label(one.fact),
            sent if sent is not None and str(one.mismatch_id) == chosen else DecisionForm(prefix=str(one.mismatch_id)),
        )
        for one in found
    ]
    bad = bool(refused or (sent is not None and sent.errors))
    return cards_page(request, actor, "mismatches", "card_mismatches", lines=lines, sent=sent, refused=refused, bad=bad)


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(REVIEW)
def portrait_reviews(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the portraits that want an eye and the records whose bytes are gone or changed, and take what is said of one."""
    now = timezone.now()
    asking: dict[str, Any] = {"actor": actor, "basis": LOOKING, "now": now}
    chosen = request.POST.get("portrait", "") if request.method == "POST" else ""
    damaged = request.POST.get("finding", "") if request.method == "POST" else ""
    look = LookForm(request.POST, prefix=chosen) if chosen else None
    settle = SettleForm(request.POST, prefix=damaged) if damaged else None
    refused = None
    try:
        if look is not None and look.is_valid():
            given = look.cleaned_data
            portrait_commands.review_portrait(
                portrait_id=_key(chosen), accept=given["verdict"] == "accept", reason=given["reason"], **asking
            )
            messages.success(request, _("Decided. A card that waited for it goes on."))
            return HttpResponseRedirect(request.path)
        if settle is not None and settle.is_valid():
            note = settle.cleaned_data["note"]
            portrait_commands.settle_damage(finding_id=_key(damaged), note=note, **asking)
            messages.success(request, _("Settled."))
            return HttpResponseRedirect(request.path)
    except Refusal as refusal:
        refused = words_of(refusal)
    lines = [
        (
            one,
            link_to(one.portrait_id, Size.FULL, **asking),
            look if look is not None and str(one.portrait_id) == chosen else LookForm(prefix=str(one.portrait_id)),
        )
        for one in portraits.list_reviews(actor=actor, limit=20)
    ]
    findings = [
        (
            one,
            settle if settle is not None and str(one.finding_id) == damaged else SettleForm(prefix=str(one.finding_id)),
        )
        for one in portraits.list_damaged(actor=actor)
    ]
    mistaken = next((one for one in (look, settle) if one is not None and one.errors), None)
    return cards_page(
        request,
        actor,
        "portraits",
        "portrait_reviews",
        lines=lines,
        findings=findings,
        sweep=portraits.get_sweep(),
        mistaken=mistaken,
        refused=refused,
        bad=bool(refused or mistaken),
    )
