"""Which parts of tables by year are missing."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connections

# A part is made long before its year, so that a platform whose worker stood still for years has it all the same.
YEARS_AHEAD = 5

MISSING = """
SELECT t.relname, a.attname, y.year
  FROM pg_partitioned_table AS p
  JOIN pg_class AS t ON t.oid = p.partrelid AND t.relnamespace = 'public'::regnamespace
  JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = p.partattrs[0]
 CROSS JOIN generate_series(%(first)s::int, %(last)s::int) AS y(year)
 WHERE p.partstrat = 'r' AND p.partnatts = 1 AND a.atttypid = 'timestamptz'::regtype
   AND to_regclass(format('public.%%I', t.relname || '_' || y.year)) IS NULL
 ORDER BY y.year, t.relname
"""


def list_missing(*, database: str, now: datetime) -> list[tuple[str, str, int]]:
    """Return table, column and year of each part that this year or the next five lack; one statement."""
    year = now.astimezone(UTC).year
    with connections[database].cursor() as cursor:
        cursor.execute(MISSING, {"first": year, "last": year + YEARS_AHEAD})
        return [(str(table), str(column), int(found)) for table, column, found in cursor.fetchall()]
