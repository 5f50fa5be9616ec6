"""Two centres, each a database of the run's cluster: clones of the migrated register, without replication."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections

from furong.registries.population import place
from furong.registries.population.moves import ports
from tests import cluster

SOURCE, DESTINATION = "centre_4302", "centre_4301"
CENTRES = (SOURCE, DESTINATION)


@contextmanager
def centres() -> Iterator[None]:
    """Two centres, and the ports that know them."""
    template = cluster.names("template")["population"]
    for alias in CENTRES:
        name = f"furong_{alias}_{cluster.WORKER}"
        cluster.cluster().clone_database(template=template, name=name)
        connections.settings[alias] = {**connections.settings["population"], "NAME": name}
    ports.bind(
        alias_of=lambda division: f"centre_{division[:4]}",
        registers=lambda: CENTRES,
        is_directed=lambda person_id, centre, version: False,
    )
    try:
        yield
    finally:
        ports.centres.reset()
        for alias in CENTRES:
            _roll_back_all(alias)
            connections[alias].close()
            del connections[alias]
            del connections.settings[alias]


def _roll_back_all(alias: str) -> None:
    """No clone can be made over a database that still has a prepared transaction."""
    connections[alias].close()
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")
        for (gid,) in cursor.fetchall():
            cursor.execute(f"ROLLBACK PREPARED '{gid}'")


@pytest.fixture
def two_centres(database: dict[str, str]) -> Iterator[None]:
    """Two centres with one who stands in the source when a test says nothing else."""
    with centres(), place.at(SOURCE):
        yield
