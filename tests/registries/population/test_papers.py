"""Acts with papers and clocks: another name, military service and back, settling abroad; and what is told too late."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.codes.ids import new_id
from furong.registries.population import commands, queries
from furong.registries.population.clocks import CLOCKS, due_on, is_in_city
from furong.registries.population.errors import (
    ApplicantNotEntitled,
    ConsentMissing,
    DateInFuture,
    HeadWouldLeave,
    NameInvalid,
    NothingToChange,
    NotInService,
    PaperMissing,
    PersonDeceased,
    PersonRegistered,
    SurnameUnfounded,
    TooYoungToServe,
)
from furong.registries.population.moves import commands as moves
from furong.registries.population.moves.errors import MoveOpen
from furong.registries.population.naming import surname_of
from furong.registries.population.values import ChangeKind
from tests.registries.population.people import NOW, SYSTEM, WHY, birth, child, couple, household, parenthood, person
from tests.registries.population.people import RelationKind as Kind
from tests.registries.population.test_life import facts, relations

TODAY = date(2026, 3, 10)
ACT: dict[str, Any] = {"actor": SYSTEM, "basis": WHY, "now": NOW}
VILLAGE = "430221102003"


@given(st.sampled_from(sorted(CLOCKS)), st.dates(date(1958, 1, 9), date(2060, 1, 1)))
def test_what_the_law_wants_in_time_is_due_on_the_day_or_after_and_sooner_in_a_city(kind: ChangeKind, on: date) -> None:
    city, village = (due_on(kind, happened_on=on, division_code=one) for one in ("430202001001", VILLAGE))
    assert city is not None
    assert village is not None
    assert on <= city <= village <= on + timedelta(days=31)
    assert due_on(ChangeKind.CORRECTION, happened_on=on) is None


def test_clocks_are_those_of_the_regulation() -> None:
    on = date(2026, 1, 31)
    assert due_on(ChangeKind.DEATH, happened_on=on) == date(2026, 2, 28)
    assert due_on(ChangeKind.MOVE, happened_on=on, division_code=VILLAGE) == date(2026, 2, 10)
    assert due_on(ChangeKind.MOVE, happened_on=on, division_code="430202001001") == date(2026, 2, 3)
    assert due_on(ChangeKind.ENLISTMENT, happened_on=on) == on
    assert [is_in_city(one) for one in ("430202001001", VILLAGE, "430202", "")] == [True, False, False, False]
    assert [surname_of(one) for one in ("单子衿", "欧阳野", "欧阳", "阿卜杜·买买提", "马丁 路德")] == [
        "单", "欧阳", "欧", "买买提", "路德",
    ]  # fmt: skip


@pytest.mark.usefixtures("database")
def test_a_name_changes_on_the_application_of_who_may_ask_with_its_paper_and_its_history() -> None:
    family = couple()
    born_at = datetime.fromisoformat("2016-03-01T03:25+00:00")
    born = child("单小满", born_at=born_at)
    before = birth(family, record="B430299000101", child=born, late_note="补报").person_id

    def rename(person_id: UUID = before, **given: Any) -> Any:
        asked = {
            "name": "单知远", "applicant_person_id": family.mother, "reason": "与兄长重名", "evidence": "SQ-2026-1",
            "other_parent_consent": "TY-1", "child_agrees": True,
        }  # fmt: skip
        return commands.change_name(person_id=person_id, **(asked | ACT | given))

    for refusal, wrong in (
        (PaperMissing, {"evidence": " "}),
        (PaperMissing, {"reason": ""}),
        (NameInvalid, {"name": "单9"}),
        (NothingToChange, {"name": "单小满"}),
        (ApplicantNotEntitled, {"applicant_person_id": before}),
        (ApplicantNotEntitled, {"applicant_person_id": household()}),
        (ConsentMissing, {"other_parent_consent": ""}),
        (ConsentMissing, {"child_agrees": False}),
        (SurnameUnfounded, {"name": "欧阳知远"}),
        (DateInFuture, {"changed_on": TODAY + timedelta(days=1)}),
        (ApplicantNotEntitled, {"person_id": family.mother, "applicant_person_id": family.father}),
    ):
        with pytest.raises(refusal):
            rename(**wrong)
    key = new_id()
    done = rename(effect_id=key, changed_on=date(2026, 3, 1))
    assert rename(effect_id=key, changed_on=date(2026, 3, 1)) == done
    assert facts(before, "name", "former_name") == ["单知远", "单小满"]
    # What was true when, and what was known when.
    reading = {"actor": SYSTEM, "basis": WHY, "now": NOW + timedelta(hours=1)}
    known = NOW + timedelta(minutes=1)

    def as_of(valid_on: date, known_at: datetime) -> object:
        found = queries.get_person_as_of(person_id=before, valid_on=valid_on, known_at=known_at, **reading)
        return found and (found.facts["name"], found.evidence)

    assert as_of(date(2026, 2, 28), known) == ("单小满", "SQ-2026-1")
    assert as_of(date(2026, 3, 2), known) == ("单知远", "SQ-2026-1")
    assert queries.list_history(person_id=before, **reading)[0].superseded_at is not None
    # The mother's surname needs no ground; another does; an adult asks for themself.
    assert rename(name="曾知远", evidence="SQ-2").person_id == before
    assert rename(name="龙知远", evidence="SQ-3", surname_ground="民法典第一千零一十五条第（一）项：祖父姓氏")
    assert rename(person_id=family.mother, name="曾晓霞", applicant_person_id=family.mother, other_parent_consent="")


@pytest.mark.usefixtures("database")
def test_who_serves_leaves_with_the_notice_and_comes_back_with_the_certificate() -> None:
    home = household()
    father = person("单石生", sex="1", born_on=date(1980, 5, 4), household=home)
    son = person("单若谷", sex="1", born_on=date(2006, 5, 4), household=home)
    young = person("单小谷", sex="1", born_on=date(2010, 5, 4), household=home)
    parenthood(son, father, Kind.FATHER)
    number = facts(son, "number")

    def enlist(who: UUID = son, **given: Any) -> Any:
        asked = {"notice_number": "湘兵征2026-1", "enters_on": TODAY + timedelta(days=5)}
        return commands.record_enlistment(person_id=who, **(asked | ACT | given))

    for refusal, who, wrong in (
        (PaperMissing, son, {"notice_number": ""}),
        (TooYoungToServe, young, {}),
        (DateInFuture, son, {"enters_on": TODAY + timedelta(days=120)}),
        (HeadWouldLeave, father, {}),
    ):
        with pytest.raises(refusal):
            enlist(who, **wrong)
    back: dict[str, Any] = {"person_id": son, "certificate_number": "退字1", "household_id": home, **ACT}
    with pytest.raises(NotInService):
        commands.record_discharge(arrived_on=TODAY, **back)
    key = new_id()
    gone = enlist(effect_id=key)
    assert (gone.is_late, enlist(effect_id=key)) == (False, gone)
    assert facts(son, "status", "household_id", "number") == ["deregistered", None, *number]
    with pytest.raises(PaperMissing):
        commands.record_discharge(arrived_on=TODAY, **(back | {"certificate_number": " "}))
    later = {**back, "now": NOW + timedelta(days=800)}
    home_again = commands.record_discharge(arrived_on=TODAY + timedelta(days=790), **later)
    assert home_again.is_late, "ten days later, in a city, where three are the law's"
    assert facts(son, "status", "number") == ["registered", *number]
    assert relations(home)[son] == "22"
    kinds = [one.kind for one in queries.list_history(person_id=son, actor=SYSTEM, basis=WHY, now=NOW)]
    assert {"enlistment", "discharge"} <= set(kinds)
    with pytest.raises(NotInService):
        commands.record_discharge(arrived_on=TODAY, **back)
    assert enlist(father, enters_on=TODAY - timedelta(days=1), new_head_person_id=young).is_late


@pytest.mark.usefixtures("database")
def test_who_settles_abroad_leaves_before_and_the_dead_do_not_move() -> None:
    family = couple()
    settle: dict[str, Any] = {"country": "nzl", "paper_number": "CX-1", "leaves_on": TODAY, **ACT}
    with pytest.raises(PaperMissing):
        commands.record_emigration(person_id=family.mother, **(settle | {"paper_number": ""}))
    with pytest.raises(Exception, match="country"):
        commands.record_emigration(person_id=family.mother, **(settle | {"country": "12"}))
    assert not commands.record_emigration(person_id=family.mother, **settle).is_late
    # Back, by the other way: no service, so it is restored by what proves the return.
    with pytest.raises(NotInService):
        commands.record_discharge(
            person_id=family.mother, certificate_number="x", household_id=family.household, arrived_on=TODAY, **ACT
        )
    commands.restore_person(
        person_id=family.mother, household_id=family.household, returned_on=TODAY, evidence="护照", **ACT
    )
    with pytest.raises(PersonRegistered):
        commands.restore_person(
            person_id=family.mother, household_id=family.household, returned_on=TODAY, evidence="护照", **ACT
        )
    dead: dict[str, Any] = {"person_id": family.father, "died_on": date(2026, 1, 5), **ACT}
    with pytest.raises(PaperMissing):
        commands.record_death(evidence=" ", **dead)
    told = commands.record_death(evidence="D-1", **dead)
    assert told.is_late, "more than a month later"
    with pytest.raises(PersonDeceased):
        commands.record_emigration(person_id=family.father, **settle)
    # Within the county nobody moves past a move that is under way.
    asked = {"division_code": "430102001001", "address": "桃花岭 3 号", "reason": "home"}
    moves.request_move(person_id=family.mother, applicant_person_id=family.mother, **asked, **ACT)
    with pytest.raises(MoveOpen):
        commands.move_person(
            person_id=family.mother, household_id=household(address="荷塘巷 9 号"), moved_on=TODAY, reason="近", **ACT
        )
