"""Counts that stand whatever becomes of the transaction in which they were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def apart(text: str, params: dict[str, Any]) -> Sequence[object]:
    """Run and commit a statement whatever becomes of the transaction that may be open."""
    if not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(text, params)
            return tuple(cursor.fetchone() or ())
    given = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        given.pop(name, None)
    with psycopg.connect(**given, autocommit=True) as own:
        return tuple(own.execute(text, params).fetchone() or ())
