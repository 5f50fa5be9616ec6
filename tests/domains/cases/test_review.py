"""Review by the body itself (复核)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from furong.domains.cases import commands, models
from furong.domains.cases.errors import NotYours, ReasonMissing, ReviewNotPossible, SamePersonCannotApprove
from furong.domains.cases.values import CaseState
from furong.foundation.codes.ids import new_id
from tests.factories.newborn import World


def _refused(world: World) -> tuple[UUID, UUID]:
    application_id = world.submit()
    world.work(application_id, "birth_certificate")
    world.consent(application_id)
    world.work(application_id, "household_registration", until="review")
    case_id = world.case(application_id, "household_registration")
    commands.reject_case(case_id=case_id, reason="地址有疑", actor=world.police, now=world.now)
    world.run_jobs()
    return application_id, case_id


def test_a_refusal_is_reviewed_by_another_person_and_may_stand(town: World) -> None:
    application_id, case_id = _refused(town)
    with pytest.raises(ReasonMissing):
        commands.request_review(case_id=case_id, reason=" ", actor=town.mother, now=town.now)
    review_id = commands.request_review(case_id=case_id, reason="地址没有错", actor=town.mother, now=town.now)
    assert models.Review.objects.get(id=review_id).due_on == date(2026, 12, 14)
    with pytest.raises(SamePersonCannotApprove):
        commands.answer_review(review_id=review_id, uphold=True, answer="维持", actor=town.police, now=town.now)
    other = replace(town.police, account_id=new_id())
    commands.answer_review(review_id=review_id, uphold=True, answer="维持", actor=other, now=town.now)
    assert town.lane(application_id, "household_registration").state is CaseState.REJECTED
    with pytest.raises(ReviewNotPossible):
        commands.request_review(case_id=case_id, reason="再问", actor=town.mother, now=town.now)


def test_a_wrong_refusal_is_taken_up_again_and_what_waited_for_it_waits_again(town: World) -> None:
    application_id, case_id = _refused(town)
    review_id = commands.request_review(case_id=case_id, reason="地址没有错", actor=town.mother, now=town.now)
    other = replace(town.police, account_id=new_id())
    commands.answer_review(review_id=review_id, uphold=False, answer="应予登记", actor=other, now=town.now)
    lanes = {lane.item_code: lane for lane in town.view(application_id).lanes}
    assert lanes["household_registration"].state is CaseState.SUBMITTED
    assert lanes["social_security_card"].state is CaseState.WAITING_PREREQUISITES
    town.work(application_id, "household_registration")
    lanes = {lane.item_code: lane for lane in town.view(application_id).lanes}
    assert lanes["household_registration"].state is CaseState.COMPLETED
    assert lanes["social_security_card"].state is CaseState.SUBMITTED


def test_only_a_refusal_is_reviewed_within_its_days_and_for_its_applicant(town: World) -> None:
    application_id, case_id = _refused(town)
    with pytest.raises(NotYours):
        commands.request_review(case_id=case_id, reason="x", actor=town.father, now=town.now)
    with pytest.raises(ReviewNotPossible):
        commands.request_review(
            case_id=town.case(application_id, "birth_certificate"),
            reason="x",
            actor=town.mother,
            now=town.now,
        )
    with pytest.raises(ReviewNotPossible):
        commands.request_review(case_id=case_id, reason="x", actor=town.mother, now=town.later(61))
