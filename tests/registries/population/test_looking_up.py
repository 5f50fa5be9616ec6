"""Finding people by number, household, address and name: who is found, by whom, how often, and what they see of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext, override_settings

from furong.foundation.access.errors import AccessRefused, PurposeMissing, TooManyAsked
from furong.foundation.access.values import Basis
from furong.foundation.codes.ids import new_id
from furong.registries.population import commands, errors, queries
from furong.registries.population.naming import address_key
from furong.registries.population.queries import addresses, searching
from tests.registries.population.people import NOW, SYSTEM, WHY, couple, household, person, resident
from tests.registries.population.test_queries import CASE, get, officer, rows, search, trace_of

pytestmark = pytest.mark.usefixtures("database")


def plan_of(sql, *params):
    with transaction.atomic(using="population"), connections["population"].cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        return "\n".join(row[0] for row in cursor.fetchall())


def number_of(person_id):
    return get(person_id, SYSTEM, "number")["number"]


# --- by number ---------------------------------------------------------------------------------------------------


def by_number(actor, number, *fields, **more):
    return queries.get_by_number(
        number=number, fields=fields or ("name", "sex"), actor=actor, basis=CASE, now=NOW, **more
    )


def test_a_look_up_by_number_is_one_statement_and_one_entry_and_the_person_sees_it():
    family = couple()
    number = number_of(family.mother)
    police = officer("population.search", "population.read")
    by_number(police, number)  # rights and terms are known to this process now

    with CaptureQueriesContext(connections["population"]) as statements:
        found = by_number(police, number.lower(), "ethnicity", name="曾晓雅")

    assert found is not None
    assert found.person_id == family.mother
    assert dict(found.values) == {"ethnicity": "15"}
    assert [one["sql"].split()[0] for one in statements] == ["SELECT", "WITH"]
    read = trace_of(family.mother)[0]
    assert (read.what, set(read.fields)) == ("population.get_by_number", {"number", "name", "ethnicity"})


def test_a_look_up_by_number_finds_nobody_of_another_name_another_place_or_without_the_rights():
    number = number_of(couple().mother)
    both = ("population.search", "population.read")

    assert by_number(officer(*both), number, name="曾晓娅") is None
    assert by_number(officer(*both, prefix="4331"), number) is None
    assert by_number(officer(*both), "430291199208090000") is None
    assert by_number(officer(*both), number, number_type="414") is None
    for rights in (both[:1], both[1:]):
        with pytest.raises(AccessRefused):
            by_number(officer(*rights), number)
    with pytest.raises(AccessRefused):
        by_number(resident(new_id()), number)
    with pytest.raises(errors.FieldUnknown):
        by_number(SYSTEM, number, "salary")
    with pytest.raises(PurposeMissing):
        queries.get_by_number(number=number, fields=["name"], actor=SYSTEM, basis=Basis(purpose=" "), now=NOW)


def test_existence_is_a_yes_or_a_no_and_whoever_was_asked_about_sees_it_either_way():
    family = couple()
    number = number_of(family.mother)
    bank = officer("population.verify")

    def exists(actor=bank, given=number, **more):
        return queries.person_exists(number=given, actor=actor, basis=CASE, now=NOW, **more)

    before = len(trace_of(family.mother))
    assert exists() is True
    assert exists(name="曾 晓雅") is True
    assert exists(name="曾小雅") is False
    assert exists(given="430291199208090000") is False
    assert exists(officer("population.search")) is True
    assert exists(officer("population.verify", prefix="4331")) is False
    seen = trace_of(family.mother)
    assert len(seen) - before == 4  # not the one asked from elsewhere
    assert set(seen[0].fields) == {"number", "status"}
    for stranger in (officer("population.read"), resident(family.mother)):
        with pytest.raises(AccessRefused):
            exists(stranger)
    commands.record_death(
        person_id=family.mother, died_on=date(2026, 3, 1), evidence="死亡证明 1", actor=SYSTEM, basis=WHY, now=NOW
    )
    assert exists() is False


# --- households and addresses ------------------------------------------------------------------------------------


def test_a_household_is_found_by_its_number():
    family = couple()
    ((number,),) = rows("SELECT number FROM population_household WHERE household_id = %s", family.household)

    def read(actor, given):
        return queries.list_household(number=given, fields=["name_masked"], actor=actor, basis=CASE, now=NOW)

    found = read(officer("population.read"), f" {number} ")
    assert found.household_id == family.household
    assert [one.person.person_id for one in found.members] == [family.father, family.mother]
    assert read(resident(family.mother), number).number == number
    with pytest.raises(AccessRefused):
        read(officer("population.read", prefix="4331"), number)
    with pytest.raises(AccessRefused):
        read(resident(new_id()), number)
    with pytest.raises(errors.HouseholdNotFound):
        read(officer("population.read"), "999999999")


def test_an_address_is_found_however_it_is_written_and_pages_follow_without_loss():
    for place in (
        "枫溪大道 12号3栋a1室",
        "枫溪大道１２号３栋Ａ２室",
        "枫溪大道12号10栋",
        "枫溪大道 121号",
        "枫溪路12号",
    ):
        home = household(division="430202001001", address=place)
        person("钟楚红", sex="2", born_on=date(1988, 3, 4), household=home)
    household(division="433101005201", address="枫溪大道12号")
    police = officer("population.search")

    def at(text, after="", prefix="430202", actor=police, limit=2):
        return queries.list_at_address(
            division_prefix=prefix, address=text, limit=limit, after=after, actor=actor, basis=CASE, now=NOW
        )

    first = at("枫溪大道１２号")
    second = at("枫溪大道１２号", first.next_after)
    found = [*first.households, *second.households]
    assert [address_key(one.address) for one in found] == [
        "枫溪大道12号10栋",
        "枫溪大道12号3栋A1室",
        "枫溪大道12号3栋A2室",
    ]
    assert second.next_after == ""
    assert {(one.member_count, one.members[0].name_masked) for one in found} == {(1, "钟**")}
    assert trace_of(found[0].members[0].person_id)[0].what == "population.list_at_address"
    assert len(at("枫溪大道", limit=50).households) == 4
    assert at("枫溪", actor=officer("population.search", prefix="4331")).households == ()
    for prefix, text in (("4302", "枫溪"), ("430202", "  ")):
        with pytest.raises(errors.SearchTooBroad):
            at(text, prefix=prefix)
    assert "population_household_address" in plan_of(
        addresses._AT.format(where="TRUE"), "430202001001", "430202001002", "枫", "枬", 20
    )


# --- by name -----------------------------------------------------------------------------------------------------


def test_a_name_is_narrowed_by_sex_birth_and_places_and_the_whole_name_comes_first():
    home = household()
    people = {
        name: person(name, sex=sex, born_on=born, household=home)
        for name, sex, born in (
            ("龙一", "1", date(1991, 1, 1)),
            ("龙一鸣", "2", date(1970, 1, 1)),
            ("龙二", "1", date(1970, 1, 1)),
        )
    }
    with connections["population"].cursor() as cursor:
        cursor.execute(
            "UPDATE population_person SET native_division_code = '430223', born_division_code = '430211' WHERE person_id = %s",
            [people["龙一鸣"]],
        )

    def find(**criteria):
        return [one.person_id for one in search(SYSTEM, **criteria).hits]

    assert find(name="龙一") == [people["龙一"], people["龙一鸣"]]
    assert find(name="龙", sex="2") == [people["龙一鸣"]]
    assert find(name="龙", born_on=date(1960, 1, 1), born_until=date(1980, 1, 1)) == [people["龙一鸣"], people["龙二"]]
    assert find(name="龙", native_of="4302") == find(name="龙", born_in="430211") == [people["龙一鸣"]]
    assert find(name="龙", born_in="430223") == []
    assert any("native_place" in one.fields for one in trace_of(people["龙一鸣"]))


def test_what_sounds_so_comes_before_what_begins_so_over_pages_and_nobody_twice():
    home = household()
    for place, name in enumerate(("张伟", "章维", "赵文", "周文", "张卫国")):
        person(name, sex="1", born_on=date(1980, 1, 1) + timedelta(days=place), household=home)

    def all_pages(pinyin):
        found, after = [], ""
        while True:
            page = search(SYSTEM, pinyin=pinyin, limit=2, after=after)
            found += [
                rows("SELECT name FROM population_person WHERE person_id = %s", one.person_id)[0][0]
                for one in page.hits
            ]
            after = page.next_after
            if not after:
                return found

    assert all_pages("zhang wei") == ["张伟", "章维", "张卫国"]
    assert all_pages("zw") == ["张伟", "章维", "赵文", "周文"]
    for garbage in ("W10=", "WzAsICJhIiwgImIiLCAiYyJd"):
        with pytest.raises(errors.SearchTooBroad):
            search(SYSTEM, pinyin="zw", after=garbage)


def test_a_birthday_leads_over_pages_and_every_line_finds_its_number_by_an_index():
    home, day = household(), date(1979, 5, 6)
    people = [person(name, sex="2", born_on=day, household=home) for name in ("赵文", "周文", "张伟", "张文")]
    person("张文", sex="2", born_on=day + timedelta(days=1), household=home)

    found, after = [], ""
    for size in (3, 1):
        page = search(SYSTEM, pinyin="zw", born_on=day, limit=3, after=after)
        assert len(page.hits) == size
        found, after = [*found, *(one.person_id for one in page.hits)], page.next_after
    assert found == [people[at] for at in (2, 3, 0, 1)]
    assert after == ""

    leg, _initials = searching._legs(name="", pinyin="zh", number="", born_on=day, born_until=None)
    order = ", ".join(column for column, _ in leg.order)
    plan = plan_of(searching._SEARCH.format(where=leg.condition, order=order), *leg.values, 20)
    assert "population_number_of_person" in plan
    assert "Seq Scan" not in plan


# --- how often ---------------------------------------------------------------------------------------------------


def test_each_query_has_a_pace_of_its_own_and_the_refusal_says_when_it_goes_on():
    police = officer("population.search", "population.read")
    family = couple()
    with override_settings(POPULATION_PACES={"population.search_people": (2, 100)}):
        for _ in range(2):
            search(police, name="曾")
        with pytest.raises(TooManyAsked, match=r"2 times a minute\. It goes on at 10:00:30\."):
            search(police, name="曾")
    assert by_number(police, number_of(family.mother)) is not None
    entry = rows("SELECT name, code FROM audit_entry WHERE account_id = %s AND outcome = 'refused'", police.account_id)
    assert entry == [("population.search_people", "access.too_many_asked")]
