"""Reads of the population register. Each wants who asks, why and when; names the fields; and leaves a trace for every person.

A resident reads their own record, their minor children's and, in part, their spouse's and their household's without further
right; staff need a right over the person's division; the system's own work needs a purpose like everybody else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connections

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.terms import SharingDecision
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read, record_read
from furong.foundation.codes import masking

from . import terms
from .cursors import read_cursor, write_cursor
from .errors import FieldUnknown, HouseholdNotFound, PersonNotFound, SearchTooBroad
from .ledger import local_date
from .naming import plain_query
from .timelines import Version, on_day
from .values import (
    FIELDS,
    HOUSEHOLD_BOOK_FIELDS,
    SPOUSE_FIELDS,
    BirthRegistered,
    HouseholdMemberRecord,
    HouseholdRecord,
    PersonRecord,
    ResidenceKind,
    ResidenceRecord,
    SearchHit,
    SearchPage,
    VersionRecord,
    years_between,
)

DATABASE = "population"
_MAJORITY_YEARS = 18  # 民法典 art. 17
_LONGEST_PAGE = 100

# Where each field comes from; joins are made only for fields that were asked for.
_COLUMNS: Mapping[str, str] = {
    "name": "p.name",
    "name_masked": "p.name",
    "former_name": "p.former_name",
    "name_pinyin": "p.name_pinyin",
    "sex": "p.sex",
    "ethnicity": "p.ethnicity",
    "born_on": "p.born_on",
    "born_at": "p.born_at",
    "born_place": "p.born_place",
    "native_place": "p.native_division_code",
    "marital": "p.marital",
    "status": "p.status",
    "died_on": "p.died_on",
    "missing_since": "p.missing_since",
    "number": "n.number",
    "number_masked": "n.number",
    "number_type": "n.type",
    "division_code": "p.division_code",
    "address": "r.address",
    "household_id": "p.household_id",
    "household_number": "h.number",
    "household_relation": "m.relation",
    "mother_id": "mother.other_person_id",
    "father_id": "father.other_person_id",
    "spouse_id": "spouse.other_person_id",
}
# Fields that leave this room masked: who chooses between people, or only recognises one, needs no more.
_MASKS: Mapping[str, Callable[[str], str]] = {
    "name_masked": masking.mask_name,
    "number_masked": masking.mask_number,
}
_IN_FORCE = "{0}.superseded_at IS NULL AND {0}.valid_until IS NULL"
_JOINS: Mapping[str, tuple[frozenset[str], str]] = {
    # the number that names the person best: the citizen number before others, also of the dead
    "n": (
        frozenset({"number", "number_masked", "number_type"}),
        "LEFT JOIN LATERAL (SELECT x.number, x.type FROM population_identity_number x WHERE x.person_id = p.person_id "
        "AND x.superseded_at IS NULL ORDER BY x.valid_until IS NOT NULL, x.type, x.valid_from DESC LIMIT 1) n ON TRUE",
    ),
    "r": (
        frozenset({"address"}),
        "LEFT JOIN population_residence r ON r.person_id = p.person_id AND r.kind = 'permanent' AND "
        + _IN_FORCE.format("r"),
    ),
    "h": (
        frozenset({"household_number"}),
        "LEFT JOIN population_household h ON h.household_id = p.household_id",
    ),
    "m": (
        frozenset({"household_relation"}),
        "LEFT JOIN population_household_member m ON m.person_id = p.person_id AND " + _IN_FORCE.format("m"),
    ),
    **{
        kind: (
            frozenset({f"{kind}_id"}),
            f"LEFT JOIN population_relation {kind} ON {kind}.person_id = p.person_id AND {kind}.kind = '{kind}' AND "
            + _IN_FORCE.format(kind),
        )
        for kind in ("mother", "father", "spouse")
    },
}

# Who a resident's relatives are: children, spouse, and the members of the same household.
_RELATIVES = """
SELECT p.person_id, p.born_on,
  EXISTS (SELECT 1 FROM population_relation c WHERE c.person_id = %s AND c.kind = 'child' AND c.other_person_id = p.person_id
          AND c.superseded_at IS NULL AND c.valid_until IS NULL),
  EXISTS (SELECT 1 FROM population_relation s WHERE s.person_id = %s AND s.kind = 'spouse' AND s.other_person_id = p.person_id
          AND s.superseded_at IS NULL AND s.valid_until IS NULL),
  p.household_id IS NOT NULL AND p.household_id = (SELECT o.household_id FROM population_person o WHERE o.person_id = %s)
FROM population_person p WHERE p.person_id = ANY(%s::uuid[])
"""

_SEARCHED = ("name_masked", "number_masked", "sex", "birth_year", "division_code", "status")
_SEARCH = """
SELECT p.person_id, p.name, n.number, p.sex, p.born_on, p.division_code, p.status, p.name_pinyin
FROM population_person p
LEFT JOIN LATERAL (SELECT x.number FROM population_identity_number x WHERE x.person_id = p.person_id
  AND x.superseded_at IS NULL ORDER BY x.valid_until IS NOT NULL, x.type, x.valid_from DESC LIMIT 1) n ON TRUE
WHERE {where} ORDER BY p.name_pinyin, p.person_id LIMIT %s
"""


def _rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connections[DATABASE].cursor() as cursor:
        cursor.execute(sql, list(params))
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _checked(fields: Iterable[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(fields))
    for name in names:
        if name not in FIELDS:
            raise FieldUnknown(field=name)
    if not names:
        raise FieldUnknown("Name the fields you need.", field="")
    return names


def _select(person_ids: Iterable[UUID], fields: tuple[str, ...]) -> dict[UUID, tuple[str, dict[str, object]]]:
    """Read the fields of some people in one statement; with each, the division that decides who may see it."""
    joins = [sql for needs, sql in _JOINS.values() if needs & set(fields)]
    columns = "".join(f", {_COLUMNS[name]}" for name in fields)
    sql = (
        f"SELECT p.person_id, p.division_code{columns} FROM population_person p {' '.join(joins)} "
        "WHERE p.person_id = ANY(%s::uuid[])"
    )
    found: dict[UUID, tuple[str, dict[str, object]]] = {}
    for row in _rows(sql, [list(person_ids)]):
        values = dict(zip(fields, row[2:], strict=True))
        for name in _MASKS.keys() & values.keys():
            values[name] = _MASKS[name](str(values[name] or ""))
        found[row[0]] = (row[1], values)
    return found


def _refuse_resident(actor: Actor, person_ids: set[UUID], fields: tuple[str, ...], now: datetime) -> frozenset[UUID]:
    """Find those of the persons that a resident may read in these fields, besides themself and whom they act for."""
    if not actor.is_resident or actor.person_id is None:
        return frozenset()
    today, asked = local_date(now), set(fields)
    me = actor.person_id
    related: set[UUID] = set()
    for person_id, born_on, is_child, is_spouse, is_housemate in _rows(_RELATIVES, [me, me, me, list(person_ids)]):
        if (
            (is_child and years_between(born_on, today) < _MAJORITY_YEARS)
            or (is_spouse and asked <= SPOUSE_FIELDS)
            or (is_housemate and asked <= HOUSEHOLD_BOOK_FIELDS)
        ):
            related.add(person_id)
    return frozenset(related)


def _allow(
    actor: Actor, basis: Basis, found: Mapping[UUID, tuple[str, object]], fields: tuple[str, ...], now: datetime
) -> tuple[SharingDecision, ...]:
    """Ask the decision point about each of the people, by the division they are registered in, and about the fields."""
    if not found:
        access.require_person(actor=actor, basis=basis, person_ids=())
        return ()
    related = _refuse_resident(actor, set(found), fields, now)
    for division in {division for division, _ in found.values()}:
        access.require_person(
            actor=actor,
            basis=basis,
            person_ids=[key for key, (where, _) in found.items() if where == division],
            right="population.read",
            division_code=division,
            related=related,
        )
    divisions = {division for division, _ in found.values()}
    return terms.decide(actor=actor, basis=basis, fields=fields, now=now, divisions=divisions, subjects=len(found))


@read("population.get_person", database=DATABASE)
def get_person(*, person_id: UUID, fields: Iterable[str], actor: Actor, basis: Basis, now: datetime) -> PersonRecord:
    """This function will return the named fields of one person, and record that they were read.

    ``fields`` are keys of `values.FIELDS`; only these are fetched, returned and logged. Raises `PersonNotFound`, `FieldUnknown`,
    ``PurposeMissing``, ``AccessRefused``, ``AssuranceTooLow``. One statement by key; 1 ms.
    """
    names = _checked(fields)
    if not basis.is_stated:
        raise PurposeMissing
    found = _select([person_id], names)
    if person_id not in found:
        # A stranger learns nothing from the difference between "no such person" and "not yours".
        access.require_person(actor=actor, basis=basis, person_ids=[person_id])
        raise PersonNotFound
    by = _allow(actor, basis, found, names, now)
    _trace(actor, basis, "population.get_person", [person_id], names, now, by)
    return PersonRecord(person_id=person_id, values=found[person_id][1])


@read("population.list_persons", database=DATABASE)
def list_persons(
    *, person_ids: Iterable[UUID], fields: Iterable[str], actor: Actor, basis: Basis, now: datetime
) -> tuple[PersonRecord, ...]:
    """This function will return the named fields of several people in the order asked; who is unknown is left out.

    Refused as a whole when one of them may not be read. Raises as `get_person`. One statement.
    """
    names = _checked(fields)
    if not basis.is_stated:
        raise PurposeMissing
    wanted = list(dict.fromkeys(person_ids))
    found = _select(wanted, names)
    by = _allow(actor, basis, found, names, now)
    _trace(actor, basis, "population.list_persons", found, names, now, by)
    return tuple(PersonRecord(person_id=key, values=found[key][1]) for key in wanted if key in found)


def _trace(
    actor: Actor,
    basis: Basis,
    what: str,
    subjects: Iterable[UUID],
    fields: Iterable[str],
    now: datetime,
    by: Sequence[SharingDecision] = (),
) -> None:
    record_read(
        actor=actor,
        basis=basis,
        what=what,
        subjects=list(subjects),
        fields=fields,
        database=DATABASE,
        now=now,
        detail=terms.told(by),
    )


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
    rows = _rows(
        "SELECT p.person_id, p.name, p.division_code FROM population_identity_number n "
        "JOIN population_person p ON p.person_id = n.person_id "
        "WHERE n.number = %s AND n.type = %s AND n.superseded_at IS NULL AND n.valid_until IS NULL",
        [number.strip().upper(), number_type],
    )
    hit = next(
        (row for row in rows if scope.covers(division_code=row[2]) and (name is None or _same_name(row[1], name))),
        None,
    )
    fields = ("number",) if name is None else ("name", "number")
    by = terms.decide(actor=actor, basis=basis, fields=fields, now=now, divisions=[hit[2]] if hit else [], subjects=1)
    _trace(actor, basis, "population.find_by_number", [hit[0]] if hit else [], fields, now, by)
    return hit[0] if hit else None


def _same_name(held: str, given: str) -> bool:
    def plain(text: str) -> str:
        return "".join(text.replace("•", "·").replace("・", "·").split())

    return plain(held) == plain(given)


@read("population.search_people", database=DATABASE)
def search_people(
    *,
    name: str = "",
    pinyin: str = "",
    number: str = "",
    born_on: date | None = None,
    born_until: date | None = None,
    sex: str = "",
    division_prefix: str = "",
    limit: int = 20,
    after: str = "",
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> SearchPage:
    """This function will return a page of people by name (whole or its beginning), pinyin or initials, number or birth date.

    At least one of the four is needed; ``born_until`` (exclusive) makes a range of at most a year of ``born_on``. Names and
    numbers come masked; rows are those of the actor's right ``population.search``, in the order of pinyin. ``limit`` is 1 to
    100; ``after`` is the former page's ``next_after``. Each person shown is recorded. Raises `SearchTooBroad`,
    ``PurposeMissing``, ``AccessRefused``. Each page is a range of an index.
    """
    if not basis.is_stated:
        raise PurposeMissing
    scope = access.require(actor=actor, right="population.search").scope
    size = max(1, min(limit, _LONGEST_PAGE))
    by = terms.decide(actor=actor, basis=basis, fields=_SEARCHED, now=now, divisions=None, subjects=size)
    where, params = scope.sql(organization_column="", division_column="p.division_code")
    granted, prefixes = terms.rows_of(by, division_column="p.division_code")
    conditions, values = _conditions(name=name, pinyin=pinyin, number=number, born_on=born_on, born_until=born_until)
    if not conditions:
        raise SearchTooBroad
    if sex:
        conditions.append("p.sex = %s")
        values.append(sex)
    if division_prefix:
        conditions.append("p.division_code >= %s AND p.division_code < %s")
        values.extend((division_prefix, _after(division_prefix)))
    if after:
        key, last = read_cursor(after)
        conditions.append("(p.name_pinyin, p.person_id) > (%s, %s::uuid)")
        values.extend((key, last))
    rows = _rows(
        _SEARCH.format(where=" AND ".join([where, granted, *conditions])), [*params, *prefixes, *values, size + 1]
    )
    shown = rows[:size]
    _trace(
        actor,
        basis,
        "population.search_people",
        [row[0] for row in shown],
        _SEARCHED,
        now,
        by,
    )
    return SearchPage(
        hits=tuple(
            SearchHit(
                person_id=row[0],
                name_masked=masking.mask_name(row[1]),
                number_masked=masking.mask_number(row[2] or ""),
                sex=row[3],
                birth_year=row[4].year,
                division_code=row[5],
                status=row[6],
            )
            for row in shown
        ),
        next_after=write_cursor(shown[-1][7], shown[-1][0]) if len(rows) > size else "",
    )


def _conditions(
    *, name: str, pinyin: str, number: str, born_on: date | None, born_until: date | None
) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    if text := "".join(name.split()):
        conditions.append("p.name >= %s AND p.name < %s")
        values.extend((text, _after(text)))
    if key := plain_query(pinyin):
        conditions.append("(p.name_plain >= %s AND p.name_plain < %s OR p.name_initials = %s)")
        values.extend((key, _after(key), key))
    if digits := "".join(number.split()).upper():
        conditions.append(
            "p.person_id IN (SELECT x.person_id FROM population_identity_number x "
            "WHERE x.number = %s AND x.superseded_at IS NULL)"
        )
        values.append(digits)
    if born_on is not None and born_until is not None:
        if (born_until - born_on).days > 366:
            raise SearchTooBroad
        conditions.append("p.born_on >= %s AND p.born_on < %s")
        values.extend((born_on, born_until))
    elif born_on is not None:
        conditions.append("p.born_on = %s")
        values.append(born_on)
    return conditions, values


def _after(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


@read("population.list_household", database=DATABASE)
def list_household(
    *, household_id: UUID, fields: Iterable[str], actor: Actor, basis: Basis, now: datetime
) -> HouseholdRecord:
    """This function will return a household with its present members, the head first, and their named fields.

    A resident who is a member reads the fields of the household book. Raises `HouseholdNotFound` and as `get_person`.
    """
    names = _checked(fields)
    if not basis.is_stated:
        raise PurposeMissing
    found = _rows(
        "SELECT household_id, number, kind, division_code, address FROM population_household WHERE household_id = %s",
        [household_id],
    )
    members = _rows(
        "SELECT person_id, relation, valid_from FROM population_household_member WHERE household_id = %s "
        "AND superseded_at IS NULL AND valid_until IS NULL ORDER BY relation <> '02', relation, valid_from",
        [household_id],
    )
    people = _select([row[0] for row in members], names)
    if not found:
        access.require_person(actor=actor, basis=basis, person_ids=[household_id])
        raise HouseholdNotFound
    if actor.is_resident and not members:
        raise AccessRefused
    shown = ("household_number", "household_relation", "address", *names)
    by = _allow(actor, basis, people, shown, now)
    _trace(actor, basis, "population.list_household", people, ("household_relation", *names), now, by)
    _, number, kind, division_code, address = found[0]
    return HouseholdRecord(
        household_id=household_id,
        number=number,
        kind=kind,
        division_code=division_code,
        address=address,
        members=tuple(
            HouseholdMemberRecord(
                relation=relation, since_on=since, person=PersonRecord(person_id=key, values=people[key][1])
            )
            for key, relation, since in members
        ),
    )


@read("population.list_children", database=DATABASE)
def list_children(
    *, person_id: UUID, fields: Iterable[str], actor: Actor, basis: Basis, now: datetime
) -> tuple[PersonRecord, ...]:
    """This function will return the person's children, eldest first, with the named fields.

    A resident is shown their minor children only, and grown ones as far as they share a household. Raises as `get_person`.
    """
    names = _checked(fields)
    if not basis.is_stated:
        raise PurposeMissing
    rows = _rows(
        "SELECT c.other_person_id FROM population_relation c JOIN population_person p ON p.person_id = c.other_person_id "
        "WHERE c.person_id = %s AND c.kind = 'child' AND c.superseded_at IS NULL AND c.valid_until IS NULL "
        "ORDER BY p.born_on, p.person_id",
        [person_id],
    )
    ids = [row[0] for row in rows]
    access.require_person(actor=actor, basis=basis, person_ids=[person_id])
    people = _select(ids, names)
    if actor.is_resident:
        readable = _refuse_resident(actor, set(people), names, now) | {actor.person_id}
        people = {key: value for key, value in people.items() if key in readable}
    by = _allow(actor, basis, people, names, now)
    _trace(actor, basis, "population.list_children", people, names, now, by)
    return tuple(PersonRecord(person_id=key, values=people[key][1]) for key in ids if key in people)


@read("population.list_residences", database=DATABASE)
def list_residences(*, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> tuple[ResidenceRecord, ...]:
    """This function will return where a person was and is registered and stays, as the register believes now, newest first.

    Raises as `get_person`.
    """
    get_person(person_id=person_id, fields=["division_code", "address"], actor=actor, basis=basis, now=now)
    rows = _rows(
        "SELECT kind, division_code, address, valid_from, valid_until FROM population_residence "
        "WHERE person_id = %s AND superseded_at IS NULL ORDER BY valid_from DESC, id",
        [person_id],
    )
    _trace(actor, basis, "population.list_residences", [person_id], ("division_code", "address"), now)
    return tuple(
        ResidenceRecord(
            kind=ResidenceKind(row[0]), division_code=row[1], address=row[2], valid_from=row[3], valid_until=row[4]
        )
        for row in rows
    )


@read("population.get_birth_registration", database=DATABASE)
def get_birth_registration(*, effect_id: UUID, actor: Actor, basis: Basis, now: datetime) -> BirthRegistered | None:
    """This function will return what a birth registration gave, or None when that effect was never carried out.

    For the process that asked for it: the system, or staff who register there. Raises ``PurposeMissing``, ``AccessRefused``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    rows = _rows("SELECT result, registered_at FROM population_birth_registration WHERE effect_id = %s", [effect_id])
    if not rows:
        access.require(actor=actor, right="population.register")
        return None
    result = rows[0][0] if isinstance(rows[0][0], dict) else json.loads(rows[0][0])
    access.require(actor=actor, right="population.register", division_code=str(result["division_code"]))
    child = UUID(str(result["person_id"]))
    by = terms.decide(
        actor=actor,
        basis=basis,
        fields=("number", "household_id", "household_relation"),
        now=now,
        divisions=[str(result["division_code"])],
        subjects=1,
    )
    _trace(actor, basis, "population.get_birth_registration", [child], ("number", "household_id"), now, by)
    return BirthRegistered(
        registration_id=UUID(str(result["registration_id"])),
        person_id=child,
        number=str(result["number"]),
        household_id=UUID(str(result["household_id"])),
        household_relation=str(result["household_relation"]),
        division_code=str(result["division_code"]),
        is_late=bool(result["is_late"]),
        registered_on=local_date(rows[0][1]),
    )


@read("population.list_history", database=DATABASE)
def list_history(*, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> tuple[VersionRecord, ...]:
    """This function will return every version of a person's facts, in the order in which the register came to believe them.

    Superseded versions are among them: a correction is seen beside what it corrected. Raises as `get_person`.
    """
    get_person(person_id=person_id, fields=["status"], actor=actor, basis=basis, now=now)
    rows = _rows(
        "SELECT kind, valid_from, valid_until, recorded_at, superseded_at, facts FROM population_person_version "
        "WHERE person_id = %s ORDER BY recorded_at, valid_from, id",
        [person_id],
    )
    versions = tuple(
        VersionRecord(
            kind=row[0],
            valid_from=row[1],
            valid_until=row[2],
            recorded_at=row[3],
            superseded_at=row[4],
            facts=row[5] if isinstance(row[5], dict) else json.loads(row[5]),
        )
        for row in rows
    )
    names = sorted({name for version in versions for name in version.facts})
    by = terms.decide(actor=actor, basis=basis, fields=names, now=now, divisions=None, subjects=1)
    _trace(actor, basis, "population.list_history", [person_id], names, now, by)
    return versions


@read("population.get_person_as_of", database=DATABASE)
def get_person_as_of(
    *, person_id: UUID, valid_on: date, known_at: datetime, actor: Actor, basis: Basis, now: datetime
) -> VersionRecord | None:
    """This function will return the facts that held on ``valid_on`` as the register believed them at ``known_at``; None if none.

    Both clocks matter: a decision is judged by what the register said when it was made. Raises as `get_person`.
    """
    believed = [
        version
        for version in list_history(person_id=person_id, actor=actor, basis=basis, now=now)
        if version.recorded_at <= known_at and (version.superseded_at is None or known_at < version.superseded_at)
    ]
    timeline = [
        Version(valid_from=version.valid_from, valid_until=version.valid_until, facts=version.facts)
        for version in believed
    ]
    held = on_day(timeline, valid_on)
    return next((v for v in believed if held is not None and v.valid_from == held.valid_from), None)


def count_people(*, actor: Actor, now: datetime, division_prefix: str = "") -> int:
    """This function will return how many registered people the actor's right to search covers: a figure about nobody."""
    scope = access.require(actor=actor, right="population.search").scope
    where, params = scope.sql(organization_column="", division_column="p.division_code")
    if division_prefix:
        where += " AND p.division_code >= %s AND p.division_code < %s"
        params = [*params, division_prefix, _after(division_prefix)]
    rows = _rows(f"SELECT count(*) FROM population_person p WHERE p.status = 'registered' AND {where}", params)
    return int(rows[0][0])
