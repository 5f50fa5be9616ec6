"""A simulated provider of payments, which ships: the demo and the tests run whole, and no money moves.

It keeps orders of its own, signs what it says with a key of its own, and can be told to keep silent.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.db.models import Sum

from furong.domains.payments import models
from furong.domains.payments.values import PAID, Message, PaidOrder, StatementLine
from furong.foundation.calendar import queries as calendars
from furong.foundation.codes.ids import new_id

NAME = "simulated"


class SimulatedProvider:
    """The provider. ``key_file`` holds its private key, made when it is not there; ``address`` leads to its page for an order."""

    def __init__(self, *, key_file: Path, address: str) -> None:
        self.key_file = key_file
        self.address = address
        self._key: Ed25519PrivateKey | None = None

    @property
    def name(self) -> str:
        return NAME

    def open_order(self, *, ref: str, amount_fen: int, now: datetime) -> None:
        models.TwinOrder.objects.get_or_create(ref=ref, defaults={"amount_fen": amount_fen})

    def pay_address(self, *, ref: str) -> str:
        return self.address.format(ref=ref)

    def close_order(self, *, ref: str, now: datetime) -> PaidOrder | None:
        with transaction.atomic():
            order = models.TwinOrder.objects.select_for_update().filter(ref=ref).first()
            if order is None:
                return None
            if order.paid_at is None:
                order.closed_at = now
                order.save(update_fields=["closed_at"])
                return None
        return _paid(order)

    def ask(self, *, ref: str) -> PaidOrder | None:
        order = models.TwinOrder.objects.filter(ref=ref, paid_at__isnull=False).first()
        return _paid(order) if order is not None else None

    def refund(self, *, ref: str, order_ref: str, amount_fen: int, on: date) -> None:
        models.TwinRefund.objects.get_or_create(
            ref=ref, defaults={"order_id": order_ref, "amount_fen": amount_fen, "on": on}
        )

    def statement(self, *, on: date) -> Sequence[StatementLine]:
        paid = dict(models.TwinOrder.objects.filter(paid_on=on).values_list("ref", "amount_fen"))
        given = {
            row["order_id"]: row["total"]
            for row in models.TwinRefund.objects.filter(on=on).values("order_id").annotate(total=Sum("amount_fen"))
        }
        return [
            StatementLine(order_ref=ref, paid_fen=paid.get(ref, 0), refunded_fen=given.get(ref, 0))
            for ref in sorted(paid.keys() | given.keys())
        ]

    def has_signed(self, *, body: bytes, signature: bytes) -> bool:
        try:
            self._private().public_key().verify(signature, body)
        except InvalidSignature:
            return False
        return True

    # --- what only a simulated provider can do ---------------------------------------------------------------------------

    def find_amount(self, *, ref: str) -> int | None:
        """Return what an order costs, None when it is not known, closed, or paid."""
        row = models.TwinOrder.objects.filter(ref=ref, closed_at=None, paid_at=None).first()
        return row.amount_fen if row is not None else None

    def take_money(self, *, ref: str, now: datetime) -> tuple[bytes, bytes] | None:
        """Pay an order as its payer would, and return the signed message; None for a closed order.

        Paid again it is paid once, and the message is told anew.
        """
        with transaction.atomic():
            order = models.TwinOrder.objects.select_for_update().filter(ref=ref).first()
            if order is None or order.closed_at is not None:
                return None
            if order.paid_at is None:
                order.paid_at, order.paid_on = now, calendars.current().local_date(now)
                order.save()
        return self.tell(ref=ref, amount_fen=order.amount_fen, now=now, on=order.paid_on)

    def tell(self, *, ref: str, amount_fen: int, now: datetime, on: date | None = None) -> tuple[bytes, bytes]:
        """Write and sign a message that an order was paid."""
        body = Message(
            provider=NAME,
            event_id=f"paid:{ref}",
            nonce=str(new_id()),
            signed_at=now,
            kind=PAID,
            order_ref=ref,
            amount_fen=amount_fen,
            provider_ref=_own_ref(ref),
            on=on or calendars.current().local_date(now),
        ).to_bytes()
        return body, b64encode(self._private().sign(body))

    def _private(self) -> Ed25519PrivateKey:
        if self._key is None:
            self._key = Ed25519PrivateKey.from_private_bytes(_key_bytes(self.key_file))
        return self._key


def _paid(order: models.TwinOrder) -> PaidOrder | None:
    return PaidOrder(provider_ref=_own_ref(order.ref), on=order.paid_on) if order.paid_on is not None else None


def _own_ref(ref: str) -> str:
    return f"SIM-{ref}"


def _key_bytes(file: Path) -> bytes:
    """The key's 32 bytes; whoever comes first makes the file, whole before it has its name."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = file.with_name(f"{file.name}.{new_id()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(Ed25519PrivateKey.generate().private_bytes_raw())
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_bytes()
