"""Looking for people: pages of masked lines, each a range of an index."""

from __future__ import annotations

from datetime import date, datetime

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read
from furong.foundation.codes import masking

from .. import terms
from ..cursors import read_cursor, write_cursor
from ..errors import SearchTooBroad
from ..naming import plain_query
from ..values import SearchHit, SearchPage
from .reading import DATABASE, rows, trace

_LONGEST_PAGE = 100
_SEARCHED = ("name_masked", "number_masked", "sex", "birth_year", "division_code", "status")
_SEARCH = """
SELECT p.person_id, p.name, n.number, p.sex, p.born_on, p.division_code, p.status, p.name_pinyin
FROM population_person p
LEFT JOIN LATERAL (SELECT x.number FROM population_identity_number x WHERE x.person_id = p.person_id
  AND x.superseded_at IS NULL ORDER BY x.valid_until IS NOT NULL, x.type, x.valid_from DESC LIMIT 1) n ON TRUE
WHERE {where} ORDER BY p.name_pinyin, p.person_id LIMIT %s
"""


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
    found = rows(
        _SEARCH.format(where=" AND ".join([where, granted, *conditions])), [*params, *prefixes, *values, size + 1]
    )
    shown = found[:size]
    trace(
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
        next_after=write_cursor(shown[-1][7], shown[-1][0]) if len(found) > size else "",
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


def count_people(*, actor: Actor, now: datetime, division_prefix: str = "") -> int:
    """This function will return how many registered people the actor's right to search covers: a figure about nobody."""
    scope = access.require(actor=actor, right="population.search").scope
    where, params = scope.sql(organization_column="", division_column="p.division_code")
    if division_prefix:
        where += " AND p.division_code >= %s AND p.division_code < %s"
        params = [*params, division_prefix, _after(division_prefix)]
    found = rows(f"SELECT count(*) FROM population_person p WHERE p.status = 'registered' AND {where}", params)
    return int(found[0][0])
