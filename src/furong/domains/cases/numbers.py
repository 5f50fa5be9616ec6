"""Numbers of applications, cases and documents: in order, unique under concurrency, and telling nothing about a person."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import connection

# A row per day and division, or per year and organisation. The row stays locked until the caller commits, so it is
# asked for last.
NEXT_SERIAL = """
INSERT INTO cases_counter (key, value) VALUES (%s, 1)
ON CONFLICT (key) DO UPDATE SET value = cases_counter.value + 1
RETURNING value
"""


def next_serial(key: str) -> int:
    """Return the next serial of ``key``, beginning with 1; it is taken only if the caller commits."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_SERIAL, [key])
        row = cursor.fetchone()
    return int(row[0])


def application_number(*, division_code: str, on: date, digits: int) -> str:
    """Mint an application number such as ``4302·2026·1122·00817``: division, year, day, serial
    of the day.
    """
    division = division_code[:digits]
    serial = next_serial(f"application:{division}:{on.isoformat()}")
    return f"{division}·{on:%Y}·{on:%m%d}·{serial:05d}"


def document_number(*, organization_id: UUID, office: str, mark: str, year: int) -> str:
    """Mint a document number such as ``荷塘区医保局受〔2026〕12号``: office, kind, year, serial.

    The serial runs within organisation, kind and year (党政机关公文处理工作条例 art. 9: 机关代字、年份、发文顺序号).
    """
    serial = next_serial(f"document:{organization_id}:{mark}:{year}")
    return f"{office}{mark}〔{year}〕{serial}号"
