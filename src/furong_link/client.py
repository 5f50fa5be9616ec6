"""The client: ask through a gateway, and believe only replies that its key signed for this very request.

link = Link("http://127.0.0.1:8601", signer=SoftwareKey.read(path), gateway_key=verifier(algorithm=…, public=…))
answer = link.get("/births/430290/2026-0001", grant="births-for-housing")
answer.json()
link.receipt(answer)  # later: the proof that the exchange is in the gateway's log
"""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from furong_link import client_batch, client_events, profile
from furong_link.client_events import Event, Handler, Inbox, Taken
from furong_link.errors import LinkError, Problem, Refusal, UnverifiedReplyError
from furong_link.handover import line_of
from furong_link.keys import Signer, Verifier
from furong_link.profile import Record as Record
from furong_link.verification import Receipt, check_receipt
from furong_link.witness import Cosigned, check_witnessed


class UnreachableError(LinkError):
    """The gateway could not be reached, or the connection broke; a GET may be repeated with the same message id."""

    code = "gateway_unreachable"


class Refused(Exception):  # noqa: N818 - a fact for the caller, no fault
    """The gateway, or the provider behind it, refused; the refusal was signed. ``message`` is the message's id."""

    def __init__(self, problem: Problem, *, message: str, retry_after_seconds: int | None, record: Record) -> None:
        super().__init__(f"{problem.code}: {problem.detail or problem.title}")
        self.problem, self.message, self.record = problem, message, record
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified reply."""

    status: int
    content_type: str
    content: bytes
    record: Record
    message: str

    def json(self) -> Any:
        """Give the content as JSON. Raises ValueError."""
        return json.loads(self.content)


class Link:
    """A way to one gateway, over one kept connection; a lock lets threads share it, one message at a time."""

    def __init__(
        self,
        gateway: str,
        *,
        signer: Signer,
        gateway_key: Verifier,
        timeout_seconds: float = 60.0,
        skew_seconds: int = profile.SKEW_SECONDS,
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
        authority: str | None = None,
    ) -> None:
        parts = urlsplit(gateway)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("A gateway's address is http(s)://host:port.")
        self._authority = (authority or parts.netloc).lower()
        self._signer, self._key, self._clock, self._skew = signer, gateway_key, clock, skew_seconds
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=timeout_seconds, context=tls
            )
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_seconds)
        self._lock = threading.Lock()
        self._first, self._looked_for = gateway_key, set[str]()

    def __enter__(self) -> Link:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens one again."""
        with self._lock:
            self._connection.close()

    def get(self, target: str, *, grant: str, message: str | None = None) -> Answer:
        """Read ``target`` (/SERVICE/path?query) under ``grant``. As `request`."""
        return self.request("GET", target, grant=grant, message=message)

    def post(self, target: str, value: object, *, grant: str, message: str | None = None) -> Answer:
        """Send ``value`` as JSON under ``grant``. As `request`."""
        content = json.dumps(value, ensure_ascii=False).encode()
        return self.request("POST", target, grant=grant, content=content, message=message)

    def request(
        self,
        method: str,
        target: str,
        *,
        grant: str,
        content: bytes = b"",
        content_type: str = "application/json",
        message: str | None = None,
    ) -> Answer:
        """Send one signed message and give its verified answer.

        ``message`` is its stable id: give the same one again when you repeat a message whose reply was lost, and the
        provider can tell. Raises Refused for a signed refusal, UnverifiedReplyError for a reply that cannot be trusted
        (an unsigned refusal included) and UnreachableError when none came. A GET is sent once more, newly signed, when
        a kept connection turns out to be closed.
        """
        message = message or str(uuid.uuid4())
        with self._lock:
            kept = self._connection.sock is not None
            try:
                return self._once(method, target, grant, content, content_type, message)
            except UnreachableError:
                if not (kept and method == "GET"):
                    raise
            return self._once(method, target, grant, content, content_type, message)

    def _once(self, method: str, target: str, grant: str, content: bytes, content_type: str, message: str) -> Answer:
        digest = profile.content_digest(content, algorithm=self._signer.algorithm)
        request = profile.Request(method, self._authority, target, content_type, digest, grant, message)
        signed = profile.sign_request(
            request, signer=self._signer, created=int(self._clock()), nonce=secrets.token_urlsafe(16)
        )
        headers = {
            "Host": self._authority,
            "Content-Type": content_type,
            "Content-Digest": digest,
            "Furong-Grant": grant,
            "Furong-Message": message,
            **signed.headers(),
        }
        status, got, body = self._send(method, target, content, headers)
        try:
            record = self._verified(status, got, body, request, signed)
        except UnverifiedReplyError:
            if not self._follow(got):
                raise
            record = self._verified(status, got, body, request, signed)
        if status >= 400:
            raise Refused(_problem(status, body), message=message, retry_after_seconds=_seconds(got), record=record)
        return Answer(status, got["content-type"], body, record, message)

    def _send(
        self, method: str, target: str, content: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            self._connection.request(method, target, body=content or None, headers=headers)
            reply = self._connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise UnreachableError(f"The gateway did not answer: {type(error).__name__}.") from error

    def _follow(self, got: Mapping[str, str]) -> bool:
        """Follow the gateway's key to the one that signed this reply, by the hand-overs that the gateway gives; once for each."""
        try:
            name = profile.read_signature(got, reply=True).key_id
            if name in self._looked_for:
                return False
            self._looked_for.add(name)
            status, _, body = self._send("GET", "/.furong/handovers", b"", {"Host": self._authority})
            found = line_of(self._first, json.loads(body)["handovers"] if status == 200 else [], now=self._clock())
        except (Refusal, LinkError, ValueError, KeyError, TypeError):
            return False
        is_other, self._key = found is not self._key, found
        return is_other

    def _verified(
        self, status: int, got: dict[str, str], body: bytes, request: profile.Request, asked: profile.Signed
    ) -> Record:
        try:
            signed = profile.read_signature(got, reply=True)
            digest, field = got.get("content-digest", ""), got.get("furong-record", "")
            profile.check_digest(digest, body, algorithm=signed.algorithm)
            profile.check_time(signed.created, now=self._clock(), skew_seconds=self._skew)
            reply = profile.Reply(status, got.get("content-type", ""), digest, field)
            profile.check_reply(reply, signed, request=request, asked=asked, verifier=self._key)
            return profile.read_record(field)
        except (Refusal, UnicodeEncodeError, ValueError) as error:
            code = _problem(status, body).code if status >= 400 else ""
            claimed = f" It claims {code}." if code else ""
            raise UnverifiedReplyError(f"The reply cannot be trusted: {error}{claimed}", code_seen=code) from error

    def witnessed(
        self,
        answer: Answer | Refused,
        *,
        cosigned: Sequence[Cosigned],
        keys: Mapping[str, Verifier],
        needed: int,
    ) -> Receipt:
        """Give the receipt of an exchange once ``needed`` of the witnesses with ``keys`` co-signed a head that holds it.

        ``cosigned`` are heads fetched from the witnesses; the proofs between them and the receipt come from the gateway.
        Raises UnverifiedReplyError when fewer witnesses hold it, which may only mean that they have not looked yet.
        """
        receipt = self.receipt(answer)
        proven = [(each, self._consistency(receipt.head.size, each.head.size)) for each in cosigned]
        check_witnessed(receipt, gateway_key=self._key, cosigned=proven, keys=keys, needed=needed)
        return receipt

    def _consistency(self, one: int, other: int) -> list[bytes]:
        earlier, size = min(one, other), max(one, other)
        with self._lock:
            status, _, body = self._send(
                "GET", f"/.furong/consistency/{earlier}/{size}", b"", {"Host": self._authority}
            )
        try:
            return [bytes.fromhex(part) for part in json.loads(body)["proof"]] if status == 200 else []
        except (ValueError, KeyError, TypeError):
            return []

    @property
    def gateway_algorithm(self) -> str:
        """The suite of the gateway's key, which fixes the digest that files are named by."""
        return self._key.algorithm

    def download(
        self,
        dataset: str,
        *,
        grant: str,
        to: Path,
        version: int | None = None,
        format_: str = "csv",
        since: int | None = None,
    ) -> client_batch.Downloaded:
        """Fetch a version of ``dataset`` (/SERVICE/DATASET) to a file; goes on by itself after a cut, and when called
        again after the program ended. As `client_batch.download`, which has more to set.
        """
        return client_batch.download(self, dataset, grant=grant, to=to, version=version, format_=format_, since=since)

    def publish(
        self,
        service: str,
        dataset: str,
        *,
        version: int,
        file: Path,
        format_: str = "csv",
        since: int | None = None,
    ) -> client_batch.Sent:
        """Publish a file at the provider's own gateway. As `client_batch.publish`."""
        return client_batch.publish(self, service, dataset, version=version, file=file, format_=format_, since=since)

    def send(self, service: str, topic: str, events: Sequence[Event]) -> list[int]:
        """Publish events at the provider's own gateway and give their positions. As `client_events.send_events`."""
        return client_events.send_events(self, service, topic, events)

    def follow(
        self, target: str, *, grant: str, inbox: Inbox, handle: Handler, name: str = "default"
    ) -> Iterator[Taken]:
        """Take the events of ``target`` (/SERVICE/TOPIC) for ever, each into effect once. As `client_events.follow`."""
        return client_events.follow(self, target, grant=grant, inbox=inbox, handle=handle, name=name)

    def receipt(self, answer: Answer | Refused) -> Receipt:
        """Fetch and check the proof that an exchange is in the gateway's log under a signed head.

        Raises UnverifiedReplyError when the proof does not hold for the record that the reply promised.
        """
        record = answer.record
        with self._lock:
            status, _, body = self._send(
                "GET", f"/.furong/receipts/{record.index}/{record.leaf.hex()}", b"", {"Host": self._authority}
            )
        if status != 200:
            raise UnverifiedReplyError("The gateway has no receipt for what it promised.")
        found = check_receipt(json.loads(body), key=self._key)
        if found.leaf != record.leaf or found.index != record.index or found.head.log != record.log:
            raise UnverifiedReplyError("The receipt is for another record.")
        return found


def _problem(status: int, body: bytes) -> Problem:
    try:
        found = json.loads(body)
        return Problem(
            status=status, code=str(found["code"]), title=str(found["title"]), detail=str(found.get("detail", ""))
        )
    except (ValueError, KeyError, TypeError):
        return Problem(status=status, code="unknown", title="The refusal is no problem of the profile.")


def _seconds(got: dict[str, str]) -> int | None:
    text = got.get("retry-after", "")
    return int(text) if text.isdecimal() else None
