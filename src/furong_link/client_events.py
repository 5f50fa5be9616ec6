"""Events for those who send and take them: publishing, following by pull, receiving pushes, and the inbox that has
nothing take effect twice.

with Inbox(Path("events.db")) as inbox:
    for batch in follow(link, "/birth-events/born", grant="born-for-housing", inbox=inbox, handle=register):
        print(batch.taken)
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from furong_link import profile
from furong_link.cloudevents import BATCH
from furong_link.decision import PROVIDER
from furong_link.errors import AWAY, ConfigurationError, LinkError, Problem, Refusal
from furong_link.handover import SENT, line_of
from furong_link.keys import Signer, Verifier
from furong_link.replay import ReplayGuard

if TYPE_CHECKING:
    from furong_link.client import Link

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A CloudEvent 1.0. ``key`` is what order is kept for; ``position`` is the provider's, 0 before it is published."""

    source: str
    type: str
    data: Mapping[str, Any]
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    key: str = ""
    time: str = ""
    subject: str = ""
    position: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give the event in the JSON format of CloudEvents."""
        found: dict[str, Any] = {"specversion": "1.0", "id": self.id, "source": self.source, "type": self.type}
        more = {"subject": self.subject, "time": self.time, "partitionkey": self.key}
        found |= {name: value for name, value in more.items() if value}
        return {**found, "datacontenttype": "application/json", "data": dict(self.data)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Event:
        """Read an event that a gateway gave. Raises ValueError, KeyError or TypeError when it is none."""
        data = found.get("data", {})
        if found["specversion"] != "1.0" or not isinstance(data, dict):
            raise ValueError("no event of the profile")
        return cls(
            source=str(found["source"]),
            type=str(found["type"]),
            data=data,
            id=str(found["id"]),
            key=str(found.get("partitionkey", found.get("subject", ""))),
            time=str(found.get("time", "")),
            subject=str(found.get("subject", "")),
            position=int(found["sequence"]),
        )


# A handler makes an event's effects through the connection it is given; they are kept with the event's id, or not at all.
Handler = Callable[[Event, sqlite3.Connection], None]


class Inbox:
    """Remembers which events took effect, in one SQLite file, in the same transaction as the effects made through it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._found = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._found.execute("PRAGMA journal_mode=WAL")
        self._found.execute("PRAGMA synchronous=FULL")
        self._found.executescript(
            "CREATE TABLE IF NOT EXISTS furong_taken (grant_id TEXT, event BLOB, PRIMARY KEY (grant_id, event))"
            " WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS furong_position (stream TEXT PRIMARY KEY, position INTEGER NOT NULL)"
        )

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._found.close()

    def position(self, stream: str) -> int:
        """Give the position up to which everything of ``stream`` was taken."""
        with self._lock:
            row = self._found.execute("SELECT position FROM furong_position WHERE stream = ?", (stream,)).fetchone()
        return int(row[0]) if row else 0

    def take(
        self, events: Sequence[Event], handle: Handler, *, grant: str, stream: str = "", upto: int | None = None
    ) -> tuple[int, list[Event], Exception | None]:
        """Have each event that is new take effect, all in one transaction with their ids.

        An event whose handler raises takes no effect, nor do later ones of its key. Gives how many took effect, those
        that did not, and what the first of them raised. ``upto`` is the position of ``stream`` to remember when none failed.
        Events of one grant are told apart by source and id, however they came.
        """
        taken, failed, keys = 0, list[Event](), set[str]()
        first: Exception | None = None
        with self._lock:
            self._found.execute("BEGIN IMMEDIATE")
            try:
                for event in events:
                    if event.key and event.key in keys:
                        failed.append(event)
                        continue
                    self._found.execute("SAVEPOINT event")
                    identity = sha256(f"{len(event.source)}:{event.source}{event.id}".encode()).digest()
                    new = self._found.execute("INSERT OR IGNORE INTO furong_taken VALUES (?, ?)", (grant, identity))
                    try:
                        if new.rowcount:
                            handle(event, self._found)
                            taken += 1
                    except Exception as error:  # noqa: BLE001 - the handler is the caller's; its failure is told
                        self._found.execute("ROLLBACK TO event")
                        failed.append(event)
                        keys.add(event.key)
                        first = first or error
                    self._found.execute("RELEASE event")
                if upto is not None and not failed:
                    self._found.execute("INSERT OR REPLACE INTO furong_position VALUES (?, ?)", (stream, upto))
                self._found.execute("COMMIT")
            except BaseException:
                self._found.execute("ROLLBACK")
                raise
        return taken, failed, first


class HandlerError(LinkError):
    """A handler raised: the event took no effect and is given again. Its cause is what the handler raised."""

    code = "event_handler"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one message of a gateway brought: how many events took effect, and the position after it."""

    given: int
    taken: int
    position: int


def send_events(link: Link, service: str, topic: str, events: Sequence[Event]) -> list[int]:
    """Publish events at the provider's own gateway and give their positions, durable when this returns.

    When the connection breaks, send the same events again: a repeat keeps its place. Raises as `Link.request`.
    """
    content = json.dumps([event.as_json() for event in events], ensure_ascii=False).encode()
    target = f"/.furong/provide/{quote(service)}/{quote(topic)}"
    answer = link.request("POST", target, grant=PROVIDER, content=content, content_type=BATCH)
    return [int(position) for position in answer.json()["positions"]]


def pull(
    link: Link,
    target: str,
    *,
    grant: str,
    after: int | None = None,
    acknowledged: int | None = None,
    limit: int = 500,
    wait_seconds: int = 0,
    name: str = "default",
) -> tuple[list[Event], int]:
    """Ask once for events of ``target`` (/SERVICE/TOPIC) behind ``after``; give them and the position to go on from.

    ``acknowledged`` says up to where they took effect, for the provider's delivery status. Raises as `Link.request`.
    """
    query: dict[str, str | int] = {"limit": limit, "wait": wait_seconds, "name": name}
    if after is not None:
        query["after"] = after
    if acknowledged is not None:
        query["acknowledged"] = acknowledged
    found = link.get(f"{target}?{urlencode(query)}", grant=grant).json()
    return [Event.from_json(event) for event in found["events"]], int(found["next"])


def follow(
    link: Link,
    target: str,
    *,
    grant: str,
    inbox: Inbox,
    handle: Handler,
    name: str = "default",
    limit: int = 500,
    wait_seconds: int = 20,
    give_up_seconds: float = 86_400.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Taken]:
    """Take events for ever, each into effect once; yields after each message, an empty one included.

    Goes on by itself when the gateway cannot be reached, until that lasted ``give_up_seconds``. Raises HandlerError when
    a handler failed (what came before it took effect), and as `Link.request`.
    """
    from furong_link.client import Refused, UnreachableError

    stream = f"{grant}{target}"
    waited, pause = 0.0, 0.2
    while True:
        position = inbox.position(stream)
        try:
            events, after = pull(
                link,
                target,
                grant=grant,
                after=position,
                acknowledged=position,
                limit=limit,
                wait_seconds=wait_seconds,
                name=name,
            )
        except (UnreachableError, Refused) as error:
            if isinstance(error, Refused) and error.problem.status != 503 and error.problem.code not in AWAY:
                raise
            if waited >= give_up_seconds:
                raise
            sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 30.0)
            continue
        waited, pause = 0.0, 0.2
        taken, failed, error_of = inbox.take(events, handle, grant=grant, stream=stream, upto=after)
        if failed:
            raise HandlerError(f"The event at {failed[0].position} was not handled.") from error_of
        yield Taken(len(events), taken, after)


class Receiver:
    """Takes pushes: checks that the provider's gateway signed them, has them take effect once, answers signed.

    `receive` is for any server; `serve` is a small one of its own.
    """

    def __init__(
        self,
        *,
        authority: str,
        signer: Signer,
        gateway_key: Verifier,
        grants: frozenset[str],
        inbox: Inbox,
        handle: Handler,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._authority, self._signer, self._key = authority.lower(), signer, gateway_key
        self._grants, self._inbox, self._handle, self._clock = grants, inbox, handle, clock
        self._first = gateway_key
        self._guard, self._lock = ReplayGuard(skew_seconds=profile.SKEW_SECONDS), threading.Lock()

    def receive(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer one push: status, headers and content. ``headers`` has names in small letters. Never raises a Refusal."""
        try:
            signed = profile.read_signature(headers)
            request = profile.Request(
                method,
                headers.get("host", "").lower(),
                target,
                headers.get("content-type", ""),
                headers.get("content-digest", ""),
                headers.get("furong-grant", ""),
                headers.get("furong-message", ""),
            )
            profile.check_values(request)
            if request.authority != self._authority:
                raise Refusal("wrong_gateway")
            profile.check_time(signed.created, now=self._clock())
            profile.check_digest(request.content_digest, content, algorithm=signed.algorithm)
            try:
                profile.check_request(request, signed, verifier=self._key)
            except Refusal:
                self._key = self._followed(headers)
                profile.check_request(request, signed, verifier=self._key)
            with self._lock:
                self._guard.take(key_id=signed.key_id, nonce=signed.nonce, now=self._clock())
            if request.grant not in self._grants:
                raise Refusal("grant_unknown")
            events = _events(content)
        except (Refusal, UnicodeEncodeError) as error:
            refusal = error if isinstance(error, Refusal) else Refusal("malformed_request")
            found = Problem(status=refusal.status, code=refusal.code, title=refusal.title, detail=refusal.detail)
            return refusal.status, {"content-type": PROBLEM}, json.dumps(found.as_json()).encode()
        _, failed, _ = self._inbox.take(events, self._handle, grant=request.grant)
        body = json.dumps({"failed": [event.id for event in failed]}).encode()
        digest = profile.content_digest(body, algorithm=self._signer.algorithm)
        reply = profile.Reply(200, "application/json", digest, f"received={len(events)}")
        answered = profile.sign_reply(
            reply, request=request, signed=signed, signer=self._signer, created=int(self._clock())
        )
        told = {"content-type": reply.content_type, "content-digest": digest, "furong-record": reply.record}
        return 200, told | answered.headers(), body

    def _followed(self, headers: Mapping[str, str]) -> Verifier:
        """The gateway's key, followed to the one that it handed over to, by what came with the push."""
        try:
            sent = json.loads(b64decode(headers[SENT], validate=True))
            return line_of(self._first, sent, now=self._clock())
        except (KeyError, ValueError, ConfigurationError):
            return self._first

    def serve(self, host: str, port: int) -> ThreadingHTTPServer:
        """Give a server for `receive` on this address; call its ``serve_forever``, and close it after."""
        receiver = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not length.isdecimal() or int(length) > 64 * 1024 * 1024:
                    self.send_error(411 if not length else 413)
                    return
                content = self.rfile.read(int(length))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, told, body = receiver.receive("POST", self.path, headers, content)
                head = [f"HTTP/1.1 {status} ", *(f"{name}: {value}" for name, value in told.items())]
                # One write: head and content in two would wait for each other on the network.
                self.wfile.write("\r\n".join([*head, f"content-length: {len(body)}", "", ""]).encode("ascii") + body)

            def log_message(self, *args: object) -> None:
                """Say nothing: addresses of callers are not kept."""

        return ThreadingHTTPServer((host, port), Door)


def _events(content: bytes) -> list[Event]:
    try:
        found = json.loads(content)
        return [Event.from_json(event) for event in found]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refusal("event_malformed") from None
