"""A province and two centres: databases of the run's cluster, joined by replication, made once and emptied after each test."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connections
from psycopg import sql

from furong.foundation.events.connections import connect
from furong.registries.population import centres
from furong.registries.population.centres import replication
from tests import cluster
from tests.conftest import _make_template as make_template
from tests.conftest import _migrate as migrate
from tests.conftest import _only_one as only_one

TWO = ("4301", "4302")
# A row that replication carries: once the province shows it, it shows everything before.
MARK = """
INSERT INTO population_household (household_id, number, kind, division_code, address, opened_on)
VALUES (gen_random_uuid(), %s, 'family', %s || '02001001', 'mark', '2026-01-01')
"""


class Province:
    """The centres that a test runs, by the commands that an operator's ``furong population centres`` runs."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = tuple(codes)
        self.own_name = f"furong_province_{cluster.WORKER}"

    def name(self, code: str) -> str:
        return f"furong_divided_{code}_{cluster.WORKER}"

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the divided register in the place of this worker's."""
        before = connections["population"].settings_dict["NAME"]
        connections["population"].close()
        connections["population"].settings_dict["NAME"] = self.own_name
        for code in self.codes:
            connections.settings[f"centre_{code}"] = {**connections.settings["population"], "NAME": self.name(code)}
        settings.POPULATION_CENTRES = frozenset(self.codes)
        centres.bind()
        try:
            yield
        finally:
            for code in self.codes:
                connections[f"centre_{code}"].close()
                del connections[f"centre_{code}"]
                del connections.settings[f"centre_{code}"]
            settings.POPULATION_CENTRES = frozenset()
            centres.bind()
            connections["population"].close()
            connections["population"].settings_dict["NAME"] = before

    def empty(self) -> None:
        """Take everything out again, once all of it has arrived."""
        with connect("population") as province:
            for code in self.codes:
                province.execute(sql.SQL("ALTER SUBSCRIPTION {} ENABLE").format(sql.Identifier(f"furong_{code}")))
                with connect(f"centre_{code}") as there:
                    there.execute(MARK, [f"mark-{code}", code])
            until = time.monotonic() + 20
            marks = "SELECT count(*) FROM public.population_household WHERE address = 'mark'"
            while province.execute(marks).fetchone() != (len(self.codes),):
                assert time.monotonic() < until, "the province never heard of all that its centres wrote"
                time.sleep(0.005)
        for alias in ("population", *(f"centre_{code}" for code in self.codes)):
            connections[alias].close()
            with connections[alias].cursor() as cursor:
                cursor.execute(cluster.EMPTY_TABLES)
            connections[alias].close()


@pytest.fixture(scope="package")
def made() -> Iterator[Province]:
    """The divided register; one at a time in a cluster, whose slots have one name each."""
    found, here = Province(TWO), cluster.cluster()
    template = make_template("template", migrate)["population"]
    with only_one("divided"):
        for name in (found.own_name, *map(found.name, found.codes)):
            here.clone_database(template=template, name=name)
        with found.in_place():
            for code in found.codes:
                centres.shape_centre(code)
            centres.shape_province(found.codes)
            for code in found.codes:
                replication.join(code, copy=False)
        yield found
        with found.in_place():
            for code in found.codes:
                replication.leave(code)


@pytest.fixture
def province(made: Province, database: dict[str, str]) -> Iterator[Province]:
    """A province and two centres, empty, beside an empty platform."""
    with made.in_place():
        yield made
        made.empty()


@pytest.fixture
def province_of_platform(made: Province, platform: dict[str, str]) -> Iterator[Province]:
    """A province and two centres, empty, beside the platform with its pack and accounts."""
    with made.in_place():
        yield made
        made.empty()
