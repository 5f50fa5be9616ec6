"""Every page in Chromium: axe finds nothing, nothing overflows on a phone, the browser refuses nothing under our own policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.browsing import axe, needs_chromium, prefer, set_size, sign_in, too_wide, window
from tests.sites.portal.test_pages import begin, fill, hand_in, visitor

from furong.foundation.organizations import queries as organizations

pytestmark = [
    pytest.mark.browser,
    needs_chromium,
]

PUBLIC = [
    "/", "/?for=enterprise", "/?for=official", "/search?q=户口", "/search?q=gongjijin", "/search?q=zz",
    "/life/newborn", "/guide/food_business?division=430202", "/services/driving",
    "/about/accessibility", "/about/privacy", "/about/open-source", "/verify/", "/verify/none", "/no-such-page",
]  # fmt: skip
OWN = ["/life/newborn/start", "/guide/food_business/start", "/my/", "/my/licences", "/my/reads?own=1", "/my/messages"]
# A page is opened once for each reader, and looked at on each of the reader's screens: width and size of text.
READERS: dict[str, tuple[dict[str, str], tuple[tuple[int, str], ...]]] = {
    "Chinese": ({}, ((1280, ""), (390, ""), (390, "large"), (1080, "huge"))),
    "English": ({"furong_language": "en"}, ((1280, ""),)),
}


@dataclass(frozen=True)
class Prepared:
    """What the mother has done before a browser opens: Django and Playwright do not share a thread."""

    application: str
    draft: str
    office: str


@pytest.fixture
def prepared(platform: dict[str, str]) -> Prepared:
    mother = visitor("mother")
    application = hand_in(mother, fill(mother, begin(mother)))
    office = organizations.get_responsible(department="police", division_code="430100")
    return Prepared(application=application, draft=begin(mother), office=f"/office/{office.id}")


def test_every_page_is_open_to_everybody_and_fits_every_screen(
    indexed: None, address: str, prepared: Prepared, chromium: Any
) -> None:
    page = window(chromium, address, bypass_csp=True)  # axe is put into the page
    bad: list[str] = []

    def look(reader: str, paths: list[str]) -> None:
        cookies, screens = READERS[reader]
        prefer(page, address, width=1280, cookies=cookies)
        for path in paths:
            page.goto(address + path)
            for width, size in screens:
                page.set_viewport_size({"width": width, "height": 850})
                set_size(page, size)
                where = f"{reader}, {width} {size} {path}"
                bad.extend(too_wide(page, where))
                if path in {"/", prepared.application} or (reader == "Chinese" and (width, size) == screens[0]):
                    bad.extend(axe(page, where))

    for reader in READERS:
        look(reader, [*PUBLIC, prepared.office])
    sign_in(page, address, "mother")
    application = prepared.application
    for reader in READERS:
        look(reader, [*OWN, application, f"{application.removesuffix('?sent=1')}/withdraw", prepared.draft])
    prefer(page, address, width=1280, cookies={})
    page.goto(address + prepared.draft)
    page.click("main form p.actions button >> nth=0")  # nothing filled in: the error summary
    page.wait_for_load_state()
    assert page.locator(".summary").count() == 1
    assert bad + axe(page, "error summary") == []


def test_browser_refuses_nothing_under_our_own_policy(indexed: None, address: str, chromium: Any) -> None:
    page = window(chromium, address)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on(
        "request", lambda request: told.append(request.url) if not request.url.startswith((address, "data:")) else None
    )
    for path in [p for p in PUBLIC if p != "/no-such-page"]:
        page.goto(address + path, wait_until="networkidle")
    assert told == []
    assert page.evaluate("document.fonts.check('16px \"Noto Sans SC Variable\"', '户口')")


def test_keyboard_alone_reaches_the_content_the_search_and_a_station(
    indexed: None, address: str, chromium: Any
) -> None:
    page = window(chromium, address)
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
    page = window(chromium, address, width=390, java_script_enabled=False)
    sign_in(page, address, "mother")
    page.goto(address + prepared.draft)
    page.click("main form p.actions button >> nth=0")
    page.wait_for_load_state()
    page.click(".summary a")
    assert page.locator("#id_newborn-name:focus, #id_newborn-name:target").count() == 1
