"""The reply to a submission is lost: before the command, inside its transaction, and between its commit and the answer.

A failpoint in the web server's own process ends it with SIGKILL at the very line; the mother sends the same draft again.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from furong.entrypoints.visitor import Visitor
from tests.faults.filling import mother_of
from tests.faults.house import House
from tests.faults.people import LOST, Person, hand_in, prepare

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@contextmanager
def deaf_proxy(house: House) -> Iterator[tuple[str, threading.Event]]:
    """A door in front of the house that passes requests on and, once told to, swallows the answers."""
    swallow = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    over = threading.Event()

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", house.demo.port)) as server:
            client.settimeout(30)
            server.settimeout(60)
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            body = head.split(b"\r\n\r\n", 1)[1]
            while len(body) < length:
                more = client.recv(65536)
                head, body = head + more, body + more
            server.sendall(head)
            first = server.recv(65536)  # the server has committed and answers
            if swallow.is_set() and head.startswith(b"POST"):
                return
            while first:
                client.sendall(first)
                first = server.recv(65536)

    def accept() -> None:
        while not over.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", swallow
    finally:
        over.set()
        thread.join()
        listener.close()


def _applications(house: House, draft: str) -> int:
    return house.count("SELECT count(*) FROM cases_application WHERE draft_id = %s", [draft])


def test_an_answer_cut_off_after_the_commit_is_given_again(house: House) -> None:
    with deaf_proxy(house) as (address, swallow):
        mother = Person(address, mother_of(1))
        page = prepare(mother, 1)
        draft = page.url.split("/")[-2]
        swallow.set()
        with pytest.raises(LOST):
            mother.visitor().submit(page, {"declared": "yes"}, form="declared")
        assert _applications(house, draft) == 1, "the server committed; only the answer was lost"
        with pytest.raises(LOST):
            mother.visitor().submit(page, {"declared": "yes"}, form="declared")
        swallow.clear()
        done = hand_in(mother, 1, page)
    assert _applications(house, draft) == 1
    assert house.rows("SELECT id FROM cases_application WHERE draft_id = %s", [draft]) == [(done.application_id,)]


POINTS = ("before", "inside", "committed")


@pytest.mark.parametrize("point", POINTS)
def test_a_web_server_that_dies_while_it_takes_an_application_takes_it_once(house: House, point: str) -> None:
    couple = 2 + POINTS.index(point)
    mother = Person(house.address, mother_of(couple))
    page = prepare(mother, couple)
    draft = page.url.split("/")[-2]
    armed = Path(house.home / "failpoint")
    armed.write_text(point)
    with pytest.raises(LOST):
        mother.visitor().submit(page, {"declared": "yes"}, form="declared")
    assert not armed.exists(), "the failpoint was not passed"
    assert _applications(house, draft) == (1 if point == "committed" else 0)
    house.until(lambda: _answers(house), "the web server", seconds=60)
    done = hand_in(mother, couple, page)
    again = hand_in(mother, couple, page)
    assert done == again
    assert _applications(house, draft) == 1
    items = house.count("SELECT count(*) FROM cases_case WHERE application_id = %s", [done.application_id])
    assert items == len(done.items)


def _answers(house: House) -> bool:
    try:
        return Visitor(house.address).get("/").status == 200
    except LOST:
        return False
