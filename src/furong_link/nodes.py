"""How two operators' exchanges meet, one above the other: nation, province, city, county, town. Pure.

A node is an operator with its own signing key, members and gateways. Two nodes exchange *documents*: what of the sender's
exchange concerns the recipient, in the form of a configuration, signed by the sender's key, numbered, and good for a limited
time. Either way goes what the sender's side grants to members of the other side, who of its own side asks there, what may be
asked for, the requests and the answers. Each node joins what it was given into the configuration that it signs for its own
gateways, so a gateway obeys one operator and needs no other key.

Three rules keep it sound. A node speaks only for its own names: what it says under a name that is taken is left out. A grant is
given only by the side whose service it is for. What came from another node ends with the time of the document that said it.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from furong_link.configuration import MAX_STALE_SECONDS, Configuration, check_payload, open_by, open_file, seal_file
from furong_link.enrolment import place_of, secret_of
from furong_link.errors import ConfigurationError, KeyFileError
from furong_link.handover import Trust
from furong_link.keys import SUITES, Signer, Verifier, verifier

CONTEXT = b"furong.exchange.node.v1\0"
LEVELS = ("nation", "province", "city", "county", "town")
PARTS = ("members", "keys", "gateways", "services", "grants")
NODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
ADDRESS = re.compile(r"https?://[a-z0-9.-]{1,253}(:\d{1,5})?(/[a-z0-9._-]{1,64}){0,4}")
DOCUMENT, JOININGS = "/api/exchange/nodes/document", "/api/exchange/nodes/joinings"
REQUEST_STATES = ("open", "granted", "refused")
_MAX_TEXT = 500
_KEY_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
Payload = dict[str, Any]


def key_id_of(node: str, number: int = 1) -> str:
    """Give the name under which a node signs its requests to another, with its key of that number."""
    return f"{node}/node/{number}"


def number_of(key_id: str, node: str) -> int | None:
    """Give the number of a node's key by its name, or None when it is none."""
    found = _KEY_NUMBER.fullmatch(key_id.removeprefix(f"{node}/node/")) if key_id.startswith(f"{node}/node/") else None
    return int(found[0]) if found else None


def is_below(lower: str, upper: str) -> bool:
    """Say whether a level stands below another."""
    return lower in LEVELS and upper in LEVELS and LEVELS.index(lower) > LEVELS.index(upper)


# --- joining --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """What a node says of itself when it asks the one above to be admitted. ``address``: where its platform is reached."""

    node: str
    level: str
    zh: str
    en: str
    address: str
    algorithm: str
    public: str
    number: str = "1"  # of its operator's key

    def as_json(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def seal_joining(joining: Joining, *, code: str, signer: Signer) -> Payload:
    """Give the request as it is sent: found by the code's place, sealed under its secret, signed by the node's own key."""
    text = _canonical(joining.as_json())
    return {
        "place": place_of(code),
        "joining": joining.as_json(),
        "proof": b64encode(signer.sign(CONTEXT + b"proof" + text)).decode(),
        "seal": hmac.new(secret_of(code), CONTEXT + b"joining" + text, sha256).hexdigest(),
    }


def read_joining(sent: Mapping[str, Any], *, secret: bytes) -> Joining:
    """Read and check a request. Raises ConfigurationError, whichever part of it does not hold."""
    wrong = ConfigurationError("This is no request that the code sealed.")
    try:
        found = Joining(**{str(name): str(value) for name, value in sent["joining"].items()})
        text = _canonical(found.as_json())
        proof = b64decode(sent["proof"], validate=True)
        known = verifier(algorithm=found.algorithm, public=found.public)
    except (KeyError, TypeError, ValueError, AttributeError, KeyFileError) as error:
        raise wrong from error
    sealed = hmac.new(secret, CONTEXT + b"joining" + text, sha256).hexdigest()
    if not hmac.compare_digest(sealed.encode(), str(sent.get("seal", "")).encode()):
        raise wrong
    if found.algorithm not in SUITES or not known.verify(CONTEXT + b"proof" + text, proof):
        raise wrong
    if not NODE.fullmatch(found.node) or found.level not in LEVELS or not ADDRESS.fullmatch(found.address):
        raise wrong
    if not _KEY_NUMBER.fullmatch(found.number):
        raise wrong
    if not found.zh or max(len(found.zh), len(found.en)) > _MAX_TEXT:
        raise wrong
    return found


# --- documents ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was checked. ``payload`` has the parts of a configuration, and what nodes add (`sign_document`)."""

    sender: str
    recipient: str
    serial: int
    issued_at: float
    ends_at: float
    payload: Payload
    configuration: Configuration


def sign_document(
    parts: Mapping[str, Any],
    *,
    sender: str,
    recipient: str,
    serial: int,
    issued_at: datetime,
    signer: Signer,
    max_stale_seconds: int = MAX_STALE_SECONDS,
    handovers: Sequence[Mapping[str, Any]] = (),
) -> bytes:
    """Give the file of a document. ``parts``: those of a configuration, and any of

    ``nodes`` (code, level, name, above: those on the sender's side), ``catalogue`` (what may be asked for there), ``requests``
    (id, resource, consumer, items, scenario, legal_basis, days), ``answers`` to the recipient's (id, state, number, note).
    Raises ConfigurationError when the parts do not hold together.
    """
    payload = {
        **{name: [] for name in (*PARTS, "nodes", "catalogue", "requests", "answers")},
        **parts,
        "exchange": sender,
        "recipient": recipient,
        "serial": serial,
        "issued_at": issued_at.astimezone(UTC).isoformat(),
        "max_stale_seconds": max_stale_seconds,
    }
    check_payload(payload)
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return seal_file(text, context=CONTEXT, signer=signer, handovers=handovers)


def read_document(file: bytes, *, key: Verifier, sender: str, recipient: str, held: int = 0) -> Document:
    """Read a document of ``sender``. Raises ConfigurationError when its key did not sign it, when it is for another node, older
    than the one ``held`` (its number), or does not hold together.
    """
    return _document(open_file(file, context=CONTEXT, key=key), sender=sender, recipient=recipient, held=held)


def take_document(
    file: bytes, *, trust: Trust, now: float, sender: str, recipient: str, held: int = 0
) -> tuple[Document, Trust]:
    """As `read_document`, by what is trusted of the sender; give that too, as it is once this document was read."""
    text, after = open_by(file, context=CONTEXT, trust=trust, now=now)
    return _document(text, sender=sender, recipient=recipient, held=held), after


def _document(text: bytes, *, sender: str, recipient: str, held: int) -> Document:
    payload = json.loads(text)
    if b"\\u0000" in text:
        raise ConfigurationError("The document holds a character that no register can.")
    found = check_payload(payload)
    if (found.exchange, payload.get("recipient")) != (sender, recipient):
        raise ConfigurationError("The document is of another node, or for another.")
    if found.serial < held:
        raise ConfigurationError(f"The document {found.serial} is older than {held}, which is held.")
    for name in ("nodes", "catalogue", "requests", "answers"):
        if not isinstance(payload.get(name), list) or not all(isinstance(one, dict) for one in payload[name]):
            raise ConfigurationError(f"The document's {name} are no list.")
    return Document(
        sender=sender,
        recipient=recipient,
        serial=found.serial,
        issued_at=found.issued_at,
        ends_at=found.issued_at + found.max_stale_seconds,
        payload=payload,
        configuration=found,
    )


def sender_of(file: bytes) -> str:
    """Give who a document says it is of, before anything of it is believed. Raises ConfigurationError."""
    try:
        return str(json.loads(b64decode(json.loads(file)["payload"], validate=True))["exchange"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError("This is not the file of a document.") from error


def digest_of(parts: Mapping[str, Any]) -> str:
    """Give what tells whether a document says anything new."""
    return sha256(_canonical(parts)).hexdigest()


# --- what of an exchange concerns another node -----------------------------------------------------------------------------


def concerning(payload: Mapping[str, Any], *, members: Collection[str]) -> Payload:
    """Give what ``members`` of another node need of an exchange: the grants for them, the services, who answers and where.

    The members themselves are named without keys: who they are is their own node's to say.
    """
    grants = [one for one in payload["grants"] if one["consumer"] in members]
    wanted = {one["service"] for one in grants}
    services = [one for one in payload["services"] if one["id"] in wanted and one["provider"] not in members]
    offered = {one["id"] for one in services}
    grants = [one for one in grants if one["service"] in offered]
    at = {one["gateway"] for one in services}
    gateways = [one for one in payload["gateways"] if one["id"] in at]
    shown = {name for one in gateways for name in (one.get("key"), *one.get("keys", ())) if name}
    named = (
        {one["provider"] for one in services} | {one["consumer"] for one in grants} | {g["member"] for g in gateways}
    )
    return {
        "members": [one for one in payload["members"] if one["id"] in named],
        "keys": [one for one in payload["keys"] if one["id"] in shown],
        "gateways": gateways,
        "services": services,
        "grants": grants,
    }


def stating(payload: Mapping[str, Any], *, members: Collection[str]) -> Payload:
    """Give who ``members`` are: themselves, their keys and gateways; no service and no grant."""
    return {
        "members": [one for one in payload["members"] if one["id"] in members],
        "keys": [one for one in payload["keys"] if one["member"] in members],
        "gateways": [one for one in payload["gateways"] if one.get("member") in members],
        "services": [],
        "grants": [],
    }


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> Payload:
    """Give the parts of both, each name once."""
    return {name: list({one["id"]: one for one in (*first[name], *second[name])}.values()) for name in PARTS}


def joined(own: Mapping[str, Any], parts: Mapping[str, Any], *, ends_at: float) -> tuple[Payload, tuple[str, ...]]:
    """Join another node's parts into an exchange; give the whole, and the names that were left out because they are taken, or
    hang on one that was. ``ends_at`` (Unix seconds): no grant of these parts is in force beyond it.
    """
    whole: Payload = {name: list(own[name]) for name in PARTS}
    taken = {name: {one["id"] for one in own[name]} for name in PARTS}
    left: list[str] = []
    added: dict[str, set[str]] = {name: set() for name in PARTS}

    def take(name: str, one: Mapping[str, Any], fits: bool) -> None:
        if fits and one["id"] not in taken[name] | added[name]:
            added[name].add(one["id"])
            whole[name].append(dict(one))
        else:
            left.append(f"{name}/{one['id']}")

    for one in parts["members"]:
        if one["id"] not in taken["members"]:  # our own are named by others without harm
            take("members", one, True)
    public = {one["public"] for one in own["keys"]}
    for one in parts["keys"]:
        take("keys", one, one["member"] in added["members"] and one["public"] not in public)
    for one in parts["gateways"]:
        shown = {name for name in (one.get("key"), *one.get("keys", ())) if name}
        take("gateways", one, one.get("member") in added["members"] and shown <= added["keys"])
    for one in parts["services"]:
        take("services", one, one["provider"] in added["members"] and one["gateway"] in added["gateways"])
    known = taken["members"] | added["members"]
    limit = datetime.fromtimestamp(ends_at, UTC)
    for one in parts["grants"]:
        until = min(limit, datetime.fromisoformat(one["valid_until"]))
        take(
            "grants",
            {**one, "valid_until": until.astimezone(UTC).isoformat()},
            one["service"] in added["services"] and one["consumer"] in known,
        )
    return {**own, **whole}, tuple(left)


def members_of(parts: Mapping[str, Any]) -> frozenset[str]:
    """Give the members whom a document states with keys: those that are the sender's own or below it."""
    return frozenset(one["member"] for one in parts.get("keys", ()))


def address_in(payload: Mapping[str, Any], known: str) -> str:
    """Give where the sender of a document says that it is reached now, or ``known`` when it does not say it."""
    found = str(payload["nodes"][0].get("address", "")) if payload["nodes"] else ""
    return found if ADDRESS.fullmatch(found) else known


def below(code: str, nodes: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether ``code`` stands among nodes that a document names: a ring of nodes is refused by it."""
    return any(one.get("code") == code for one in nodes)
