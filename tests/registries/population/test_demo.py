"""Invented residents: fast, whole, the same for the same seed, and nobody real."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from furong.foundation.codes.identity_numbers import parse_identity_number
from furong.registries.population import queries
from furong.registries.population.demo import load_residents, person_id
from furong.registries.population.errors import DemoInProductionError
from tests.registries.population.people import NOW, SYSTEM, WHY, Couple, birth, child

PACK = Path(__file__).resolve().parents[3] / "packs" / "hunan"
pytestmark = pytest.mark.usefixtures("database")


def load(count=600, seed=7):
    return load_residents(pack=PACK, count=count, seed=seed, actor=SYSTEM, now=NOW)


def rows(sql, *params):
    with connections["population"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def test_the_count_asked_for_is_loaded_once():
    assert load().people == 600
    assert load().people == 0
    assert rows("SELECT count(*) FROM population_person") == [(600,)]


def test_every_number_is_valid_invented_unique_and_fits_its_person():
    load()

    found = rows(
        "SELECT n.number, p.born_on, p.sex, p.division_code FROM population_identity_number n "
        "JOIN population_person p USING (person_id)"
    )
    for number, born_on, sex, division in found:
        parsed = parse_identity_number(number, allow_reserved=True, today=date(2026, 3, 10))
        assert parsed.is_reserved
        assert (parsed.birth_on, parsed.sex) == (born_on, sex)
        assert parsed.division_code[:4] == division[:4]
    assert len({row[0] for row in found}) == 600


def test_every_household_has_one_head_and_parents_are_old_enough():
    load()

    assert rows(
        "SELECT count(*) FROM population_household h WHERE (SELECT count(*) FROM population_household_member m "
        "WHERE m.household_id = h.household_id AND m.relation = '02') <> 1"
    ) == [(0,)]
    gaps = rows(
        "SELECT extract(year FROM age(c.born_on, p.born_on))::int FROM population_relation r "
        "JOIN population_person c ON c.person_id = r.person_id JOIN population_person p ON p.person_id = r.other_person_id "
        "WHERE r.kind IN ('mother', 'father')"
    )
    assert len(gaps) > 150
    assert min(gap for (gap,) in gaps) >= 18
    assert max(gap for (gap,) in gaps) <= 60


def test_relations_stand_on_both_sides():
    load()

    assert rows(
        "SELECT count(*) FROM population_relation r WHERE NOT EXISTS (SELECT 1 FROM population_relation b "
        "WHERE b.person_id = r.other_person_id AND b.other_person_id = r.person_id "
        "AND b.kind = CASE WHEN r.kind IN ('mother', 'father') THEN 'child' ELSE b.kind END)"
    ) == [(0,)]
    assert rows(
        "SELECT count(*) FROM population_relation a JOIN population_person p USING (person_id) "
        "JOIN population_person q ON q.person_id = a.other_person_id WHERE a.kind = 'spouse' AND p.sex = q.sex"
    ) == [(0,)]


def test_the_west_of_the_province_has_its_own_peoples():
    load(3000)

    ((share,),) = rows(
        "SELECT avg((ethnicity IN ('15', '06'))::int)::float8 FROM population_person WHERE division_code LIKE '4331%%'"
    )
    ((elsewhere,),) = rows(
        "SELECT avg((ethnicity IN ('15', '06'))::int)::float8 FROM population_person WHERE division_code LIKE '4302%%'"
    )
    assert share > 0.5 > 0.25 > elsewhere


def test_the_same_seed_gives_the_same_people_and_another_seed_others(database):
    def people():
        return rows("SELECT person_id, name, born_on, division_code FROM population_person ORDER BY person_id")

    load(300)
    first = people()
    _empty()
    load(300)
    assert people() == first
    _empty()
    load(300, seed=8)
    assert people() != first


def _empty():
    with connections["population"].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE population_person, population_household, population_change CASCADE")
        cursor.execute("SET session_replication_role = origin")


def test_the_people_of_the_stories_are_there_with_their_family():
    load()

    home = queries.list_household(
        household_id=queries.get_person(
            person_id=person_id("mother"), fields=["household_id"], actor=SYSTEM, basis=WHY, now=NOW
        )["household_id"],
        fields=["name", "number"],
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )
    assert [(m.person["name"], m.relation) for m in home.members] == [
        ("周亦衡", "02"),
        ("李芷宁", "12"),
        ("贺玉兰", "52"),
    ]
    two_cities = queries.get_person(
        person_id=person_id("father_of_two_cities"),
        fields=["division_code", "spouse_id"],
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )
    assert two_cities["division_code"].startswith("4331")
    assert two_cities["spouse_id"] == person_id("mother_of_two_cities")


def test_a_child_of_the_demo_gets_an_invented_number():
    load()
    mother = queries.get_person(
        person_id=person_id("mother"), fields=["household_id", "number"], actor=SYSTEM, basis=WHY, now=NOW
    )
    family = Couple(mother=person_id("mother"), father=person_id("father"), household=mother["household_id"])

    born = birth(family, record="Y430000001", child=child("周沐芷"))

    assert born.number[:6] == mother["number"][:6]
    assert born.household_relation == "32"


def test_invented_people_stay_out_of_production(monkeypatch):
    monkeypatch.setattr(settings, "PRODUCTION", True)

    with pytest.raises(DemoInProductionError):
        load()


def test_twenty_thousand_are_loaded_in_seconds():
    started = time.process_time()

    loaded = load(20_000)

    assert loaded.people == 20_000
    assert time.process_time() - started < 4  # our share of the work; wall time depends on who else runs
