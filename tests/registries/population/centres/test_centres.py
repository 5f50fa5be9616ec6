from __future__ import annotations

from datetime import date

from django.db import connections

from furong.registries.population import queries
from furong.registries.population.centres import directory
from tests.registries.population.centres.conftest import Province
from tests.registries.population.people import NOW, SYSTEM, WHY, household, person


def test_who_is_registered_at_a_centre_is_read_at_the_province_at_once(province: Province) -> None:
    home = household(division="430202001001")
    mother = person("曾晓雅", sex="2", born_on=date(1992, 8, 9), household=home)
    assert directory.centre_of_person(mother) == "4302"
    record = queries.get_person(person_id=mother, fields=["name", "number", "address"], actor=SYSTEM, basis=WHY, now=NOW)
    assert record.values["name"] == "曾晓雅"
    with connections["centre_4301"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM population_person")
        assert cursor.fetchone() == (0,)
