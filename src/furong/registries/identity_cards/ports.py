"""What this room asks of the population register and of the portraits, joined in ``entrypoints``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from furong.foundation.access.values import Actor, Basis

from .values import Facts, Held


class Register(Protocol):
    """The population register."""

    def facts(self, *, person_ids: Sequence[UUID], actor: Actor, basis: Basis, now: datetime) -> Mapping[UUID, Facts]:
        """Give what a card shows of each of these people; who is unknown is left out. Each reading is recorded."""
        ...

    def correct(
        self,
        *,
        effect_id: UUID,
        person_id: UUID,
        fact: str,
        value: str,
        evidence: str,
        actor: Actor,
        basis: Basis,
        now: datetime,
    ) -> None:
        """Correct one fact, once for each effect."""
        ...


class Pictures(Protocol):
    """The portraits."""

    def held(self, *, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> Held | None:
        """Give the portrait to be put on a card: the one that waits to be looked at, else the one in force."""
        ...

    def pictures(
        self, *, portrait_ids: Sequence[UUID], actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[UUID, bytes]:
        """Give portraits' bytes by key. Each reading is recorded."""
        ...


_bound: dict[str, object] = {}


def bind(*, register: Register, pictures: Pictures) -> None:
    """Join both."""
    _bound.update(register=register, pictures=pictures)


def register() -> Register:
    """Give the population register."""
    return _bound["register"]  # type: ignore[return-value]  # as bound


def pictures() -> Pictures:
    """Give the portraits."""
    return _bound["pictures"]  # type: ignore[return-value]  # as bound
