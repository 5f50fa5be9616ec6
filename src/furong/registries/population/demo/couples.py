"""Which invented residents are married couples, for demonstrations that need parents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connections

from ..place import here

_COUPLES = """
SELECT r.other_person_id, r.person_id, coalesce(r.valid_from, %(today)s::date), w.division_code
FROM population_relation r
JOIN population_person w ON w.person_id = r.other_person_id AND w.sex = '2'
JOIN population_person h ON h.person_id = r.person_id AND h.sex = '1'
WHERE r.kind = 'spouse' AND r.evidence = 'demo' AND r.superseded_at IS NULL AND r.valid_until IS NULL
  AND w.born_on BETWEEN %(from)s AND %(until)s
ORDER BY r.other_person_id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Couple:
    """An invented wife and husband, the day they married, and where they are registered."""

    wife_id: UUID
    husband_id: UUID
    married_on: date
    division_code: str


def list_couples(*, today: date, limit: int, youngest: int = 21, eldest: int = 42) -> list[Couple]:
    """List invented couples whose wife's age lies between two ages, those the pack names first."""
    with connections[here()].cursor() as cursor:
        cursor.execute(
            _COUPLES,
            {
                "today": today,
                "from": date(today.year - eldest, 1, 1),
                "until": date(today.year - youngest, 12, 31),
                "limit": limit,
            },
        )
        return [Couple(wife_id=r[0], husband_id=r[1], married_on=r[2], division_code=r[3]) for r in cursor.fetchall()]
