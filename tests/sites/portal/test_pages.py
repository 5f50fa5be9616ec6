"""The portal over HTTP, without script: what everyone may open, and a mother's application from the home page to its number."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import lxml.html
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern

from furong.foundation.access.values import Actor, ActorKind
from furong.sites.portal import holding, urls

PASSWORD = "furong-demo-2026"
PUBLIC = {"home", "search", "life_event", "guide", "about", "verify", "verify_token",
          "search_suggest", "search_place", "search_open", "office",
          "clusters", "cluster", "implementation", "firms", "firm_name", "firm"}  # fmt: skip

pytestmark = pytest.mark.usefixtures("platform")


def visitor(username: str = "") -> Client:
    client = Client(HTTP_HOST="localhost")
    if username:
        answer = client.post("/account/sign-in", {"username": username, "password": PASSWORD})
        assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def page(client: Client, address: str, status: int = 200, **query: Any) -> lxml.html.HtmlElement:
    answer = client.get(address, query)
    assert answer.status_code == status, f"{address}: {answer.status_code}"
    return lxml.html.fromstring(answer.content)


def words(element: lxml.html.HtmlElement) -> str:
    return re.sub(r"\s+", " ", element.text_content())


def begin(client: Client) -> str:
    answer = client.post("/life/newborn/start", {"division": "430202", "item": ALL_ITEMS})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


ALL_ITEMS = ["medical_insurance_enrolment", "maternity_benefit", "social_security_card", "vaccination_record"]
GIVEN = {
    "newborn-name": "周芷沅",
    "newborn-household_with": "mother",
    "newborn-ethnicity": "01",
    "benefit-account_number": "6222020111122220000",
}


def fill(client: Client, draft: str, until: str = "/check") -> str:
    """Fill in page after page as a person does: what is asked and known, else the first choice; gives where it ends."""
    address = str(client.get(draft)["Location"])
    for _page in range(10):
        if address.endswith(until):
            return address
        shown = page(client, address)
        form = next(f for f in shown.forms if f.method == "POST" and "_version" in f.fields)
        data = {name: value for name, value in form.form_values() if name != "leave"}
        for field in form.inputs:
            name = field.get("name") or ""
            if name in GIVEN:
                data[name] = GIVEN[name]
            elif field.get("type") == "radio":
                data.setdefault(name, field.get("value") or "")
        answer = client.post(address, data)
        assert answer.status_code == 302, words(lxml.html.fromstring(answer.content))
        address = str(answer["Location"])
    raise AssertionError(f"the form does not end: {address}")


def hand_in(client: Client, check: str) -> str:
    answer = client.post(check, {"declared": "yes"})
    assert answer.status_code == 302, words(lxml.html.fromstring(answer.content))
    return str(answer["Location"])


def test_home_counts_from_the_pack_and_shows_no_figure_before_there_is_one() -> None:
    text = words(page(visitor(), "/"))
    assert "您遇到了什么事？" in text
    assert "湖南政务服务" in text
    assert "新生儿出生" in text
    assert re.search(r"您只需要填 \d 项", text)
    assert "还没有办结的办件" in text
    assert "100.0%" not in text


def test_home_asks_the_database_little() -> None:
    client = visitor()
    client.get("/")
    with CaptureQueriesContext(connection) as seen:
        client.get("/")
    assert len(seen) <= 3


def test_life_event_says_what_is_asked_and_what_is_not() -> None:
    text = words(page(visitor(), "/life/newborn"))
    for told in ("需要您填写", "给孩子取的名字", "不用您提交的材料", "出生医学证明", "在此之后开始", "不收费"):
        assert told in text


def test_guide_shows_every_field_of_the_implementation_list() -> None:
    text = words(page(visitor(), "/guide/household_registration", division="430202"))
    for field in ("事项类型", "基本编码", "实施编码", "实施主体", "权力来源", "行使层级", "服务对象", "办件类型", "法定办结时限",
                  "承诺办结时限", "受理条件", "申请材料", "办理流程", "收费", "到现场次数", "办理地点和时间", "咨询", "投诉",
                  "通办范围", "网上办理深度", "设定依据", "物流快递", "网上支付", "预约办理", "自助终端", "办理结果",
                  "结果类型", "如果您不服"):  # fmt: skip
        assert field in text, field
    assert re.search(r"[0-9A-Z]{18}[1-6]\d{12}", text), "the implementation code has 31 characters (GB/T 39554.1)"


def test_unknown_life_event_guide_and_page_do_not_exist() -> None:
    for address in ("/life/none", "/guide/none", "/about/none"):
        page(visitor(), address, 404)


def test_every_page_that_is_not_listed_as_public_asks_to_sign_in() -> None:
    client, seen = visitor(), 0
    for route in urls.urlpatterns:
        assert isinstance(route, URLPattern)
        if route.name in PUBLIC:
            continue
        address = "/" + re.sub(
            r"<(uuid|slug|str):\w+>", lambda m: str(uuid4()) if m[1] == "uuid" else "newborn", str(route.pattern)
        )
        answer = client.get(address)
        if answer.status_code == 405:
            answer = client.post(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/account/sign-in?next="), address
        seen += 1
    assert seen > 12


def test_staff_have_no_space_as_staff() -> None:
    page(visitor("police"), "/my/", 403)


def test_mother_applies_once_however_often_she_sends() -> None:
    client = visitor("mother")
    draft = begin(client)
    check = fill(client, draft)
    review = words(page(client, check))
    assert "周芷沅" in review
    assert "人口库" in review
    assert "医院出生记录" in review
    unsigned = client.post(check, {})
    assert unsigned.status_code == 422
    assert "请确认您填写的内容属实" in unsigned.content.decode()
    first = hand_in(client, check)
    again = client.post(check, {"declared": "yes"})
    assert (again.status_code, again["Location"]) == (302, first.removesuffix("?sent=1"))
    shown = words(page(client, first))
    assert "申请已提交" in shown
    assert re.search(r"4302·\d{4}·\d{4}·\d{5}", shown)
    assert "个单位正在同时办理" in shown
    assert words(page(client, "/my/")).count("已办结 0 / 6") == 1
    assert "申请已提交" in words(page(client, "/my/messages"))


def test_facts_are_told_as_people_write_them_with_their_source() -> None:
    client = visitor("mother")
    shown = words(page(client, hand_in(client, fill(client, begin(client)))))
    assert "随母" in shown
    assert "您填写" in shown
    assert not re.search(r"\d{4}-\d\d-\d\dT\d\d", shown)
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-7", shown)


def test_wrong_page_keeps_what_was_typed_and_links_to_the_mistake() -> None:
    client = visitor("mother")
    address = str(client.get(begin(client))["Location"])
    answer = client.post(address, {"newborn-name": "Zhou 1"})
    assert answer.status_code == 422
    shown = lxml.html.fromstring(answer.content)
    target = shown.find_class("summary")[0].find(".//a").get("href")[1:]
    box = shown.get_element_by_id(target)
    assert box.get("value") == "Zhou 1"
    assert box.get("aria-invalid") == "true"


def test_sign_in_that_ends_mid_form_loses_no_saved_page() -> None:
    client = visitor("mother")
    draft = begin(client)
    first = str(client.get(draft)["Location"])
    saved = client.post(first, {"newborn-name": "周芷沅"})
    second = str(saved["Location"])
    client.post("/account/sign-out")
    expired = client.post(second, {"newborn-household_with": "mother"})
    assert expired.status_code == 302
    assert "已保存的内容都在" in words(page(client, str(expired["Location"])))
    again = visitor("mother")
    assert str(again.get(draft)["Location"]) == second
    assert page(again, first).get_element_by_id("id_newborn-name").get("value") == "周芷沅"


def test_two_windows_do_not_overwrite_each_other_unnoticed() -> None:
    client = visitor("mother")
    address = str(client.get(begin(client))["Location"])
    version = page(client, address).xpath("//input[@name='_version']")[0].get("value")
    saved = client.post(address, {"newborn-name": "周芷沅", "_version": version})
    assert saved.status_code == 302
    # The reply was lost and the browser sends the same once more: it is saved already, and goes on to the next page.
    again = client.post(address, {"newborn-name": "周芷沅", "_version": version})
    assert (again.status_code, again["Location"]) == (302, saved["Location"])
    late = client.post(address, {"newborn-name": "周芷兰", "_version": version})
    assert late.status_code == 409


def test_nobody_opens_what_is_another_persons() -> None:
    mother, father = visitor("mother"), visitor("father")
    draft = begin(mother)
    application = hand_in(mother, fill(mother, draft)).removesuffix("?sent=1")
    for address in (
        draft,
        f"{draft}/check",
        application,
        f"{application}/withdraw",
        f"/my/licences/{uuid4()}",
        f"/my/consents/{uuid4()}",
    ):
        answer = father.get(address)
        assert answer.status_code in {403, 404}, f"{address}: {answer.status_code}"
        assert "周芷沅" not in answer.content.decode()


def test_withdrawing_one_item_says_what_follows_and_leaves_the_others() -> None:
    client = visitor("mother")
    application = hand_in(client, fill(client, begin(client))).removesuffix("?sent=1")
    form = page(client, f"{application}/withdraw")
    assert "依赖其结果的事项也随之终止" in words(form)
    label = next(e for e in form.iter("label") if "预防接种" in (e.text_content() or ""))
    box = form.get_element_by_id(label.get("for"))
    assert client.post(f"{application}/withdraw", {"reason": ""}).status_code == 200
    assert client.post(f"{application}/withdraw", {"case": box.get("value"), "reason": "已办"}).status_code == 302
    lanes = page(client, application).find_class("lane")
    assert [("已撤回" in words(lane)) for lane in lanes].count(True) == 1


def test_person_reads_who_read_their_data() -> None:
    client = visitor("mother")
    hand_in(client, fill(client, begin(client)))
    shown = words(page(client, "/my/reads", own="1"))
    assert "身份证件号码" in shown
    assert "依据" in shown
    assert "services.prefill" not in shown


def test_licence_nobody_knows_is_not_to_be_relied_on() -> None:
    assert "本平台没有这份证照" in words(page(visitor(), "/verify/no-such-token"))
    answer = visitor().post("/verify/", {})
    assert answer.status_code == 422
    assert "请选择不超过 10 MB 的 PDF 文件" in answer.content.decode()


def test_no_address_or_title_holds_a_name_or_a_number_of_a_person() -> None:
    client = visitor("mother")
    application = hand_in(client, fill(client, begin(client)))
    for address in (application, "/my/", "/my/reads", "/my/messages", "/my/licences"):
        shown = page(client, address)
        told = " ".join([shown.findtext(".//title") or "", *(a.get("href") or "" for a in shown.iter("a"))])
        assert not re.search(r"\d{17}[\dX]|周芷沅", told)


def test_registers_are_asked_once_for_the_pages_of_a_draft_and_again_at_submission() -> None:
    client = visitor("mother")
    check = fill(client, begin(client))
    before = words(page(client, "/my/reads")).count("平台自动比对")
    for _again in range(3):
        page(client, check)
    assert words(page(client, "/my/reads")).count("平台自动比对") == before
    held = {draft for draft, *_ in holding._held}
    hand_in(client, check)
    assert str(check).split("/")[2] in {str(draft) for draft in held}
    assert str(check).split("/")[2] not in {str(draft) for draft, *_ in holding._held}


def test_what_was_told_to_one_account_is_not_shown_to_another() -> None:
    asked: list[str] = []

    def ask(who: str) -> Any:
        asked.append(who)
        return {}

    draft, first, second = uuid4(), Actor(kind=ActorKind.RESIDENT, account_id=uuid4()), Actor.anonymous()
    for actor, who in ((first, "a"), (first, "a"), (second, "b")):
        holding.held_for(draft_id=draft, form_digest="d", actor=actor, ask=lambda who=who: ask(who))
    holding.held_for(draft_id=draft, form_digest="new", actor=first, ask=lambda: ask("changed form"))
    assert asked == ["a", "b", "changed form"]
