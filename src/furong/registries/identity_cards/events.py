"""What happened to identity cards, for others to follow; never what stands on them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("identity_cards.card_stepped")
@dataclass(frozen=True, slots=True, kw_only=True)
class CardStepped:
    """A card went a step further, or ended; ``step`` as in `values.Step`."""

    card_id: UUID
    person_id: UUID
    step: str
    division_code: str
