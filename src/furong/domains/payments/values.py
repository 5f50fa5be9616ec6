"""Notices, orders, and the signed messages of a provider. No input or output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

Text = Mapping[str, str]

# A message that was signed longer ago, or later than now, is not believed: clocks differ by less.
FRESH = timedelta(minutes=5)


class NoticeState(StrEnum):
    """Where a fee notice stands."""

    REQUESTED = "requested"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class OrderState(StrEnum):
    """Where an order at the provider stands. ``surplus``: paid although its notice was paid already or had ended."""

    STARTED = "started"
    PAID = "paid"
    SURPLUS = "surplus"
    ABANDONED = "abandoned"


class RefundState(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    DONE = "done"


class Difference(StrEnum):
    """How the provider's statement and the platform's books differ in one order."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT = "amount"
    REFUND_HERE = "refund_here"
    REFUND_THERE = "refund_there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is charged for, in fen."""

    name: str
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A fee notice as its payer sees it."""

    id: UUID
    number: str
    case_id: UUID
    application_id: UUID
    organization_id: UUID
    lines: tuple[Line, ...]
    amount_fen: int
    state: NoticeState
    requested_at: datetime
    due_on: date
    paid_at: datetime | None
    receipt_number: str
    receipt_digest: str
    refunded_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a provider says of an order, once its signature held.

    ``event_id`` names what happened (a payment, a refund): told again it is the same. ``nonce`` names this telling: seen before,
    it is somebody's copy. ``on`` is the local day under which the provider's statement has it.
    """

    provider: str
    event_id: str
    nonce: str
    signed_at: datetime
    kind: str
    order_ref: str
    amount_fen: int
    provider_ref: str
    on: date

    def to_bytes(self) -> bytes:
        """Write the message as it is signed: JSON with sorted keys, no spaces, UTF-8."""
        return json.dumps(
            {
                "amount_fen": self.amount_fen,
                "event_id": self.event_id,
                "kind": self.kind,
                "nonce": self.nonce,
                "on": self.on.isoformat(),
                "order_ref": self.order_ref,
                "provider": self.provider,
                "provider_ref": self.provider_ref,
                "signed_at": self.signed_at.astimezone(UTC).isoformat(),
            },
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode()


PAID, REFUNDED = "paid", "refunded"
_TEXTS = ("provider", "event_id", "nonce", "kind", "order_ref", "provider_ref")


def read_message(body: bytes) -> Message | None:
    """Read a message; None for anything that is not exactly one, so that nothing unsigned is believed."""
    try:
        given: Any = json.loads(body)
        if not isinstance(given, dict) or set(given) != {*_TEXTS, "signed_at", "amount_fen", "on"}:
            return None
        texts = {name: given[name] for name in _TEXTS}
        if not all(isinstance(value, str) and 0 < len(value) <= 100 for value in texts.values()):
            return None
        amount = given["amount_fen"]
        signed_at = datetime.fromisoformat(given["signed_at"])
        on = date.fromisoformat(given["on"])
    except (ValueError, TypeError, UnicodeDecodeError):
        return None
    if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0 or signed_at.tzinfo is None:
        return None
    return (
        Message(amount_fen=amount, signed_at=signed_at, on=on, **texts) if texts["kind"] in {PAID, REFUNDED} else None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOrder:
    """What a provider answers about an order that was paid: its own reference, and the local day of its statement."""

    provider_ref: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """An order in a provider's statement of a day: what was paid, and what was given back."""

    order_ref: str
    paid_fen: int
    refunded_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A difference of a day."""

    kind: Difference
    order_ref: str
    ours_fen: int
    theirs_fen: int


def compare(ours: Mapping[str, tuple[int, int]], theirs: Mapping[str, tuple[int, int]]) -> tuple[Found, ...]:
    """Compare the books with a statement, both ``{order_ref: (paid_fen, refunded_fen)}``."""
    found = []
    for ref in sorted(ours.keys() | theirs.keys()):
        (paid, back), (said, given) = ours.get(ref, (0, 0)), theirs.get(ref, (0, 0))
        if paid != said:
            kind = Difference.MISSING_HERE if not paid else Difference.MISSING_THERE if not said else Difference.AMOUNT
            found.append(Found(kind=kind, order_ref=ref, ours_fen=paid, theirs_fen=said))
        if back != given:
            kind = Difference.REFUND_HERE if back < given else Difference.REFUND_THERE
            found.append(Found(kind=kind, order_ref=ref, ours_fen=back, theirs_fen=given))
    return tuple(found)
