"""Publishing at the platform, subscribing at a node, and parting. For the operator's commands; nothing here asks for rights."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from furong.foundation.codes.statements import named_statements
from furong.foundation.replicas.errors import ReplicaError
from furong.foundation.replicas.values import OWN, OWN_COLUMN, WHOLE, name_of

_SQL = Path(__file__).resolve().parent / "sql" / "replicas.sql"
_PATIENCE_SECONDS = 60.0
Server = psycopg.Connection[Any]


@cache
def statements() -> Mapping[str, str]:
    """Return the room's named statements."""
    return named_statements(_SQL)


def publish(platform: Server, city: str) -> None:
    """Publish what the counter of a city needs, as the platform's tables are now. Repeatable."""
    text, name = statements(), name_of(city)
    known = platform.execute(text["published"], [name]).fetchone()
    platform.execute(
        sql.SQL(text["republish" if known else "publish"]).format(
            name=sql.Identifier(name),
            whole=sql.SQL(", ").join(sql.Identifier("public", table) for table in WHOLE),
            own=sql.Identifier("public", OWN),
            column=sql.Identifier(OWN_COLUMN),
            city=sql.Literal(city),
        )
    )


def check_columns(platform: Server, node: Server) -> None:
    """Refuse when the platform sends a column that the node's tables lack: nodes are migrated first.

    Raises `ReplicaError`, which names them.
    """
    names = [*WHOLE, OWN]
    sent = set(platform.execute(statements()["columns"], [names]).fetchall())
    held = set(node.execute(statements()["columns"], [names]).fetchall())
    missing = sorted(f"{table}.{column}" for table, column, _ in sent - held)
    if missing:
        raise ReplicaError(f"The node lacks {', '.join(missing)}, which the platform sends; migrate the node first.")


def is_subscribed(node: Server, city: str) -> bool:
    """Say whether the node takes the city's publication in."""
    return node.execute(statements()["subscribed"], [name_of(city)]).fetchone() is not None


def subscribe(platform: Server, node: Server, *, city: str, address: str) -> bool:
    """Have a migrated node take in what the platform publishes for its city; False when it did before.

    ``address`` is the connection string by which the node's server reaches the platform's database; it is kept in the node's
    catalogue. What the node's copies hold is thrown away first. The slot is made apart: within one cluster the subscription
    would wait for itself otherwise. Raises `ReplicaError`.
    """
    text, name = statements(), name_of(city)
    found = node.execute(text["subscribed"], [name]).fetchone()
    guard(node)
    if found is not None:
        if found[0] != address:
            node.execute(
                sql.SQL("ALTER SUBSCRIPTION {} CONNECTION {}").format(sql.Identifier(name), sql.Literal(address))
            )
        return False
    check_columns(platform, node)
    platform.execute(text["make_slot"], [name, name])
    with node.transaction():
        node.execute(text["as_replication"])
        tables = sql.SQL(", ").join(sql.Identifier("public", table) for table in (*WHOLE, OWN))
        node.execute(sql.SQL(text["empty"]).format(tables=tables))
    node.execute(
        sql.SQL(
            "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} "
            "WITH (create_slot = false, slot_name = {}, copy_data = true)"
        ).format(sql.Identifier(name), sql.Literal(address), sql.Identifier(name), sql.Literal(name))
    )
    return True


def guard(node: Server) -> None:
    """Have the copies at a node refuse whatever replication does not write. Repeatable."""
    text = statements()
    node.execute(text["guard"])
    for table in (*WHOLE, OWN):
        node.execute(sql.SQL(text["guard_table"]).format(table=sql.Identifier("public", table)))


def refresh(node: Server, city: str) -> None:
    """Have a subscription take in tables that were published since, after an upgrade. Repeatable."""
    node.execute(sql.SQL("ALTER SUBSCRIPTION {} REFRESH PUBLICATION").format(sql.Identifier(name_of(city))))


def wait_until_copied(node: Server, city: str) -> None:
    """Wait until a node holds a first copy of everything. Raises `ReplicaError` after a minute."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        row = node.execute(statements()["copied"], [name_of(city)]).fetchone()
        if row is not None and row[0] == 0:
            return
        time.sleep(0.05)
    raise ReplicaError("The platform's tables did not arrive within a minute; the node's server log says why.")


def part(node: Server, platform: Server | None, *, city: str) -> None:
    """End a node's subscription, and drop the platform's slot where it can be reached. Repeatable.

    A slot that nobody reads keeps the platform's log until ``max_slot_wal_keep_size``.
    """
    name = sql.Identifier(name_of(city))
    if is_subscribed(node, city):
        node.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(name))
        node.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(name))
        node.execute(sql.SQL("DROP SUBSCRIPTION {}").format(name))
    if platform is None:
        return
    for _ in range(50):
        platform.execute(statements()["drop_slot"], [name_of(city)])
        slot = platform.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [name_of(city)]).fetchone()
        if slot is None:
            break
        time.sleep(0.1)
    platform.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(name))
