"""The room's world: the Hunan pack with one couple and their newborn, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.newborn import World, fill, forget


@pytest.fixture
def world() -> Iterator[World]:
    from django.db import connections

    from tests import conftest

    def migrate_and_fill() -> None:
        conftest._migrate()
        fill()

    made = conftest._clone(conftest._make_template("cases_template", migrate_and_fill))
    conftest._template_of_worker = "cases"
    forget()
    yield World()
    forget()
    for alias in made:
        connections[alias].close()
