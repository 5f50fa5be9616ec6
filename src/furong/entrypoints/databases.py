"""Which table lives in which database.

Population is its own database from the first commit (later one per city centre and one for the province). Each database has its
own audit and its own outbox and inbox, so that a command's entry and its events commit with it.
"""

from __future__ import annotations

from typing import Any

PLATFORM = "default"
POPULATION = "population"

# Apps whose tables exist in the population database; every other app lives on the platform only.
IN_POPULATION_ONLY = frozenset({"population"})
IN_EVERY_DATABASE = frozenset({"audit", "events"})


class Router:
    """Django's database router: reads and writes of an app go to the database that holds it."""

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:
        return POPULATION if model._meta.app_label in IN_POPULATION_ONLY else None

    def db_for_write(self, model: type[Any], **hints: Any) -> str | None:
        return POPULATION if model._meta.app_label in IN_POPULATION_ONLY else None

    def allow_relation(self, left: Any, right: Any, **hints: Any) -> bool | None:
        return None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if app_label in IN_EVERY_DATABASE:
            return True
        return (app_label in IN_POPULATION_ONLY) == (db == POPULATION)
