"""Who may read what, which fields leave the register, and the trace that each read leaves."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import connections

from furong.foundation.access.commands import set_post_rights
from furong.foundation.access.errors import AccessRefused, AssuranceTooLow, PurposeMissing, SignInNeeded
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis, PostRight, Principal
from furong.foundation.audit import queries as audit
from furong.foundation.codes.ids import new_id
from furong.registries.population import commands, errors, queries
from furong.registries.population.values import RelationKind
from tests.registries.population.people import (
    NOW,
    SYSTEM,
    WHY,
    birth,
    couple,
    household,
    person,
    resident,
)

pytestmark = pytest.mark.usefixtures("database")

CASE = Basis(purpose="核对户籍", legal_basis="户口登记条例 第七条", case_id=new_id())


def officer(*rights: str, prefix: str = "4302") -> Actor:
    post = new_id()
    set_post_rights(
        post_id=post,
        rights=[PostRight(right=right, division_prefix=prefix) for right in rights],
        now=NOW,
    )
    return Actor(
        kind=ActorKind.STAFF,
        account_id=new_id(),
        post_id=post,
        organization_id=new_id(),
        assurance=Assurance.IN_PERSON,
        label="户籍民警",
        organization_label="派出所",
    )


def rows(sql, *params):
    with connections["population"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def get(person_id, actor, *fields, basis=CASE):
    return queries.get_person(person_id=person_id, fields=fields or ("name",), actor=actor, basis=basis, now=NOW)


def trace_of(person_id):
    return audit.list_reads_of_person(person_id=person_id, limit=20)


# --- field-level ------------------------------------------------------------------------------------------------


def test_only_the_fields_asked_for_come_back_and_only_they_are_logged():
    family = couple()

    found = get(family.mother, officer("population.read"), "name", "ethnicity")

    assert dict(found.values) == {"name": "曾晓雅", "ethnicity": "15"}
    with pytest.raises(KeyError):
        found["number"]
    (read,) = [one for one in trace_of(family.mother) if one.what == "population.get_person"]
    assert set(read.fields) == {"name", "ethnicity"}
    assert read.purpose == "核对户籍"
    assert "曾晓雅" not in repr(found)


def test_a_field_the_register_lacks_is_refused_and_no_field_too():
    family = couple()

    with pytest.raises(errors.FieldUnknown):
        get(family.mother, SYSTEM, "shoe_size")
    with pytest.raises(errors.FieldUnknown):
        queries.get_person(person_id=family.mother, fields=[], actor=SYSTEM, basis=CASE, now=NOW)


def test_every_field_of_the_dictionary_can_be_read():
    family = couple()
    born = birth(family, record="U1")

    found = get(born.person_id, SYSTEM, *queries.FIELDS)

    assert set(found.values) == set(queries.FIELDS)
    assert found["father_id"] == family.father
    assert found["number_type"] == "111"


# --- purpose and right ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["", "   "])
def test_a_read_without_a_purpose_is_refused_and_the_refusal_is_in_the_log(purpose):
    family = couple()
    asking = officer("population.read", "population.search")

    for ask in (
        lambda: get(family.mother, asking, basis=Basis(purpose=purpose)),
        lambda: queries.search_people(name="曾", actor=asking, basis=Basis(purpose=purpose), now=NOW),
        lambda: queries.find_by_number(number="x", actor=asking, basis=Basis(purpose=purpose), now=NOW),
        lambda: queries.list_household(
            household_id=family.household, fields=["name"], actor=asking, basis=Basis(purpose=purpose), now=NOW
        ),
    ):
        with pytest.raises(PurposeMissing):
            ask()

    refused = rows("SELECT name, code FROM audit_entry WHERE outcome = 'refused' ORDER BY name")
    assert {name for name, _ in refused} == {
        "population.get_person",
        "population.search_people",
        "population.find_by_number",
        "population.list_household",
    }
    assert {code for _, code in refused} == {"access.purpose_missing"}


def test_staff_read_where_their_right_reaches_and_nowhere_else():
    here, there = couple(), couple(division="433101005201")
    asking = officer("population.read")

    assert get(here.mother, asking)["name"] == "曾晓雅"
    with pytest.raises(AccessRefused):
        get(there.mother, asking)
    with pytest.raises(AccessRefused):
        get(here.mother, officer("cases.handle"))
    with pytest.raises(AccessRefused):
        queries.list_persons(person_ids=[here.mother, there.mother], fields=["name"], actor=asking, basis=CASE, now=NOW)
    assert trace_of(there.mother) == [] or all(one.action == "command" for one in trace_of(there.mother))


def test_a_stranger_cannot_tell_a_person_from_nobody():
    family = couple()
    stranger = resident(new_id())

    for asked in (family.mother, new_id()):
        with pytest.raises(AccessRefused):
            get(asked, stranger)
    with pytest.raises(SignInNeeded):
        get(family.mother, Actor.anonymous())
    with pytest.raises(AssuranceTooLow):
        get(
            family.mother,
            Actor(kind=ActorKind.RESIDENT, person_id=family.mother, assurance=Assurance.REGISTERED),
        )


def test_a_resident_reads_themself_their_minor_children_and_whom_they_act_for_and_it_is_traced():
    family = couple()
    born = birth(family, record="U2")
    mother = resident(family.mother)

    assert get(family.mother, mother, "number")["number"]
    assert get(born.person_id, mother, "number", "mother_id")["number"] == born.number
    assert any(one.what == "population.get_person" for one in trace_of(born.person_id))
    elder = person("罗松柏", sex="1", born_on=date(1946, 10, 2), household=household())
    with pytest.raises(AccessRefused):
        get(elder, mother)
    acting = mother.acting_for(Principal(kind="person", id=elder, mandate_id=new_id()))
    assert get(elder, acting)["name"] == "罗松柏"


def test_a_grown_child_of_another_household_is_not_the_mothers_to_read():
    mother = person("毛桂珍", sex="2", born_on=date(1960, 1, 1), household=household())
    grown = person("罗红霞", sex="2", born_on=date(1984, 1, 1), household=household())
    commands.record_parenthood(
        child_person_id=grown,
        parent_person_id=mother,
        kind=RelationKind.MOTHER,
        evidence="x",
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )

    with pytest.raises(AccessRefused):
        get(grown, resident(mother))
    assert queries.list_children(person_id=mother, fields=["name"], actor=resident(mother), basis=CASE, now=NOW) == ()


def test_a_spouse_elsewhere_is_read_as_far_as_the_marriage_certificate_shows():
    family = couple()
    commands.move_person(
        person_id=family.mother,
        household_id=household(division="430202002001", address="荷叶街 3 号"),
        moved_on=date(2026, 3, 1),
        reason="work",
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )

    assert get(family.father, resident(family.mother), "name", "number")["name"] == "单石生"
    with pytest.raises(AccessRefused):
        get(family.father, resident(family.mother), "name", "address")


def test_members_of_a_household_read_its_book_but_not_each_others_parents():
    family = couple(married=False)
    mother = resident(family.mother)

    book = queries.list_household(
        household_id=family.household, fields=["name", "number", "address"], actor=mother, basis=CASE, now=NOW
    )

    assert [(m.person["name"], m.relation) for m in book.members] == [("单石生", "02"), ("曾晓雅", "97")]
    with pytest.raises(AccessRefused):
        get(family.father, mother, "mother_id")
    with pytest.raises(AccessRefused):
        queries.list_household(
            household_id=family.household, fields=["name"], actor=resident(new_id()), basis=CASE, now=NOW
        )


# --- search -----------------------------------------------------------------------------------------------------


def search(asking, **criteria):
    return queries.search_people(**({"actor": asking, "basis": CASE, "now": NOW} | criteria))


@pytest.mark.parametrize(
    "criteria",
    [
        {"name": "曾"},
        {"name": "曾晓雅"},
        {"pinyin": "zengxiao"},
        {"pinyin": "zxy"},
        {"pinyin": "Zeng Xiaoya"},
        {"born_on": date(1992, 8, 9)},
        {"born_on": date(1992, 8, 1), "born_until": date(1992, 9, 1)},
        {"name": "曾", "sex": "2", "division_prefix": "430202"},
    ],
)
def test_a_person_is_found_by_name_sound_and_birth_and_shown_masked(criteria):
    family = couple()

    page = search(officer("population.search"), **criteria)

    (hit,) = page.hits
    assert hit.person_id == family.mother
    assert hit.name_masked == "曾**"
    assert hit.number_masked.startswith("430****")
    assert hit.birth_year == 1992
    (read,) = [one for one in trace_of(family.mother) if one.what == "population.search_people"]
    assert "name_masked" in read.fields


def test_a_person_is_found_by_number_also_after_it_ended():
    family = couple()
    number = get(family.mother, SYSTEM, "number")["number"]

    assert search(officer("population.search"), number=number.lower()).hits[0].person_id == family.mother


@pytest.mark.parametrize("criteria", [{}, {"sex": "2"}, {"division_prefix": "4302"}, {"name": "  "}, {"pinyin": "!?"}])
def test_a_search_that_names_nobody_is_too_broad(criteria):
    with pytest.raises(errors.SearchTooBroad):
        search(officer("population.search"), **criteria)


def test_a_search_of_many_years_is_too_broad():
    with pytest.raises(errors.SearchTooBroad):
        search(SYSTEM, born_on=date(1900, 1, 1), born_until=date(2000, 1, 1))


def test_a_search_shows_only_the_divisions_of_the_right():
    couple()
    couple(division="433101005201")

    assert len(search(officer("population.search"), name="曾").hits) == 1
    assert len(search(officer("population.search", prefix="43"), name="曾").hits) == 2
    with pytest.raises(AccessRefused):
        search(officer("population.read"), name="曾")
    with pytest.raises(AccessRefused):
        search(resident(new_id()), name="曾")


def test_pages_follow_each_other_by_birth_and_pinyin_without_loss():
    home = household()
    names = ["张三", "张四", "单一", "任二", "曾五", "张六", "李七"]
    for n, name in enumerate(names):
        person(name, sex="1", born_on=date(1990, 1, 1 + n // 4), household=home)

    seen, after, pages = [], "", 0
    while True:
        page = search(SYSTEM, born_on=date(1990, 1, 1), born_until=date(1990, 2, 1), limit=3, after=after)
        seen += [
            rows("SELECT name FROM population_person WHERE person_id = %s", hit.person_id)[0][0] for hit in page.hits
        ]
        pages += 1
        after = page.next_after
        if not after:
            break

    assert seen == ["任二", "单一", "张三", "张四", "李七", "曾五", "张六"]
    assert pages == 3
    assert "zhang" not in after


def test_a_page_that_does_not_exist_is_refused():
    with pytest.raises(errors.SearchTooBroad):
        search(SYSTEM, name="张", after="garbage")


def test_a_search_text_is_never_sql():
    couple()

    assert search(SYSTEM, name="曾' OR '1'='1").hits == ()
    assert search(SYSTEM, name="%").hits == ()


def test_a_number_binds_a_person_only_with_the_right_name():
    family = couple()
    number = get(family.mother, SYSTEM, "number")["number"]

    def find(name):
        return queries.find_by_number(number=number, name=name, actor=SYSTEM, basis=CASE, now=NOW)

    assert find("曾晓雅") == family.mother
    assert find(" 曾 晓雅") == family.mother
    assert find("曾小雅") is None
    assert queries.find_by_number(number="430291199001010010", actor=SYSTEM, basis=CASE, now=NOW) is None


def test_a_birth_registration_is_found_by_its_effect():
    family, effect = couple(), new_id()
    born = birth(family, record="U3", effect_id=effect)

    def find(effect_id):
        return queries.get_birth_registration(effect_id=effect_id, actor=SYSTEM, basis=CASE, now=NOW)

    assert find(effect) == born
    assert find(new_id()) is None


def test_people_are_counted_without_a_trace_of_anybody():
    couple()

    assert queries.count_people(actor=officer("population.search"), now=NOW) == 2
    assert queries.count_people(actor=officer("population.search", prefix="4331"), now=NOW) == 0


def test_the_past_is_read_by_both_clocks():
    family = couple()
    late = datetime(2026, 5, 1, tzinfo=UTC)
    commands.amend_person(
        person_id=family.father,
        facts={"name": "单石声"},
        effective_on=date(2026, 4, 1),
        actor=SYSTEM,
        basis=WHY,
        now=late,
    )

    def name(valid_on, known_at):
        held = queries.get_person_as_of(
            person_id=family.father, valid_on=valid_on, known_at=known_at, actor=SYSTEM, basis=CASE, now=late
        )
        return held.facts["name"] if held else None

    assert name(date(2026, 4, 15), NOW) == "单石生"
    assert name(date(2026, 4, 15), late) == "单石声"
    assert name(date(2026, 3, 15), late) == "单石生"
    assert name(date(1980, 1, 1), late) is None
