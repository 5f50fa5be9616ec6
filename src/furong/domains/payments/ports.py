"""What payments need from outside: a provider that takes the money. The wiring binds one; the simulated one ships (`twin`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from furong.domains.payments.errors import ProviderSilentError
from furong.domains.payments.values import PaidOrder, StatementLine


class Provider(Protocol):
    """Takes money for orders. Every call may be repeated with the same reference and has its effect once."""

    @property
    def name(self) -> str:
        """What messages and statements are kept under."""
        ...

    def open_order(self, *, ref: str, amount_fen: int, now: datetime) -> None:
        """Make an order known, so that it can be paid. Raises ProviderSilentError."""
        ...

    def pay_address(self, *, ref: str) -> str:
        """Return where the payer is sent."""
        ...

    def close_order(self, *, ref: str, now: datetime) -> PaidOrder | None:
        """Close an order that is not paid, so that nobody can pay it any more.

        Returns what it says of one that was paid already, else None. Raises ProviderSilentError.
        """
        ...

    def ask(self, *, ref: str) -> PaidOrder | None:
        """Return what the provider says of a paid order, None for one that is not paid. Raises ProviderSilentError."""
        ...

    def refund(self, *, ref: str, order_ref: str, amount_fen: int, on: date) -> None:
        """Give money back. Raises ProviderSilentError."""
        ...

    def statement(self, *, on: date) -> Sequence[StatementLine]:
        """Return what was paid and given back on a local day. Raises ProviderSilentError."""
        ...

    def has_signed(self, *, body: bytes, signature: bytes) -> bool:
        """Tell whether the provider signed these bytes."""
        ...


_bound: list[Provider] = []


def bind(provider: Provider | None) -> None:
    """Bind a provider; a later one replaces it, None takes it away."""
    _bound[:] = [provider] if provider is not None else []


def provider() -> Provider:
    """Return the bound provider. Raises ProviderSilentError when none is."""
    if not _bound:
        raise ProviderSilentError("No provider of payments is bound.")
    return _bound[0]


def is_bound() -> bool:
    """Tell whether there is a provider."""
    return bool(_bound)
