"""What others may follow."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("payments.notice_closed")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeClosedEvent:
    """A fee was paid, or its notice expired or was cancelled."""

    notice_id: UUID
    case_id: UUID
    state: str


@event("payments.refunded")
@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """Money was given back."""

    refund_id: UUID
    notice_id: UUID
    case_id: UUID
    amount_fen: int
