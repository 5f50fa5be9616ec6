"""The nation's node, a twin: an exchange above the province's, in one small process without Django, with invented registers.

It admits a lower node by a code, gives it signed documents, takes what it states and asks for, and decides at once as its rule
says: what is shared on no condition is granted, what is shared on a condition is granted when a legal basis is named. Its own
gateway answers signed queries of the lower node's members by mTLS, and keeps evidence of its own. What it withdraws is pushed.

    furong exchange nation-twin FOLDER     runs it; prints the code with which a province joins
    furong exchange nation-withdraw FOLDER GRANT
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from furong_link import enrolment, nodes, profile
from furong_link.centre import WORD, Centre
from furong_link.certificates import make_certificate, read_certificate
from furong_link.configuration import sign_configuration
from furong_link.errors import ConfigurationError, LinkError
from furong_link.errors import Refusal as LinkRefusal
from furong_link.gateway import Gateway, Settings
from furong_link.handover import KeyName, Trust
from furong_link.keys import SoftwareKey, verifier
from furong_link.message import PeerDoor

CODE, MEMBER, GATEWAY = "nation", "mca", "nation-1"
NAME = {"zh": "国家数据交换节点（模拟）", "en": "The nation's node (a twin)"}
PROVIDER = {"zh": "民政部（模拟）", "en": "Ministry of civil affairs (a twin)"}
RENEW_SECONDS, TICK_SECONDS = 120.0, 0.5
MAX_BODY = 16 * 1024 * 1024
# What it offers. Rows are made from the key that is asked for, so that the twin knows no person.
RESOURCES: Mapping[str, Mapping[str, Any]] = {
    "national_marriage": {
        "service": "national-marriage",
        "name": {"zh": "外省婚姻登记核验", "en": "Marriages registered in other provinces"},
        "sharing": "conditional",
        "items": {
            "is_registered": {"zh": "是否有登记", "en": "registered or not"},
            "state": {"zh": "婚姻状态", "en": "state of the marriage"},
            "province": {"zh": "登记省份", "en": "province of registration"},
            "registered_on": {"zh": "登记日期", "en": "date of registration"},
        },
    },
    "national_residence": {
        "service": "national-residence",
        "name": {"zh": "外省户籍核验", "en": "Residence in other provinces"},
        "sharing": "unconditional",
        "items": {
            "is_registered": {"zh": "是否有登记", "en": "registered or not"},
            "province": {"zh": "户籍省份", "en": "province of residence"},
        },
    },
}
_REQUEST = ("id", "resource", "consumer", "items", "days", "scenario", "legal_basis")
_PROVINCES = ("广东省", "湖北省", "江西省", "贵州省")


def rows_of(service: str, key: str) -> list[dict[str, Any]]:
    """Give the invented rows of a key: the same each time, and none for one key in four."""
    number = sha256(f"{service}|{key}".encode()).digest()
    if number[0] % 4 == 0:
        return []
    row: dict[str, Any] = {"is_registered": True, "province": _PROVINCES[number[1] % len(_PROVINCES)]}
    if service == "national-marriage":
        row |= {"state": "married", "registered_on": f"20{10 + number[2] % 15}-0{1 + number[3] % 9}-15"}
    return [row]


class Nation:
    """The twin's state, kept in ``folder``. Methods may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        gateway_port: int = 0,
        peer_port: int = 0,
        organization: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``organization``: the credit code under which lower nodes know its member. ``clock`` gives Unix seconds."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._organization, self.clock = organization, clock
        self.folder, self._lock = folder, threading.RLock()
        self.key = self._key(folder / "node.key", nodes.key_id_of(CODE))
        self.gateway_key = self._key(folder / "gateway" / "gateway.key", enrolment.key_id_of(GATEWAY))
        self.desk = self._key(folder / "desk.key", f"{MEMBER}/desk/1")
        self._place = folder / "state.json"
        self.state: dict[str, Any] = {"serial": 0, "nodes": {}, "asks": {}, "asked": {}, "withdrawn": [], "ports": {}}
        if self._place.exists():
            self.state |= json.loads(self._place.read_text())
        for node in self.state["nodes"].values():  # of before keys changed
            node.setdefault("trust", Trust(KeyName(node["algorithm"], node["public"])).as_json())
            node.setdefault("spent", [])
        ports = self.state["ports"]
        for name, given in (("node", port), ("gateway", gateway_port), ("peer", peer_port)):
            ports[name] = given or ports.get(name) or free_port()
        # Kept for its own commands: whoever reads the folder may withdraw.
        ports.setdefault("token", secrets.token_urlsafe(24))
        self.state.setdefault("code", enrolment.new_code())
        certificate = folder / "gateway" / "peer.pem"
        if not certificate.exists():
            make_certificate(certificate, folder / "gateway" / "peer-tls.key", name=GATEWAY)
        self._certificate = read_certificate(certificate)[0]
        self._file = b""
        self._issued: tuple[str, float] = ("", 0.0)
        self.save()

    @staticmethod
    def _key(path: Path, key_id: str) -> SoftwareKey:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            return SoftwareKey.read(path)
        key = SoftwareKey.generate(key_id=key_id)
        key.write(path)
        return key

    def save(self) -> None:
        """Write the state."""
        draft = self._place.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(self.state, ensure_ascii=False))
        draft.rename(self._place)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    @property
    def address(self) -> str:
        """Where lower nodes reach it."""
        return f"http://127.0.0.1:{self.state['ports']['node']}"

    # --- what it says ---------------------------------------------------------------------------------------------------

    def payload(self) -> dict[str, Any]:
        """Give the whole exchange: its own, and who the lower nodes say their members are."""
        now = self._now()
        own: dict[str, Any] = {
            "exchange": CODE,
            "max_stale_seconds": 86_400,
            "members": [{"id": MEMBER, "name": PROVIDER, "organization": self._organization}],
            "keys": [
                {
                    "id": key.key_id,
                    "member": MEMBER,
                    "algorithm": key.algorithm,
                    "public": key.public,
                    "valid_from": "2020-01-01T00:00:00+00:00",
                    "valid_until": "2100-01-01T00:00:00+00:00",
                }
                for key in (self.gateway_key, self.desk)
            ],
            "gateways": [
                {
                    "id": GATEWAY,
                    "authority": f"127.0.0.1:{self.state['ports']['gateway']}",
                    "address": f"http://127.0.0.1:{self.state['ports']['gateway']}",
                    "member": MEMBER,
                    "key": self.gateway_key.key_id,
                    "peer": {
                        "address": f"https://127.0.0.1:{self.state['ports']['peer']}",
                        "certificates": [b64encode(self._certificate).decode()],
                    },
                }
            ],
            "services": [
                {"id": one["service"], "provider": MEMBER, "gateway": GATEWAY, "rows_at": "rows", "resource": code}
                for code, one in RESOURCES.items()
            ],
            "grants": [],
        }
        for node in self._live().values():
            if node["ends_at"] > now.timestamp():
                own, _ = nodes.joined(own, node["taken"], ends_at=node["ends_at"])
        members = {one["id"] for one in own["members"]}
        own["grants"] += [
            grant for grant in map(self._grant, self.state["asks"].values()) if grant and grant["consumer"] in members
        ]
        return own

    def _grant(self, ask: Mapping[str, Any]) -> dict[str, Any] | None:
        if ask["state"] != "granted" or ask["id"] in self.state["withdrawn"] or ask["node"] not in self._live():
            return None
        since = datetime.fromisoformat(ask["decided_at"])
        return {
            "id": ask["id"],
            "consumer": ask["consumer"],
            "service": RESOURCES[ask["resource"]]["service"],
            "purpose": ask["scenario"][:200],
            "methods": ["GET"],
            "paths": ["/one/*"],
            "fields": dict.fromkeys(ask["items"], "keep"),
            "rows": [],
            "quota": {"calls": 10_000, "seconds": 86_400},
            "valid_from": (since - timedelta(minutes=1)).isoformat(),
            "valid_until": (since + timedelta(days=ask["days"])).isoformat(),
        }

    def _live(self) -> dict[str, Any]:
        return {code: one for code, one in self.state["nodes"].items() if one["state"] == "live"}

    def configuration(self) -> tuple[bytes, bool]:
        """Give the file of its own gateway's configuration, and whether it is a new one."""
        with self._lock:
            payload = self.payload()
            digest = nodes.digest_of(payload)
            if self._file and digest == self._issued[0] and self.clock() - self._issued[1] < RENEW_SECONDS:
                return self._file, False
            self.state["serial"] += 1
            self._issued = (digest, self.clock())
            whole = {**payload, "serial": self.state["serial"], "issued_at": self._now().isoformat()}
            self._file = sign_configuration(whole, signer=self.key)
            (self.folder / "gateway" / "configuration.json").write_bytes(self._file)
            self.save()
            return self._file, True

    def document(self, code: str) -> tuple[int, bytes]:
        """Give a lower node's document with its number, made anew when it says something new or is two minutes old."""
        with self._lock:
            node = self._live()[code]
            payload = self.payload()
            asked = [one for one in self.state["asked"].values() if one["node"] == code]
            stated = {MEMBER} if any(one["state"] != "refused" for one in asked) else set()
            parts = nodes.merged(
                nodes.stating(payload, members=stated),
                nodes.concerning(payload, members=nodes.members_of(node["taken"]) - {MEMBER}),
            )
            parts["requests"] = [{name: one[name] for name in _REQUEST} for one in asked]
            parts["nodes"] = [{"code": CODE, "level": "nation", "name": NAME, "above": "", "address": self.address}]
            parts["catalogue"] = [
                {
                    "code": name,
                    "node": CODE,
                    "name": one["name"],
                    "provider": PROVIDER,
                    "sharing": one["sharing"],
                    "items": [{"code": item, "name": words} for item, words in one["items"].items()],
                }
                for name, one in RESOURCES.items()
            ]
            parts["answers"] = [
                {
                    "id": ask["id"],
                    "state": "refused" if ask["id"] in self.state["withdrawn"] else ask["state"],
                    "number": ask["number"],
                    "note": "withdrawn" if ask["id"] in self.state["withdrawn"] else ask["note"],
                }
                for ask in self.state["asks"].values()
                if ask["node"] == code
            ]
            digest = nodes.digest_of(parts)
            if node["given_digest"] != digest or self.clock() - node["given_at"] > RENEW_SECONDS:
                node["given_serial"] += 1
                node["given_digest"], node["given_at"] = digest, self.clock()
            # The time stands with the number, so that a document has one form however often it is given.
            at = datetime.fromtimestamp(node["given_at"], UTC)
            file = nodes.sign_document(
                parts, sender=CODE, recipient=code, serial=node["given_serial"], issued_at=at, signer=self.key
            )
            self.save()
            return node["given_serial"], file

    # --- what it is told ------------------------------------------------------------------------------------------------

    def join(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Admit a lower node by the code, at once: nobody is called on the telephone. Raises ConfigurationError."""
        with self._lock:
            asked = nodes.read_joining(sent, secret=enrolment.secret_of(self.state["code"]))
            known = self.state["nodes"].get(asked.node)
            if known is not None and known["public"] not in ("", asked.public):
                raise ConfigurationError("There is a node of this code already.")
            if known is not None and asked.public in known["spent"]:
                raise ConfigurationError("This key was taken away.")
            if not nodes.is_below(asked.level, "nation"):
                raise ConfigurationError("It does not stand below.")
            trust = Trust(KeyName.of(f"{asked.algorithm}:{asked.public}"), int(asked.number)).as_json()
            empty = {
                "spent": [],
                "taken": {**dict.fromkeys(nodes.PARTS, ()), "requests": []},
                "taken_serial": 0,
                "ends_at": 0.0,
            }
            self.state["nodes"][asked.node] = {
                **(known or {**empty, "given_serial": 0, "given_digest": "", "given_at": 0.0}),
                **asked.as_json(),
                "trust": trust,
                "state": "live",
            }
            self.save()
            return enrolment.seal_answer(
                {
                    "node": CODE,
                    "level": "nation",
                    **NAME,
                    "algorithm": self.key.algorithm,
                    "public": self.key.public,
                },
                secret=enrolment.secret_of(self.state["code"]),
            )

    def take(self, file: bytes) -> None:
        """Take a lower node's document and decide what it asks for. Raises ConfigurationError."""
        with self._lock:
            sender = nodes.sender_of(file)
            node = self._live().get(sender)
            if node is None:
                raise ConfigurationError("There is no such node.")
            trust = Trust.of_json(node["trust"])
            found, after = nodes.take_document(
                file, trust=trust, now=self.clock(), sender=sender, recipient=CODE, held=node["taken_serial"]
            )
            node["trust"] = after.as_json()
            node["taken"], node["taken_serial"], node["ends_at"] = found.payload, found.serial, found.ends_at
            node["address"] = nodes.address_in(found.payload, node["address"])
            stated = nodes.members_of(found.payload)
            for one in found.payload["answers"]:
                asked = self.state["asked"].get(str(one.get("id")))
                if asked is not None and asked["node"] == sender and one.get("state") in nodes.REQUEST_STATES:
                    asked |= {name: str(one.get(name, "")) for name in ("state", "number", "note")}
            for ask in found.payload["requests"]:
                if str(ask.get("id")) not in self.state["asks"]:
                    self._decide(sender, ask, stated)
            self.save()

    def ask(self, resource: str, items: Sequence[str], *, scenario: str, legal_basis: str, days: int = 30) -> str:
        """Ask a lower node, for its own member, for items of a resource that the node offers; give the request.

        Raises ConfigurationError when none offers them.
        """
        with self._lock:
            for code, node in self._live().items():
                for entry in node["taken"].get("catalogue", ()):
                    if entry["code"] == resource and set(items) <= {one["code"] for one in entry["items"]}:
                        said = {"resource": resource, "items": list(items), "scenario": scenario, "days": days}
                        said |= {"id": str(uuid4()), "consumer": MEMBER, "legal_basis": legal_basis}
                        self.state["asked"][said["id"]] = {**said, "node": code, "state": "new"}
                        self.save()
                        return str(said["id"])
            raise ConfigurationError("No node offers this.")

    def take_key_away(self, code: str) -> str:
        """Let a lower node's key count no more; give the code by which it names a new one."""
        with self._lock:
            node = self.state["nodes"][code]
            node["spent"], node["public"], node["state"] = [*node["spent"], node["public"]], "", "rekeying"
            self.state["code"] = enrolment.new_code()
            self.save()
            return str(self.state["code"])

    def _decide(self, node: str, ask: Mapping[str, Any], stated: frozenset[str]) -> None:
        try:
            taken = {name: str(ask[name]) for name in ("id", "resource", "consumer", "scenario", "legal_basis")}
            items, days = [str(one) for one in ask["items"]], int(ask["days"])
        except (KeyError, TypeError, ValueError):
            return
        offered = RESOURCES.get(taken["resource"])
        why = ""
        if offered is None or not items or not set(items) <= set(offered["items"]):
            why = "no such resource or items"
        elif taken["consumer"] not in stated:
            why = "no such member"
        elif offered["sharing"] == "conditional" and not taken["legal_basis"].strip():
            why = "no legal basis"
        number = f"GJ{self._now():%Y}-{len(self.state['asks']) + 1:06d}"
        self.state["asks"][taken["id"]] = taken | {
            "node": node,
            "items": items,
            "days": max(1, min(days, 1096)),
            "state": "refused" if why else "granted",
            "number": number,
            "note": why,
            "decided_at": self._now().isoformat(),
        }

    def withdraw(self, grant: str) -> None:
        """Withdraw a grant; its gateway and the lower nodes are to be told now (`Twin.refresh`, `tell`)."""
        with self._lock:
            if grant not in self.state["asks"]:
                raise ConfigurationError("There is no such grant.")
            self.state["withdrawn"].append(grant)
            self.save()

    def tell(self) -> list[str]:
        """Push each lower node its document; give those who did not take it."""
        missed = []
        for code, node in list(self._live().items()):
            _, file = self.document(code)
            try:
                with Centre(node["address"], signer=self.key, timeout_seconds=6.0) as other:
                    if other.ask("PUT", nodes.DOCUMENT, file).status != 200:
                        missed.append(code)
            except LinkError:
                missed.append(code)
        return missed


class Api(BaseHTTPRequestHandler):
    """The node's addresses, those of the platform's API between nodes; and its own commands, by the folder's token."""

    protocol_version = "HTTP/1.1"
    nation: ClassVar[Nation]
    take_configuration: ClassVar[Any] = staticmethod(lambda: None)

    def do_GET(self) -> None:
        """Answer."""
        path, content = self.path.partition("?")[0], self._content()
        if path.startswith("/rows/"):
            parts = path.split("/")
            if len(parts) == 5 and parts[3] == "one":
                self._send(200, {"rows": rows_of(parts[2], parts[4])})
                return
        if path != nodes.DOCUMENT:
            self._send(404, {"title": "There is nothing here."})
            return
        try:
            code = self._signed(content)
        except (LinkRefusal, LinkError, KeyError):
            self._send(403, {"code": "exchange.gateway_refused", "title": "The request is not signed by a node."})
            return
        serial, file = self.nation.document(code)
        if self.headers.get("If-None-Match", "").strip('"') == str(serial):
            self._send(304, None)
        else:
            self._send(200, file)

    def do_PUT(self) -> None:
        """Take a node's document."""
        try:
            self.nation.take(self._content())
        except (LinkError, ValueError):
            self._send(409, {"code": "exchange.document_refused", "title": "The document is refused."})
            return
        self.take_configuration()
        self._send(200, {"unreached": []})

    def do_POST(self) -> None:
        """Take a node's request to join, or one of the twin's own commands."""
        content = self._content()
        try:
            if self.path == nodes.JOININGS:
                self._send(201, self.nation.join(json.loads(content)))
                return
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if self.path == "/twin/withdraw" and secrets.compare_digest(token, self.nation.state["ports"]["token"]):
                self.nation.withdraw(str(json.loads(content)["grant"]))
                self.take_configuration()
                self._send(200, {"unreached": self.nation.tell()})
                return
        except (LinkError, ValueError, KeyError, TypeError, AttributeError):
            self._send(403, {"code": "exchange.enrolment_refused", "title": "The request is refused."})
            return
        self._send(404, {"title": "There is nothing here."})

    def _signed(self, content: bytes) -> str:
        headers = {name.lower(): value for name, value in self.headers.items()}
        signed = profile.read_signature(headers)
        request = profile.Request(
            self.command,
            headers.get("host", "").lower(),
            self.path,
            headers.get("content-type", ""),
            headers.get("content-digest", ""),
            headers.get("furong-grant", ""),
            headers.get("furong-message", ""),
        )
        profile.check_values(request)
        profile.check_time(signed.created, now=self.nation.clock())
        code = signed.key_id.partition("/")[0]
        node = self.nation.state["nodes"][code]
        trust = Trust.of_json(node["trust"])
        if request.grant != WORD or node["state"] != "live" or signed.key_id != nodes.key_id_of(code, trust.number):
            raise LinkRefusal("key_unknown")
        profile.check_digest(request.content_digest, content, algorithm=signed.algorithm)
        key = verifier(algorithm=trust.key.algorithm, public=trust.key.public)
        profile.check_request(request, signed, verifier=key)
        return code

    def _content(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(min(int(length), MAX_BODY)) if length.isdecimal() else b""

    def _send(self, status: int, value: object) -> None:
        data = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no line for a request."""


class Twin:
    """The nation's platform and gateway, running in threads of this process until `stop`."""

    def __init__(self, nation: Nation) -> None:
        self.nation = nation
        self._started = threading.Event()
        self._failed: Exception | None = None
        handler = type("NationApi", (Api,), {"nation": nation, "take_configuration": staticmethod(self.refresh)})
        self._server = ThreadingHTTPServer(("127.0.0.1", nation.state["ports"]["node"]), handler)
        self._server.daemon_threads = True
        self._threads = [threading.Thread(target=self._serve), threading.Thread(target=self._run)]

    def start(self) -> None:
        """Start both; returns when the gateway listens."""
        self.nation.configuration()
        for thread in self._threads:
            thread.start()
        self._started.wait(30)
        if self._failed is not None:
            self._server.shutdown()
            raise self._failed

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)

    def _run(self) -> None:
        try:
            asyncio.run(self._gateway())
        except (OSError, LinkError) as error:
            self._failed = error
            self._started.set()

    async def _gateway(self) -> None:
        nation, ports = self.nation, self.nation.state["ports"]
        folder = nation.folder / "gateway"
        self.gateway = Gateway(
            settings=Settings(
                id=GATEWAY,
                authority=f"127.0.0.1:{ports['gateway']}",
                folder=folder,
                port=ports["gateway"],
                upstreams={one["service"]: f"{nation.address}/rows/{one['service']}" for one in RESOURCES.values()},
                peers=PeerDoor(
                    host="127.0.0.1",
                    port=ports["peer"],
                    certificate=folder / "peer.pem",
                    key=folder / "peer-tls.key",
                ),
            ),
            signer=nation.gateway_key,
            operator=nation.key.verifier(),
            clock=nation.clock,
        )
        await self.gateway.start()
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        while not self._stop.is_set():
            await self._hold()
            try:
                await asyncio.wait_for(self._stop.wait(), TICK_SECONDS)
            except TimeoutError:
                continue
        await self.gateway.stop()

    def refresh(self) -> None:
        """Let the gateway hold what changed, before whoever changed it is answered."""
        asyncio.run_coroutine_threadsafe(self._hold(), self._loop).result(10)

    async def _hold(self) -> None:
        file, _ = self.nation.configuration()
        held = self.gateway.configuration
        if held is None or held.serial < self.nation.state["serial"]:
            await self.gateway.take_configuration(file)

    def stop(self) -> None:
        """Stop both."""
        self._server.shutdown()
        self._server.server_close()
        if self._started.is_set() and self._failed is None:
            self._loop.call_soon_threadsafe(self._stop.set)
        for thread in self._threads:
            thread.join(30)


def free_port() -> int:
    """Give a port of this machine that nobody listens on."""
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
