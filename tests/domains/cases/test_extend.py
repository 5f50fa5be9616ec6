"""Extension by ten days: asked by one, approved by another, told to the applicant (行政许可法 art. 42)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from furong.domains.cases import commands, models
from furong.domains.cases.errors import (
    ActNotAllowed,
    ExtensionAlreadyUsed,
    ReasonMissing,
    SamePersonCannotApprove,
)
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.calendar import queries as calendars
from furong.foundation.codes.ids import new_id
from tests.factories.newborn import World

ITEM = "maternity_benefit"


def _head(town: World) -> Actor:
    """Another person in a post of the same organisation."""
    return replace(town.insurance, account_id=new_id())


def _accepted(town: World) -> tuple[UUID, UUID]:
    application_id = town.submit(items=(ITEM,), event="")
    case_id = town.case(application_id, ITEM)
    commands.accept_case(case_id=case_id, actor=town.insurance, now=town.now)
    return application_id, case_id


def test_an_approved_extension_moves_both_limits_by_ten_working_days_and_says_why(town: World) -> None:
    application_id, case_id = _accepted(town)
    before = town.lane(application_id, ITEM)
    asked = commands.request_extension(
        case_id=case_id, reason="需向原参保地核实缴费", actor=town.insurance, now=town.now
    )
    assert town.lane(application_id, ITEM).due_on == before.due_on  # nothing moves until it is approved
    commands.decide_extension(extension_id=asked, approve=True, actor=_head(town), now=town.now)
    after = town.lane(application_id, ITEM)
    days = calendars.current()
    assert days.working_days_between(before.due_on, after.due_on) == 10
    assert days.working_days_between(before.statutory_due_on, after.statutory_due_on) == 10
    paper = models.Document.objects.get(case_id=case_id, kind="extension")
    assert paper.data["reason"] == "需向原参保地核实缴费"
    line = next(e for e in town.view(application_id).timeline if e.code == "case.extend")
    assert "延长 10 个工作日" in line.text["zh"]


def test_whoever_asks_does_not_approve(town: World) -> None:
    _, case_id = _accepted(town)
    asked = commands.request_extension(case_id=case_id, reason="复杂", actor=town.insurance, now=town.now)
    with pytest.raises(SamePersonCannotApprove):
        commands.decide_extension(extension_id=asked, approve=True, actor=town.insurance, now=town.now)
    with pytest.raises(IntegrityError), transaction.atomic():  # the table holds it too
        models.Extension.objects.filter(id=asked).update(decided_by_account_id=town.insurance.account_id)


def test_another_department_does_not_approve(town: World) -> None:
    _, case_id = _accepted(town)
    asked = commands.request_extension(case_id=case_id, reason="复杂", actor=town.insurance, now=town.now)
    with pytest.raises(AccessRefused):
        commands.decide_extension(extension_id=asked, approve=True, actor=town.police, now=town.now)


def test_a_case_is_extended_once(town: World) -> None:
    _, case_id = _accepted(town)
    asked = commands.request_extension(case_id=case_id, reason="复杂", actor=town.insurance, now=town.now)
    with pytest.raises(ExtensionAlreadyUsed):
        commands.request_extension(case_id=case_id, reason="更复杂", actor=town.insurance, now=town.now)
    commands.decide_extension(extension_id=asked, approve=True, actor=_head(town), now=town.now)
    with pytest.raises(ExtensionAlreadyUsed):
        commands.decide_extension(extension_id=asked, approve=True, actor=_head(town), now=town.now)
    with pytest.raises(ExtensionAlreadyUsed):
        commands.request_extension(case_id=case_id, reason="更复杂", actor=town.insurance, now=town.now)


def test_a_refused_extension_leaves_the_limit_and_may_be_asked_again(town: World) -> None:
    application_id, case_id = _accepted(town)
    before = town.lane(application_id, ITEM).due_on
    asked = commands.request_extension(case_id=case_id, reason="复杂", actor=town.insurance, now=town.now)
    commands.decide_extension(extension_id=asked, approve=False, actor=_head(town), now=town.now)
    assert town.lane(application_id, ITEM).due_on == before
    assert commands.request_extension(case_id=case_id, reason="补充理由", actor=town.insurance, now=town.now)


def test_an_extension_needs_a_reason_and_an_accepted_case(town: World) -> None:
    application_id = town.submit(items=(ITEM,), event="")
    case_id = town.case(application_id, ITEM)
    with pytest.raises(ActNotAllowed):
        commands.request_extension(case_id=case_id, reason="早", actor=town.insurance, now=town.now)
    commands.accept_case(case_id=case_id, actor=town.insurance, now=town.now)
    with pytest.raises(ReasonMissing):
        commands.request_extension(case_id=case_id, reason=" ", actor=town.insurance, now=town.now)
