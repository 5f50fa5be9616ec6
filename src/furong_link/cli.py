"""``furong-gateway``: init (a new gateway's folder and keys), selftest (what is wrong with it), run, verify."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import ssl
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from furong_link import auditing, cli_peers, selftest
from furong_link.centre import SOFTWARE, Centre, Keeper
from furong_link.cli_more import add_commands, add_verify_options
from furong_link.enrolment import AUTHORITY, GATEWAY_ID, Request, fingerprint, key_id_of
from furong_link.errors import ConfigurationError, LinkError
from furong_link.gateway import Gateway, Settings
from furong_link.handover import KeyName
from furong_link.keys import SoftwareKey, verifier
from furong_link.message import BodySettings, PeerDoor
from furong_link.mode_settings import read_modes
from furong_link.running import die_with_parent, run
from furong_link.tracing import TracingSettings

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
# rows = {{address = "http://127.0.0.1:8000/rows", token = "what your system wants to be shown"}}
{centre}
# [tls]
# certificate = "gateway.pem"
# key = "gateway-tls.key"
# client_ca = "members.pem"  # with it, callers must show a certificate (mTLS)

# [systems]  # your own systems, which ask other members through this gateway: key = "ALGORITHM:BASE64"
# "housing/desk/1" = "ed25519:…"

# [certificates]  # systems that show a certificate instead of signing: SHA-256 of it = "name"

# [bodies]  # contents of questions and answers, sealed beside the evidence; without this only their digests are kept
# keep = true
# days = 30  # then the key of their day is destroyed
# partition = "day"  # or "month"

# [telemetry]  # OpenTelemetry traces, as OTLP over HTTP
# address = "http://127.0.0.1:4318"  # the collector's
# share = 0.1  # of the messages

# [peers]  # where other gateways meet this one, over mTLS; furong-gateway certificate makes both files
# host = "0.0.0.0"
# port = 8602
# address = "https://gateway.example:8602"  # as others reach it; the centre puts it into the configuration
# certificate = "peer.pem"
# key = "peer-tls.key"
"""
CENTRE = """
[centre]  # fetches the configuration, takes the reports
address = "{address}"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns 0 when all is well, 1 when something is wrong, 2 for a wrong use."""
    parser = argparse.ArgumentParser(prog="furong-gateway", description="A gateway of the exchange · 交换网关")
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="make a gateway's folder, key and settings · 新建网关")
    init.add_argument("folder", type=Path)
    init.add_argument("--id", required=True, help="the gateway's code")
    init.add_argument("--authority", required=True, help="host:port as callers name it")
    init.add_argument("--operator", metavar="ALGORITHM:BASE64", help="the operator's public key, when there is no code")
    init.add_argument("--centre", default="", metavar="URL", help="the operator's platform · 中心平台地址")
    init.add_argument("--code", default="", help="the one-time code that the operator gave you · 一次性接入码")
    init.add_argument("--address", default="", metavar="URL", help="where the centre reaches it; http://AUTHORITY")
    init.add_argument("--algorithm", choices=["ed25519", "sm2-sm3"], default="ed25519")
    for name, text in (
        ("check", "say what is missing before it runs · 启动前检查"),
        ("selftest", "say what is wrong while it runs · 运行自检"),
        ("run", "serve · 运行"),
        ("verify", "verify the log offline · 离线验证"),
    ):
        one = commands.add_parser(name, help=text)
        one.add_argument("folder", type=Path)
        if name == "verify":
            add_verify_options(one)
        else:
            one.add_argument("--centre", default="", metavar="URL", help="another centre than gateway.toml names")
        if name == "run":
            one.add_argument("--die-with-parent", action="store_true", help=argparse.SUPPRESS)
    add_commands(commands)
    cli_peers.add_commands(commands)
    given = parser.parse_args(arguments)
    try:
        if "run" in given:
            return int(given.run(given))
        match given.command:
            case "init":
                return _init(given)
            case "check" | "selftest":
                return _selftest(given.folder, given.centre, runs=given.command == "selftest")
            case "verify":
                return _verify(given)
            case _:
                if given.die_with_parent:
                    die_with_parent()
                return run(_run(given.folder, given.centre))
    except (LinkError, OSError) as error:
        print(f"furong-gateway: {error}", file=sys.stderr)
        return 1


def _init(given: argparse.Namespace) -> int:
    if not given.operator and not (given.centre and given.code):
        raise ConfigurationError(
            "Name the centre and the code that the operator gave you, or the operator's public key."
        )
    if not GATEWAY_ID.fullmatch(given.id) or not AUTHORITY.fullmatch(given.authority):
        raise ConfigurationError(
            "An id has small letters, digits and hyphens; an authority is host:port in small letters."
        )
    folder: Path = given.folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = folder / "gateway.key"
    # A second try after a centre that did not answer goes on with the same key.
    if place.exists():
        key = SoftwareKey.read(place)
    else:
        key = SoftwareKey.generate(key_id=key_id_of(given.id), algorithm=given.algorithm)
        key.write(place)
    told: dict[str, Any] = {}
    if given.code:
        told = _enrol(given, key)
        operator = f"{told['operator']['algorithm']}:{told['operator']['public']}"
    else:
        operator = given.operator
    algorithm, _, public = operator.partition(":")
    verifier(algorithm=algorithm, public=public)  # a wrong key is said now, not at the first start
    text = SETTINGS.format(
        id=given.id,
        authority=given.authority,
        port=urlsplit(f"//{given.authority}").port or 8601,
        algorithm=algorithm,
        public=public,
        centre=f'\n[centre]  # fetches the configuration, takes the reports\naddress = "{given.centre}"\n'
        if given.centre
        else "",
    )
    (folder / "gateway.toml").write_text(text)
    print(f"Made {folder}. The public key · 公钥：")
    print(f"{key.key_id} {key.algorithm}:{key.public}")
    print("Its fingerprint, for the operator to compare · 指纹，请与运营方核对：")
    print(f"    {fingerprint(algorithm=key.algorithm, public=key.public)}")
    if told:
        print(f"{told['exchange']}: {told['member']}. The operator approves · 等待运营方批准；then · 然后：")
        print(f"    furong-gateway run {folder}")
    else:
        print("Send the public key to the operator · 请将公钥交给运营方。")
    return 0


def _enrol(given: argparse.Namespace, key: SoftwareKey) -> dict[str, Any]:
    centre = Centre(given.centre, signer=key)
    try:
        return centre.enrol(
            Request(
                id=given.id,
                authority=given.authority,
                address=given.address or f"http://{given.authority}",
                key_id=key.key_id,
                algorithm=key.algorithm,
                public=key.public,
                software=SOFTWARE,
            ),
            code=given.code,
        )
    finally:
        centre.close()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the centre is, and the certificate whose end the reports tell; both may be missing."""

    centre: str
    certificate: Path | None


def read_place(folder: Path) -> Place:
    """Read of a gateway's folder what only the way to the centre needs. Raises ConfigurationError."""
    try:
        found: dict[str, Any] = tomllib.loads((folder / "gateway.toml").read_text())
        certificate = found.get("tls", {}).get("certificate")
        return Place(str(found.get("centre", {}).get("address", "")), folder / certificate if certificate else None)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"gateway.toml: {type(error).__name__}: {error}") from error


def _peer_door(folder: Path, found: dict[str, Any], authority: str) -> PeerDoor:
    return PeerDoor(
        address=found.get("address", f"https://{authority.partition(':')[0]}:{found['port']}"),
        host=found.get("host", "127.0.0.1"),
        port=found["port"],
        certificate=folder / found.get("certificate", "peer.pem"),
        key=folder / found.get("key", "peer-tls.key"),
    )


def read_settings(folder: Path) -> tuple[Settings, SoftwareKey, KeyName, ssl.SSLContext | None]:
    """Read a gateway's folder. Raises ConfigurationError or KeyFileError with what is wrong."""
    try:
        found: dict[str, Any] = tomllib.loads((folder / "gateway.toml").read_text())
        behind = {
            name: value if isinstance(value, dict) else {"address": value}
            for name, value in found.get("upstreams", {}).items()
        }
        settings = Settings(
            id=found["id"],
            authority=found["authority"].lower(),
            folder=folder,
            upstreams={name: value["address"] for name, value in behind.items()},
            tokens={name: value["token"] for name, value in behind.items() if value.get("token")},
            host=found.get("host", "127.0.0.1"),
            port=found["port"],
            systems=dict(found.get("systems", {})),
            certificates={name.lower(): str(system) for name, system in found.get("certificates", {}).items()},
            peers=_peer_door(folder, found["peers"], found["authority"].lower()) if "peers" in found else None,
            bodies=BodySettings(**found.get("bodies", {})),
            telemetry=TracingSettings(**found.get("telemetry", {})),
            **found.get("limits", {}),
        )
        operator = KeyName.of(f"{found['operator']['algorithm']}:{found['operator']['public']}")
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


def _selftest(folder: Path, centre: str, *, runs: bool) -> int:
    """Try what running needs, one thing after another, and say each; ``runs``: the gateway should answer already."""
    settings, key, operator, _ = read_settings(folder)
    wrong = 0
    for finding in selftest.run(settings, key, operator, centre=centre or read_place(folder).centre, runs=runs):
        wrong += bool(finding.trouble)
        print(f"{'✗' if finding.trouble else '✓'} {finding.what}{': ' + finding.trouble if finding.trouble else ''}")
    return 1 if wrong else 0


def _verify(given: argparse.Namespace) -> int:
    lines, sound = auditing.verify(
        given.folder, key=given.key, archives=given.archive, witnesses=given.witness, needed=given.needed
    )
    print("\n".join(lines))
    return 0 if sound else 1


async def _run(folder: Path, centre: str) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings, key, operator, tls = read_settings(folder)
    place = read_place(folder)
    gateway = Gateway(settings=settings, signer=key, operator=operator, tls=tls, modes=read_modes(folder))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await gateway.start()
    asked = Centre(address, signer=key) if (address := centre or place.centre) else None
    keeping = None
    if asked is not None:
        keeper = Keeper(gateway, asked, certificate=place.certificate)
        keeping = asyncio.create_task(keeper.run())
    print(f"{settings.id} listens on {settings.host}:{gateway.port} (clock skew {settings.skew_seconds} s)", flush=True)
    await stop.wait()
    await gateway.stop()
    if keeping is not None and asked is not None:  # last, so that the last counts and the last head are reported
        keeping.cancel()
        await asyncio.wait([keeping])
        asked.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
