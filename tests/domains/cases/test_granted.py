"""What registers of other departments filled in reaches a clerk only by a grant, and the reading names grant and purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from furong.domains.cases import queries
from furong.domains.cases.queries.granted import decide_answers
from furong.domains.catalogue import models as catalogue
from furong.domains.catalogue import queries as resources
from furong.domains.catalogue.grants import granting
from furong.foundation.access import queries as access
from furong.foundation.access import sharing, using
from furong.foundation.access.values import Actor, Basis
from furong.foundation.organizations import queries as organizations
from tests.factories.newborn import OFFICER, SYSTEM, World

ITEM = "vaccination_record"
BASIS = Basis(purpose="办理预防接种证")


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.05, raising=False)
    sharing.BOOK.forget()
    using.forget()
    yield
    sharing.BOOK.forget()


def _case(world: World, item: str = ITEM) -> UUID:
    return world.case(world.submit(items=(item,), event=""), item)


def _grants_of(department: str, resource: str) -> list[catalogue.Grant]:
    body = organizations.get_responsible(department=department, division_code="430000")
    return list(catalogue.Grant.objects.filter(organization_id=body.id, resource_code=resource, state="active"))


def _revoke(world: World, department: str, resource: str) -> None:
    for grant in _grants_of(department, resource):
        granting.revoke_grant(grant_id=grant.id, reason="不再需要", actor=SYSTEM, now=world.now)


def _trace(case_id: UUID) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT d.content FROM audit_entry e JOIN audit_detail d ON d.entry_id = e.id
                WHERE e.name = 'cases.case_view' AND e.object_id = %s ORDER BY e.seq DESC LIMIT 1""",
            [str(case_id)],
        )
        found: dict[str, Any] = json.loads(cursor.fetchone()[0])
    return found


def test_every_department_of_the_event_reads_what_its_service_needs_by_a_grant_and_no_more(world: World) -> None:
    application = world.submit()
    world.consent(application)
    walked = 0
    for item, officer in OFFICER.items():
        view = queries.case_view(
            case_id=world.case(application, item), actor=getattr(world, officer), basis=BASIS, now=world.now
        )
        filled = [one for one in view.answers if one.source == "register"]
        assert not [one.element for one in filled if one.withheld], item
        own = getattr(world, officer).organization_id
        sources = resources.sources_of(elements=[one.element for one in filled])
        walked += sum(_is_anothers(own, resource) for resource, _ in sources.values())
    assert walked > 10, "other departments' registers must be among what was read"


def _is_anothers(organization_id: UUID, resource: str) -> bool:
    department = organizations.find_department_of(organization_id=organization_id)
    return catalogue.Resource.objects.select_related("facet").get(code=resource).facet.department != department


def test_the_reading_of_a_case_names_the_grants_and_the_purpose(world: World) -> None:
    case_id = _case(world)
    queries.case_view(case_id=case_id, actor=world.vaccination, basis=BASIS, now=world.now)
    trace = _trace(case_id)
    assert trace["purpose"] == BASIS.purpose
    named = {one["resource"]: one for one in trace["detail"]["terms"]}
    assert named["population_persons"]["ground"] == "grant"
    assert named["population_persons"]["grant"] in {
        str(one.id) for one in _grants_of("disease_control", "population_persons")
    }
    assert "withheld" not in trace["detail"]


def test_without_a_grant_the_answer_is_withheld_in_pages_and_api_and_what_is_granted_stays(world: World) -> None:
    case_id = _case(world)
    before = queries.case_view(case_id=case_id, actor=world.vaccination, basis=BASIS, now=world.now)
    values = {one.element: one.value for one in before.answers}
    _revoke(world, "disease_control", "birth_records")
    after = queries.case_view(case_id=case_id, actor=world.vaccination, basis=BASIS, now=world.now)
    of_births = {
        element
        for element, (resource, _item) in resources.sources_of(elements=values).items()
        if resource == "birth_records"
    }
    withheld = {one.element for one in after.answers if one.withheld}
    assert withheld == of_births != set()
    for one in after.answers:
        if one.element in of_births:
            assert (one.value, one.withheld, one.resource_code) == (None, "access.grant_missing", "birth_records")
        else:
            assert one.value == values[one.element]
    trace = _trace(case_id)
    assert set(trace["detail"]["withheld"]) == of_births
    assert not of_births & set(trace["detail"]["fields"])


def test_what_the_applicant_typed_and_ones_own_register_are_bound_by_no_grant(world: World) -> None:
    case_id = _case(world, "household_registration") if False else _case(world)
    view = queries.case_view(case_id=case_id, actor=world.vaccination, basis=BASIS, now=world.now)
    typed = [one for one in view.answers if one.source == "applicant"]
    assert typed
    for resource in ("population_persons", "birth_records", "marriages", "birth_certificates"):
        _revoke(world, "disease_control", resource)
    view = queries.case_view(case_id=case_id, actor=world.vaccination, basis=BASIS, now=world.now)
    assert [one for one in view.answers if one.source == "applicant"] == typed
    police = world.police
    answers = {"mother.name": {"value": "甲", "source": "register"}}
    own = decide_answers(answers=answers, actor=police, basis=BASIS, division_code="430202", now=world.now)
    assert (own.withheld, [one.ground for one in own.decisions]) == ({}, ["provider"])


def test_a_grant_for_another_service_shows_nothing_here(world: World) -> None:
    answers = {"newborn.sex": {"value": "1", "source": "register"}}
    (resource, item) = resources.sources_of(elements=answers)["newborn.sex"]
    assert (resource, item) == ("birth_records", "sex")
    for service, shown in ((ITEM, True), ("maternity_benefit", False), ("", False)):
        basis = Basis(purpose="办理", case_id=UUID(int=1), item_code=service)
        found = decide_answers(
            answers=answers, actor=world.vaccination, basis=basis, division_code="430202", now=world.now
        )
        assert (not found.withheld) is shown, service
        assert found.shown(answers)["newborn.sex"]["value"] == ("1" if shown else None)


def test_an_item_that_no_grant_names_is_withheld_by_itself(world: World) -> None:
    answers = {
        code: {"value": "x", "source": "register"} for code in ("newborn.sex", "newborn.weight_g", "nobody.knows")
    }
    basis = Basis(purpose="办理", case_id=UUID(int=1), item_code=ITEM)
    found = decide_answers(answers=answers, actor=world.vaccination, basis=basis, division_code="430202", now=world.now)
    assert {element: one.code for element, one in found.withheld.items()} == {
        "newborn.weight_g": "access.item_not_granted"
    }


def test_a_list_of_many_cases_holds_nothing_that_is_granted_for_one_person_at_a_time(world: World) -> None:
    case_id = _case(world)
    officer: Actor = world.vaccination
    rows = list(
        queries.export_cases(
            scope=access.scope(actor=officer, right="cases.handle"),
            item_code=ITEM,
            actor=officer,
            basis=BASIS,
            now=world.now,
        )
    )
    assert rows
    held = {code for row in rows for code in row["answers"]}
    view = queries.case_view(case_id=case_id, actor=officer, basis=BASIS, now=world.now)
    for one in view.answers:
        source = resources.sources_of(elements=[one.element]).get(one.element)
        if one.source == "register" and source is not None:
            assert one.element not in held, one.element
        elif one.source == "applicant":
            assert one.element in held
