"""Nobody answers: a register outside that is silent, a department that leaves a step lying. Both are seen, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from furong.domains.cases import commands as cases
from furong.domains.cases import twins
from furong.domains.cases.values import CaseState
from furong.domains.processes import commands as processes
from furong.domains.processes import overseeing, tasks
from furong.domains.processes import queries as work
from furong.foundation.access.queries import scope
from tests.domains.cases.conftest import world  # noqa: F401 - the same small world
from tests.factories.newborn import World

pytestmark = pytest.mark.faults


@pytest.fixture
def switched(world: World) -> Iterator[World]:  # noqa: F811 - pytest's way to use a fixture
    """The world; what its test switched off answers again afterwards."""
    yield world
    twins.switch_twin(twin=twins.HOSPITAL)


def _submitted_in_silence(world: World) -> UUID:  # noqa: F811
    """The mother hands in, and then the hospitals' register falls silent before anybody has asked it for the record."""
    draft_id = world.draft()
    done = cases.submit_application(draft_id=draft_id, actor=world.mother, now=world.now)
    twins.switch_twin(twin=twins.HOSPITAL, mode="unavailable")
    world.run_jobs()
    return done.application_id


def _pass_time(world: World, minutes: int) -> None:  # noqa: F811
    """Let the worker's loop run every quarter of a minute for a while."""
    for _ in range(minutes * 4):
        world.now += timedelta(seconds=15)
        tasks.run_due(now=world.now)
    world.run_jobs()


def _signed_in(world: World, username: str) -> Client:  # noqa: F811
    from django.contrib.auth import get_user_model

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(get_user_model().objects.get(username=username))
    return client


def test_a_register_that_is_silent_for_a_moment_is_asked_again(switched: World) -> None:
    world = switched  # noqa: F811
    application_id = _submitted_in_silence(world)
    case_id = world.case(application_id, "birth_certificate")
    _pass_time(world, 2)
    assert work.list_tasks_of(business_key=str(case_id), only_open=True) == []
    assert (
        overseeing.list_incidents(scope=scope(actor=world.administrator, right="processes.administer")).incidents == ()
    )
    twins.switch_twin(twin=twins.HOSPITAL)
    _pass_time(world, 10)
    assert [t.kind for t in work.list_tasks_of(business_key=str(case_id), only_open=True)] == ["acceptance"]
    world.work(application_id, "birth_certificate")
    assert world.lane(application_id, "birth_certificate").state is CaseState.COMPLETED


def test_a_register_that_stays_silent_becomes_an_incident_that_is_seen_and_tried_again(switched: World) -> None:
    world = switched  # noqa: F811
    application_id = _submitted_in_silence(world)
    case_id = world.case(application_id, "birth_certificate")
    _pass_time(world, 60)
    found = overseeing.list_incidents(scope=scope(actor=world.administrator, right="processes.administer")).incidents
    assert [(one.business_key, one.element_id) for one in found] == [(str(case_id), "fetch")]
    page = _signed_in(world, "administrator").get("/work/supervision/incidents")
    assert page.status_code == 200
    assert "调取医院出生记录" in page.content.decode() or "fetch" in page.content.decode()
    assert world.lane(application_id, "birth_certificate").state is CaseState.SUBMITTED, (
        "the applicant has lost nothing"
    )

    twins.switch_twin(twin=twins.HOSPITAL)
    processes.retry_incident(incident_id=found[0].id, reason="医院系统已恢复", actor=world.administrator, now=world.now)
    world.run_jobs()
    world.work(application_id, "birth_certificate")
    assert world.lane(application_id, "birth_certificate").state is CaseState.COMPLETED


def test_a_department_that_never_answers_is_escalated_to_supervision(world: World) -> None:  # noqa: F811
    application_id = world.submit()
    case_id = world.case(application_id, "birth_certificate")
    tasks.run_due(now=world.now)
    [task] = work.list_tasks_of(business_key=str(case_id), only_open=True)
    assert task.escalated_at is None
    world.later(days=5)
    tasks.run_due(now=world.now)
    world.run_jobs()
    [task] = work.list_tasks_of(business_key=str(case_id), only_open=True)
    assert task.escalated_at is not None
    page = _signed_in(world, "hospital").get("/work/list?light=escalated")
    assert world.lane(application_id, "birth_certificate").number in page.content.decode()
    world.work(application_id, "birth_certificate")
    assert world.lane(application_id, "birth_certificate").state is CaseState.COMPLETED
