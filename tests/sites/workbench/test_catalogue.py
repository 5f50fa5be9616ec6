"""The catalogue in the workbench: found, read, changed, reviewed; and nobody sees or does what is not theirs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from tests.sites.workbench.staff import links, refusals, staff, words

from furong.domains.catalogue import queries
from furong.foundation.access.values import Actor
from furong.foundation.packs import queries as packs
from furong.sites.workbench import urls_catalogue, words_catalogue

pytestmark = pytest.mark.usefixtures("platform")
CODE = "insured_persons"
SYSTEM = Actor.system("test")


def content(code: str = CODE) -> str:
    digest = queries.get_resource(actor=SYSTEM, code=code).digest
    return packs.get_definition(digest=digest).content.decode()


def post(client: Any, name: str, **data: str) -> Any:
    code, _, verb = name.partition("/")
    where = f"/work/resources/{code}/draft" if verb == "draft" else f"/work/resources/{code}/acts/{verb}"
    return client.post(where, data)


def test_a_stranger_and_a_resident_open_nothing() -> None:
    stranger, resident = staff(""), staff("mother")
    for pattern in urls_catalogue.urlpatterns:
        filled = re.sub(r"<slug:verb>", "submit", re.sub(r"<slug:code>", CODE, f"/work/{pattern.pattern}"))
        filled = re.sub(r"<uuid:\w+>", "01900000-0000-7000-8000-000000000000", filled)
        assert stranger.get(filled).status_code == 302
        assert resident.get(filled).status_code == 403


def test_staff_find_by_a_word_and_narrow_down() -> None:
    police = staff("police")
    page = police.get("/work/resources")
    assert reverse("workbench:resources") in page.content.decode()
    assert "最低生活保障" in words(police.get("/work/resources", {"text": "低保"}).content)
    narrowed = police.get("/work/resources", {"text": "医保", "openness": "open"})
    assert links(narrowed.content, "/work/resources/") == [
        "/work/resources/insurance_drugs",
        "/work/resources/designated_institutions",
    ]
    counts = [int(n) for n in re.findall(r"</a> <span class=\"muted n\">(\d+)", page.content.decode())]
    assert counts
    assert min(counts) >= 1
    assert "没有找到" in words(police.get("/work/resources", {"text": "无此一物"}).content)
    assert police.get("/work/resources", {"page": "99999", "sharing": "';--", "state": "x"}).status_code == 200


def test_what_is_hidden_is_on_no_page_of_other_departments() -> None:
    for who in ("police", "supervisor", "officer"):
        client = staff(who)
        for query in ({}, {"text": "收养"}, {"text": "疫苗库存"}, {"state": "waiting"}, {"page": "2"}):
            page = client.get("/work/resources", query).content.decode()
            assert "收养登记信息" not in page
            assert "疫苗库存信息" not in page
        assert client.get("/work/resources/adoptions").status_code == 404
        assert client.get("/work/resources/vaccine_stock").status_code == 404
        assert "妊娠风险" not in client.get("/work/resources/maternal_health_records").content.decode()
    assert staff("catalogue").get("/work/resources/adoptions").status_code == 200


def test_the_page_of_a_resource_shows_items_with_their_elements_owners_and_terms() -> None:
    shown = words(staff("police").get(f"/work/resources/{CODE}").content)
    for word in (
        "307001/000001",
        "湖南省医疗保障局",
        "母亲参保险种",
        "来源",
        "公安负责",
        "有条件共享",
        "不开放",
        "每日",
    ):
        assert word in shown, word
    assert "办理记录" not in shown  # only for those who compile or review it
    assert "办理记录" in words(staff("catalogue").get(f"/work/resources/{CODE}").content)


def test_a_change_goes_from_draft_to_review_to_force() -> None:
    officer, authority = staff("officer"), staff("catalogue")
    changed = content().replace("  - {code: contribution_base_fen}\n", "").replace("zh: 参保地", "zh: 参保统筹区")
    checked = post(officer, f"{CODE}/draft", content=changed, check="1")
    assert checked.status_code == 200
    shown = words(checked.content)
    assert "删除信息项" in shown
    assert "生育" in shown  # the benefit's item and form are touched
    assert queries.get_resource(actor=SYSTEM, code=CODE).pending_digest == ""
    kept = content().replace("zh: 参保地", "zh: 参保统筹区")
    assert post(officer, f"{CODE}/draft", content=kept.replace("\n", "\r\n"), save="1").status_code == 302
    assert post(officer, f"{CODE}/submit").status_code == 302
    assert f"/work/resources/{CODE}" in links(
        authority.get("/work/resources?state=waiting").content, "/work/resources/"
    )
    assert "参保统筹区" in words(authority.get(f"/work/resources/{CODE}/acts/approve").content)
    assert post(authority, f"{CODE}/approve").status_code == 302
    found = queries.get_resource(actor=SYSTEM, code=CODE)
    assert (found.line.version, "参保统筹区" in repr(found.items)) == (2, True)


def test_a_draft_with_a_mistake_is_given_back_with_line_rule_and_mend() -> None:
    officer = staff("officer")
    wrong = content().replace("methods: [interface]", "methods: [file]")
    for button in ("check", "save"):
        answer = post(officer, f"{CODE}/draft", content=wrong, **{button: "1"})
        shown = answer.content.decode()
        assert "resource.method" in shown
        assert "methods: [file]" in shown
        assert "库表或接口" in shown
    assert post(officer, f"{CODE}/draft", content="", save="1").status_code == 422
    assert "resource" in post(officer, f"{CODE}/draft", content="]:\n {", check="1").content.decode()


def test_acts_that_are_not_ones_own_or_not_possible_are_refused() -> None:
    officer, police = staff("officer"), staff("police")
    assert police.post(f"/work/resources/{CODE}/acts/submit").status_code == 403
    assert refusals("workbench.resource_act") == ["access.refused"]
    assert police.get(f"/work/resources/{CODE}/draft").status_code == 403
    assert officer.get("/work/resources/marriages/draft").status_code == 404
    answer = post(officer, f"{CODE}/approve")
    assert answer.status_code == 422
    assert queries.get_resource(actor=SYSTEM, code=CODE).line.version == 1
    assert officer.get(f"/work/resources/{CODE}/acts/nothing").status_code == 404
    assert officer.get(f"/work/resources/{CODE}/acts/draft").status_code == 404
    answer = post(staff("catalogue"), f"{CODE}/take_offline", reason=" ")
    assert answer.status_code == 422
    assert "请简单写明理由" in words(answer.content) or "理由" in words(answer.content)


def test_every_code_of_the_schema_has_words() -> None:
    from furong.domains.catalogue.resources import values
    from furong.domains.catalogue.states import Act, OnlineState, PublishState
    from furong.domains.catalogue.views import FACETS

    for enum, table in (
        (values.SharingType, words_catalogue.SHARING),
        (values.Openness, words_catalogue.OPENNESS),
        (values.SharingMethod, words_catalogue.METHODS),
        (values.Cycle, words_catalogue.CYCLES),
        (values.FormatClass, words_catalogue.FORMATS),
        (values.ItemType, words_catalogue.ITEM_TYPES),
        (values.ClassKind, words_catalogue.CLASSES),
        (values.CollectedFrom, words_catalogue.FROM),
        (PublishState, words_catalogue.PUBLISHED),
        (OnlineState, words_catalogue.ONLINE),
        (Act, words_catalogue.DONE),
    ):
        assert {str(one) for one in enum} == {str(one) for one in table}, enum
    assert set(FACETS) == set(words_catalogue.FACET_NAMES)


def test_the_page_of_collection_duties_shows_burden_and_calendar_of_the_year() -> None:
    client = staff("police")
    page = client.get("/work/collection", {"year": "2026"})
    shown = words(page.content)
    assert page.status_code == 200
    assert "企业年度报告书" in shown
    assert "《企业信息公示暂行条例》 第八条" in shown
    assert "2026 年采集日历" in shown
    assert "每家企业" in shown
    assert "未注明依据" in shown
    assert "/work/resources/enterprise_annual_reports" in links(page.content, "/work/resources/")


def test_collection_duties_are_narrowed_and_what_is_hidden_stays_hidden() -> None:
    client = staff("police")
    persons = client.get("/work/collection", {"from": "person"}).content
    assert "企业年度报告书" not in words(persons)
    assert "机动车注册、转移、注销登记申请表" in words(persons)
    taxes = words(client.get("/work/collection", {"department": "tax", "year": "2027"}).content)
    assert "增值税及附加税费申报表" in taxes
    assert "企业年度报告书" not in taxes
    for query in ({}, {"department": "statistics"}, {"from": "enterprise"}):
        assert "一套表联网直报月报" not in words(client.get("/work/collection", query).content)
    assert "一套表联网直报月报" in words(staff("catalogue").get("/work/collection").content)
    assert "没有采集项" in words(client.get("/work/collection", {"department": "nobody"}).content)
    for wrong in ({"from": "'; --"}, {"year": "99999"}, {"year": "²"}, {"department": "x" * 500}):
        assert client.get("/work/collection", wrong).status_code == 200
