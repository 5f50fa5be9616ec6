"""The exchange of the demo: three members with a gateway each, enrolled as any is, a hospital's own system, and the nation.

Each part is a process of its own without Django, beside web and worker. Members, services and grants are the pack's
(``demo/exchange.yaml``, ``demo/grants.yaml``); made once, they are found again at the next start, on the ports that are free.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.utils import timezone

from furong.entrypoints import hospital
from furong.entrypoints.postgres import free_port, port_is_free
from furong.foundation.access.values import Actor
from furong.foundation.codes.ids import new_id
from furong_link import nation
from furong_link.certificates import make_certificate, read_certificate
from furong_link.enrolment import Request, fingerprint, key_id_of, seal_request
from furong_link.keys import SoftwareKey, verifier

FIRST_PORT = 8601
SOFTWARE = "furong-link 0.1.0"
_ACTOR = Actor.system("furong demo")
_SETTINGS = """\
# A gateway of the demo's exchange; written anew at each start.
id = "{id}"
authority = "{authority}"
host = "127.0.0.1"
port = {port}

[operator]
algorithm = "ed25519"
public = "{operator}"

[centre]
address = "{centre}"

[upstreams]
{upstreams}

[peers]  # where other gateways meet it, over mTLS
host = "127.0.0.1"
port = {peer_port}
"""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the demo starts: by name the words of each process, and where gateways answer."""

    children: Mapping[str, list[str]] = field(default_factory=dict)
    gateways: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    systems: tuple[int, ...] = ()

    def is_ready(self) -> bool:
        """Say whether every gateway holds a configuration and can serve, and the members' own systems listen."""
        return all(map(_listens, self.systems)) and all(map(_is_ready, self.gateways.values()))


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _is_ready(authority: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{authority}/.furong/health", timeout=2) as answer:
            return bool(json.loads(answer.read()).get("ready"))
    except (OSError, ValueError):
        return False


def prepare(*, pack: Path, home: Path, centre: str, first_port: int | None = FIRST_PORT) -> Exchange:
    """Make or find the exchange in ``home`` and write what its processes read. Needs Django; nothing when the pack has none.

    Gateways take the ports from ``first_port`` on where these are free; with None any free ones, as beside another demo.
    """
    file = pack / "demo" / "exchange.yaml"
    if not file.exists():
        return Exchange()
    spec: dict[str, Any] = yaml.safe_load(file.read_text())
    folder = home / "exchange"
    folder.mkdir(mode=0o700, exist_ok=True)
    ports = _Ports(folder)
    _admit(spec, folder, ports, first_port)
    _publish(spec)
    nation_place = _meet_nation(spec, folder, ports, centre) if "node" in spec else None
    return _write(spec, folder, ports, centre, home, nation_place)


class _Ports:
    """The ports of the last start, where they are still free."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ports.json"
        self._kept: dict[str, int] = json.loads(self._path.read_text()) if self._path.exists() else {}
        self._given: dict[str, int] = {}

    def of(self, name: str, *, wanted: int = 0) -> int:
        """Give a port for ``name``, the same within this start."""
        if name not in self._given:
            port = self._kept.get(name, wanted)
            taken = set(self._given.values())
            self._given[name] = port if port and port not in taken and port_is_free(port) else free_port()
            self._path.write_text(json.dumps({**self._kept, **self._given}))
        return self._given[name]


def _admit(spec: Mapping[str, Any], folder: Path, ports: _Ports, first_port: int | None) -> None:
    """Members, gateways and systems, each by the command that an operator's page calls."""
    from furong.domains.exchange import commands, enrolling, queries
    from furong.domains.exchange.errors import MemberNotFound
    from furong.foundation.organizations import queries as organizations

    for number, one in enumerate(spec["members"]):
        code, gateway = one["code"], one["gateway"]
        now = timezone.now()
        wanted = 0 if first_port is None else first_port + number
        authority = f"127.0.0.1:{ports.of(gateway, wanted=wanted)}"
        address = f"http://{authority}"
        try:
            found = queries.get_member(member=code, actor=_ACTOR, now=now)
        except MemberNotFound:
            body = organizations.get_responsible(department=one["department"], division_code=str(one["division"]))
            secret = commands.admit_member(code=code, organization_id=body.id, actor=_ACTOR, now=now)
            key = _key(folder / gateway / "gateway.key", key_id_of(gateway))
            asked = Request(
                id=gateway,
                authority=authority,
                address=address,
                key_id=key.key_id,
                algorithm=key.algorithm,
                public=key.public,
                software=SOFTWARE,
            )
            enrolling.enrol_gateway(sent=seal_request(asked, code=secret, signer=key), actor=_ACTOR, now=now)
            commands.approve_gateway(
                gateway=gateway,
                fingerprint=fingerprint(algorithm=key.algorithm, public=key.public),
                actor=_ACTOR,
                now=now,
            )
            found = queries.get_member(member=code, actor=_ACTOR, now=now)
        if any(known.code == gateway and known.authority != authority for known in found.gateways):
            commands.move_gateway(gateway=gateway, authority=authority, address=address, actor=_ACTOR, now=now)
        _certify(folder / gateway, gateway, ports)
        held = {known.system for known in found.keys if known.system}
        for system in one.get("systems", ()):
            if system not in held:
                key = _key(folder / f"{code}-{system}.key", f"{code}/{system}/1")
                commands.register_key(
                    member=code, system=system, key=f"{key.algorithm}:{key.public}", actor=_ACTOR, now=now
                )


def _certify(place: Path, gateway: str, ports: _Ports) -> None:
    """Make the certificate by which other gateways know this one, and tell the centre what its report would tell."""
    from furong.domains.exchange import reporting

    certificate = place / "peer.pem"
    if not certificate.exists():
        make_certificate(certificate, place / "peer-tls.key", name=gateway)
    reporting.take_peer(
        gateway=gateway,
        address=f"https://127.0.0.1:{ports.of(f'{gateway}-peer')}",
        certificate=b64encode(read_certificate(certificate)[0]).decode(),
    )


def _meet_nation(spec: Mapping[str, Any], folder: Path, ports: _Ports, centre: str) -> Path:
    """Join the nation's twin as its operator and ours would, and ask it for what the pack says; it runs meanwhile."""
    from furong.domains.exchange.nodes import commands, queries, requests, tasks

    node = spec["node"]
    now = timezone.now()
    commands.name_node(
        code=node["code"],
        level=node["level"],
        zh=node["name"]["zh"],
        en=node["name"]["en"],
        address=centre.rstrip("/"),
        actor=_ACTOR,
        now=now,
    )
    place = folder / "nation"
    found = nation.Nation(
        place,
        port=ports.of("nation"),
        gateway_port=ports.of(nation.GATEWAY),
        peer_port=ports.of(f"{nation.GATEWAY}-peer"),
    )
    twin = nation.Twin(found)
    twin.start()
    try:
        if queries.get_cascade(actor=_ACTOR, now=now).upper is None:
            commands.join_upper(address=found.address, code=found.state["code"], actor=_ACTOR, now=now)
        tasks.keep(now=timezone.now())
        asked = {(one.consumer, one.resource) for one in queries.get_cascade(actor=_ACTOR, now=now).asks}
        for one in node.get("asks", ()):
            if (one["consumer"], one["resource"]) not in asked:
                requests.ask_node(**one, actor=_ACTOR, now=timezone.now())
        for _ in range(2):
            tasks.keep(now=timezone.now())
    finally:
        twin.stop()
    return place


def _key(path: Path, key_id: str) -> SoftwareKey:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.exists():
        return SoftwareKey.read(path)
    key = SoftwareKey.generate(key_id=key_id)
    key.write(path)
    return key


def _publish(spec: Mapping[str, Any]) -> None:
    from furong.domains.exchange import commands
    from furong.domains.exchange.errors import ServiceKnown

    for one in spec["services"]:
        try:
            commands.publish_service(
                code=one["code"],
                resource_code=one["resource"],
                gateway=one["gateway"],
                is_platforms=bool(one.get("platform")),
                actor=_ACTOR,
                now=timezone.now(),
            )
        except ServiceKnown:
            continue


def _write(
    spec: Mapping[str, Any], folder: Path, ports: _Ports, centre: str, home: Path, nation_place: Path | None
) -> Exchange:
    from furong.domains.cases import twins
    from furong.domains.exchange import issuing, shared_rows

    # What the hospital holds is its own from here on; the platform asks for it over the exchange.
    births, port = folder / "hospital" / "births.sqlite3", ports.of("hospital")
    hospital.write_file(births, twins.birth_rows())
    children = {"hospital": [sys.executable, "-m", "furong.entrypoints.hospital", str(births), "--port", str(port)]}
    gateways = {}
    for one in spec["members"]:
        gateway = one["gateway"]
        lines = [
            f'{service["code"]} = {{ address = "{centre}api/exchange/rows/{service["code"]}",'
            f' token = "{shared_rows.rows_token()}" }}'
            if service.get("platform")
            else f'{service["code"]} = "http://127.0.0.1:{port}"'
            for service in spec["services"]
            if service["gateway"] == gateway
        ]
        place, number = folder / gateway, ports.of(gateway)
        gateways[gateway] = f"127.0.0.1:{number}"
        settings = place / "gateway.toml"
        settings.touch(mode=0o600)
        settings.write_text(
            _SETTINGS.format(
                id=gateway,
                authority=gateways[gateway],
                port=number,
                operator=issuing.operator_public(),
                centre=centre.rstrip("/"),
                upstreams="\n".join(lines),
                peer_port=ports.of(f"{gateway}-peer"),
            )
        )
        children[gateway] = [sys.executable, "-m", "furong_link.cli", "run", str(place), "--die-with-parent"]
    if nation_place is not None:
        gateways[nation.GATEWAY] = f"127.0.0.1:{ports.of(nation.GATEWAY)}"
        words = [sys.executable, "-m", "furong_link.cli_nation", "nation-twin", str(nation_place)]
        children["nation"] = [*words, "--die-with-parent"]
    platform = spec["platform"]
    asks = {
        "FURONG_EXCHANGE_ASKS": "birth_records",
        "FURONG_EXCHANGE_KEY": str(folder / f"{platform['member']}-{platform['system']}.key"),
    }
    # A gateway begins with the newest configuration, and fetches the next itself.
    issuing.issue(now=timezone.now())
    newest = issuing.newest_file(beyond=0)
    if newest is not None:
        for gateway in (one["gateway"] for one in spec["members"]):
            (folder / gateway / "configuration.json").write_bytes(newest[1])
    return Exchange(children, gateways, folder, asks, systems=(port,))


def count_answers(exchange: Exchange, gateway: str) -> int:
    """Give how many messages a gateway has answered with what was asked for."""
    with urllib.request.urlopen(f"http://{exchange.gateways[gateway]}/.furong/metrics", timeout=5) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith('furong_gateway_messages_total{code="ok"}'):
                return int(float(line.rpartition(" ")[2]))
    return 0


def ask_marriage(
    exchange: Exchange, *, member: str = "zz-housing", system: str = "rental", service: str = "marriages"
) -> Mapping[str, Any]:
    """Ask the marriage register about the demo's mother as the housing office does: at its own gateway, which asks on.

    Gives the proven record of the first gateway, which names the second's. Raises what the client raises: `Refused`,
    `UnverifiedReplyError`, `UnreachableError`.
    """
    from furong.registries.population import demo

    target = f"/one/{demo.person_id('mother')}?case={new_id()}"
    return _ask(exchange, member=member, system=system, service=service, target=target)


def ask_nation(exchange: Exchange, *, service: str = "national-marriage", keys: int = 8) -> Mapping[str, Any]:
    """Ask the nation's twin about invented keys, as the platform's system does, until it has rows; the record as above."""
    for number in range(keys):
        with contextlib.suppress(LookupError):
            return _ask(exchange, member="hunan", system="platform", service=service, target=f"/one/invented-{number}")
    raise LookupError(f"{service} has no rows")


def _ask(exchange: Exchange, *, member: str, system: str, service: str, target: str) -> Mapping[str, Any]:
    from furong.domains.exchange import issuing
    from furong_link.client import Link

    newest = issuing.newest_file(beyond=0)
    if newest is None or exchange.folder is None:
        raise LookupError("nothing was issued")
    payload = json.loads(b64decode(json.loads(newest[1])["payload"]))
    grant = next(g["id"] for g in payload["grants"] if (g["consumer"], g["service"]) == (member, service))
    gateway = next(g for g in payload["gateways"] if g["member"] == member)
    key = next(k for k in payload["keys"] if k["id"] == gateway["key"])
    with Link(
        gateway["address"],
        signer=SoftwareKey.read(exchange.folder / f"{member}-{system}.key"),
        gateway_key=verifier(algorithm=key["algorithm"], public=key["public"]),
    ) as link:
        answer = link.get(f"/{service}{target}", grant=grant)
        if not answer.json()["rows"]:
            raise LookupError("there is no row")
        return link.receipt(answer).record
