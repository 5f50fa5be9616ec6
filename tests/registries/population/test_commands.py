"""Births and other changes, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connections

from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.identity_numbers import parse_identity_number
from furong.foundation.codes.ids import new_id
from furong.registries.population import commands, errors, queries
from furong.registries.population.moves.errors import PermitNeeded
from furong.registries.population.values import RelationKind
from tests.registries.population.people import (
    DIVISION,
    NOW,
    SYSTEM,
    WHY,
    birth,
    child,
    couple,
    household,
    parenthood,
    person,
    resident,
)

pytestmark = pytest.mark.usefixtures("database")


def rows(sql: str, *params: object) -> list[tuple[object, ...]]:
    with connections["population"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def read(person_id, *fields, now=NOW):
    return queries.get_person(person_id=person_id, fields=fields, actor=SYSTEM, basis=WHY, now=now)


def in_threads(count: int, work: Callable[[int], object]) -> list[object]:
    """Run ``work`` in as many threads, all let go at once; give results and exceptions."""
    barrier = Barrier(count)

    def one(index: int) -> object:
        try:
            barrier.wait(30)
            return work(index)
        except Exception as exc:  # noqa: BLE001 - the test looks at what each thread met
            return exc
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_a_birth_gives_the_child_a_number_a_household_an_address_and_parents():
    family = couple()

    born = birth(family, record="U430200001")

    found = read(born.person_id, "name", "number", "address", "household_relation", "mother_id", "father_id", "marital")
    assert found["name"] == "单子衿"
    assert found["mother_id"] == family.mother
    assert found["father_id"] == family.father
    assert found["household_relation"] == born.household_relation == "32"  # the head's eldest daughter
    assert found["address"] == "青石巷 7 号"
    assert found["marital"] == "10"
    number = parse_identity_number(born.number, allow_reserved=True)
    assert number.is_reserved
    assert number.division_code == "430291"
    assert number.birth_on == date(2026, 3, 1)
    assert number.sex == "2"
    children = queries.list_children(
        person_id=family.mother, fields=["name"], actor=resident(family.mother), basis=WHY, now=NOW
    )
    assert [one.person_id for one in children] == [born.person_id]


def test_the_day_of_birth_is_the_local_day():
    family = couple()

    born = birth(family, record="U430200002", child=child(born_at=datetime(2026, 2, 28, 17, 0, tzinfo=UTC)))

    assert read(born.person_id, "born_on")["born_on"] == date(2026, 3, 1)
    assert born.number[6:14] == "20260301"


def test_twenty_births_at_once_get_twenty_numbers():
    families = [couple() for _ in range(5)]

    results = in_threads(
        20, lambda i: birth(families[i % 5], record=f"U4302001{i:02d}", child=child(sex=str(1 + i % 2)))
    )

    assert [r for r in results if isinstance(r, BaseException)] == []
    numbers = {r.number for r in results}
    assert len(numbers) == 20
    assert {int(n[14:17]) % 2 for n in numbers} == {0, 1}
    assert rows("SELECT count(*) FROM population_birth_registration") == [(20,)]


def test_the_same_effect_at_once_and_again_is_one_child():
    family = couple()
    effect = new_id()

    results = in_threads(8, lambda _: birth(family, record="U430200003", effect_id=effect))
    again = birth(family, record="U430200003", effect_id=effect)

    assert [r for r in results if isinstance(r, BaseException)] == []
    assert set(results) == {again}
    assert rows("SELECT count(*) FROM population_person WHERE name = '单子衿'") == [(1,)]
    assert rows("SELECT count(*) FROM events_outbox WHERE name = 'population.person_born'") == [(1,)]


def test_the_same_paper_by_two_effects_at_once_registers_one_child():
    family = couple()

    results = in_threads(6, lambda _: birth(family, record="U430200004"))

    refused = [r for r in results if isinstance(r, errors.ChildAlreadyRegistered)]
    assert len(refused) == 5
    assert rows("SELECT count(*) FROM population_birth_registration") == [(1,)]


def test_an_effect_is_not_carried_out_with_other_content():
    family = couple()
    effect = new_id()
    birth(family, record="U430200005", effect_id=effect)

    with pytest.raises(errors.EffectReusedError):
        birth(family, record="U430200005", effect_id=effect, child=child("单子佩"))


def test_a_refused_birth_gives_its_number_back():
    family = couple()
    outside = household()

    with pytest.raises(errors.HouseholdNotOfParents):
        birth(family, record="U430200006", household_id=outside)

    assert rows("SELECT count(*) FROM population_number_sequence") == [(0,)]
    assert rows("SELECT count(*) FROM population_change WHERE kind = 'birth'") == [(0,)]


@pytest.mark.parametrize(
    ("late", "born_at"),
    [
        (False, datetime(2026, 2, 10, 4, 0, tzinfo=UTC)),
        (True, datetime(2026, 2, 8, 4, 0, tzinfo=UTC)),
    ],
)
def test_a_registration_after_a_month_is_late_with_a_note(late, born_at):
    family = couple()

    born = birth(family, record="U430200007", child=child(born_at=born_at), late_note="父母在外务工")

    assert born.is_late is late
    assert rows("SELECT is_late, late_note FROM population_birth_registration") == [
        (late, "父母在外务工" if late else "")
    ]


def test_a_father_not_married_to_the_mother_must_have_consented():
    family = couple(married=False)

    with pytest.raises(errors.ConsentMissing):
        birth(family, record="U430200008")

    assert birth(family, record="U430200008", consent_reference="consent:1").person_id


def test_a_birth_of_a_dead_mother_is_refused_but_not_of_one_who_died_giving_birth():
    family = couple()
    commands.record_death(
        person_id=family.mother, died_on=date(2026, 3, 1), evidence="death record", actor=SYSTEM, basis=WHY, now=NOW
    )

    with pytest.raises(errors.PersonDeceased):
        birth(
            family,
            record="U430200009",
            consent_reference="c",
            child=child(born_at=datetime(2026, 3, 3, 4, 0, tzinfo=UTC)),
        )

    assert birth(family, record="U430200009", consent_reference="c").person_id


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"child": child(ethnicity="06")}, errors.EthnicityNotOfParents),
        ({"child": child(sex="9")}, errors.CodeInvalid),
        ({"child": child("")}, errors.NameInvalid),
        ({"child": child("单<b>")}, errors.NameInvalid),
        ({"child": child(born_at=NOW + timedelta(hours=1))}, errors.DateInFuture),
        ({"birth_record_number": "  "}, errors.BirthRecordMissing),
        ({"mother_person_id": new_id()}, errors.PersonNotFound),
        ({"household_id": new_id()}, errors.HouseholdNotFound),
        ({"basis": Basis(purpose=" ")}, PurposeMissing),
        ({"actor": Actor.anonymous()}, Exception),
    ],
)
def test_a_birth_that_breaks_a_rule_is_refused_and_audited(changes, refusal):
    family = couple()
    before = rows("SELECT count(*) FROM audit_entry WHERE outcome = 'refused'")[0][0]

    with pytest.raises(refusal):
        birth(family, record="U430200010", **changes)

    assert rows("SELECT count(*) FROM audit_entry WHERE outcome = 'refused'") == [(before + 1,)]
    assert rows("SELECT count(*) FROM population_birth_registration") == [(0,)]


def test_a_father_cannot_be_the_mother():
    family = couple()

    with pytest.raises(errors.ParentUnfit):
        birth(family, record="U430200011", mother_person_id=family.father, father_person_id=None)


def test_a_resident_cannot_register_a_birth():
    family = couple()

    with pytest.raises(AccessRefused):
        birth(family, record="U430200012", actor=resident(family.mother))


def test_rare_characters_are_names_and_places():
    family = couple()

    born = birth(family, record="U430200013", child=child("单㮾梨𬱖"))

    assert read(born.person_id, "name")["name"] == "单㮾梨𬱖"
    assert read(born.person_id, "name_pinyin")["name_pinyin"].startswith("shan4 lang3 li2")


def test_a_number_once_given_out_is_passed_over():
    family = couple()
    taken = "430291" + "20260301" + "002"
    from furong.foundation.codes.checks import mod_11_2

    commands.register_person(
        name="先来",
        sex="2",
        ethnicity="01",
        born_on=date(2026, 3, 1),
        number=taken + mod_11_2(taken),
        household_id=household(),
        allow_reserved=True,
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )

    assert birth(family, record="U430200014").number[14:17] == "004"


def test_numbers_of_one_day_run_out_with_a_fault():
    family = couple()
    rows_before = (
        "INSERT INTO population_number_sequence (county_code, born_on, parity, last) VALUES ('430291', %s, 0, 998)"
    )
    with connections["population"].cursor() as cursor:
        cursor.execute(rows_before, [date(2026, 3, 1)])

    with pytest.raises(errors.NumbersExhaustedError):
        birth(family, record="U430200015")


# --- history ----------------------------------------------------------------------------------------------------


def test_an_amendment_keeps_what_held_before():
    family = couple()
    commands.amend_person(
        person_id=family.father,
        facts={"name": "单石声"},
        effective_on=date(2025, 1, 1),
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )

    def name_on(day):
        held = queries.get_person_as_of(
            person_id=family.father, valid_on=day, known_at=NOW, actor=SYSTEM, basis=WHY, now=NOW
        )
        return held.facts["name"]

    assert name_on(date(2024, 12, 31)) == "单石生"
    assert name_on(date(2025, 1, 1)) == "单石声"
    found = read(family.father, "name", "former_name", "name_pinyin")
    assert (found["name"], found["former_name"]) == ("单石声", "单石生")
    assert found["name_pinyin"] == "shan4 shi2 sheng1"


def test_an_amendment_recorded_late_does_not_run_over_a_later_one():
    family = couple()
    for name, day in (("单三声", date(2025, 1, 1)), ("单二声", date(2020, 1, 1))):
        commands.amend_person(
            person_id=family.father,
            facts={"name": name, "former_name": ""},
            effective_on=day,
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
        )

    held = {
        day.year: queries.get_person_as_of(
            person_id=family.father, valid_on=day, known_at=NOW, actor=SYSTEM, basis=WHY, now=NOW
        ).facts["name"]
        for day in (date(2019, 6, 1), date(2022, 6, 1), date(2025, 6, 1))
    }
    assert held == {2019: "单石生", 2022: "单二声", 2025: "单三声"}
    assert read(family.father, "name")["name"] == "单三声"


def test_a_correction_is_seen_beside_what_it_corrected():
    family = couple()
    later = NOW + timedelta(days=1)
    commands.correct_person(
        person_id=family.mother,
        facts={"born_on": date(1992, 9, 8)},
        evidence="birth certificate of 1992",
        actor=SYSTEM,
        basis=WHY,
        now=later,
    )

    def known(at):
        return queries.get_person_as_of(
            person_id=family.mother, valid_on=date(2020, 1, 1), known_at=at, actor=SYSTEM, basis=WHY, now=later
        ).facts["born_on"]

    assert known(NOW) == "1992-08-09"
    assert known(later) == "1992-09-08"
    assert read(family.mother, "born_on")["born_on"] == date(1992, 9, 8)
    history = queries.list_history(person_id=family.mother, actor=SYSTEM, basis=WHY, now=later)
    assert {v.facts["born_on"] for v in history} == {"1992-08-09", "1992-09-08"}
    assert any(v.superseded_at == later for v in history)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM population_person_version",
        "UPDATE population_person_version SET facts = '{}'",
        "UPDATE population_residence SET address = 'elsewhere'",
        "DELETE FROM population_identity_number",
    ],
)
def test_history_cannot_be_deleted_or_rewritten(statement):
    couple()

    with pytest.raises(IntegrityError), connections["population"].cursor() as cursor:
        cursor.execute(statement)


def test_a_superseded_row_cannot_come_back():
    family = couple()
    commands.amend_person(
        person_id=family.father,
        facts={"name": "单石声"},
        effective_on=date(2025, 1, 1),
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )

    with pytest.raises(IntegrityError), connections["population"].cursor() as cursor:
        cursor.execute("UPDATE population_person_version SET superseded_at = NULL WHERE superseded_at IS NOT NULL")


def test_changes_that_change_nothing_or_the_wrong_field_are_refused():
    family = couple()

    def amend(**facts):
        return commands.amend_person(
            person_id=family.father, facts=facts, effective_on=date(2025, 1, 1), actor=SYSTEM, basis=WHY, now=NOW
        )

    with pytest.raises(errors.NothingToChange):
        amend(name="单石生")
    with pytest.raises(errors.FieldNotChangeable):
        amend(born_on=date(1980, 1, 1))
    with pytest.raises(errors.CodeInvalid):
        amend(ethnicity="88")
    with pytest.raises(errors.NothingToChange):
        commands.correct_person(
            person_id=family.father, facts={"name": "单石声"}, evidence=" ", actor=SYSTEM, basis=WHY, now=NOW
        )


def test_an_effect_amends_once():
    family = couple()
    effect = new_id()

    def amend():
        return commands.amend_person(
            person_id=family.father,
            facts={"name": "单石声"},
            effective_on=date(2025, 1, 1),
            effect_id=effect,
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
        )

    assert amend() == amend()
    assert rows("SELECT count(*) FROM population_change WHERE kind = 'amendment'") == [(1,)]


def test_a_death_makes_the_spouse_head_and_tells_relations_anew():
    family = couple()
    born = birth(family, record="U430200020")

    commands.record_death(
        person_id=family.father, died_on=date(2026, 3, 5), evidence="death record", actor=SYSTEM, basis=WHY, now=NOW
    )

    home = queries.list_household(household_id=family.household, fields=["marital"], actor=SYSTEM, basis=WHY, now=NOW)
    assert [(m.person.person_id, m.relation) for m in home.members] == [
        (family.mother, "02"),
        (born.person_id, "32"),
    ]
    assert home.members[0].person["marital"] == "30"
    found = read(family.father, "status", "died_on", "number", "household_id", "spouse_id")
    assert found["status"] == "deceased"
    assert found["died_on"] == date(2026, 3, 5)
    assert found["number"]  # the dead keep their number
    assert found["household_id"] is None
    with pytest.raises(errors.PersonDeceased):
        commands.amend_person(
            person_id=family.father, facts={"name": "某"}, effective_on=NOW.date(), actor=SYSTEM, basis=WHY, now=NOW
        )


def test_a_move_changes_household_address_and_division():
    family = couple()
    born = birth(family, record="U430200021")
    elsewhere = household(division="430202002003", address="湘水路 88 号")
    with pytest.raises(PermitNeeded):
        commands.move_person(
            person_id=family.mother,
            household_id=household(division="430405002003"),
            moved_on=date(2026, 3, 8),
            reason="work",
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
        )

    moved = commands.move_person(
        person_id=family.mother,
        household_id=elsewhere,
        moved_on=date(2026, 3, 8),
        reason="work",
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )
    commands.move_person(
        person_id=born.person_id,
        household_id=elsewhere,
        moved_on=date(2026, 3, 10),
        reason="with the mother",
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )

    assert not moved.is_late
    home = queries.list_household(household_id=elsewhere, fields=["division_code"], actor=SYSTEM, basis=WHY, now=NOW)
    assert [m.relation for m in home.members] == ["02", "32"]
    assert {m.person["division_code"] for m in home.members} == {"430202002003"}
    assert read(family.mother, "address")["address"] == "湘水路 88 号"


def test_a_head_does_not_leave_members_without_one():
    family = couple()
    elsewhere = household()

    def move(**more):
        return commands.move_person(
            person_id=family.father,
            household_id=elsewhere,
            moved_on=date(2026, 3, 8),
            reason="work",
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
            **more,
        )

    with pytest.raises(errors.HeadWouldLeave):
        move()
    move(new_head_person_id=family.mother)

    home = queries.list_household(household_id=family.household, fields=["name"], actor=SYSTEM, basis=WHY, now=NOW)
    assert [(m.person.person_id, m.relation) for m in home.members] == [(family.mother, "02")]


def test_nobody_marries_twice_without_a_divorce():
    family = couple()
    third = person("任平生", sex="1", born_on=date(1991, 1, 1), household=household())

    def marry():
        return commands.record_marriage(
            person_id=family.mother,
            spouse_person_id=third,
            married_on=date(2026, 3, 9),
            evidence="J2",
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
        )

    with pytest.raises(errors.AlreadyMarried):
        marry()
    commands.record_divorce(
        person_id=family.mother,
        spouse_person_id=family.father,
        divorced_on=date(2026, 3, 1),
        evidence="L1",
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )
    marry()

    assert read(family.mother, "spouse_id", "marital").values == {"spouse_id": third, "marital": "22"}
    assert read(family.father, "spouse_id", "marital").values == {"spouse_id": None, "marital": "40"}


def test_a_temporary_stay_leaves_the_permanent_residence():
    family = couple()
    stay = commands.record_temporary_stay(
        person_id=family.mother,
        division_code="430102001001",
        address="识字里 1 号",
        since=date(2026, 3, 1),
        reason="work",
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )
    assert read(family.mother, "address")["address"] == "青石巷 7 号"

    commands.end_temporary_stay(stay_id=stay, ended_on=date(2026, 3, 9), actor=SYSTEM, basis=WHY, now=NOW)

    with pytest.raises(errors.NothingToChange):
        commands.end_temporary_stay(stay_id=stay, ended_on=date(2026, 3, 9), actor=SYSTEM, basis=WHY, now=NOW)


def test_a_grandchild_in_the_grandparents_book_is_told_by_line():
    home = household()
    grandmother = person("覃桂枝", sex="2", born_on=date(1960, 2, 2), household=home)
    mother = person("任小满", sex="2", born_on=date(1990, 5, 21), household=home)
    parenthood(mother, grandmother, RelationKind.MOTHER)

    born = commands.register_birth(
        effect_id=new_id(),
        child=replace(child("任平"), sex="1"),
        birth_record_number="U430200022",
        mother_person_id=mother,
        household_id=home,
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )

    assert born.household_relation == "43"  # a daughter's son
    assert born.division_code == DIVISION


def test_a_number_that_breaks_the_standard_or_is_taken_is_refused():
    home = household()
    one = {"name": "甲", "sex": "1", "ethnicity": "01", "born_on": date(1990, 1, 1), "household_id": home}
    asked = {"actor": SYSTEM, "basis": WHY, "now": NOW}

    with pytest.raises(errors.NumberInvalid):
        commands.register_person(**one, number="430291199001010019", allow_reserved=True, **asked)
    with pytest.raises(errors.NumberInvalid):  # an invented number, not in a demo
        commands.register_person(**one, number="430291199001010010", **asked)
