"""Every page of the workbench and of the account: axe finds nothing, and nothing is wider than its screen.

The portal's pages are looked at in ``tests/sites/portal/test_browser.py``.
"""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.faults.house import House
from tests.faults.people import Person, hand_in, prepare
from tests.journeys.browsing import axe, sign_in, window

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("journeys"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not (shutil.which("chromium") or shutil.which("chromium-browser")),
        reason="Chromium is not installed: apt-get install chromium",
    ),
]
PAGES = {
    "mother": ["account/", "account/password", "account/devices", "account/mandates", "account/mandates/new"],
    "hospital": ["work/list", "work/list?own=free", "work/cases", "work/licences"],
    "police": ["work/list", "work/population"],
    "supervisor": [
        "work/supervision",
        "work/supervision/call-backs",
        "work/items",
        "work/processes",
        "work/processes/waiting",
    ],
    "administrator": ["work/organizations", "work/accounts", "work/accounts/new", "work/supervision/incidents"],
    "auditor": ["work/audit"],
    "catalogue": [
        "work/resources",
        "work/collection",
        "work/collection?from=person",
        "work/resources?state=draft",
        "work/resources/marriages",
        "work/resources/vaccine_stock/acts/require_update",
    ],
    "officer": [
        "work/resources/insured_persons",
        "work/resources/insured_persons/draft",
        "work/resources/household_registrations/request",
        "work/requests?box=mine",
        "work/grants",
    ],
}
LOOKS = {
    "desktop": (1280, {}),
    "phone": (390, {}),
    "English": (1280, {"furong_language": "en"}),
    "large text": (1280, {"furong_size": "large"}),
}


@pytest.fixture(scope="module")
def applied(house: House) -> str:
    """An application that waits at the hospital; gives its first case."""
    mother = Person(house.address, "mother-005")
    done = hand_in(mother, 5, prepare(mother, 5))
    waits = "SELECT business_key FROM processes_task WHERE item_code = 'birth_certificate' AND business_key IN " + (
        "(SELECT id::text FROM cases_case WHERE application_id = %s)"
    )
    house.until(lambda: bool(house.rows(waits, [done.application_id])), "the hospital's first step", seconds=60)
    return str(house.rows(waits, [done.application_id])[0][0])


@pytest.mark.parametrize("who", sorted(PAGES))
def test_pages_of_staff_and_accounts_are_open_to_everybody(house: House, chromium: Any, applied: str, who: str) -> None:
    paths = list(PAGES[who])
    if who == "hospital":
        paths += [f"work/cases/{applied}", f"work/cases/{applied}/acts/accept"]
    bad: list[str] = []
    for look, (width, cookies) in LOOKS.items():
        page = window(chromium, house.address, width=width, cookies=cookies, bypass_csp=True)
        sign_in(page, house.address, who)
        for path in paths:
            answer = page.goto(house.address + path)
            assert answer.status == 200, f"{path}: {answer.status}"
            where = f"{look} {path}"
            if look in {"desktop", "phone"}:
                bad += axe(page, where)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                bad.append(f"{where}: wider than the screen")
        page.context.close()
    assert bad == []
