"""Numbers of notices and receipts: in order, without gaps, by organisation and year."""

from __future__ import annotations

from uuid import UUID

from furong.foundation.codes.statements import first_row
from furong.foundation.organizations import queries as organizations

# The row stays locked until the caller commits, so it is asked for last.
_NEXT = """
INSERT INTO payments_counter (key, value) VALUES (%s, 1)
ON CONFLICT (key) DO UPDATE SET value = payments_counter.value + 1
RETURNING value
"""


def number_of(*, organization_id: UUID, mark: str, year: int) -> str:
    """Mint a number such as ``荷塘区公安局缴〔2026〕12号``: office, kind, year, serial."""
    found = organizations.get_organization(organization_id=organization_id)
    row = first_row(_NEXT, [f"{organization_id}:{mark}:{year}"])
    serial = row[0] if row is not None else 0
    return f"{found.short_zh or found.name.zh}{mark}〔{year}〕{serial}号"
