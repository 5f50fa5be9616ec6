"""The subscribe mode: a provider's events, kept in order at its own gateway and given to whoever has a grant.

A consumer pulls ``/SERVICE/TOPIC?after=N`` and may wait there for news, or has the gateway push to an endpoint of its
own (`push`). Either way each event passes the grant's fields and rows when it is delivered, not when it was published,
and at least once with a stable id; the client deduplicates. Positions only rise, so any of them can be replayed from.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from furong_link.cloudevents import passing, read_events
from furong_link.decision import Grant
from furong_link.errors import EvidenceError, Refusal
from furong_link.event_log import EventLog, EventLogError, Stored, Subscriber, acknowledge, subscribe
from furong_link.modes import Asked, Host
from furong_link.push import Pusher, Timing
from furong_link.sealing import cipher_of
from furong_link.upstream import UpstreamReply

JSON = "application/json"
MOST_EVENTS, MOST_WAIT_SECONDS, MOST_BYTES = 1000, 25, 4 * 1024 * 1024
MOST_NAMES = 1000  # subscribers of one service
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PATH = re.compile(r"/([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:/(status|subscription|subscribers))?")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(slots=True)
class _Reader:
    """What is held in memory of one subscriber: its row's number, and how far it acknowledged."""

    id: int
    acknowledged: int
    unsaved: bool = False


class Events:
    """One service in subscribe mode. ``timing`` sets retries; ``tls`` is for pushes to https endpoints."""

    def __init__(self, service: str, *, timing: Timing | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._service, self._timing, self._tls = service, timing or Timing(), tls
        self._readers: dict[tuple[str, str, str], _Reader] = {}
        self._pushers: dict[int, Pusher] = {}
        self._saver: asyncio.Task[None] | None = None
        self._stopping = False
        self._in_use = 0
        self._delivered = 0

    async def start(self, host: Host) -> None:
        """Open the log and go on with the pushes. Raises EventLogError."""
        self._host = host
        self.log = EventLog(
            host.folder / "events" / self._service, cipher=cipher_of(host.signer.algorithm), clock=host.clock
        )
        await self.log.open()
        for found in await self.log.subscribers():
            self._readers[found.grant_id, found.name, found.topic] = _Reader(found.id, found.acknowledged)
            if found.endpoint:
                self._push(found)
        self._saver = asyncio.create_task(self._save_now_and_then())

    async def stop(self) -> None:
        """Let nobody wait any more, save what was acknowledged, close."""
        self._stopping = True
        for pusher in self._pushers.values():
            await pusher.stop()
        if self._saver is not None:
            self._saver.cancel()
            await asyncio.wait([self._saver])
        while self._in_use:
            self.log.wake()
            await asyncio.sleep(0.005)
        await self._save()
        await self.log.close()

    def metrics(self) -> Mapping[str, float]:
        return {
            "events_last_position": self.log.last,
            "events_delivered_total": self._delivered + sum(pusher.delivered for pusher in self._pushers.values()),
            "subscribers": len(self._readers),
            "subscribers_dead": sum(pusher.dead for pusher in self._pushers.values()),
        }

    @asynccontextmanager
    async def _using(self) -> AsyncIterator[None]:
        if self._stopping:
            raise Refusal("overloaded", retry_after_seconds=1)
        self._in_use += 1
        try:
            yield
        except EventLogError:
            raise Refusal("events_unwritable") from None
        finally:
            self._in_use -= 1

    # --- the provider ----------------------------------------------------------------------------------------

    async def provide(self, asked: Asked) -> UpstreamReply:
        """Publish (``POST …/SERVICE/TOPIC``), or say how deliveries stand (``GET …/SERVICE/TOPIC/subscribers``)."""
        topic, what = _topic(asked)
        async with self._using():
            if asked.request.method == "POST" and not what:
                return await self._publish(asked, topic)
            if asked.request.method == "GET" and what == "subscribers":
                await self._save()
                return _json({"subscribers": [await self._status(each) for each in await self.log.subscribers(topic)]})
        raise Refusal("not_found")

    async def _publish(self, asked: Asked, topic: str) -> UpstreamReply:
        events = read_events(asked.content, content_type=asked.request.content_type)
        places = await self.log.append(topic, events)
        new = sum(place.new for place in places)
        asked.facts.update({"mode": "subscribe", "topic": topic, "rows": new, "last": max(p.position for p in places)})
        return _json({"positions": [place.position for place in places], "new": new}, status=201 if new else 200)

    # --- the consumer ----------------------------------------------------------------------------------------

    async def serve(self, asked: Asked) -> UpstreamReply:
        """Give events, the subscriber's own status, or change whether and where it is pushed to."""
        topic, what = _topic(asked)
        async with self._using():
            match asked.request.method, what:
                case "GET", None:
                    return await self._pull(asked, topic)
                case "GET", "status":
                    reader = await self._reader(asked, topic, _query(asked).get("name", "default"))
                    return _json(await self._status(await self._saved(reader)))
                case "POST", "subscription":
                    return await self._subscribe(asked, topic)
        raise Refusal("not_found")

    async def _pull(self, asked: Asked, topic: str) -> UpstreamReply:
        given = _query(asked)
        limit = _whole(given, "limit", 100, least=1, most=MOST_EVENTS)
        deadline = asyncio.get_running_loop().time() + _whole(given, "wait", 0, most=MOST_WAIT_SECONDS)
        reader = await self._reader(asked, topic, given.get("name", "default"))
        if "acknowledged" in given:
            # No further than what there is: a slip of the subscriber must not hide events that are still to come.
            position = min(_whole(given, "acknowledged", 0), self.log.last)
            if position > reader.acknowledged:
                reader.acknowledged = position
            reader.unsaved = True
        after = _whole(given, "after", reader.acknowledged)
        while True:
            grant = self._host.check_again(asked)
            mark = self.log.last
            try:
                stored = await self.log.after(topic, after, limit=limit)
            except EvidenceError:
                raise Refusal("events_unwritable", "A stored event was changed.") from None
            events, after = self._page(grant, stored, after)
            left = deadline - asyncio.get_running_loop().time()
            if events or self._stopping or (not stored and left <= 0):
                break
            if not stored and self.log.last == mark:
                await self.log.wait(left)
        if events:
            # The grant may have been withdrawn while the disk was read: the next event is not delivered then.
            self._host.check_again(asked)
            self._host.count(asked)
            self._delivered += len(events)
            asked.facts["first"] = int(events[0]["sequence"])
        asked.facts.update({"mode": "subscribe", "topic": topic, "rows": len(events), "last": after})
        asked.facts["acknowledged"] = reader.acknowledged
        return _json({"events": events, "next": after})

    def _page(self, grant: Grant, stored: list[Stored], after: int) -> tuple[list[dict[str, Any]], int]:
        found: list[dict[str, Any]] = []
        size = 0
        for each in stored:
            size += len(each.body or b"")
            if found and size > MOST_BYTES:
                break
            after = each.position
            event = passed(each, grant)
            if event is not None:
                found.append(event)
        return found, after

    async def _subscribe(self, asked: Asked, topic: str) -> UpstreamReply:
        try:
            given = json.loads(asked.content)
            name, endpoint, after = str(given.get("name", "default")), given["endpoint"], given.get("after")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refusal("malformed_request", "A subscription names its endpoint, or null for none.") from None
        if endpoint is not None and not isinstance(endpoint, str):
            raise Refusal("malformed_request", "An endpoint is an address, or null.")
        if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
            raise Refusal("malformed_request", "after is a position.")
        configuration = self._host.configuration()
        allowed = configuration.endpoints.get(asked.key.member, frozenset()) if configuration else frozenset()
        if endpoint is not None and endpoint not in allowed:
            # Where data may be sent is the operator's signed word, not the caller's.
            raise Refusal("endpoint_not_allowed")
        reader = await self._reader(asked, topic, name)
        pusher = self._pushers.pop(reader.id, None)
        if pusher is not None:
            await pusher.stop()
        if after is not None:
            reader.acknowledged, reader.unsaved = min(after, self.log.last), False

        def do(found: Any) -> None:
            if after is not None:
                found.execute("UPDATE subscriber SET acknowledged = ? WHERE id = ?", (reader.acknowledged, reader.id))
                found.execute("DELETE FROM held WHERE subscriber = ?", (reader.id,))
            found.execute(
                "UPDATE subscriber SET endpoint = ?, failures = 0, failing_since = NULL, next_at = 0, error = '',"
                " dead = 0 WHERE id = ?",
                (endpoint or "", reader.id),
            )

        await self.log.command(do)
        saved = await self._saved(reader)
        if saved.endpoint:
            self._push(saved)
        asked.facts.update({"mode": "subscribe", "topic": topic, "subscriber": name})
        return _json(await self._status(saved))

    def _push(self, found: Subscriber) -> None:
        reader = self._readers[found.grant_id, found.name, found.topic]

        def moved(position: int) -> None:
            reader.acknowledged = max(reader.acknowledged, position)

        self._pushers[found.id] = Pusher(
            service=self._service,
            subscriber=found,
            log=self.log,
            host=self._host,
            timing=self._timing,
            tls=self._tls,
            moved=moved,
        )
        self._pushers[found.id].start()

    # --- subscribers -----------------------------------------------------------------------------------------

    async def _reader(self, asked: Asked, topic: str, name: str) -> _Reader:
        if not _NAME.fullmatch(name):
            raise Refusal("malformed_request", "A subscriber's name has letters, digits, dots and hyphens.")
        place = (asked.granted.id, name, topic)
        reader = self._readers.get(place)
        if reader is None:
            if len(self._readers) >= MOST_NAMES:
                raise Refusal("overloaded", "The service has as many subscribers as it can hold.")
            grant, now = asked.granted.id, self._host.clock()
            found = await self.log.command(lambda c: subscribe(c, grant=grant, name=name, topic=topic, now=now))
            reader = self._readers.setdefault(place, _Reader(found.id, found.acknowledged))
        return reader

    async def _saved(self, reader: _Reader) -> Subscriber:
        await self._save()
        return next(each for each in await self.log.subscribers() if each.id == reader.id)

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            try:
                await self._save()
            except EventLogError:
                continue  # what was acknowledged is said again with the next message

    async def _save(self) -> None:
        changed = [reader for reader in self._readers.values() if reader.unsaved]
        if not changed:
            return
        now = self._host.clock()
        for reader in changed:
            reader.unsaved = False

        def do(found: Any) -> None:
            for reader in changed:
                found.execute("UPDATE subscriber SET asked_at = ? WHERE id = ?", (now, reader.id))
                acknowledge(found, subscriber=reader.id, position=reader.acknowledged, now=now)

        try:
            await self.log.command(do)
        except EventLogError:
            for reader in changed:
                reader.unsaved = True
            raise

    async def _status(self, found: Subscriber) -> dict[str, object]:
        behind = await self.log.behind(found.topic, found.acknowledged)
        held = await self.log.held(found.id)
        now = self._host.clock()
        silent = not found.endpoint and behind and now - found.asked_at > self._timing.dead_after_seconds
        pusher = self._pushers.get(found.id)
        if found.dead or silent:
            state = "dead"
        elif pusher is not None and pusher.stopped_by:
            state = "stopped"
        else:
            state = "retrying" if found.failures or held else "live"
        return {
            "grant": found.grant_id,
            "name": found.name,
            "topic": found.topic,
            "mode": "push" if found.endpoint else "pull",
            "endpoint": found.endpoint or None,
            "state": state,
            "acknowledged": found.acknowledged,
            "acknowledged_at": found.acknowledged_at,
            "behind": behind,
            "waiting": [{"position": each.position, "failures": each.failures} for each in held[:100]],
            "failures": found.failures,
            "failing_since": found.failing_since,
            "next_at": found.next_at or None,
            "error": pusher.stopped_by if pusher is not None and pusher.stopped_by else found.error,
        }


def passed(stored: Stored, grant: Grant) -> dict[str, Any] | None:
    """Give what of a stored event may pass under ``grant``; None when nothing may, or its day was erased."""
    if stored.body is None:
        return None
    return passing(
        json.loads(stored.body), tree=grant.fields, scope=grant.rows, position=stored.position, hidden=stored.order_key
    )


def _topic(asked: Asked) -> tuple[str, str | None]:
    found = _PATH.fullmatch(asked.target.path)
    if not found:
        raise Refusal("not_found")
    return found[1], found[2]


def _query(asked: Asked) -> dict[str, str]:
    _, _, text = asked.target.raw.partition("?")
    try:
        pairs = parse_qsl(text, strict_parsing=True, max_num_fields=16) if text else []
    except ValueError:
        raise Refusal("malformed_request", "The query cannot be read.") from None
    found = dict(pairs)
    if len(found) != len(pairs) or not found.keys() <= {"after", "limit", "wait", "name", "acknowledged"}:
        raise Refusal("malformed_request", "The query has after, limit, wait, name and acknowledged, each once.")
    return found


def _whole(given: Mapping[str, str], name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text) or int(text) < least:
        raise Refusal("malformed_request", f"{name} is a whole number.")
    return int(text) if most is None else min(int(text), most)


def _json(found: object, *, status: int = 200) -> UpstreamReply:
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return UpstreamReply(status, JSON, text)
