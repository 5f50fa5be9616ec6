"""Requests that no browser sends: open redirects, header injection, missing tokens, wrong methods, bytes that are no text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import make_index
from tests.journeys.town import PASSWORD, Page, Town, Visitor, opened

CLEAN = re.compile(r"Traceback|File &quot;|File \"|site-packages|psycopg|django\.")


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        make_index("town")
        yield made


def _problem(page: Page, status: int) -> dict[str, Any]:
    """A program's answer: problem details with a code, and no word of how it was made."""
    assert page.status == status, page.text[:300]
    assert page.answer["Content-Type"].startswith("application/problem+json")
    told: dict[str, Any] = json.loads(page.body)
    assert told["status"] == status
    assert told["code"]
    assert told["title"]
    assert not CLEAN.search(page.text)
    return told


AWAY = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example/",
    "/%09//evil.example",
    "https:///evil.example",
    "http://localhost@evil.example/",
    "/my/\r\nSet-Cookie: furong_session=x",
    "/my/\nLocation: https://evil.example",
]


def test_sign_in_leads_to_no_other_site_and_writes_no_header(town: Town) -> None:
    for away in AWAY:
        _is_led_nowhere(away)


def _is_led_nowhere(away: str) -> None:
    visitor = Visitor()
    answer = visitor.post("/account/sign-in", {"username": "mother", "password": PASSWORD, "next": away})
    assert answer.status == 302
    target = answer.goes_to
    assert target.startswith("/")
    assert not target.startswith(("//", "/\\"))
    assert "\n" not in target
    assert "\r" not in target
    assert "evil.example" not in target.split("?")[0].split("/")[1:2]
    assert "Set-Cookie: furong_session=x" not in str(answer.answer.headers)
    for address in (f"/account/sign-in?next={away}", f"/account/sign-up?next={away}"):
        page = Visitor().get(address.replace("\r", "%0d").replace("\n", "%0a").replace("\t", "%09"))
        assert page.status == 200
        assert 'href="https://evil' not in page.text
        assert 'value="https://evil' not in page.text


def test_preferences_and_sign_out_lead_to_no_other_site(town: Town) -> None:
    for address in ("/preferences/language/en", "/preferences/size/large"):
        for referer in ("https://evil.example/x", "//evil.example", "javascript:alert(1)"):
            answer = Page(town.mother.client.get(address, {"next": referer}, HTTP_REFERER=referer))
            assert answer.status == 302
            assert "evil" not in answer.goes_to
            assert answer.goes_to.startswith("/")
    out = town.mother.post("/account/sign-out", {"next": "https://evil.example/"})
    assert out.goes_to == "/"


def test_form_without_its_token_is_a_page_that_says_what_is_kept(town: Town) -> None:
    draft = town.begin()
    address = town.mother.get(draft).goes_to
    town.mother.client.handler.enforce_csrf_checks = True
    page = town.mother.post(address, {"newborn-name": "周念荷"})
    assert page.status == 403
    assert "已过期" in page.words
    assert "草稿" in page.words
    assert "周念荷" not in page.text
    town.mother.client.handler.enforce_csrf_checks = False
    assert town.mother.get(address).value("newborn-name") == ""
    for url in ("/life/newborn/start", "/account/sign-out", "/my/messages"):
        town.mother.client.handler.enforce_csrf_checks = True
        assert town.mother.post(url, {}).status == 403
    stranger = Visitor(csrf=True)
    assert stranger.post("/account/sign-in", {"username": "mother", "password": PASSWORD}).status == 403


def test_program_that_changes_something_needs_the_token_too(town: Town) -> None:
    application = town.apply([])
    case_id = town.case(application, "birth_certificate")
    town.hospital.client.handler.enforce_csrf_checks = True
    answer = town.hospital.client.post(
        f"/api/cases/{case_id}/acts", json.dumps({"act": "accept"}), content_type="application/json"
    )
    assert _problem(Page(answer), 403)["code"] in {"web.form_expired", "access.refused", "access.csrf"}
    assert town.world.lane(town_id(application), "birth_certificate").state.value == "submitted"


def town_id(application: str) -> Any:
    """The key at the end of an application's address."""
    from uuid import UUID

    return UUID(application.rsplit("/", 1)[1])


def test_method_that_a_page_does_not_take_is_told_with_those_it_does(town: Town) -> None:
    for address, allowed in (("/account/sign-out", "POST"), ("/account/act", "POST"), ("/my/licences", "GET")):
        wrong = town.mother.client.get(address) if allowed == "POST" else town.mother.client.post(address)
        assert wrong.status_code == 405
        assert allowed in wrong["Allow"]
        page = Page(wrong)
        assert page.tree is not None, f"{address}: an empty page says nothing"
        assert not CLEAN.search(page.text)
    api = Page(town.mother.client.delete("/api/cases/applications"))
    assert api.status == 405
    _problem(api, 405)


def test_key_that_nobody_has_is_answered_like_one_that_is_anothers(town: Town) -> None:
    for address in (
        f"/my/applications/{uuid4()}",
        f"/apply/{uuid4()}",
        f"/my/messages/{uuid4()}",
        "/my/nothing",
        "/%E4%B8%AD",
    ):
        page = town.mother.get(address)
        assert page.status == 404, address
        assert "没有" in page.words or "找不到" in page.words or "不存在" in page.words
        assert "回到首页" in page.words or "首页" in page.words
    _problem(town.mother.get(f"/api/cases/applications/{uuid4()}"), 404)
    for address in ("/my/applications/not-a-key", f"/my/applications/{uuid4()}'--"):
        assert town.mother.get(address).status == 404


WEIRD = {
    "nul": "%00",
    "nul in words": "a%00b",
    "no UTF-8": "%ff%fe%80",
    "overlong": "%c0%af",
    "half a pair": "%ed%a0%80",
    "right to left": "%e2%80%ae",
    "long": "x" * 6000,
    "quotes": "%27%22%3E%3Cscript%3E",
    "template": "%7B%7B7*7%7D%7D",
    "percent": "%25s%25n",
}


def test_odd_bytes_in_queries_break_nothing(town: Town) -> None:
    for name, odd in WEIRD.items():
        for visitor, address in (
            (town.mother, f"/search?q={odd}"),
            (town.mother, f"/my/messages?before={odd}"),
            (town.mother, f"/my/reads?before={odd}"),
            (town.mother, f"/guide/birth_certificate?division={odd}"),
            (town.mother, f"/verify/{odd[:200]}"),
            (town.mother, f"/account/sign-in?next={odd}"),
            (town.police, f"/work/cases?q={odd}"),
            (town.police, f"/work/cases?after={odd}"),
            (town.police, f"/work/list?after={odd}&light={odd}&kind={odd}&task={odd}"),
            (town.supervisor, f"/work/supervision?organization={odd}&light={odd}"),
            (town.administrator, f"/work/organizations?q={odd}&division={odd}&page={odd}"),
            (town.administrator, f"/work/accounts?q={odd}&page={odd}"),
            (town.auditor, f"/work/audit?q={odd}&from={odd}&name={odd}&actor={odd}"),
            (town.police, f"/api/cases?text={odd}&after={odd}"),
        ):
            page = visitor.get(address)
            assert page.status < 500, f"{name}: {address[:80]} answers {page.status}"
            assert "<script>" not in page.text.replace('<script src="', "")
            assert not CLEAN.search(page.text)


def test_odd_bytes_in_forms_break_nothing_and_are_refused_at_their_field(town: Town) -> None:
    address = town.mother.get(town.begin()).goes_to
    for odd in (
        "周\x00念",
        "\x00",
        "周" * 5000,
        "\ud800x".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
        "<b>周</b>",
    ):
        page = town.mother.post(address, {"newborn-name": odd, "_version": "x" * 50})
        assert page.status in {302, 400, 422}, page.status
        assert "<b>周</b>" not in page.text
    raw = town.mother.client.post(
        address, b"newborn-name=%ff%fe&_version=%00", content_type="application/x-www-form-urlencoded"
    )
    assert raw.status_code < 500
    broken = town.mother.client.post(address, b"--x\r\nno form at all", content_type="multipart/form-data; boundary=x")
    assert broken.status_code < 500
    nothing = town.mother.client.post(address, b"a", content_type="multipart/form-data")
    assert nothing.status_code < 500
    many = town.mother.client.post(
        address, "&".join(f"f{n}=1" for n in range(3000)), content_type="application/x-www-form-urlencoded"
    )
    assert many.status_code in {400, 413}
    assert not CLEAN.search(many.content.decode())
    for name in ("\x00", "mother\x00", "x" * 100_000, "' OR 1=1 --"):
        page = Visitor().post("/account/sign-in", {"username": name, "password": "\x00"})
        assert page.status in {400, 422}
        assert not CLEAN.search(page.text)


def test_odd_headers_and_cookies_break_nothing(town: Town) -> None:
    for odd in ("\x00", "x" * 5000, "é", "../../etc", "{}", "a=b; c"):
        for cookie in ("furong_session", "furong_csrf", "furong_language", "furong_size", "messages"):
            visitor = Visitor()
            visitor.client.cookies[cookie] = odd
            page = visitor.get("/")
            assert page.status == 200, (cookie, odd[:20], page.status)
            assert odd not in page.answer.get("Content-Language", "")
    assert Visitor().client.get("/", HTTP_HOST="evil.example").status_code == 400
    assert Visitor().client.get("/", HTTP_ACCEPT="\x00;q=z").status_code in {200, 406}
    forwarded = Visitor().client.get("/", HTTP_X_FORWARDED_HOST="evil.example", HTTP_X_REQUEST_ID="a\r\nb: c")
    assert "evil.example" not in forwarded.content.decode()
    assert "b: c" not in forwarded["X-Request-ID"]


NO_ACT = (
    b"{",
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"\xff\xfe",
    b"[" * 20_000,
    b'{"act": 1}',
    b'{"act": "dance"}',
    b'{"act": "accept", "version": "x"}',
    b'{"act":"request_supplement","wanted":[{"what":1}]}',
)


def test_json_that_is_none_is_told_as_problem_details(town: Town) -> None:
    application = town.apply([])
    case_id = town.case(application, "birth_certificate")
    acts = f"/api/cases/{case_id}/acts"
    for body in NO_ACT:
        answer = Page(town.hospital.client.post(acts, body, content_type="application/json"))
        assert answer.status in {400, 422}, body[:40]
        _problem(answer, answer.status)
    for body in ({"act": "reject", "reason": "a\x00b", "legal_basis": "x"}, {"act": "pause", "reason": "\x00"}):
        answer = Page(town.hospital.client.post(acts, json.dumps(body), content_type="application/json"))
        assert 400 <= answer.status < 500, body
        _problem(answer, answer.status)
    assert town.world.lane(town_id(application), "birth_certificate").state.value == "submitted"
    _problem(town.hospital.get("/api/cases", limit="many"), 422)
    _problem(town.hospital.get("/api/cases", state="nowhere"), 422)
    _problem(town.hospital.get(f"/api/cases/{case_id}"), 422)  # no purpose
    _problem(town.hospital.get(f"/api/cases/{case_id}", purpose=" "), 403)
    _problem(town.hospital.get("/api/nothing"), 404)
    _problem(Visitor().get("/api/cases"), 401)


def test_pages_carry_the_headers_that_keep_them_to_themselves(town: Town) -> None:
    application = town.apply([])
    for address in ("/", application, "/my/licences", "/account/"):
        headers = town.mother.get(address).answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "no-store" in headers["Cache-Control"], address
        assert headers["Referrer-Policy"] == "same-origin"
    cookie = Visitor("mother").client.cookies["furong_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
