"""PostgreSQL is away while pages are asked for: people get a page that says what is kept, programs a problem."""

from __future__ import annotations

import json
import signal
import time
import urllib.error
import urllib.request
from uuid import UUID

import pytest

from furong.entrypoints.visitor import Visitor
from tests.faults.filling import mother_of
from tests.faults.house import DURABLE, House
from tests.faults.people import LOST, Person, hand_in, prepare

pytestmark = [pytest.mark.faults]


def _stop(house: House) -> None:
    process = house.cluster.process
    assert process is not None
    process.send_signal(signal.SIGINT)
    process.wait(30)


def _problem(house: House, path: str, cookie: str = "") -> tuple[int, dict[str, object]]:
    headers = {"Accept": "application/json", **({"Cookie": cookie} if cookie else {})}
    request = urllib.request.Request(house.address + path, headers=headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    with caught.value as answer:
        return answer.code, json.loads(answer.read())


@pytest.mark.timeout(300)
def test_a_stopped_database_is_told_as_a_page_and_forgotten_when_it_is_back(house: House) -> None:
    mother = Person(house.address, mother_of(0))
    page = prepare(mother, 0)
    visitor = mother.visitor()
    cookie = "; ".join(f"{c.name}={c.value}" for c in visitor.cookies)
    pids = [child.pid for child in house.demo.children.values()]
    _stop(house)
    try:
        for who, path in ((visitor, "my/"), (visitor, page.url), (Visitor(house.address), "/"), (visitor, "work/list")):
            answer = who.get(path)
            given_up = time.monotonic() + 5
            while answer.status == 200 and path == "/" and time.monotonic() < given_up:
                time.sleep(0.2)  # the public home page is answered from memory until its leases of a second run out
                answer = who.get(path)
            assert answer.status == 503, f"{path}: {answer.status} {answer.title}"
            assert {name.lower(): value for name, value in answer.headers.items()}["retry-after"] == "10"
            assert "您保存过的步骤都在草稿里" in answer.words
            assert answer.tree.xpath("//header//a[@href] | //h1 | //link[@rel='stylesheet']"), "a designed page"
            assert "Traceback" not in answer.text
            assert "psycopg" not in answer.text
        assert visitor.submit(page, {"declared": "yes"}, form="declared").status == 503
        status, told = _problem(house, "api/cases/applications", cookie)
        assert (status, told["status"], told["code"]) == (503, 503, "web.unavailable")
        status, told = _problem(house, "healthz")
        assert (status, told["status"]) == (503, "failing")
    finally:
        house.cluster.start(settings=DURABLE)
    # The same processes serve again, the session and the draft are still there, and the same page can be sent.
    done = hand_in(mother, 0, page)
    assert isinstance(done.application_id, UUID)
    assert [child.pid for child in house.demo.children.values()] == pids
    assert all(child.poll() is None for child in house.demo.children.values())
    house.until(
        lambda: house.count("SELECT count(*) FROM processes_task WHERE item_code = 'birth_certificate'") == 1,
        "the worker goes on too",
        seconds=60,
    )


@pytest.mark.timeout(120)
def test_a_page_asked_for_while_the_web_server_dies_is_answered_by_the_next_one(house: House) -> None:
    visitor = Visitor(house.address)
    assert visitor.get("/").status == 200
    assert house.kill("web")

    def answered() -> bool:
        try:
            return visitor.get("/").status == 200
        except LOST:
            return False

    house.until(answered, "the home page", seconds=60)
