"""Gateways and provider killed under load, and a full disk: nothing acknowledged is missing from either side's log."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from furong_link.client import Answer, Refused, UnreachableError
from furong_link.errors import UnverifiedReplyError
from furong_link.verification import verify_log
from tests.link.conftest import Exchange
from tests.link.two import Two

pytestmark = pytest.mark.faults


class _Process:
    """A gateway as a process of its own, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "furong_link.cli", "run", str(self._folder)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "src"},
        )
        assert self._process.stdout
        assert "listens" in self._process.stdout.readline()

    def end(self, number: int = signal.SIGKILL) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process.stdout.close()
            self._process = None


def _write_settings(two: Two, name: str) -> Path:
    folder, (port, meets) = two.folder / name, two.ports[name]
    key = two.own if name == "near" else two.exchange.hospital
    key.write(folder / "gateway.key")
    base = f"http://127.0.0.1:{two.exchange.provider.server_port}/api"
    more = (
        f'[upstreams]\nfiles = "{base}/files"\n'
        if name == "far"
        else f'[systems]\n"{two.desk.key_id}" = "ed25519:{two.desk.public}"\n'
    )
    (folder / "gateway.toml").write_text(
        f'id = "{name}"\nauthority = "{name}.example:8601"\nport = {port}\n'
        f'[operator]\nalgorithm = "ed25519"\npublic = "{two.exchange.operator.public}"\n{more}'
        f'[peers]\nport = {meets}\ncertificate = "peer.pem"\nkey = "peer.key"\n'
    )
    return folder


@pytest.fixture
def town(prepared: Exchange, tmp_path: Path) -> Iterator[tuple[Two, _Process, _Process]]:
    two = Two(prepared, tmp_path / "two")
    near, far = (_Process(_write_settings(two, name)) for name in ("near", "far"))
    far.start()
    near.start()
    yield two, near, far
    near.end()
    far.end()


class _Caller(threading.Thread):
    """Sends messages one after another until told to stop, repeating each under its id until it is answered."""

    def __init__(self, two: Two, stop: threading.Event) -> None:
        super().__init__()
        self._two, self._stop_asked = two, stop
        self.answered: list[tuple[str, Answer]] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        number = 0
        with self._two.link() as link:
            while not self._stop_asked.is_set():
                method, message = ("POST", "GET")[number % 2], str(uuid.uuid4())
                number += 1
                deadline = time.monotonic() + 30
                while time.monotonic() < deadline:
                    try:
                        answer = link.request(method, "/files/in", grant="files", content=b"{}", message=message)
                    except Refused as refused:
                        # The causes by which a gateway says that another part is away, and no other.
                        if refused.problem.code not in ("peer_unreachable", "provider_unreachable", "peer_timeout"):
                            self.wrong.append(refused.problem.code)
                        time.sleep(0.05)
                    except (UnreachableError, UnverifiedReplyError):
                        time.sleep(0.05)
                    else:
                        self.answered.append((method, answer))
                        break
                else:
                    self.wrong.append("never answered")


def _records(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "evidence" / "records.log").read_bytes().splitlines()
    return [json.loads(line.partition(b"\t")[0]) for line in lines]


def test_nothing_acknowledged_is_missing_on_either_side_when_both_gateways_are_killed_under_load(
    town: tuple[Two, _Process, _Process],
) -> None:
    two, near, far = town
    stop = threading.Event()
    callers = [_Caller(two, stop) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        for process in (far, near, far, near):
            _until(callers, len([1 for caller in callers for _ in caller.answered]) + 60)
            process.end()
            process.start()
        _until(callers, len([1 for caller in callers for _ in caller.answered]) + 60)
    finally:
        stop.set()
        for caller in callers:
            caller.join()
    near.end(signal.SIGTERM)
    far.end(signal.SIGTERM)
    assert [wrong for caller in callers for wrong in caller.wrong] == []
    answered = [found for caller in callers for found in caller.answered]
    assert len(answered) >= 300
    here, there = _records(two.folder / "near"), _records(two.folder / "far")
    by_message: dict[str, list[dict[str, Any]]] = {}
    for record in there:
        by_message.setdefault(record.get("message", ""), []).append(record)
    for method, answer in answered:
        own = here[answer.record.index]
        assert (own["kind"], own["message"], own["method"]) == ("answered", answer.message, method)
        other = there[own["peer_index"]]
        assert (other["kind"], other["message"]) == ("answered", answer.message)
        if method == "POST":
            kinds = [record["kind"] for record in by_message[answer.message]]
            assert kinds.index("accepted") < kinds.index("answered")
    # The provider's system saw each, and can tell a repetition by its id.
    seen = {headers["furong-message"] for _, _, headers, _ in two.exchange.seen}
    assert {answer.message for _, answer in answered} <= seen
    for name, key in (("near", two.own), ("far", two.exchange.hospital)):
        assert verify_log(two.folder / name / "evidence", key=key.verifier()).findings == []


def _until(callers: list[_Caller], count: int) -> None:
    deadline = time.monotonic() + 60
    while sum(len(caller.answered) for caller in callers) < count:
        assert time.monotonic() < deadline, [caller.wrong for caller in callers]
        time.sleep(0.01)


def test_a_provider_killed_under_load_is_named_and_every_message_is_accounted_for(exchange: Exchange) -> None:
    """Its connections break in the middle of answers; each message has one line that says how it ended."""
    outcomes: dict[str, str] = {}

    def call(count: int) -> None:
        with exchange.link() as link:
            for _ in range(count):
                message = str(uuid.uuid4())
                try:
                    link.get("/files/a", grant="files", message=message)
                    outcomes[message] = "answered"
                except Refused as refused:
                    outcomes[message] = refused.problem.code

    callers = [threading.Thread(target=call, args=(60,)) for _ in range(4)]
    for caller in callers:
        caller.start()
    while len(outcomes) < 40:
        time.sleep(0.005)
    exchange.provider.shutdown()
    exchange.provider.server_close()
    for connection in list(exchange.gateway._upstreams["files"]._pool._busy):
        exchange.loop.call_soon_threadsafe(connection.abort)
    for connection in list(exchange.gateway._upstreams["files"]._pool._idle):
        exchange.loop.call_soon_threadsafe(connection.abort)
    for caller in callers:
        caller.join()
    assert set(outcomes.values()) == {"answered", "provider_unreachable"}
    records = {record["message"]: record for record in exchange.records() if "message" in record}
    assert len(outcomes) == 240
    for message, outcome in outcomes.items():
        record = records[message]
        assert (record["kind"] if outcome == "answered" else record["code"]) == outcome


def test_a_full_disk_refuses_everything_and_serves_again_when_there_is_room(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, log = os.write, exchange.gateway.log
    handle = log._handle
    with exchange.link() as link:
        link.get("/files/a", grant="files")

        def full(to: int, data: Any) -> int:
            if to == handle:
                raise OSError(errno.ENOSPC, "full")
            return plain(to, data)

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            for method in ("GET", "POST"):
                seen = len(exchange.seen)
                with pytest.raises(UnverifiedReplyError) as caught:
                    link.request(method, "/files/a", grant="files")
                assert caught.value.code_seen == "evidence_unwritable"
                if method == "POST":
                    # What may change something never reaches the provider without a record.
                    assert len(exchange.seen) == seen
        answer = link.get("/files/a", grant="files")
        assert link.receipt(answer).index == answer.record.index
    kinds = [record["kind"] for record in exchange.records()]
    assert kinds == ["answered", "answered"]
    assert verify_log(exchange.folder / "evidence", key=exchange.hospital.verifier()).findings == []


def test_a_disk_that_failed_a_sync_is_not_written_to_again_before_a_restart(
    prepared: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared.start()
    with prepared.link() as link:
        link.get("/files/a", grant="files")

        def broken(handle: int) -> None:
            raise OSError(errno.EIO, "broken")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", broken)
            with pytest.raises(UnverifiedReplyError):
                link.get("/files/a", grant="files")
        with pytest.raises(UnverifiedReplyError) as caught:
            link.get("/files/a", grant="files")
        assert caught.value.code_seen == "evidence_unwritable"
        assert prepared.gateway.health()["ready"] is False
        prepared.stop()
        prepared.start()
        try:
            assert link.get("/files/a", grant="files").status == 200
        finally:
            prepared.stop()
