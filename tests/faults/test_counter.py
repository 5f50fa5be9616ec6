"""The province is killed under a counter: its staff sign in, look up and register, and what was recorded catches up once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from furong.entrypoints.counter import database_of
from furong.entrypoints.demo import PACK
from furong.entrypoints.loading import demo_password
from furong.entrypoints.visitor import Page, Visitor
from tests.faults.centres import DATABASE
from tests.faults.counter_house import CITY, STORE, CounterHouse

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
CHILD = "单子衿"


@pytest.fixture(scope="module")
def house() -> Iterator[CounterHouse]:
    """A province, a centre and its node, which one story walks through."""
    found = CounterHouse()
    try:
        found.start()
        yield found
    finally:
        found.stop()


def signed_in(house: CounterHouse, username: str = "police") -> Visitor:
    assert house.node is not None
    visitor = Visitor(house.node.address)
    page = visitor.submit(visitor.get("account/sign-in"), {"username": username, "password": demo_password(PACK)})
    assert page.status == 200, page.words
    return visitor


def at_the_counter(visitor: Visitor, name: str, number: str) -> Page:
    return visitor.submit(visitor.get("work/counter"), {"name": name, "number": number})


def until(look: object, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if look():  # type: ignore[operator]
                return
        except psycopg.OperationalError:
            pass
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.1)


def test_a_counter_works_on_without_its_province_and_catches_up_once(house: CounterHouse) -> None:
    family, now = house.family, datetime.now(UTC)
    born = {"born_on_year": str(now.year), "born_on_month": str(now.month), "born_on_day": "1", "born_time": "00:05"}
    before = signed_in(house)
    assert "与省平台同步" in before.get("work/counter").words

    house.kill_province()

    officer = signed_in(house)  # a new sign-in, though nobody above answers
    refused = Visitor(house.node.address if house.node else "")
    page = refused.submit(refused.get("account/sign-in"), {"username": "police", "password": "not-the-password"})
    assert page.status == 422
    assert signed_out(refused)
    assert officer.get("work/cases").status == 403
    assert "请登录省平台办理" in officer.get("work/resources").words
    assert officer.get("account/password").status == 403
    elsewhere = at_the_counter(officer, "任远山", "430191199001020018")
    assert elsewhere.status == 422
    assert "本市人口库没有此人" in elsewhere.words
    person = at_the_counter(officer, "曾晓雅", family["mother_number"])
    assert "曾晓雅" in person.title, person.words
    form = officer.get(person.link("出生登记"))
    given = {
        "child_name": CHILD,
        "sex": "2",
        "ethnicity": "01",
        "other": "spouse",
        "record_number": "Q430299777",
        **born,
    }
    receipt = officer.submit(form, given)
    assert receipt.status == 200, receipt.words
    assert CHILD in receipt.words
    again = officer.submit(form, given)  # the button pressed twice
    assert again.status == 200
    ((number,),) = house.rows(
        house.centre,
        DATABASE,
        "SELECT n.number FROM population_identity_number n JOIN population_person p USING (person_id) WHERE p.name = %s",
        CHILD,
    )
    assert number in receipt.words

    # Each trace is in the centre's own logs, sealed there.
    until(
        lambda: house.rows(
            house.centre,
            DATABASE,
            "SELECT 1 FROM audit_entry e JOIN audit_leaf l ON l.entry_id = e.id WHERE e.name = 'population.register_birth'",
        ),
        "the birth is sealed by the centre",
    )
    signs = house.rows(
        house.centre, database_of(CITY), "SELECT outcome FROM audit_entry WHERE name LIKE 'identity.%%' ORDER BY seq"
    )
    assert len(signs) >= 3, "sign-ins are in the node's own log"

    house.raise_province()

    until(
        lambda: house.rows(house.province, STORE, "SELECT 1 FROM population_person WHERE name = %s", CHILD),
        "the birth is in the province",
    )
    held = house.rows(
        house.province,
        STORE,
        "SELECT count(*) FROM provincial.population_person WHERE name = %s",
        CHILD,
    )
    assert held == [(1,)], "once"
    until(
        lambda: house.rows(
            house.centre,
            DATABASE,
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM events_outbox WHERE dispatched_at IS NULL)",
        ),
        "what was told is delivered",
    )


def signed_out(visitor: Visitor) -> bool:
    return "登录" in visitor.get("work/counter").title


def test_who_loses_the_post_is_out_within_seconds_and_copies_cannot_be_written(house: CounterHouse) -> None:
    officer = signed_in(house)
    assert officer.get("work/counter").status == 200
    with psycopg.connect(house.province.url("furong"), autocommit=True) as platform:
        platform.execute("UPDATE identity_account SET password = '!', credentials_version = credentials_version + 1 "
                         "WHERE username = 'police'")  # fmt: skip
    until(lambda: signed_out(officer), "the session ends when the password is another")
    with psycopg.connect(house.centre.url(database_of(CITY)), autocommit=True) as node:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            node.execute("UPDATE organizations_post SET title_zh = ''")
        known = {row[0] for row in node.execute("SELECT username FROM identity_account").fetchall()}
    assert "police" in known
    assert not known & {"mother", "father-000", "insurance", "administrator"}, "no residents and no other departments"
