"""One birth, one application: what is applied for again is refused at the door, and ends clearly where the door did not know."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from django.db import connections

from furong.domains.cases import commands, models, twins
from furong.domains.cases.errors import AlreadyAppliedFor
from furong.domains.cases.values import CaseState, EndReason
from furong.domains.processes import overseeing
from furong.domains.processes import queries as processes
from furong.foundation.access.values import Scope
from furong.registries.licences.models import Licence
from furong.registries.population.models import BirthRegistration
from tests.factories.newborn import OFFICER, SYSTEM, World


def _nobody_knew_the_birth(*items: str) -> None:
    """As after a submission while the hospitals' register was silent."""
    models.Case.objects.filter(item_code__in=items).update(matter="")


def _incidents(application_id: UUID) -> list[object]:
    keys = {str(k) for k in models.Case.objects.filter(application_id=application_id).values_list("id", flat=True)}
    return [i for i in overseeing.list_incidents(scope=Scope(everything=True)).incidents if i.business_key in keys]


def test_the_same_birth_applied_for_again_is_refused_with_what_stands_and_nothing_is_made(town: World) -> None:
    first = town.submit()
    draft_id = town.draft()
    made = models.Application.objects.count(), models.Case.objects.count()
    with pytest.raises(AlreadyAppliedFor) as refused:
        commands.submit_application(draft_id=draft_id, actor=town.mother, now=town.now)
    assert len(refused.value.names) == 6
    assert refused.value.application_id == first
    assert refused.value.number == models.Application.objects.get(id=first).number
    assert (models.Application.objects.count(), models.Case.objects.count()) == made
    draft = models.Draft.objects.get(id=draft_id)
    assert draft.submitted_at is None
    assert draft.answers["newborn.name"] == "周念荷"


def test_the_father_is_refused_too_and_learns_nothing_of_an_application_that_is_not_his(town: World) -> None:
    town.submit(items=("birth_certificate",), event="")
    draft_id = town.draft(items=("birth_certificate",), event="", by="father")
    with pytest.raises(AlreadyAppliedFor) as refused:
        commands.submit_application(draft_id=draft_id, actor=town.father, now=town.now)
    assert refused.value.application_id is None
    assert refused.value.number == ""


def test_what_ended_without_its_result_is_applied_for_again_and_what_was_left_out_is_added(town: World) -> None:
    first = town.submit(items=("vaccination_record",), event="")
    town.submit(items=("social_security_card",), event="")
    commands.withdraw_application(application_id=first, actor=town.mother, now=town.now)
    again = town.submit(items=("vaccination_record",), event="")
    assert town.lane(again, "vaccination_record").state is CaseState.SUBMITTED


def test_two_drafts_of_one_birth_handed_in_at_once_become_one_application(town: World) -> None:
    drafts = [town.draft() for _ in range(4)]
    mother, before = town.mother, models.Application.objects.count()
    refused: list[AlreadyAppliedFor] = []

    def send(draft_id: UUID) -> None:
        try:
            commands.submit_application(draft_id=draft_id, actor=mother, now=town.now)
        except AlreadyAppliedFor as refusal:
            refused.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(d,)) for d in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    assert models.Application.objects.count() == before + 1


def test_a_certificate_issued_before_is_not_accepted_again_and_says_where_it_is(town: World) -> None:
    first = town.submit(items=("birth_certificate",), event="")
    town.work(first, "birth_certificate")
    _nobody_knew_the_birth("birth_certificate")
    second = town.submit(items=("birth_certificate",), event="")
    lane = town.lane(second, "birth_certificate")
    assert (lane.state, lane.end_reason) == (CaseState.NOT_ACCEPTED, EndReason.NOT_ACCEPTED)
    assert "此前已经签发" in lane.reason
    assert "我的证照" in lane.reason
    assert lane.remedies
    assert [d.kind for d in town.view(second).documents] == ["non_acceptance"]
    assert _incidents(second) == []


def test_a_certificate_that_another_case_issues_between_check_and_issue_ends_the_second_case_and_no_incident(
    town: World,
) -> None:
    first = town.submit()
    _nobody_knew_the_birth(*OFFICER)
    second = town.submit()
    licences = Licence.objects.count()
    town.work(first, "birth_certificate")
    town.work(second, "birth_certificate")
    lane = town.lane(second, "birth_certificate")
    assert (lane.state, lane.end_reason) == (CaseState.ABNORMAL_END, EndReason.NOT_CARRIED_OUT)
    assert "此前已经签发" in lane.reason
    assert town.lane(first, "birth_certificate").state is CaseState.COMPLETED
    assert Licence.objects.count() == licences + 1
    # What needed the second certificate ends with it, and the first application goes on.
    assert town.lane(second, "household_registration").state is CaseState.ABNORMAL_END
    town.consent(first)
    town.work(first, "household_registration")
    assert town.lane(first, "household_registration").state is CaseState.COMPLETED
    assert _incidents(first) + _incidents(second) == []


def test_a_child_registered_before_ends_the_second_registration_with_its_reason(town: World) -> None:
    first = town.submit()
    town.work(first, "birth_certificate")
    town.consent(first)
    _nobody_knew_the_birth("household_registration")
    second = town.submit(items=("household_registration",), event="")
    number = town.view(first).outputs["newborn.birth_certificate_number"]
    application = models.Application.objects.get(id=second)
    assert application.answers["newborn.birth_certificate_number"]["value"] == number
    town.consent(second)
    town.work(first, "household_registration")
    before = BirthRegistration.objects.count()
    town.work(second, "household_registration")
    lane = town.lane(second, "household_registration")
    assert (lane.state, lane.end_reason) == (CaseState.ABNORMAL_END, EndReason.NOT_CARRIED_OUT)
    assert "此前已经登记" in lane.reason
    assert BirthRegistration.objects.count() == before
    assert town.lane(first, "household_registration").state is CaseState.COMPLETED
    assert _incidents(second) == []


def test_a_birth_that_no_hospital_knows_is_not_granted_by_the_end_of_the_search(town: World) -> None:
    models.HospitalBirth.objects.filter(mother_person_id=town.mother.person_id).delete()
    application_id = town.submit(items=("birth_certificate",), event="", newborn__birth_division_code="430200")
    case_id = town.case(application_id, "birth_certificate")
    (task,) = processes.list_tasks_of(business_key=str(case_id), only_open=True)
    assert task.outcomes == ("found", "none")
    commands.complete_step(task_id=task.id, outcome="none", actor=SYSTEM, now=town.now)
    town.run_jobs()
    lane = town.lane(application_id, "birth_certificate")
    assert lane.state is CaseState.NOT_ACCEPTED
    assert "没有查到" in lane.reason
    assert not Licence.objects.filter(case_id=case_id).exists()
    assert twins.HospitalTwin().find_latest(mother_person_id=town.mother.person_id) is None
