"""What a gateway costs with every check on: signature, grant, fields, replay guard, durable record, signed reply.

64 connections send signed messages (340-byte class requests, a reply of about 900 bytes) through one gateway to a
provider, and through two (the consumer's, which signs again and asks the provider's over mTLS); beside it, in turns, the
same load goes through nginx as a plain reverse proxy to the same provider. The provider is nginx too, so that it costs little.
Where nginx is not installed, both are this package's own wire code without any check (``peer`` says which), and the ratios
are then NOT those that the README's limits speak of: that proxy is slower than nginx.
`gateway_us` is the gateway process's own CPU for a message, which does not depend on the peer.

Messages are signed beforehand and each is sent once. Medians of five rounds. `lost` counts messages that were answered and
are missing from the log of a gateway they went through.

    python -m benchmarks.exchange [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from benchmarks.exchange_load import Result, load, messages
from furong_link import wire
from furong_link.certificates import make_certificate
from furong_link.cli import main as gateway_command
from furong_link.configuration import sign_configuration
from furong_link.errors import Refusal
from furong_link.keys import SoftwareKey
from furong_link.upstream import Upstream
from furong_link.verification import verify_log

CONNECTIONS = 64
SETTINGS_PORT = re.compile(r"^port = (\d+)", re.MULTILINE)
ROW = {"id": "0", "division": "430290", "name": "周芷沅", "note": "x" * 700, "weight_g": 3200, "hidden": "y" * 60}
BODY = json.dumps(ROW, ensure_ascii=False).encode()

NGINX = """
worker_processes 1; daemon off; error_log stderr error; pid {folder}/{port}.pid;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
 uwsgi_temp_path {folder}; scgi_temp_path {folder}; default_type application/json; keepalive_requests 100000000;
 {inside} }}
"""
PROXY = """upstream provider {{ server 127.0.0.1:{provider}; keepalive 128; keepalive_requests 100000000; }}
 server {{ listen 127.0.0.1:{port};
  location / {{ proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}"""
PROVIDER = """server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{body}'; }} }}"""


class _Server(asyncio.Protocol):
    """A provider that answers at once, or (with ``upstream``) a plain proxy to it."""

    def __init__(self, upstream: Upstream | None) -> None:
        self._upstream, self._buffer = upstream, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(wire.END)
        if end < 0:
            return
        head = wire.read_request_head(bytes(self._buffer[: end + 4]), max_content=0)
        self._buffer.clear()
        if self._upstream is None:
            self._transport.write(wire.reply_bytes(200, {"content-type": "application/json"}, BODY, close=False))
        else:
            self._task = asyncio.get_running_loop().create_task(self._forward(self._upstream, head))

    async def _forward(self, upstream: Upstream, head: wire.RequestHead) -> None:
        headers = {name: value for name, value in head.headers.items() if name not in ("host", "content-length")}
        try:
            reply = await upstream.ask(method=head.method, target=head.target, headers=headers, content=b"")
        except Refusal:
            self._transport.close()
            return
        self._transport.write(
            wire.reply_bytes(reply.status, {"content-type": reply.content_type}, reply.content, close=False)
        )


async def _serve(port: int, provider: int) -> None:
    upstream = Upstream(f"http://127.0.0.1:{provider}") if provider else None
    server = await asyncio.get_running_loop().create_server(lambda: _Server(upstream), "127.0.0.1", port, backlog=512)
    print("listens", flush=True)
    await server.serve_forever()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(arguments: list[str], *, port: int) -> Iterator[int]:
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise RuntimeError(f"{arguments[0]} did not start")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _cpu_seconds(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Gate:
    """A gateway's folder, and how it is asked."""

    folder: Path
    authority: str
    port: int
    key: SoftwareKey
    more: tuple[Path, ...] = ()  # folders of gateways behind it


def _init(folder: Path, name: str, algorithm: str, operator: SoftwareKey) -> tuple[str, int]:
    port = _free_port()
    authority = f"127.0.0.1:{port}"
    arguments = ["init", str(folder), "--id", name, "--authority", authority, "--algorithm", algorithm]
    with redirect_stdout(StringIO()):
        if gateway_command([*arguments, "--operator", f"{algorithm}:{operator.public}"]) != 0:
            raise RuntimeError("the gateway was not made")
    return authority, port


def _payload(gateways: list[dict[str, Any]], keys: list[tuple[str, SoftwareKey]], serving: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    valid = {
        "valid_from": (now - timedelta(days=1)).isoformat(),
        "valid_until": (now + timedelta(days=1)).isoformat(),
    }
    fields = {"id": "keep", "name": "name", "note": "keep", "weight_g": "keep", "division": "keep"}
    return {
        "exchange": "bench",
        "serial": 1,
        "issued_at": now.isoformat(),
        "members": [{"id": "hospital"}, {"id": "housing"}],
        "keys": [
            {"id": key.key_id, "member": member, "algorithm": key.algorithm, "public": key.public, **valid}
            for member, key in keys
        ],
        "gateways": gateways,
        "services": [{"id": "births", "provider": "hospital", "gateway": serving}],
        "grants": [
            {
                "id": "bench",
                "consumer": "housing",
                "service": "births",
                "purpose": "bench",
                "methods": ["GET"],
                "paths": ["/one/*"],
                "fields": fields,
                "rows": [{"field": "division", "prefixes": ["4302"]}],
                "quota": {"calls": 100_000_000, "seconds": 86_400},
                **valid,
            }
        ],
    }


def _one_gateway(root: Path, algorithm: str, provider: int) -> _Gate:
    folder = root / algorithm
    operator = SoftwareKey.generate(key_id="operator", algorithm=algorithm)
    caller = SoftwareKey.generate(key_id="housing/1", algorithm=algorithm)
    authority, port = _init(folder, "bench", algorithm, operator)
    _set(folder, "upstreams", f'births = "http://127.0.0.1:{provider}"')
    payload = _payload([{"id": "bench", "authority": authority}], [("housing", caller)], "bench")
    (folder / "configuration.json").write_bytes(sign_configuration(payload, signer=operator))
    return _Gate(folder, authority, port, caller)


def _two_gateways(root: Path, provider: int) -> _Gate:
    """The consumer's gateway in front, which knows the caller's key alone, and the provider's behind it."""
    operator = SoftwareKey.generate(key_id="operator")
    caller = SoftwareKey.generate(key_id="housing/1")
    gateways, keys = [], []
    for name, member in (("front", "housing"), ("back", "hospital")):
        authority, port = _init(root / name, name, "ed25519", operator)
        meets = _free_port()
        certificate = make_certificate(root / name / "peer.pem", root / name / "peer-tls.key", name=name)
        with (root / name / "gateway.toml").open("a") as file:
            file.write(f'\n[peers]\nhost = "127.0.0.1"\nport = {meets}\n')
            file.write('certificate = "peer.pem"\nkey = "peer-tls.key"\n')
        key = SoftwareKey.read(root / name / "gateway.key")
        keys.append((member, key))
        door = {"address": f"https://127.0.0.1:{meets}", "certificates": [b64encode(certificate).decode()]}
        gateways.append({"id": name, "authority": authority, "member": member, "key": key.key_id, "peer": door})
        if name == "front":
            gate = _Gate(root / name, authority, port, caller, (root / "back",))
            with (root / name / "gateway.toml").open("a") as file:
                file.write(f'\n[systems]\n"{caller.key_id}" = "ed25519:{caller.public}"\n')
        else:
            _set(root / name, "upstreams", f'births = "http://127.0.0.1:{provider}"')
    file = sign_configuration(_payload(gateways, keys, "back"), signer=operator)
    for name in ("front", "back"):
        (root / name / "configuration.json").write_bytes(file)
    return gate


def _set(folder: Path, table: str, line: str) -> None:
    path = folder / "gateway.toml"
    text = path.read_text()
    head, mark, rest = text.partition(f"\n[{table}]")
    first, end, more = rest.partition("\n")
    path.write_text(f"{head}{mark}{first}{end}{line}\n{more}")


def _lost(gate: _Gate, acknowledged: int) -> int:
    """Give how many of the messages that were answered are in a log of ours not told of, having verified each log whole."""
    lost = 0
    for folder in (gate.folder, *gate.more):
        report = verify_log(folder / "evidence", key=SoftwareKey.read(folder / "gateway.key").verifier())
        if report.findings:
            raise RuntimeError(report.findings[0])
        lost += max(0, acknowledged - report.kinds.get("answered", 0))
    return lost


class _Rounds:
    """The figures of the rounds, by name."""

    def __init__(self) -> None:
        self.found: dict[str, list[float]] = {}

    def note(self, name: str, value: float) -> None:
        self.found.setdefault(name, []).append(value)

    def middle(self, name: str, digits: int) -> float:
        return round(statistics.median(self.found[name]), digits)

    def ratio(self, name: str) -> float:
        pairs = zip(self.found[name], self.found["plain"], strict=True)
        return round(statistics.median(a / b for a, b in pairs), 4)


def measure(*, rounds: int, count: int) -> dict[str, object]:
    """Give the figures. ``count`` messages a round through the Ed25519 gateway, fewer through the slower ways."""
    root = Path(tempfile.mkdtemp(prefix="furong-bench-"))
    provider, plain = _free_port(), _free_port()
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx:
        inside = {
            "provider": PROVIDER.format(port=provider, body=BODY.decode()),
            "plain": PROXY.format(port=plain, provider=provider),
        }
        for name, port in (("provider", provider), ("plain", plain)):
            (root / f"{name}.conf").write_text(NGINX.format(folder=root, port=port, inside=inside[name]))
        serve, proxy = ([nginx, "-c", str(root / f"{name}.conf")] for name in ("provider", "plain"))
    else:
        own = [sys.executable, "-m", "benchmarks.exchange", "--serve"]
        serve, proxy = [*own, str(provider), "0"], [*own, str(plain), str(provider)]
    gates = {name: _one_gateway(root, name, provider) for name in ("ed25519", "sm2-sm3")}
    gates["two"] = _two_gateways(root, provider)
    share = {"ed25519": 1.0, "sm2-sm3": 0.4, "two": 0.5}
    run = [sys.executable, "-m", "furong_link.cli", "run"]
    acknowledged, seen = dict.fromkeys(gates, 0), _Rounds()

    def send(name: str, number: int, *, connections: int, per_second: float = 0.0) -> Result:
        gate = gates[name]
        made = messages(number, authority=gate.authority, key=gate.key)
        result = load(gate.port, made, connections=connections, per_second=per_second)
        acknowledged[name] += number
        return result

    try:
        with ExitStack() as stack:
            stack.enter_context(_process(serve, port=provider))
            stack.enter_context(_process(proxy, port=plain))
            pids = {}
            for name, gate in gates.items():
                for folder in gate.more:
                    port = int(SETTINGS_PORT.search((folder / "gateway.toml").read_text())[1])  # type: ignore[index]
                    stack.enter_context(_process([*run, str(folder)], port=port))
                pids[name] = stack.enter_context(_process([*run, str(gate.folder)], port=gate.port))
            for name in gates:
                send(name, 200, connections=8)  # connections are made, caches filled
            some = messages(1000, authority=gates["ed25519"].authority, key=gates["ed25519"].key)
            for _ in range(rounds):
                for name in gates:
                    number = int(count * share[name])
                    before = _cpu_seconds(pids[name])
                    result = send(name, number, connections=CONNECTIONS)
                    seen.note(name, number / result.seconds)
                    seen.note(f"cpu_{name}", (_cpu_seconds(pids[name]) - before) / number * 1e6)
                    if name == "ed25519":
                        times = load(plain, some * max(1, 4 * count // 1000), connections=CONNECTIONS)
                        seen.note("plain", len(times.took) / times.seconds)
                alone = send("ed25519", 300, connections=1).percentile(0.5)
                bare = load(plain, some[:300], connections=1).percentile(0.5)
                seen.note("one", alone)
                seen.note("added", alone - bare)
                pace = 0.7 * statistics.median(seen.found["ed25519"])
                steady = send("ed25519", count, connections=CONNECTIONS, per_second=pace)
                seen.note("p99", steady.percentile(0.99))
        lost = sum(_lost(gate, acknowledged[name]) for name, gate in gates.items())
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return {
        "peer": "nginx as plain reverse proxy" if nginx else "own wire code as plain proxy, no checks (no nginx here)",
        "ratio_ed25519": seen.ratio("ed25519"),
        "ratio_sm2": seen.ratio("sm2-sm3"),
        "ratio_two_gateways": seen.ratio("two"),
        "plain_per_s": seen.middle("plain", 0),
        "ed25519_per_s": seen.middle("ed25519", 0),
        "sm2_per_s": seen.middle("sm2-sm3", 0),
        "two_gateways_per_s": seen.middle("two", 0),
        "gateway_us_ed25519": seen.middle("cpu_ed25519", 0),
        "gateway_us_sm2": seen.middle("cpu_sm2-sm3", 0),
        "p50_ms_one_connection": seen.middle("one", 2),
        "added_p50_ms": seen.middle("added", 2),
        "p99_ms": seen.middle("p99", 1),
        "lost": lost,
        "messages": sum(acknowledged.values()),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> int:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--serve", nargs=2, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(_serve(*given.serve))
        return 0
    print(
        json.dumps(
            measure(rounds=1 if given.quick else 5, count=1500 if given.quick else 6000), indent=2, ensure_ascii=False
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
