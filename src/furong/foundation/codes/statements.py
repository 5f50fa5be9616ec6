"""Running a statement on Django's connection without the layers between Django and psycopg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connections


def execute(text: str, params: Sequence[object], *, database: str = "default") -> psycopg.Cursor[Any]:
    """This function will run ``text`` in the transaction that is open on ``database``, or commit it at once when none is.

    For statements of which every command runs several: the layers cost the client as much as the statement. What they guard
    against, a transaction that will be rolled back whatever is done in it, is looked for here too. Raises Django's database
    errors. Costs one round trip; from its fifth time on a connection the statement is prepared.
    """
    django = connections[database]
    django.ensure_connection()
    django.validate_no_broken_transaction()
    with django.wrap_database_errors:
        return psycopg.Cursor(django.connection).execute(text, params)
