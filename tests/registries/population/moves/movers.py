"""People on the move, for the tests: their steps with what every step needs."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db import connections

from furong.foundation.access.values import Basis
from furong.registries.population import place
from furong.registries.population.moves import commands as moves
from tests.registries.population.moves.conftest import CENTRES, DESTINATION
from tests.registries.population.people import NOW, SYSTEM, household

BASIS = Basis(purpose="户口迁移", legal_basis="户口登记条例 第十条")
ACT: dict[str, Any] = {"actor": SYSTEM, "basis": BASIS, "now": NOW}
TODAY = date(2026, 3, 10)
CHANGSHA = "430102001001"  # the other city
LILING = "430281001001"  # another county of the same city


def request(person_id: UUID, **given: Any) -> UUID:
    asked: dict[str, Any] = {
        "person_id": person_id,
        "division_code": CHANGSHA,
        "address": "桃花岭 3 号",
        "reason": "home",
        "applicant_person_id": person_id,
        **ACT,
    }
    return moves.request_move(**(asked | given)).move_id


def until_departure(move_id: UUID, **given: Any) -> UUID:
    moves.approve_move(move_id=move_id, **ACT)
    moves.issue_move_permit(move_id=move_id, **ACT)
    moves.record_departure(move_id=move_id, **(ACT | given))
    return move_id


def arrive(move_id: UUID, **given: Any) -> Any:
    return moves.record_arrival(move_id=move_id, **({"arrived_on": TODAY} | ACT | given))


def household_there() -> UUID:
    with place.at(DESTINATION):
        return household(division=CHANGSHA, address="桃花岭 1 号")


def live_in(person_id: UUID) -> list[str]:
    """The centres in which a person is registered, and how many rows of each kind they have in each."""
    found = []
    for alias in CENTRES:
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM population_person WHERE person_id = %s AND status = 'registered'", [person_id]
            )
            if cursor.fetchone():
                found.append(alias)
    return found


def ask(alias: str, sql: str, *params: object) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, list(params))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
