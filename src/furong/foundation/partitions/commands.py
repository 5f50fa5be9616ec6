"""Makes the parts of tables by year. Called by the worker's housekeeping; safe to call at once from two places."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connections
from psycopg import sql

from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.partitions.queries import list_missing

# Steps of cases wait while a part is made; rather than let them, it is tried again an hour later.
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '3s'"
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('partitions', 24))"


def prepare_years(*, now: datetime, databases: tuple[str, ...] = ("default", "population")) -> int:
    """Make the parts that this year and the next five lack, in each database, and return how many.

    One statement a database when there is nothing to do, which is all but once a year. Rows that went to the rest meanwhile move
    to their year with it.
    """
    made = 0
    for name in databases:
        if list_missing(database=name, now=now):
            made += _make_years(database=name, actor=Actor.system("partitions"), now=now)
    return made


@command("partitions.make_years", database=None)
def _make_years(*, database: str, actor: Actor, now: datetime) -> int:
    connection = connections[database]
    with connection.cursor() as cursor:
        cursor.execute(LOCK_TIMEOUT)
        cursor.execute(ONE_AT_A_TIME)
        missing = list_missing(database=database, now=now)  # another may have made them while this one waited
        for table, column, year in missing:
            start, end = (datetime(y, 1, 1, tzinfo=UTC) for y in (year, year + 1))
            names = {
                "table": sql.Identifier(table),
                "part": sql.Identifier(f"{table}_{year}"),
                "rest": sql.Identifier(f"{table}_rest"),
                "column": sql.Identifier(column),
                "start": sql.Literal(start),
                "end": sql.Literal(end),
            }
            for statement in (_COPY, _CLOSE_REST, _MOVE, _ATTACH):
                cursor.execute(sql.SQL(statement).format(**names).as_string(cursor.connection))
    current().detail(parts=[f"{table}_{year}" for table, _, year in missing])
    return len(missing)


# A part is filled before it is attached: attaching refuses while the rest holds rows of its year.
_COPY = "CREATE TABLE {part} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
_CLOSE_REST = "LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE"
_MOVE = """
WITH moved AS (DELETE FROM {rest} WHERE {column} >= {start} AND {column} < {end} RETURNING *)
INSERT INTO {part} SELECT * FROM moved
"""
_ATTACH = "ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({start}) TO ({end})"
