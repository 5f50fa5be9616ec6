"""Registering at the counter: who stands there, one act after the other, and what is refused keeps what was typed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.test import Client
from tests.registries.population.people import household, person
from tests.sites.workbench.staff import entries, mother, staff, tree, words

from furong.entrypoints import adapters
from furong.registries.population.centres import watching

pytestmark = pytest.mark.usefixtures("platform")

COUNTER = "/work/counter"
BIRTH = {
    "child_name": "刘芷宁", "sex": "2", "born_on_year": "2026", "born_on_month": "11", "born_on_day": "2",
    "born_time": "08:25", "ethnicity": "01", "born_place": "市妇幼保健院", "other": "spouse", "record_number": "Q430299001",
    "consent": "", "late_note": "", "other_name": "", "other_number": "",
}  # fmt: skip


def opened(officer: Client, name: str, number: str) -> str:
    answer = officer.post(COUNTER, {"name": name, "number": number})
    assert answer.status_code == 302, words(answer.content)
    return str(answer["Location"])


def key_of(content: bytes) -> str:
    found = tree(content).xpath("//main//input[@name='effect_id']/@value")
    return str(found[0])


def rows(text: str, *params: object) -> list[tuple[Any, ...]]:
    with connections["population"].cursor() as cursor:
        cursor.execute(text, list(params))
        return list(cursor.fetchall())


def test_a_birth_is_registered_from_a_parents_card_once_and_keeps_what_was_typed_when_refused() -> None:
    officer, card = staff("police"), mother()
    nobody = officer.post(COUNTER, {"name": "无此人", "number": card.text("number")})
    assert nobody.status_code == 422
    assert "无此人" in nobody.content.decode(), "what was typed is still there"
    here = opened(officer, card.text("name"), card.text("number"))
    start = officer.get(here)
    assert "出生登记" in words(start.content)
    assert card.text("number") not in start.content.decode(), "masked unless it is asked for"
    form = officer.get(f"{here}/birth")
    given = BIRTH | {"effect_id": key_of(form.content)}
    wrong = officer.post(f"{here}/birth", given | {"born_time": "8点", "sex": ""})
    assert wrong.status_code == 422
    assert tree(wrong.content).xpath("//input[@name='child_name']/@value") == ["刘芷宁"]
    assert key_of(wrong.content) == given["effect_id"]
    refused = officer.post(f"{here}/birth", given | {"born_on_year": "2027"})
    assert refused.status_code == 422
    assert "没有任何改动" in words(refused.content) or "没有改动" in words(refused.content)
    done = [officer.post(f"{here}/birth", given) for _ in range(2)]
    assert [one.status_code for one in done] == [302, 302], words(done[0].content)
    receipt = officer.get(done[1]["Location"])
    number = rows(
        "SELECT n.number FROM population_person p JOIN population_identity_number n ON n.person_id = p.person_id "
        "WHERE p.name = '刘芷宁'"
    )
    assert len(number) == 1, "sent twice, registered once"
    assert number[0][0] in words(receipt.content)
    log = entries(
        "SELECT outcome FROM audit_entry WHERE name = 'population.register_birth' ORDER BY seq", database="population"
    )
    assert [row[0] for row in log] == ["refused", "done", "done"]


def test_names_heads_households_and_errors_are_changed_and_a_death_ends_it() -> None:
    officer, card = staff("police"), mother()
    here = opened(officer, card.text("name"), card.text("number"))

    def act(code: str, **given: object) -> Any:
        page = officer.get(f"{here}/{code}")
        assert page.status_code == 200, words(page.content)
        today = {f"{name}_{part}": value for name in ("on", "changed_on", "died_on", "born_on")
                 for part, value in (("year", "2026"), ("month", "11"), ("day", "1"))}  # fmt: skip
        return officer.post(f"{here}/{code}", today | {"effect_id": key_of(page.content)} | given)

    household = rows(
        "SELECT m.household_id, m.relation FROM population_household_member m JOIN population_person p USING (person_id) "
        "WHERE p.name = %s AND m.superseded_at IS NULL AND m.valid_until IS NULL", card.text("name"),
    )  # fmt: skip
    page = officer.get(f"{here}/head")
    candidates = tree(page.content).xpath("//input[@name='head']/@value")
    assert act("head", head=candidates[0], evidence="变更户主申请").status_code == 302
    assert act("head", head=candidates[0], evidence="").status_code == 422
    missing = act("name", name="曾清和", evidence="", reason="读音不便")
    assert missing.status_code == 422
    assert "曾清和" in missing.content.decode()
    assert (
        act("name", name="曾清和", evidence="变更姓名申请", reason="读音不便", surname_ground="随祖母姓").status_code
        == 302
    )
    same = officer.get(f"{here}/correction")
    values = {one.get("name"): one.get("value") for one in tree(same.content).xpath("//main//input[@name]")}
    chosen = {
        one.get("name"): one.xpath("./option[@selected]/@value")[0]
        for one in tree(same.content).xpath("//main//select")
    }
    nothing = officer.post(f"{here}/correction", values | chosen | {"evidence": "医学证明"})
    assert nothing.status_code == 422
    mended = officer.post(f"{here}/correction", values | chosen | {"evidence": "医学证明", "born_place": "市二医院"})
    assert mended.status_code == 302, words(mended.content)
    assert act("merge", household_number="无此户", evidence="并户申请").status_code == 422
    going = tree(officer.get(f"{here}/split").content).xpath("//input[@name='members']/@value")
    parted = act("split", members=[going[-1]], head=going[-1], next_head=going[0], address="", evidence="分户申请")
    assert parted.status_code == 302, words(parted.content)
    assert rows("SELECT count(*) FROM population_change WHERE kind IN ('household_split', 'head_change')") == [(2,)]
    assert act("death", evidence="死亡医学证明 0001").status_code == 302
    after = officer.get(here)
    assert "已不在册" in words(after.content)
    assert household
    assert not re.search(r"\d{17}[\dX]", after.content.decode()), "no whole number on the page"


def test_people_marry_adopt_part_move_stay_serve_go_abroad_and_come_back_each_act_once() -> None:
    officer = staff("police")

    def resident(name: str, sex: str, born_on: date, home: UUID) -> tuple[str, str, str]:
        key = person(name, sex=sex, born_on=born_on, household=home)
        ((number,),) = rows("SELECT number FROM population_identity_number WHERE person_id = %s", key)
        return str(key), name, str(number)

    homes = [household(address=f"荷塘巷 {number} 号") for number in range(1, 5)]
    books = dict(rows("SELECT household_id, number FROM population_household"))
    woman = resident("向若溪", "2", date(1984, 3, 5), homes[0])
    man = resident("龙石泉", "1", date(1982, 3, 5), homes[1])
    girl = resident("周小满", "2", date(2019, 3, 5), homes[2])
    young = resident("任知夏", "1", date(2005, 3, 5), homes[3])

    def act(who: tuple[str, str, str], code: str, on: str = "on", status: int = 302, **given: object) -> str:
        """Fill in one act and press the button twice; give what the person's page says then."""
        here = opened(officer, *who[1:])
        assert f"{here}/{code}" in officer.get(here).content.decode(), f"{code} is offered"
        form = officer.get(f"{here}/{code}")
        assert form.status_code == 200, words(form.content)
        typed = {"effect_id": key_of(form.content), f"{on}_year": "2026", f"{on}_month": "11", f"{on}_day": "2"} | given
        for _ in range(2 if status == 302 else 1):
            answer = officer.post(f"{here}/{code}", typed)
            assert answer.status_code == status, (code, words(answer.content))
        if code == "stay" and status == 302:
            changed = officer.post(f"{here}/{code}", typed | {"address": "别处 1 号"})
            assert changed.status_code == 422
            assert "之前已登记" in words(changed.content)
        return words(officer.get(here).content) if status == 302 else words(answer.content)

    def family(who: tuple[str, str, str]) -> set[tuple[str, str]]:
        found = rows(
            "SELECT kind, other_person_id FROM population_relation "
            "WHERE person_id = %s AND superseded_at IS NULL AND valid_until IS NULL",
            who[0],
        )
        return {(kind, str(other)) for kind, other in found}

    spouse = {"spouse_name": man[1], "spouse_number": man[2], "evidence": "J430291-2026-1"}
    unknown = act(woman, "marriage", "married_on", 422, **(spouse | {"spouse_number": girl[2]}))
    assert "没有" in unknown
    assert "请填写结婚证字号" in act(woman, "marriage", "married_on", 422, **(spouse | {"evidence": ""}))
    act(woman, "marriage", "married_on", **spouse)
    assert family(man) == {("spouse", woman[0])}
    child = {"child_name": girl[1], "child_number": girl[2], "name": "龙小满", "evidence": "SY-1"}
    assert "没有任何改动" in act(woman, "adoption", "adopted_on", 422, other="nobody", **child), (
        "spouses adopt together"
    )
    assert "向" in act(woman, "adoption", "adopted_on", other="spouse", **child)
    assert family(girl) == {("mother", woman[0]), ("father", man[0])}
    act(woman, "divorce", "divorced_on", evidence="L430291-2026-1")
    assert family(man) == {("child", girl[0])}
    act(man, "within", reason="租赁合同", household_number=books[homes[0]])
    assert "无此户" not in act(man, "within", status=422, reason="租赁合同", household_number="无此户")
    form = tree(officer.get(f"{opened(officer, *man[1:])}/stay").content)
    (place, *_) = form.xpath("//select[@name='division_code']/option[@value!='']/@value")
    stay = {"division_code": place, "address": "芙蓉客栈 3 号", "reason": "务工"}
    assert "请填写地址" in act(man, "stay", "since", 422, **(stay | {"address": ""}))
    assert "芙蓉客栈 3 号，自" in act(man, "stay", "since", **stay)
    (key,) = rows("SELECT id FROM population_residence WHERE kind = 'temporary' AND superseded_at IS NULL")[0]
    before = act(man, "stay_end", "ended_on", 422, stay_id=str(key), ended_on_day="1")
    assert "日期早于暂住的起始日期" in before
    assert "芙蓉客栈" not in act(man, "stay_end", "ended_on", stay_id=str(key))
    act(man, "missing", evidence="报案回执 1")
    act(man, "found", evidence="撤案回执 1")
    gone = act(young, "enlistment", paper_number="湘兵征2026-1")
    assert "退役恢复户口" in gone
    assert "出生登记" not in gone
    back = {"certificate_number": "退字 1", "household_number": books[homes[0]]}
    act(young, "discharge", status=422, **(back | {"household_number": "无此户"}))
    assert "死亡登记" in act(young, "discharge", **back)
    assert "恢复户口" in act(young, "emigration", paper_number="CX-1", country="NZL")
    assert "没有任何改动" in act(young, "discharge", status=422, **back), "who settled abroad did not serve"
    act(young, "return", evidence="护照", household_number=books[homes[0]])
    standing = "SELECT status, household_id FROM population_person WHERE person_id = %s"
    assert rows(standing, young[0]) == [("registered", homes[0])]
    kinds = [
        "adoption",
        "discharge",
        "divorce",
        "emigration",
        "enlistment",
        "found",
        "marriage",
        "missing",
        "move",
        "return",
    ]
    done = rows(
        "SELECT kind, count(*) FROM population_change WHERE kind = ANY(%s) AND recorded_at > now() - interval '1 minute' "
        "AND effect_id IS NOT NULL GROUP BY 1 ORDER BY 1", kinds,
    )  # fmt: skip
    assert done == [(kind, 1) for kind in kinds], "each once, though the button was pressed twice"


def test_only_who_may_register_comes_in_a_page_of_another_is_closed_and_old_facts_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    officer, card = staff("police"), mother()
    here = opened(officer, card.text("name"), card.text("number"))
    assert staff("hospital").get(COUNTER).status_code == 403
    assert staff("chief").get(here).status_code in {403, 410}
    assert officer.get(f"{here}/adoption-of-a-cat").status_code == 404
    told = {"4302": datetime(2026, 3, 9, 6, 2, tzinfo=UTC)}
    monkeypatch.setattr(watching, "list_stale", lambda *, now: told)
    for path in ("/work/population", here):
        assert "株洲市：数据截至" in words(officer.get(path).content), path
    assert "截至" not in words(officer.get("/work/list").content)
    monkeypatch.setattr(adapters.directory, "centre_of_person", lambda person_id: "4302")
    assert "截至 2026-03-09 14:02" in adapters._as_of(card.person_id, told["4302"]).primary
