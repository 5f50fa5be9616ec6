"""Use and benefit are counted from what was really read under grants, and tell nobody of what they must not know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from furong.domains.catalogue.needs import figures
from furong.domains.catalogue.needs.figures import Figures, ResourceFigures
from furong.foundation.access import sharing, using
from furong.foundation.access.values import Actor, Basis, PostRight
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as organizations
from furong.registries.population import demo
from furong.registries.population import queries as population
from tests.domains.catalogue.test_queries import HIDDEN, STRANGER, staff

pytestmark = pytest.mark.usefixtures("platform")

NOW = timezone.now()  # the demo's grants begin with the demo
PERSONS = "population_persons"  # the demo's grants let human resources read it


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.05, raising=False)
    sharing.BOOK.forget()
    using.forget()
    yield
    sharing.BOOK.forget()


def clerk() -> Actor:
    body = organizations.get_responsible(department="human_resources", division_code="430202")
    rights = [PostRight(right="population.read", everywhere=True)]
    return replace(staff(*rights), organization_id=body.id, organization_label=body.name.zh)


def read(person: str, case_id: UUID, fields: tuple[str, ...] = ("name",)) -> None:
    population.get_person(
        person_id=demo.person_id(person),
        fields=fields,
        actor=clerk(),
        basis=Basis(purpose="社保卡申领", legal_basis="社会保险法 第七十四条", case_id=case_id),
        now=NOW,
    )


def of(found: Figures, code: str = PERSONS) -> ResourceFigures:
    return next(one for one in found.resources if one.line.code == code)


def test_readings_under_grants_are_counted_as_people_cases_and_materials_of_the_day() -> None:
    actor = clerk()
    before = of(figures.figures(actor=actor, now=NOW))
    assert before.use.grants >= 2
    one, other = new_id(), new_id()
    for person, case_id in (("mother", one), ("father", one), ("mother", other), ("mother", other)):
        read(person, case_id)
    using.flush()  # what a process does every few seconds
    figures.measure_use(now=NOW)
    figures.measure_use(now=NOW)  # counts anew, adds nothing
    found = figures.figures(actor=actor, now=NOW)
    served = of(found).served
    assert (served.people, served.cases, served.enterprises, served.materials) == (2, 2, 0, 2)
    assert served.calls == 4
    assert found.served.cases == 2
    police = next(one for one in found.departments if one.department == "police")
    assert (police.served.people, police.served.calls) == (2, 4)
    assert of(found).use.used >= 1
    assert of(found).use.unused == of(found).use.grants - of(found).use.used
    year = figures.figures(actor=actor, now=NOW + timedelta(days=365))
    assert year.served.calls == 0, "what lies a year back is no longer counted"


def test_cases_of_enterprises_are_told_apart_by_the_room_that_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    firm, person = new_id(), new_id()
    monkeypatch.setattr(figures, "_enterprise_cases", [lambda cases: {firm} & set(cases)])
    read("mother", firm)
    read("father", person)
    figures.measure_use(now=NOW)
    served = of(figures.figures(actor=clerk(), now=NOW)).served
    assert (served.cases, served.enterprises) == (2, 1)


def test_a_reading_by_ones_own_department_is_no_sharing() -> None:
    body = organizations.get_responsible(department="police", division_code="430202")
    own = replace(
        staff(PostRight(right="population.read", everywhere=True)),
        organization_id=body.id,
        organization_label=body.name.zh,
    )
    basis = Basis(purpose="落户", legal_basis="户口登记条例", case_id=new_id())
    population.get_person(person_id=demo.person_id("mother"), fields=("name",), actor=own, basis=basis, now=NOW)
    figures.measure_use(now=NOW)
    assert figures.figures(actor=own, now=NOW).served.people == 0


def test_a_stranger_learns_nothing_of_what_is_not_open_and_no_small_number() -> None:
    for _ in range(2):
        read("mother", new_id())
    figures.measure_use(now=NOW)
    inside = figures.figures(actor=clerk(), now=NOW)
    outside = figures.figures(actor=STRANGER, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, audience FROM catalogue_resource WHERE live")
        audiences = dict(cursor.fetchall())
    assert outside.live == sum(one == 0 for one in audiences.values()) < inside.live
    assert all(audiences[one.line.code] == 0 for one in outside.resources)
    assert all(audiences[one.line.code] <= 1 for one in inside.resources)
    assert HIDDEN not in repr(inside) + repr(outside)
    if audiences[PERSONS] > 0:
        assert outside.served.calls == 0, "readings of what is not open are not counted outside"
        assert outside.use.grants < inside.use.grants
    numbers = [one.served for one in (*outside.resources, *outside.departments, outside)]
    assert all(not 0 < count < figures.LEAST_PUBLIC for one in numbers for count in (one.people, one.cases))


def test_the_clauses_of_what_is_not_open_are_counted_for_what_the_reader_may_know_of() -> None:
    inside = figures.exceptions(actor=clerk())
    outside = figures.exceptions(actor=STRANGER)
    assert inside
    assert all(one.law["zh"] and one.clause["zh"] and one.resources > 0 for one in inside)
    assert sum(one.resources for one in outside) <= sum(one.resources for one in inside)
    assert [one.resources for one in inside] == sorted((one.resources for one in inside), reverse=True)
