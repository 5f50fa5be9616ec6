"""A province and centres of its own for each test: databases of the run's cluster, joined by replication."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connections

from furong.registries.population import centres
from furong.registries.population.centres import replication
from tests import cluster
from tests.conftest import _make_template as make_template
from tests.conftest import _migrate as migrate
from tests.conftest import _only_one as only_one

TWO = ("4301", "4302")


class Province:
    """The centres that a test runs, by the commands that an operator's ``furong population centres`` runs."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = tuple(codes)

    def name(self, code: str) -> str:
        return f"furong_centre_{code}_{cluster.WORKER}"


@pytest.fixture
def province(database: dict[str, str]) -> Iterator[Province]:
    """A province and two centres, empty, beside an empty platform."""
    with divided() as made:
        yield made


@pytest.fixture
def province_of_platform(platform: dict[str, str]) -> Iterator[Province]:
    """A province and two centres, empty, beside the platform with its pack and accounts."""
    with divided() as made:
        yield made


@contextmanager
def divided() -> Iterator[Province]:
    """Put a divided register in the place of this worker's; one at a time, for a cluster's slots have one name each."""
    with only_one("divided"):
        yield from _divided()


def _divided() -> Iterator[Province]:
    made = Province(TWO)
    here = cluster.cluster()
    template = make_template("template", migrate)["population"]
    province_name = f"furong_province_{cluster.WORKER}"
    before = connections["population"].settings_dict["NAME"]
    connections["population"].close()
    here.clone_database(template=template, name=province_name)
    connections["population"].settings_dict["NAME"] = province_name
    for code in made.codes:
        here.clone_database(template=template, name=made.name(code))
        alias = f"centre_{code}"
        connections.settings[alias] = {**connections.settings["population"], "NAME": made.name(code)}
    settings.POPULATION_CENTRES = frozenset(made.codes)
    centres.bind()
    for code in made.codes:
        centres.shape_centre(code)
    centres.shape_province(made.codes)
    for code in made.codes:
        replication.join(code, copy=False)
    yield made
    for code in made.codes:
        replication.leave(code)
        connections[f"centre_{code}"].close()
        del connections.settings[f"centre_{code}"]
    settings.POPULATION_CENTRES = frozenset()
    centres.bind()
    connections["population"].close()
    connections["population"].settings_dict["NAME"] = before
