"""Every page in Chromium: axe finds nothing, nothing overflows on a phone, the browser refuses nothing under our own policy."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed: apt-get install chromium"),
]
PAGES = [
    "/opendata/", "/opendata/?q=医疗&department=health", "/opendata/?q=zzzz", "/opendata/interface",
    "/opendata/datasets/divisions?by=level", "/opendata/datasets/statistical_divisions",
    "/opendata/datasets/skill_certificates", "/opendata/datasets/medical_institutions", "/opendata/datasets/marriages",
]  # fmt: skip
LOOKS: dict[str, tuple[int, dict[str, str]]] = {
    "desktop": (1280, {}),
    "phone": (390, {}),
    "english": (1280, {"furong_language": "en"}),
    "large on a phone": (390, {"furong_size": "large"}),
}


def test_pages_are_open_to_everybody_on_every_screen(address: str) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    bad: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for look, (width, cookies) in LOOKS.items():
            for script in (True, False) if look == "desktop" else (True,):
                # axe is put into the page; without script the policy itself is watched
                context = browser.new_context(
                    viewport={"width": width, "height": 850}, java_script_enabled=script, bypass_csp=script
                )
                context.add_cookies([{"name": n, "value": v, "url": address} for n, v in cookies.items()])
                page: Any = context.new_page()
                refused: list[str] = []
                page.on("console", lambda message, refused=refused: refused.append(message.text))
                for path in PAGES:
                    answer = page.goto(address + path)
                    assert answer.status == (404 if path.endswith("/marriages") else 200), path
                    where = f"{look} {path}"
                    if script:
                        found = Axe().run(page).response["violations"]
                        bad += [f"{where}: {v['id']} {[n['target'] for n in v['nodes']][:3]}" for v in found]
                        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                            bad.append(f"{where}: wider than the screen")
                bad += [f"{look}: {text}" for text in refused if "Content Security Policy" in text]
                context.close()
        browser.close()
    assert bad == []
