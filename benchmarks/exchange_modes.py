"""What files and events cost through a gateway with every check on: signature, grant, durable record, signed reply.

Batch: a file is fetched through the gateway (pieces checked by signature and digest, the whole by its digest, written
and synced) and, in turns, copied by ``cp`` and read by ``sha256sum`` on the same disk. ``batch_ratio`` is the one to the
other; ``filtered_rows_per_s`` is how fast a grant's fields and rows are applied to a CSV file, which happens once.

Subscribe: a provider's process sends signed batches of 50 events on four connections; a consumer's process waits for
them, has each take effect once in its SQLite inbox, and acknowledges. ``events_per_s`` is from the first sending to the
last acknowledgement. ``event_p99_ms`` is at a steady 3,000 events a second, from before the sending (so before the
commit) to the effect.

    python -m benchmarks.exchange_modes [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.exchange import _cpu_seconds, _free_port, _process
from furong_link.batch_store import Place, Store
from furong_link.batch_terms import filter_file
from furong_link.cli import main as gateway_command
from furong_link.client import Link
from furong_link.client_events import Event, Inbox, follow
from furong_link.configuration import sign_configuration
from furong_link.keys import SoftwareKey
from furong_link.verification import verify_log

STEADY_PER_S, BATCH, SENDERS = 3000, 50, 4


def _folder(root: Path) -> tuple[Path, int]:
    folder, port = root / "gateway", _free_port()
    operator = SoftwareKey.generate(key_id="operator")
    arguments = ["init", str(folder), "--id", "bench", "--authority", f"127.0.0.1:{port}"]
    if gateway_command([*arguments, "--operator", f"ed25519:{operator.public}"]) != 0:
        raise RuntimeError("the gateway was not made")
    with (folder / "gateway.toml").open("a") as file:
        file.write('\n[batch]\nservices = ["files"]\n\n[events]\nservices = ["born"]\n')
    now = datetime.now(UTC)
    valid = {
        "valid_from": (now - timedelta(days=1)).isoformat(),
        "valid_until": (now + timedelta(days=1)).isoformat(),
    }
    keys = []
    for member in ("hospital", "housing"):
        key = SoftwareKey.generate(key_id=f"{member}/1")
        key.write(root / f"{member}.key")
        keys.append({"id": key.key_id, "member": member, "algorithm": "ed25519", "public": key.public, **valid})
    whole = {"fields": None, "methods": ["GET"], "paths": ["/**"], "consumer": "housing", "purpose": "bench", **valid}
    part = {"fields": {"name": "name", "division": "keep", "sent": "keep"}}
    rows = {"rows": [{"field": "division", "prefixes": ["4302"]}]}
    payload = {
        "exchange": "bench",
        "serial": 1,
        "issued_at": now.isoformat(),
        "members": [{"id": "hospital"}, {"id": "housing"}],
        "keys": keys,
        "gateways": [{"id": "bench", "authority": f"127.0.0.1:{port}"}],
        "services": [{"id": name, "provider": "hospital", "gateway": "bench"} for name in ("files", "born")],
        "grants": [
            {"id": "files", "service": "files", **whole},
            {"id": "born", "service": "born", **whole, **part, **rows},
        ],
    }
    (folder / "configuration.json").write_bytes(sign_configuration(payload, signer=operator))
    return folder, port


def _link(root: Path, port: int, member: str) -> Link:
    gateway = SoftwareKey.read(root / "gateway" / "gateway.key").verifier()
    return Link(f"http://127.0.0.1:{port}", signer=SoftwareKey.read(root / f"{member}.key"), gateway_key=gateway)


# --- batch -------------------------------------------------------------------------------------------------------


def _batch(root: Path, port: int, pid: int, *, rounds: int, mib: int) -> dict[str, object]:
    source = root / "source.csv"
    block = secrets.token_bytes(1 << 20)
    with source.open("wb") as file:
        file.write(b"name\n")
        for _ in range(mib):
            file.write(block)
    store = Store(root / "gateway" / "batch" / "files")
    store.publish_copy(Place("big", 1, "csv"), source, now=time.time())
    store.close()
    megabytes = source.stat().st_size / 1e6
    ours, theirs, ratios, cpu = [], [], [], []
    with _link(root, port, "housing") as link:
        for _ in range(rounds):
            before = _cpu_seconds(pid)
            began = time.perf_counter()
            found = link.download("/files/big", grant="files", to=root / "got.csv")
            took = time.perf_counter() - began
            cpu.append((_cpu_seconds(pid) - before) / megabytes * 1e3)
            if found.size != source.stat().st_size:
                raise RuntimeError("the file is not whole")
            began = time.perf_counter()
            subprocess.run(["cp", str(source), str(root / "copy.csv")], check=True)
            subprocess.run(["sha256sum", str(root / "copy.csv")], check=True, stdout=subprocess.DEVNULL)
            plain = time.perf_counter() - began
            ours.append(megabytes / took)
            theirs.append(megabytes / plain)
            ratios.append(plain / took)
            for name in ("got.csv", "copy.csv"):
                (root / name).unlink()
    table = root / "table.csv"
    with table.open("w", encoding="utf-8") as out:
        out.write("name,number,division,weight_g,phone\n")
        for n in range(200_000):
            out.write(f"周芷沅,430290202611230018,{430290 if n % 2 else 430190},{n},13800000000\n")
    began = time.perf_counter()
    fields = {"name": "name", "number": "number", "division": "keep", "weight_g": "keep"}
    rows: list[Any] = [{"field": "division", "values": [], "prefixes": ["4302"]}]
    filter_file(table, root / "filtered.csv", format_="csv", fields=fields, rows=rows)
    filtered = 200_000 / (time.perf_counter() - began)
    return {
        "batch_mb_per_s": round(statistics.median(ours)),
        "cp_sha256_mb_per_s": round(statistics.median(theirs)),
        "batch_ratio": round(statistics.median(ratios), 2),
        "batch_gateway_ms_per_mb": round(statistics.median(cpu), 2),
        "filtered_rows_per_s": round(filtered),
        "file_mib": mib,
    }


# --- subscribe ---------------------------------------------------------------------------------------------------


def _send(root: Path, port: int, start: int, count: int, per_s: int) -> None:
    """The provider's process, on a few connections: as fast as it goes, or at a steady rate."""
    batches = list(range(start, start + count, BATCH))

    def work(lane: int) -> None:
        with _link(root, port, "hospital") as link:
            for at in batches[lane::SENDERS]:
                if per_s:
                    wait = began + (at - start) / per_s - time.perf_counter()
                    if wait > 0:
                        time.sleep(wait)
                events = [
                    Event(
                        source="bench",
                        type="born",
                        id=str(n),
                        key=f"{lane}-{n % 97}",
                        data={"name": "周芷沅", "division": "430290", "note": "x" * 200, "sent": time.time()},
                    )
                    for n in range(at, at + BATCH)
                ]
                link.send("born", "births", events)

    print(time.time(), flush=True)
    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as lanes:
        for done in [lanes.submit(work, lane) for lane in range(SENDERS)]:
            done.result()


def _take(root: Path, port: int, count: int) -> None:
    """The consumer's process: says in JSON when it was done and how long each event took."""
    took: list[float] = []

    def handle(event: Event, found: sqlite3.Connection) -> None:
        found.execute("INSERT INTO effect VALUES (?, ?)", (event.id, event.data["name"]))
        took.append(event.data["sent"])

    waits: list[float] = []
    effects = 0
    with _link(root, port, "housing") as link, Inbox(root / "inbox.db") as inbox:
        inbox._found.execute("CREATE TABLE IF NOT EXISTS effect (event TEXT PRIMARY KEY, name TEXT)")
        print("ready", flush=True)
        for found in follow(link, "/born/births", grant="born", inbox=inbox, handle=handle):
            now = time.time()
            effects += found.taken
            waits += [now - sent for sent in took]
            took.clear()
            if effects >= count:
                # The next message would say so; say it now, so that the last is acknowledged too.
                link.get(f"/born/births?after={found.position}&acknowledged={found.position}", grant="born")
                break
    waits.sort()
    print(
        json.dumps(
            {
                "done": time.time(),
                "p50": statistics.median(waits) * 1000,
                "p99": waits[int(len(waits) * 0.99)] * 1000,
                "effects": effects,
            }
        )
    )


def _run_events(root: Path, port: int, *, start: int, count: int, per_s: int) -> tuple[float, dict[str, Any]]:
    own = [sys.executable, "-m", "benchmarks.exchange_modes"]
    taking = subprocess.Popen([*own, "--take", str(root), str(port), str(count)], stdout=subprocess.PIPE, text=True)
    if taking.stdout is None or taking.stdout.readline() != "ready\n":
        raise RuntimeError("the consumer did not start")
    sent = subprocess.run(
        [*own, "--send", str(root), str(port), str(start), str(count), str(per_s)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    began = float(sent.stdout)
    found: dict[str, Any] = json.loads(taking.stdout.readline())
    taking.wait()
    taking.stdout.close()
    if found["effects"] != count:
        raise RuntimeError(f"{found['effects']} of {count} took effect")
    return found["done"] - began, found


def _events(root: Path, port: int, pid: int, *, rounds: int, count: int) -> dict[str, object]:
    rates, p50, p99, cpu, start = [], [], [], [], 0
    for _ in range(rounds):
        before = _cpu_seconds(pid)
        seconds, _found = _run_events(root, port, start=start, count=count, per_s=0)
        cpu.append((_cpu_seconds(pid) - before) / count * 1e6)
        rates.append(count / seconds)
        start += count
        _, found = _run_events(root, port, start=start, count=count, per_s=STEADY_PER_S)
        p50.append(found["p50"])
        p99.append(found["p99"])
        start += count
    with sqlite3.connect(root / "inbox.db") as inbox:
        effects = inbox.execute("SELECT count(*) FROM effect").fetchone()[0]
    return {
        "events_per_s": round(statistics.median(rates)),
        "event_p50_ms": round(statistics.median(p50), 1),
        "event_p99_ms": round(statistics.median(p99), 1),
        "event_gateway_us": round(statistics.median(cpu)),
        "events_in_a_message": BATCH,
        "connections": SENDERS,
        "lost_or_twice": abs(effects - start),
    }


def measure(*, rounds: int, mib: int, count: int) -> dict[str, object]:
    """Give the figures of both modes."""
    root = Path(tempfile.mkdtemp(prefix="furong-bench-", dir=Path.cwd()))
    try:
        folder, port = _folder(root)
        with _process([sys.executable, "-m", "furong_link.cli", "run", str(folder)], port=port) as pid:
            found = _batch(root, port, pid, rounds=rounds, mib=mib)
            found |= _events(root, port, pid, rounds=rounds, count=count)
        report = verify_log(folder / "evidence", key=SoftwareKey.read(folder / "gateway.key").verifier())
        if report.findings:
            raise RuntimeError(report.findings[0])
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return {
        **found,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> int:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--send", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--take", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.send:
        root, *numbers = given.send
        _send(Path(root), *map(int, numbers))
    elif given.take:
        root, port, count = given.take
        _take(Path(root), int(port), int(count))
    else:
        found = measure(
            rounds=1 if given.quick else 5, mib=128 if given.quick else 512, count=6000 if given.quick else 15_000
        )
        print(json.dumps(found, indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
