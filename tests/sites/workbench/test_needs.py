"""Needs in the workbench: stated in words, found with reasons, demanded, answered, ruled on, and what sharing brings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from tests.sites.workbench.staff import links, staff, words

from furong.foundation.access import sharing

pytestmark = pytest.mark.usefixtures("platform")

NEED = {
    "words": "核对出生登记和新生儿落户情况",
    "elements": "",
    "purpose": "办理新生儿参保登记",
    "legal_basis": "《中华人民共和国社会保险法》第七十四条",
    "urgency": "urgent",
    "people": "400000",
    "enterprises": "",
    "cases": "400000",
    "materials": "1",
}
UNHEARD = "候鸟迁徙路线的卫星影像"


@pytest.fixture(autouse=True)
def _short_leases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.05, raising=False)
    sharing.BOOK.forget()
    yield
    sharing.BOOK.forget()


def state(client: Any, **changed: str) -> str:
    answer = client.post("/work/needs/new", {**NEED, **changed})
    assert answer.status_code == 302, words(answer.content)
    return str(answer["Location"])


def do(client: Any, page: str, act: str, **given: str) -> str:
    data = {"act": act, **{f"{act}-{name}": value for name, value in given.items()}}
    answer = client.post(page, data)
    assert answer.status_code == 302, words(answer.content)
    return words(client.get(answer["Location"]).content)


def test_a_need_in_words_shows_who_has_it_why_and_leads_to_a_request_that_knows_for_what() -> None:
    officer = staff("officer")
    assert links(officer.get("/work/needs").content, "/work/needs/new")
    need = state(officer, words="派出所的名称、地址和电话")
    page = officer.get(need)
    shown = words(page.content)
    for word in ("派出所名录", "见于名称", "派出所", "紧急", "400,000 人", "办理新生儿参保登记"):
        assert word in shown, word
    asking = next(one for one in links(page.content, "/work/resources/") if "/request?need=" in one)
    form = officer.get(asking).content.decode()
    assert "办理新生儿参保登记" in form
    assert "第七十四条" in form
    stranger = staff("police").get(need)
    assert stranger.status_code == 403


def test_what_the_form_lacks_is_said_and_an_unknown_element_is_named() -> None:
    officer = staff("officer")
    answer = officer.post("/work/needs/new", {**NEED, "words": "", "elements": "残疾等级\n月球编号"})
    assert answer.status_code == 422
    shown = words(answer.content)
    assert "请写明需要什么" in shown
    assert "月球编号" in shown
    assert "数据元字典中没有" in shown
    assert staff("steward").get("/work/needs/new").status_code == 200
    assert staff("police").get("/work/needs").status_code == 403


def test_what_nobody_has_goes_by_the_data_authority_to_whoever_answers_and_a_refusal_is_ruled_on() -> None:
    officer, steward, authority = staff("officer"), staff("steward"), staff("catalogue")
    need = state(officer, words=UNHEARD)
    assert "目录中没有资源能满足" in words(officer.get(need).content)
    (demand,) = set(links(officer.get(need).content, "/work/demands/"))
    assert demand in links(authority.get("/work/needs?box=authority").content, demand)
    assert steward.get(demand).status_code == 404, "nobody else knows of it"
    do(authority, demand, "assign", department="police", words="")
    assert demand in links(steward.get("/work/needs?box=owner").content, demand)
    assert "新的数据需求" in words(steward.get("/work/notices").content)
    shown = words(steward.get(demand).content)
    for word in ("由资源提供", "承诺期限提供", "拒绝", "待数源部门答复"):
        assert word in shown, word
    empty = steward.post(demand, {"act": "refuse", "refuse-clause": "", "refuse-reason": ""})
    assert empty.status_code == 422
    assert "请写明法律依据和条款" in words(empty.content)
    do(steward, demand, "refuse", clause="《政务数据共享条例》第十条", reason="公安机关不掌握")
    shown = words(officer.get(demand).content)
    assert "公安机关不掌握" in shown
    assert "提请裁定" in shown
    do(officer, demand, "ask_ruling", words="履职确需")
    (ruling,) = set(links(officer.get(demand).content, "/work/rulings/"))
    assert ruling in links(authority.get("/work/rulings").content, "/work/rulings/")
    assert "履职确需" in words(authority.get(ruling).content)
    assert not links(steward.get(ruling).content, "nothing")
    wrong = authority.post(ruling, {"act": "uphold", "uphold-clause": "", "uphold-words": "成立"})
    assert wrong.status_code == 422
    shown = do(authority, ruling, "uphold", clause="《政务数据共享条例》第十条", words="该数据不在公安职责范围")
    assert "裁定：不予共享" in shown
    assert "裁定：不予共享" in words(officer.get(demand).content)
    assert "裁定：不予共享" in words(officer.get("/work/notices").content)
    assert steward.post(ruling, {"act": "order"}).status_code == 422, "who does not rule, does nothing"


def test_a_refused_request_is_brought_before_the_data_authority_from_its_page() -> None:
    officer, steward, authority = staff("officer"), staff("steward"), staff("catalogue")
    answer = officer.post(
        "/work/resources/police_stations/request",
        {
            "items": ["name"],
            "methods": ["interface"],
            "days": "90",
            "scenario": "核对派出所",
            "legal_basis": "社会保险法",
        },
    )
    request = str(answer["Location"])
    assert f"{request}/ruling" not in links(officer.get(request).content, request)
    early = officer.get(f"{request}/ruling")
    assert "不能提请裁定" in words(early.content)
    assert steward.post(f"{request}/acts/refuse", {"reason": "超出职责"}).status_code == 302
    assert f"{request}/ruling" in links(officer.get(request).content, request)
    assert "超出职责" in words(officer.get(f"{request}/ruling").content)
    assert officer.post(f"{request}/ruling", {"words": ""}).status_code == 422
    raised = officer.post(f"{request}/ruling", {"words": "法定职责"})
    assert raised.status_code == 302
    ruling = str(raised["Location"])
    assert officer.get(f"{request}/ruling")["Location"] == ruling
    assert ruling in links(steward.get(request).content, ruling)
    from datetime import timedelta

    from django.utils import timezone

    day = timezone.localdate() + timedelta(days=7)
    given = {
        "supply_by_0": str(day.year),
        "supply_by_1": str(day.month),
        "supply_by_2": str(day.day),
        "words": "应当共享",
    }
    names = [
        str(field.get("name"))
        for field in tree_inputs(authority.get(ruling).content)
        if "supply_by" in str(field.get("name"))
    ]
    values = dict(zip(names, (str(day.year), str(day.month), str(day.day)), strict=True))
    answer = authority.post(ruling, {"act": "order", "order-words": given["words"], **values})
    assert answer.status_code == 302, words(answer.content)
    assert "裁定：应当提供" in words(steward.get(ruling).content)
    shown = steward.post(f"{request}/acts/refuse", {"reason": "仍不同意"})
    assert shown.status_code == 422
    assert "已裁定提供，不能再拒绝" in words(shown.content)


def tree_inputs(content: bytes) -> list[Any]:
    from tests.sites.workbench.staff import tree

    return list(tree(content).iter("input"))


def test_a_need_gets_one_more_demand_or_is_closed_on_its_page() -> None:
    officer = staff("officer")
    need = state(officer)
    shown = do(officer, need, "demand", element="", words="还需要历史数据")
    assert "还需要历史数据" in shown
    assert officer.post(need, {"act": "close", "close-outcome": ""}).status_code == 422
    assert officer.post(need, {"act": "nothing"}).status_code == 422
    shown = do(officer, need, "close", outcome="已改由系统获取")
    assert "已改由系统获取" in shown
    assert "已关闭" in words(officer.get("/work/needs?box=mine").content)


def test_what_sharing_brings_is_shown_to_staff_with_the_clauses_of_what_is_not_open() -> None:
    clerk = staff("insurance")
    shown = words(clerk.get("/work/sharing").content)
    for word in ("共享成效", "有效授权", "使用率", "免提交材料", "公安", "不开放的依据"):
        assert word in shown, word
    assert "收养" not in shown, "what is not shared is not named"
    narrowed = words(clerk.get("/work/sharing?department=police").content)
    assert "人口基本信息" in narrowed or "公安" in narrowed


def test_unknown_needs_demands_and_rulings_are_missing_for_everybody() -> None:
    for username in ("officer", "catalogue"):
        client = staff(username)
        for path in ("needs", "demands", "rulings"):
            assert client.get(f"/work/{path}/{uuid4()}").status_code == 404


def test_the_demo_has_a_need_that_was_met_a_demand_to_answer_and_one_to_rule_on() -> None:
    officer, steward, authority = staff("officer"), staff("steward"), staff("catalogue")
    mine = words(officer.get("/work/needs?box=mine").content)
    assert "参保单位是否仍在经营" in mine
    waiting = links(steward.get("/work/needs?box=owner").content, "/work/demands/")
    assert any("连续居住" in words(steward.get(page).content) for page in waiting)
    (ruling,) = set(links(authority.get("/work/rulings").content, "/work/rulings/"))
    shown = words(authority.get(ruling).content)
    for word in ("高龄津贴", "按月批量比对", "符合最小必要原则", "裁定限期提供", "裁定不予共享"):
        assert word in shown, word
