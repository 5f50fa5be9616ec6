"""A person's life after birth: households split and merge, adoption, leaving the register and coming back, missing and found."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from furong.foundation.codes.ids import new_id
from furong.registries.population import commands, queries
from furong.registries.population.errors import (
    AdoptersUnfit,
    CodeInvalid,
    DateInFuture,
    HeadWouldLeave,
    HouseholdNotFound,
    HouseholdNotOfParents,
    HouseholdsApart,
    NothingToChange,
    NotOfHousehold,
    PersonDeceased,
    PersonDeregistered,
    PersonRegistered,
)
from furong.registries.population.models import Household
from furong.registries.population.values import ChangeKind
from tests.registries.population.people import NOW, SYSTEM, WHY, Couple, birth, child, couple, household, person

pytestmark = pytest.mark.usefixtures("database")
ON = date(2026, 3, 9)
ACT: dict[str, Any] = {"evidence": "JM430291-2026-1", "actor": SYSTEM, "basis": WHY, "now": NOW}


def relations(household_id: UUID) -> dict[UUID, str]:
    found = queries.list_household(household_id=household_id, fields=("sex",), actor=SYSTEM, basis=WHY, now=NOW)
    return {one.person.person_id: one.relation for one in found.members}


def facts(person_id: UUID, *fields: str) -> list[object]:
    found = queries.get_person(person_id=person_id, fields=fields, actor=SYSTEM, basis=WHY, now=NOW)
    return [found[name] for name in fields]


def carrier(number: object) -> UUID | None:
    return queries.find_by_number(number=str(number), actor=SYSTEM, basis=WHY, now=NOW)


def family_of_three() -> tuple[Couple, UUID]:
    family = couple()
    return family, birth(family, record="B430299000001").person_id


def grandparents_home() -> tuple[UUID, UUID]:
    home = household(address="荷塘巷 9 号")
    return home, person("曾伯安", sex="1", born_on=date(1962, 2, 2), household=home)


# --- households -------------------------------------------------------------------------------


def test_a_split_makes_a_household_of_those_who_go_with_a_head_of_their_own() -> None:
    family, baby = family_of_three()
    outcome = commands.split_household(
        household_id=family.household,
        member_ids=[family.mother, baby],
        head_person_id=family.mother,
        split_on=ON,
        address="青石巷 8 号",
        **ACT,
    )
    assert relations(family.household) == {family.father: "02"}
    assert relations(outcome.new_household_id) == {family.mother: "02", baby: "32"}
    assert facts(baby, "address", "household_id") == ["青石巷 8 号", outcome.new_household_id]
    numbers = Household.objects.using("population").values_list("number", flat=True)
    assert len(set(numbers)) == 2
    assert {number[:6] for number in numbers} == {"430202"}


def test_the_head_who_splits_off_names_who_follows() -> None:
    family, baby = family_of_three()
    going: dict[str, Any] = {"household_id": family.household, "member_ids": [family.father], "split_on": ON, **ACT}
    with pytest.raises(HeadWouldLeave):
        commands.split_household(head_person_id=family.father, **going)
    with pytest.raises(HeadWouldLeave):  # one who goes too cannot follow
        commands.split_household(head_person_id=family.father, next_head_person_id=family.father, **going)
    commands.split_household(head_person_id=family.father, next_head_person_id=family.mother, **going)
    assert relations(family.household) == {family.mother: "02", baby: "32"}


def test_a_split_is_refused_for_strangers_and_where_nobody_or_everybody_goes() -> None:
    family = couple()
    stranger = grandparents_home()[1]

    def split(*members: UUID, head: UUID) -> None:
        commands.split_household(
            household_id=family.household, member_ids=members, head_person_id=head, split_on=ON, **ACT
        )

    with pytest.raises(NotOfHousehold):
        split(family.mother, stranger, head=family.mother)
    with pytest.raises(NotOfHousehold):
        split(family.mother, head=family.father)
    with pytest.raises(NothingToChange):
        split(family.mother, family.father, head=family.mother)
    assert relations(family.household).keys() == {family.father, family.mother}


def test_a_split_repeated_gives_the_same_household() -> None:
    family = couple()
    again = {
        "effect_id": new_id(),
        "household_id": family.household,
        "member_ids": [family.mother],
        "head_person_id": family.mother,
        "split_on": ON,
        **ACT,
    }
    assert commands.split_household(**again) == commands.split_household(**again)
    assert Household.objects.using("population").count() == 2


def test_a_merge_tells_relations_to_the_head_that_stays_and_closes_the_other() -> None:
    family, baby = family_of_three()
    home, grandfather = grandparents_home()
    commands.record_parenthood(
        child_person_id=family.mother, parent_person_id=grandfather, kind="father", since=None, **ACT
    )
    commands.merge_households(household_id=family.household, into_household_id=home, merged_on=ON, **ACT)
    assert relations(home) == {grandfather: "02", family.mother: "32", family.father: "28", baby: "44"}
    assert facts(baby, "address") == ["荷塘巷 9 号"]
    with pytest.raises(HouseholdNotFound):
        commands.change_head(household_id=family.household, head_person_id=family.mother, changed_on=ON, **ACT)


def test_households_of_different_townships_are_not_merged() -> None:
    family = couple()
    elsewhere = household(division="430202002001")
    with pytest.raises(HouseholdsApart):
        commands.merge_households(household_id=family.household, into_household_id=elsewhere, merged_on=ON, **ACT)
    with pytest.raises(NothingToChange):
        commands.merge_households(
            household_id=family.household, into_household_id=family.household, merged_on=ON, **ACT
        )


def test_another_head_is_told_everybodys_relation_and_history_keeps_the_old_one() -> None:
    family, baby = family_of_three()
    commands.change_head(household_id=family.household, head_person_id=family.mother, changed_on=ON, **ACT)
    assert relations(family.household) == {family.mother: "02", family.father: "11", baby: "32"}
    with pytest.raises(NothingToChange):
        commands.change_head(household_id=family.household, head_person_id=family.mother, changed_on=ON, **ACT)
    with pytest.raises(NotOfHousehold):
        commands.change_head(household_id=family.household, head_person_id=new_id(), changed_on=ON, **ACT)


# --- adoption -------------------------------------------------------------------------------


def adopters() -> Couple:
    home = household(address="白沙路 3 号")
    father = person("任知远", sex="1", born_on=date(1985, 1, 5), household=home)
    mother = person("向若溪", sex="2", born_on=date(1986, 6, 7), household=home)
    commands.record_marriage(person_id=mother, spouse_person_id=father, married_on=date(2015, 5, 1), **ACT)
    return Couple(mother=mother, father=father, household=home)


def adopt(child_id: UUID, by: Couple, **changes: Any) -> None:
    arguments = {
        "child_person_id": child_id,
        "mother_person_id": by.mother,
        "father_person_id": by.father,
        "household_id": by.household,
        "adopted_on": ON,
        **ACT,
    }
    commands.record_adoption(**(arguments | changes))


def test_an_adopted_child_has_new_parents_a_new_name_and_their_household() -> None:
    family, baby = family_of_three()
    new = adopters()
    adopt(baby, new, name="任子衿")
    assert facts(baby, "mother_id", "father_id", "name", "former_name") == [new.mother, new.father, "任子衿", "单子衿"]
    assert relations(new.household)[baby] == "32"
    assert baby not in relations(family.household)
    children = queries.list_children(person_id=family.mother, fields=("sex",), actor=SYSTEM, basis=WHY, now=NOW)
    assert children == ()


def test_a_stepfather_adopts_and_the_mother_stays_the_mother() -> None:
    home = household()
    mother = person("曾晓雅", sex="2", born_on=date(1990, 8, 9), household=home)
    stepfather = person("任知远", sex="1", born_on=date(1988, 1, 5), household=home)
    commands.record_marriage(person_id=mother, spouse_person_id=stepfather, married_on=date(2024, 5, 1), **ACT)
    alone = Couple(mother=mother, father=stepfather, household=home)
    baby = birth(alone, record="B430299000002", father_person_id=None, child=child()).person_id
    adopt(baby, alone, mother_person_id=None)
    assert facts(baby, "mother_id", "father_id") == [mother, stepfather]


def test_who_the_law_keeps_from_adopting_is_refused() -> None:
    family, baby = family_of_three()
    new = adopters()
    home = household(address="白沙路 4 号")
    young = person("覃小满", sex="2", born_on=date(2000, 3, 3), household=home)
    uncle = person("覃大年", sex="1", born_on=date(1990, 3, 3), household=home)
    grown = person("宋成年", sex="1", born_on=date(2001, 3, 3), household=home)
    mine = {"household_id": home}
    for bad in (
        {"father_person_id": None},  # one of a married couple alone
        {"mother_person_id": young, "father_person_id": None, **mine},  # younger than thirty
        {"mother_person_id": None, "father_person_id": uncle, **mine},  # a man alone, a girl, less than forty years
        {"mother_person_id": new.father, "father_person_id": new.mother},
        {"mother_person_id": None, "father_person_id": None},
    ):
        with pytest.raises(AdoptersUnfit):
            adopt(baby, new, **bad)
    with pytest.raises(AdoptersUnfit):
        adopt(grown, new)
    with pytest.raises(HouseholdNotOfParents):
        adopt(baby, new, household_id=home)
    with pytest.raises(NothingToChange):
        adopt(baby, new, evidence=" ")
    assert facts(baby, "mother_id", "father_id") == [family.mother, family.father]


# --- leaving and coming back -------------------------------------------------------------------------------


def leave(person_id: UUID, as_kind: ChangeKind, **changes: Any) -> None:
    commands.deregister_person(**({"person_id": person_id, "kind": as_kind, "left_on": ON, **ACT} | changes))


@pytest.mark.parametrize("kind", [ChangeKind.EMIGRATION, ChangeKind.ENLISTMENT])
def test_who_leaves_the_register_comes_back_with_the_same_number(kind: ChangeKind) -> None:
    family = couple()
    (number,) = facts(family.mother, "number")
    leave(family.mother, kind)
    assert facts(family.mother, "status", "household_id", "number") == ["deregistered", None, number]
    assert relations(family.household) == {family.father: "02"}
    with pytest.raises(PersonDeregistered):
        commands.record_death(person_id=family.mother, died_on=ON, **ACT)
    commands.restore_person(person_id=family.mother, household_id=family.household, returned_on=ON, **ACT)
    assert facts(family.mother, "status", "household_id", "number") == ["registered", family.household, number]
    assert relations(family.household) == {family.father: "02", family.mother: "12"}
    history = queries.list_history(person_id=family.mother, actor=SYSTEM, basis=WHY, now=NOW)
    assert {kind.value, "return"} <= {one.kind for one in history}
    with pytest.raises(PersonRegistered):
        commands.restore_person(person_id=family.mother, household_id=family.household, returned_on=ON, **ACT)


def test_somebody_entered_twice_keeps_the_entry_that_stands() -> None:
    family = couple()
    other = household(address="青石巷 70 号")
    twice = person("曾晓雅", sex="2", born_on=date(1992, 8, 9), household=other)
    with pytest.raises(CodeInvalid):
        leave(twice, ChangeKind.DUPLICATE)
    with pytest.raises(CodeInvalid):
        leave(twice, ChangeKind.DUPLICATE, stands_as_person_id=twice)
    leave(twice, ChangeKind.DUPLICATE, stands_as_person_id=family.mother)
    assert facts(twice, "status") == ["deregistered"]
    assert carrier(facts(twice, "number")[0]) is None
    assert facts(family.mother, "status") == ["registered"]
    assert not Household.objects.using("population").filter(pk=other, closed_on__isnull=True).exists()


def test_leaving_needs_evidence_a_known_reason_a_past_day_and_a_next_head() -> None:
    family = couple()
    for fault, bad in (
        (NothingToChange, {"evidence": " "}),
        (CodeInvalid, {"kind": ChangeKind.BIRTH}),
        (DateInFuture, {"left_on": ON + timedelta(days=5)}),
        (DateInFuture, {"left_on": date(1980, 1, 1)}),
        (HeadWouldLeave, {}),
    ):
        with pytest.raises(fault):
            leave(family.father, ChangeKind.EMIGRATION, **bad)
    leave(family.father, ChangeKind.EMIGRATION, new_head_person_id=family.mother)
    assert relations(family.household) == {family.mother: "02"}


def test_somebody_alive_after_all_is_restored_and_the_marriage_is_not() -> None:
    family = couple()
    (number,) = facts(family.mother, "number")
    commands.record_death(person_id=family.mother, died_on=date(2026, 2, 1), **ACT)
    assert carrier(number) is None
    commands.restore_person(person_id=family.mother, household_id=family.household, returned_on=ON, **ACT)
    assert facts(family.mother, "status", "died_on", "number", "spouse_id") == ["registered", None, number, None]
    assert carrier(number) == family.mother


# --- missing -------------------------------------------------------------------------------


def test_who_is_missing_stays_in_the_household_and_is_found_or_recorded_as_dead() -> None:
    family = couple()
    since = date(2026, 1, 5)
    commands.record_missing(person_id=family.mother, missing_since=since, **ACT)
    assert facts(family.mother, "missing_since", "status", "household_id") == [since, "registered", family.household]
    with pytest.raises(NothingToChange):
        commands.record_missing(person_id=family.mother, missing_since=since, **ACT)
    with pytest.raises(DateInFuture):
        commands.record_found(person_id=family.mother, found_on=date(2026, 1, 1), **ACT)
    commands.record_found(person_id=family.mother, found_on=ON, **ACT)
    assert facts(family.mother, "missing_since") == [None]
    with pytest.raises(NothingToChange):
        commands.record_found(person_id=family.mother, found_on=ON, **ACT)
    as_of = queries.get_person_as_of(
        person_id=family.mother, valid_on=date(2026, 2, 1), known_at=NOW, actor=SYSTEM, basis=WHY, now=NOW
    )
    assert as_of is not None
    assert as_of.facts["missing_since"] == "2026-01-05"
    commands.record_death(person_id=family.mother, died_on=ON, **ACT)
    with pytest.raises(PersonDeceased):
        commands.record_missing(person_id=family.mother, missing_since=since, **ACT)
