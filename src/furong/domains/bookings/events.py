"""What others may follow."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("bookings.changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class BookingChanged:
    """A booking of an application was made, moved, cancelled, attended or missed."""

    booking_id: UUID
    application_id: UUID | None
    case_id: UUID | None
    organization_id: UUID
    state: str
