"""Which table lives in which database.

Population is its own database from the first commit (later one per city centre and one for the province). Each database has its
own audit and its own outbox and inbox, so that a command's entry and its events commit with it.
"""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db.backends.postgresql.base import DatabaseWrapper

from furong.registries.population.place import here

PLATFORM = "default"
POPULATION = "population"

# Apps whose tables exist in the population database; every other app lives on the platform only.
IN_POPULATION_ONLY = frozenset({"population"})
IN_EVERY_DATABASE = frozenset({"audit", "events"})


def is_register(alias: str) -> bool:
    """Say whether a database is a population register: the province's, or a centre's."""
    return alias == POPULATION or alias.startswith("centre_")


def look_before_use() -> None:
    """Have a kept connection looked at, instead of asked, before a request uses it.

    Django sends ``SELECT 1`` each time. A server that was stopped or killed has closed the socket, which shows without a
    round trip: nothing is ever there to be read from a connection at rest. Whatever else is wrong shows at the first use, and
    the connection is then made anew. Calling it again changes nothing.
    """
    DatabaseWrapper.is_usable = _is_usable  # type: ignore[assignment,method-assign]


_ask = DatabaseWrapper.is_usable


def _is_usable(self: DatabaseWrapper) -> bool:
    connection = self.connection
    if connection is None or connection.closed or connection.broken:
        return False
    if self.errors_occurred or not hasattr(select, "poll"):
        return bool(_ask(self))
    waiting = select.poll()
    try:
        waiting.register(connection.fileno(), select.POLLIN)
    except psycopg.Error:  # it was lost between two looks
        return False
    # Something to read: the end, or a notice. The server is asked which.
    return not waiting.poll(0) or bool(_ask(self))


class Router:
    """Django's database router: reads and writes of an app go to the database that holds it."""

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:
        return here() if model._meta.app_label in IN_POPULATION_ONLY else None

    def db_for_write(self, model: type[Any], **hints: Any) -> str | None:
        return here() if model._meta.app_label in IN_POPULATION_ONLY else None

    def allow_relation(self, left: Any, right: Any, **hints: Any) -> bool | None:
        return None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if app_label in IN_EVERY_DATABASE:
            return True
        return (app_label in IN_POPULATION_ONLY) == is_register(db)
