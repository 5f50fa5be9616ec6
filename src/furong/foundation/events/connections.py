"""A plain psycopg connection to one of Django's databases, for claims, locks and LISTEN that must not share Django's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections


@contextmanager
def connect(database: str, *, patience_seconds: int = 0) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection in autocommit, closed at the end; give up after ``patience_seconds`` where they are named. About 5 ms."""
    params = connections[database].get_connection_params()
    if patience_seconds:
        params["connect_timeout"] = patience_seconds
    for name in ("cursor_factory", "context"):
        params.pop(name, None)
    with psycopg.connect(**params, autocommit=True) as connection:
        yield connection
