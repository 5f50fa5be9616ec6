"""A migration that comes after the register was divided: the province first, then the centres, then both show it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from django.apps import apps
from django.db import connections, migrations, models
from django.db.migrations.state import ProjectState

from furong.foundation.events.connections import connect
from furong.registries.population.centres import replication, shaping
from furong.registries.population.errors import CentreError
from tests.registries.population.centres.conftest import Province
from tests.registries.population.centres.test_centres import ZHUZHOU, wait_for
from tests.registries.population.people import household, person

ADD = migrations.AddField("person", "nickname", models.TextField(null=True))


def migrate(alias: str) -> None:
    """What ``furong migrate`` does for one later migration of the register."""
    before = ProjectState.from_apps(apps)
    after = before.clone()
    ADD.state_forwards("population", after)
    with connections[alias].cursor() as cursor:
        cursor.execute("SET search_path = public")
    with connections[alias].schema_editor() as editor:
        ADD.database_forwards("population", editor, before, after)
    connections[alias].close()


def read(alias: str, text: str) -> list[tuple[object, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(text)
        return list(cursor.fetchall())


@pytest.fixture
def as_before(province: Province) -> Iterator[Province]:
    """The divided register, which has its columns of before when the test is over."""
    yield province
    for alias in (*(f"centre_{code}" for code in province.codes), "population"):
        with connect(alias) as there:
            there.execute("ALTER TABLE public.population_person DROP COLUMN nickname CASCADE")
    assert shaping.reshape(province.codes)


def test_a_column_that_comes_later_reaches_parts_views_and_links(as_before: Province) -> None:
    province = as_before
    someone = person("曾晓雅", sex="2", born_on=date(1992, 8, 9), household=household(division=ZHUZHOU))
    migrate("centre_4302")
    with pytest.raises(CentreError, match=r"population_person\.nickname"):
        replication.check_columns("4302")  # the centre came first: it would send what the province lacks
    migrate("population")
    migrate("centre_4301")
    replication.check_columns("4302")
    assert shaping.reshape(province.codes)
    with connections["centre_4302"].cursor() as cursor:
        cursor.execute("UPDATE population_person SET nickname = '阿雅' WHERE person_id = %s", [someone])
    wait_for(lambda: read("population", "SELECT nickname FROM provincial.population_person") == [("阿雅",)])
    assert read("population", "SELECT count(*) FROM public.population_person_4301") == [(0,)]
