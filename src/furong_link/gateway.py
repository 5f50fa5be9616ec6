"""The gateway: verifies, decides, forwards, records and signs, in this order, for each message on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import ssl
import time
from binascii import b2a_base64
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from furong_link import condition, erasing, profile, renewal, wire
from furong_link.addresses import answer_own
from furong_link.admission import Admission
from furong_link.beside import Beside
from furong_link.bodies import Bodies
from furong_link.certificates import certificates_end
from furong_link.compact import compact
from furong_link.configuration import Configuration, Service
from furong_link.decision import Grant, QuotaBook, Target
from furong_link.door import Door
from furong_link.errors import EvidenceError, Refusal
from furong_link.evidence import EvidenceLog, Recorded
from furong_link.handover import KeyName
from furong_link.handshake import Listener, Refusals
from furong_link.keys import Signer, Verifier
from furong_link.masking import apply_terms
from furong_link.message import OWN, Message, problem_reply, unsigned
from furong_link.message import Settings as Settings
from furong_link.metrics import Histogram
from furong_link.modes import OWN_SERVICE, PROVIDE, Asked, Host, Mode, Modes
from furong_link.operator_key import Operator
from furong_link.peers import Peers, server_context, trust
from furong_link.tracing import Tracer, asking
from furong_link.traffic import TrafficBook
from furong_link.upstream import Upstream, UpstreamReply

logger = logging.getLogger("furong_link")
FAREWELL_SECONDS = 0.5
BACKLOG = 512
PEERS_MAY_READ = tuple(OWN + name for name in ("health", "head", "handovers", "receipts/", "consistency/"))
_encode = compact(ascii_only=False)


class Gateway:
    """One gateway on one event loop. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        *,
        settings: Settings,
        signer: Signer,
        operator: Verifier | KeyName,
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
        modes: Mapping[str, Mode] | None = None,
    ) -> None:
        self.modes = Modes(modes or {})
        self.settings, self._signer, self._clock, self._tls = settings, signer, clock, tls
        self._operator = Operator(settings.folder, operator)
        self.configuration: Configuration | None = None
        self._beside = Beside()
        self.log = EvidenceLog(
            settings.folder / "evidence",
            signer=signer,
            clock=clock,
            beside=self._beside,
            segment_bytes=settings.segment_bytes,
        )
        # Also when none are kept any more: those of before are erased in their time.
        self.bodies = Bodies(settings.folder / "evidence", settings=settings.bodies, algorithm=signer.algorithm)
        self._admission = Admission(self, settings=settings, suite=signer.algorithm, clock=clock, beside=self._beside)
        self._quotas = QuotaBook()
        self._upstreams = {
            name: Upstream(
                address,
                timeout_seconds=settings.upstream_seconds,
                max_content=settings.max_content,
                token=settings.tokens.get(name, ""),
            )
            for name, address in settings.upstreams.items()
        }
        self.peers = Peers(settings=settings, signer=signer, beside=self._beside, clock=clock, record=self.log.append)
        self._peer_tls = server_context(settings.peers) if settings.peers else None
        self._servers: list[asyncio.Server | Listener] = []
        self.peer_port = 0
        self._housekeeping: asyncio.Task[None] | None = None
        self.connections: set[Door] = set()
        self.in_hand = 0
        self.counts: Counter[str] = Counter()
        self.traffic = TrafficBook()
        trace = settings.telemetry
        self._tracer = Tracer(trace, gateway=settings.id, key=signer.key_id) if trace.address else None
        self.took, self.provider_took = Histogram(), Histogram()
        self.ends: dict[str, float] = {}  # when certificates end, by gateway
        self.port = 0

    # --- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the configuration and the log, then listen. Raises ConfigurationError or EvidenceError."""
        path = self.settings.folder / "configuration.json"
        if path.exists():
            self.configuration = self._operator.read(path.read_bytes(), now=self._clock())
            self._operator.keep()
        loop = asyncio.get_running_loop()
        try:
            self.log.open(seen=self._seen, since=self._remember_since())
        except EvidenceError:
            self.log.abandon()
            raise
        try:
            self._host = self._make_host()
            await self.modes.start(self._host)
        except BaseException:
            await self.modes.stop()
            self.log.abandon()
            raise
        settings = self.settings
        self.port = await self._listen(settings.host, settings.port, self._tls, "systems", lambda: Door(self))
        door = settings.peers
        if door is not None and self._peer_tls is not None:
            self._trust_peers()
            self.peer_port = await self._listen(
                door.host, door.port, self._peer_tls, "peers", lambda: Door(self, for_peers=True)
            )
        self._housekeeping = loop.create_task(self._keep_house())

    async def _listen(
        self, host: str, port: int, tls: ssl.SSLContext | None, name: str, door: Callable[[], Door]
    ) -> int:
        """Listen, and give the port; with TLS, a handshake that fails is counted and recorded."""
        server: asyncio.Server | Listener
        if tls is None:
            server = await asyncio.get_running_loop().create_server(door, host, port, backlog=BACKLOG)
        else:
            refusals = Refusals(door=name, counts=self.counts, record=self.log.append, clock=self._clock)
            server = Listener(door=door, tls=tls, refusals=refusals)
            await server.start(host, port, backlog=BACKLOG)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _trust_peers(self) -> None:
        """Let certificates of the configuration through the handshake; whether one still counts is asked of each message."""
        if self._peer_tls is not None and self.configuration is not None:
            for peer in self.configuration.peers.values():
                trust(self._peer_tls, peer)
            self.ends = certificates_end(self.configuration, own=self.settings.peers)

    def _make_host(self) -> Host:
        return Host(
            gateway=self.settings.id,
            authority=self.settings.authority,
            folder=self.settings.folder,
            signer=self._signer,
            clock=self._clock,
            log=self.log,
            quotas=self._quotas,
            configuration=lambda: self.configuration,
            handovers=self.handovers,
        )

    def _remember_since(self) -> float:
        """From when on records must be seen again at a start: nonces, and the longest window of a quota."""
        grants = self.configuration.grants.values() if self.configuration else ()
        windows = [grant.quota.seconds for grant in grants if grant.quota]
        return max(0.0, self._clock() - max([4 * self.settings.skew_seconds, *windows]))

    def _seen(self, record: Mapping[str, Any]) -> None:
        """Take from the log what must survive a restart: recent nonces, and what quotas of this window are used."""
        self.peers.remember(record)
        now, at = self._clock(), datetime.fromisoformat(record["at"]).timestamp()
        with contextlib.suppress(Refusal):
            self._admission.remember(record, now=now)
        grant = self.configuration.grants.get(record.get("grant", "")) if self.configuration else None
        if grant is not None and record.get("counted"):
            with contextlib.suppress(Refusal):
                if grant.quota and int(at) // grant.quota.seconds == int(now) // grant.quota.seconds:
                    self._quotas.take(grant, now=now)

    async def stop(self) -> None:
        """Take no more messages, finish those in hand, sign the last head, close."""
        for server in self._servers:
            server.close()
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
        self.peers.close()
        # Farewells of TLS want another side that answers; after a moment they are done without.
        deadline = asyncio.get_running_loop().time() + FAREWELL_SECONDS
        while self.connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)
        await self.log.close()
        self._beside.close()
        if self._tracer is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._tracer.close)

    async def _keep_house(self) -> None:
        witness_at, witnessing = asyncio.get_running_loop().time() + self.settings.witness_seconds, None
        while True:
            await asyncio.sleep(self.settings.head_seconds)
            try:
                await self.log.seal()
                await self.log.rotate()
                await erasing.tend(self.settings.folder, self.bodies, self.log, now=self._clock())
            except EvidenceError:
                logger.exception("The head was not signed.")
            now = asyncio.get_running_loop().time()
            if self.configuration is not None and now >= witness_at:
                witness_at = now + self.settings.witness_seconds
                if witnessing is None or witnessing.done():
                    witnessing = asyncio.create_task(self.peers.witness(self.configuration))
            for connection in list(self.connections):
                connection.check_time(now, self.settings.message_seconds)

    async def take_configuration(self, file: bytes) -> Configuration:
        """Hold a newer configuration: checked, kept on disk, recorded, then in force for the next message.

        Raises ConfigurationError; the one held stays in force then.
        """
        found = self._operator.read(file, now=self._clock(), held=self.configuration)
        path = self.settings.folder / "configuration.json"
        draft = path.with_suffix(".draft")
        with draft.open("wb") as out:
            out.write(file)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(path)
        facts = {"kind": "configuration", "serial": found.serial, "exchange": found.exchange}
        if self._operator.keep():
            facts["operator_key"] = self._operator.number
        self.configuration = found
        self._trust_peers()
        await self.log.append(facts)
        return found

    async def take_key(self, key: Signer) -> None:
        """Sign by another key from the next message on; what is under way is signed by the one that it named.

        The record of the change is the last that the old key's head covers. Raises EvidenceError.
        """
        await self.log.append({"kind": "key", "key": key.key_id, "before": self._signer.key_id})
        self._signer = self._host.signer = key
        self.log.sign_by(key)
        self.peers.sign_by(key)
        if self._tracer is not None:
            self._tracer.key = key.key_id

    def handovers(self) -> list[Any]:
        """Give the hand-overs of this gateway's key, the first at the front."""
        return renewal.read_given(self.log.folder)

    # --- one message -----------------------------------------------------------------------------------------

    async def answer(
        self,
        head: wire.RequestHead,
        content: bytes,
        *,
        close: bool = False,
        certificate: str = "",
        from_peer: bool = False,
    ) -> bytes:
        """Answer one message with the bytes of its reply. Never raises: a failure is a refusal too."""
        if head.target.startswith(OWN) and not head.target.startswith(f"/{OWN_SERVICE}{PROVIDE}"):
            if from_peer and not head.target.startswith(PEERS_MAY_READ):
                return unsigned(Refusal("not_found"), close=close)  # metrics and configurations are the member's own
            return await answer_own(self, head, content, close=close)
        message = Message(head, content, certificate, from_peer)
        if self._tracer is not None:
            message.span = self._tracer.begin(head.headers.get("furong-message", ""), f"exchange {head.method}")
        began = time.perf_counter()
        refusal: Refusal | None = None
        reply: UpstreamReply | None = None
        try:
            configuration = await self._admission.admit(message)
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
        outcome = refusal.code if refusal else "ok"
        try:
            return await self._record_and_sign(message, reply, refusal, close=close)
        except EvidenceError:
            outcome = "evidence_unwritable"
            self.counts[outcome] += 1
            return unsigned(Refusal(outcome), close=close)
        except Exception:
            # The caller must hear something, also when the module that keeps the key does not answer.
            logger.exception("A reply was not signed.")
            outcome = "gateway_failed"
            self.counts[outcome] += 1
            return unsigned(Refusal(outcome), close=close)
        finally:
            self._count(message, outcome, time.perf_counter() - began)
            if message.span is not None and self._tracer is not None:
                message.trace(message.span, outcome=outcome, status=reply.status)
                self._tracer.end(message.span, error="" if outcome == "ok" else outcome)

    def _count(self, message: Message, outcome: str, seconds: float) -> None:
        """Count a message. Only a verified sender is named in reports, and only a service that the exchange knows."""
        self.took.observe(seconds)
        key, grant, target = message.key, message.grant, message.target
        known = self.configuration.services if self.configuration else {}
        self.traffic.note(
            at=self._clock(),
            consumer=key.member if key else "",
            service=target.service if key and target and target.service in known else "",
            grant=grant.id if grant else "",
            outcome=outcome,
            seconds=seconds,
        )

    def quotas(self) -> dict[str, int]:
        """Say how many calls of the current window are used, by grant; grants that nobody used are left out."""
        grants, now = self.configuration.grants if self.configuration else {}, self._clock()
        found = {grant.id: self._quotas.used(grant, now=now) for grant in grants.values() if grant.quota}
        return {grant: used for grant, used in found.items() if used}

    async def _serve(self, message: Message, configuration: Configuration) -> UpstreamReply:
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
        if service.gateway != self.settings.id and self.settings.peers is not None:
            own = configuration.peers.get(self.settings.id)
            if message.from_peer or own is None or key.member != own.member:
                raise Refusal("not_own_system")
            if request.method != "GET":
                await self._accept(message)
            with asking(self._tracer, message.span, request.message, gateway=service.gateway):
                return await self.peers.forward(message, configuration, service.gateway)
        upstream = self._upstreams.get(service.id)
        if upstream is None or service.gateway != self.settings.id:
            raise Refusal("service_unknown")
        self._quotas.take(grant, now=self._clock())
        message.facts["counted"] = True
        if request.method != "GET":
            await self._accept(message)
        headers = {
            "content-type": request.content_type,
            "accept": "application/json" if grant.fields is not None else "*/*",
            "furong-consumer": key.member,
            "furong-system": key.key_id,
            "furong-grant": grant.id,
            "furong-message": request.message,
        }
        began = time.perf_counter()
        with asking(self._tracer, message.span, request.message, system=service.id, headers=headers):
            reply = await upstream.ask(
                method=request.method, target=target.raw, headers=headers, content=message.content
            )
        self.provider_took.observe(time.perf_counter() - began)
        message.facts["provider_status"] = reply.status
        if not 200 <= reply.status < 300:
            # An error's text is nobody's consented data: the status passes, the content does not.
            status = reply.status if 400 <= reply.status < 500 else 502
            raise Refusal("provider_refused", f"The provider answered {reply.status}.", status=status)
        return self._within_terms(reply, grant, service, message)

    async def _accept(self, message: Message) -> None:
        """Have on record what may change something before it can."""
        facts, detail = self._facts(message, "accepted")
        await self.log.append(facts, detail=detail)
        message.facts.pop("counted", None)
        message.facts.pop("nonce", None)

    def _within_terms(self, reply: UpstreamReply, grant: Grant, service: Service, message: Message) -> UpstreamReply:
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
        content = _encode(kept).encode("utf-8", "replace")
        return UpstreamReply(reply.status, "application/json", content)

    def _facts(
        self, message: Message, kind: str, reply: str = "", answer: bytes = b""
    ) -> tuple[dict[str, object], bytes]:
        """Give what a record says of a message, and the detail that is sealed beside it."""
        contents = ""
        # Files and events lie sealed in stores of their own.
        if self.settings.bodies.keep and kind == "answered" and message.is_verified and "mode" not in message.facts:
            contents = _encode(self.bodies.seal(question=message.content, answer=answer, at=self._clock()))
        serial = None if self.configuration is None else self.configuration.serial
        return message.told(kind, reply=reply, contents=contents, serial=serial)

    async def _record_and_sign(
        self, message: Message, reply: UpstreamReply, refusal: Refusal | None, *, close: bool
    ) -> bytes:
        signer = self._signer  # the one that the reply names, whatever takes over meanwhile
        digest = reply.digest or profile.content_digest(reply.content, algorithm=signer.algorithm)
        facts, detail = self._facts(message, "refused" if refusal else "answered", digest, reply.content)
        facts["status"] = reply.status
        request, signed = message.request, message.signed
        headers = {"content-type": reply.content_type, "content-digest": digest}
        if refusal is not None and refusal.retry_after_seconds is not None:
            headers["retry-after"] = str(refusal.retry_after_seconds)
        if request is None or signed is None:
            headers["furong-record"] = self._place(await self.log.append(facts, detail=detail))
            return wire.reply_bytes(reply.status, headers, reply.content, close=close)
        parameters = ""

        def base(place: Recorded) -> bytes:
            nonlocal parameters
            field = headers["furong-record"] = self._place(place)
            parameters, found = profile.begin_reply(
                profile.Reply(reply.status, reply.content_type, digest, field),
                request=request,
                signed=signed,
                signer=signer,
                created=int(self._clock()),
            )
            return found

        place = await self.log.append(facts, detail=detail, base=base, signer=signer)
        headers["signature-input"] = f"{profile.LABEL}={parameters}"
        headers["signature"] = f"{profile.LABEL}=:{b2a_base64(place.signature, newline=False).decode()}:"
        return wire.reply_bytes(reply.status, headers, reply.content, close=close)

    def _place(self, place: Recorded) -> str:
        """The Furong-Record field: where the record is, by which configuration it was decided, and how old that is."""
        found = self.configuration
        now = self._clock()
        return profile.write_record(
            log=self.log.log_id,
            index=place.index,
            leaf=place.leaf,
            configuration=found.serial if found else None,
            stale_seconds=None if found is None or found.staleness(now) == "fresh" else found.age_seconds(now),
        )

    async def refuse_on_the_wire(self, refusal: Refusal) -> bytes:
        """Answer bytes that were no message: recorded, not signed, and the connection ends."""
        self.counts[refusal.code] += 1
        try:
            await self.log.append({"kind": "refused", "code": refusal.code, "status": refusal.status})
        except EvidenceError:
            refusal = Refusal("evidence_unwritable")
        return unsigned(refusal, close=True)

    @property
    def now(self) -> float:
        return self._clock()

    @property
    def key_id(self) -> str:
        """The name of the key that signs."""
        return self._signer.key_id

    def metrics(self) -> str:
        """Give the gateway's figures in Prometheus's text form."""
        return condition.metrics_of(self)

    def health(self) -> dict[str, object]:
        """Say how the gateway is: ready or why not, how old its configuration is, how long its log."""
        return condition.health_of(self)
