"""Files and events while things break: gateways killed under load, disks full, clocks apart, bytes that lie."""

from __future__ import annotations

import os
import random
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from furong_link import client_batch, profile
from furong_link.cli import main
from furong_link.client import Link, Refused, UnreachableError
from furong_link.client_events import Event, Inbox, follow, pull
from furong_link.cloudevents import BATCH
from furong_link.errors import UnverifiedReplyError
from furong_link.keys import SoftwareKey
from furong_link.verification import verify_log
from tests.link.conftest import Exchange
from tests.link.modes import Modes, birth

pytestmark = pytest.mark.faults
TARGET, GRANT = "/born/births", "born-for-housing"


class Process:
    """A gateway as its members run it, killed and started anew at will."""

    def __init__(self, exchange: Exchange, folder: Path) -> None:
        operator = f"{exchange.operator.algorithm}:{exchange.operator.public}"
        arguments = ["init", str(folder), "--id", "hospital-1", "--authority", exchange.authority]
        assert main([*arguments, "--operator", operator]) == 0
        with (folder / "gateway.toml").open("a") as file:
            file.write('\n[batch]\nservices = ["births-files"]\n\n[events]\nservices = ["born"]\n')
            file.write("\n[events.retry]\nfirst_seconds = 0.05\nmost_seconds = 0.2\nlook_seconds = 0.1\n")
        self.folder = folder
        self.key = SoftwareKey.read(folder / "gateway.key")
        self.running: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.running = subprocess.Popen(
            [sys.executable, "-m", "furong_link.cli", "run", str(self.folder)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "src"},
        )
        assert self.running.stdout
        assert "listens" in self.running.stdout.readline()

    def end(self, number: int) -> None:
        assert self.running is not None
        assert self.running.stdout
        self.running.send_signal(number)
        self.running.wait()
        self.running.stdout.close()
        self.running = None


@pytest.fixture
def process(prepared: Exchange, tmp_path: Path) -> Iterator[tuple[Modes, Process]]:
    modes = Modes(prepared)
    found = Process(prepared, tmp_path / "killed")
    prepared.hospital = found.key
    (found.folder / "configuration.json").write_bytes(prepared.file(**modes.changes()))
    found.start()
    yield modes, found
    if found.running is not None:
        found.end(signal.SIGTERM)


def _effect(event: Event, found: sqlite3.Connection) -> None:
    found.execute("CREATE TABLE IF NOT EXISTS effect (event TEXT, key TEXT, number INTEGER)")
    found.execute("INSERT INTO effect VALUES (?, ?, ?)", (event.id, event.key, event.data["weight_g"]))


@pytest.mark.parametrize("way", ["pull", "push"])
def test_a_gateway_killed_under_load_loses_no_acknowledged_event_and_none_takes_effect_twice(
    process: tuple[Modes, Process], tmp_path: Path, way: str
) -> None:
    modes, gateway = process
    told: set[str] = set()
    stop, failures, cuts = threading.Event(), list[Exception](), list[int]()
    total, inbox_path = 1500, tmp_path / "inbox.db"

    def publish() -> None:
        with modes.provider() as link:
            number = 0
            while number < total:
                events = [birth(n) for n in range(number, number + 10)]
                try:
                    link.send("born", "births", events)
                except (UnreachableError, UnverifiedReplyError, Refused):
                    cuts.append(number)
                    time.sleep(0.02)
                    continue  # the same events again: what was stored keeps its place
                told.update(event.id for event in events)
                number += 10

    def take() -> None:
        with modes.exchange.link() as link, Inbox(inbox_path) as inbox:
            seen = 0
            for found in follow(link, TARGET, grant=GRANT, inbox=inbox, handle=_effect, wait_seconds=1, limit=40):
                seen += found.taken
                if seen >= total or stop.is_set():
                    return

    def guarded(work: Any) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it was, the test says so
            failures.append(error)

    def count() -> int:
        with suppress(sqlite3.OperationalError), sqlite3.connect(inbox_path, timeout=10) as found:
            return int(found.execute("SELECT count(*) FROM effect").fetchone()[0])
        return 0

    def run(threads: list[threading.Thread]) -> None:
        for thread in threads:
            thread.start()
        chance = random.Random(5)
        for _ in range(3):
            time.sleep(0.15 + chance.random() * 0.2)
            gateway.end(signal.SIGKILL)
            gateway.start()
        deadline = time.monotonic() + 60
        while (threads[0].is_alive() or count() < total) and time.monotonic() < deadline and not failures:
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join(30)

    publisher = threading.Thread(target=guarded, args=(publish,))
    if way == "pull":
        run([publisher, threading.Thread(target=guarded, args=(take,))])
    else:
        with modes.receiver(inbox_path, _effect), modes.exchange.link() as link:
            link.post(f"{TARGET}/subscription", {"endpoint": modes.endpoint}, grant=GRANT)
            run([publisher])
    assert not failures
    assert cuts, "no message was under way when the gateway was killed"
    assert len(told) == total
    with sqlite3.connect(inbox_path) as found:
        effects = found.execute("SELECT event, key, number FROM effect ORDER BY rowid").fetchall()
    assert len(effects) == len({event for event, _, _ in effects}) == total
    by_key: dict[str, list[int]] = {}
    for _, key, number in effects:
        by_key.setdefault(key, []).append(number)
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    gateway.end(signal.SIGTERM)
    assert verify_log(gateway.folder / "evidence", key=gateway.key.verifier()).findings == []


def test_a_gateway_killed_in_the_middle_of_a_file_gives_identical_bytes_after(
    process: tuple[Modes, Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes, gateway = process
    file = tmp_path / "big.csv"
    file.write_bytes(b"name\n" + random.Random(7).randbytes(6_000_000))
    killing = threading.Event()

    def kill() -> None:
        for _ in range(3):
            killing.wait(30)
            killing.clear()
            gateway.end(signal.SIGKILL)
            gateway.start()

    thread = threading.Thread(target=kill)
    thread.start()
    pieces = 0
    plain = Link.request

    def counted(self: Link, method: str, target: str, **more: Any) -> Any:
        nonlocal pieces
        if "offset=" in target:
            pieces += 1
            if pieces % 12 == 0:
                killing.set()
        return plain(self, method, target, **more)

    monkeypatch.setattr(Link, "request", counted)
    with modes.provider() as link:
        client_batch.publish(link, "births-files", "births", version=1, file=file, piece_bytes=300_000)
    with modes.exchange.link() as link:
        found = client_batch.download(
            link, "/births-files/births", grant="files-whole", to=tmp_path / "got", piece_bytes=150_000
        )
    killing.set()
    thread.join(0.1)
    while thread.is_alive():
        killing.set()
        thread.join(0.2)
    assert found.path.read_bytes() == file.read_bytes()


@pytest.fixture
def modes(prepared: Exchange) -> Iterator[Modes]:
    found = Modes(prepared)
    found.prepare()
    prepared.start()
    yield found
    prepared.stop()


def test_a_full_disk_refuses_events_and_takes_them_when_there_is_room(modes: Modes) -> None:
    def room(pages: int) -> None:
        # SQLite's own limit gives the error of a full disk, on the page where it fills.
        modes.exchange.do(lambda: modes.events.log.command(lambda c: c.execute(f"PRAGMA max_page_count={pages}")))

    with modes.provider() as provider, modes.exchange.link() as link:
        provider.send("born", "births", [birth(0)])
        room(1)
        n = 0

        def fill() -> None:
            nonlocal n
            while n < 400:
                n += 1
                provider.send("born", "births", [birth(n * 50 + i) for i in range(50)])

        with pytest.raises(Refused) as caught:
            fill()
        assert caught.value.problem.code == "events_unwritable"
        # Reading goes on, and nothing of the refused message is there.
        events, _ = pull(link, TARGET, grant=GRANT, limit=1000)
        assert len(events) == 1 + (n - 1) * 50
        room(1_000_000)
        assert provider.send("born", "births", [birth(n * 50)])
        assert len(pull(link, TARGET, grant=GRANT, limit=1000)[0]) == 2 + (n - 1) * 50


def _push(modes: Modes, *, clock: float = 0.0, **changes: Any) -> tuple[str, str, dict[str, str], bytes]:
    """A push as the gateway would send it, or nearly."""
    content = changes.get("content", b'[{"specversion":"1.0","id":"a","source":"s","type":"t","sequence":"1"}]')
    signer = changes.get("signer", modes.exchange.hospital)
    request = profile.Request(
        "POST",
        changes.get("authority", f"127.0.0.1:{modes.endpoint_port}"),
        "/events",
        BATCH,
        profile.content_digest(content, algorithm="ed25519"),
        changes.get("grant", GRANT),
        "message-1",
    )
    signed = profile.sign_request(
        request, signer=signer, created=int(time.time() + clock), nonce=secrets.token_urlsafe(16)
    )
    headers = {
        "host": request.authority,
        "content-type": BATCH,
        "content-digest": request.content_digest,
        "furong-grant": request.grant,
        "furong-message": request.message,
        **signed.headers(),
    }
    return "POST", "/events", headers | changes.get("headers", {}), changes.get("sent", content)


def test_a_push_that_is_replayed_forged_late_or_changed_has_no_effect(modes: Modes, tmp_path: Path) -> None:
    seen: list[str] = []
    with modes.receiver(tmp_path / "inbox.db", lambda event, found: seen.append(event.id)) as receiver:

        def status(message: tuple[str, str, dict[str, str], bytes]) -> tuple[int, bytes]:
            code, _, body = receiver.receive(*message)
            return code, body

        good = _push(modes)
        assert status(good)[0] == 200
        for message, code in (
            (good, "replayed"),
            (_push(modes, signer=SoftwareKey.generate(key_id="hospital/gateway/1")), "signature_invalid"),
            (_push(modes, clock=-3600), "clock_skewed"),
            (_push(modes, clock=3600), "clock_skewed"),
            (_push(modes, sent=b"[]"), "digest_mismatch"),
            (_push(modes, authority="elsewhere:1"), "wrong_gateway"),
            (_push(modes, grant="born-whole"), "grant_unknown"),
            (_push(modes, content=b"not json"), "event_malformed"),
            (_push(modes, content=b'[{"id":"b"}]'), "event_malformed"),
            (_push(modes, headers={"signature": ""}), "signature_missing"),
            (_push(modes, headers={"furong-message": "\xe9" * 9}), "malformed_request"),
        ):
            found, body = status(message)
            assert found >= 400
            assert code.encode() in body, (code, body)
        # The same event in a new message, as after a reply that was lost: signed for, and without effect.
        assert status(_push(modes))[0] == 200
    assert seen == ["a"]


def test_bytes_that_are_no_message_end_the_connection_and_nothing_else(modes: Modes) -> None:
    for data in (
        b"POST /.furong/provide/born/births HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /.furong/provide/born/births HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PUT /.furong/provide/births-files/b/1/csv HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /.furong/provide/born/births HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", modes.exchange.port), timeout=10) as way:
            way.sendall(data)
            assert way.recv(64).startswith(b"HTTP/1.1 4")
    with modes.provider() as provider:
        assert provider.send("born", "births", [birth(1)])
