"""Joining a centre to the province, and parting them: slot, subscription, and the check that a centre sends nothing unknown."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connections
from psycopg import sql
from psycopg.conninfo import make_conninfo

from furong.foundation.events.connections import connect

from ..errors import CentreError
from ..place import PROVINCE
from .directory import statements
from .values import PUBLICATION, TABLES, Centre, alias_of


def address_of(code: str) -> str:
    """Return the connection string by which the province's server reaches a centre; never log it."""
    params: dict[str, Any] = connections[alias_of(code)].get_connection_params()
    wanted = {name: params[name] for name in ("host", "port", "dbname", "user", "password") if params.get(name)}
    return make_conninfo(**wanted, application_name=f"furong_{code}")


def check_columns(code: str) -> None:
    """Refuse when a centre's tables have columns that the province's lack: the province is migrated first.

    Raises `CentreError`, which names them.
    """
    names = [one.name for one in TABLES]
    with connect(alias_of(code)) as centre, connect(PROVINCE) as province:
        sent = set(centre.execute(statements("centre")["columns"], [names]).fetchall())
        held = set(province.execute(statements("centre")["columns"], [names]).fetchall())
    missing = sorted(f"{table}.{column}" for table, column, _ in sent - held)
    if missing:
        raise CentreError(
            f"The province lacks {', '.join(missing)}, which centre {code} sends; migrate the province first."
        )


def join(code: str, *, copy: bool = True) -> bool:
    """Subscribe the province to a centre; False when it was before.

    ``copy``: also what the centre holds already. Bulk loads are made before. The slot is made first: within one cluster the
    subscription would wait for itself otherwise. Raises `CentreError`.
    """
    centre = Centre(code)
    with connect(PROVINCE) as province:
        row = province.execute(
            "SELECT 1 FROM pg_subscription WHERE subname = %s AND subdbid = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())",
            [centre.slot],
        ).fetchone()
        if row is not None:
            _say_address(province, centre)
            return False
        check_columns(code)
        with connect(centre.alias) as there:
            there.execute(statements("centre")["make_slot"], [centre.slot, centre.slot])
        province.execute(
            sql.SQL(
                "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} "
                "WITH (create_slot = false, slot_name = {}, copy_data = {})"
            ).format(
                sql.Identifier(centre.slot),
                sql.Literal(address_of(code)),
                sql.Identifier(PUBLICATION),
                sql.Literal(centre.slot),
                sql.Literal(copy),
            )
        )
    return True


def _say_address(province: psycopg.Connection[Any], centre: Centre) -> None:
    """Tell the subscription where its centre is now; a port may have changed."""
    row = province.execute("SELECT subconninfo FROM pg_subscription WHERE subname = %s", [centre.slot]).fetchone()
    address = address_of(centre.code)
    if row is not None and row[0] != address:
        province.execute(
            sql.SQL("ALTER SUBSCRIPTION {} CONNECTION {}").format(sql.Identifier(centre.slot), sql.Literal(address))
        )


def leave(code: str) -> None:
    """End the subscription and drop the slot; rows stay on both sides. Repeatable."""
    centre = Centre(code)
    name = sql.Identifier(centre.slot)
    with connect(PROVINCE) as province:
        if province.execute("SELECT 1 FROM pg_subscription WHERE subname = %s", [centre.slot]).fetchone():
            province.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(name))
            province.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(name))
            province.execute(sql.SQL("DROP SUBSCRIPTION {}").format(name))
    with connect(centre.alias) as there:
        there.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active",
            [centre.slot],
        )
        for _ in range(50):
            try:
                there.execute(statements("centre")["drop_slot"], [centre.slot])
                return
            except psycopg.errors.ObjectInUse:
                there.execute("SELECT pg_sleep(0.1)")
    raise CentreError(f"The slot {centre.slot} is still in use.")
