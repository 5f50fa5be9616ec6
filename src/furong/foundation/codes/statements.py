"""Statements: named ones read from a file, and one run on Django's connection without the layers between Django and psycopg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from django.db import connections

_cursors: WeakKeyDictionary[Any, psycopg.Cursor[Any]] = WeakKeyDictionary()


@cache
def named_statements(path: Path) -> Mapping[str, str]:
    """Read a file of statements: ``-- name: x``, a sentence in comments, the text."""
    found: dict[str, str] = {}
    for part in path.read_text(encoding="utf-8").split("-- name: ")[1:]:
        name, _, rest = part.partition("\n")
        lines = [line for line in rest.splitlines() if not line.startswith("--")]
        found[name.strip()] = "\n".join(lines).strip()
    return found


def first_row(
    text: str, params: Sequence[object] | Mapping[str, object], *, database: str = "default"
) -> tuple[Any, ...] | None:
    """Run ``text`` in the transaction open on ``database``, or commit it at once, and return its first row.

    None when it gives no row. For statements of which every command runs several: the layers cost the client as much as the
    statement. What they guard against, a transaction that will be rolled back whatever is done in it, is looked for here too.
    Raises Django's database errors. Costs one round trip; from its fifth time on a connection the statement is prepared.
    """
    found = _run(text, params, database, every=False)
    return found[0] if found else None


def all_rows(
    text: str, params: Sequence[object] | Mapping[str, object], *, database: str = "default"
) -> list[tuple[Any, ...]]:
    """Run ``text`` as `first_row` does and return all its rows."""
    return _run(text, params, database, every=True)


def _run(
    text: str, params: Sequence[object] | Mapping[str, object], database: str, *, every: bool
) -> list[tuple[Any, ...]]:
    django = connections[database]
    django.ensure_connection()
    django.validate_no_broken_transaction()
    raw = django.connection
    cursor = _cursors.get(raw)
    if cursor is None:  # one for each connection: it remembers how values of each type are sent
        cursor = _cursors[raw] = psycopg.Cursor(raw)
    with django.wrap_database_errors:
        if django.queries_logged:  # somebody counts statements
            with django.cursor() as counted:
                counted.execute(text, cast("Sequence[Any]", params))
                return _rows_of(counted, every=every) if counted.description else []
        cursor.execute(text, params)
        told = cursor.pgresult  # a cursor's description is made anew, column by column, each time it is asked for
        return _rows_of(cursor, every=every) if told is not None and told.nfields else []


def _rows_of(cursor: Any, *, every: bool) -> list[tuple[Any, ...]]:
    if every:
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
    row = cursor.fetchone()
    return [] if row is None else [row]
