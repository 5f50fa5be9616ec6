"""A mother's story in a real browser: one form, five departments, the certificates in her folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.browsing import axe, needs_chromium, sign_in, tab_to, window
from tests.faults.filling import child_of, father_of, mother_of
from tests.faults.house import House
from tests.faults.people import OFFICERS, Office

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    needs_chromium,
]
GIVEN = {
    "benefit-account_number": "6222020000000000000",
}


@contextmanager
def officers_at_work(house: House, *names: str) -> Iterator[Office]:
    """The clerks of the departments take what waits for them."""
    office = Office(house.address, house.rows)
    threads = [threading.Thread(target=office.work, args=(name,)) for name in names or sorted(set(OFFICERS.values()))]
    for thread in threads:
        thread.start()
    try:
        yield office
    finally:
        office.home_time.set()
        for thread in threads:
            thread.join()
    assert not office.troubles, office.troubles


def _fill_in(page: Any, couple: int) -> int:
    """Answer what is asked, page by page, until everything is shown once more; give how many answers were typed."""
    asked = 0
    for _ in range(10):
        if page.url.endswith("/check"):
            return asked
        for box in page.query_selector_all("main form input[type=text]"):
            name = box.get_attribute("name")
            box.fill(child_of(couple) if name == "newborn-name" else GIVEN.get(name, ""))
            asked += 1
        seen = set()
        for choice in page.query_selector_all("main form input[type=radio]"):
            if (name := choice.get_attribute("name")) not in seen:
                seen.add(name)
                choice.check()
                asked += 1
        page.click("main form p.actions button >> nth=0")
        page.wait_for_load_state()
        assert page.query_selector(".summary") is None, page.inner_text(".summary")
    raise AssertionError(f"the form does not end: {page.url}")


def test_a_mother_applies_once_and_finds_six_certificates_in_her_folder(house: House, chromium: Any) -> None:
    mother = window(chromium, house.address, java_script_enabled=False)  # her old telephone has no script
    mother.goto(house.address)
    assert "新生儿出生" in mother.inner_text("main")
    sign_in(mother, house.address, mother_of(0))

    # She opens what happened to her, and answers only what nobody knows yet.
    mother.goto(house.address + "life/newborn/start")
    mother.click("main form p.actions button")
    mother.wait_for_load_state()
    assert _fill_in(mother, 0) <= 5
    shown = mother.inner_text("main")
    assert child_of(0) in shown
    assert "李芷宁" in shown, "her own name came from the register"
    mother.check("#declared")
    mother.click("main form button >> nth=0")
    mother.wait_for_load_state()
    application = mother.url.split("?")[0]
    assert "/my/applications/" in application
    assert "您的申请已提交" in mother.inner_text("main") or "已提交" in mother.inner_text("main")

    # Sent again by the back button, it is the same application.
    mother.go_back()
    mother.goto(house.address + "my/")
    assert mother.locator("a[href*='/my/applications/']").count() == 1

    # The father is asked, reads what it is about, and agrees.
    father = window(chromium, house.address)
    sign_in(father, house.address, father_of(0))
    with officers_at_work(house):
        _until(father, house.address + "my/", "a[href*='/my/consents/']")
        father.click("a[href*='/my/consents/']")
        father.wait_for_load_state()
        father.click("button[value=give]")
        father.wait_for_load_state()
        house.until(
            lambda: house.count("SELECT count(*) FROM cases_case WHERE state <> 'completed'") == 0,
            "the departments finish",
            seconds=240,
        )

    # She finds the certificates, and who read her data and why.
    mother.goto(house.address + "my/licences")
    assert mother.locator("main a[href*='/my/licences/']").count() >= 6
    mother.goto(house.address + "my/reads")
    assert "派出所" in mother.inner_text("main")
    mother.goto(application)
    assert mother.locator("a[href$='/rate']").count() == 6
    children = house.rows(
        "SELECT count(*) FROM population_person WHERE name = %s", [child_of(0)], database="furong_population"
    )
    assert children == [(1,)]


def _until(page: Any, url: str, selector: str, *, times: int = 200) -> None:
    """Look again until what is waited for is there; each look waits for its page."""
    for _ in range(times):
        page.goto(url)
        if page.locator(selector).count():
            return
        page.wait_for_timeout(300)
    raise AssertionError(f"{selector} never came on {url}")


@pytest.mark.parametrize(
    ("couple", "width", "cookies"),
    [
        (1, 1280, {}),
        (2, 390, {"furong_size": "large", "furong_language": "en"}),
    ],
    ids=["desktop", "phone, large text, English"],
)
def test_a_mother_applies_by_keyboard_alone(
    house: House, chromium: Any, couple: int, width: int, cookies: dict[str, str]
) -> None:
    page = window(chromium, house.address, width=width, cookies=cookies, bypass_csp=True)
    sign_in(page, house.address, mother_of(couple))
    page.goto(house.address + "life/newborn/start")
    bad = axe(page, page.url)
    tab_to(page, "main form p.actions button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/apply/**")
    for _ in range(10):
        if page.url.endswith("/check"):
            break
        page.wait_for_load_state()
        bad += axe(page, page.url)
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        here = page.url
        names = page.eval_on_selector_all("main form input[type=text]", "all => all.map(one => one.name)")
        for name in names:
            tab_to(page, f"input[name='{name}']")
            page.keyboard.type(child_of(couple) if name == "newborn-name" else GIVEN.get(name, ""))
        radios = page.eval_on_selector_all(
            "main form input[type=radio]", "all => [...new Set(all.map(one => one.name))]"
        )
        for name in radios:
            tab_to(page, f"input[name='{name}']")
            page.keyboard.press("Space")
        tab_to(page, "main form p.actions button:not([name])")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url, here=here: url != here)
    page.wait_for_load_state()
    bad += axe(page, page.url)
    tab_to(page, "#declared")
    page.keyboard.press("Space")
    tab_to(page, "main form button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/my/applications/**")
    assert bad + axe(page, page.url) == []
