"""The room's world: the Hunan pack with one couple and their newborn.

``world`` is fresh for each test; ``town`` is one for all tests of a module, each with applications of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.newborn import World, another_family, fill

# How many worlds were made: the databases are one worker's, so a test's own world replaces the module's.
_made = [0]


def _make() -> Iterator[World]:
    from django.db import connections

    from tests import conftest

    def migrate_and_fill() -> None:
        conftest._migrate()
        fill()

    made = conftest._clone(conftest._make_template("cases_template", migrate_and_fill))
    conftest._template_of_worker = "cases"
    _made[0] += 1
    yield World()
    conftest.forget()
    for alias in made:
        connections[alias].close()


@pytest.fixture
def world() -> Iterator[World]:
    """A world of the test's own."""
    yield from _make()


@pytest.fixture(scope="module")
def _shared() -> dict[str, int]:
    return {"made": -1, "families": 0}


@pytest.fixture
def town(_shared: dict[str, int]) -> Iterator[World]:
    """The module's world on its Monday, with a family of the test's own, and with whatever other tests have left in it."""
    from tests import conftest

    if _shared["made"] != _made[0] or conftest._template_of_worker != "cases":
        yield from _make()
        _shared["made"] = _made[0]
        return
    _shared["families"] += 1
    yield World(actors=another_family(_shared["families"]))  # noqa: PT022 - the other branch tears down
