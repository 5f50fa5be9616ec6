"""The tables of a centre and of the province, made from those that the migrations make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from furong.foundation.events.connections import connect

from ..errors import CentreError
from ..place import PROVINCE
from .directory import statements
from .values import PUBLICATION, TABLES, Table, alias_of

_UNIQUE = re.compile(r"^CREATE UNIQUE INDEX")
# What keeps the directory: the function, and on which rows of the part it runs.
_FOLLOWED = {
    "population_person": ("population_direct_person", "INSERT OR UPDATE"),
    "population_identity_number": ("population_direct_number", "INSERT OR UPDATE OR DELETE"),
}


def shape_centre(code: str) -> None:
    """Make the migrated database of a centre say whose its rows are, and publish them. Repeatable.

    Costs no rewriting of rows.
    """
    text = statements("centre")
    with connect(alias_of(code)) as connection, connection.transaction():
        for table in TABLES:
            connection.execute(sql.SQL(text["own"]).format(table=sql.Identifier(table.name), code=sql.Literal(code)))
            if table.is_of_person:
                connection.execute(sql.SQL(text["identify"]).format(table=sql.Identifier(table.name)))
        known = {row[0] for row in connection.execute(text["published"], []).fetchall()}
        names = sql.SQL(", ").join(sql.Identifier("public", one.name) for one in TABLES)
        publication = sql.Identifier(PUBLICATION)
        if not known:
            connection.execute(sql.SQL("CREATE PUBLICATION {} FOR TABLE {}").format(publication, names))
        elif known != {one.name for one in TABLES}:
            connection.execute(sql.SQL("ALTER PUBLICATION {} SET TABLE {}").format(publication, names))
        # A TRUNCATE that a centre sent would empty the province's table with the parts of all others.
        connection.execute(sql.SQL("ALTER PUBLICATION {} SET (publish = 'insert, update, delete')").format(publication))


def shape_province(codes: Sequence[str]) -> None:
    """Part the province's migrated tables by centre, and make directory, triggers and the readers' views.

    Repeatable; further centres get their parts. Raises `CentreError` when the one store holds people already: they are exported,
    and imported at their centres.
    """
    text = statements("province")
    with connect(PROVINCE) as connection:
        with connection.transaction():
            connection.execute("SET LOCAL search_path = public")
            if not _is_parted(connection, TABLES[0]):
                ((filled,),) = connection.execute(text["is_filled"], []).fetchall()
                if filled:
                    raise CentreError("The one store holds people; export them, and import them at their centres.")
            connection.execute(text["directory"])
            connection.execute(text["functions"])
            for table in TABLES:
                if not _is_parted(connection, table):
                    _part(connection, table)
                for code in codes:
                    _add_part(connection, table, code)
                    _follow(connection, table, code)
                if table.is_of_person:
                    connection.execute(sql.SQL(text["view"]).format(table=sql.Identifier(table.name)))
        name = connection.info.dbname
        for setting in ("search_path = provincial, public", "plan_cache_mode = force_generic_plan"):
            connection.execute(sql.SQL("ALTER DATABASE {} SET " + setting).format(sql.Identifier(name)))


def reshape(codes: Sequence[str]) -> bool:
    """Bring views, parts and publications in line with the tables after a migration; False where the province
    was never parted. Repeatable: for ``furong migrate``, the province first.
    """
    with connect(PROVINCE) as connection:
        if not _is_parted(connection, TABLES[0]):
            return False
    shape_province(codes)
    for code in codes:
        shape_centre(code)
    return True


def _is_parted(connection: psycopg.Connection[Any], table: Table) -> bool:
    row = connection.execute(statements("province")["is_parted"], [f"public.{table.name}"]).fetchone()
    return bool(row and row[0])


def _part(connection: psycopg.Connection[Any], table: Table) -> None:
    """Put a parted table in the place of a plain, empty one: the same columns and indexes, none of them unique across parts."""
    found = connection.execute(statements("province")["indexes"], [f"public.{table.name}"]).fetchall()
    old, new = sql.Identifier("public", table.name), sql.Identifier("public", f"{table.name}_parted")
    connection.execute(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS, centre text NOT NULL) PARTITION BY LIST (centre)").format(
            new, old
        )
    )
    connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(old))
    connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(new, sql.Identifier(table.name)))
    for _name, definition in found:
        connection.execute(_UNIQUE.sub("CREATE INDEX", definition))


def _add_part(connection: psycopg.Connection[Any], table: Table, code: str) -> None:
    part = f"{table.name}_{code}"
    row = connection.execute("SELECT to_regclass(%s)", [f"public.{part}"]).fetchone()
    if row is not None and row[0] is not None:
        return
    connection.execute(
        sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES IN ({})").format(
            sql.Identifier("public", part), sql.Identifier("public", table.name), sql.Literal(code)
        )
    )
    # The key by which replication finds a row to change; unique within the part, as it is in the centre.
    connection.execute(
        sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(sql.Identifier("public", part), sql.Identifier(table.key))
    )


def _follow(connection: psycopg.Connection[Any], table: Table, code: str) -> None:
    """Have the directory follow a part; one that was followed otherwise before, too."""
    if table.name in _FOLLOWED:
        function, events = _FOLLOWED[table.name]
        connection.execute(
            sql.SQL(statements("province")["follow"]).format(
                part=sql.Identifier(f"{table.name}_{code}"),
                events=sql.SQL(events),
                trigger=sql.Identifier(function),
                function=sql.Identifier(function),
            )
        )
