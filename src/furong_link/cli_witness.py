"""``furong-gateway witness``: init, look (once), run (look again and again, and give out what was co-signed)."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from furong_link.archive import canonical
from furong_link.auditing import read_key, read_toml
from furong_link.errors import ConfigurationError
from furong_link.keys import SUITES, SoftwareKey, verifier
from furong_link.witness import NAME, AwayError, Watched, Witness, WitnessError

SETTINGS = """\
# A witness of gateways' logs. Let somebody run it whom the exchange's operator does not command.
id = "{id}"
host = "127.0.0.1"
port = {port}
look_seconds = 10
"""
GATEWAY = """
[[gateways]]
id = "{id}"
address = "{address}"
key = "{key}"
"""
logger = logging.getLogger("furong_link")


def add_commands(commands: Any) -> None:
    """Add the command and its actions."""
    witness = commands.add_parser("witness", help="co-sign gateways' heads outside the operator's hands · 见证")
    actions = witness.add_subparsers(dest="action", required=True)
    init = actions.add_parser("init", help="make a witness's folder and key · 新建见证方")
    init.add_argument("folder", type=Path)
    init.add_argument("--id", required=True)
    init.add_argument("--port", type=int, default=8611)
    init.add_argument("--algorithm", choices=sorted(SUITES), default="ed25519")
    init.add_argument(
        "--watch",
        nargs=3,
        action="append",
        default=[],
        metavar=("GATEWAY", "ADDRESS", "KEY"),
        help="a gateway to look at",
    )
    init.set_defaults(run=_init)
    for name, text, run in (("look", "look once · 查看一次", _look), ("run", "look again and again · 持续见证", _run)):
        one = actions.add_parser(name, help=text)
        one.add_argument("folder", type=Path)
        one.set_defaults(run=run)


def _init(given: argparse.Namespace) -> int:
    if not NAME.fullmatch(given.id):
        raise ConfigurationError("An id has small letters, digits and hyphens.")
    text = SETTINGS.format(id=given.id, port=given.port)
    for gateway, address, key in given.watch:
        algorithm, public = read_key(key)
        verifier(algorithm=algorithm, public=public)
        text += GATEWAY.format(id=gateway, address=address.rstrip("/"), key=f"{algorithm}:{public}")
    folder: Path = given.folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = SoftwareKey.generate(key_id=f"{given.id}/witness/1", algorithm=given.algorithm)
    key.write(folder / "witness.key")
    (folder / "witness.toml").write_text(text)
    (folder / "witness.pub").write_text(f"{key.key_id} {key.algorithm}:{key.public}\n")
    print(f"Made {folder}. Give this public key to those who check · 请将公钥交给核验者：")
    print(f"{key.key_id} {key.algorithm}:{key.public}")
    return 0


def read_witness(folder: Path) -> tuple[Witness, list[Watched], dict[str, Any]]:
    """Read a witness's folder. Raises ConfigurationError, KeyFileError or WitnessError with what is wrong."""
    found: dict[str, Any] = read_toml(folder / "witness.toml")
    key = SoftwareKey.read(folder / "witness.key")
    try:
        watched = []
        for gateway in found.get("gateways", []):
            algorithm, public = read_key(gateway["key"])
            address = str(gateway["address"]).rstrip("/")
            if not NAME.fullmatch(gateway["id"]) or not address.startswith(("http://", "https://")):
                raise ValueError("a gateway has an id and an address")
            watched.append(Watched(gateway["id"], address, verifier(algorithm=algorithm, public=public)))
        witness = Witness(folder, id_=str(found["id"]), signer=key, own_key=key.verifier(), clock=time.time)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"witness.toml: {type(error).__name__}: {error}") from error
    return witness, watched, found


def _each(witness: Witness, watched: list[Watched]) -> bool:
    """Look at every gateway and say what was found; False when one of them is not what it was."""
    sound = True
    for gateway in watched:
        try:
            found = witness.look(gateway)
        except WitnessError as error:
            sound = False
            logger.critical("%s (%s)", error, error.cause)
            print(f"✗ {gateway.id}: {error.cause}: {error}", flush=True)
        except AwayError as error:
            logger.warning("%s", error)
            print(f"· {gateway.id}: {error}", flush=True)
        except OSError as error:
            # What cannot be written is not co-signed; the next look tries again.
            sound = False
            print(f"✗ {gateway.id}: cannot be written: {error.strerror}", flush=True)
        else:
            print(f"✓ {gateway.id}: {found.head.size if found else 0} records", flush=True)
    return sound


def _look(given: argparse.Namespace) -> int:
    witness, watched, _ = read_witness(given.folder)
    return 0 if _each(witness, watched) else 1


def serve(witness: Witness, watched: list[Watched], *, host: str, port: int) -> ThreadingHTTPServer:
    """Give a server of what was co-signed: ``/heads/GATEWAY`` the last, ``/files/GATEWAY`` all, ``/health`` the alarms."""
    known = {gateway.id for gateway in watched}

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, content = self._answer()
            head = f"HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content)

        def _answer(self) -> tuple[int, bytes]:
            what, _, gateway = self.path.lstrip("/").partition("/")
            if what == "health" and not gateway:
                alarms = witness.alarms()
                return 503 if alarms else 200, json.dumps({"alarms": alarms}).encode()
            last = witness.last(gateway) if gateway in known else None
            if last is None or what not in ("heads", "files"):
                return 404, b"{}"
            return 200, canonical(last.as_json()).encode() if what == "heads" else witness.path(gateway).read_bytes()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer((host, port), Door)


def _run(given: argparse.Namespace) -> int:
    witness, watched, settings = read_witness(given.folder)
    host = str(settings.get("host", "127.0.0.1"))
    server = serve(witness, watched, host=host, port=int(settings.get("port", 8611)))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"{settings['id']} listens on {host}:{server.server_port}", flush=True)
    while not stop.is_set():
        _each(witness, watched)
        stop.wait(float(settings.get("look_seconds", 10)))
    server.shutdown()
    server.server_close()
    return 0
