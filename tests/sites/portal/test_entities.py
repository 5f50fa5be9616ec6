"""Enterprises at the portal: what anybody may know of one, whether a name is free, and keeping it for oneself."""

from __future__ import annotations

import pytest
from django.test import Client
from tests.sites.portal.test_pages import visitor
from tests.sites.workbench.staff import words

from furong.foundation.audit import queries as audit
from furong.foundation.codes.credit_codes import make_credit_code
from furong.registries.population import demo

pytestmark = pytest.mark.usefixtures("platform")
FIRM = make_credit_code("9", "1", "430290", 1)
ASKED = {"kind": "limited_company", "division": "430202", "area": "city", "trade_name": "荷塘月色", "industry": "C14"}


def test_anybody_finds_an_enterprise_and_reads_what_the_law_publishes_and_its_head_sees_it() -> None:
    stranger = Client(HTTP_HOST="localhost")
    listed = words(stranger.get("/firms", {"q": "荷塘月色"}).content)
    assert "株洲荷塘月色食品有限公司" in listed
    assert "罗红霞" not in listed, "a list names nobody"
    assert stranger.get("/firms", {"q": FIRM.lower()}).headers["Location"] == f"/firms/{FIRM}"
    assert "没有查到" in words(stranger.get("/firms", {"q": "从未登记过"}).content)
    shown = words(stranger.get(f"/firms/{FIRM}").content)
    for told in (FIRM, "罗红霞", "1,000,000 元", "红旗路96号", "红旗路88号", "芦淞分公司", "存续"):
        assert told in shown, told
    assert "曾晓雅" not in shown, "holders are not told"
    seen = audit.list_reads_of_person(person_id=demo.person_id("elders_daughter"))
    assert "legal_entities.get_public" in {one.what for one in seen}
    for code, state in ((7, "歇业"), (8, "正在公告简易注销"), (9, "吊销")):
        assert state in words(stranger.get(f"/firms/{make_credit_code('9', '1', '430290', code)}").content)
    assert stranger.get(f"/firms/{FIRM[:-1]}0").status_code == 404


def test_a_name_is_checked_by_anybody_and_kept_by_who_is_signed_in() -> None:
    stranger, founder = Client(HTTP_HOST="localhost"), visitor("mother")
    taken = words(stranger.get("/firms/name", ASKED).content)
    assert "不能登记" in taken
    assert "第十七条" in taken
    assert stranger.get("/firms/name", {**ASKED, "trade_name": ""}).status_code == 422
    free = {**ASKED, "trade_name": "苔花如米"}
    assert "登录后保留" in words(stranger.get("/firms/name", free).content)
    assert stranger.post("/firms/name", free).status_code in {302, 403}
    shown = founder.get("/firms/name", free)
    assert "为我保留" in words(shown.content)
    assert founder.post("/firms/name", free).status_code == 302
    kept = words(founder.get("/firms/name").content)
    assert "株洲苔花如米食品有限公司" in kept
    assert "不能登记" in words(stranger.get("/firms/name", free).content)
    alike = {**ASKED, "trade_name": "苔花如迷"}
    assert founder.post("/firms/name", alike).status_code == 422, "likeness is accepted, not overlooked"
    assert founder.post("/firms/name", {**alike, "accept_similar": "yes"}).status_code == 302


def test_programs_read_the_same() -> None:
    stranger = Client(HTTP_HOST="localhost")
    found = stranger.get(f"/api/entities/{FIRM}").json()
    assert (found["name"], found["head"], found["capital_fen"]) == ("株洲荷塘月色食品有限公司", "罗红霞", 100_000_000)
    assert [one["item"] for one in found["changes"]] == ["scope", "address"]
    assert [one["credit_code"] for one in stranger.get("/api/entities", {"text": "荷塘月色"}).json()] == [FIRM]
    verdict = stranger.get("/api/entities/names/check", ASKED).json()
    assert (verdict["is_free"], verdict["findings"][0]["problem"]) == (False, "same_name")
    assert stranger.get("/api/entities/x").status_code == 404
    assert stranger.get("/api/entities/names/check", {**ASKED, "area": "moon"}).status_code == 422
