"""The supplement notice: once, in full, and what follows from it (行政许可法 art. 32 (4))."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from furong.domains.cases import commands, models, queries
from furong.domains.cases.errors import (
    ActNotAllowed,
    NotYours,
    SupplementAlreadyRequested,
    SupplementEmpty,
    SupplementLapsed,
    SupplementTooLate,
)
from furong.domains.cases.values import ApplicationState, CaseState, EndReason
from tests.factories.newborn import WHY, World

ITEM = "birth_certificate"
WANTED: list[dict[str, Any]] = [
    {"element": "newborn.name", "what": {"zh": "孩子的姓名"}, "how": {"zh": "请使用规范汉字"}}
]


def _applied(town: World) -> tuple[UUID, UUID]:
    application_id = town.submit(items=(ITEM,))
    return application_id, town.case(application_id, ITEM)


def _asked(town: World) -> tuple[UUID, UUID]:
    application_id, case_id = _applied(town)
    commands.request_supplement(
        case_id=case_id, wanted=WANTED, reason="字库中没有该字", actor=town.hospital, now=town.now
    )
    return application_id, case_id


def test_the_notice_names_everything_and_stops_the_days_for_acceptance(town: World) -> None:
    application_id, case_id = _asked(town)
    lane = town.lane(application_id, ITEM)
    assert lane.state is CaseState.TO_SUPPLEMENT
    assert lane.supplement.due_on == date(2026, 12, 14)
    assert town.view(application_id).state is ApplicationState.ACTION_NEEDED
    assert models.Document.objects.filter(case_id=case_id, kind="supplement").count() == 1
    commands.run_due(now=town.on(date(2026, 12, 7)))
    assert town.lane(application_id, ITEM).state is CaseState.TO_SUPPLEMENT  # nothing is deemed accepted meanwhile


def test_a_second_notice_is_refused(town: World) -> None:
    _, case_id = _asked(town)
    with pytest.raises(SupplementAlreadyRequested):
        commands.request_supplement(
            case_id=case_id, wanted=WANTED, reason="又想起来", actor=town.hospital, now=town.now
        )
    commands.submit_supplement(case_id=case_id, answers={"newborn.name": "周念禾"}, actor=town.mother, now=town.now)
    with pytest.raises(SupplementAlreadyRequested):
        commands.request_supplement(
            case_id=case_id, wanted=WANTED, reason="又想起来", actor=town.hospital, now=town.now
        )


def test_a_notice_after_five_days_is_too_late(town: World) -> None:
    _, case_id = _applied(town)
    with pytest.raises(SupplementTooLate):
        commands.request_supplement(
            case_id=case_id, wanted=WANTED, reason="晚了", actor=town.hospital, now=town.on(date(2026, 12, 1))
        )
    commands.run_due(now=town.now)
    with pytest.raises(SupplementTooLate):
        commands.request_supplement(case_id=case_id, wanted=WANTED, reason="晚了", actor=town.hospital, now=town.now)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ([], "缺"),
        (WANTED, " "),
        ([{"element": "", "what": {}}], "缺"),
        ([{"element": "benefit.account_number", "what": {"zh": "账号"}}], "缺"),
    ],
)
def test_an_empty_notice_or_one_that_asks_for_what_the_department_may_not_see_is_refused(
    town: World, wanted: list[dict[str, Any]], reason: str
) -> None:
    _, case_id = _applied(town)
    with pytest.raises(SupplementEmpty):
        commands.request_supplement(case_id=case_id, wanted=wanted, reason=reason, actor=town.hospital, now=town.now)


def test_the_answer_begins_the_days_for_acceptance_anew_and_reaches_the_officer(town: World) -> None:
    application_id, case_id = _asked(town)
    commands.submit_supplement(
        case_id=case_id, answers={"newborn.name": "周念禾"}, actor=town.mother, now=town.on(date(2026, 12, 9))
    )
    case = models.Case.objects.get(id=case_id)
    assert case.state == CaseState.SUBMITTED
    assert case.received_on == date(2026, 12, 9)
    assert case.acceptance_due_on == date(2026, 12, 16)
    seen = queries.case_view(case_id=case_id, actor=town.hospital, basis=WHY, now=town.now)
    assert {a.element: a.value for a in seen.answers}["newborn.name"] == "周念禾"
    now = next(a for a in town.view(application_id).answers if a.element == "newborn.name")
    assert (now.value, now.source, now.source_label["zh"]) == ("周念禾", "supplement", "您补正")
    # What was handed in first stays as it was.
    assert models.Application.objects.get(id=application_id).answers["newborn.name"]["value"] == "周念荷"


def test_what_a_supplement_changed_is_what_the_certificate_and_the_register_say(town: World) -> None:
    from furong.registries.licences import queries as licences
    from furong.registries.population import queries as population

    application_id = town.submit(items=("household_registration",))
    case_id = town.case(application_id, ITEM)
    commands.request_supplement(
        case_id=case_id, wanted=WANTED, reason="字库中没有该字", actor=town.hospital, now=town.now
    )
    commands.submit_supplement(case_id=case_id, answers={"newborn.name": "周念禾"}, actor=town.mother, now=town.now)
    town.work(application_id, ITEM)
    town.consent(application_id)
    town.work(application_id, "household_registration")
    (child,) = population.list_children(
        person_id=town.mother.person_id, fields=("name",), actor=town.mother, basis=WHY, now=town.now
    )
    assert child.text("name") == "周念禾"
    folder = licences.list_of_person(person_id=town.mother.person_id, actor=town.mother, basis=WHY, now=town.now)
    assert {one.data["name"] for one in folder} == {"周念禾"}


def test_silence_after_the_answer_counts_as_acceptance_from_the_day_it_came(town: World) -> None:
    _, case_id = _asked(town)
    commands.submit_supplement(
        case_id=case_id, answers={"newborn.name": "周念禾"}, actor=town.mother, now=town.on(date(2026, 12, 9))
    )
    commands.run_due(now=town.on(date(2026, 12, 17)))
    case = models.Case.objects.get(id=case_id)
    assert case.deemed_accepted
    assert case.accepted_on == date(2026, 12, 9)


def test_only_the_applicant_answers_and_only_what_was_asked(town: World) -> None:
    _, case_id = _asked(town)
    with pytest.raises(NotYours):
        commands.submit_supplement(case_id=case_id, answers={"newborn.name": "冒名"}, actor=town.father, now=town.now)
    for answers in ({}, {"newborn.name": ""}, {"newborn.name": "周念禾", "mother.name": "别人"}):
        with pytest.raises(SupplementEmpty):
            commands.submit_supplement(case_id=case_id, answers=answers, actor=town.mother, now=town.now)


def test_a_supplement_that_never_comes_ends_the_item_with_reason_and_remedies(town: World) -> None:
    application_id, case_id = _asked(town)
    with pytest.raises(SupplementLapsed):
        commands.submit_supplement(
            case_id=case_id,
            answers={"newborn.name": "周念禾"},
            actor=town.mother,
            now=town.on(date(2026, 12, 15)),
        )
    commands.run_due(now=town.now)
    lane = town.lane(application_id, ITEM)
    assert lane.state is CaseState.NOT_ACCEPTED
    assert lane.end_reason == EndReason.SUPPLEMENT_LAPSED
    assert lane.remedies


def test_nothing_is_decided_while_a_supplement_is_awaited(town: World) -> None:
    _, case_id = _asked(town)
    with pytest.raises(ActNotAllowed):
        commands.approve_case(case_id=case_id, actor=town.hospital, now=town.now)
