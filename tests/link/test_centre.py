"""A gateway and its centre: it fetches what is newer, reports once, and outlives a centre that is silent or lies."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from furong_link import profile, selftest
from furong_link.centre import Centre, CentreError, Keeper
from furong_link.configuration import Configuration, read_configuration, sign_configuration
from furong_link.errors import ConfigurationError
from furong_link.evidence import EvidenceLog
from furong_link.keys import SoftwareKey
from furong_link.message import Settings
from furong_link.traffic import TrafficBook

OPERATOR = SoftwareKey.generate(key_id="operator")
KEY = SoftwareKey.generate(key_id="clinic-1/gateway/1")


def file(serial: int, *, at: datetime | None = None, signer: SoftwareKey = OPERATOR, authority: str = "h:1") -> bytes:
    return sign_configuration(
        {
            "exchange": "tests",
            "serial": serial,
            "issued_at": (at or datetime.now(UTC)).isoformat(),
            "members": [{"id": "clinic"}],
            "keys": [
                {
                    "id": KEY.key_id,
                    "member": "clinic",
                    "algorithm": KEY.algorithm,
                    "public": KEY.public,
                    "valid_from": "2020-01-01T00:00:00+00:00",
                    "valid_until": "2099-01-01T00:00:00+00:00",
                }
            ],
            "gateways": [{"id": "clinic-1", "authority": authority}],
            "services": [{"id": "births", "provider": "clinic", "gateway": "clinic-1"}],
            "grants": [],
        },
        signer=signer,
    )


class Door(BaseHTTPRequestHandler):
    """A centre of the tests: gives what it is told to, and keeps what it is sent."""

    protocol_version = "HTTP/1.1"
    newest: bytes
    status: int
    loses = False
    reports: list[dict[str, Any]]

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        request = profile.Request(
            "GET",
            self.headers["Host"],
            self.path,
            self.headers.get("Content-Type", ""),
            self.headers.get("Content-Digest", ""),
            self.headers.get("Furong-Grant", ""),
            self.headers.get("Furong-Message", ""),
        )
        if self.path == "/healthz":
            self._answer(200)
            return
        signed = profile.read_signature({name.lower(): value for name, value in self.headers.items()})
        profile.check_request(request, signed, verifier=KEY.verifier())
        held = int(self.headers["If-None-Match"].strip('"'))
        if self.status != 200:
            self._answer(self.status, b'{"detail": "not now", "code": "x"}')
        elif read_configuration(self.newest, operator=OPERATOR.verifier()).serial <= held:
            self._answer(304)
        else:
            self._answer(200, self.newest)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.status == 200:
            self.reports.append(json.loads(content))
        if self.loses:
            self.close_connection = True
            return
        self._answer(204 if self.status == 200 else self.status)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def door() -> Iterator[tuple[type[Door], str]]:
    handler = type("OneDoor", (Door,), {"newest": file(1), "status": 200, "reports": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class Gateway:
    """What a keeper needs of a gateway."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(id="clinic-1", authority="h:1", folder=folder, upstreams={})
        self.configuration: Configuration | None = None
        self.traffic = TrafficBook()
        self.log = EvidenceLog(folder / "evidence", signer=KEY, clock=lambda: 0.0)

    def health(self) -> dict[str, object]:
        return {"ready": True}

    def quotas(self) -> dict[str, int]:
        return {}

    async def take_configuration(self, file: bytes) -> Configuration:
        self.configuration = read_configuration(file, operator=OPERATOR.verifier(), held=self.configuration)
        return self.configuration


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path)
    yield made
    made.log.abandon()


def test_a_newer_configuration_is_taken_once_and_an_older_or_forged_one_never(
    door: tuple[type[Door], str], gateway: Gateway
) -> None:
    handler, address = door
    centre = Centre(address, signer=KEY)
    keeper = Keeper(gateway, centre)

    async def walk() -> None:
        assert await keeper.fetch() is True
        assert await keeper.fetch() is False
        assert gateway.configuration is not None
        assert gateway.configuration.serial == 1
        handler.newest = file(3)
        assert await keeper.fetch() is True
        other = SoftwareKey.generate(key_id="operator")
        handler.do_GET = lambda self: self._answer(200, file(9, signer=other))  # type: ignore[method-assign]
        assert await keeper.fetch() is False
        assert "not signed by the operator" in keeper.trouble
        handler.do_GET = lambda self: self._answer(200, file(2))  # type: ignore[method-assign]
        assert await keeper.fetch() is False
        assert gateway.configuration.serial == 3

    with centre:
        asyncio.run(walk())


def test_what_a_silent_centre_did_not_take_is_reported_again_under_its_number(
    door: tuple[type[Door], str], gateway: Gateway
) -> None:
    handler, address = door
    centre = Centre(address, signer=KEY)
    keeper = Keeper(gateway, centre)

    def note() -> None:
        gateway.traffic.note(at=0, consumer="c", service="births", grant="g", outcome="ok", seconds=0.003)

    async def walk() -> None:
        note()
        handler.status = 503
        assert await keeper.tell() is False
        note()
        handler.status = 200
        handler.loses = True  # it took the report, and its answer is lost
        assert await keeper.tell() is False
        handler.loses = False
        for _ in range(3):
            assert await keeper.tell() is True
        note()
        handler.status = 422  # never to be taken: what follows does not wait for it
        assert await keeper.tell() is False
        handler.status = 200
        note()
        assert await keeper.tell() is True

    with centre:
        asyncio.run(walk())
    told = [(one["number"], [sum(line["buckets"]) for line in one["traffic"]]) for one in handler.reports]
    # The lost one went out twice at once, on a new connection too, and again with the next beat: one number, one count.
    assert told == [(1, [1]), (1, [1]), (1, [1]), (2, [1]), (3, []), (5, [1])]


def test_a_gateway_that_stops_reports_what_is_left(door: tuple[type[Door], str], gateway: Gateway) -> None:
    handler, address = door

    async def walk() -> None:
        keeping = asyncio.create_task(Keeper(gateway, centre, poll_seconds=0.01).run())
        while not handler.reports:
            await asyncio.sleep(0.005)
        gateway.traffic.note(at=0, consumer="c", service="births", grant="g", outcome="ok", seconds=0.003)
        keeping.cancel()
        await asyncio.wait([keeping])

    with Centre(address, signer=KEY) as centre:
        asyncio.run(walk())
    assert [len(one["traffic"]) for one in handler.reports] == [0, 1]


def test_a_gateway_without_its_centre_goes_on_and_warns_as_its_configuration_grows_old(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    issued = datetime(2026, 1, 1, tzinfo=UTC)
    now = [issued.timestamp()]
    keeper = Keeper(gateway, Centre(address, signer=KEY), clock=lambda: now[0])
    gateway.configuration = read_configuration(file(1, at=issued), operator=OPERATOR.verifier())
    graded = []

    async def walk() -> None:
        for age in (0, 400, 4_000, 70_000, 90_000):
            now[0] = issued.timestamp() + age
            assert await keeper.fetch() is False
            keeper._warn()
            graded.append(keeper.grade)

    with caplog.at_level(logging.WARNING, logger="furong_link"):
        asyncio.run(walk())
    assert graded == ["fresh", "late", "old", "ending", "expired"]
    assert gateway.configuration.serial == 1
    assert sum("does not answer" in record.message for record in caplog.records) == 1  # once, not each second
    assert [r.levelname for r in caplog.records if "expired" in r.message] == ["ERROR"]


def test_a_centres_refusal_is_told_in_its_words(door: tuple[type[Door], str]) -> None:
    handler, address = door
    handler.status = 403
    with Centre(address, signer=KEY) as centre, pytest.raises(CentreError, match="not now"):
        centre.configuration(None)
    with pytest.raises(ConfigurationError):
        Centre("ftp://centre", signer=KEY)


def test_the_selftest_says_each_trouble_in_words(door: tuple[type[Door], str], tmp_path: Path) -> None:
    handler, address = door
    handler.newest = file(1)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    settings = Settings(
        id="clinic-1",
        authority=f"127.0.0.1:{port}",
        folder=tmp_path,
        upstreams={"births": f"http://127.0.0.1:{port}/", "other": "http://127.0.0.1:1/"},
    )

    def troubles(*, ahead: int = 0) -> dict[str, str]:
        clock = (lambda: datetime.now(UTC).timestamp() + ahead) if ahead else (lambda: datetime.now(UTC).timestamp())
        found = selftest.run(settings, KEY, OPERATOR.verifier(), centre=address, clock=clock)
        return {one.what.split(" ")[0]: one.trouble for one in found if one.trouble}

    assert "not approved" in troubles()["configuration"]
    (tmp_path / "configuration.json").write_bytes(file(1, authority="elsewhere:1"))
    found = troubles(ahead=300)
    assert "elsewhere:1" in found["gateway"]
    assert "300 s ahead" in found["clock"] or "299 s ahead" in found["clock"]
    assert "does not answer" in found["system"] or "published no such service" in found["system"]
    assert "cannot be reached" in found[settings.authority]
    (tmp_path / "configuration.json").write_bytes(file(1, at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert "expired" in troubles()["configuration"]
    (tmp_path / "configuration.json").write_bytes(file(1, signer=SoftwareKey.generate(key_id="operator")))
    assert "not signed by the operator" in troubles()["configuration"]
