"""The signed configuration: members, keys, gateways, services and grants, as the operator of the exchange states them.

It reaches gateways as one file: the payload in base64 and the operator's signature over it. It outlives the centre: a
gateway goes on with the one it holds, warns in grades, and stops only when the operator's own limit has passed.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from furong_link.decision import Grant, Quota
from furong_link.errors import ConfigurationError, KeyFileError
from furong_link.handover import Trust
from furong_link.keys import Signer, Verifier, verifier
from furong_link.masking import RowScope, field_tree

CONTEXT = b"furong.exchange.configuration.v1\0"
MAX_BYTES = 64 * 1024 * 1024
MAX_STALE_SECONDS = 86_400
# Age in seconds from which a configuration is said to be late, old, and near its end (a share of its limit).
LATE_SECONDS, OLD_SECONDS, ENDING_SHARE = 300, 3_600, 0.75


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a member's system, or of a gateway."""

    key_id: str
    member: str
    algorithm: str
    verifier: Verifier
    valid_from: float
    valid_until: float
    revoked: bool

    def is_valid(self, now: float) -> bool:
        return not self.revoked and self.valid_from <= now < self.valid_until


@dataclass(frozen=True, slots=True)
class Service:
    """What a provider offers: ``rows_at`` says where the rows of its answers are."""

    id: str
    provider: str
    gateway: str
    rows_at: str


@dataclass(frozen=True, slots=True)
class Peer:
    """A gateway as other gateways meet it: whose it is, where it listens for them, by which certificates and keys.

    ``certificates`` are DER; without any it forwards to no other gateway, and none to it.
    """

    id: str
    member: str
    authority: str
    address: str
    keys: frozenset[str]
    certificates: tuple[bytes, ...]
    fingerprints: frozenset[str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One version of the configuration, read and checked; times are Unix seconds."""

    exchange: str
    serial: int
    issued_at: float
    max_stale_seconds: int
    members: frozenset[str]
    suspended: frozenset[str]
    keys: Mapping[str, Key]
    gateways: Mapping[str, str]
    services: Mapping[str, Service]
    grants: Mapping[str, Grant]
    endpoints: Mapping[str, frozenset[str]]  # where events may be pushed to, by member
    peers: Mapping[str, Peer]

    def peer_of(self, fingerprint: str) -> Peer | None:
        """Give the gateway that a certificate names, by its SHA-256 in hex."""
        return next((peer for peer in self.peers.values() if fingerprint in peer.fingerprints), None)

    def age_seconds(self, now: float) -> int:
        return max(0, int(now - self.issued_at))

    def staleness(self, now: float) -> str:
        """Say how old the configuration is: fresh, late, old, ending (three quarters of its time are over) or expired."""
        age = self.age_seconds(now)
        if age > self.max_stale_seconds:
            return "expired"
        if age > ENDING_SHARE * self.max_stale_seconds:
            return "ending"
        return "old" if age > OLD_SECONDS else "late" if age > LATE_SECONDS else "fresh"


def sign_configuration(
    payload: Mapping[str, Any], *, signer: Signer, handovers: Sequence[Mapping[str, Any]] = ()
) -> bytes:
    """Give the file of a configuration, signed by the operator. Raises ConfigurationError when it does not hold together."""
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    _read(text)
    return seal_file(text, context=CONTEXT, signer=signer, handovers=handovers)


def seal_file(text: bytes, *, context: bytes, signer: Signer, handovers: Sequence[Mapping[str, Any]] = ()) -> bytes:
    """Give the file of a signed text: itself in base64, the signature over ``context`` and it, and beside it the hand-overs by
    which the signer's key follows earlier ones.
    """
    return json.dumps(
        {
            "payload": b64encode(text).decode(),
            "key": signer.key_id,
            "algorithm": signer.algorithm,
            "signature": b64encode(signer.sign(context + text)).decode(),
            **({"handovers": list(handovers)} if handovers else {}),
        }
    ).encode()


def open_file(file: bytes, *, context: bytes, key: Verifier) -> bytes:
    """Give the text of a file that `seal_file` made. Raises ConfigurationError when ``key`` did not sign it."""
    text, signature, found = _unsealed(file)
    if found["algorithm"] != key.algorithm or not key.verify(context + text, signature):
        raise ConfigurationError(_NOT_SIGNED)
    return text


def open_by(file: bytes, *, context: bytes, trust: Trust, now: float) -> tuple[bytes, Trust]:
    """Give the text of a file that a trusted key signed, and what is trusted from here on: more, when the file brings a
    hand-over of the key. Raises ConfigurationError.
    """
    text, signature, found = _unsealed(file)
    after = trust.after(found.get("handovers", []), now=now)
    if not after.counts(context + text, signature, algorithm=found["algorithm"], now=now):
        raise ConfigurationError(_NOT_SIGNED)
    return text, after


_NOT_SIGNED = "The configuration is not signed by the operator whose key this gateway holds."


def _unsealed(file: bytes) -> tuple[bytes, bytes, dict[str, Any]]:
    if len(file) > MAX_BYTES:
        raise ConfigurationError("The configuration is larger than a gateway reads.")
    try:
        found = json.loads(file)
        text = b64decode(found["payload"], validate=True)
        signature = b64decode(found["signature"], validate=True)
        found["algorithm"] = str(found["algorithm"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError("This is not the file of a configuration.") from error
    return text, signature, found


def check_payload(payload: Mapping[str, Any]) -> Configuration:
    """Read a payload that nobody signed yet. Raises ConfigurationError when it does not hold together."""
    return _read(json.dumps(payload).encode())


def read_configuration(file: bytes, *, operator: Verifier, held: Configuration | None = None) -> Configuration:
    """Read a configuration's file. Raises ConfigurationError when the operator did not sign it, when it is of another
    exchange or older than the one ``held`` (a rollback), or when it does not hold together.
    """
    return _newer(_read(open_file(file, context=CONTEXT, key=operator)), held)


def take_configuration(
    file: bytes, *, trust: Trust, now: float, held: Configuration | None = None
) -> tuple[Configuration, Trust]:
    """As `read_configuration`, by what is trusted of the operator; give that too, as it is once this file was read."""
    text, after = open_by(file, context=CONTEXT, trust=trust, now=now)
    return _newer(_read(text), held), after


def _newer(found: Configuration, held: Configuration | None) -> Configuration:
    if held is not None and found.exchange != held.exchange:
        raise ConfigurationError("The configuration is of another exchange.")
    if held is not None and found.serial == held.serial and found.issued_at != held.issued_at:
        raise ConfigurationError(f"There are two configurations {found.serial}.")
    if held is not None and found.serial < held.serial:
        raise ConfigurationError(f"The configuration {found.serial} is older than {held.serial}, which is held.")
    return found


def _read(text: bytes) -> Configuration:
    try:
        found = json.loads(text)
        members = {str(member["id"]): bool(member.get("suspended", False)) for member in found["members"]}
        configuration = Configuration(
            exchange=str(found["exchange"]),
            serial=_whole(found["serial"]),
            issued_at=_time(found["issued_at"]),
            max_stale_seconds=_whole(found.get("max_stale_seconds", MAX_STALE_SECONDS)),
            members=frozenset(members),
            suspended=frozenset(member for member, suspended in members.items() if suspended),
            keys={str(key["id"]): _key(key) for key in found["keys"]},
            gateways={str(gateway["id"]): str(gateway["authority"]) for gateway in found["gateways"]},
            services={str(service["id"]): _service(service) for service in found["services"]},
            grants={str(grant["id"]): _grant(grant) for grant in found["grants"]},
            endpoints={str(member["id"]): _endpoints(member.get("endpoints", [])) for member in found["members"]},
            peers={str(gateway["id"]): _peer(gateway) for gateway in found["gateways"]},
        )
    except (ValueError, KeyError, TypeError, AttributeError, KeyFileError) as error:
        raise ConfigurationError(f"The configuration does not hold together: {error}") from error
    _check(configuration)
    return configuration


def _check(found: Configuration) -> None:
    for owner in {
        *(key.member for key in found.keys.values()),
        *(service.provider for service in found.services.values()),
        *(grant.consumer for grant in found.grants.values()),
    }:
        if owner not in found.members:
            raise ConfigurationError(f"{owner} is no member of the configuration.")
    for service in found.services.values():
        if service.gateway not in found.gateways:
            raise ConfigurationError(f"{service.id}: there is no gateway {service.gateway}.")
    for peer in found.peers.values():
        for name in peer.keys:
            if name not in found.keys or found.keys[name].member != peer.member:
                raise ConfigurationError(f"{peer.id}: {name} is no key of its member.")
    for grant in found.grants.values():
        if grant.service not in found.services:
            raise ConfigurationError(f"{grant.id}: there is no service {grant.service}.")


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number was expected")
    return value


def _time(value: object) -> float:
    if not isinstance(value, str):
        raise ValueError("a time was expected")
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError("a time has a zone")
    return found.timestamp()


def _key(found: Mapping[str, Any]) -> Key:
    return Key(
        key_id=str(found["id"]),
        member=str(found["member"]),
        algorithm=str(found["algorithm"]),
        verifier=verifier(algorithm=found["algorithm"], public=found["public"]),
        valid_from=_time(found["valid_from"]),
        valid_until=_time(found["valid_until"]),
        revoked=bool(found.get("revoked", False)),
    )


def _peer(found: Mapping[str, Any]) -> Peer:
    door = found.get("peer") or {}
    address = str(door.get("address", ""))
    parts = urlsplit(address)
    if address and (parts.scheme != "https" or not parts.hostname or not parts.port or parts.path or parts.query):
        raise ValueError("gateways meet at https://host:port")
    certificates = tuple(b64decode(text, validate=True) for text in _texts(door.get("certificates", [])))
    keys = [*_texts(found.get("keys", [])), *([str(found["key"])] if found.get("key") else [])]
    return Peer(
        id=str(found["id"]),
        member=str(found.get("member", "")),
        authority=str(found["authority"]),
        address=address,
        keys=frozenset(keys),
        certificates=certificates,
        fingerprints=frozenset(sha256(certificate).hexdigest() for certificate in certificates),
    )


def _service(found: Mapping[str, Any]) -> Service:
    return Service(
        id=str(found["id"]),
        provider=str(found["provider"]),
        gateway=str(found["gateway"]),
        rows_at=str(found.get("rows_at", "")),
    )


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) and part for part in value):
        raise ValueError("a list of texts was expected")
    return tuple(value)


def _endpoints(value: object) -> frozenset[str]:
    found = _texts(value)
    for address in found:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("an endpoint is http(s)://host:port/path")
    return frozenset(found)


def _grant(found: Mapping[str, Any]) -> Grant:
    quota = found.get("quota")
    scope = []
    for part in found.get("rows", []):
        values, prefixes = _texts(part.get("values", [])), _texts(part.get("prefixes", []))
        if not values and not prefixes:
            raise ValueError("a scope of rows names values or prefixes")
        scope.append(RowScope(tuple(str(part["field"]).split(".")), frozenset(values), prefixes))
    fields = found.get("fields")
    return Grant(
        id=str(found["id"]),
        consumer=str(found["consumer"]),
        service=str(found["service"]),
        purpose=str(found["purpose"]),
        methods=frozenset(_texts(found["methods"])),
        paths=_texts(found["paths"]),
        # No rules at all must be said, by null: forgetting the field is an error, not a grant of everything.
        fields=None if found["fields"] is None else field_tree(fields or {}),
        rows=tuple(scope),
        quota=Quota(_whole(quota["calls"]), _whole(quota["seconds"])) if quota else None,
        valid_from=_time(found["valid_from"]),
        valid_until=_time(found["valid_until"]),
        withdrawn=bool(found.get("withdrawn", False)),
    )
