"""A household with its members, and a person's children."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read

from ..errors import HouseholdNotFound
from ..values import HouseholdMemberRecord, HouseholdRecord, PersonRecord
from .reading import DATABASE, allow, begin, checked, readable_relatives, rows, select, trace


@read("population.list_household", database=DATABASE)
def list_household(
    *,
    household_id: UUID | None = None,
    number: str = "",
    fields: Iterable[str],
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> HouseholdRecord:
    """Return a household with its present members, the head first, and their named fields.

    It is named by its key or by its ``number`` (户号). A resident who is a member reads the fields of the household book. Raises
    `HouseholdNotFound` and as `get_person`.
    """
    names = checked(fields)
    begin(actor=actor, basis=basis, what="population.list_household", now=now)
    found = rows(
        "SELECT household_id, number, kind, division_code, address FROM population_household WHERE "
        + ("household_id = %s" if household_id is not None else "number = %s"),
        [household_id if household_id is not None else number.strip()],
    )
    members = rows(
        "SELECT person_id, relation, valid_from FROM population_household_member WHERE household_id = %s "
        "AND superseded_at IS NULL AND valid_until IS NULL ORDER BY relation <> '02', relation, valid_from",
        [found[0][0] if found else household_id],
    )
    people = select([row[0] for row in members], names)
    if not found:
        access.require_person(actor=actor, basis=basis, person_ids=[household_id or UUID(int=0)])
        raise HouseholdNotFound
    if actor.is_resident and not members:
        raise AccessRefused
    shown = ("household_number", "household_relation", "address", *names)
    by = allow(actor, basis, people, shown, now)
    trace(actor, basis, "population.list_household", people, ("household_relation", *names), now, by)
    key, number, kind, division_code, address = found[0]
    return HouseholdRecord(
        household_id=key,
        number=number,
        kind=kind,
        division_code=division_code,
        address=address,
        members=tuple(
            HouseholdMemberRecord(
                relation=relation, since_on=since, person=PersonRecord(person_id=member, values=people[member][1])
            )
            for member, relation, since in members
        ),
    )


@read("population.list_children", database=DATABASE)
def list_children(
    *, person_id: UUID, fields: Iterable[str], actor: Actor, basis: Basis, now: datetime
) -> tuple[PersonRecord, ...]:
    """Return the person's children, eldest first, with the named fields.

    A resident is shown their minor children only, and grown ones as far as they share a household. Raises as `get_person`.
    """
    names = checked(fields)
    begin(actor=actor, basis=basis, what="population.list_children", now=now)
    found_rows = rows(
        "SELECT c.other_person_id FROM population_relation c JOIN population_person p ON p.person_id = c.other_person_id "
        "WHERE c.person_id = %s AND c.kind = 'child' AND c.superseded_at IS NULL AND c.valid_until IS NULL "
        "ORDER BY p.born_on, p.person_id",
        [person_id],
    )
    ids = [row[0] for row in found_rows]
    access.require_person(actor=actor, basis=basis, person_ids=[person_id])
    people = select(ids, names)
    if actor.is_resident:
        readable = readable_relatives(actor, set(people), names, now) | {actor.person_id}
        people = {key: value for key, value in people.items() if key in readable}
    by = allow(actor, basis, people, names, now)
    trace(actor, basis, "population.list_children", people, names, now, by)
    return tuple(PersonRecord(person_id=key, values=people[key][1]) for key in ids if key in people)
