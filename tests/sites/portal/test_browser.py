"""Every page in Chromium: axe finds nothing, nothing overflows on a phone, the browser refuses nothing under our own policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.sites.portal.test_pages import PASSWORD, begin, fill, hand_in, visitor

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed: apt-get install chromium"),
]

PUBLIC = [
    "/", "/?for=enterprise", "/?for=official", "/search?q=户口", "/search?q=zz", "/life/newborn", "/guide/social_security_card",
    "/about/accessibility", "/about/privacy", "/about/open-source", "/verify/", "/verify/none", "/no-such-page",
]  # fmt: skip
OWN = ["/life/newborn/start", "/my/", "/my/licences", "/my/reads?own=1", "/my/messages"]
LOOKS = {
    "desktop": (1280, {}),
    "phone": (390, {}),
    "english": (1280, {"furong_language": "en"}),
    "large on a phone": (390, {"furong_size": "large"}),
    "kiosk": (1080, {"furong_size": "huge"}),
}


@dataclass(frozen=True)
class Prepared:
    """What the mother has done before a browser opens: Django and Playwright do not share a thread."""

    application: str
    draft: str


@pytest.fixture
def prepared(platform: dict[str, str]) -> Prepared:
    mother = visitor("mother")
    application = hand_in(mother, fill(mother, begin(mother)))
    return Prepared(application=application, draft=begin(mother))


@pytest.fixture
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def _open(browser: Any, address: str, width: int, cookies: dict[str, str], **more: Any) -> Any:
    context = browser.new_context(viewport={"width": width, "height": 850}, **more)
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    return context.new_page()


def _sign_in(page: Any, address: str, username: str) -> None:
    page.goto(f"{address}/account/sign-in")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state()


def _axe(page: Any, where: str) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{where}: {v['id']} {[n['target'] for n in v['nodes']][:3]}" for v in found]


def test_axe_finds_nothing_on_any_page(address: str, prepared: Prepared, chromium: Any) -> None:
    page = _open(chromium, address, 1280, {}, bypass_csp=True)  # axe is put into the page
    bad: list[str] = []
    for path in PUBLIC:
        page.goto(address + path)
        bad += _axe(page, path)
    _sign_in(page, address, "mother")
    for path in [
        *OWN,
        prepared.application,
        f"{prepared.application.removesuffix('?sent=1')}/withdraw",
        prepared.draft,
    ]:
        page.goto(address + path)
        bad += _axe(page, path)
    page.click("main form p.actions button >> nth=0")  # nothing filled in: the error summary
    page.wait_for_load_state()
    assert page.locator(".summary").count() == 1
    assert bad + _axe(page, "error summary") == []


def test_every_look_fits_its_screen(address: str, prepared: Prepared, chromium: Any) -> None:
    bad: list[str] = []
    for look, (width, cookies) in LOOKS.items():
        page = _open(chromium, address, width, cookies, bypass_csp=True)
        paths = [*PUBLIC, "sign in", *OWN, prepared.application, prepared.draft]
        for path in paths:
            if path == "sign in":
                _sign_in(page, address, "mother")
                continue
            page.goto(address + path)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                bad.append(f"{look} {path}: wider than the screen")
            if path in {"/", prepared.application}:
                bad += _axe(page, f"{look} {path}")
        page.context.close()
    assert bad == []


def test_browser_refuses_nothing_under_our_own_policy(address: str, chromium: Any) -> None:
    page = _open(chromium, address, 1280, {})
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on(
        "request", lambda request: told.append(request.url) if not request.url.startswith((address, "data:")) else None
    )
    for path in [p for p in PUBLIC if p != "/no-such-page"]:
        page.goto(address + path, wait_until="networkidle")
    assert told == []
    assert page.evaluate("document.fonts.check('16px \"Noto Sans SC Variable\"', '户口')")


def test_keyboard_alone_reaches_the_content_the_search_and_a_station(address: str, chromium: Any) -> None:
    page = _open(chromium, address, 1280, {}, java_script_enabled=True)
    page.goto(address + "/")
    page.keyboard.press("Tab")
    assert "跳到正文" in page.evaluate("document.activeElement.textContent")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("hukou")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=hukou")
    assert page.locator("text=出生户口登记").count() >= 1


def test_error_summary_link_puts_the_cursor_into_the_field_without_script(
    address: str, prepared: Prepared, chromium: Any
) -> None:
    page = _open(chromium, address, 390, {}, java_script_enabled=False)
    _sign_in(page, address, "mother")
    page.goto(address + prepared.draft)
    page.click("main form p.actions button >> nth=0")
    page.wait_for_load_state()
    page.click(".summary a")
    assert page.locator("#id_newborn-name:focus, #id_newborn-name:target").count() == 1
