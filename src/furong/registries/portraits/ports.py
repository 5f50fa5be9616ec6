"""What this room asks of the population register, joined in ``entrypoints``: where people are registered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from furong.foundation.access.values import Actor, Basis

# (person_ids, actor, basis, now) -> the division of each who is registered; who is not is left out.
Whereabouts = Callable[[Sequence[UUID], Actor, Basis, datetime], Mapping[UUID, str]]


def _nowhere(person_ids: Sequence[UUID], actor: Actor, basis: Basis, now: datetime) -> Mapping[UUID, str]:
    raise RuntimeError("No population register is joined to the portraits.")


_whereabouts: list[Whereabouts] = [_nowhere]


def bind(*, whereabouts: Whereabouts) -> None:
    """Join the population register."""
    _whereabouts[0] = whereabouts


def divisions_of(person_ids: Sequence[UUID], *, actor: Actor, basis: Basis, now: datetime) -> Mapping[UUID, str]:
    """Give where each of these people is registered; who is unknown is left out."""
    return _whereabouts[0](person_ids, actor, basis, now)
