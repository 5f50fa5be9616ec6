"""Who is registered at an address: households in the order of their addresses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read

from .. import terms
from ..cursors import read_cursor, write_cursor
from ..errors import SearchTooBroad
from ..naming import ADDRESS_FROM, ADDRESS_TO, address_key
from ..values import AddressPage, HouseholdHit
from .reading import DATABASE, begin, rows, trace
from .searching import BEST_NUMBER, LINE, SHOWN, after_prefix, hit

_LONGEST_PAGE = 50
_MEMBERS_SHOWN = 12  # of a household; a collective one has thousands
_COUNTY = 6  # digits
KEY = f"translate(h.address, '{ADDRESS_FROM}', '{ADDRESS_TO}')"  # as the index has it
_AT = f"""
SELECT h.household_id, h.number, h.kind, h.division_code, h.address, {KEY}
FROM population_household h
WHERE h.closed_on IS NULL AND h.division_code >= %s AND h.division_code < %s AND {KEY} >= %s AND {KEY} < %s AND {{where}}
ORDER BY h.division_code, {KEY}, h.household_id LIMIT %s
"""
_MEMBERS = f"""
SELECT {LINE}, h.household_id, many.members FROM unnest(%s::uuid[]) AS h(household_id)
CROSS JOIN LATERAL (SELECT count(*) AS members FROM population_household_member c WHERE c.household_id = h.household_id
  AND c.superseded_at IS NULL AND c.valid_until IS NULL) many
CROSS JOIN LATERAL (SELECT m.person_id, m.relation FROM population_household_member m WHERE m.household_id = h.household_id
  AND m.superseded_at IS NULL AND m.valid_until IS NULL ORDER BY m.relation <> '02', m.relation, m.person_id LIMIT %s) m
JOIN population_person p ON p.person_id = m.person_id
{BEST_NUMBER}
ORDER BY m.relation <> '02', m.relation, m.person_id
"""


@read("population.list_at_address", database=DATABASE)
def list_at_address(
    *,
    division_prefix: str,
    address: str,
    limit: int = 20,
    after: str = "",
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> AddressPage:
    """Return a page of open households whose address begins with ``address``, with who is registered there.

    ``division_prefix`` is a county's six digits or more. Spaces, width and case of letters do not matter. People come masked, the
    head first, at most twelve of a household beside their number; rows are those of the right ``population.search``. Each person
    shown is recorded. ``limit`` is 1 to 50. Raises `SearchTooBroad`, ``PurposeMissing``, ``AccessRefused``, ``TooManyAsked``.
    Each page is a range of an index within a village, and a look along one within a county (its entries, not its rows).
    """
    begin(actor=actor, basis=basis, what="population.list_at_address", now=now)
    scope = access.require(actor=actor, right="population.search").scope
    key = address_key(address)
    if len(division_prefix) < _COUNTY or not key:
        raise SearchTooBroad(mend="Give the county at least, and the beginning of the address.")
    size = max(1, min(limit, _LONGEST_PAGE))
    fields = (*SHOWN, "address", "household_number", "household_relation")
    by = terms.decide(actor=actor, basis=basis, fields=fields, now=now, divisions=None, subjects=size)
    where, params = scope.sql(organization_column="", division_column="h.division_code")
    granted, prefixes = terms.rows_of(by, division_column="h.division_code")
    values: list[object] = [division_prefix, after_prefix(division_prefix), key, after_prefix(key), *params, *prefixes]
    conditions = [where, granted]
    if after:
        conditions.append(f"(h.division_code, {KEY}, h.household_id) > (%s, %s, %s::uuid)")
        values.extend(read_cursor(after)[1])
    found = rows(_AT.format(where=" AND ".join(conditions)), [*values, size + 1])
    shown = found[:size]
    members: dict[UUID, list[Sequence[Any]]] = {}
    for row in rows(_MEMBERS, [[one[0] for one in shown], _MEMBERS_SHOWN]):
        members.setdefault(row[7], []).append(row)
    people = [row[0] for several in members.values() for row in several]
    trace(actor, basis, "population.list_at_address", people, fields, now, by)
    return AddressPage(
        households=tuple(
            HouseholdHit(
                household_id=one[0],
                number=one[1],
                kind=one[2],
                division_code=one[3],
                address=one[4],
                members=tuple(hit(row) for row in members.get(one[0], ())),
                member_count=members[one[0]][0][8] if one[0] in members else 0,
            )
            for one in shown
        ),
        next_after=write_cursor(0, (shown[-1][3], shown[-1][5], str(shown[-1][0]))) if len(found) > size else "",
    )
