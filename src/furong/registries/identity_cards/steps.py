"""What every command on a card shares: finding it locked, taking a step, writing its history. Private to this room."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.codes.statements import all_rows
from furong.foundation.events.commands import publish

from .errors import CardNotFound, NotInThisState
from .events import CardStepped
from .models import Card, CardEvent
from .rights import HANDLE
from .values import State, Step

DATABASE = "default"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(k, 31)) FROM (SELECT unnest(%s::text[]) AS k ORDER BY 1) AS keys"


def stated(basis: Basis) -> None:
    """Ask for a purpose. Raises ``PurposeMissing``."""
    if not basis.is_stated:
        raise PurposeMissing


def lock(*keys: str) -> None:
    """Wait until nobody else works on these keys in a transaction."""
    all_rows(LOCK, [list(keys)])


def locked(card_id: UUID, *, states: Collection[State], actor: Actor, right: str = HANDLE, own: bool = False) -> Card:
    """Give a card locked, in one of ``states``, to staff with ``right`` over its division, or with ``own`` to its holder.

    Raises `CardNotFound`, `NotInThisState`, ``AccessRefused``.
    """
    card = Card.objects.select_for_update().filter(pk=card_id).first()
    if card is None:
        raise CardNotFound
    if actor.is_resident:
        if not own or card.person_id != actor.person_id or actor.principal is not None:
            raise CardNotFound
    else:
        access.require(actor=actor, right=right, division_code=card.division_code)
    if card.state not in states:
        raise NotInThisState
    return card


def take(
    card: Card, step: Step, *, to: State | None, actor: Actor, now: datetime, note: str = "", save: Iterable[str] = ()
) -> None:
    """Bring a card one step further: its state, its history, the audit's subject, its event."""
    if to is not None:
        card.state = to.value
        card.save(update_fields=["state", *save])
    CardEvent.objects.create(
        card=card,
        step=step.value,
        at=now,
        organization_label=actor.organization_label,
        post_id=actor.post_id,
        note=note,
    )
    current().object("identity_card", card.pk)
    current().subject(card.person_id, fields=("identity_card",))
    publish(
        CardStepped(card_id=card.pk, person_id=card.person_id, step=step.value, division_code=card.division_code),
        database=DATABASE,
        now=now,
    )


def end(card: Card, step: Step, *, to: State, actor: Actor, now: datetime, note: str = "") -> None:
    """Bring a card to its end."""
    card.ended_at = now
    take(card, step, to=to, actor=actor, now=now, note=note, save=("ended_at",))
