"""What a gateway costs with every check on: signature, grant, fields, replay guard, durable record, signed reply.

64 connections send signed messages (340-byte class requests, a reply of about 900 bytes) through one gateway to a
provider; beside it, in turns, the same load goes through a plain reverse proxy to the same provider. The plain proxy is
nginx where nginx is installed. Where it is not, it is this package's own wire code without any check (``peer`` says
which), and ``ratio_ed25519`` is then NOT the ratio that the README's limit speaks of: that proxy is slower than nginx.
`gateway_us` is the gateway process's own CPU for a message, which does not depend on the peer.

Messages are signed beforehand, so that the load costs little; each is sent once. Medians of five rounds.

    python -m benchmarks.exchange [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from furong_link import profile, wire
from furong_link.cli import main as gateway_command
from furong_link.configuration import sign_configuration
from furong_link.errors import Refusal
from furong_link.keys import SoftwareKey
from furong_link.upstream import Upstream
from furong_link.verification import verify_log

CONNECTIONS = 64
ROW = {"id": "0", "division": "430290", "name": "周芷沅", "note": "x" * 700, "weight_g": 3200, "hidden": "y" * 60}
BODY = json.dumps(ROW, ensure_ascii=False).encode()

NGINX = """
worker_processes 1; daemon off; error_log stderr error; pid {folder}/pid;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
 uwsgi_temp_path {folder}; scgi_temp_path {folder};
 upstream provider {{ server 127.0.0.1:{provider}; keepalive 128; }}
 server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000;
  location / {{ proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; }} }} }}
"""


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


def _messages(count: int, *, authority: str, key: SoftwareKey) -> list[bytes]:
    """Sign ``count`` different messages."""
    digest, found = profile.content_digest(b"", algorithm=key.algorithm), []
    for _ in range(count):
        message = secrets.token_hex(16)
        request = profile.Request("GET", authority, "/births/one/1", "application/json", digest, "bench", message)
        signed = profile.sign_request(request, signer=key, created=int(time.time()), nonce=secrets.token_urlsafe(16))
        headers = {
            "host": authority,
            "content-type": "application/json",
            "content-digest": digest,
            "furong-grant": "bench",
            "furong-message": message,
            **signed.headers(),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        found.append(f"GET {request.target} HTTP/1.1\r\n{lines}\r\n".encode())
    return found


class _Caller(asyncio.Protocol):
    """Sends the next message as soon as the last was answered whole."""

    def __init__(self, messages: Iterator[bytes], took: list[float], bad: list[bytes]) -> None:
        self._messages, self._took, self._bad = messages, took, bad
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._next()

    def _next(self) -> None:
        data = next(self._messages, None)
        if data is None:
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, content = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(content) < length:
            return
        self._took.append(time.perf_counter() - self._began)
        if not head.startswith(b"HTTP/1.1 200"):
            self._bad.append(self._buffer)
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def _load(port: int, messages: list[bytes], connections: int) -> tuple[float, list[float]]:
    took: list[float] = []
    bad: list[bytes] = []
    rest = iter(messages)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    callers = await asyncio.gather(
        *(loop.create_connection(lambda: _Caller(rest, took, bad), "127.0.0.1", port) for _ in range(connections))
    )
    await asyncio.gather(*(caller.done for _, caller in callers))
    seconds = time.perf_counter() - began
    if bad or len(took) != len(messages):
        raise RuntimeError(f"{len(bad)} refused, {len(messages) - len(took)} lost: {bad[:1]}")
    return seconds, took


def _gateway_folder(root: Path, algorithm: str, provider: int) -> tuple[Path, str, int, SoftwareKey]:
    folder, port = root / algorithm, _free_port()
    authority = f"127.0.0.1:{port}"
    operator = SoftwareKey.generate(key_id="operator", algorithm=algorithm)
    caller = SoftwareKey.generate(key_id="housing/1", algorithm=algorithm)
    arguments = ["init", str(folder), "--id", "bench", "--authority", authority, "--algorithm", algorithm]
    if gateway_command([*arguments, "--operator", f"{algorithm}:{operator.public}"]) != 0:
        raise RuntimeError("the gateway was not made")
    with (folder / "gateway.toml").open("a") as file:
        file.write(f'births = "http://127.0.0.1:{provider}"\n')
    now = datetime.now(UTC)
    valid = {
        "valid_from": (now - timedelta(days=1)).isoformat(),
        "valid_until": (now + timedelta(days=1)).isoformat(),
    }
    payload = {
        "exchange": "bench",
        "serial": 1,
        "issued_at": now.isoformat(),
        "members": [{"id": "hospital"}, {"id": "housing"}],
        "keys": [{"id": caller.key_id, "member": "housing", "algorithm": algorithm, "public": caller.public, **valid}],
        "gateways": [{"id": "bench", "authority": authority}],
        "services": [{"id": "births", "provider": "hospital", "gateway": "bench"}],
        "grants": [
            {
                "id": "bench",
                "consumer": "housing",
                "service": "births",
                "purpose": "bench",
                "methods": ["GET"],
                "paths": ["/one/*"],
                "fields": {"id": "keep", "name": "name", "note": "keep", "weight_g": "keep", "division": "keep"},
                "rows": [{"field": "division", "prefixes": ["4302"]}],
                "quota": {"calls": 100_000_000, "seconds": 86_400},
                **valid,
            }
        ],
    }
    (folder / "configuration.json").write_bytes(sign_configuration(payload, signer=operator))
    return folder, authority, port, caller


def measure(*, rounds: int, count: int) -> dict[str, object]:
    """Give the figures. ``count`` messages a round through the Ed25519 gateway, a third through the SM2 one."""
    root = Path(tempfile.mkdtemp(prefix="furong-bench-"))
    provider, plain = _free_port(), _free_port()
    own = [sys.executable, "-m", "benchmarks.exchange", "--serve"]
    nginx = shutil.which("nginx")
    if nginx:
        (root / "nginx.conf").write_text(NGINX.format(folder=root, provider=provider, port=plain))
        proxy = [nginx, "-c", str(root / "nginx.conf")]
    else:
        proxy = [*own, str(plain), str(provider)]
    gateways = {name: _gateway_folder(root, name, provider) for name in ("ed25519", "sm2-sm3")}
    run = [sys.executable, "-m", "furong_link.cli", "run"]
    rates: dict[str, list[float]] = {"plain": [], "ed25519": [], "sm2-sm3": []}
    cpu: dict[str, list[float]] = {"ed25519": [], "sm2-sm3": []}
    one: dict[str, list[float]] = {"plain": [], "ed25519": []}
    acknowledged = dict.fromkeys(gateways, 0)
    try:
        with (
            _process([*own, str(provider), "0"], port=provider),
            _process(proxy, port=plain),
            _process([*run, str(gateways["ed25519"][0])], port=gateways["ed25519"][2]) as first,
            _process([*run, str(gateways["sm2-sm3"][0])], port=gateways["sm2-sm3"][2]) as second,
        ):
            pids = {"ed25519": first, "sm2-sm3": second}
            for _ in range(rounds):
                for name, (_, authority, port, key) in gateways.items():
                    messages = _messages(count if name == "ed25519" else count // 3, authority=authority, key=key)
                    before = _cpu_seconds(pids[name])
                    seconds, _took = asyncio.run(_load(port, messages, CONNECTIONS))
                    rates[name].append(len(messages) / seconds)
                    cpu[name].append((_cpu_seconds(pids[name]) - before) / len(messages) * 1e6)
                    acknowledged[name] += len(messages)
                    if name == "ed25519":
                        seconds, _took = asyncio.run(_load(plain, messages * 2, CONNECTIONS))
                        rates["plain"].append(2 * len(messages) / seconds)
                        alone = _messages(300, authority=authority, key=key)
                        for where, at in (("ed25519", port), ("plain", plain)):
                            one[where].append(statistics.median(asyncio.run(_load(at, alone, 1))[1]) * 1000)
                        acknowledged[name] += len(alone)
        lost = 0
        for name, (folder, *_) in gateways.items():
            report = verify_log(folder / "evidence", key=SoftwareKey.read(folder / "gateway.key").verifier())
            if report.findings:
                raise RuntimeError(report.findings[0])
            lost += max(0, acknowledged[name] - report.records)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    middle = {name: statistics.median(found) for name, found in rates.items()}
    return {
        "peer": "nginx as plain reverse proxy" if nginx else "own wire code as plain proxy, no checks (no nginx here)",
        "ratio_ed25519": round(
            statistics.median(a / b for a, b in zip(rates["ed25519"], rates["plain"], strict=True)), 3
        ),
        "ratio_sm2": round(statistics.median(a / b for a, b in zip(rates["sm2-sm3"], rates["plain"], strict=True)), 3),
        "plain_per_s": round(middle["plain"]),
        "ed25519_per_s": round(middle["ed25519"]),
        "sm2_per_s": round(middle["sm2-sm3"]),
        "gateway_us_ed25519": round(statistics.median(cpu["ed25519"])),
        "gateway_us_sm2": round(statistics.median(cpu["sm2-sm3"])),
        "p50_ms_one_connection": round(statistics.median(one["ed25519"]), 2),
        "added_p50_ms": round(statistics.median(a - b for a, b in zip(one["ed25519"], one["plain"], strict=True)), 2),
        "lost": lost,
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
