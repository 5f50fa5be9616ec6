"""Gateway to gateway: a consumer's gateway asks the provider's over mTLS, and believes only what it can prove.

The message goes on under the same id, signed anew by this gateway's key, which the provider's gateway knows. Of the reply it
checks the signature, that it answers this very request, its content, and the place where the other gateway recorded it; a
place that the other log had passed already shows a log that was rolled back. Once a minute it fetches the other's signed head,
proves that the log only grew and that the last reply is in it, and records the head: gateways witness one another.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from furong_link import profile
from furong_link.archive import Head
from furong_link.beside import Beside
from furong_link.configuration import Configuration, Peer
from furong_link.errors import REFUSALS, ConfigurationError, LinkError, Refusal, UnverifiedReplyError
from furong_link.keys import Signer, Verifier
from furong_link.message import Message, PeerDoor, Settings
from furong_link.pool import Causes, Heard, NotSent, Pool
from furong_link.tree import verify_consistency
from furong_link.upstream import UpstreamReply
from furong_link.verification import check_head, check_receipt

logger = logging.getLogger("furong_link")

CAUSES = Causes("peer_unreachable", "peer_timeout", "peer_malformed")
PAUSES = (0.05, 0.2, 0.8)  # seconds before a safe message is sent again
MAX_DOWN_SECONDS = 5.0


def server_context(door: PeerDoor) -> ssl.SSLContext:
    """Give the context in which other gateways are met. Who shows no certificate is let in as far as the refusal that
    says so; whose certificate is unknown to it, expired or not yet valid ends at the handshake. Raises ConfigurationError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_OPTIONAL
    return _prepared(context, door)


def client_context(door: PeerDoor, peer: Peer) -> ssl.SSLContext:
    """Give the context in which ``peer`` is met: only its own certificates are trusted. Raises ConfigurationError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The configuration names the certificate itself, so its names need not be looked at.
    context.check_hostname = False
    trust(context, peer)
    return _prepared(context, door)


def _prepared(context: ssl.SSLContext, door: PeerDoor) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_cert_chain(door.certificate, door.key)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The certificate for other gateways cannot be read: {error}") from error
    return context


def trust(context: ssl.SSLContext, peer: Peer) -> None:
    """Let ``context`` trust a gateway's certificates. What is no certificate is left out, and so trusted by nobody."""
    for certificate in peer.certificates:
        try:
            context.load_verify_locations(cadata=certificate)
        except (ssl.SSLError, ValueError):
            logger.warning("A certificate of %s cannot be read.", peer.id)


@dataclass(slots=True)
class _Way:
    """What is held about one other gateway."""

    peer: Peer
    pool: Pool
    down_until: float = 0.0
    failures: int = 0
    head: Head | None = None
    last: profile.Record | None = None
    trouble: str = ""


class Peers:
    """The other gateways of one gateway's loop. ``record`` writes a line of evidence."""

    def __init__(
        self,
        *,
        settings: Settings,
        signer: Signer,
        beside: Beside,
        clock: Callable[[], float],
        record: Callable[[Mapping[str, object]], Awaitable[object]],
    ) -> None:
        self._settings, self._signer, self._beside, self._clock, self._record = settings, signer, beside, clock, record
        self._ways: dict[str, _Way] = {}
        self._heads: dict[str, Head] = {}

    def sign_by(self, signer: Signer) -> None:
        """Ask other gateways by another key of this one from now on."""
        self._signer = signer

    # --- forwarding --------------------------------------------------------------------------------------------

    async def forward(self, message: Message, configuration: Configuration, gateway: str) -> UpstreamReply:
        """Have the provider's gateway answer. Refuses with what it refused, or with why its reply is not passed on."""
        request = message.request
        if request is None:
            raise TypeError("A message is forwarded after it was verified.")
        way = self._way(configuration, gateway)
        facts = message.facts
        facts["peer"] = gateway
        wait = way.down_until - self._clock()
        if wait > 0:
            raise Refusal("peer_unreachable", retry_after_seconds=int(wait) + 1)
        digest = profile.content_digest(message.content, algorithm=self._signer.algorithm)
        onward = profile.Request(
            request.method,
            way.peer.authority,
            request.target,
            request.content_type,
            digest,
            request.grant,
            request.message,
        )
        known = way.head
        heard, signed = await self._send(way, onward, message.content)
        try:
            record = await self._verified(way, configuration, heard, onward, signed)
        except (Refusal, ValueError) as error:
            facts["peer_fault"] = error.code if isinstance(error, Refusal) else "record"
            raise Refusal("peer_reply_unverified", str(error)) from None
        if known is not None and record.log == known.log and record.index < known.size:
            way.trouble = "rolled_back"
            facts["peer_fault"] = "rolled_back"
            raise Refusal("peer_reply_unverified", "Its log was longer before.")
        way.last = record
        facts["peer_log"], facts["peer_index"], facts["peer_leaf"] = record.log, record.index, record.leaf.hex()
        if record.stale_seconds is not None:
            facts["peer_stale"] = record.stale_seconds
        headers = heard.head.headers
        if heard.head.status >= 400:
            raise _refusal(heard)
        return UpstreamReply(heard.head.status, headers.get("content-type", ""), heard.content)

    async def _send(self, way: _Way, request: profile.Request, content: bytes) -> tuple[Heard, profile.Signed]:
        """Send until it was answered: what changes nothing several times, what may change something only while
        nothing of it was sent. The message's id stays; nonce and signature are new each time.
        """
        for pause in (*PAUSES, None):
            signed = await self._sign(request)
            lines = "".join(f"{name}: {value}\r\n" for name, value in signed.headers().items())
            data = (
                f"{request.method} {request.target} HTTP/1.1\r\nhost: {request.authority}\r\n"
                f"content-type: {request.content_type}\r\ncontent-digest: {request.content_digest}\r\n"
                f"furong-grant: {request.grant}\r\nfurong-message: {request.message}\r\n"
                f"content-length: {len(content)}\r\n{lines}\r\n"
            ).encode("ascii") + content
            try:
                heard = await way.pool.ask(data, again=False)
            except Refusal as refusal:
                safe = request.method == "GET" or isinstance(refusal, NotSent)
                if refusal.code == CAUSES.unreachable and safe and pause is not None:
                    await asyncio.sleep(pause)
                    continue
                if refusal.code != CAUSES.malformed:
                    way.failures += 1
                    way.down_until = self._clock() + min(MAX_DOWN_SECONDS, 0.25 * 2**way.failures)
                raise
            way.failures, way.down_until = 0, 0.0
            return heard, signed
        raise TypeError("The last try has no pause.")

    async def _sign(self, request: profile.Request) -> profile.Signed:
        signer = self._signer
        parameters, base = profile.begin_request(
            request, signer=signer, created=int(self._clock()), nonce=secrets.token_urlsafe(16)
        )
        beside = getattr(signer, "sign_beside", None)
        signature = await self._beside.call(beside, base) if beside and self._beside.busy else signer.sign(base)
        return profile.signed_as(parameters, signer=signer, signature=signature)

    async def _verified(
        self,
        way: _Way,
        configuration: Configuration,
        heard: Heard,
        request: profile.Request,
        asked: profile.Signed,
    ) -> profile.Record:
        """Give the place of the other gateway's record. Refuses, or raises ValueError, when the reply proves nothing."""
        headers, now = heard.head.headers, self._clock()
        signed = profile.read_signature(headers, reply=True)
        verifier = _key(way.peer, configuration, signed.key_id, now)
        digest, field = headers.get("content-digest", ""), headers.get("furong-record", "")
        profile.check_digest(digest, heard.content, algorithm=signed.algorithm)
        profile.check_time(signed.created, now=now, skew_seconds=self._settings.skew_seconds)
        reply = profile.Reply(heard.head.status, headers.get("content-type", ""), digest, field)
        base, signature = profile.begin_check_reply(reply, signed, request=request, asked=asked, verifier=verifier)
        beside = getattr(verifier, "verify_beside", None)
        if beside and self._beside.busy:
            fits = await self._beside.call(beside, base, signature)
        else:
            fits = verifier.verify(base, signature)
        if not fits:
            raise Refusal("signature_invalid")
        return profile.read_record(field)

    def _way(self, configuration: Configuration, gateway: str) -> _Way:
        peer, door = configuration.peers.get(gateway), self._settings.peers
        if peer is None or door is None or not peer.address or not peer.keys or not peer.certificates:
            raise Refusal("peer_unknown")
        way = self._ways.get(gateway)
        if way is not None and way.peer == peer:
            return way
        if way is not None:
            way.pool.close()

        def check(shown: ssl.SSLObject) -> None:
            certificate = shown.getpeercert(binary_form=True)
            if certificate is None or sha256(certificate).hexdigest() not in peer.fingerprints:
                raise Refusal("peer_reply_unverified", "It shows another certificate.")

        parts = urlsplit(peer.address)
        try:
            tls = client_context(door, peer)
        except ConfigurationError:
            logger.exception("Other gateways cannot be asked.")
            raise Refusal("peer_unknown") from None
        pool = Pool(
            parts.hostname or "",
            parts.port or 443,
            timeout_seconds=self._settings.upstream_seconds,
            max_content=self._settings.max_content,
            causes=CAUSES,
            tls=tls,
            check=check,
        )
        found = self._ways[gateway] = _Way(peer, pool, head=way.head if way else self._heads.get(gateway))
        return found

    # --- witnessing --------------------------------------------------------------------------------------------

    def remember(self, record: Mapping[str, Any]) -> None:
        """Take from this gateway's own log, at its start, what it had seen of another's."""
        if record.get("kind") == "witnessed":
            head = record["head"]
            self._heads[record["peer"]] = Head.from_json(head)

    async def witness(self, configuration: Configuration) -> None:
        """Look at the logs of the gateways that answered: each only grew, and holds what it said it holds.

        What is found is recorded either way; a gateway in ``trouble`` is in health and metrics.
        """
        for gateway, way in list(self._ways.items()):
            if way.last is None or way.peer != configuration.peers.get(gateway):
                continue
            try:
                head = await self._look(way, configuration)
            except (LinkError, ValueError, KeyError, TypeError) as error:
                way.trouble = way.trouble or "log_not_proven"
                logger.error("The log of %s is not what it was: %s", gateway, error)
                await self._record({"kind": "mistrusted", "peer": gateway, "why": str(error)[:200]})
            except Refusal:
                continue  # not reachable now: the next look is soon
            else:
                way.trouble = ""
                if way.head is None or head.size != way.head.size:
                    way.head = head
                    await self._record({"kind": "witnessed", "peer": gateway, "head": head.as_json()})

    async def _look(self, way: _Way, configuration: Configuration) -> Head:
        last, known = way.last, way.head
        if last is None:
            raise TypeError("There is nothing to look for.")
        receipt = await self._fetch(way, f"receipts/{last.index}/{last.leaf.hex()}")
        head = Head.from_json(receipt["head"])
        verifier = _key(way.peer, configuration, head.key_id, self._clock())
        if check_receipt(receipt, key=verifier).leaf != last.leaf or not check_head(head, key=verifier):
            raise UnverifiedReplyError("The receipt is for another record.")
        if known is not None and known.log == head.log:
            if head.size < known.size:
                raise UnverifiedReplyError("It is shorter than it was.")
            found = await self._fetch(way, f"consistency/{known.size}/{head.size}")
            proof = [bytes.fromhex(part) for part in found["proof"]]
            if not verify_consistency(
                earlier=known.size, earlier_root=known.root, size=head.size, root=head.root, proof=proof
            ):
                raise UnverifiedReplyError("It does not go on from where it was.")
        elif known is not None:
            raise UnverifiedReplyError("It is another log than before.")
        return head

    async def _fetch(self, way: _Way, what: str) -> Any:
        data = f"GET /.furong/{what} HTTP/1.1\r\nhost: {way.peer.authority}\r\n\r\n".encode()
        heard = await way.pool.ask(data, again=True)
        if heard.head.status != 200:
            raise UnverifiedReplyError(f"It does not answer for {what.partition('/')[0]}.")
        return json.loads(heard.content)

    def troubles(self) -> dict[str, str]:
        """Say which gateways' logs are in doubt, and why."""
        return {name: way.trouble for name, way in self._ways.items() if way.trouble}

    def down(self) -> list[str]:
        """Say which gateways could not be reached at the last try."""
        return sorted(name for name, way in self._ways.items() if way.failures)

    def close(self) -> None:
        for way in self._ways.values():
            way.pool.close()


def _key(peer: Peer, configuration: Configuration, key_id: str, now: float) -> Verifier:
    key = configuration.keys.get(key_id)
    if key is None or key_id not in peer.keys:
        raise Refusal("key_unknown")
    if not key.is_valid(now):
        raise Refusal("key_not_valid")
    return key.verifier


def _refusal(heard: Heard) -> Refusal:
    """Give what the provider's gateway refused with, as this gateway refuses with it."""
    retry = heard.head.headers.get("retry-after", "")
    seconds = int(retry) if retry.isdecimal() and len(retry) < 10 else None
    try:
        found = json.loads(heard.content)
        code, detail = str(found["code"]), str(found.get("detail", ""))[:300]
    except (ValueError, KeyError, TypeError):
        code, detail = "peer_refused", ""
    if code not in REFUSALS:
        code = "peer_refused"
    return Refusal(code, detail, status=heard.head.status, retry_after_seconds=seconds)
