"""Reads of moves: those of the counters in an actor's area, and one of them with its steps. Names and numbers come masked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.terms import SharingDecision
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read, record_read
from furong.foundation.codes import masking
from furong.foundation.codes.statements import all_rows

from .. import terms
from ..errors import HouseholdNotFound, PersonNotFound
from ..place import PROVINCE
from ..values import PersonStatus
from .errors import MoveNotFound
from .values import RULES, MoveAct, MoveReason, MoveState, MoveView, Side, StepView

RIGHT = "population.register"
LONGEST_LIST = 200
_FIELDS = ("name_masked", "number_masked", "move")
_COLUMNS = (
    "m.id, m.person_id, m.state, m.reason, p.name, n.number, m.from_division, m.to_division, m.to_address, m.opens_household, "
    "m.permit_number, m.permit_until, m.certificate_number, m.certificate_until, m.departed_on, m.arrived_on, m.applied_at, "
    "m.changed_at, m.words"
)
_FROM = """
population_move m LEFT JOIN population_person p ON p.person_id = m.person_id
LEFT JOIN LATERAL (SELECT x.number FROM population_identity_number x WHERE x.person_id = m.person_id
  AND x.superseded_at IS NULL ORDER BY x.valid_until IS NOT NULL, x.type, x.valid_from DESC LIMIT 1) n ON TRUE
"""
_LIST = "SELECT {columns} FROM {tables} WHERE {where} AND m.state = ANY(%s) ORDER BY m.changed_at DESC, m.id LIMIT %s"
_COUNT = "SELECT m.state, count(*) FROM population_move m WHERE {where} GROUP BY m.state"
_ONE = "SELECT {columns} FROM {tables} WHERE m.id = %s"
_STEPS = "SELECT act, at, by, words FROM population_move_step WHERE move_id = %s ORDER BY at, id"
_BY_NUMBER = """
SELECT p.person_id, p.name, p.former_name FROM population_identity_number n
JOIN population_person p ON p.person_id = n.person_id
WHERE n.number = %s AND n.superseded_at IS NULL AND n.valid_until IS NULL AND p.status = ANY(%s)
"""
_HOUSEHOLD = """
SELECT household_id, division_code, address FROM population_household WHERE number = %s AND closed_on IS NULL
"""


def _rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    return all_rows(sql, params, database=PROVINCE)


def _mine(actor: Actor) -> tuple[str, list[object]]:
    """The moves into and out of the divisions where the actor may register. Raises ``AccessRefused``."""
    scope = access.require(actor=actor, right=RIGHT).scope
    into, given = scope.sql(organization_column="", division_column="m.to_division")
    out, again = scope.sql(organization_column="", division_column="m.from_division")
    return f"(({into}) OR ({out}))", [*given, *again]


@read("population.list_moves", database=PROVINCE)
def list_moves(
    *, states: Sequence[MoveState], limit: int = LONGEST_LIST, actor: Actor, basis: Basis, now: datetime
) -> tuple[MoveView, ...]:
    """Return the moves in these states that concern the actor's counter, the last changed first.

    ``limit`` is 1 to 200. Each person shown is recorded. Raises ``PurposeMissing``, ``AccessRefused``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    where, params = _mine(actor)
    size = max(1, min(limit, LONGEST_LIST))
    by = _decide(_FIELDS[:2], actor=actor, basis=basis, subjects=size, now=now)
    found = _rows(
        _LIST.format(columns=_COLUMNS, tables=_FROM, where=where), [*params, [str(one) for one in states], size]
    )
    views = tuple(_view(row, actor) for row in found)
    _trace("population.list_moves", views, by, actor=actor, basis=basis, now=now)
    return views


def count_moves(*, actor: Actor) -> dict[MoveState, int]:
    """Return how many moves of the actor's counter stand in each state: figures about nobody.

    Raises ``AccessRefused``.
    """
    where, params = _mine(actor)
    return {MoveState(state): int(count) for state, count in _rows(_COUNT.format(where=where), params)}


@read("population.get_move", database=PROVINCE)
def get_move(*, move_id: UUID, actor: Actor, basis: Basis, now: datetime) -> MoveView:
    """Return a move with its steps and the acts open to the actor.

    Raises `MoveNotFound` (also for a move between places that are not the actor's), ``PurposeMissing``, ``AccessRefused``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    by = _decide(_FIELDS[:2], actor=actor, basis=basis, subjects=1, now=now)
    found = _rows(_ONE.format(columns=_COLUMNS, tables=_FROM), [move_id])
    if not found or not any(_may_register(actor, place) for place in found[0][6:8]):
        access.require(actor=actor, right=RIGHT)
        raise MoveNotFound
    steps = tuple(StepView(act=MoveAct(row[0]), at=row[1], by=row[2], words=row[3]) for row in _rows(_STEPS, [move_id]))
    view = _view(found[0], actor, steps=steps)
    _trace("population.get_move", (view,), by, actor=actor, basis=basis, now=now)
    return view


@read("population.find_mover", database=PROVINCE)
def find_mover(*, number: str, name: str, as_before: bool = False, actor: Actor, basis: Basis, now: datetime) -> UUID:
    """Return the registered person with this number and exactly this name, wherever in the province.

    For the counter of a destination, which may not search the people of other places: whoever stands at it shows their card.
    ``as_before`` also finds whoever shows the card of a former name, and who left the register alive and keeps the number.
    Raises `PersonNotFound`, ``PurposeMissing``, ``AccessRefused``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    access.require(actor=actor, right=RIGHT)
    by = _decide(("name", "number"), actor=actor, basis=basis, subjects=1, now=now)
    statuses = [PersonStatus.REGISTERED.value, *([PersonStatus.DEREGISTERED.value] if as_before else [])]
    found = [
        row
        for row in _rows(_BY_NUMBER, ["".join(number.split()).upper(), statuses])
        if "".join(name.split()) in {"".join(one.split()) for one in row[1 : 3 if as_before else 2] if one}
    ]
    record_read(
        actor=actor,
        basis=basis,
        what="population.find_mover",
        subjects=[row[0] for row in found],
        fields=("name", "number"),
        database=PROVINCE,
        now=now,
        detail=terms.told(by),
    )
    if not found:
        raise PersonNotFound
    key: UUID = found[0][0]
    return key


def find_household(*, number: str, actor: Actor) -> tuple[UUID, str]:
    """Return the key and the division of an open household by its number, in the actor's area.

    It discloses nobody. Raises `HouseholdNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=RIGHT)
    found = _rows(_HOUSEHOLD, ["".join(number.split())])
    if not found or not _may_register(actor, found[0][1]):
        raise HouseholdNotFound
    return found[0][0], found[0][1]


def _may_register(actor: Actor, division_code: str) -> bool:
    try:
        access.require(actor=actor, right=RIGHT, division_code=division_code)
    except AccessRefused:
        return False
    return True


def _view(row: tuple[Any, ...], actor: Actor, *, steps: tuple[StepView, ...] = ()) -> MoveView:
    state = MoveState(row[2])
    sides = {Side.SOURCE: row[6], Side.DESTINATION: row[7]}
    may = tuple(
        act
        for act, rule in RULES.items()
        if state in rule.since
        and any(_may_register(actor, sides[side]) for side in ((rule.side,) if rule.side else tuple(Side)))
    )
    return MoveView(
        id=row[0],
        person_id=row[1],
        state=state,
        reason=MoveReason(row[3]),
        name_masked=masking.mask_name(row[4] or ""),
        number_masked=masking.mask_number(row[5] or ""),
        from_division=row[6],
        to_division=row[7],
        to_address=row[8],
        opens_household=row[9],
        permit_number=row[10],
        permit_until=row[11],
        certificate_number=row[12],
        certificate_until=row[13],
        departed_on=row[14],
        arrived_on=row[15],
        applied_at=row[16],
        changed_at=row[17],
        words=row[18],
        may=may,
        steps=steps,
    )


def _decide(
    fields: Sequence[str], *, actor: Actor, basis: Basis, subjects: int, now: datetime
) -> tuple[SharingDecision, ...]:
    """Ask whether the catalogue's terms let the actor's organisation read these fields. Raises ``SharingRefused``."""
    return terms.decide(actor=actor, basis=basis, fields=fields, now=now, divisions=None, subjects=subjects)


def _trace(
    what: str,
    views: Sequence[MoveView],
    by: Sequence[SharingDecision],
    *,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> None:
    record_read(
        actor=actor,
        basis=basis,
        what=what,
        subjects=[view.person_id for view in views],
        fields=_FIELDS,
        database=PROVINCE,
        now=now,
        detail=terms.told(by),
    )
