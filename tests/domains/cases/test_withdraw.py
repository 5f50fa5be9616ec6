"""Withdrawal of one item or of the whole."""

from __future__ import annotations

import pytest

from furong.domains.cases import commands, models
from furong.domains.cases.errors import CaseClosed, NotYours, WithdrawalTooLate
from furong.domains.cases.values import ApplicationState, CaseState, EndReason
from furong.domains.processes import queries as processes
from tests.factories.newborn import World


def test_one_item_is_withdrawn_and_the_others_stand(town: World) -> None:
    application_id = town.submit()
    town.work(application_id, "birth_certificate")
    case_id = town.case(application_id, "vaccination_record")
    commands.withdraw_case(case_id=case_id, reason="回老家接种", actor=town.mother, now=town.now)
    lanes = {lane.item_code: lane for lane in town.view(application_id).lanes}
    assert lanes["vaccination_record"].state is CaseState.WITHDRAWN
    assert lanes["maternity_benefit"].state is CaseState.SUBMITTED
    assert lanes["household_registration"].state is CaseState.WAITING_PREREQUISITES
    assert processes.list_tasks_of(business_key=str(case_id), only_open=True) == []
    with pytest.raises(CaseClosed):
        commands.withdraw_case(case_id=case_id, actor=town.mother, now=town.now)


def test_items_that_need_the_withdrawn_one_end_with_the_reason(town: World) -> None:
    application_id = town.submit()
    commands.withdraw_case(case_id=town.case(application_id, "household_registration"), actor=town.mother, now=town.now)
    lanes = {lane.item_code: lane for lane in town.view(application_id).lanes}
    for item in ("medical_insurance_enrolment", "social_security_card"):
        assert lanes[item].state is CaseState.ABNORMAL_END
        assert lanes[item].end_reason == EndReason.PREREQUISITE_FAILED
    assert lanes["birth_certificate"].state is CaseState.SUBMITTED


def test_the_whole_application_is_withdrawn_as_far_as_nothing_is_decided(town: World) -> None:
    application_id = town.submit()
    town.work(application_id, "birth_certificate")
    withdrawn = commands.withdraw_application(
        application_id=application_id, reason="另行办理", actor=town.mother, now=town.now
    )
    assert len(withdrawn) == 5
    view = town.view(application_id)
    states = {lane.item_code: lane.state for lane in view.lanes}
    assert states.pop("birth_certificate") is CaseState.COMPLETED
    assert set(states.values()) == {CaseState.WITHDRAWN}
    assert view.state is ApplicationState.COMPLETED
    assert models.Consent.objects.filter(case__application_id=application_id, state="requested").count() == 0
    with pytest.raises(WithdrawalTooLate):
        commands.withdraw_application(application_id=application_id, actor=town.mother, now=town.now)


def test_what_is_decided_cannot_be_withdrawn(town: World) -> None:
    application_id = town.submit(items=("vaccination_record",), event="")
    case_id = town.case(application_id, "vaccination_record")
    commands.approve_case(case_id=case_id, actor=town.vaccination, now=town.now)
    with pytest.raises(WithdrawalTooLate):
        commands.withdraw_case(case_id=case_id, actor=town.mother, now=town.now)


def test_nobody_else_withdraws(town: World) -> None:
    application_id = town.submit(items=("vaccination_record",), event="")
    case_id = town.case(application_id, "vaccination_record")
    for actor in (town.father, town.vaccination):
        with pytest.raises(NotYours):
            commands.withdraw_case(case_id=case_id, actor=actor, now=town.now)
        with pytest.raises(NotYours):
            commands.withdraw_application(application_id=application_id, actor=actor, now=town.now)


def test_a_case_in_a_special_procedure_can_be_withdrawn(town: World) -> None:
    from furong.domains.cases.values.procedures import SpecialProcedure

    application_id = town.submit(items=("maternity_benefit",), event="")
    case_id = town.case(application_id, "maternity_benefit")
    commands.accept_case(case_id=case_id, actor=town.insurance, now=town.now)
    commands.pause_case(
        case_id=case_id,
        procedure=SpecialProcedure.HEARING,
        legal_basis="行政许可法第四十五条",
        actor=town.insurance,
        now=town.now,
    )
    commands.withdraw_case(case_id=case_id, actor=town.mother, now=town.later(2))
    assert models.Pause.objects.get(case_id=case_id).ended_on is not None
    assert town.lane(application_id, "maternity_benefit").state is CaseState.WITHDRAWN
