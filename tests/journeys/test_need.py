"""A need: the catalogue has it and it is requested; or nobody has it, it is refused or late, and the data authority rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from furong.domains.catalogue.needs import ruling
from tests.journeys.town import Page, Town, opened

NEED = {
    "purpose": "办理新生儿参保登记",
    "legal_basis": "《中华人民共和国社会保险法》第七十四条",
    "urgency": "urgent",
    "people": "400000",
    "cases": "400000",
    "materials": "1",
}


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made


def need(town: Town, words: str) -> str:
    stated = town.officer.post("/work/needs/new", {**NEED, "words": words})
    assert stated.status == 302, stated.mistakes
    return stated.goes_to


def act(page: Page) -> None:
    assert page.status == 302, page.words


def test_a_need_is_found_in_the_catalogue_and_requested_from_there(town: Town) -> None:
    mine = need(town, "派出所的名称、地址和管辖范围")
    found = town.officer.get(mine)
    assert "派出所名录" in found.words
    assert "见于名称" in found.words
    asking = next(link for link in found.links("/request?need=") if "police_stations" in link)
    form = town.officer.get(asking)
    assert form.value("scenario") == NEED["purpose"]
    assert form.value("legal_basis") == NEED["legal_basis"]
    asked = town.officer.post(
        asking.partition("?")[0],
        {
            "items": ["name", "address"],
            "methods": ["interface"],
            "days": "90",
            "scenario": form.value("scenario"),
            "legal_basis": form.value("legal_basis"),
        },
    )
    act(asked)
    assert asked.goes_to in town.officer.get(mine).links("/work/requests/")
    act(town.officer.post(mine, {"act": "close", "close-outcome": "目录已有资源，已申请"}))
    assert "已关闭" in town.officer.read("/work/needs?box=mine")


def test_what_nobody_has_is_demanded_refused_disputed_and_ordered(town: Town) -> None:
    mine = need(town, "候鸟迁徙路线的卫星影像")
    (demand,) = set(town.officer.get(mine).links("/work/demands/"))
    assert demand in town.catalogue.get("/work/needs").links("/work/demands/")
    assert town.steward.get(demand).status == 404
    act(town.catalogue.post(demand, {"act": "assign", "assign-department": "police"}))
    assert "新的数据需求" in town.steward.read("/work/notices")
    assert demand in town.steward.get("/work/needs?box=owner").links("/work/demands/")

    without = town.steward.post(demand, {"act": "refuse", "refuse-clause": "", "refuse-reason": "不掌握"})
    assert without.status == 422
    assert any("法律" in one for one in without.mistakes)
    refusal = {"act": "refuse", "refuse-clause": "《政务数据共享条例》第十条", "refuse-reason": "公安机关不掌握"}
    act(town.steward.post(demand, refusal))
    assert "公安机关不掌握" in town.officer.read(demand)

    act(town.officer.post(demand, {"act": "ask_ruling", "ask_ruling-words": "边防巡查留有影像"}))
    (case,) = set(town.officer.get(demand).links("/work/rulings/"))
    shown = town.catalogue.read(case)
    for word in ("公安机关不掌握", "边防巡查留有影像", "《政务数据共享条例》第十条"):
        assert word in shown, word
    assert town.steward.post(case, {"act": "order", "order-words": "x"}).status == 422, "a party does not rule"
    day = town.catalogue.get(case).tree.xpath("//input[starts-with(@name, 'order-supply_by')]/@name")  # type: ignore[union-attr]
    due = ruling.latest_supply(now=town.now)
    parts = dict(zip(day, (str(due.year), str(due.month), str(due.day)), strict=True))
    act(town.catalogue.post(case, {"act": "order", "order-words": "属于履职所需", **parts}))
    assert "裁定：应当提供" in town.officer.read(case)
    assert "裁定：应当共享" in town.steward.read("/work/notices")
    assert "裁定限期提供" in town.steward.read(demand)
    assert town.steward.post(demand, refusal).status == 422, "what is ordered is not refused again"


def test_who_does_not_answer_in_time_is_brought_before_the_data_authority_by_the_clock(town: Town) -> None:
    mine = need(town, "候鸟迁徙路线的卫星影像")
    (demand,) = set(town.officer.get(mine).links("/work/demands/"))
    act(town.catalogue.post(demand, {"act": "assign", "assign-department": "police"}))
    town.on(date(town.now.year + 1, 3, 1))
    assert ruling.escalate_late(now=town.now) >= 1
    (case,) = set(town.steward.get(demand).links("/work/rulings/"))
    assert "逾期" in town.steward.read(case)
    assert "未答复" in town.catalogue.read(case)
    assert "共享争议需要裁定" in town.catalogue.read("/work/notices")
