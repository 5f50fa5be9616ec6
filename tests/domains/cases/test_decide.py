"""Decisions, what they set in motion, and what a refusal means for the other items."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from furong.domains.cases import commands, models, twins
from furong.domains.cases.errors import ActNotAllowed, CaseClosed, ReasonMissing
from furong.domains.cases.values import ApplicationState, CaseState, EndReason
from furong.domains.processes import overseeing
from furong.domains.processes import queries as processes
from furong.domains.processes import tasks as process_tasks
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Scope
from tests.factories.newborn import World


def test_a_decision_within_the_limit_is_recorded_as_in_time(town: World) -> None:
    application_id = town.submit(items=("birth_certificate",), event="")
    case_id = town.case(application_id, "birth_certificate")
    commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
    commands.approve_case(case_id=case_id, opinion="核对一致", actor=town.hospital, now=town.now)
    case = models.Case.objects.get(id=case_id)
    assert (case.state, case.in_time, case.used_days) == (CaseState.APPROVED, True, 0)
    assert case.decided_by_account_id == town.hospital.account_id
    assert case.delivery_due_on == date(2026, 12, 7)
    town.run_jobs()
    case.refresh_from_db()
    assert case.state == CaseState.COMPLETED
    assert case.outputs["newborn.birth_certificate_number"]


def test_a_decision_after_the_limit_is_recorded_as_late(town: World) -> None:
    application_id = town.submit(items=("vaccination_record",), event="")
    case_id = town.case(application_id, "vaccination_record")
    commands.accept_case(case_id=case_id, actor=town.vaccination, now=town.now)
    due_on = town.lane(application_id, "vaccination_record").due_on
    town.on(due_on + timedelta(days=5))
    commands.approve_case(case_id=case_id, actor=town.vaccination, now=town.now)
    assert models.Case.objects.get(id=case_id).in_time is False


def test_accepting_and_deciding_in_one_sitting_leaves_both_documents(town: World) -> None:
    application_id = town.submit(items=("vaccination_record",), event="")
    case_id = town.case(application_id, "vaccination_record")
    commands.approve_case(case_id=case_id, actor=town.vaccination, now=town.now)
    kinds = set(models.Document.objects.filter(case_id=case_id).values_list("kind", flat=True))
    assert kinds == {"acceptance", "decision_approved"}
    town.run_jobs()
    assert town.lane(application_id, "vaccination_record").state is CaseState.COMPLETED


def test_nothing_is_decided_while_a_review_is_open(town: World) -> None:
    application_id = town.submit(items=("maternity_benefit",), event="")
    case_id = town.case(application_id, "maternity_benefit")
    commands.accept_case(case_id=case_id, actor=town.insurance, now=town.now)
    with pytest.raises(ActNotAllowed):
        commands.approve_case(case_id=case_id, actor=town.insurance, now=town.now)
    assert town.lane(application_id, "maternity_benefit").state is CaseState.IN_PROGRESS
    town.work(application_id, "maternity_benefit")
    assert town.lane(application_id, "maternity_benefit").state is CaseState.COMPLETED


def test_another_department_decides_nothing(town: World) -> None:
    application_id = town.submit(items=("vaccination_record",), event="")
    case_id = town.case(application_id, "vaccination_record")
    for actor in (town.police, town.mother, town.supervisor):
        with pytest.raises(AccessRefused):
            commands.approve_case(case_id=case_id, actor=actor, now=town.now)


def test_a_rejection_states_reason_and_remedies_and_closes_the_case(town: World) -> None:
    application_id = town.submit(items=("vaccination_record",), event="")
    case_id = town.case(application_id, "vaccination_record")
    with pytest.raises(ReasonMissing):
        commands.reject_case(case_id=case_id, reason="", actor=town.vaccination, now=town.now)
    commands.reject_case(case_id=case_id, reason="已在外省建证", actor=town.vaccination, now=town.now)
    town.run_jobs()
    lane = town.lane(application_id, "vaccination_record")
    assert (lane.state, lane.end_reason, lane.reason) == (CaseState.REJECTED, EndReason.REJECTED, "已在外省建证")
    assert any("行政复议" in r["zh"] for r in lane.remedies)
    assert any("诉讼" in r["zh"] for r in lane.remedies)
    assert town.view(application_id).state is ApplicationState.NOT_GRANTED
    with pytest.raises(CaseClosed):
        commands.approve_case(case_id=case_id, actor=town.vaccination, now=town.now)


def test_a_rejected_item_leaves_the_others_standing_and_ends_those_that_need_it(town: World) -> None:
    application_id = town.submit()
    town.work(application_id, "birth_certificate")
    town.consent(application_id)
    police_case = town.case(application_id, "household_registration")
    town.work(application_id, "household_registration", until="review")
    commands.reject_case(case_id=police_case, reason="父母一方信息存疑", actor=town.police, now=town.now)
    town.run_jobs()
    lanes = {lane.item_code: lane for lane in town.view(application_id).lanes}
    assert lanes["household_registration"].state is CaseState.REJECTED
    for dependent in ("medical_insurance_enrolment", "social_security_card"):
        assert lanes[dependent].state is CaseState.ABNORMAL_END
        assert lanes[dependent].end_reason == EndReason.PREREQUISITE_FAILED
        assert "单独重新申请" in lanes[dependent].remedies[0]["zh"]
        paper = models.Document.objects.get(case_id=lanes[dependent].case_id, kind="termination")
        assert paper.data["failed_item"]["zh"] == "出生户口登记"
    assert lanes["vaccination_record"].state is CaseState.SUBMITTED
    assert lanes["maternity_benefit"].state is CaseState.SUBMITTED
    town.work(application_id, "vaccination_record")
    assert town.lane(application_id, "vaccination_record").state is CaseState.COMPLETED
    told = next(e for e in town.view(application_id).timeline if e.code == "case.fail_prerequisite")
    assert "需要先办成“出生户口登记”" in told.text["zh"]


def test_a_clock_starts_only_when_the_prerequisites_are_in(town: World) -> None:
    application_id = town.submit()
    waiting = town.lane(application_id, "vaccination_record")
    assert waiting.state is CaseState.WAITING_PREREQUISITES
    assert models.Case.objects.get(id=waiting.case_id).received_on is None
    commands.run_due(now=town.on(date(2026, 12, 14)))
    assert town.lane(application_id, "vaccination_record").state is CaseState.WAITING_PREREQUISITES
    town.work(application_id, "birth_certificate")
    case = models.Case.objects.get(id=waiting.case_id)
    assert case.received_on == date(2026, 12, 14)
    assert case.acceptance_due_on == date(2026, 12, 21)


def test_a_hospital_that_never_answers_loses_nothing_and_becomes_an_incident(world: World) -> None:
    from furong.domains.processes import commands as process_commands

    twins.switch_twin(twin=twins.HOSPITAL, mode="unavailable")
    application_id = world.submit(items=("birth_certificate",), event="newborn", newborn__birth_division_code="430202")
    case_id = world.case(application_id, "birth_certificate")
    for _ in range(12):
        process_tasks.run_due(now=world.later(1))
    (incident,) = overseeing.list_incidents(scope=Scope(everything=True)).incidents
    assert incident.business_key == str(case_id)
    assert "twin_unavailable" in incident.detail
    # Nothing is lost: the department was silent, so the case counts as accepted, and goes on once the register answers.
    commands.run_due(now=world.now)
    assert world.lane(application_id, "birth_certificate").state is CaseState.ACCEPTED
    twins.switch_twin(twin=twins.HOSPITAL)
    process_commands.retry_incident(incident_id=incident.id, reason="医院系统恢复", actor=_system(), now=world.now)
    world.run_jobs()
    process_tasks.run_due(now=world.now)
    assert [t.kind for t in processes.list_tasks_of(business_key=str(case_id), only_open=True)] == ["decision"]


def _system() -> object:
    from furong.foundation.access.values import Actor

    return Actor.system("tests")


def test_what_a_department_does_not_answer_escalates(world: World) -> None:
    application_id = world.submit(items=("vaccination_record",), event="")
    case_id: UUID = world.case(application_id, "vaccination_record")
    process_tasks.run_due(now=world.later(10))
    (task,) = processes.list_tasks_of(business_key=str(case_id), only_open=True)
    assert task.escalated_at == world.now
