"""Where somebody or something is: the province's directory, and the routes of `place` that ask it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connections

from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.statements import all_rows, first_row, named_statements
from furong.foundation.replicas.errors import OnlyOnPlatform

from .. import place
from ..errors import CentreUnknown, HouseholdNotFound, NothingToChange, PersonNotFound
from ..moves import ports as moves
from ..moves.errors import MoveNotFound
from .values import CENTRE_DIGITS, Centre, alias_of

log = logging.getLogger("furong.population")

SQL = Path(__file__).resolve().parent.parent / "sql"
_WAIT_SECONDS = 2.0
_BY_KEY: Mapping[str, str] = {
    "person_id": "of_person",
    "household_id": "of_household",
    "stay_id": "of_stay",
    "move_id": "of_move",
}
_UNKNOWN: Mapping[str, type[Refusal]] = {
    "person_id": PersonNotFound,
    "household_id": HouseholdNotFound,
    "stay_id": NothingToChange,
    "move_id": MoveNotFound,
}


@cache
def statements(name: str) -> Mapping[str, str]:
    """Return the named statements of ``centre`` or ``province``."""
    return named_statements(SQL / f"{name}.sql")


def codes() -> tuple[str, ...]:
    """Return the codes of the centres that this process can reach, in order."""
    return tuple(sorted(settings.POPULATION_CENTRES))


def centres() -> tuple[Centre, ...]:
    """Return the centres that this process can reach, in order."""
    return tuple(map(Centre, codes()))


def aliases() -> tuple[str, ...]:
    """Return the aliases of the centres' databases that this process can reach, in order."""
    return tuple(map(alias_of, codes()))


def homes_of(person_id: UUID) -> tuple[str, ...]:
    """Return the databases of the centres that keep or kept a person: where acts about them are logged."""
    if not is_divided():
        return ()
    rows = all_rows(statements("province")["homes"], {"person": person_id}, database=place.PROVINCE)
    return tuple(alias_of(code) for (code,) in rows if code in settings.POPULATION_CENTRES)


def is_divided() -> bool:
    """Say whether this process writes to centres; otherwise its one register is all it knows."""
    return bool(settings.POPULATION_CENTRES)


def bind() -> None:
    """Have commands happen in the centre of their subject, where there are centres. Repeatable."""
    place.routes.find = _find if is_divided() else None
    place.routes.settled = _wait_until_shown if is_divided() else None
    place.routes.carries = _carries if is_divided() else None
    place.routes.alias_of = _alias_of_division if is_divided() else None
    place.routes.is_counter = bool(settings.CENTRE)
    if settings.CENTRE:
        moves.bind(
            alias_of=_only_own,
            registers=lambda: (place.PROVINCE,),
            is_directed=lambda person_id, centre, version: False,
        )
    elif is_divided():
        moves.bind(
            alias_of=_alias_of_division,
            registers=aliases,
            is_directed=is_directed,
            shown=lambda alias, change_id: _wait_until_shown(alias, [("change", change_id)]),
        )
    else:
        moves.centres.reset()


def _alias_of_division(division_code: str) -> str:
    return alias_of(centre_of_division(division_code))


def _only_own(division_code: str) -> str:
    """At a counter's own node there is one register, of its city."""
    if not division_code.startswith(settings.CENTRE):
        raise OnlyOnPlatform
    return place.PROVINCE


def is_directed(person_id: UUID, centre: str, version: int) -> bool:
    """Say whether the province finds a person at a centre, by a row of this version at least, or
    further on, for good. Costs a flush of the log where it does.
    """
    asked = {"person": person_id, "centre": centre, "version": version}
    row = first_row(statements("province")["is_directed"], asked, database=place.PROVINCE)
    if row is None:
        return False
    # What a subscription applied is seen before it is flushed. Were it lost in a crash, the former centre's rows would be gone
    # first when both are sent again. A commit of our own flushes everything before it.
    first_row(statements("province")["flush"], [], database=place.PROVINCE)
    return True


def centre_of_division(division_code: str) -> str:
    """Return the centre of a division. Raises `CentreUnknown`."""
    code = division_code[:CENTRE_DIGITS]
    if code not in settings.POPULATION_CENTRES:
        raise CentreUnknown
    return code


def centre_of_person(person_id: UUID) -> str | None:
    """Return the centre whose rows speak for a person; None when the province knows nobody."""
    row = first_row(statements("province")["of_person"], [person_id], database=place.PROVINCE)
    return None if row is None else str(row[0])


def _find(kind: str, value: Any) -> str:
    if kind == "division_code":
        return alias_of(centre_of_division(str(value)))
    row = first_row(statements("province")[_BY_KEY[kind]], [value], database=place.PROVINCE)
    if row is None:
        # Nothing is ever written in the province's store: its centre may send the row a moment later.
        raise _UNKNOWN[kind]
    return alias_of(row[0])


def _carries(number: str, number_type: str) -> bool:
    try:
        row = first_row(statements("province")["of_number"], [number, number_type], database=place.PROVINCE)
    except DatabaseError:
        return False
    return row is not None


def _wait_until_shown(alias: str, written: Sequence[tuple[str, UUID]]) -> None:
    """Wait, not for ever, until the province shows what was just written, so that who wrote it reads it.

    The last row is enough: a transaction is applied as a whole.
    """
    if not written or connections[alias].in_atomic_block:
        return
    code, (kind, key) = alias.removeprefix("centre_"), written[-1]
    until, pause = time.monotonic() + _WAIT_SECONDS, 0.0005
    try:
        while time.monotonic() < until:
            if first_row(statements("province")[f"arrived_{kind}"], [code, key], database=place.PROVINCE) is not None:
                return
            time.sleep(pause)
            pause = min(0.05, pause * 2)
    except DatabaseError as error:  # it is kept at the centre; the province hears of it later
        log.warning("province not asked", extra={"error": type(error).__name__})
        return
    log.warning("province behind", extra={"centre": code})
