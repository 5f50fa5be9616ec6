"""Looking for people: pages of masked lines, each a range of an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read
from furong.foundation.codes import masking

from .. import terms
from ..centres.values import CENTRE_DIGITS
from ..cursors import is_day, read_cursor, write_cursor
from ..errors import SearchTooBroad
from ..naming import plain_query
from ..values import SearchHit, SearchPage
from .reading import DATABASE, begin, kept_here, rows, trace

LONGEST_PAGE = 100
_LONGEST_RANGE_DAYS = 366
SHOWN = ("name_masked", "number_masked", "sex", "birth_year", "division_code", "status")
LINE = "p.person_id, p.name, n.number, p.sex, p.born_on, p.division_code, p.status"
# the number that names the person best: the citizen number before others, also of the dead
BEST_NUMBER = """LEFT JOIN LATERAL (SELECT x.number FROM population_identity_number x WHERE x.person_id = p.person_id
  AND x.superseded_at IS NULL ORDER BY x.valid_until IS NOT NULL, x.type, x.valid_from DESC LIMIT 1) n ON TRUE"""
_SEARCH = f"""
SELECT {LINE}, {{order}} FROM population_person p {BEST_NUMBER}
WHERE {{where}} ORDER BY {{order}}, p.person_id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class _Leg:
    """A part of a search that is one range of one index: its conditions, and the two columns before the key that order it."""

    condition: str
    values: tuple[object, ...]
    order: tuple[tuple[str, str], tuple[str, str]]  # column and type


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
    born_in: str = "",
    native_of: str = "",
    limit: int = 20,
    after: str = "",
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> SearchPage:
    """Return a page of people by name (whole or its beginning), pinyin or initials, number or birth date.

    At least one of the four is needed. The others narrow it, as do ``sex``, ``division_prefix``, ``born_in`` (division of birth)
    and ``native_of`` (籍贯), which are beginnings of division codes; ``born_until`` (exclusive) makes a range of ``born_on``, of
    at most a year where nothing else is given. Names and numbers come masked; rows are those of the actor's right
    ``population.search``. Who bears the whole name comes before names that begin so, the elder first; those of one birthday come
    by sound. ``limit`` is 1 to 100; ``after`` is the former page's ``next_after``. Each person shown is recorded. Raises
    `SearchTooBroad`, ``PurposeMissing``, ``AccessRefused``, ``TooManyAsked``. Each page is a range of an index; where little is
    left by what narrows it, a longer one.
    """
    begin(actor=actor, basis=basis, what="population.search_people", now=now)
    scope = access.require(actor=actor, right="population.search").scope
    size = max(1, min(limit, LONGEST_PAGE))
    asked = (*SHOWN, *(("born_place",) if born_in else ()), *(("native_place",) if native_of else ()))
    by = terms.decide(actor=actor, basis=basis, fields=asked, now=now, divisions=None, subjects=size)
    where, params = scope.sql(organization_column="", division_column="p.division_code")
    granted, prefixes = terms.rows_of(by, division_column="p.division_code")
    legs = _legs(name=name, pinyin=pinyin, number=number, born_on=born_on, born_until=born_until)
    narrowing, values = _narrowing(sex, division_prefix, born_in, native_of)
    where, params = " AND ".join([where, granted, kept_here("p"), *narrowing]), [*params, *prefixes, *values]
    first, last = read_cursor(after) if after else (0, None)
    hits: list[tuple[Any, ...]] = []
    for index in range(min(first, len(legs)), len(legs)):
        hits += [(index, *row) for row in _run(legs[index], where, params, last, size + 1 - len(hits))]
        last = None
        if len(hits) > size:
            break
    shown = hits[:size]
    trace(actor, basis, "population.search_people", [row[1] for row in shown], asked, now, by)
    return SearchPage(
        hits=tuple(hit(row[1:]) for row in shown),
        next_after=write_cursor(shown[-1][0], (str(shown[-1][8]), str(shown[-1][9]), str(shown[-1][1])))
        if len(hits) > size
        else "",
    )


def _run(
    leg: _Leg, where: str, params: Sequence[object], last: tuple[str, str, str] | None, limit: int
) -> list[tuple[Any, ...]]:
    order = ", ".join(column for column, _ in leg.order)
    values = [*params, *leg.values]
    where = f"{where} AND {leg.condition}"
    if last is not None:
        if any(kind == "date" and not is_day(key) for (_, kind), key in zip(leg.order, last, strict=False)):
            raise SearchTooBroad("The page asked for does not exist.")
        where += f" AND ({order}, p.person_id) > (%s::{leg.order[0][1]}, %s::{leg.order[1][1]}, %s::uuid)"
        values.extend(last)
    return rows(_SEARCH.format(where=where, order=order), [*values, limit])


def hit(row: Sequence[Any]) -> SearchHit:
    """Return a row of `LINE` masked."""
    return SearchHit(
        person_id=row[0],
        name_masked=masking.mask_name(row[1]),
        number_masked=masking.mask_number(row[2] or ""),
        sex=row[3],
        birth_year=row[4].year,
        division_code=row[5],
        status=row[6],
    )


def _legs(*, name: str, pinyin: str, number: str, born_on: date | None, born_until: date | None) -> list[_Leg]:
    """Make what is looked for into ranges of indexes; the first thing given leads, the others narrow it."""
    text, key, digits = "".join(name.split()), plain_query(pinyin), "".join(number.split()).upper()
    days = 0 if born_on is None or born_until is None else (born_until - born_on).days
    is_one_day = born_on is not None and born_until is None and not digits
    if days > _LONGEST_RANGE_DAYS and not (text or key or digits):
        raise SearchTooBroad
    narrowing: list[str] = []
    values: list[object] = []
    if digits:
        narrowing.append(
            "p.person_id IN (SELECT x.person_id FROM population_identity_number x "
            "WHERE x.number = %s AND x.superseded_at IS NULL)"
        )
        values.append(digits)
    if text:
        narrowing.append("p.name >= %s AND p.name < %s")
        values.extend((text, after_prefix(text)))
    if born_on is not None and born_until is not None:
        narrowing.append("p.born_on >= %s AND p.born_on < %s")
        values.extend((born_on, born_until))
    elif born_on is not None:
        narrowing.append("p.born_on = %s")
        values.append(born_on)
    if not key:
        if not narrowing:
            raise SearchTooBroad
        by_birth = is_one_day or (born_on is not None and not (text or digits))
        order = (_BORN, _PINYIN) if by_birth else (_NAME, _BORN)
        return [_Leg(" AND ".join(narrowing), tuple(values), order)]
    sounds, also = (key, after_prefix(key)), (*narrowing, "TRUE")
    # Two letters may begin a tenth of all names; nobody shares a day of birth with more than a few thousand.
    order = (_BORN, _PINYIN) if is_one_day else (_PLAIN, _BORN)
    return [
        _Leg(" AND ".join(["p.name_plain >= %s AND p.name_plain < %s", *also]), (*sounds, *values), order),
        _Leg(
            " AND ".join(["p.name_initials = %s AND NOT (p.name_plain >= %s AND p.name_plain < %s)", *also]),
            (key, *sounds, *values),
            (_BORN, _PINYIN),
        ),
    ]


_NAME, _PLAIN, _PINYIN = ("p.name", "text"), ("p.name_plain", "text"), ("p.name_pinyin", "text")
_BORN = ("p.born_on", "date")


def _narrowing(sex: str, division: str, born_in: str, native_of: str) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    if sex:
        conditions.append("p.sex = %s")
        values.append(sex)
    for column, prefix in (
        ("p.division_code", division),
        ("p.born_division_code", born_in),
        ("p.native_division_code", native_of),
    ):
        if prefix:
            conditions.append(f"{column} >= %s AND {column} < %s")
            values.extend((prefix, after_prefix(prefix)))
    if len(division) >= CENTRE_DIGITS and getattr(settings, "POPULATION_CENTRES", None):
        # The province keeps a city's people in one part; without this the ordered reading would go through all the others.
        conditions.append("p.centre = %s")
        values.append(division[:CENTRE_DIGITS])
    return conditions, values


def after_prefix(prefix: str) -> str:
    """Return the smallest text after every text that begins with ``prefix``."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def count_people(*, actor: Actor, now: datetime, division_prefix: str = "") -> int:
    """Return how many registered people the actor's right to search covers: a figure about nobody."""
    scope = access.require(actor=actor, right="population.search").scope
    where, params = scope.sql(organization_column="", division_column="p.division_code")
    if division_prefix:
        where += " AND p.division_code >= %s AND p.division_code < %s"
        params = [*params, division_prefix, after_prefix(division_prefix)]
    found = rows(f"SELECT count(*) FROM population_person p WHERE p.status = 'registered' AND {where}", params)
    return int(found[0][0])
