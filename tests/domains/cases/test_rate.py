"""Ratings: five levels, once per case, by who was served; the bottom two are called back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from furong.domains.cases import commands, models, queries
from furong.domains.cases.errors import AlreadyRated, RatingNotValid, RatingNotYet, RatingNotYours
from furong.foundation.access.errors import AccessRefused
from tests.factories.newborn import World

ITEM = "vaccination_record"


def _done(town: World) -> UUID:
    application_id = town.submit(items=(ITEM,), event="")
    case_id = town.case(application_id, ITEM)
    commands.reject_case(case_id=case_id, reason="已建证", actor=town.vaccination, now=town.now)
    return case_id


def test_a_rating_counts_once(town: World) -> None:
    case_id = _done(town)
    commands.rate_case(
        case_id=case_id, level=5, aspects={"efficiency": True}, comment="很快", actor=town.mother, now=town.now
    )
    with pytest.raises(AlreadyRated):
        commands.rate_case(case_id=case_id, level=1, actor=town.mother, now=town.now)
    assert models.Rating.objects.get(case_id=case_id).level == 5
    assert not models.CallBack.objects.filter(rating__case_id=case_id).exists()


def test_a_rating_comes_at_the_end(town: World) -> None:
    application_id = town.submit(items=(ITEM,), event="")
    case_id = town.case(application_id, ITEM)
    with pytest.raises(RatingNotYet):
        commands.rate_case(case_id=case_id, level=5, actor=town.mother, now=town.now)
    commands.withdraw_case(case_id=case_id, actor=town.mother, now=town.now)
    with pytest.raises(RatingNotYet):
        commands.rate_case(case_id=case_id, level=5, actor=town.mother, now=town.now)


@pytest.mark.parametrize("level", [0, 6, -1])
def test_there_are_five_levels(town: World, level: int) -> None:
    with pytest.raises(RatingNotValid):
        commands.rate_case(case_id=_done(town), level=level, actor=town.mother, now=town.now)


def test_staff_and_strangers_do_not_rate(town: World) -> None:
    case_id = _done(town)
    for actor in (town.vaccination, town.police, town.father, town.supervisor):
        with pytest.raises(RatingNotYours):
            commands.rate_case(case_id=case_id, level=5, actor=actor, now=town.now)


def test_an_officer_of_the_body_does_not_rate_it_under_their_own_residents_account(world: World) -> None:
    from django.contrib.auth import get_user_model

    case_id = _done(world)
    # The mother herself works for the body: her staff account names the same person.
    get_user_model().objects.filter(username="vaccination").update(person_id=world.mother.person_id)
    with pytest.raises(RatingNotYours):
        commands.rate_case(case_id=case_id, level=5, actor=world.mother, now=world.now)
    assert models.Rating.objects.count() == 0


def test_a_bad_rating_is_called_back_within_a_day_and_put_right_within_fifteen(town: World) -> None:
    case_id = _done(town)
    commands.rate_case(case_id=case_id, level=2, comment="没有说清楚", actor=town.mother, now=town.now)
    row = models.CallBack.objects.get(rating__case_id=case_id)
    assert (row.contact_due_on, row.fix_due_on) == (date(2026, 11, 24), date(2026, 12, 14))
    assert row.id in {c.id for c in queries.list_call_backs(actor=town.supervisor, now=town.now)}
    with pytest.raises(AccessRefused):
        commands.record_call_back(call_back_id=row.id, text="已联系", fixed=False, actor=town.vaccination, now=town.now)
    commands.record_call_back(call_back_id=row.id, text="已联系", fixed=False, actor=town.supervisor, now=town.now)
    with pytest.raises(RatingNotYet):
        commands.rate_again(call_back_id=row.id, level=4, actor=town.mother, now=town.now)
    commands.record_call_back(
        call_back_id=row.id, text="已更正指南", fixed=True, actor=town.supervisor, now=town.later(3)
    )
    assert row.id not in {c.id for c in queries.list_call_backs(actor=town.supervisor, now=town.now)}
    with pytest.raises(RatingNotYours):
        commands.rate_again(call_back_id=row.id, level=4, actor=town.father, now=town.now)
    commands.rate_again(call_back_id=row.id, level=4, actor=town.mother, now=town.now)
    with pytest.raises(AlreadyRated):
        commands.rate_again(call_back_id=row.id, level=5, actor=town.mother, now=town.now)
    row.refresh_from_db()
    assert (row.state, row.new_level) == ("closed", 4)
    assert models.Rating.objects.get(case_id=case_id).level == 2  # the first word stands


def test_another_account_of_the_same_person_may_rate_but_not_again(town: World) -> None:
    case_id = _done(town)
    other = replace(town.mother, account_id=town.father.account_id)
    commands.rate_case(case_id=case_id, level=3, actor=other, now=town.now)
    with pytest.raises(AlreadyRated):
        commands.rate_case(case_id=case_id, level=3, actor=town.mother, now=town.now)
