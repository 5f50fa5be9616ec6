"""People and pictures for the tests of portraits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.ids import new_id
from furong.registries.portraits import commands, ports
from furong.registries.portraits.drawing import draw_portrait
from furong.registries.portraits.values import Kept, NewPortrait

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
SYSTEM = Actor.system("tests")
WHY = Basis(purpose="居民身份证办理", legal_basis="居民身份证法")
DIVISION = "430202001001"
NOBODY = UUID(int=7)


def everybody_here(person_ids: Sequence[UUID], actor: Actor, basis: Basis, now: datetime) -> Mapping[UUID, str]:
    """Everybody is registered in one street, but one."""
    return {one: DIVISION for one in person_ids if one != NOBODY}


def join() -> None:
    ports.bind(whereabouts=everybody_here)


def rejoin() -> None:
    from furong.entrypoints import portraying

    ports.bind(whereabouts=portraying.whereabouts)


def new(person_id: UUID | None = None, seed: int = 1, **changes: object) -> NewPortrait:
    given: dict[str, object] = {
        "effect_id": new_id(),
        "person_id": person_id or new_id(),
        "data": draw_portrait(seed),
        "taken_on": date(2026, 3, 10),
    }
    return NewPortrait(**(given | changes))  # type: ignore[arg-type]


def take(one: NewPortrait, *, actor: Actor = SYSTEM, now: datetime = NOW) -> Kept:
    return commands.take_portrait(new=one, actor=actor, basis=WHY, now=now)
