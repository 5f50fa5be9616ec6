"""What tests do with a browser again and again."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from furong.entrypoints.demo import PACK
from furong.entrypoints.loading import demo_password

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed: apt-get install chromium")


def window(browser: Any, address: str, *, width: int = 1280, cookies: dict[str, str] | None = None, **more: Any) -> Any:
    """Open a window of its own, with a reader's preferences as cookies."""
    context = browser.new_context(viewport={"width": width, "height": 850}, **more)
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in (cookies or {}).items()])
    return context.new_page()


def prefer(page: Any, address: str, *, width: int, cookies: dict[str, str]) -> None:
    """Give the window another width, and another reader's preferences to the pages that it opens next."""
    page.set_viewport_size({"width": width, "height": 850})
    for name in ("furong_language", "furong_size"):
        page.context.clear_cookies(name=name)
    page.context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])


def set_size(page: Any, size: str) -> None:
    """Set the text size (``large``, ``huge``, or none) of the page that is open: the reader's choice is one attribute."""
    page.evaluate("s => { document.documentElement.dataset.size = s }", size)


def sign_in(page: Any, address: str, username: str) -> None:
    """Sign in by the page that everybody signs in by."""
    page.goto(f"{address.rstrip('/')}/account/sign-in")
    page.fill("[name=username]", username)
    page.fill("[name=password]", demo_password(PACK))
    page.click("main form button[type=submit]")
    page.wait_for_load_state()
    assert "sign-in" not in page.url


def axe(page: Any, where: str) -> list[str]:
    """What axe finds on the page that is open."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{where}: {v['id']} {[n['target'] for n in v['nodes']][:3]}" for v in found]


def too_wide(page: Any, where: str) -> list[str]:
    """Whether the page that is open is wider than its screen."""
    wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [f"{where}: wider than the screen"] if wider else []


def tab_to(page: Any, selector: str, *, at_most: int = 80) -> None:
    """Press Tab until what ``selector`` names has the focus, as somebody without a mouse does."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by keyboard on {page.url}")
