"""``furong-gateway``: init (a new gateway's folder and keys), check (what is wrong with it), run."""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import signal
import socket
import ssl
import sys
import time
import tomllib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from furong_link.configuration import read_configuration
from furong_link.errors import ConfigurationError, LinkError
from furong_link.evidence import EvidenceLog
from furong_link.gateway import Gateway, Settings
from furong_link.keys import SoftwareKey, Verifier, verifier
from furong_link.verification import verify_log

SETTINGS = """\
# A gateway of the exchange. The key beside it never leaves this machine.
id = "{id}"
authority = "{authority}"  # host and port as callers name it
host = "127.0.0.1"
port = {port}

[operator]  # whose signature makes a configuration valid
algorithm = "{algorithm}"
public = "{public}"

[upstreams]  # service = "address of your own system"
# births = "http://127.0.0.1:8080/api"

# [tls]
# certificate = "gateway.pem"
# key = "gateway-tls.key"
# client_ca = "members.pem"  # with it, callers must show a certificate (mTLS)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns 0 when all is well, 1 when something is wrong, 2 for a wrong use."""
    parser = argparse.ArgumentParser(prog="furong-gateway", description="A gateway of the exchange · 交换网关")
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="make a gateway's folder, key and settings · 新建网关")
    init.add_argument("folder", type=Path)
    init.add_argument("--id", required=True, help="the gateway's code")
    init.add_argument("--authority", required=True, help="host:port as callers name it")
    init.add_argument("--operator", required=True, metavar="ALGORITHM:BASE64", help="the operator's public key")
    init.add_argument("--algorithm", choices=["ed25519", "sm2-sm3"], default="ed25519")
    for name, text in (
        ("check", "say what is wrong · 自检"),
        ("run", "serve · 运行"),
        ("verify", "verify the log offline · 离线验证"),
    ):
        commands.add_parser(name, help=text).add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    try:
        match given.command:
            case "init":
                return _init(given)
            case "check":
                return _check(given.folder)
            case "verify":
                return _verify(given.folder)
            case _:
                return asyncio.run(_run(given.folder))
    except (LinkError, OSError) as error:
        print(f"furong-gateway: {error}", file=sys.stderr)
        return 1


def _init(given: argparse.Namespace) -> int:
    algorithm, _, public = given.operator.partition(":")
    verifier(algorithm=algorithm, public=public)  # a wrong key is said now, not at the first start
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", given.id) or not re.fullmatch(
        r"[a-z0-9.-]+(:\d{1,5})?", given.authority
    ):
        raise ConfigurationError(
            "An id has small letters, digits and hyphens; an authority is host:port in small letters."
        )
    folder: Path = given.folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = SoftwareKey.generate(key_id=f"{given.id}/gateway/1", algorithm=given.algorithm)
    key.write(folder / "gateway.key")
    port = urlsplit(f"//{given.authority}").port or 8601
    text = SETTINGS.format(id=given.id, authority=given.authority, port=port, algorithm=algorithm, public=public)
    (folder / "gateway.toml").write_text(text)
    print(f"Made {folder}. Send this public key to the operator · 请将公钥交给运营方：")
    print(f"{key.key_id} {key.algorithm}:{key.public}")
    return 0


def read_settings(folder: Path) -> tuple[Settings, SoftwareKey, Verifier, ssl.SSLContext | None]:
    """Read a gateway's folder. Raises ConfigurationError or KeyFileError with what is wrong."""
    try:
        found: dict[str, Any] = tomllib.loads((folder / "gateway.toml").read_text())
        settings = Settings(
            id=found["id"],
            authority=found["authority"].lower(),
            folder=folder,
            upstreams=dict(found.get("upstreams", {})),
            host=found.get("host", "127.0.0.1"),
            port=found["port"],
            **found.get("limits", {}),
        )
        operator = verifier(algorithm=found["operator"]["algorithm"], public=found["operator"]["public"])
        tls = None
        if "tls" in found:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.minimum_version = ssl.TLSVersion.TLSv1_2
            tls.load_cert_chain(folder / found["tls"]["certificate"], folder / found["tls"]["key"])
            if "client_ca" in found["tls"]:
                tls.load_verify_locations(folder / found["tls"]["client_ca"])
                tls.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"gateway.toml: {type(error).__name__}: {error}") from error
    return settings, SoftwareKey.read(folder / "gateway.key"), operator, tls


def _check(folder: Path) -> int:
    """Try what running needs, one thing after another, and say each."""
    settings, key, operator, _ = read_settings(folder)
    wrong = 0

    def say(name: str, trouble: str = "") -> None:
        nonlocal wrong
        wrong += bool(trouble)
        print(f"{'✗' if trouble else '✓'} {name}{': ' + trouble if trouble else ''}")

    probe = b64encode(b"probe")
    say("key", "" if key.verifier().verify(probe, key.sign(probe)) else "does not verify what it signs")
    path = folder / "configuration.json"
    if not path.exists():
        say("configuration", "none yet; the operator has not approved this gateway")
    else:
        try:
            found = read_configuration(path.read_bytes(), operator=operator)
        except ConfigurationError as error:
            say("configuration", str(error))
        else:
            staleness = found.staleness(time.time())
            say(f"configuration {found.serial}", "" if staleness in ("fresh", "late") else staleness)
            known = found.gateways.get(settings.id)
            say("gateway is registered", "" if known == settings.authority else f"the operator has {known}")
            own = found.keys.get(key.key_id)
            say(
                "key is registered", "" if own is not None and own.is_valid(time.time()) else "unknown or not valid now"
            )
            for service in found.services.values():
                if service.gateway == settings.id:
                    say(f"service {service.id}", _reach(settings.upstreams.get(service.id)))
    log = EvidenceLog(folder / "evidence", signer=key, clock=time.time)
    try:
        log.open()
        say(f"evidence, {log.tree.size} records")
    except LinkError as error:
        say("evidence", str(error))
    finally:
        log.abandon()
    return 1 if wrong else 0


def _reach(address: str | None) -> str:
    if address is None:
        return "has no upstream in gateway.toml"
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=3).close()
    except OSError as error:
        return f"the system does not answer: {error.strerror or type(error).__name__}"
    return ""


def _verify(folder: Path) -> int:
    _, key, _, _ = read_settings(folder)
    report = verify_log(folder / "evidence", key=key.verifier())
    print(
        f"{report.records} records, {report.heads} heads, {report.erased} details erased, {report.unsealed} not under a head"
    )
    for finding in report.findings:
        print(f"✗ {finding}")
    return 1 if report.findings else 0


async def _run(folder: Path) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings, key, operator, tls = read_settings(folder)
    gateway = Gateway(settings=settings, signer=key, operator=operator, tls=tls)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await gateway.start()
    print(f"{settings.id} listens on {settings.host}:{gateway.port} (clock skew {settings.skew_seconds} s)", flush=True)
    await stop.wait()
    await gateway.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
