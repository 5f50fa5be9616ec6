"""Look-ups of a household, an address, a number; a search narrowed down; orders of secrecy; and asking too often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from tests.sites.workbench.staff import (
    BASIS,
    PURPOSE,
    SYSTEM,
    entries,
    links,
    mother,
    now,
    refusals,
    staff,
    words,
)

from furong.foundation.access import pace
from furong.foundation.audit import queries as audit
from furong.registries.population import queries as population

pytestmark = pytest.mark.usefixtures("platform")
HOUSEHOLDS, ADDRESSES, EXISTS = (f"/work/lookups/{one}" for one in ("households", "addresses", "exists"))
SEARCH, SECRECY = "/work/population", "/work/secrecy"


def day(name: str, at: object) -> dict[str, object]:
    return {f"{name}_year": at.year, f"{name}_month": at.month, f"{name}_day": at.day}  # type: ignore[attr-defined]


def test_a_household_is_found_by_its_number_and_one_elsewhere_like_none() -> None:
    officer, person = staff("police"), mother()
    record = population.get_person(
        person_id=person.person_id, fields=["household_number"], actor=SYSTEM, basis=BASIS, now=now()
    )
    assert "按户口簿上的户号" in words(officer.get(HOUSEHOLDS).content)
    answer = officer.post(HOUSEHOLDS, {**PURPOSE, "household_number": record.text("household_number")})
    page = words(answer.content)
    assert "李**" in page
    assert person.text("name") not in page
    assert "户主" in page
    opened = officer.get(links(answer.content, "/work/population/")[-1])
    assert opened.status_code == 200
    read = {one.what for one in audit.list_reads_of_person(person_id=person.person_id)}
    assert "population.list_household" in read
    elsewhere = entries(
        "SELECT number FROM population_household WHERE division_code NOT LIKE '430202%%' AND closed_on IS NULL LIMIT 1",
        database="population",
    )[0][0]
    for number in (elsewhere, "0"):
        none = officer.post(HOUSEHOLDS, {**PURPOSE, "household_number": number})
        assert "辖区内没有这个户号" in words(none.content)
        assert not links(none.content, "/work/population/")
    assert officer.post(HOUSEHOLDS, {"household_number": "1"}).status_code == 422
    assert refusals("population.list_household", "population")[-1] == "access.purpose_missing"


def test_an_address_lists_households_of_the_area_page_by_page() -> None:
    officer, person = staff("police"), mother()
    beginning = person.text("address")[:2]
    answer = officer.post(ADDRESSES, {**PURPOSE, "division": "430202001", "address": f" {beginning} "})
    page = words(answer.content)
    assert answer.status_code == 200
    assert beginning in page
    assert "本次查询已记录" in page
    assert links(answer.content, "/work/population/")
    assert person.text("number") not in answer.content.decode()
    none = officer.post(ADDRESSES, {**PURPOSE, "division": "430202001", "address": "火星大道"})
    assert "没有登记在此地址的户" in words(none.content)
    for wrong in (
        {"division": "43", "address": "湘"},
        {"division": "430202001"},
        {"division": "430202001", "after": "x"},
    ):
        assert officer.post(ADDRESSES, {**PURPOSE, **wrong}).status_code == 422


def test_whether_somebody_exists_is_answered_by_yes_or_no_and_they_see_it() -> None:
    chief, person = staff("chief"), mother()
    yes = chief.post(EXISTS, {**PURPOSE, "number": person.text("number").lower()})
    assert "有一名在世人员使用此号码" in words(yes.content)
    assert audit.list_reads_of_person(person_id=person.person_id)[0].what == "population.person_exists"
    no = chief.post(EXISTS, {**PURPOSE, "number": person.text("number"), "name": "某人"})
    unknown = chief.post(EXISTS, {**PURPOSE, "number": "430299199001010000", "name": "某人"})
    said = [words(one.content).split("本次查询")[0].split("核验是否存在")[-1] for one in (no, unknown)]
    assert said[0] == said[1]
    assert "不告知是哪一项不符" in said[0]
    for answer in (yes, no):
        assert "李" not in words(answer.content).replace("办理", "")
        assert not links(answer.content, "/work/population/")
    assert chief.post(EXISTS, {**PURPOSE}).status_code == 422
    assert staff("hospital").get(EXISTS).status_code == 403


def test_a_search_is_narrowed_by_sex_births_place_and_native_place() -> None:
    officer = staff("police")
    born = {**day("born_on", mother()["born_on"]), **day("born_last", mother()["born_on"])}
    found = {"pinyin": "lizhining", "sex": "2", "division": "430202001", **born}
    assert "李**" in words(officer.post(SEARCH, {**PURPOSE, **found}).content)
    for other in ({"sex": "1"}, {"native_of": "北京市东城区"}, {"born_in": "110101"}):
        assert "辖区内没有符合的人" in words(officer.post(SEARCH, {**PURPOSE, **found, **other}).content)
    later = mother()["born_on"] + timedelta(days=400)  # type: ignore[operator]
    wrong = [
        {**day("born_on", mother()["born_on"]), **day("born_last", later)},  # more than a year, and nothing else
        {"pinyin": "li", **day("born_last", later)},
        {"pinyin": "li", "native_of": "无此县"},
        {"pinyin": "li", "born_in": "1"},
        {"pinyin": "li", "division": "110101"},
    ]
    for given in wrong:
        assert officer.post(SEARCH, {**PURPOSE, **given}).status_code == 422, given


def test_a_secret_read_is_seen_when_its_order_ends() -> None:
    head, chief, person = staff("investigations"), staff("chief"), mother()
    assert "保密决定" in words(head.get(SECRECY).content)
    assert "适用保密决定" not in words(chief.get(SEARCH).content)
    until = timezone.localdate() + timedelta(days=30)
    order = {"reference": "株荷公（刑）立字〔2026〕9号", "legal_basis": "个人信息保护法第十八条"}
    for wrong in ({}, day("until", timezone.localdate() + timedelta(days=300))):
        assert head.post(SECRECY, {**order, **wrong}).status_code in {200, 422}
        assert not entries("SELECT 1 FROM audit_secrecy_order")
    assert head.post(SECRECY, {**order, **day("until", until)}).status_code == 302
    ((order_id,),) = entries("SELECT id FROM audit_secrecy_order")

    def seen() -> list[str]:
        return [one.purpose for one in audit.list_reads_of_person(person_id=person.person_id)]

    secret = {**PURPOSE, "purpose_note": "立案侦查", "secrecy": str(order_id), "number": person.text("number")}
    found = chief.post(SEARCH, secret)
    assert "保密决定到期后当事人可以看到" in words(found.content)
    opened = chief.get(links(found.content, "/work/population/")[-1])
    assert opened.status_code == 200
    assert not any("立案侦查" in one for one in seen()), "neither the search nor the record"
    # The order is its organisation's, and not for who gave it.
    assert staff("police").post(SEARCH, secret).status_code == 422
    assert chief.get(SECRECY).status_code == 403
    wrong = head.post(SECRECY, {"order": str(order_id), f"o{str(order_id)[-6:]}-reason": ""})
    assert wrong.status_code == 422
    ended = head.post(SECRECY, {"order": str(order_id), f"o{str(order_id)[-6:]}-reason": "侦查终结"})
    assert ended.status_code == 302
    assert "被查询人可以看到" in words(head.get(SECRECY).content)
    assert sum("立案侦查" in one for one in seen()) >= 2
    told = next(one for one in audit.list_reads_of_person(person_id=person.person_id) if "立案侦查" in one.purpose)
    assert told.kept_back_until is not None
    again = head.post(SECRECY, {"order": str(order_id), f"o{str(order_id)[-6:]}-reason": "再来一次"})
    assert "没有" in words(again.content)


def test_who_asks_too_often_is_told_when_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "POPULATION_PACES", {"population.person_exists": (1, 5000)}, raising=False)
    pace._asked.clear()
    chief = staff("chief")
    asked = {**PURPOSE, "number": "430299199001010000"}
    assert chief.post(EXISTS, asked).status_code == 200
    answer = chief.post(EXISTS, asked)
    page = answer.content.decode()
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "每分钟最多可以查询 1 次" in page or "1 次" in page
    assert "批量比对" in page or "等" in page
    assert refusals("population.person_exists", "population")[-1] == "access.too_many_asked"


def test_history_shows_the_evidence_of_a_correction() -> None:
    from furong.registries.population import commands

    commands.correct_person(
        person_id=mother().person_id,
        facts={"native_division_code": "430203"},
        evidence="更正申请 GZ-2026-7",
        actor=SYSTEM,
        basis=BASIS,
        now=now(),
    )
    officer = staff("police")
    found = officer.post(SEARCH, {**PURPOSE, "number": mother().text("number")})
    page = words(officer.get(f"{links(found.content, '/work/population/')[-1]}?part=history").content)
    assert "更正申请 GZ-2026-7" in page
    assert "已被更正" in page
