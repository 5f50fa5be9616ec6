"""What happened to portraits, for others to follow; never the picture."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("portraits.portrait_held")
@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitHeld:
    """A person's portrait is in force now."""

    portrait_id: UUID
    person_id: UUID
    division_code: str


@event("portraits.portrait_refused")
@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitRefusedByEye:
    """Somebody looked at a portrait and refused it."""

    portrait_id: UUID
    person_id: UUID
    division_code: str
