"""Invented families for the tests of the register, made by its own commands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.codes.identity_numbers import make_identity_number
from furong.foundation.codes.ids import new_id
from furong.registries.population import commands
from furong.registries.population.values import BirthRegistered, NewChild, RelationKind

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)  # ten in the morning at home
SYSTEM = Actor.system("tests")
WHY = Basis(purpose="newborn registration", legal_basis="户口登记条例 第七条")
DIVISION = "430202001001"


def resident(person_id: UUID) -> Actor:
    return Actor(kind=ActorKind.RESIDENT, person_id=person_id, account_id=new_id(), assurance=Assurance.VERIFIED)


@dataclass(frozen=True)
class Couple:
    mother: UUID
    father: UUID
    household: UUID


_sequences: dict[tuple[str, date], int] = {}


def person(
    name: str, *, sex: str, born_on: date, household: UUID, ethnicity: str = "01", county: str = "430291"
) -> UUID:
    key = (county, born_on)
    step = _sequences[key] = _sequences.get(key, 400) + 1
    sequence = step * 2 % 998 + (1 if sex == "1" else 0)
    return commands.register_person(
        name=name,
        sex=sex,
        ethnicity=ethnicity,
        born_on=born_on,
        number=make_identity_number(county, born_on, max(1, sequence)),
        household_id=household,
        allow_reserved=True,
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )


def household(*, division: str = DIVISION, address: str = "青石巷 7 号") -> UUID:
    return commands.open_household(division_code=division, address=address, actor=SYSTEM, basis=WHY, now=NOW)


def couple(*, married: bool = True, division: str = DIVISION) -> Couple:
    """A father (the head) and a mother in one household."""
    home = household(division=division)
    father = person("单石生", sex="1", born_on=date(1990, 5, 4), household=home)
    mother = person("曾晓雅", sex="2", born_on=date(1992, 8, 9), household=home, ethnicity="15")
    if married:
        commands.record_marriage(
            person_id=mother,
            spouse_person_id=father,
            married_on=date(2018, 10, 1),
            evidence="J430291-2018-000001",
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
        )
    return Couple(mother=mother, father=father, household=home)


def child(name: str = "单子衿", *, sex: str = "2", born_at: datetime | None = None, ethnicity: str = "01") -> NewChild:
    return NewChild(
        name=name,
        sex=sex,
        born_at=born_at or datetime(2026, 3, 1, 3, 25, tzinfo=UTC),
        ethnicity=ethnicity,
        born_division_code="430202",
        born_place="湘江新城妇幼保健院",
    )


def birth(family: Couple, *, record: str, effect_id: UUID | None = None, **changes: object) -> BirthRegistered:
    arguments: dict[str, object] = {
        "effect_id": effect_id or new_id(),
        "child": child(),
        "birth_record_number": record,
        "mother_person_id": family.mother,
        "father_person_id": family.father,
        "household_id": family.household,
        "actor": SYSTEM,
        "basis": WHY,
        "now": NOW,
    }
    return commands.register_birth(**(arguments | changes))  # type: ignore[arg-type]


def parenthood(child_id: UUID, parent_id: UUID, kind: RelationKind) -> None:
    commands.record_parenthood(
        child_person_id=child_id,
        parent_person_id=parent_id,
        kind=kind,
        evidence="birth_certificate",
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )
