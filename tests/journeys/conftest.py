"""A running platform and a real browser for stories told in a user's words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.house import House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """Web server, worker and databases of their own, with couples who have a newborn."""
    found = House()
    try:
        found.start(couples=6, residents=200)
        yield found
    finally:
        found.stop()


@pytest.fixture
def chromium() -> Iterator[Any]:
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
