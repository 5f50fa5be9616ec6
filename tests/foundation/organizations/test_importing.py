"""The pack's divisions and organisations, expanded, stable and repeatable."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from furong.foundation.access.values import Scope
from furong.foundation.codes.credit_codes import parse_credit_code
from furong.foundation.organizations import commands, loading, models, queries
from furong.foundation.organizations.values import Level, Name
from furong.foundation.packs.reading import check, read_pack
from furong.foundation.packs.values import Frame, Pack, both

from .conftest import NOW, SYSTEM, load, post

FRAME = Frame(code="x", name=both("某", "X"), languages=("zh", "en"), time_zone="UTC", in_force_from=date(2020, 1, 1))
HEAD = "code,parent,level,kind,name,en,short,short_en,pinyin,valid_from,predecessor\n"


def test_the_pack_has_the_province_its_cities_counties_and_towns(province: object) -> None:
    counted = {level: len(queries.list_divisions(level=level)) for level in (2, 3, 4, 5)}  # type: ignore[arg-type]
    assert counted == {2: 1, 3: 14, 4: 122, 5: 1947}


def test_every_town_has_a_police_station_and_every_county_seven_departments(province: object) -> None:
    everything = Scope(everything=True)
    assert queries.list_organizations(scope=everything, department="police", level=Level.TOWN).total == 1947
    for department in ("hospital", "police", "medical_insurance", "human_resources", "disease_control"):
        found = queries.list_organizations(scope=everything, department=department, level=Level.COUNTY)
        assert found.total == 122, department


def test_every_invented_code_is_a_valid_credit_code_of_an_organ_or_institution(pack: Pack) -> None:
    divisions = [line for lines in pack.values("division").values() for line in lines]
    made = loading.expand(departments=pack.values("organization"), divisions=divisions)
    assert len({one.code for one in made}) == len(made) > 2900
    for one in made[::37]:
        assert parse_credit_code(one.code).registrar == "1"
        assert one.code[2:8] == one.division_code[:6]
        assert "{" not in one.name + one.en + one.short
        assert one.en


def test_names_follow_the_place(province: object) -> None:
    station = queries.get_responsible(department="police", division_code="430202002")
    assert station.name.zh == "株洲市公安局荷塘分局茨菇塘派出所"
    assert station.name.en == "Cigutang Police Station, Hetang District"
    assert station.label == "茨菇塘派出所"
    assert queries.get_responsible(department="police", division_code="430223").name.zh == "攸县公安局"


def test_a_station_stands_below_its_branch_and_a_hospital_below_the_health_bureau(province: object) -> None:
    station = queries.get_responsible(department="police", division_code="430202002")
    chain = []
    step = station
    while step.parent_id:
        step = queries.get_organization(organization_id=step.parent_id)
        chain.append(step.name.zh)
    assert chain == ["株洲市公安局荷塘分局", "株洲市公安局", "湖南省公安厅"]
    hospital = queries.get_responsible(department="hospital", division_code="430202")
    assert hospital.parent_id
    assert queries.get_organization(organization_id=hospital.parent_id).name.zh == "荷塘区卫生健康局"


def test_importing_again_changes_nothing_and_is_fast(province: object, pack: Pack) -> None:
    before = set(models.Organization.objects.values_list("id", "code", "changed_at", "parent_id"))
    started = time.perf_counter()
    load(pack, NOW.replace(hour=5))
    assert time.perf_counter() - started < 6
    assert set(models.Organization.objects.values_list("id", "code", "changed_at", "parent_id")) == before


def test_an_import_leaves_alone_what_an_administrator_changed(province: object, pack: Pack) -> None:
    station = queries.get_responsible(department="police", division_code="430202002")
    commands.change_organization(
        organization_id=station.id,
        name=Name(zh="茨菇塘中心派出所"),
        short_zh="",
        address="",
        phone="",
        parent_id=station.parent_id,
        actor=SYSTEM,
        now=NOW,
    )
    load(pack)
    assert queries.get_organization(organization_id=station.id).name.zh == "茨菇塘中心派出所"


def test_what_the_pack_drops_is_abolished_unless_somebody_works_there(province: object, pack: Pack) -> None:
    insurance = queries.get_responsible(department="medical_insurance", division_code="430202")
    kept = queries.get_responsible(department="medical_insurance", division_code="430203")
    commands.appoint(account_id=kept.id, post_id=post(kept.id, "medical_insurance.clerk"), actor=SYSTEM, now=NOW)
    files = [f for f in pack.files if (f.kind, f.code) != ("organization", "medical_insurance")]
    load(replace_files(pack, files))
    assert not queries.get_organization(organization_id=insurance.id).is_open
    assert queries.get_organization(organization_id=kept.id).is_open
    load(pack)
    assert queries.get_organization(organization_id=insurance.id).is_open


def replace_files(pack: Pack, files: list[object]) -> Pack:
    return replace(pack, files=files)  # type: ignore[arg-type]


def test_posts_follow_their_template_until_somebody_edits_them(province: object, pack: Pack) -> None:
    insurance = queries.get_responsible(department="medical_insurance", division_code="430202")
    follows = post(insurance.id, "medical_insurance.clerk")
    edited = post(insurance.id, "medical_insurance.clerk")
    commands.change_post(post_id=edited, title=Name(zh="改"), grants=(), actor=SYSTEM, now=NOW)
    file = pack.find("organization", "medical_insurance")
    assert file
    text = file.content.decode().replace("licences.issue", "licences.revoke")
    value, findings = loading.parse_department(text.encode(), "x.yaml", pack.frame)
    assert not findings
    others = [f for f in pack.files if f is not file]
    load(replace_files(pack, [*others, replace(file, content=text.encode(), value=value)]))
    assert "licences.revoke" in {grant.right for grant in queries.get_post(post_id=follows).grants}
    assert queries.get_post(post_id=edited).grants == ()


def test_the_files_of_the_pack_have_no_findings(pack: Pack) -> None:
    ours = [f for f in check(pack) if "/divisions/" in f.file or "/organizations/" in f.file]
    assert ours == []


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("code,name\n", "csv.columns", 1),
        (HEAD + "1,,2,province,甲\n", "csv.width", 2),
        (HEAD + "10,,9,province,甲,,,,,,\n", "division.level", 2),
        (HEAD + "10,,2,province,甲,,,,,,\n10,,2,province,乙,,,,,,\n", "schema.duplicate", 3),
        (HEAD + "10,,2,province,甲,,,,,,\n11,12,3,x,乙,,,,,,\n", "division.parent", 3),
        (HEAD + "10,,2,province,甲,,,,,2020-13-01,\n", "schema.type", 2),
        (HEAD + "10,,2,province,,,,,,,\n", "division.code", 2),
    ],
)
def test_a_bad_line_of_divisions_is_named(text: str, rule: str, line: int) -> None:
    value, findings = loading.parse_divisions(text.encode(), "divisions.csv", FRAME)
    assert value is None
    assert (findings[0].rule, findings[0].line) == (rule, line)


def test_bytes_that_are_no_text_are_named() -> None:
    value, findings = loading.parse_divisions(b"\xff\xfe", "divisions.csv", FRAME)
    assert not value
    assert findings[0].rule == "csv.not_utf8"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("patterns: [{level: city, name: {zh: '{town_hall}'}}]", "organization.placeholder"),
        ("posts: [{code: a.b, title: {zh: 岗}, rights: [{right: cases.invent}]}]", "organization.right"),
        ("patterns: [{level: planet, name: {zh: 局}}]", "schema.choice"),
        ("posts: [{code: a.b, title: {zh: 岗}, rights: [{right: cases.handle, reach: galaxy}]}]", "schema.choice"),
    ],
)
def test_a_bad_department_is_named(text: str, rule: str) -> None:
    _, findings = loading.parse_department(f"code: a\nname: {{zh: 部}}\n{text}\n".encode(), "a.yaml", FRAME)
    assert rule in {finding.rule for finding in findings}


def test_another_countrys_pack_needs_no_chinese_codes(database: object, tmp_path: Path) -> None:
    (tmp_path / "pack.toml").write_text(
        'code = "tiny"\nlanguages = ["en"]\ntime_zone = "Europe/Oslo"\nin_force_from = 2026-01-01\n[name]\nen = "Tiny"\n'
    )
    (tmp_path / "divisions" / "all").mkdir(parents=True)
    (tmp_path / "divisions" / "all" / "divisions.csv").write_text(
        HEAD + "N,,2,province,Northland,,,,,,\nNA,N,3,city,Aville,,,,,,\nNA1,NA,4,county,Brook,,,,,,\n"
    )
    (tmp_path / "organizations").mkdir()
    (tmp_path / "organizations" / "registry.yaml").write_text(
        "code: registry\nname: {en: Registry}\npatterns:\n  - {level: city, name: {en: '{name} Registry'}}\n"
    )
    tiny = read_pack(tmp_path)
    assert check(tiny) == [] or all("tiny" not in f.file for f in check(tiny))
    load(tiny)
    found = queries.get_responsible(department="registry", division_code="NA1")
    assert found.name.zh == "Aville Registry"
    assert queries.resolve_division(code="NA1").prefix == "NA1"
    assert queries.resolve_division(code="NA199").code == "NA1"
