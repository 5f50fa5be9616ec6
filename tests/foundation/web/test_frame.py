"""What happens around every request: headers, languages, sizes, problems, health, limits. No domain is needed."""

from __future__ import annotations

import json
import logging
from typing import Any

import lxml.html
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client, override_settings
from django.urls import include, path

from furong.foundation.codes.errors import Fault, Refusal
from furong.foundation.web import uploads, views


class CaseClosed(Refusal):
    code = "cases.case_closed"
    message = "The case is closed."


class EngineError(Fault):
    code = "processes.engine"


def refuse(request: HttpRequest) -> HttpResponse:
    raise CaseClosed(mend="Open a new one.")


def fault(request: HttpRequest) -> HttpResponse:
    raise EngineError("row 43019019900101004X is lost")


def break_down(request: HttpRequest) -> HttpResponse:
    raise ValueError("张三 13912345678")


def take(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "over": sorted(uploads.oversized_fields(request)),
            "kept": sorted(request.FILES),
            "name": request.POST.get("name"),
        }
    )


urlpatterns = [
    path("refuse/<str:what>", lambda r, what: refuse(r), name="refuse"),
    path("fault", fault),
    path("api/refuse", refuse),
    path("break", break_down),
    path("take", take),
    path("", include("furong.entrypoints.urls")),
]
handler400, handler403, handler404, handler500 = views.bad_request, views.forbidden, views.not_found, views.broken

pytestmark = pytest.mark.usefixtures("_these_urls")


@pytest.fixture
def _these_urls() -> Any:
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False, HTTP_HOST="localhost")


def test_every_page_carries_the_strict_headers(client: Client) -> None:
    answer = client.get("/about/privacy")
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "geolocation=()" in answer["Permissions-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert len(answer["X-Request-ID"]) == 36


@pytest.mark.parametrize(
    "address", ["/", "/?for=enterprise", "/?for=official", "/search?q=x", "/about/privacy", "/nothing", "/break"]
)
def test_no_page_holds_inline_script_or_style(client: Client, address: str) -> None:
    page = lxml.html.fromstring(client.get(address).content)
    for element in page.iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag != "style"
        assert not [name for name in element.attrib if name == "style" or name.startswith("on")]
        assert element.tag != "script" or element.get("src")


def test_language_is_remembered_and_the_way_back_stays_here(client: Client) -> None:
    answer = client.get("/preferences/language/en?next=/about/privacy")
    assert (answer.status_code, answer["Location"]) == (302, "/about/privacy")
    page = client.get("/about/privacy")
    assert page["Content-Language"] == "en"
    assert b'<html lang="en"' in page.content
    client.get("/preferences/language/zh-hans")
    assert b'<html lang="zh-CN"' in client.get("/about/privacy").content


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_preferences_never_lead_to_another_site(client: Client, elsewhere: str) -> None:
    assert client.get("/preferences/size/large", {"next": elsewhere})["Location"] == "/"


def test_large_text_is_one_attribute(client: Client) -> None:
    assert b'data-size="normal"' in client.get("/about/privacy").content
    client.get("/preferences/size/large")
    assert b'data-size="large"' in client.get("/about/privacy").content
    client.cookies["furong_size"] = '"><script>'
    assert b'data-size="normal"' in client.get("/about/privacy").content


def test_refusal_is_a_page_for_people_and_a_problem_for_programs(client: Client) -> None:
    page = client.get("/refuse/it")
    assert page.status_code == 409
    assert "The case is closed." in page.content.decode()
    assert "保留了什么" in page.content.decode()
    for answer in (client.get("/api/refuse"), client.get("/refuse/it", headers={"Accept": "application/json"})):
        assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
        told = json.loads(answer.content)
        assert (told["code"], told["mend"]) == ("cases.case_closed", "Open a new one.")
        assert told["request_id"] == answer["X-Request-ID"]


@pytest.mark.parametrize("address", ["/fault", "/break"])
def test_what_broke_is_logged_and_never_told(client: Client, address: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get(address)
    assert answer.status_code == 500
    text = answer.content.decode()
    assert answer["X-Request-ID"] in text
    assert not any(secret in text for secret in ("张三", "139123", "430190", "Traceback"))


def test_log_names_the_route_and_not_the_path_or_the_query(client: Client) -> None:
    seen: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign]
    logger = logging.getLogger("furong.web")
    logger.addHandler(handler)
    try:
        client.get("/refuse/43019019900101004X?name=zhangsan")
    finally:
        logger.removeHandler(handler)
    line = next(r for r in seen if r.getMessage() == "request")
    assert line.__dict__["route"] == "refuse/<str:what>"
    assert line.__dict__["status"] == 409
    assert not any("430190" in str(v) or "zhangsan" in str(v) for r in seen for v in r.__dict__.values())


def test_missing_page_says_what_to_do(client: Client) -> None:
    answer = client.get("/no/such/page")
    assert answer.status_code == 404
    assert "没有这个页面" in answer.content.decode()


def test_expired_form_is_explained() -> None:
    answer = Client(enforce_csrf_checks=True, HTTP_HOST="localhost").post("/take", {"name": "x"})
    assert answer.status_code == 403
    assert "这张表单已过期" in answer.content.decode()
    assert "草稿" in answer.content.decode()


def test_file_past_the_limit_is_dropped_and_the_rest_is_kept(client: Client) -> None:
    big = SimpleUploadedFile("big.jpg", b"x" * (settings.MAX_FILE_BYTES + 1))
    small = SimpleUploadedFile("small.jpg", b"x" * 1000)
    answer = client.post("/take", {"name": "kept", "photo": big, "proof": small})
    assert json.loads(answer.content) == {"over": ["photo"], "kept": ["proof"], "name": "kept"}


def test_fifty_megabytes_are_dropped_and_seventy_refused_with_the_limit_named(client: Client) -> None:
    answer = client.post("/take", {"name": "kept", "photo": SimpleUploadedFile("v.mp4", b"x" * 50 * 1024 * 1024)})
    assert json.loads(answer.content) == {"over": ["photo"], "kept": [], "name": "kept"}
    answer = client.post("/take", {"photo": SimpleUploadedFile("v.mp4", b"x" * 70 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "10 MB" in answer.content.decode()


def test_too_many_fields_are_refused_kindly(client: Client) -> None:
    answer = client.post("/take", {f"f{n}": "x" for n in range(2100)})
    assert answer.status_code in {400, 413}
    assert "草稿" in answer.content.decode() or "没有任何改动" in answer.content.decode()


def test_metrics_are_for_this_machine_or_the_token_holder(client: Client) -> None:
    client.get("/about/privacy")
    assert b'furong_requests_total{method="GET",route="portal:about",status="200"}' in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.9").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 404
    with override_settings(METRICS_TOKEN="t0ken"):
        given = client.get("/metrics", REMOTE_ADDR="10.0.0.9", headers={"Authorization": "Bearer t0ken"})
        assert given.status_code == 200
        wrong = client.get("/metrics", REMOTE_ADDR="10.0.0.9", headers={"Authorization": "Bearer other"})
        assert wrong.status_code == 404


def test_strangers_cannot_grow_the_metrics(client: Client) -> None:
    client.get("/wp-admin/1")
    client.generic("BREW", "/wp-admin/2")
    text = client.get("/metrics").content.decode()
    assert "wp-admin" not in text
    assert "BREW" not in text


def test_health_sees_databases_migrations_and_the_missing_worker(client: Client, database: dict[str, str]) -> None:
    answer = client.get("/healthz")
    found = json.loads(answer.content)
    assert found["parts"]["database.default"]["status"] == "ok"
    assert found["parts"]["database.population"]["status"] == "ok"
    assert found["parts"]["worker"] == {"status": "failing", "reason": "no worker has started"}
    assert answer.status_code == 503


def test_static_files_are_served_and_nothing_outside_them(client: Client) -> None:
    answer = client.get("/static/furong/tokens.css")
    assert b"".join(answer.streaming_content).startswith(b"/* Furong's tokens")  # type: ignore[attr-defined]
    for outside in (
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/furong/none.css",
        "/static//etc/passwd",
    ):
        assert client.get(outside).status_code in {400, 404}
