"""Divisions through time, and who is responsible."""

from __future__ import annotations

from datetime import date

import pytest

from furong.foundation.access.values import Scope
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries
from furong.foundation.organizations.errors import DivisionUnknown, NoResponsibleOrganization
from furong.foundation.organizations.values import Level, prefix_of

from .conftest import Places


@pytest.mark.parametrize(
    ("code", "prefix"),
    [("430000", "43"), ("430200", "4302"), ("430202", "430202"), ("430202001", "430202001"), ("NA", "NA")],
)
def test_a_prefix_is_what_inner_codes_begin_with(code: str, prefix: str) -> None:
    assert prefix_of(code) == prefix


def test_a_code_of_whatever_time_leads_to_a_division_in_force(province: object) -> None:
    for old, new in (
        ("430221", "430212"),  # 株洲县 became 渌口区 in 2018
        ("430122", "430112"),
        ("430124", "430182"),
        ("430521", "430582"),
        ("431121", "431181"),
        ("432222", "430626"),  # 平江县, from 岳阳地区 to 岳阳市
        ("430202", "430202"),
        ("430202001099", "430202001"),  # a village of a town
        ("430402", "430400"),  # 江东区 was dissolved: the city answers
    ):
        assert queries.resolve_division(code=old).code == new, old


def test_a_code_of_another_province_is_unknown(province: object) -> None:
    with pytest.raises(DivisionUnknown):
        queries.resolve_division(code="110101")


def test_an_old_name_is_found_on_its_day(province: object) -> None:
    before = queries.get_division(code="430221", on=date(2016, 5, 1))
    assert before.name.zh == "株洲县"
    assert not before.in_force
    assert queries.find_division(code="430221", on=date(2019, 5, 1)) is None
    assert queries.get_division(code="430202", on=date(1990, 1, 1)).name.zh == "东区"
    assert [one.name.zh for one in queries.list_periods_of_division(code="430202")][-2:] == ["东区", "荷塘区"]


def test_the_history_of_a_division_names_its_renaming_and_the_document(province: object) -> None:
    changes = queries.list_division_changes(code="430212")
    assert [(c.year, c.old_name, c.document) for c in changes if c.old_code] == [(2018, "株洲县", "国函〔2018〕88号")]


def test_the_path_leads_from_the_province_down(province: object) -> None:
    names = [one.name.zh for one in queries.path_of_division(code="430202001")]
    assert names == ["湖南省", "株洲市", "荷塘区", "月塘街道"]


def test_the_nearest_organisation_up_the_tree_is_responsible(province: object) -> None:
    for department, division, level in (
        ("police", "430202001", Level.TOWN),
        ("police", "430202001003", Level.TOWN),
        ("medical_insurance", "430202001", Level.COUNTY),
        ("medical_insurance", "430221", Level.COUNTY),
        ("data_authority", "430000", Level.PROVINCE),
    ):
        found = queries.get_responsible(department=department, division_code=division)
        assert (found.level, found.department) == (level, department), division


def test_an_abolished_organisation_is_not_responsible(places: Places) -> None:
    from furong.foundation.organizations import commands

    from .conftest import NOW, SYSTEM

    commands.abolish_organization(organization_id=places.station, actor=SYSTEM, now=NOW)
    assert queries.get_responsible(department="police", division_code="430202001").id == places.branch


def test_nobody_is_responsible_for_an_unknown_department_or_place(province: object) -> None:
    with pytest.raises(NoResponsibleOrganization):
        queries.get_responsible(department="astrology", division_code="430202")
    assert queries.find_responsible(department="police", division_code="990000") is None


def test_the_department_of_an_organisation_is_read_alone(places: Places) -> None:
    found = queries.get_organization(organization_id=places.station)
    assert queries.find_department_of(organization_id=places.station) == found.department == "police"
    assert queries.find_department_of(organization_id=new_id()) is None


def test_a_list_shows_only_its_scope(places: Places) -> None:
    inside = queries.list_organizations(scope=Scope(division_prefixes=("430202",)), size=200)
    assert {one.division_code[:6] for one in inside.items} == {"430202"}
    assert queries.list_organizations(scope=Scope()).total == 0
    own = queries.list_organizations(scope=Scope(organization_ids=frozenset({places.station})))
    assert [one.id for one in own.items] == [places.station]


def test_a_list_is_searched_by_name_pinyin_and_place(province: object) -> None:
    everything = Scope(everything=True)
    by_name = queries.list_organizations(scope=everything, text="月塘派出所")
    assert [one.division_code for one in by_name.items] == ["430202001"]
    inside = queries.list_organizations(scope=everything, division_code="430200", department="police", size=1)
    assert inside.pages == inside.total > 90
    assert inside.items[0].level == Level.CITY
