"""The hospitals' register is silent while a mother applies: her word decides where it goes, and the record corrects it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from furong.domains.cases import commands, models, twins
from furong.domains.cases.errors import AlreadyAppliedFor, FormNotValid
from furong.domains.cases.values import CaseState
from furong.domains.processes import overseeing
from furong.domains.processes import queries as processes
from furong.domains.processes import tasks as process_tasks
from furong.foundation.access.values import Scope
from furong.foundation.organizations import queries as organizations
from furong.registries.population.models import BirthRegistration
from tests.factories.newborn import World

ELSEWHERE, RECORDED = "430103", "430200"  # a county of another city; where the twin's record is from


@pytest.fixture
def silent(world: World) -> Iterator[World]:
    twins.switch_twin(twin=twins.HOSPITAL, mode="unavailable")
    yield world
    twins.switch_twin(twin=twins.HOSPITAL)


def _hospital(division: str) -> UUID:
    found = organizations.find_responsible(department="hospital", division_code=division)
    assert found is not None
    return found.id


def _wait(world: World, minutes: int = 20) -> None:
    for _ in range(minutes * 2):
        world.now += timedelta(seconds=30)
        process_tasks.run_due(now=world.now)
    world.run_jobs()


def test_nothing_goes_to_the_applicants_own_county_while_nobody_says_where_the_child_was_born(silent: World) -> None:
    draft_id = silent.draft()
    with pytest.raises(FormNotValid) as refused:
        commands.submit_application(draft_id=draft_id, actor=silent.mother, now=silent.now)
    assert refused.value.params["fields"] == ["newborn.birth_division_code"]
    assert models.Draft.objects.get(id=draft_id).submitted_at is None


def test_the_place_that_is_stated_decides_and_is_shown_as_stated(silent: World) -> None:
    application_id = silent.submit(newborn__birth_division_code=ELSEWHERE)
    lane = silent.lane(application_id, "birth_certificate")
    assert lane.organization_id == _hospital(ELSEWHERE)
    answer = next(a for a in silent.view(application_id).answers if a.element == "newborn.birth_division_code")
    assert (answer.value, answer.source) == (ELSEWHERE, "applicant")
    assert "birth_record.record_id" in (models.Application.objects.get(id=application_id).awaited or [])


def test_once_the_register_answers_the_record_counts_and_the_hospital_of_the_record_gets_the_case(
    silent: World,
) -> None:
    world = silent
    application_id = world.submit(newborn__birth_division_code=ELSEWHERE)
    case_id = world.case(application_id, "birth_certificate")
    _wait(world, 2)
    assert processes.list_tasks_of(business_key=str(case_id), only_open=True) == []
    twins.switch_twin(twin=twins.HOSPITAL)
    _wait(world)
    lane = world.lane(application_id, "birth_certificate")
    assert lane.organization_id == _hospital(RECORDED)
    (task,) = processes.list_tasks_of(business_key=str(case_id), only_open=True)
    assert (task.kind, task.organization_id) == ("acceptance", _hospital(RECORDED))
    application = models.Application.objects.get(id=application_id)
    assert application.awaited is None
    assert application.answers["newborn.birth_division_code"]["value"] == RECORDED
    assert application.answers["newborn.birth_division_code"]["source"] == "register"
    assert application.answers["newborn.born_at"]["value"]
    told = next(e for e in world.view(application_id).timeline if e.code == "case.handed_on")
    assert "妇幼保健院" in told.text["zh"]
    # Everything that the other departments need of the record is there, and the child is registered.
    world.work(application_id, "birth_certificate")
    world.consent(application_id)
    world.work(application_id, "household_registration")
    assert world.lane(application_id, "household_registration").state is CaseState.COMPLETED
    assert BirthRegistration.objects.count() == 1
    assert overseeing.list_incidents(scope=Scope(everything=True)).incidents == ()


def test_a_birth_applied_for_in_silence_is_known_afterwards_and_not_taken_twice(silent: World) -> None:
    world = silent
    world.submit(newborn__birth_division_code=ELSEWHERE)
    twins.switch_twin(twin=twins.HOSPITAL)
    _wait(world)
    draft_id = world.draft()
    with pytest.raises(AlreadyAppliedFor):
        commands.submit_application(draft_id=draft_id, actor=world.mother, now=world.now)


def test_what_is_stated_counts_for_nothing_while_the_register_answers(world: World) -> None:
    application_id = world.submit(newborn__birth_division_code=ELSEWHERE)
    assert world.lane(application_id, "birth_certificate").organization_id == _hospital(RECORDED)
    answer = models.Application.objects.get(id=application_id).answers["newborn.birth_division_code"]
    assert (answer["value"], answer["source"]) == (RECORDED, "register")
