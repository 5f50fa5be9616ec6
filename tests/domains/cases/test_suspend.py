"""Special procedures stop the clock, with their legal basis (行政许可法 art. 45)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from furong.domains.cases import commands, models
from furong.domains.cases.errors import ActNotAllowed, LegalBasisMissing
from furong.domains.cases.values import CaseState, Light
from furong.domains.cases.values.procedures import SpecialProcedure
from furong.domains.processes import queries as processes
from tests.factories.newborn import World

ITEM = "maternity_benefit"
LAW = "社会保险法第七十九条"


def _accepted(town: World) -> tuple[UUID, UUID]:
    application_id = town.submit(items=(ITEM,), event="")
    case_id = town.case(application_id, ITEM)
    commands.accept_case(case_id=case_id, actor=town.insurance, now=town.now)
    return application_id, case_id


def test_a_hearing_stops_the_clock_and_every_deadline_until_it_ends(town: World) -> None:
    application_id, case_id = _accepted(town)
    before = town.lane(application_id, ITEM).due_on
    commands.pause_case(
        case_id=case_id,
        procedure=SpecialProcedure.APPRAISAL,
        legal_basis=LAW,
        reason="病历需鉴定",
        actor=town.insurance,
        now=town.on(date(2026, 11, 24)),
    )
    lane = town.lane(application_id, ITEM)
    assert (lane.state, lane.due_on, lane.light) == (CaseState.PAUSED, None, Light.STOPPED)
    assert all(t.due_at is None for t in processes.list_tasks_of(business_key=str(case_id), only_open=True))
    town.on(date(2026, 12, 31))
    assert town.lane(application_id, ITEM).light is Light.STOPPED
    commands.run_due(now=town.now)
    assert models.Case.objects.get(id=case_id).light_told == ""

    commands.resume_case(case_id=case_id, actor=town.insurance, now=town.on(date(2026, 12, 8)))
    after = town.lane(application_id, ITEM)
    assert after.state is CaseState.IN_PROGRESS
    # Ten working days from 24 November to 8 December are not counted.
    from furong.foundation.calendar import queries as calendars

    assert calendars.current().working_days_between(before, after.due_on) == 10
    assert all(t.due_at for t in processes.list_tasks_of(business_key=str(case_id), only_open=True))
    clock = models.Case.objects.get(id=case_id).clock
    assert clock["segments"][0]["legal_basis"] == LAW
    assert models.Document.objects.filter(case_id=case_id, kind="special_procedure").count() == 1


def test_a_pause_without_a_legal_basis_is_refused(town: World) -> None:
    _, case_id = _accepted(town)
    with pytest.raises(LegalBasisMissing):
        commands.pause_case(
            case_id=case_id,
            procedure=SpecialProcedure.HEARING,
            legal_basis=" ",
            actor=town.insurance,
            now=town.now,
        )


def test_a_case_is_not_paused_before_acceptance_nor_twice_nor_resumed_while_it_runs(town: World) -> None:
    application_id = town.submit(items=(ITEM,), event="")
    case_id = town.case(application_id, ITEM)

    def pause() -> None:
        commands.pause_case(
            case_id=case_id,
            procedure=SpecialProcedure.HEARING,
            legal_basis=LAW,
            actor=town.insurance,
            now=town.now,
        )

    with pytest.raises(ActNotAllowed):
        pause()
    commands.accept_case(case_id=case_id, actor=town.insurance, now=town.now)
    with pytest.raises(ActNotAllowed):
        commands.resume_case(case_id=case_id, actor=town.insurance, now=town.now)
    pause()
    with pytest.raises(ActNotAllowed):
        pause()


def test_nothing_is_decided_or_stepped_while_a_procedure_runs(town: World) -> None:
    _, case_id = _accepted(town)
    commands.pause_case(
        case_id=case_id,
        procedure=SpecialProcedure.HEARING,
        legal_basis=LAW,
        actor=town.insurance,
        now=town.now,
    )
    (task,) = processes.list_tasks_of(business_key=str(case_id), only_open=True)
    with pytest.raises(ActNotAllowed):
        commands.complete_step(task_id=task.id, outcome="passed", actor=town.insurance, now=town.now)
    with pytest.raises(ActNotAllowed):
        commands.approve_case(case_id=case_id, actor=town.insurance, now=town.now)
