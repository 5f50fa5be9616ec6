"""An exchange on loopback: an operator, a hospital that provides, a housing office that asks, one gateway, real sockets."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from furong_link.client import Link
from furong_link.configuration import sign_configuration
from furong_link.gateway import Gateway, Settings
from furong_link.keys import SoftwareKey
from furong_link.modes import Mode
from tests.link.running import Running

BIRTHS = [
    {
        "number": "430290202611230018",
        "name": "周芷沅",
        "phone": "13800000000",
        "address": "湖南省株洲市天元区泰山路1号",
        "division": "430290",
        "weight_g": 3200,
        "mother": {"name": "李望舒", "number": "430290199501010027"},
    },
    {"number": "430190202611230026", "name": "陈一", "division": "430190", "mother": {"name": "王二"}},
]


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, dict[str, str], bytes]]

    def _do(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, content))
        status, kind, body = 200, "application/json", json.dumps({"items": BIRTHS, "total": 2}).encode()
        if self.path.startswith("/api/births/one/"):
            body = json.dumps({"items": BIRTHS[int(self.path.rpartition("/")[2])]}).encode()
        elif self.path.startswith("/api/births/broken"):
            status, body = 500, b'{"trace": "secret of the provider"}'
        elif self.path.startswith("/api/births/text"):
            kind, body = "text/plain", b"all of it"
        elif self.path == "/api/files/odd":
            kind = "text/plain; name=\xe9"
        elif self.command != "GET":
            status, body = 201, content
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815 - the names of http.server

    def log_message(self, *args: object) -> None:
        pass


@dataclass
class Clock:
    """The system's time and a shift that a test may set."""

    shift: float = 0.0

    def __call__(self) -> float:
        return datetime.now(UTC).timestamp() + self.shift


@dataclass
class Exchange:
    """The parts of the exchange, the gateway's loop in a thread of its own."""

    folder: Path
    provider: ThreadingHTTPServer
    seen: list[tuple[str, str, dict[str, str], bytes]]
    algorithm: str = "ed25519"
    operator: SoftwareKey = field(init=False)
    hospital: SoftwareKey = field(init=False)
    housing: SoftwareKey = field(init=False)
    clock: Clock = field(default_factory=Clock)
    settings: dict[str, Any] = field(default_factory=dict)
    upstreams: dict[str, str] = field(default_factory=dict)
    make_modes: Callable[[], dict[str, Mode]] = dict
    serial: int = 1

    def __post_init__(self) -> None:
        self.operator = SoftwareKey.generate(key_id="operator/2026", algorithm=self.algorithm)
        self.hospital = SoftwareKey.generate(key_id="hospital/gateway/1", algorithm=self.algorithm)
        self.housing = SoftwareKey.generate(key_id="housing/desk/1", algorithm=self.algorithm)
        self.port = 0

    def payload(self, **changes: Any) -> dict[str, Any]:
        start, end = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=30)
        valid = {"valid_from": start.isoformat(), "valid_until": end.isoformat()}
        grant = {
            "id": "births-for-housing",
            "consumer": "housing",
            "service": "births",
            "purpose": "homes",
            "methods": ["GET"],
            "paths": ["/list", "/one/*", "/broken", "/text"],
            "fields": {
                "name": "name",
                "number": "number",
                "phone": "phone",
                "address": "address",
                "weight_g": "keep",
                "mother.name": "name",
            },
            "rows": [{"field": "division", "prefixes": ["4302"]}],
            **valid,
        }
        files = {"paths": ["/**"], "fields": None, "methods": ["POST", "GET"], "service": "files", "purpose": "files"}
        return {
            "exchange": "hunan",
            "serial": self.serial,
            "issued_at": datetime.now(UTC).isoformat(),
            "members": [{"id": "hospital"}, {"id": "housing"}, {"id": "other"}],
            "keys": [
                {"id": key.key_id, "member": member, "algorithm": key.algorithm, "public": key.public, **valid}
                for key, member in ((self.hospital, "hospital"), (self.housing, "housing"))
            ],
            "gateways": [{"id": "hospital-1", "authority": self.authority}],
            "services": [
                {"id": "births", "provider": "hospital", "gateway": "hospital-1", "rows_at": "items"},
                {"id": "files", "provider": "hospital", "gateway": "hospital-1"},
            ],
            "grants": [
                grant,
                {"id": "files", "consumer": "housing", **files, **valid},
                {"id": "scarce", "consumer": "housing", **files, **valid, "quota": {"calls": 2, "seconds": 86400}},
                {"id": "others", "consumer": "other", **files, **valid},
                {"id": "over", "consumer": "housing", **files, **valid, "valid_until": start.isoformat()},
            ],
            **changes,
        }

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    def file(self, **changes: Any) -> bytes:
        return sign_configuration(self.payload(**changes), signer=self.operator)

    def _make(self) -> Gateway:
        base = f"http://127.0.0.1:{self.provider.server_port}/api"
        return Gateway(
            settings=Settings(
                id="hospital-1",
                authority=self.authority,
                folder=self.folder,
                port=self.port,
                upstreams={"births": f"{base}/births", "files": f"{base}/files", **self.upstreams},
                **self.settings,
            ),
            signer=self.hospital,
            operator=self.operator.verifier(),
            clock=self.clock,
            modes=self.make_modes(),
        )

    def start(self) -> None:
        self._running = Running(self._make)
        self._running.start()

    @property
    def gateway(self) -> Gateway:
        return self._running.gateway

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._running.loop

    def stop(self) -> None:
        self._running.stop()

    def do(self, call: Callable[[], Any]) -> Any:
        return self._running.do(call)

    def link(self, *, gateway: int | None = None, **changes: Any) -> Link:
        """Give a link to the gateway; ``gateway`` is the port of another way to it."""
        return Link(
            f"http://127.0.0.1:{gateway or self.port}",
            **{
                "signer": self.housing,
                "gateway_key": self.hospital.verifier(),
                "authority": self.authority,
                **changes,
            },
        )

    def reconfigure(self, **changes: Any) -> None:
        self.serial += 1
        self.do(lambda: self.gateway.take_configuration(self.file(**changes)))

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(self.gateway.log.record_text(index)) for index in range(self.gateway.log.tree.size)]


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def provider() -> Iterator[tuple[ThreadingHTTPServer, list[Any]]]:
    seen: list[Any] = []
    handler = type("Seen", (Provider,), {"seen": seen})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server, seen
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def prepared(tmp_path: Path, provider: tuple[ThreadingHTTPServer, list[Any]]) -> Exchange:
    """An exchange whose gateway is not started yet."""
    found = Exchange(tmp_path / "gateway", *provider)
    found.folder.mkdir()
    found.port = _free_port()
    (found.folder / "configuration.json").write_bytes(found.file())
    return found


@pytest.fixture
def exchange(prepared: Exchange) -> Iterator[Exchange]:
    prepared.start()
    yield prepared
    prepared.stop()
