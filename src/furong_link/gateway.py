"""The gateway: verifies, decides, forwards, records and signs, in this order, for each message on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from furong_link import profile, wire
from furong_link.configuration import MAX_BYTES, Configuration, Key, Service, read_configuration
from furong_link.decision import Grant, QuotaBook, Target, check_grant, read_target
from furong_link.errors import ConfigurationError, EvidenceError, Problem, Refusal
from furong_link.evidence import EvidenceLog, Recorded
from furong_link.keys import Signer, Verifier
from furong_link.masking import apply_terms
from furong_link.modes import OWN_SERVICE, PROVIDE, Asked, Host, Mode, Modes
from furong_link.replay import ReplayGuard
from furong_link.upstream import Upstream, UpstreamReply

logger = logging.getLogger("furong_link")

OWN = "/.furong/"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one gateway is set to. ``authority`` is the host and port that callers sign for, in lower case."""

    id: str
    authority: str
    folder: Path
    upstreams: Mapping[str, str]
    host: str = "127.0.0.1"
    port: int = 0
    skew_seconds: int = profile.SKEW_SECONDS
    max_content: int = 10 * 1024 * 1024
    max_in_hand: int = 1024
    message_seconds: float = 30.0
    upstream_seconds: float = 30.0
    head_seconds: float = 1.0


@dataclass(slots=True)
class _Message:
    """One message on its way through: filled in as far as it got, so that a refusal records what is known."""

    head: wire.RequestHead
    content: bytes
    request: profile.Request | None = None
    signed: profile.Signed | None = None
    key: Key | None = None
    grant: Grant | None = None
    target: Target | None = None
    facts: dict[str, object] = field(default_factory=dict)


class Gateway:
    """One gateway on one event loop. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        *,
        settings: Settings,
        signer: Signer,
        operator: Verifier,
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
        modes: Mapping[str, Mode] | None = None,
    ) -> None:
        self.modes = Modes(modes or {})
        self.settings, self._signer, self._operator, self._clock, self._tls = settings, signer, operator, clock, tls
        self.configuration: Configuration | None = None
        self.log = EvidenceLog(settings.folder / "evidence", signer=signer, clock=clock)
        self._guard = ReplayGuard(skew_seconds=settings.skew_seconds)
        self._quotas = QuotaBook()
        self._upstreams = {
            name: Upstream(address, timeout_seconds=settings.upstream_seconds, max_content=settings.max_content)
            for name, address in settings.upstreams.items()
        }
        self._server: asyncio.Server | None = None
        self._housekeeping: asyncio.Task[None] | None = None
        self.connections: set[_Connection] = set()
        self.in_hand = 0
        self.counts: Counter[str] = Counter()
        self.port = 0

    # --- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the configuration and the log, then listen. Raises ConfigurationError or EvidenceError."""
        path = self.settings.folder / "configuration.json"
        if path.exists():
            self.configuration = read_configuration(path.read_bytes(), operator=self._operator)
        loop = asyncio.get_running_loop()
        try:
            self.log.open(seen=self._seen)
        except EvidenceError:
            self.log.abandon()
            raise
        try:
            await self.modes.start(self._host())
        except BaseException:
            await self.modes.stop()
            self.log.abandon()
            raise
        self._server = await loop.create_server(
            lambda: _Connection(self), self.settings.host, self.settings.port, ssl=self._tls, backlog=512
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._housekeeping = loop.create_task(self._keep_house())

    def _host(self) -> Host:
        return Host(
            gateway=self.settings.id,
            authority=self.settings.authority,
            folder=self.settings.folder,
            signer=self._signer,
            clock=self._clock,
            log=self.log,
            quotas=self._quotas,
            configuration=lambda: self.configuration,
        )

    def _seen(self, record: Mapping[str, Any]) -> None:
        """Take from the log what must survive a restart: recent nonces, and what quotas of this window are used."""
        now, at = self._clock(), datetime.fromisoformat(record["at"]).timestamp()
        if record.get("nonce") and at > now - 4 * self.settings.skew_seconds:
            with contextlib.suppress(Refusal):
                self._guard.take(key_id=record["key"], nonce=record["nonce"], now=now)
        grant = self.configuration.grants.get(record.get("grant", "")) if self.configuration else None
        if grant is not None and record.get("counted"):
            with contextlib.suppress(Refusal):
                if grant.quota and int(at) // grant.quota.seconds == int(now) // grant.quota.seconds:
                    self._quotas.take(grant, now=now)

    async def stop(self) -> None:
        """Take no more messages, finish those in hand, sign the last head, close."""
        if self._server is not None:
            self._server.close()
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            await asyncio.wait([self._housekeeping])
        await self.modes.stop()
        deadline = asyncio.get_running_loop().time() + self.settings.upstream_seconds
        while self.in_hand and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.close()
        for upstream in self._upstreams.values():
            upstream.close()
        await self.log.close()

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(self.settings.head_seconds)
            try:
                await self.log.seal()
            except EvidenceError:
                logger.exception("The head was not signed.")
            now = asyncio.get_running_loop().time()
            for connection in list(self.connections):
                connection.check_time(now, self.settings.message_seconds)

    async def take_configuration(self, file: bytes) -> Configuration:
        """Hold a newer configuration: checked, kept on disk, recorded, then in force for the next message.

        Raises ConfigurationError; the one held stays in force then.
        """
        found = read_configuration(file, operator=self._operator, held=self.configuration)
        path = self.settings.folder / "configuration.json"
        draft = path.with_suffix(".draft")
        with draft.open("wb") as out:
            out.write(file)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(path)
        self.configuration = found
        await self.log.append({"kind": "configuration", "serial": found.serial, "exchange": found.exchange})
        return found

    # --- one message -----------------------------------------------------------------------------------------

    async def answer(self, head: wire.RequestHead, content: bytes, *, close: bool = False) -> bytes:
        """Answer one message with the bytes of its reply. Never raises: a failure is a refusal too."""
        if head.target.startswith(OWN) and not head.target.startswith(f"/{OWN_SERVICE}{PROVIDE}"):
            return await self._own(head, content, close=close)
        message = _Message(head, content)
        refusal: Refusal | None = None
        reply: UpstreamReply | None = None
        try:
            configuration = self._verify(message)
            reply = await self._serve(message, configuration)
        except Refusal as error:
            refusal = error
        except EvidenceError:
            refusal = Refusal("evidence_unwritable")
        except Exception:
            logger.exception("A message failed.")
            refusal = Refusal("gateway_failed")
        if refusal is not None:
            reply = problem_reply(refusal)
            message.facts["code"] = refusal.code
        assert reply is not None  # noqa: S101 - one of the two was set
        self.counts[refusal.code if refusal else "ok"] += 1
        try:
            return await self._record_and_sign(message, reply, refusal, close=close)
        except EvidenceError:
            self.counts["evidence_unwritable"] += 1
            return unsigned(Refusal("evidence_unwritable"), close=close)
        except Exception:
            # The caller must hear something, also when the module that keeps the key does not answer.
            logger.exception("A reply was not signed.")
            self.counts["gateway_failed"] += 1
            return unsigned(Refusal("gateway_failed"), close=close)

    def _verify(self, message: _Message) -> Configuration:
        """Everything that is known without the provider, in the order of its cost; refuses at the first cause."""
        head, settings, now = message.head, self.settings, self._clock()
        headers = head.headers
        configuration = self.configuration
        signed = profile.read_signature(headers)
        request = profile.Request(
            head.method,
            headers["host"].lower(),
            head.target,
            headers.get("content-type", ""),
            headers.get("content-digest", ""),
            headers.get("furong-grant", ""),
            headers.get("furong-message", ""),
        )
        profile.check_values(request)
        message.request, message.signed = request, signed
        if configuration is None or configuration.staleness(now) == "expired":
            raise Refusal("configuration_expired")
        if request.authority != settings.authority:
            raise Refusal("wrong_gateway")
        profile.check_time(signed.created, now=now, skew_seconds=settings.skew_seconds)
        key = configuration.keys.get(signed.key_id)
        if key is None:
            raise Refusal("key_unknown")
        profile.check_digest(request.content_digest, message.content, algorithm=signed.algorithm)
        profile.check_request(request, signed, verifier=key.verifier)
        # From here on the sender is known.
        message.key = key
        if not key.is_valid(now):
            raise Refusal("key_not_valid")
        if key.member in configuration.suspended:
            raise Refusal("member_suspended")
        self._guard.take(key_id=key.key_id, nonce=signed.nonce, now=now)
        message.facts["nonce"] = signed.nonce
        message.target = target = read_target(head.target)
        if target.service == OWN_SERVICE:
            return configuration  # the provider's own door: no grant, `Modes.provide` decides
        message.grant = check_grant(
            configuration.grants.get(request.grant), member=key.member, method=head.method, target=target, now=now
        )
        return configuration

    async def _serve(self, message: _Message, configuration: Configuration) -> UpstreamReply:
        request, key, grant, target = message.request, message.key, message.grant, message.target
        if request is None or key is None or target is None:
            raise TypeError("A message is served after it was verified.")

        def asked(target: Target, service: Service) -> Asked:
            return Asked(request, target, key, service, grant, message.content, message.facts)

        if grant is None:
            if request.method != "GET":
                await self._accept(message)
            return await self.modes.provide(configuration, target=target, asked=asked, gateway=self.settings.id)
        service = configuration.services[target.service]
        mode = self.modes.get(service.id)
        if mode is not None and service.gateway == self.settings.id:
            if request.method != "GET":
                await self._accept(message)
            return await mode.serve(asked(target, service))
        upstream = self._upstreams.get(service.id)
        if upstream is None or service.gateway != self.settings.id:
            raise Refusal("service_unknown")
        self._quotas.take(grant, now=self._clock())
        message.facts["counted"] = True
        if request.method != "GET":
            await self._accept(message)
        reply = await upstream.ask(
            method=request.method,
            target=target.raw,
            headers={
                "content-type": request.content_type,
                "accept": "application/json" if grant.fields is not None else "*/*",
                "furong-consumer": key.member,
                "furong-system": key.key_id,
                "furong-grant": grant.id,
                "furong-message": request.message,
            },
            content=message.content,
        )
        message.facts["provider_status"] = reply.status
        if not 200 <= reply.status < 300:
            # An error's text is nobody's consented data: the status passes, the content does not.
            status = reply.status if 400 <= reply.status < 500 else 502
            raise Refusal("provider_refused", f"The provider answered {reply.status}.", status=status)
        return self._within_terms(reply, grant, service, message)

    async def _accept(self, message: _Message) -> None:
        """Have on record what may change something before it can."""
        await self._record(message, "accepted", {})
        message.facts.pop("counted", None)
        message.facts.pop("nonce")

    def _within_terms(self, reply: UpstreamReply, grant: Grant, service: Service, message: _Message) -> UpstreamReply:
        if grant.fields is None and not grant.rows:
            return reply
        if not reply.content and reply.status == 204:
            return reply
        if grant.fields is None or reply.content_type.partition(";")[0].strip().lower() not in (
            "application/json",
            "application/problem+json",
        ):
            raise Refusal("provider_not_filterable")
        try:
            answer = json.loads(reply.content)
            kept, rows = apply_terms(answer, rows_at=service.rows_at, tree=grant.fields, scope=grant.rows)
        except (ValueError, RecursionError):
            raise Refusal("provider_not_filterable") from None
        message.facts["rows"] = rows
        content = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return UpstreamReply(reply.status, "application/json", content)

    async def _record(self, message: _Message, kind: str, more: Mapping[str, object], reply: str = "") -> Recorded:
        request, signed, key, grant = message.request, message.signed, message.key, message.grant
        facts: dict[str, object] = {"kind": kind, **message.facts, **more}
        detail = b""
        if key is not None and request is not None and signed is not None:
            # Only a verified sender is named; before that a name is what a stranger wrote.
            facts |= {"consumer": key.member, "key": key.key_id, "message": request.message, "method": request.method}
            if grant is not None:
                facts |= {"grant": grant.id, "service": grant.service, "purpose": grant.purpose}
            detail = json.dumps(
                {"base": request.base(signed.parameters).decode(), "signature": signed.signature, "reply": reply}
            ).encode()
        if self.configuration is not None:
            facts["configuration"] = self.configuration.serial
        return await self.log.append(facts, detail=detail)

    async def _record_and_sign(
        self, message: _Message, reply: UpstreamReply, refusal: Refusal | None, *, close: bool
    ) -> bytes:
        digest = reply.digest or profile.content_digest(reply.content, algorithm=self._signer.algorithm)
        kind = "refused" if refusal else "answered"
        place = await self._record(message, kind, {"status": reply.status}, digest)
        headers = {
            "content-type": reply.content_type,
            "content-digest": digest,
            "furong-record": self._place(place),
        }
        if refusal is not None and refusal.retry_after_seconds is not None:
            headers["retry-after"] = str(refusal.retry_after_seconds)
        request, signed = message.request, message.signed
        if request is not None and signed is not None:
            own = profile.Reply(reply.status, reply.content_type, digest, headers["furong-record"])
            headers |= profile.sign_reply(
                own, request=request, signed=signed, signer=self._signer, created=int(self._clock())
            ).headers()
        return wire.reply_bytes(reply.status, headers, reply.content, close=close)

    def _place(self, place: Recorded) -> str:
        """The Furong-Record field: where the record is, by which configuration it was decided, and how old that is."""
        text = f'log="{self.log.log_id}", index={place.index}, leaf="{place.leaf.hex()}"'
        if self.configuration is not None:
            text += f", configuration={self.configuration.serial}"
            staleness = self.configuration.staleness(self._clock())
            if staleness != "fresh":
                text += f", stale={self.configuration.age_seconds(self._clock())}"
        return text

    async def refuse_on_the_wire(self, refusal: Refusal) -> bytes:
        """Answer bytes that were no message: recorded, not signed, and the connection ends."""
        self.counts[refusal.code] += 1
        try:
            await self.log.append({"kind": "refused", "code": refusal.code, "status": refusal.status})
        except EvidenceError:
            refusal = Refusal("evidence_unwritable")
        return unsigned(refusal, close=True)

    # --- the gateway's own addresses ----------------------------------------------------------------------------

    async def _own(self, head: wire.RequestHead, content: bytes, *, close: bool) -> bytes:
        """Health, heads, receipts, proofs, counts, and the door for a new configuration, which is signed in itself."""
        path = head.target[len(OWN) :]
        try:
            found = await self._own_answer(head.method, path, content)
        except (IndexError, ValueError):
            return unsigned(Refusal("not_found"), close=close)
        except ConfigurationError as error:
            return unsigned(Refusal("malformed_request", str(error)), close=close)
        except (EvidenceError, OSError):
            return unsigned(Refusal("evidence_unwritable"), close=close)
        if isinstance(found, str):
            return wire.reply_bytes(200, {"content-type": "text/plain; version=0.0.4"}, found.encode(), close=close)
        text = json.dumps(found).encode()
        return wire.reply_bytes(200, {"content-type": "application/json"}, text, close=close)

    async def _own_answer(self, method: str, path: str, content: bytes) -> dict[str, object] | str:
        match (method, *path.split("/")):
            case ("GET", "health"):
                return self.health()
            case ("GET", "metrics"):
                lines = [
                    f'furong_gateway_messages_total{{code="{code}"}} {n}' for code, n in sorted(self.counts.items())
                ]
                lines += self.modes.metrics()
                return "\n".join(["# TYPE furong_gateway_messages_total counter", *lines, ""])
            case ("GET", "head"):
                head = await self.log.seal()
                return head.as_json() if head else {}
            case ("GET", "receipts", index, leaf) if index.isdecimal():
                # Who knows the leaf was given it with the reply; the record itself names no person.
                if self.log.tree.leaf(int(index)).hex() != leaf:
                    raise IndexError("no such record")
                return await self.log.receipt(int(index))
            case ("GET", "consistency", earlier, size) if earlier.isdecimal() and size.isdecimal():
                proof = self.log.tree.prove_consistency(earlier=int(earlier), size=int(size))
                return {"earlier": int(earlier), "size": int(size), "proof": [part.hex() for part in proof]}
            case ("PUT", "configuration"):
                taken = await self.take_configuration(content)
                return {"serial": taken.serial}
        raise IndexError("no such address")

    def health(self) -> dict[str, object]:
        """Say how the gateway is: ready or why not, how old its configuration is, how long its log."""
        found, now = self.configuration, self._clock()
        staleness = found.staleness(now) if found else "missing"
        return {
            "gateway": self.settings.id,
            "ready": not self.log.failed and staleness not in ("missing", "expired"),
            "evidence": self.log.failed or "ok",
            "records": self.log.tree.size,
            "configuration": found.serial if found else None,
            "configuration_age_seconds": found.age_seconds(now) if found else None,
            "configuration_staleness": staleness,
        }


def problem_reply(refusal: Refusal) -> UpstreamReply:
    """Give a refusal as an RFC 9457 problem."""
    found = Problem(status=refusal.status, code=refusal.code, title=refusal.title, detail=refusal.detail)
    return UpstreamReply(refusal.status, PROBLEM, json.dumps(found.as_json()).encode())


def unsigned(refusal: Refusal, *, close: bool) -> bytes:
    """Give the bytes of a refusal that answers no readable message."""
    reply = problem_reply(refusal)
    return wire.reply_bytes(reply.status, {"content-type": reply.content_type}, reply.content, close=close)


class _Connection(asyncio.Protocol):
    """A caller's connection: one message at a time; what was sent ahead waits, and reading stops meanwhile."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._buffer = bytearray()
        self._head: wire.RequestHead | None = None
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._since = 0.0
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's transport, as create_server promises
        self._since = asyncio.get_running_loop().time()
        self._gateway.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._gateway.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        if not self._buffer:
            self._since = asyncio.get_running_loop().time()
        self._buffer += data
        if self._task is None:
            self._next()
        elif self._transport is not None and len(self._buffer) > wire.MAX_HEAD:
            self._transport.pause_reading()

    def _next(self) -> None:
        """Begin with the next message when it is whole."""
        try:
            whole = self._whole()
        except Refusal as refusal:
            self._begin(self._refuse(refusal))
            return
        if whole is None:
            return
        gateway = self._gateway
        if gateway.in_hand >= gateway.settings.max_in_hand:
            self._begin(self._refuse(Refusal("overloaded", retry_after_seconds=1)))
            return
        gateway.in_hand += 1
        self._begin(self._work(*whole))

    def _begin(self, work: Any) -> None:
        self._task = asyncio.get_running_loop().create_task(work)

    def _whole(self) -> tuple[wire.RequestHead, bytes] | None:
        if self._head is None:
            end = self._buffer.find(wire.END)
            if end < 0 or end > wire.MAX_HEAD:
                if max(end, len(self._buffer)) > wire.MAX_HEAD:
                    raise Refusal("head_too_large")
                return None
            data = bytes(self._buffer[: end + 4])
            own = b" " + OWN.encode() + b"configuration " in data[:64]
            limit = MAX_BYTES if own else self._gateway.settings.max_content
            self._head = wire.read_request_head(data, max_content=limit)
            del self._buffer[: end + 4]
        if len(self._buffer) < self._head.length:
            return None
        head, self._head = self._head, None
        content = bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        return head, content

    async def _work(self, head: wire.RequestHead, content: bytes) -> None:
        close = head.headers.get("connection", "").lower() == "close"
        try:
            data = await self._gateway.answer(head, content, close=close)
        finally:
            self._gateway.in_hand -= 1
        self._send(data, close=close)

    async def _refuse(self, refusal: Refusal) -> None:
        # Where one message ends and the next begins is not known any more: nothing after it is read.
        self._send(await self._gateway.refuse_on_the_wire(refusal), close=True)

    def _send(self, data: bytes, *, close: bool) -> None:
        self._task = None
        if self._ended or self._transport is None:
            return
        self._transport.write(data)
        if close:
            self._ended = True
            self._buffer.clear()
            self._transport.close()
            return
        self._since = asyncio.get_running_loop().time()
        self._transport.resume_reading()
        if self._buffer:
            self._next()

    def check_time(self, now: float, limit: float) -> None:
        """End a connection that holds half a message, or nothing, for too long."""
        if self._task is not None or self._ended or now - self._since <= limit:
            return
        if self._buffer or self._head is not None:
            self._begin(self._refuse(Refusal("request_timeout")))
        else:
            self.close()

    def close(self) -> None:
        self._ended = True
        if self._transport is not None:
            self._transport.close()
