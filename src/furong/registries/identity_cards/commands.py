"""Writes of identity cards: one function is one transaction, one audit entry, one line in the card's history, its event.

Orders and the factory's files are in `batches`, differences from the register in `comparing`; both are re-exported here.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.ids import new_id
from furong.foundation.notices import commands as notices
from furong.foundation.notices.templates import register_template

from . import ports
from .batches import order_cards, take_return, withdraw_missing
from .comparing import correct_once, decide_mismatch
from .errors import (
    AlreadyApplied,
    EffectReusedError,
    FactsIncomplete,
    HolderNotRegistered,
    MismatchOpen,
    PortraitMissing,
    ReasonDoesNotFit,
)
from .models import Card, Mismatch
from .rights import HANDLE
from .steps import DATABASE, end, lock, locked, stated, take
from .values import (
    FACTS,
    ISSUED_WITHIN,
    OPEN,
    RENEWABLE_BEFORE,
    Facts,
    Kind,
    Reason,
    State,
    Step,
    validity,
)

__all__ = [
    "apply_for_card",
    "cancel_application",
    "collect_card",
    "correct_once",
    "decide_mismatch",
    "deliver_card",
    "expire_cards",
    "follow_portrait",
    "issue_temporary",
    "order_cards",
    "report_loss",
    "take_return",
    "withdraw_missing",
]

COLLECT = "identity_cards.collect"
register_template(
    COLLECT,
    title={"zh": "身份证已制好，请领取", "en": "Your identity card is ready"},
    body={
        "zh": "您 {applied_on} 申请的居民身份证已送达，请本人到受理的派出所领取，换领的请交回旧证。",
        "en": "The identity card that you applied for on {applied_on} has arrived. Collect it yourself at the police station "
        "that took your application, and hand in the old one.",
    },
)


@command("identity_cards.apply_for_card", database=DATABASE)
def apply_for_card(
    *, effect_id: UUID, person_id: UUID, reason: Reason, actor: Actor, basis: Basis, now: datetime
) -> UUID:
    """Take an application for a card and return the card's key.

    Facts come from the population register, the picture from the portraits: one that waits to be looked at holds the card back
    until it was. The same ``effect_id`` again returns the same card. Raises `HolderNotRegistered`, `FactsIncomplete`,
    `PortraitMissing`, `AlreadyApplied`, `ReasonDoesNotFit`, ``AccessRefused``, ``PurposeMissing``. 居民身份证法 arts. 7, 10–12.
    """
    stated(basis)
    if reason is Reason.TEMPORARY:
        raise ReasonDoesNotFit(why=_("a temporary card is issued at the counter"))
    return _apply(effect_id, person_id, Kind.REGULAR, reason, actor=actor, basis=basis, now=now).pk


@command("identity_cards.issue_temporary", database=DATABASE)
def issue_temporary(*, effect_id: UUID, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> UUID:
    """Issue a temporary card at the counter, for three months, to whoever waits for a card.

    Raises `ReasonDoesNotFit` without an application, and as `apply_for_card`.
    """
    stated(basis)
    lock(f"card:{person_id}")
    before = Card.objects.filter(effect_id=effect_id).first()
    if before is not None:
        return _repeated(before, person_id, Kind.TEMPORARY, Reason.TEMPORARY).pk
    waiting = Card.objects.filter(person_id=person_id, kind=Kind.REGULAR, state__in=OPEN)
    if not waiting.exists():
        raise ReasonDoesNotFit(why=_("nobody waits for a card"))
    card = _apply(effect_id, person_id, Kind.TEMPORARY, Reason.TEMPORARY, actor=actor, basis=basis, now=now)
    _hand_out(card, actor=actor, now=now)
    return card.pk


def _apply(
    effect_id: UUID, person_id: UUID, kind: Kind, reason: Reason, *, actor: Actor, basis: Basis, now: datetime
) -> Card:
    access.require(actor=actor, right=HANDLE)
    lock(f"card:{person_id}")
    before = Card.objects.filter(effect_id=effect_id).first()
    if before is not None:
        current().detail(repeated=True)
        return _repeated(before, person_id, kind, reason)
    facts = _facts(person_id, actor=actor, basis=basis, now=now)
    access.require(actor=actor, right=HANDLE, division_code=facts.division_code)
    if Card.objects.filter(person_id=person_id, kind=kind, state__in=OPEN).exists():
        raise AlreadyApplied
    today = timezone.localdate(now)
    old = Card.objects.filter(person_id=person_id, kind=kind).exclude(state__in=OPEN).order_by("-applied_at").first()
    if kind is Kind.REGULAR:
        _check_reason(reason, old, today=today)
    held = ports.pictures().held(person_id=person_id, actor=actor, basis=basis, now=now)
    if held is None or (held.waits and kind is Kind.TEMPORARY):
        raise PortraitMissing
    state = State.PHOTO_CHECK if held.waits else State.READY
    card = Card.objects.create(
        id=new_id(),
        effect_id=effect_id,
        effect_digest=_digest(person_id, kind, reason),
        person_id=person_id,
        kind=kind.value,
        reason=reason.value,
        state=state.value,
        facts=facts.shown(),
        portrait_id=held.portrait_id,
        division_code=facts.division_code,
        organization_id=actor.organization_id,
        applied_at=now,
        due_on=today + ISSUED_WITHIN,
        replaces=old,
    )
    take(card, Step.APPLIED, to=None, actor=actor, now=now, note=reason.value)
    return card


def _repeated(before: Card, person_id: UUID, kind: Kind, reason: Reason) -> Card:
    if before.effect_digest != _digest(person_id, kind, reason):
        raise EffectReusedError("The effect was carried out before with other content.")
    current().object("identity_card", before.pk)
    return before


def _digest(person_id: UUID, kind: Kind, reason: Reason) -> str:
    return hashlib.sha256(json.dumps([str(person_id), kind.value, reason.value]).encode()).hexdigest()


def _facts(person_id: UUID, *, actor: Actor, basis: Basis, now: datetime) -> Facts:
    found = ports.register().facts(person_ids=[person_id], actor=actor, basis=basis, now=now).get(person_id)
    if found is None or not found.is_registered:
        raise HolderNotRegistered
    for name in FACTS:
        if not getattr(found, name):
            raise FactsIncomplete(field=name)
    return found


def _check_reason(reason: Reason, old: Card | None, *, today: date) -> None:
    state = State(old.state) if old is not None else None
    holds = state in {State.VALID, State.EXPIRED, State.LOST}
    if reason is Reason.FIRST and holds:
        raise ReasonDoesNotFit(why=_("the person has or had a card; choose why it is to be replaced"))
    if reason is Reason.LOSS and old is not None and state is not State.LOST:
        raise ReasonDoesNotFit(why=_("report the loss first"))
    if reason is not Reason.EXPIRY or old is None or state is not State.VALID:
        return
    if old.valid_until is None or old.valid_until - RENEWABLE_BEFORE > today:
        raise ReasonDoesNotFit(why=_("the card holds for more than three months yet"))


@command("identity_cards.cancel_application", database=DATABASE)
def cancel_application(*, card_id: UUID, note: str, actor: Actor, basis: Basis, now: datetime) -> None:
    """Cancel a card that is not ordered yet. Raises `NotInThisState`, `CardNotFound`, ``AccessRefused``."""
    stated(basis)
    card = locked(card_id, states=(State.PHOTO_CHECK, State.READY), actor=actor)
    end(card, Step.CANCELLED, to=State.CANCELLED, actor=actor, now=now, note=note.strip())


@command("identity_cards.follow_portrait", database=DATABASE)
def follow_portrait(*, person_id: UUID, portrait_id: UUID, accepted: bool, actor: Actor, now: datetime) -> None:
    """Let a card go on whose portrait was accepted, and end one whose portrait was refused."""
    cards = Card.objects.select_for_update().filter(person_id=person_id, state__in=[State.PHOTO_CHECK, State.READY])
    for card in cards:
        if accepted:
            if card.state == State.PHOTO_CHECK or card.portrait_id != portrait_id:
                card.portrait_id = portrait_id
                take(card, Step.PHOTO_ACCEPTED, to=State.READY, actor=actor, now=now, save=("portrait_id",))
        elif card.portrait_id == portrait_id:
            end(card, Step.PHOTO_REFUSED, to=State.REJECTED, actor=actor, now=now)


@command("identity_cards.deliver_card", database=DATABASE)
def deliver_card(*, card_id: UUID, actor: Actor, basis: Basis, now: datetime) -> None:
    """Note that a card arrived at the counter, and tell its holder to collect it.

    Raises `NotInThisState`, `CardNotFound`, ``AccessRefused``.
    """
    stated(basis)
    card = locked(card_id, states=(State.PRODUCED,), actor=actor)
    take(card, Step.DELIVERED, to=State.DELIVERED, actor=actor, now=now)
    notices.send(
        template=COLLECT,
        params={"applied_on": timezone.localdate(card.applied_at).isoformat()},
        person_id=card.person_id,
        key=f"{COLLECT}:{card.pk}",
        now=now,
    )


@command("identity_cards.collect_card", database=DATABASE)
def collect_card(*, card_id: UUID, old_card_returned: bool, actor: Actor, basis: Basis, now: datetime) -> None:
    """Hand a card to its holder; from now on it holds, and the one before does not.

    Raises `MismatchOpen` while a difference from the register is not settled, `NotInThisState`, `CardNotFound`,
    ``AccessRefused``. 居民身份证法 art. 11: the old card is handed in.
    """
    stated(basis)
    card = locked(card_id, states=(State.DELIVERED,), actor=actor)
    if Mismatch.objects.filter(card=card, verdict__in=["open", "correcting"]).exists():
        raise MismatchOpen
    _hand_out(card, actor=actor, now=now, note="" if old_card_returned else "old card not handed in")
    current().detail(old_card_returned=old_card_returned)


def _hand_out(card: Card, *, actor: Actor, now: datetime, note: str = "") -> None:
    today = timezone.localdate(now)
    for old in Card.objects.select_for_update().filter(
        person_id=card.person_id, kind__in=_ended_by(Kind(card.kind)), state=State.VALID
    ):
        end(old, Step.REPLACED, to=State.REPLACED, actor=actor, now=now)
    if card.valid_from is None:
        card.valid_from = today
        card.valid_until = validity(
            kind=Kind(card.kind), born_on=date.fromisoformat(card.facts["born_on"]), made_on=today
        )
    take(card, Step.COLLECTED, to=State.VALID, actor=actor, now=now, note=note, save=("valid_from", "valid_until"))


def _ended_by(kind: Kind) -> list[str]:
    """A regular card ends the temporary one too."""
    return [Kind.REGULAR, Kind.TEMPORARY] if kind is Kind.REGULAR else [Kind.TEMPORARY]


@command("identity_cards.report_loss", database=DATABASE)
def report_loss(*, card_id: UUID, actor: Actor, basis: Basis, now: datetime) -> None:
    """Note that a card is lost: it does not hold any more, also when it is found.

    Its holder reports it in their space or at the counter. Raises `NotInThisState`, `CardNotFound`, ``AccessRefused``.
    """
    stated(basis)
    card = locked(card_id, states=(State.VALID,), actor=actor, own=True)
    end(card, Step.LOSS_REPORTED, to=State.LOST, actor=actor, now=now)


@command("identity_cards.expire_cards", database=DATABASE)
def expire_cards(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """End the cards whose last day is over, at most ``limit`` at once, and return how many."""
    over = Card.objects.select_for_update(skip_locked=True).filter(
        state=State.VALID, valid_until__lte=timezone.localdate(now)
    )
    cards = list(over.order_by("valid_until")[:limit])
    for card in cards:
        end(card, Step.EXPIRED, to=State.EXPIRED, actor=actor, now=now)
    return len(cards)
