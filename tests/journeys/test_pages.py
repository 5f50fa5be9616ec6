"""Every page of the workbench and of the account: axe finds nothing, and nothing is wider than its screen.

The portal's pages are looked at in ``tests/sites/portal/test_browser.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.browsing import axe, needs_chromium, prefer, set_size, sign_in, tab_to, too_wide, window
from tests.faults.house import House
from tests.faults.people import Person, hand_in, prepare

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    needs_chromium,
]
PAGES = {
    "mother": ["account/", "account/password", "account/devices", "account/mandates", "account/mandates/new"],
    "hospital": ["work/list", "work/list?own=free", "work/cases", "work/licences"],
    "police": [
        "work/list",
        "work/counter",
        "work/population",
        "work/lookups/households",
        "work/lookups/addresses",
        "work/cards",
    ],
    "chief": [
        "work/bookings",
        "work/refunds",
        "work/lookups/exists",
        "work/population/matches",
        "work/cards/batches",
        "work/cards/differences",
        "work/cards/portraits",
    ],
    "inspector": ["work/population/duplicates"],
    "investigations": ["work/secrecy"],
    "supervisor": [
        "work/supervision",
        "work/supervision/call-backs",
        "work/payments",
        "work/items",
        "work/processes",
        "work/processes/waiting",
    ],
    "administrator": [
        "work/organizations",
        "work/accounts",
        "work/accounts/new",
        "work/supervision/incidents",
        "work/exchange",
        "work/exchange/nodes",
        "work/exchange/members/new",
        "work/search",
        "work/search/sites",
        "work/search/bets/new",
    ],
    "auditor": ["work/audit"],
    "catalogue": [
        "work/resources",
        "work/collection",
        "work/collection?from=person",
        "work/resources?state=draft",
        "work/resources/marriages",
        "work/resources/vaccine_stock/acts/require_update",
        "work/rulings",
        "work/sharing",
        "work/harvests",
        "work/harvest-new",
    ],
    "officer": [
        "work/resources/insured_persons",
        "work/resources/insured_persons/draft",
        "work/resources/household_registrations/request",
        "work/requests?box=mine",
        "work/grants",
        "work/exchange/offered",
        "work/needs",
        "work/needs/new",
    ],
}
# A page is opened once for each reader, and looked at on each of the reader's screens: width and size of text.
READERS: dict[str, tuple[dict[str, str], tuple[tuple[int, str], ...]]] = {
    "Chinese": ({}, ((1280, "large"), (1280, ""), (390, ""))),
    "English": ({"furong_language": "en"}, ((1280, ""),)),
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
    page = window(chromium, house.address, bypass_csp=True)  # axe is put into the page
    sign_in(page, house.address, who)
    for reader, (cookies, screens) in READERS.items():
        prefer(page, house.address, width=1280, cookies=cookies)
        for path in paths:
            answer = page.goto(house.address + path)
            assert answer.status == 200, f"{path}: {answer.status}"
            for width, size in screens:
                page.set_viewport_size({"width": width, "height": 850})
                set_size(page, size)
                bad += too_wide(page, f"{reader}, {width} {size} {path}")
            if reader == "Chinese":  # on the phone, where what does not fit scrolls
                bad += axe(page, path)
    assert bad == []


def test_somebody_at_the_counter_is_registered_as_staying_elsewhere_without_a_mouse(
    house: House, chromium: Any
) -> None:
    ((name, number),) = house.rows(
        "SELECT p.name, n.number FROM population_person p JOIN population_identity_number n USING (person_id) "
        "WHERE p.division_code LIKE '430202%' AND p.status = 'registered' AND p.marital = '21' ORDER BY n.number LIMIT 1",
        database="furong_population",
    )
    page, bad = window(chromium, house.address, bypass_csp=True), list[str]()
    sign_in(page, house.address, "police")
    page.goto(f"{house.address}work/counter")
    for field, text in (("name", name), ("number", number)):
        tab_to(page, f"[name={field}]")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_selector("#acts")
    card = page.url
    offered = [one.split("/")[-1] for one in page.eval_on_selector_all(".deeds a", "all => all.map(a => a.href)")]
    assert {"birth", "adoption", "divorce", "death", "split", "within", "stay", "emigration"} <= set(offered)
    assert not {"marriage", "found", "stay_end", "discharge", "return"} & set(offered), "what cannot be is not offered"
    for code in ("", "/adoption", "/split", "/stay"):
        page.goto(card + code)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 850})
            bad += too_wide(page, f"{width} {code}")
        bad += axe(page, f"counter{code}")
    page.select_option("[name=division_code]", index=1)
    tab_to(page, "[name=address]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".summary a")
    page.fill("[name=address]", "芙蓉客栈 3 号")
    page.keyboard.press("Enter")
    page.wait_for_selector("#stays")
    assert "芙蓉客栈 3 号，自" in page.inner_text("main")
    assert bad == []
