"""The steps of a move on one register: who may ask, what each step wants, how papers run out, and what a counter sees."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.codes.ids import new_id
from furong.registries.population import commands
from furong.registries.population import queries as register
from furong.registries.population.errors import (
    CodeInvalid,
    DateInFuture,
    EffectReusedError,
    HeadWouldLeave,
    HouseholdNotFound,
    NothingToChange,
    PersonDeceased,
    PersonNotFound,
)
from furong.registries.population.models import Household
from furong.registries.population.moves import commands as moves
from furong.registries.population.moves import queries, tasks
from furong.registries.population.moves.errors import (
    ApplicantUnfit,
    CertificateExpired,
    GuardianMissing,
    HouseholdNotTheirs,
    MoveNotFound,
    MoveOpen,
    NoPermitNeeded,
    PermitExpired,
    StepNotOpen,
)
from furong.registries.population.moves.values import MoveAct, MoveState
from tests.registries.population.moves.movers import ACT, BASIS, CHANGSHA, LILING, arrive, request, until_departure
from tests.registries.population.people import NOW, SYSTEM, birth, couple, household, person

pytestmark = pytest.mark.usefixtures("database")


def later(days: int) -> dict[str, Any]:
    return ACT | {"now": NOW + timedelta(days=days)}


def stands(move_id: UUID) -> MoveState:
    return queries.get_move(move_id=move_id, **ACT).state


def single(name: str = "曾伯安") -> UUID:
    return person(name, sex="1", born_on=date(1962, 2, 2), household=household())


def test_a_move_goes_from_the_request_to_the_arrival_and_each_step_once() -> None:
    family = couple()
    effects = {act: new_id() for act in MoveAct}
    asked = {"effect_id": effects[MoveAct.REQUEST], "division_code": LILING, "reason": "work"}
    move = request(family.father, **asked)
    assert request(family.father, **asked) == move
    with pytest.raises(EffectReusedError):
        request(family.father, **asked | {"address": "别处"})
    for act, step in (
        (MoveAct.APPROVE, moves.approve_move),
        (MoveAct.ISSUE, moves.issue_move_permit),
    ):
        first = step(move_id=move, effect_id=effects[act], **ACT)
        assert step(move_id=move, effect_id=effects[act], **ACT) == first
        with pytest.raises(StepNotOpen):
            step(move_id=move, **ACT)
    with pytest.raises(HeadWouldLeave):
        moves.record_departure(move_id=move, **ACT)
    with pytest.raises(CodeInvalid):
        moves.record_departure(move_id=move, valid_days=31, **ACT)
    moves.record_departure(move_id=move, new_head_person_id=family.mother, **ACT)
    with pytest.raises(DateInFuture):
        arrive(move, arrived_on=date(2026, 3, 11))
    with pytest.raises(CodeInvalid):
        arrive(move, arrived_on=date(2026, 3, 9))
    done = arrive(move, effect_id=effects[MoveAct.ARRIVE])
    assert arrive(move, effect_id=effects[MoveAct.ARRIVE]) == done
    view = queries.get_move(move_id=move, **ACT)
    assert [step.act for step in view.steps] == ["request", "approve", "issue", "depart", "arrive"]
    assert (view.permit_until, view.certificate_until) == (date(2026, 4, 19), date(2026, 4, 9))
    assert view.permit_number.startswith("ZQ430281")
    assert view.certificate_number.startswith("QY430202")
    assert view.may == ()
    found = register.get_person(person_id=family.father, fields=("address", "household_relation"), **ACT)
    assert [found["address"], found["household_relation"]] == ["桃花岭 3 号", "02"]
    left = register.list_household(household_id=family.household, fields=("sex",), **ACT)
    assert [(one.person.person_id, one.relation) for one in left.members] == [(family.mother, "02")]


def test_what_may_not_be_asked_for_is_refused_in_words() -> None:
    family = couple()
    baby = birth(family, record="B430299000001").person_id
    stranger = single()
    dead = single("曾仲安")
    commands.record_death(person_id=dead, died_on=date(2026, 3, 1), evidence="D-1", **ACT)
    with pytest.raises(PersonDeceased):
        request(dead)
    with pytest.raises(NoPermitNeeded):
        request(stranger, division_code="430202001002")
    with pytest.raises(ApplicantUnfit):
        request(family.mother, applicant_person_id=stranger)
    with pytest.raises(GuardianMissing):
        request(baby, applicant_person_id=baby)
    with pytest.raises(GuardianMissing):
        request(baby, applicant_person_id=family.mother)
    with pytest.raises(CodeInvalid):
        request(stranger, address=" ")
    with pytest.raises(HouseholdNotFound):
        request(stranger, household_id=new_id())
    home = household(division=CHANGSHA)
    person("谌石生", sex="1", born_on=date(1960, 1, 1), household=home)
    with pytest.raises(HouseholdNotTheirs):
        request(stranger, household_id=home)
    request(stranger, household_id=home, consent="T-1")
    with pytest.raises(MoveOpen):  # two destinations at once
        request(stranger, division_code=LILING)
    request(baby, applicant_person_id=family.mother, guardian_evidence="G-1")
    with pytest.raises(PurposeMissing):
        request(family.father, basis=Basis(purpose="", legal_basis=""))
    clerk = Actor(kind=ActorKind.STAFF, account_id=new_id(), post_id=new_id(), assurance=Assurance.IN_PERSON)
    with pytest.raises(AccessRefused):
        request(family.father, actor=clerk)
    with pytest.raises(PersonNotFound):
        request(new_id())


def test_a_child_follows_a_parent_and_does_not_come_first() -> None:
    family = couple()
    baby = birth(family, record="B430299000002").person_id
    first = request(family.mother)
    follow = request(baby, together_with_move_id=first, applicant_person_id=family.mother)
    until_departure(follow)
    until_departure(first)
    with pytest.raises(GuardianMissing):
        arrive(follow)
    arrive(first)
    arrive(follow)
    home = register.get_person(person_id=family.mother, fields=("household_id",), **ACT)["household_id"]
    there = register.list_household(household_id=UUID(str(home)), fields=("sex",), **ACT)
    assert {one.person.person_id: one.relation for one in there.members} == {family.mother: "02", baby: "32"}
    assert Household.objects.filter(division_code=CHANGSHA).count() == 1


def test_papers_run_out_and_a_move_can_be_ended_at_each_step() -> None:
    movers = [single(name) for name in ("曾伯安", "曾仲安", "曾叔安", "曾季安")]
    permit, certificate, early, refused = (request(one) for one in movers)
    with pytest.raises(NothingToChange):
        moves.refuse_move(move_id=refused, words=" ", **ACT)
    moves.refuse_move(move_id=refused, words="房屋租赁备案已失效", **ACT)
    moves.approve_move(move_id=permit, **ACT)
    moves.issue_move_permit(move_id=permit, **ACT)
    until_departure(certificate)
    until_departure(early, valid_days=5)
    with pytest.raises(CertificateExpired):
        arrive(early, **later(5))
    with pytest.raises(PermitExpired):
        moves.record_departure(move_id=permit, **later(40))
    assert tasks.keep(now=NOW) == 0
    assert tasks.keep(now=NOW + timedelta(days=30)) == 2
    assert [stands(one) for one in (permit, certificate, early, refused)] == ["issued", "expired", "expired", "refused"]
    commands.record_death(person_id=movers[0], died_on=date(2026, 3, 10), evidence="D-1", **ACT)
    assert tasks.keep(now=NOW + timedelta(days=30)) == 1
    assert stands(permit) == "void"
    steps = (moves.approve_move, moves.issue_move_permit, moves.record_departure)
    for taken in range(4):
        again = request(movers[1])
        for step in steps[:taken]:
            step(move_id=again, **ACT)  # type: ignore[operator]
        moves.void_move(move_id=again, words="本人撤回", **ACT)
        assert stands(again) == "void"
    with pytest.raises(MoveNotFound):
        moves.void_move(move_id=new_id(), words="无", **ACT)


def test_a_counter_sees_its_own_moves_and_finds_who_stands_at_it() -> None:
    mover = single()
    move = request(mover)
    (line,) = queries.list_moves(states=[MoveState.APPLIED], **ACT)
    assert (line.id, line.name_masked) == (move, "曾**")
    assert set(line.may) == {MoveAct.APPROVE, MoveAct.REFUSE, MoveAct.VOID}
    assert queries.count_moves(actor=SYSTEM) == {MoveState.APPLIED: 1}
    number = str(register.get_person(person_id=mover, fields=("number",), **ACT)["number"])
    assert queries.find_mover(number=number, name="曾伯安", **ACT) == mover
    with pytest.raises(PersonNotFound):
        queries.find_mover(number=number, name="曾仲安", **ACT)
    home = household(division=CHANGSHA)
    named = Household.objects.get(pk=home).number
    assert queries.find_household(number=named, actor=SYSTEM) == (home, CHANGSHA)
    with pytest.raises(HouseholdNotFound):
        queries.find_household(number="000", actor=SYSTEM)
    with pytest.raises(MoveNotFound):
        queries.get_move(move_id=new_id(), **ACT)
    with pytest.raises(PurposeMissing):
        queries.list_moves(states=[], **ACT | {"basis": Basis(purpose="", legal_basis="")})
    assert BASIS.is_stated
