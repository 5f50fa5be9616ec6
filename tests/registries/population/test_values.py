"""Timelines, kinship, names, numbers: no I/O."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.calendar.timelines import Version, after, on_day, revise
from furong.foundation.calendar.values import months_later
from furong.foundation.codes.identity_numbers import parse_identity_number
from furong.registries.population.errors import NameInvalid
from furong.registries.population.kinship import Family, Kin, relation_to_head
from furong.registries.population.naming import name_keys, plain_query
from furong.registries.population.rules import check_name
from furong.registries.population.values import (
    citizen_number,
    county_for_number,
    is_late_birth,
    years_between,
)

START = date(2000, 1, 1)


def day(n):
    return START + timedelta(days=n)


changes = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.one_of(st.none(), st.integers(1, 30)),
        st.sampled_from(["name", "ethnicity"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


@given(changes)
def test_a_timeline_never_overlaps_never_gaps_and_says_on_each_day_what_was_last_said(made):
    timeline = [Version(valid_from=START, valid_until=None, facts={"name": 0, "ethnicity": 0})]
    model = {n: {"name": 0, "ethnicity": 0} for n in range(120)}

    for since, length, field, value in made:
        until = None if length is None else day(since + length)
        revision = revise(timeline, facts={field: value}, since=day(since), until=until)
        assert all(version in timeline for version in revision.superseded)
        timeline = after(timeline, revision)
        for n in range(since, 120 if length is None else since + length):
            model[n][field] = value

    assert timeline[0].valid_from == START
    assert timeline[-1].valid_until is None
    assert all(one.valid_until == other.valid_from for one, other in itertools.pairwise(timeline))
    for n, facts in model.items():
        held = on_day(timeline, day(n))
        assert held is not None
        assert dict(held.facts) == facts


def test_a_revision_that_agrees_changes_nothing():
    timeline = [Version(valid_from=START, valid_until=None, facts={"name": "单"})]

    assert revise(timeline, facts={"name": "单"}, since=START).superseded == ()


def test_days_before_the_timeline_stay_unknown():
    timeline = [Version(valid_from=START, valid_until=None, facts={"name": "单"})]

    revised = after(timeline, revise(timeline, facts={"name": "曾"}, since=date.min))

    assert [version.valid_from for version in revised] == [START]
    assert on_day(revised, START - timedelta(days=1)) is None


# --- kinship ----------------------------------------------------------------------------------------------------


def people(*rows):
    """name, sex, year of birth, mother, father, spouse"""
    keys = {row[0]: UUID(int=n + 1) for n, row in enumerate(rows)}
    family = Family(
        people={
            keys[r[0]]: Kin(person_id=keys[r[0]], sex="1" if r[1] == "m" else "2", born_on=date(r[2], 1, 1))
            for r in rows
        },
        mother={keys[r[0]]: keys[r[3]] for r in rows if r[3]},
        father={keys[r[0]]: keys[r[4]] for r in rows if r[4]},
        spouse={keys[r[0]]: keys[r[5]] for r in rows if r[5]},
    )
    return keys, family


KEYS, FAMILY = people(
    ("grandfather", "m", 1935, "", "", "grandmother"),
    ("grandmother", "f", 1937, "", "", "grandfather"),
    ("father", "m", 1960, "grandmother", "grandfather", "mother"),
    ("uncle", "m", 1964, "grandmother", "grandfather", ""),
    ("mother", "f", 1962, "", "", "father"),
    ("head", "m", 1985, "mother", "father", "wife"),
    ("wife", "f", 1987, "wife_mother", "", "head"),
    ("wife_mother", "f", 1960, "", "", ""),
    ("sister", "f", 1990, "mother", "father", "sister_husband"),
    ("sister_husband", "m", 1989, "", "", "sister"),
    ("nephew", "m", 2015, "sister", "sister_husband", ""),
    ("daughter", "f", 2010, "wife", "head", ""),
    ("son", "m", 2012, "wife", "head", ""),
    ("second_daughter", "f", 2014, "wife", "head", ""),
    ("stranger", "m", 1970, "", "", ""),
)


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("head", "02"),
        ("wife", "12"),
        ("daughter", "32"),
        ("son", "22"),
        ("second_daughter", "33"),
        ("father", "51"),
        ("mother", "52"),
        ("wife_mother", "56"),
        ("grandfather", "61"),
        ("grandmother", "62"),
        ("sister", "77"),
        ("nephew", "95"),
        ("stranger", "97"),
    ],
)
def test_each_member_is_told_by_the_national_code(member, code):
    assert relation_to_head(person_id=KEYS[member], head_id=KEYS["head"], family=FAMILY) == code


@pytest.mark.parametrize(
    ("head", "member", "code"),
    [
        ("wife", "head", "11"),
        ("wife", "mother", "54"),
        ("wife", "father", "53"),
        ("father", "wife", "38"),
        ("mother", "daughter", "42"),  # through a son
        ("mother", "nephew", "43"),  # through a daughter
        ("mother", "sister_husband", "28"),
        ("grandfather", "son", "47"),
        ("sister", "head", "71"),
    ],
)
def test_the_code_depends_on_who_is_head(head, member, code):
    assert relation_to_head(person_id=KEYS[member], head_id=KEYS[head], family=FAMILY) == code


# --- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pinyin", "plain", "initials"),
    [
        ("单雄信", "shan4 xiong2 xin4", "shanxiongxin", "sxx"),
        ("曾晓雅", "zeng1 xiao3 ya3", "zengxiaoya", "zxy"),
        ("任盈", "ren2 ying2", "renying", "ry"),
        ("尉迟恭", "yu4 chi2 gong1", "yuchigong", "ycg"),
        ("李㮾梨", "li3 lang3 li2", "lilangli", "lll"),
        ("吕布", "lv3 bu4", "lvbu", "lb"),
        ("John Smith", "john smith", "johnsmith", "js"),
        ("阿依古丽·买买提", "a1 yi1 gu3 li4 mai3 mai3 ti2", "ayigulimaimaiti", "ayglmmt"),
    ],
)
def test_a_name_sorts_and_is_found_by_its_sound(name, pinyin, plain, initials):
    keys = name_keys(name)
    assert (keys.pinyin, keys.plain, keys.initials) == (pinyin, plain, initials)


def test_names_sort_by_syllable_before_letter():
    names = ["李安", "连城", "曾子", "单于", "张三"]

    assert sorted(names, key=lambda name: name_keys(name).pinyin) == ["李安", "连城", "单于", "曾子", "张三"]


def test_what_is_typed_becomes_a_search_key():
    assert plain_query(" Zēng Xiǎo-yǎ ") == "zengxiaoya"
    assert plain_query("ZENG xiao'ya") == "zengxiaoya"
    assert plain_query("Lǚ Bù") == plain_query("lü bu") == "lvbu"


@given(st.text(max_size=60))
def test_whatever_is_typed_a_name_is_taken_or_refused_and_never_half(text):
    try:
        taken = check_name(text)
    except NameInvalid:
        return
    assert taken == check_name(taken)
    assert "<" not in taken
    assert taken == taken.strip()


@pytest.mark.parametrize("name", ["单㮾梨", "𬱖梅", "阿依古丽·买买提", "John Smith", "O'Brien", "Nguyễn Thị"])
def test_names_of_every_script_are_names(name):
    assert check_name(name)


@pytest.mark.parametrize("name", ["", "  ", "·", "a\x00b", "<script>", "张三3", "x" * 51, "张\u202e三"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(NameInvalid):
        check_name(name)


# --- numbers and dates ------------------------------------------------------------------------------------------


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(1, 999))
def test_a_number_made_is_a_number_read(born_on, sequence):
    number = citizen_number(county="430290", born_on=born_on, sequence=sequence)

    parsed = parse_identity_number(number, allow_reserved=True)
    assert parsed.birth_on == born_on
    assert (parsed.sex == "1") is (sequence % 2 == 1)


@pytest.mark.parametrize(
    ("household", "parents", "county"),
    [
        ("430202001001", ("430291199001010019",), "430291"),
        ("433101005201", ("430291199001010019",), "433191"),
        ("430202001001", ("", "430297199001010019"), "430297"),
        ("430202001001", ("430203199001010019",), "430202"),
        ("430202001001", (), "430202"),
        ("110101001001", ("430291199001010019",), "430291"),  # an invented family stays invented elsewhere too
    ],
)
def test_a_child_is_numbered_by_the_households_county_and_stays_invented_with_its_parents(household, parents, county):
    assert county_for_number(household_division=household, parents_numbers=parents) == county


@pytest.mark.parametrize(
    ("born", "last"),
    [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2024, 1, 30), date(2024, 2, 29)),
        (date(2025, 12, 15), date(2026, 1, 15)),
        (date(2026, 2, 28), date(2026, 3, 28)),
    ],
)
def test_a_month_ends_on_its_day_or_the_months_last(born, last):
    assert months_later(born, 1) == last
    assert not is_late_birth(born_on=born, registered_on=last)
    assert is_late_birth(born_on=born, registered_on=last + timedelta(days=1))


def test_age_is_counted_in_full_years():
    assert years_between(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert years_between(date(2008, 2, 29), date(2026, 3, 1)) == 18
