"""The room's world: the Hunan pack with one couple and their newborn.

``world`` is fresh for each test; ``town`` is one for all tests of a module, each with applications of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.newborn import World, fill, forget


def _make() -> Iterator[World]:
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


@pytest.fixture
def world() -> Iterator[World]:
    """A world of the test's own."""
    yield from _make()


@pytest.fixture(scope="module")
def _shared() -> Iterator[World]:
    yield from _make()


@pytest.fixture
def town(_shared: World) -> World:
    """The module's world on its Monday, with whatever other tests of the module left in it."""
    return World(actors=_shared.actors)
