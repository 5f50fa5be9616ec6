"""One message on its way through a gateway, and what a gateway is set to: values that its parts hand to one another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from furong_link import profile, wire
from furong_link.compact import quote
from furong_link.configuration import Key
from furong_link.decision import Grant, Target
from furong_link.errors import Problem, Refusal
from furong_link.tracing import Span, TracingSettings, span_of
from furong_link.upstream import UpstreamReply

OWN = "/.furong/"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerDoor:
    """Where this gateway meets others, and the certificate (PEM files) that it shows and is named by."""

    host: str
    port: int
    certificate: Path
    key: Path
    address: str = ""  # https://host:port as others reach it; what the centre is told


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySettings:
    """Whether contents of questions and answers are kept, sealed by ``partition`` (day or month), and for how many days."""

    keep: bool = False
    days: int = 30
    partition: str = "day"
    most_bytes: int = 1024 * 1024

    def __post_init__(self) -> None:
        if self.partition not in ("day", "month") or self.days < 0 or self.most_bytes < 0:
            raise ValueError("bodies: partition is day or month, days and most_bytes are not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one gateway is set to. ``authority`` is the host and port that callers sign for, in lower case."""

    id: str
    authority: str
    folder: Path
    upstreams: Mapping[str, str]
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)  # service: what its system wants to be shown
    host: str = "127.0.0.1"
    port: int = 0
    skew_seconds: int = profile.SKEW_SECONDS
    max_content: int = 10 * 1024 * 1024
    max_in_hand: int = 1024
    message_seconds: float = 30.0
    upstream_seconds: float = 30.0
    head_seconds: float = 1.0
    segment_bytes: int = 512 * 1024 * 1024
    systems: Mapping[str, str] = field(default_factory=dict)  # key id: ALGORITHM:BASE64 of own systems that sign
    certificates: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of a client certificate: own system's name
    peers: PeerDoor | None = None
    witness_seconds: float = 60.0
    bodies: BodySettings = BodySettings()
    telemetry: TracingSettings = field(default_factory=TracingSettings)


@dataclass(slots=True)
class Message:
    """One message on its way through: filled in as far as it got, so that a refusal records what is known."""

    head: wire.RequestHead
    content: bytes
    certificate: str = ""  # SHA-256 in hex of what the caller showed on TLS
    from_peer: bool = False
    request: profile.Request | None = None
    signed: profile.Signed | None = None
    key: Key | None = None
    grant: Grant | None = None
    target: Target | None = None
    base: bytes = b""  # what the caller signed
    span: Span | None = None  # where traces are kept
    facts: dict[str, object] = field(default_factory=dict)

    def read_request(self, *, algorithm: str = "") -> profile.Request:
        """Give what the signature must cover, as the head has it.

        With ``algorithm``, for who need not sign, type, digest and id are filled in where they are missing.
        """
        head = self.head
        found = head.headers.get
        if algorithm:
            return profile.Request(
                head.method,
                head.headers["host"].lower(),
                head.target,
                found("content-type", "") or "application/json",
                found("content-digest", "") or profile.content_digest(self.content, algorithm=algorithm),
                found("furong-grant", ""),
                found("furong-message", "") or str(uuid4()),
            )
        return profile.Request(
            head.method,
            head.headers["host"].lower(),
            head.target,
            found("content-type", ""),
            found("content-digest", ""),
            found("furong-grant", ""),
            found("furong-message", ""),
        )

    @property
    def is_verified(self) -> bool:
        """Whether the sender is known; before that a name is what a stranger wrote."""
        return self.key is not None and self.request is not None

    def trace(self, span: Span, *, outcome: str, status: int) -> None:
        """Have the message's span say of it codes, never a path, and of a stranger nothing that it wrote."""
        span.attributes["http.request.method"] = self.head.method
        span.attributes["http.response.status_code"] = status
        span.attributes["furong.outcome"] = outcome
        if self.key is not None:
            span.attributes |= {"furong.consumer": self.key.member, "furong.system": self.key.key_id}
            if self.from_peer and self.request is not None:
                span.parent = span_of(self.request.message, key=self.key.key_id)
        if self.grant is not None:
            span.attributes |= {"furong.grant": self.grant.id, "furong.service": self.grant.service}

    def told(
        self, kind: str, *, reply: str, contents: str = "", serial: int | None = None
    ) -> tuple[dict[str, object], bytes]:
        """Give what a record says of the message, and the detail, in JSON, that is sealed beside it.

        ``reply`` is the digest of what is answered, ``contents`` the sealed contents in JSON where they are kept.
        """
        request, key, grant = self.request, self.key, self.grant
        facts: dict[str, object] = {"kind": kind}
        detail = b""
        if key is not None and request is not None:
            facts["consumer"], facts["key"] = key.member, key.key_id
            facts["message"], facts["method"] = request.message, request.method
            if grant is not None:
                facts["grant"], facts["service"], facts["purpose"] = grant.id, grant.service, grant.purpose
            parameters, signature = (self.signed.parameters, self.signed.signature) if self.signed else ("", "")
            base = (self.base or request.base(parameters)).decode()
            text = f'"base":{quote(base)},"signature":"{signature}","reply":{quote(reply)}'
            detail = f'{{{text},"bodies":{contents}}}'.encode() if contents else f"{{{text}}}".encode()
        if serial is not None:
            facts["configuration"] = serial
        facts.update(self.facts)
        return facts, detail


def problem_reply(refusal: Refusal) -> UpstreamReply:
    """Give a refusal as an RFC 9457 problem."""
    found = Problem(status=refusal.status, code=refusal.code, title=refusal.title, detail=refusal.detail)
    return UpstreamReply(refusal.status, PROBLEM, json.dumps(found.as_json()).encode())


def unsigned(refusal: Refusal, *, close: bool) -> bytes:
    """Give the bytes of a refusal that answers no readable message."""
    reply = problem_reply(refusal)
    return wire.reply_bytes(reply.status, {"content-type": reply.content_type}, reply.content, close=close)
