"""One person or several, by key or by number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read

from .. import terms
from ..errors import PersonNotFound
from ..rights import VERIFY
from ..values import PersonRecord, PersonStatus
from .reading import DATABASE, allow, begin, checked, kept_here, rows, select, select_by_number, trace


@read("population.get_person", database=DATABASE)
def get_person(*, person_id: UUID, fields: Iterable[str], actor: Actor, basis: Basis, now: datetime) -> PersonRecord:
    """Return the named fields of one person, and record that they were read.

    ``fields`` are keys of `values.FIELDS`; only these are fetched, returned and logged. Raises `PersonNotFound`, `FieldUnknown`,
    ``PurposeMissing``, ``AccessRefused``, ``AssuranceTooLow``. One statement by key; 1 ms.
    """
    names = checked(fields)
    begin(actor=actor, basis=basis, what="population.get_person", now=now)
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
    """Return the named fields of several people in the order asked; who is unknown is left out.

    Refused as a whole when one of them may not be read. Raises as `get_person`. One statement.
    """
    names = checked(fields)
    begin(actor=actor, basis=basis, what="population.list_persons", now=now)
    wanted = list(dict.fromkeys(person_ids))
    found = select(wanted, names)
    by = allow(actor, basis, found, names, now)
    trace(actor, basis, "population.list_persons", found, names, now, by)
    return tuple(PersonRecord(person_id=key, values=found[key][1]) for key in wanted if key in found)


@read("population.find_by_number", database=DATABASE)
def find_by_number(
    *, number: str, name: str | None = None, number_type: str = "111", actor: Actor, basis: Basis, now: datetime
) -> UUID | None:
    """Return who carries a number in force, or None; with ``name`` only when the name agrees.

    For binding an account to a person (the system asks) and for staff with the right to search. A miss is recorded too. Raises
    ``PurposeMissing``, ``AccessRefused``.
    """
    begin(actor=actor, basis=basis, what="population.find_by_number", now=now)
    scope = access.require(actor=actor, right="population.search").scope
    found = rows(
        "SELECT p.person_id, p.name, p.division_code FROM population_identity_number n "
        "JOIN population_person p ON p.person_id = n.person_id "
        f"WHERE n.number = %s AND n.type = %s AND n.superseded_at IS NULL AND n.valid_until IS NULL AND {kept_here('p')}",
        [number.strip().upper(), number_type],
    )
    hit = next(
        (row for row in found if scope.covers(division_code=row[2]) and (name is None or same_name(row[1], name))),
        None,
    )
    fields = ("number",) if name is None else ("name", "number")
    by = terms.decide(actor=actor, basis=basis, fields=fields, now=now, divisions=[hit[2]] if hit else [], subjects=1)
    trace(actor, basis, "population.find_by_number", [hit[0]] if hit else [], fields, now, by)
    return hit[0] if hit else None


@read("population.get_by_number", database=DATABASE)
def get_by_number(
    *,
    number: str,
    fields: Iterable[str],
    name: str | None = None,
    number_type: str = "111",
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> PersonRecord | None:
    """Return the named fields of whoever carries a number in force, or None.

    With ``name`` only when it agrees. For staff with the rights to search and to read: the counter's look-up, with one statement
    and one entry in the log. Somebody outside of the asker's divisions is found as little as nobody. A miss is recorded too.
    Raises as `get_person`.
    """
    names = checked(fields)
    begin(actor=actor, basis=basis, what="population.get_by_number", now=now)
    scope = access.require(actor=actor, right="population.search").scope
    compared = names if name is None or "name" in names else ("name", *names)
    found = {
        key: (division, values)
        for key, (division, values) in select_by_number(number, number_type, compared).items()
        if scope.covers(division_code=division) and (name is None or same_name(str(values["name"]), name))
    }
    by = allow(actor, basis, found, ("number", *compared), now)
    trace(actor, basis, "population.get_by_number", found, ("number", *compared), now, by)
    for key, (_, values) in found.items():
        return PersonRecord(person_id=key, values={one: values[one] for one in names})
    return None


@read("population.person_exists", database=DATABASE)
def person_exists(
    *, number: str, name: str | None = None, number_type: str = "111", actor: Actor, basis: Basis, now: datetime
) -> bool:
    """Tell whether somebody living carries a number in force, with ``name`` whether under that name; no more.

    For who needs no more than a yes: the right to verify, or to search. A wrong name and an unknown number give the same no.
    Whoever carries the number sees who asked, also when the answer was no. Raises ``PurposeMissing``, ``AccessRefused``,
    ``TooManyAsked``. One statement.
    """
    begin(actor=actor, basis=basis, what="population.person_exists", now=now)
    right = VERIFY if access.allows(actor=actor, right=VERIFY) else "population.search"
    scope = access.require(actor=actor, right=right).scope
    fields = ("number", "status") if name is None else ("name", "number", "status")
    held = {
        key: (division, values)
        for key, (division, values) in select_by_number(number, number_type, fields).items()
        if scope.covers(division_code=division)
    }
    divisions = {division for division, _ in held.values()}
    by = terms.decide(actor=actor, basis=basis, fields=fields, now=now, divisions=divisions, subjects=1)
    trace(actor, basis, "population.person_exists", held, fields, now, by)
    return any(
        values["status"] == PersonStatus.REGISTERED and (name is None or same_name(str(values["name"]), name))
        for _, values in held.values()
    )


def same_name(held: str, given: str) -> bool:
    """Tell whether two spellings are the same name: dots between its parts and spaces aside."""

    def plain(text: str) -> str:
        return "".join(text.replace("•", "·").replace("・", "·").split())

    return plain(held) == plain(given)
