"""One person or several, by key or by number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read

from .. import terms
from ..errors import PersonNotFound
from ..values import PersonRecord
from .reading import DATABASE, allow, checked, rows, select, trace


@read("population.get_person", database=DATABASE)
def get_person(*, person_id: UUID, fields: Iterable[str], actor: Actor, basis: Basis, now: datetime) -> PersonRecord:
    """This function will return the named fields of one person, and record that they were read.

    ``fields`` are keys of `values.FIELDS`; only these are fetched, returned and logged. Raises `PersonNotFound`, `FieldUnknown`,
    ``PurposeMissing``, ``AccessRefused``, ``AssuranceTooLow``. One statement by key; 1 ms.
    """
    names = checked(fields)
    if not basis.is_stated:
        raise PurposeMissing
    found = select([person_id], names)
    if person_id not in found:
        # A stranger learns nothing from the difference between "no such person" and "not yours".
        access.require_person(actor=actor, basis=basis, person_ids=[person_id])
        raise PersonNotFound
    by = allow(actor, basis, found, names, now)
    trace(actor, basis, "population.get_person", [person_id], names, now, by)
    return PersonRecord(person_id=person_id, values=found[person_id][1])


@read("population.list_persons", database=DATABASE)
def list_persons(
    *, person_ids: Iterable[UUID], fields: Iterable[str], actor: Actor, basis: Basis, now: datetime
) -> tuple[PersonRecord, ...]:
    """This function will return the named fields of several people in the order asked; who is unknown is left out.

    Refused as a whole when one of them may not be read. Raises as `get_person`. One statement.
    """
    names = checked(fields)
    if not basis.is_stated:
        raise PurposeMissing
    wanted = list(dict.fromkeys(person_ids))
    found = select(wanted, names)
    by = allow(actor, basis, found, names, now)
    trace(actor, basis, "population.list_persons", found, names, now, by)
    return tuple(PersonRecord(person_id=key, values=found[key][1]) for key in wanted if key in found)


@read("population.find_by_number", database=DATABASE)
def find_by_number(
    *, number: str, name: str | None = None, number_type: str = "111", actor: Actor, basis: Basis, now: datetime
) -> UUID | None:
    """This function will return who carries a number in force, or None; with ``name`` only when the name agrees.

    For binding an account to a person (the system asks) and for staff with the right to search. A miss is recorded too. Raises
    ``PurposeMissing``, ``AccessRefused``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    scope = access.require(actor=actor, right="population.search").scope
    found = rows(
        "SELECT p.person_id, p.name, p.division_code FROM population_identity_number n "
        "JOIN population_person p ON p.person_id = n.person_id "
        "WHERE n.number = %s AND n.type = %s AND n.superseded_at IS NULL AND n.valid_until IS NULL",
        [number.strip().upper(), number_type],
    )
    hit = next(
        (row for row in found if scope.covers(division_code=row[2]) and (name is None or _same_name(row[1], name))),
        None,
    )
    fields = ("number",) if name is None else ("name", "number")
    by = terms.decide(actor=actor, basis=basis, fields=fields, now=now, divisions=[hit[2]] if hit else [], subjects=1)
    trace(actor, basis, "population.find_by_number", [hit[0]] if hit else [], fields, now, by)
    return hit[0] if hit else None


def _same_name(held: str, given: str) -> bool:
    def plain(text: str) -> str:
        return "".join(text.replace("•", "·").replace("・", "·").split())

    return plain(held) == plain(given)
