"""Identity cards at the counter: who stands there, their portrait and cards, one act. The picture itself, by a sealed link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.registries.identity_cards import commands, queries
from furong.registries.identity_cards.rights import COMPARE, HANDLE, PRODUCE
from furong.registries.identity_cards.values import CardRecord, Kind, Reason, State
from furong.registries.population import queries as population
from furong.registries.portraits import commands as portrait_commands
from furong.registries.portraits import links
from furong.registries.portraits import queries as portraits
from furong.registries.portraits.rights import REVIEW, TAKE, VIEW
from furong.registries.portraits.values import NewPortrait, PortraitRecord, PortraitState, Size
from furong.sites.workbench import facts, words_cards
from furong.sites.workbench.deeds_counter import find_person
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.enquiries import Enquiry, seal, unseal
from furong.sites.workbench.forms_cards import CardForm, PortraitForm
from furong.sites.workbench.forms_counter import WhoForm
from furong.sites.workbench.guards import needs

KIND = "card_person"
BASIS = Basis(purpose="居民身份证办理", legal_basis="居民身份证法")
_SHOWN = ("sex", "ethnicity", "born_on", "number_masked", "address")
WORDS = {
    "states": words_cards.STATES,
    "steps": words_cards.STEPS,
    "kinds": words_cards.KINDS,
    "reasons": words_cards.REASONS,
    "outcomes": words_cards.OUTCOMES,
    "doubts": words_cards.DOUBTS,
    "damages": words_cards.DAMAGES,
}


def tabs(actor: Actor, here: str) -> list[tuple[str, str, bool]]:
    """Give the pages of this section that the actor may open: name, address, whether it is this one."""
    every = (
        ("cards", _("At the counter"), HANDLE),
        ("card_batches", _("Batches"), PRODUCE),
        ("card_mismatches", _("Card and register differ"), COMPARE),
        ("portrait_reviews", _("Portraits to look at"), REVIEW),
    )
    return [
        (label, reverse(f"workbench:{name}"), name == here)
        for name, label, right in every
        if access.allows(actor=actor, right=right)
    ]


def cards_page(request: HttpRequest, actor: Actor, template: str, here: str, **context: Any) -> HttpResponse:
    """Render a page of this section."""
    bad = context.pop("bad", False)
    told = {"tabs": tabs(actor, here), "words": WORDS, **context}
    response = page(request, actor, f"cards/{template}", "cards", **told)
    response.status_code = 422 if bad else 200
    return response


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs(HANDLE)
def cards(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask who stands at the counter, and list the cards on their way."""
    now = timezone.now()
    form = WhoForm(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        asking: dict[str, Any] = {"actor": actor, "basis": BASIS, "now": now}
        try:
            person_id = find_person(**form.cleaned_data, asking=asking)
            title = population.get_person(person_id=person_id, fields=("name_masked",), **asking).text("name_masked")
        except AccessRefused:
            refused = (
                _("This person is registered outside your area."),
                _("The police station there takes the application."),
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            return HttpResponseRedirect(_of(person_id, title, actor, now))
    lines = [
        (one, _of(one.person_id, one.name_masked, actor, now))
        for one in queries.list_on_the_way(actor=actor, basis=BASIS, now=now)
    ]
    bad = bool(refused or form.errors)
    counts = [(words_cards.STATES[State(s)], n) for s, n in queries.count_waiting(actor=actor).items()]
    return cards_page(
        request, actor, "counter", "cards", form=form, refused=refused, lines=lines, counts=counts, bad=bad
    )


def _of(person_id: UUID, title: str, actor: Actor, now: datetime) -> str:
    basis = Basis(purpose=BASIS.purpose, legal_basis=BASIS.legal_basis, about=person_id)
    enquiry = Enquiry(kind=KIND, object_id=person_id, title=title, basis=basis)
    return reverse("workbench:card_person", args=[seal(enquiry, actor=actor, now=now)])


@require_http_methods(["GET", "HEAD", "POST"])
@needs(HANDLE)
def card_person(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Show a person's portrait and cards, and take one act."""
    now = timezone.now()
    enquiry = unseal(token, kind=KIND, actor=actor, now=now)
    asking: dict[str, Any] = {"actor": actor, "basis": enquiry.basis, "now": now}
    sent = request.POST.get("act", "") if request.method == "POST" else ""
    picture = PortraitForm(request.POST, request.FILES) if sent == "portrait" else PortraitForm()
    wanted = CardForm(request.POST) if sent == "apply" else CardForm()
    refused = None
    if request.method == "POST":
        try:
            said = _take(sent, request, enquiry.object_id, picture, wanted, asking)
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            if said:
                messages.success(request, said)
                return HttpResponseRedirect(request.path)
    known = population.get_person(person_id=enquiry.object_id, fields=("name", *_SHOWN), **asking).values
    held, waiting = _portraits(enquiry.object_id, asking)
    found = queries.list_of_person(person_id=enquiry.object_id, **asking)
    return cards_page(
        request,
        actor,
        "person",
        "cards",
        title=known["name"],
        rows=facts.rows(known, _SHOWN, facts.Places()),
        held=held,
        waiting=waiting,
        picture=picture,
        wanted=wanted,
        found=found,
        under_way=next((one for one in found if one.is_open and one.kind is Kind.REGULAR), None),
        may_take=access.allows(actor=actor, right=TAKE),
        refused=refused,
        acts=acts_of,
        bad=bool(refused or picture.errors or wanted.errors),
    )


def _portraits(
    person_id: UUID, asking: dict[str, Any]
) -> tuple[tuple[PortraitRecord, str] | None, tuple[PortraitRecord, str] | None]:
    """The portrait in force and the one that waits, each with a link; nothing for who may not see portraits."""
    if not access.allows(actor=asking["actor"], right=VIEW):
        return None, None
    found = [
        portraits.find_portrait(person_id=person_id, state=state, **asking)
        for state in (PortraitState.HELD, PortraitState.REVIEW)
    ]
    held, waiting = [(one, link_to(one.portrait_id, Size.FULL, **asking)) if one else None for one in found]
    return held, waiting


def link_to(portrait_id: UUID, size: Size, *, actor: Actor, basis: Basis, now: datetime) -> str:
    """Give the address of a portrait, good for two minutes and this account."""
    token = links.seal(portrait_id=portrait_id, size=size, actor=actor, basis=basis, now=now)
    return reverse("workbench:portrait", args=[token])


@require_safe
@needs(VIEW)
def portrait(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Send a portrait; that it was seen, and why, is recorded before it leaves."""
    now = timezone.now()
    link = links.unseal(token, actor=actor, now=now)
    data = portraits.open_portrait(portrait_id=link.portrait_id, size=link.size, actor=actor, basis=link.basis, now=now)
    response = HttpResponse(data, content_type="image/jpeg")
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# What can be done with a card as it stands: the act, its button, and how urgent it looks.
def acts_of(card: CardRecord) -> list[tuple[str, str, str]]:
    """Give what the counter can do with a card now."""
    if card.state in {State.PHOTO_CHECK, State.READY}:
        return [("cancel", _("Cancel the application"), "quiet")]
    if card.state is State.PRODUCED:
        return [("deliver", _("It arrived"), "")]
    if card.state is State.DELIVERED:
        return [
            ("collect", _("Hand it out, old card taken back"), ""),
            ("collect_only", _("Hand it out, no old card"), "quiet"),
        ]
    if card.state is State.VALID:
        return [("loss", _("Report it lost"), "quiet")]
    return []


def _take(
    sent: str,
    request: HttpRequest,
    person_id: UUID,
    picture: PortraitForm,
    wanted: CardForm,
    asking: dict[str, Any],
) -> str:
    if sent == "portrait":
        return _take_portrait(person_id, picture, asking) if picture.is_valid() else ""
    if sent == "apply":
        if not wanted.is_valid():
            return ""
        given = wanted.cleaned_data
        commands.apply_for_card(
            effect_id=given["effect_id"], person_id=person_id, reason=Reason(given["reason"]), **asking
        )
        return _("The application was taken.")
    if sent == "temporary":
        effect_id = _uuid(request.POST.get("effect_id", ""))
        commands.issue_temporary(effect_id=effect_id, person_id=person_id, **asking)
        return _("The temporary card holds for three months from today.")
    card_id = _uuid(request.POST.get("card", ""))
    deeds: dict[str, tuple[Callable[[], object], str]] = {
        "cancel": (
            lambda: commands.cancel_application(card_id=card_id, note="", **asking),
            _("The application is cancelled."),
        ),
        "deliver": (lambda: commands.deliver_card(card_id=card_id, **asking), _("The holder is told to collect it.")),
        "collect": (
            lambda: commands.collect_card(card_id=card_id, old_card_returned=True, **asking),
            _("The card is handed out and holds from now on."),
        ),
        "collect_only": (
            lambda: commands.collect_card(card_id=card_id, old_card_returned=False, **asking),
            _("The card is handed out and holds from now on."),
        ),
        "loss": (
            lambda: commands.report_loss(card_id=card_id, **asking),
            _("The card is lost; it does not hold any more."),
        ),
    }
    if sent not in deeds:
        return ""
    deed, said = deeds[sent]
    deed()
    return said


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _take_portrait(person_id: UUID, picture: PortraitForm, asking: dict[str, Any]) -> str:
    given = picture.cleaned_data
    new = NewPortrait(
        effect_id=given["effect_id"],
        person_id=person_id,
        data=given["picture"].read(),
        taken_on=timezone.localdate(asking["now"]),
        ask=given["ask"],
    )
    kept = portrait_commands.take_portrait(new=new, **asking)
    if kept.state is PortraitState.HELD:
        return _("The portrait is in force.")
    doubts = "、".join(str(words_cards.DOUBTS[one]) for one in kept.doubts)
    return _("The portrait is kept; somebody looks at it first: %(doubts)s.") % {"doubts": doubts}
