"""Every page in Chromium: axe finds nothing, nothing overflows on a phone, the browser refuses nothing under our own policy."""

from __future__ import annotations

from typing import Any

import pytest
from tests.browsing import axe, needs_chromium, prefer, too_wide, window

pytestmark = [
    pytest.mark.browser,
    needs_chromium,
]
PAGES = [
    "/opendata/", "/opendata/?q=医疗&department=health", "/opendata/?q=zzzz", "/opendata/interface", "/opendata/benefit",
    "/opendata/datasets/divisions?by=level", "/opendata/datasets/statistical_divisions",
    "/opendata/datasets/skill_certificates", "/opendata/datasets/medical_institutions", "/opendata/datasets/marriages",
]  # fmt: skip
READERS: dict[str, tuple[dict[str, str], tuple[int, ...]]] = {
    "Chinese": ({}, (1280, 390)),
    "English": ({"furong_language": "en"}, (1280,)),
    "large text": ({"furong_size": "large"}, (390,)),
}


def test_pages_are_open_to_everybody_on_every_screen(address: str, chromium: Any) -> None:
    page = window(chromium, address, bypass_csp=True)  # axe is put into the page
    bad: list[str] = []
    for reader, (cookies, widths) in READERS.items():
        prefer(page, address, width=widths[0], cookies=cookies)
        for path in PAGES:
            answer = page.goto(address + path)
            assert answer.status == (404 if path.endswith("/marriages") else 200), path
            for width in widths:
                page.set_viewport_size({"width": width, "height": 850})
                bad += too_wide(page, f"{reader}, {width} {path}")
                if reader == "Chinese":
                    bad += axe(page, f"{width} {path}")
    assert bad == []


def test_pages_need_no_script_and_keep_to_the_policy(address: str, chromium: Any) -> None:
    for script in (True, False):
        page = window(chromium, address, java_script_enabled=script)
        refused: list[str] = []
        page.on("console", lambda message, refused=refused: refused.append(message.text))
        for path in PAGES:
            page.goto(address + path)
        assert [text for text in refused if "Content Security Policy" in text] == []
