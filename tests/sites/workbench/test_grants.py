"""Requests and grants in the workbench: asked for on a resource's page, answered, signed, used, passed on, revoked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from tests.sites.workbench.staff import links, staff, words

from furong.foundation.access import sharing
from furong.foundation.organizations import queries as organizations

pytestmark = pytest.mark.usefixtures("platform")

CODE = "household_registrations"
ASKED = {
    "items": ["id_number", "registered_on"],
    "methods": ["interface"],
    "days": "90",
    "scenario": "核对新生儿落户",
    "legal_basis": "社会保险法 第七十四条",
}


@pytest.fixture(autouse=True)
def _short_leases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.05, raising=False)
    sharing.BOOK.forget()
    yield
    sharing.BOOK.forget()


def ask(client: Any, code: str, **changed: Any) -> str:
    answer = client.post(f"/work/resources/{code}/request", {**ASKED, **changed})
    assert answer.status_code == 302, words(answer.content)
    return str(answer["Location"])


def do(client: Any, page: str, verb: str, **data: Any) -> str:
    answer = client.post(f"{page}/acts/{verb}", data)
    assert answer.status_code == 302, words(answer.content)
    return words(client.get(answer["Location"]).content)


def grant_of(client: Any, page: str) -> str:
    (found,) = set(links(client.get(page).content, "/work/grants/"))
    return found


def test_a_request_is_made_answered_signed_and_revoked_on_pages_that_say_how_it_stands() -> None:
    officer, steward, authority = staff("officer"), staff("steward"), staff("catalogue")
    shown = officer.get("/work/resources/police_stations")
    assert links(shown.content, "/work/resources/police_stations/request")
    page = ask(officer, "police_stations", items=["name", "address"])
    shown = words(officer.get(page).content)
    for word in ("待提供方答复", "核对新生儿落户", "社会保险法 第七十四条", "90 天", "湖南省公安厅"):
        assert word in shown, word
    assert page in links(steward.get("/work/requests").content, page)
    assert "待我办理" in words(steward.get("/work/requests").content)
    assert authority.get(page).status_code == 200
    assert staff("police").get(page).status_code == 403
    form = steward.get(f"{page}/acts/consent").content.decode()
    assert form.count('name="items"') == 2
    assert "已同意" in do(steward, page, "consent", items=["name"], methods=["interface"], days="30")
    grant = grant_of(officer, page)
    shown = words(officer.get(grant).content)
    assert "待签署" in shown
    assert "30 天" in shown
    do(officer, grant, "sign")
    assert "签名有效" in do(steward, grant, "sign")
    shown = words(officer.get(grant).content)
    assert "有效" in shown
    assert "近三十日无人使用" in shown
    assert "我方授权" in words(officer.get("/work/resources/police_stations").content)
    assert officer.get(f"{grant}/acts/suspend").status_code == 200
    assert "目前的状态下不能这样办理" in words(officer.get(f"{grant}/acts/suspend").content)
    answer = steward.post(f"{grant}/acts/suspend", {"reason": ""})
    assert answer.status_code == 422
    assert "已暂停" in do(steward, grant, "suspend", reason="安全检查")
    assert "恢复" in do(steward, grant, "resume")
    assert "撤销" in do(officer, grant, "revoke", reason="业务停办")
    assert not list(links(officer.get(grant).content, f"{grant}/acts/"))


def test_what_the_form_lacks_is_said_and_what_was_entered_stays() -> None:
    officer = staff("officer")
    answer = officer.post("/work/resources/police_stations/request", {**ASKED, "items": [], "legal_basis": ""})
    assert answer.status_code == 422
    shown = words(answer.content)
    assert "请至少选择一个信息项" in shown
    assert "请写明法律依据和条款" in shown
    assert "核对新生儿落户" in answer.content.decode()
    answer = officer.post("/work/resources/insured_persons/request", {**ASKED, "items": ["area"]})
    assert answer.status_code == 422
    assert "本机构就是该资源的提供方" in words(answer.content)
    assert officer.get("/work/resources/adoptions/request").status_code == 404


def test_the_request_that_waits_in_the_demo_is_refused_with_its_reason() -> None:
    steward, officer = staff("steward"), staff("officer")
    (page,) = list(links(steward.get("/work/requests?box=waiting").content, "/work/requests/"))
    assert "要求补正" in words(steward.get(page).content)
    do(steward, page, "ask", question="请说明留存期限")
    assert "请说明留存期限" in words(officer.get(page).content)
    given = {"items": ["id_number", "registered_on"], "methods": ["interface"], "days": "90", "answer": "三年"}
    do(officer, page, "supplement", **given)
    shown = do(steward, page, "refuse", reason="超出法定职责")
    assert "超出法定职责" in shown
    assert "不予共享的理由" in words(officer.get(page).content)


def test_a_grant_is_passed_on_to_an_organisation_below() -> None:
    officer = staff("officer")
    (grant,) = [
        one
        for one in dict.fromkeys(links(officer.get("/work/grants").content, "/work/grants/"))
        if "转授下级" in words(officer.get(one).content)
    ]
    county = organizations.get_responsible(department="medical_insurance", division_code="430202")
    given = {
        "items": ["name"],
        "methods": ["interface"],
        "days": "30",
        "organization": str(county.id),
        "by_subject": "on",
    }
    assert "已签署" in do(officer, grant, "delegate", **given) or links(officer.get(grant).content, "/work/grants/")
    assert county.name.zh in words(officer.get(grant).content)
    answer = officer.post(f"{grant}/acts/delegate", {**given, "organization": str(UUID(int=7))})
    assert answer.status_code == 422
    wider = {key: value for key, value in given.items() if key != "by_subject"}
    answer = officer.post(f"{grant}/acts/delegate", wider)
    assert answer.status_code == 422
    assert "超出了申请或授权的范围" in words(answer.content)


@pytest.mark.parametrize("who", ["police", "mother", "supervisor", ""])
def test_who_neither_compiles_nor_reviews_opens_none_of_these_pages(who: str) -> None:
    officer, client = staff("officer"), staff(who)
    grants = links(officer.get("/work/grants").content, "/work/grants/")
    requests = links(officer.get("/work/requests?box=mine").content, "/work/requests/")
    assert grants
    assert requests
    for page in ("/work/requests", "/work/grants", grants[0], requests[0], "/work/resources/police_stations/request"):
        assert client.get(page).status_code in {302, 403}
