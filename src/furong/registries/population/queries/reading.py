"""How people are read: the columns of each field, the decision, and the trace. Private to `queries`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.terms import SharingDecision
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import record_read
from furong.foundation.codes import masking
from furong.foundation.codes.statements import all_rows

from .. import limits, terms
from ..errors import FieldUnknown
from ..ledger import local_date
from ..place import is_counter
from ..values import FIELDS, HOUSEHOLD_BOOK_FIELDS, SPOUSE_FIELDS, years_between

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


def rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return what a statement finds in the register."""
    return all_rows(sql, params, database=DATABASE)


def begin(*, actor: Actor, basis: Basis, what: str, now: datetime) -> None:
    """Refuse who states no purpose, and who asks ``what`` too often.

    Raises ``PurposeMissing``, ``TooManyAsked``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    limits.keep(actor=actor, what=what, now=now)


def checked(fields: Iterable[str]) -> tuple[str, ...]:
    """Return the names of fields, each once. Raises `FieldUnknown` for one that is none, or for no name."""
    names = tuple(dict.fromkeys(fields))
    for name in names:
        if name not in FIELDS:
            raise FieldUnknown(field=name)
    if not names:
        raise FieldUnknown("Name the fields you need.", field="")
    return names


Found = dict[UUID, tuple[str, dict[str, object]]]


def select(person_ids: Iterable[UUID], fields: tuple[str, ...]) -> Found:
    """Read the fields of some people in one statement; with each, the division that decides who may see it."""
    return _values(rows(_statement(fields, *_BY_KEY), [list(person_ids)]), fields)


def select_by_number(number: str, number_type: str, fields: tuple[str, ...]) -> Found:
    """Read the fields of whoever carries a number in force, in one statement."""
    sql = _statement(fields, *(_BY_NUMBER_HERE if is_counter() else _BY_NUMBER))
    return _values(rows(sql, [number.strip().upper(), number_type]), fields)


def kept_here(person: str) -> str:
    """Return the condition that a person is this register's: at a centre's own node, who moved away is not.

    The province needs none: its directory says which row speaks, also while somebody is on the way.
    """
    return f"{person}.status <> 'moved'" if is_counter() else "TRUE"


_BY_KEY = ("population_person p", "p.person_id = ANY(%s::uuid[])")
_BY_NUMBER = (
    "population_identity_number k JOIN population_person p ON p.person_id = k.person_id",
    "k.number = %s AND k.type = %s AND k.superseded_at IS NULL AND k.valid_until IS NULL",
)
_BY_NUMBER_HERE = (_BY_NUMBER[0], f"{_BY_NUMBER[1]} AND p.status <> 'moved'")


@lru_cache(maxsize=512)
def _statement(fields: tuple[str, ...], source: str, condition: str) -> str:
    joins = " ".join(sql for needs, sql in _JOINS.values() if needs & set(fields))
    columns = "".join(f", {_COLUMNS[name]}" for name in fields)
    return f"SELECT p.person_id, p.division_code{columns} FROM {source} {joins} WHERE {condition}"


def _values(found: Iterable[tuple[Any, ...]], fields: tuple[str, ...]) -> Found:
    people: Found = {}
    masked = [name for name in fields if name in _MASKS]
    for row in found:
        values = dict(zip(fields, row[2:], strict=True))
        for name in masked:
            values[name] = _MASKS[name](str(values[name] or ""))
        people[row[0]] = (row[1], values)
    return people


def readable_relatives(actor: Actor, person_ids: set[UUID], fields: tuple[str, ...], now: datetime) -> frozenset[UUID]:
    """Find those of the persons that a resident may read in these fields, besides themself and whom they act for."""
    if not actor.is_resident or actor.person_id is None:
        return frozenset()
    today, asked = local_date(now), set(fields)
    me = actor.person_id
    related: set[UUID] = set()
    for person_id, born_on, is_child, is_spouse, is_housemate in rows(_RELATIVES, [me, me, me, list(person_ids)]):
        if (
            (is_child and years_between(born_on, today) < _MAJORITY_YEARS)
            or (is_spouse and asked <= SPOUSE_FIELDS)
            or (is_housemate and asked <= HOUSEHOLD_BOOK_FIELDS)
        ):
            related.add(person_id)
    return frozenset(related)


def allow(
    actor: Actor, basis: Basis, found: Mapping[UUID, tuple[str, object]], fields: tuple[str, ...], now: datetime
) -> tuple[SharingDecision, ...]:
    """Ask the decision point about each of the people, by the division they are registered in, and about the fields."""
    if not found:
        access.require_person(actor=actor, basis=basis, person_ids=())
        return ()
    related = readable_relatives(actor, set(found), fields, now)
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


def trace(
    actor: Actor,
    basis: Basis,
    what: str,
    subjects: Iterable[UUID],
    fields: Iterable[str],
    now: datetime,
    by: Sequence[SharingDecision] = (),
) -> None:
    """Record that ``subjects`` were read by the query ``what``; see `record_read`."""
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
