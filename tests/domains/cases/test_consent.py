"""The other parent's consent: given, missing, late, refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from furong.domains.cases import commands, models, queries
from furong.domains.cases.errors import ConsentAlreadyAnswered, ConsentNotYours, ConsentTooLate
from furong.domains.cases.values import CaseState, EndReason
from furong.domains.processes import queries as processes
from furong.domains.processes import tasks as process_tasks
from furong.foundation.access.errors import AssuranceTooLow
from furong.foundation.access.values import Assurance, Principal
from furong.foundation.audit import queries as audit
from furong.foundation.codes.ids import new_id
from furong.foundation.notices import queries as notices
from tests.factories.newborn import World

ITEM = "household_registration"


def _asked(world: World) -> tuple[UUID, UUID]:
    """An application whose birth certificate is done, so that the other parent has been asked."""
    application_id = world.submit(items=(ITEM,))
    world.work(application_id, "birth_certificate")
    (asked,) = queries.list_consents_asked_of(actor=world.father, open_only=True)
    return application_id, asked.id


def test_the_other_parent_is_asked_as_soon_as_it_is_handed_in_and_once(town: World) -> None:
    application_id = town.submit(items=(ITEM,))
    assert len(queries.list_consents_asked_of(actor=town.father)) == 1
    town.work(application_id, "birth_certificate")
    (asked,) = queries.list_consents_asked_of(actor=town.father)
    assert "出生户口" in asked.statement["zh"]
    assert asked.due_on == date(2026, 12, 21)
    assert [m.template for m in notices.list_messages(actor=town.father)] == ["cases.consent_requested"]
    lane = town.lane(application_id, ITEM)
    assert lane.state is CaseState.WAITING_PREREQUISITES
    assert lane.waiting_for_consent
    assert models.Case.objects.get(id=lane.case_id).received_on is None  # no clock runs against anybody


def test_a_given_consent_lets_the_department_begin(town: World) -> None:
    application_id, consent_id = _asked(town)
    commands.give_consent(consent_id=consent_id, actor=town.father, now=town.on(date(2026, 11, 26)))
    lane = town.lane(application_id, ITEM)
    assert lane.state is CaseState.SUBMITTED
    assert models.Case.objects.get(id=lane.case_id).received_on == date(2026, 11, 26)
    town.run_jobs()
    tasks = processes.list_tasks_of(business_key=str(lane.case_id), only_open=True)
    assert [t.kind for t in tasks] == ["acceptance"]
    with pytest.raises(ConsentAlreadyAnswered):
        commands.refuse_consent(consent_id=consent_id, actor=town.father, now=town.now)


def test_a_consent_given_while_the_hospital_is_at_work_lets_the_police_begin_at_once(town: World) -> None:
    application_id = town.submit(items=(ITEM,))
    town.consent(application_id)
    lane = town.lane(application_id, ITEM)
    assert lane.state is CaseState.WAITING_PREREQUISITES
    assert not lane.waiting_for_consent
    town.work(application_id, "birth_certificate")
    assert town.lane(application_id, ITEM).state is CaseState.SUBMITTED
    tasks = processes.list_tasks_of(business_key=str(lane.case_id), only_open=True)
    assert [t.kind for t in tasks] == ["acceptance"]
    town.work(application_id, ITEM)
    assert town.lane(application_id, ITEM).state is CaseState.COMPLETED


def test_a_consent_refused_while_the_hospital_is_at_work_ends_the_item_and_no_other(town: World) -> None:
    application_id = town.submit(items=(ITEM,))
    (asked,) = queries.list_consents_asked_of(actor=town.father, open_only=True)
    commands.refuse_consent(consent_id=asked.id, actor=town.father, now=town.now)
    assert town.lane(application_id, ITEM).state is CaseState.NOT_ACCEPTED
    town.work(application_id, "birth_certificate")
    assert town.lane(application_id, "birth_certificate").state is CaseState.COMPLETED
    assert town.lane(application_id, ITEM).state is CaseState.NOT_ACCEPTED


def test_who_is_asked_reads_the_childs_name_and_the_household_and_the_applicant_sees_that(town: World) -> None:
    town.submit(items=(ITEM,))
    (asked,) = queries.list_consents_asked_of(actor=town.father, open_only=True)
    assert asked.facts == ()  # a list names the item alone
    shown = queries.get_consent(consent_id=asked.id, actor=town.father, now=town.now)
    facts = {label["zh"]: value for label, value in shown.facts}
    assert facts["孩子的姓名"]["zh"] == "周念荷"
    assert facts["随谁落户"] == {"zh": "母亲", "en": "the mother"}
    assert "荷叶街" in facts["落户的户籍地址"]["zh"]
    assert "6222020000000000000" not in str(shown)
    reads = audit.list_reads_of_person(person_id=town.mother.person_id, limit=20)
    assert "cases.get_consent" in [r.what for r in reads]


def test_who_was_not_heard_before_the_item_ended_is_asked_again_when_it_is_taken_up_again(town: World) -> None:
    application_id = town.submit(items=(ITEM,))
    case_id = town.case(application_id, "birth_certificate")
    commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
    commands.reject_case(case_id=case_id, reason="母亲身份有待核实", actor=town.hospital, now=town.now)
    assert queries.list_consents_asked_of(actor=town.father, open_only=True) == ()
    review_id = commands.request_review(case_id=case_id, reason="资料已更正", actor=town.mother, now=town.now)
    other = replace(town.hospital, account_id=new_id())
    commands.answer_review(review_id=review_id, uphold=False, answer="重新办理", actor=other, now=town.now)
    town.work(application_id, "birth_certificate")
    (asked,) = queries.list_consents_asked_of(actor=town.father, open_only=True)
    assert asked.state == "requested"
    assert town.lane(application_id, ITEM).state is CaseState.WAITING_PREREQUISITES


def test_the_consent_is_named_in_the_register(town: World) -> None:
    application_id, consent_id = _asked(town)
    commands.give_consent(consent_id=consent_id, actor=town.father, now=town.now)
    town.work(application_id, ITEM)
    assert town.lane(application_id, ITEM).state is CaseState.COMPLETED


def test_consent_is_a_persons_own_act(town: World) -> None:
    _, consent_id = _asked(town)
    strangers = (
        town.mother,
        town.police,
        replace(town.father, principal=Principal(kind="person", id=new_id(), mandate_id=new_id())),
    )
    for actor in strangers:
        with pytest.raises(ConsentNotYours):
            commands.give_consent(consent_id=consent_id, actor=actor, now=town.now)
    with pytest.raises(AssuranceTooLow):
        commands.give_consent(
            consent_id=consent_id, actor=replace(town.father, assurance=Assurance.REGISTERED), now=town.now
        )
    with pytest.raises(ConsentNotYours):
        queries.get_consent(consent_id=consent_id, actor=town.mother, now=town.now)


def test_a_missing_consent_is_reminded_of_then_followed_up_then_lapses(world: World) -> None:
    application_id, _ = _asked(world)
    case_id = world.case(application_id, ITEM)
    assert commands.run_due(now=world.on(date(2026, 11, 27)))["reminders"] == 0
    assert commands.run_due(now=world.on(date(2026, 11, 30)))["reminders"] == 1
    assert commands.run_due(now=world.on(date(2026, 12, 1)))["reminders"] == 0
    assert "cases.consent_reminder" in [m.template for m in notices.list_messages(actor=world.father)]

    process_tasks.run_due(now=world.on(date(2026, 12, 15)))
    (call,) = processes.list_tasks_of(business_key=str(case_id), only_open=True)
    assert call.kind == "review"
    assert world.lane(application_id, ITEM).state is CaseState.WAITING_PREREQUISITES

    assert commands.run_due(now=world.on(date(2026, 12, 21), 20))["consents_lapsed"] == 0
    assert commands.run_due(now=world.on(date(2026, 12, 22)))["consents_lapsed"] == 1
    lane = world.lane(application_id, ITEM)
    assert (lane.state, lane.end_reason) == (CaseState.NOT_ACCEPTED, EndReason.CONSENT_LAPSED)
    assert lane.remedies
    assert processes.list_tasks_of(business_key=str(case_id), only_open=True) == []


def test_a_late_answer_is_refused(town: World) -> None:
    _, consent_id = _asked(town)
    with pytest.raises(ConsentTooLate):
        commands.give_consent(consent_id=consent_id, actor=town.father, now=town.on(date(2026, 12, 22)))
    commands.run_due(now=town.now)
    with pytest.raises(ConsentTooLate):
        commands.give_consent(consent_id=consent_id, actor=town.father, now=town.now)


def test_an_answer_while_the_officer_is_calling_still_counts(town: World) -> None:
    application_id, consent_id = _asked(town)
    process_tasks.run_due(now=town.on(date(2026, 12, 15)))
    commands.give_consent(consent_id=consent_id, actor=town.father, now=town.now)
    town.run_jobs()
    case_id = town.case(application_id, ITEM)
    assert town.lane(application_id, ITEM).state is CaseState.SUBMITTED
    kinds = [t.kind for t in processes.list_tasks_of(business_key=str(case_id), only_open=True)]
    assert kinds == ["acceptance"]


def test_an_officer_who_hears_a_no_on_the_telephone_ends_the_case(town: World) -> None:
    application_id, _ = _asked(town)
    case_id = town.case(application_id, ITEM)
    process_tasks.run_due(now=town.on(date(2026, 12, 15)))
    (call,) = processes.list_tasks_of(business_key=str(case_id), only_open=True)
    commands.complete_step(task_id=call.id, outcome="lapsed", actor=town.police, now=town.now)
    lane = town.lane(application_id, ITEM)
    assert (lane.state, lane.end_reason) == (CaseState.NOT_ACCEPTED, EndReason.CONSENT_LAPSED)


def test_a_refused_consent_ends_the_item_with_reason_and_leaves_the_others(town: World) -> None:
    application_id = town.submit()
    town.work(application_id, "birth_certificate")
    (asked,) = queries.list_consents_asked_of(actor=town.father, open_only=True)
    commands.refuse_consent(consent_id=asked.id, reason="姓名未商定", actor=town.father, now=town.now)
    lanes = {lane.item_code: lane for lane in town.view(application_id).lanes}
    assert lanes[ITEM].state is CaseState.NOT_ACCEPTED
    assert lanes[ITEM].end_reason == EndReason.CONSENT_REFUSED
    assert lanes["social_security_card"].end_reason == EndReason.PREREQUISITE_FAILED
    assert lanes["vaccination_record"].state is CaseState.SUBMITTED
    # What the father said stays between him and the case: the mother reads the fact, not his words.
    assert "姓名未商定" not in str(town.view(application_id))


def test_a_mother_without_a_spouse_needs_nobodys_consent(world: World) -> None:
    models.Marriage.objects.all().delete()
    application_id = world.submit(items=(ITEM,))
    world.work(application_id, "birth_certificate")
    assert models.Consent.objects.count() == 0
    assert world.lane(application_id, ITEM).state is CaseState.SUBMITTED


def test_a_father_may_apply_and_then_the_mother_is_asked(town: World) -> None:
    application_id = town.submit(items=(ITEM,), by="father")
    view = town.view(application_id, by="father")
    by_element = {a.element: a.value for a in view.answers}
    assert by_element["mother.name"] == "李芷宁"
    case_id = next(lane.case_id for lane in view.lanes if lane.item_code == "birth_certificate")
    town.run_jobs()
    commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
    commands.approve_case(case_id=case_id, actor=town.hospital, now=town.now)
    town.run_jobs()
    (asked,) = queries.list_consents_asked_of(actor=town.mother)
    assert asked.application_id == application_id
