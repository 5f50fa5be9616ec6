"""Pushing events to one subscriber's endpoint: signed batches, order per key, retries with back-off, no event skipped.

A batch is a POST in the exchange's profile, signed by the provider's gateway, and counts as delivered only when the
reply carries a signature of the subscriber's own key. The reply may name events that were not taken: they are held, and
later events of their keys wait behind them, while those of other keys go on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from furong_link import profile, wire
from furong_link.cloudevents import BATCH, passing
from furong_link.decision import Grant, Target, check_grant
from furong_link.errors import EvidenceError, Refusal
from furong_link.event_log import EventLog, EventLogError, Held, Stored, Subscriber
from furong_link.modes import Host

logger = logging.getLogger("furong_link")
MOST_REPLY = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a push is tried again: after ``first_seconds``, each time ``factor`` longer, at most ``most_seconds``; a
    subscriber that took nothing for ``dead_after_seconds`` is dead until it subscribes anew.
    """

    first_seconds: float = 1.0
    factor: float = 2.0
    most_seconds: float = 300.0
    dead_after_seconds: float = 86_400.0
    timeout_seconds: float = 30.0
    batch: int = 200
    look_seconds: float = 1.0  # how often a waiting pusher looks at the clock and the configuration

    def delay(self, failures: int) -> float:
        """Give how long to wait after so many failures in a row."""
        return min(self.most_seconds, self.first_seconds * self.factor ** min(failures - 1, 60))


@dataclass(frozen=True, slots=True)
class _Item:
    """An event to be sent: where it is, and its text as it may pass."""

    position: int
    order_key: str
    id: str
    text: str


class Pusher:
    """The deliveries to one subscriber, one batch at a time."""

    def __init__(
        self,
        *,
        service: str,
        subscriber: Subscriber,
        log: EventLog,
        host: Host,
        timing: Timing,
        tls: ssl.SSLContext | None,
        moved: Callable[[int], None],
    ) -> None:
        self._service, self._log, self._host, self._timing, self._tls = service, log, host, timing, tls
        self._id, self._topic, self._grant_id = subscriber.id, subscriber.topic, subscriber.grant_id
        self._endpoint, self._moved = subscriber.endpoint, moved
        self._cursor, self._failures = subscriber.acknowledged, subscriber.failures
        self._failing_since, self._next_at = subscriber.failing_since, subscriber.next_at
        self.dead, self.stopped_by, self.delivered = subscriber.dead, "", 0
        self._held: dict[int, Held] | None = None
        self._task: asyncio.Task[None] | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Deliver no more; a batch under way may arrive and is then sent again, with the same ids."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._hang_up()

    async def _run(self) -> None:
        while True:
            try:
                pause = await self._step()
            except (EventLogError, EvidenceError):
                pause = self._timing.look_seconds  # the disk is full or failing: nothing is sent without a record
            except Exception:
                logger.exception("A push failed.")
                pause = self._timing.look_seconds
            if pause > 0:
                await self._log.wait(min(pause, self._timing.look_seconds))

    def _grant(self) -> Grant | None:
        configuration, now = self._host.configuration(), self._host.clock()
        target = Target(self._service, f"/{self._topic}", f"/{self._topic}")
        try:
            if configuration is None or configuration.staleness(now) == "expired":
                raise Refusal("configuration_expired")
            grant = configuration.grants.get(self._grant_id)
            if grant is not None and grant.consumer in configuration.suspended:
                raise Refusal("member_suspended")
            member = grant.consumer if grant else ""
            if grant is not None and self._endpoint not in configuration.endpoints.get(member, frozenset()):
                raise Refusal("endpoint_not_allowed")
            found = check_grant(grant, member=member, method="GET", target=target, now=now)
        except Refusal as refusal:
            self.stopped_by = refusal.code
            return None
        self.stopped_by = ""
        return found

    async def _step(self) -> float:
        """Deliver one batch; give how long to wait before the next."""
        now = self._host.clock()
        if self.dead:
            return self._timing.most_seconds
        if self._next_at > now:
            return self._next_at - now
        grant = self._grant()
        if grant is None:
            return self._timing.most_seconds
        if self._held is None:
            self._held = {each.position: each for each in await self._log.held(self._id)}
        mark = self._log.last
        fresh = await self._log.after(self._topic, self._cursor, limit=self._timing.batch)
        due = self._due(now)
        old = await self._log.at(due) if due else []
        items, gone = self._items(grant, old)
        behind = self._waiting_keys()
        holding = [each for each in fresh if each.order_key in behind]
        new_items, _ = self._items(grant, [each for each in fresh if each.order_key not in behind])
        items += new_items
        cursor = fresh[-1].position if fresh else self._cursor
        if not items:
            if fresh or gone:
                await self._settle(cursor, taken=gone, failed=[], holding=holding)
                return 0
            if self._log.last != mark:
                return 0
            waits = [each.next_at - now for each in self._held.values()]
            return max(0.001, min([self._timing.most_seconds, *waits]))
        taken, failed, error = await self._send(grant, items)
        if error:
            await self._fail(error)
            return 0
        self.delivered += len(taken)
        await self._settle(cursor, taken=[*gone, *taken], failed=failed, holding=holding)
        return 0

    def _waiting_keys(self) -> set[str]:
        return {each.order_key for each in (self._held or {}).values() if each.order_key}

    def _due(self, now: float) -> list[int]:
        """The positions held that may be tried now: each key's first, with what waits behind it."""
        found: list[int] = []
        ready: dict[str, bool] = {}
        for position in sorted(self._held or {}):
            each = (self._held or {})[position]
            own = each.next_at <= now
            if ready.setdefault(each.order_key, own) if each.order_key else own:
                found.append(position)
        return found[: self._timing.batch]

    def _items(self, grant: Grant, stored: list[Stored]) -> tuple[list[_Item], list[int]]:
        items: list[_Item] = []
        gone: list[int] = []
        for each in stored:
            event = None
            if each.body is not None:
                event = passing(
                    json.loads(each.body),
                    tree=grant.fields,
                    scope=grant.rows,
                    position=each.position,
                    hidden=each.order_key,
                )
            if event is None:
                gone.append(each.position)
            else:
                text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
                items.append(_Item(each.position, each.order_key, str(event["id"]), text))
        return items, gone

    # --- one batch on the wire ---------------------------------------------------------------------------------

    async def _send(self, grant: Grant, items: list[_Item]) -> tuple[list[int], list[_Item], str]:
        """Give the positions taken, the events not taken, and what went wrong with the whole."""
        content = ("[" + ",".join(item.text for item in items) + "]").encode("utf-8", "replace")
        parts = urlsplit(self._endpoint)
        # The same events have the same message id, whenever they are sent.
        place = f"{self._grant_id}\0{self._topic}\0{','.join(str(item.position) for item in items)}"
        message = "e-" + sha256(self._log.secret + place.encode()).hexdigest()[:40]
        signer = self._host.signer
        request = profile.Request(
            "POST",
            parts.netloc.lower(),
            parts.path or "/",
            BATCH,
            profile.content_digest(content, algorithm=signer.algorithm),
            grant.id,
            message,
        )
        signed = profile.sign_request(
            request, signer=signer, created=int(self._host.clock()), nonce=secrets.token_urlsafe(16)
        )
        facts: dict[str, object] = {
            "mode": "subscribe",
            "message": message,
            "consumer": grant.consumer,
            "grant": grant.id,
            "service": self._service,
            "purpose": grant.purpose,
            "topic": self._topic,
            "first": items[0].position,
            "last": items[-1].position,
            "rows": len(items),
        }
        # On record before it leaves: who was sent what, whatever becomes of the answer.
        detail = {"base": request.base(signed.parameters).decode(), "signature": signed.signature}
        await self._host.log.append({"kind": "sent", **facts}, detail=json.dumps(detail).encode())
        if self._grant() is None:
            return [], [], f"stopped: {self.stopped_by}"
        try:
            async with asyncio.timeout(self._timing.timeout_seconds):
                status, reply_signature, failed_ids = await self._exchange(parts, request, signed, content, grant)
        except TimeoutError:
            self._hang_up()
            return [], [], "timeout"
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            self._hang_up()
            # A connection that ends before its reply is a link that broke.
            is_away = isinstance(error, OSError | asyncio.IncompleteReadError)
            return [], [], "unreachable" if is_away else "malformed reply"
        except Refusal as refusal:
            self._hang_up()
            return [], [], refusal.code
        if not 200 <= status < 300:
            return [], [], f"status {status}"
        taken, failed, stuck = [], [], set()
        for item in items:
            if item.id in failed_ids or (item.order_key and item.order_key in stuck):
                stuck.add(item.order_key)
                failed.append(item)
            else:
                taken.append(item.position)
        await self._host.log.append(
            {"kind": "delivered", **facts, "failed": len(failed), "status": status},
            detail=json.dumps({"reply": reply_signature}).encode(),
        )
        return taken, failed, ""

    async def _exchange(
        self, parts: Any, request: profile.Request, signed: profile.Signed, content: bytes, grant: Grant
    ) -> tuple[int, str, frozenset[str]]:
        reader, writer = await self._connect(parts)
        headers = {
            "host": request.authority,
            "content-type": request.content_type,
            "content-digest": request.content_digest,
            "furong-grant": request.grant,
            "furong-message": request.message,
            **signed.headers(),
            **self._host.handover(),
            "content-length": str(len(content)),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST {request.target} HTTP/1.1\r\n{lines}\r\n".encode("ascii") + content)
        await writer.drain()
        head = wire.read_reply_head(await reader.readuntil(wire.END))
        if not 0 <= head.length <= MOST_REPLY:
            raise ValueError("length")
        body = await reader.readexactly(head.length)
        if not head.keep_alive:
            self._hang_up()
        found = head.headers
        answered = profile.read_signature(found, reply=True)
        profile.check_digest(found.get("content-digest", ""), body, algorithm=answered.algorithm)
        configuration, now = self._host.configuration(), self._host.clock()
        key = configuration.keys.get(answered.key_id) if configuration else None
        if key is None or key.member != grant.consumer or not key.is_valid(now):
            raise Refusal("key_unknown")
        profile.check_time(answered.created, now=now)
        reply = profile.Reply(
            head.status, found.get("content-type", ""), found["content-digest"], found.get("furong-record", "")
        )
        profile.check_reply(reply, answered, request=request, asked=signed, verifier=key.verifier)
        failed: frozenset[str] = frozenset()
        if body and head.status == 200:
            answer = json.loads(body)
            failed = frozenset(str(each) for each in answer.get("failed", []))
        return head.status, answered.signature, failed

    async def _connect(self, parts: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and (self._streams[0].at_eof() or self._streams[1].is_closing()):
            self._hang_up()
        if self._streams is None:
            tls = (self._tls or ssl.create_default_context()) if parts.scheme == "https" else None
            port = parts.port or (443 if tls else 80)
            self._streams = await asyncio.open_connection(
                parts.hostname, port, ssl=tls, limit=wire.MAX_HEAD + MOST_REPLY
            )
        return self._streams

    def _hang_up(self) -> None:
        if self._streams is not None:
            with suppress(OSError, RuntimeError):
                self._streams[1].close()
            self._streams = None

    # --- what came of it -------------------------------------------------------------------------------------

    async def _settle(self, cursor: int, *, taken: list[int], failed: list[_Item], holding: list[Stored]) -> None:
        now, subscriber = self._host.clock(), self._id
        known = self._held or {}
        after: dict[int, Held] = {position: each for position, each in known.items() if position not in taken}
        for item in failed:
            failures = (known[item.position].failures if item.position in known else 0) + 1
            after[item.position] = Held(item.position, item.order_key, failures, now + self._timing.delay(failures))
        for each in holding:
            after[each.position] = Held(each.position, each.order_key, 0, now)
        changed = [each for position, each in after.items() if known.get(position) != each]

        def do(found: Any) -> None:
            found.executemany(
                "DELETE FROM held WHERE subscriber = ? AND position = ?", [(subscriber, p) for p in taken]
            )
            found.executemany(
                "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)",
                [(subscriber, each.position, each.order_key, each.failures, each.next_at) for each in changed],
            )
            found.execute(
                "UPDATE subscriber SET acknowledged = ?, acknowledged_at = ?, asked_at = ?, failures = 0,"
                " failing_since = NULL, next_at = 0, error = '' WHERE id = ?",
                (cursor, now, now, subscriber),
            )

        await self._log.command(do)
        self._held, self._cursor = after, cursor
        self._failures, self._failing_since, self._next_at = 0, None, 0.0
        self._moved(cursor)

    async def _fail(self, error: str) -> None:
        now, subscriber = self._host.clock(), self._id
        failures = self._failures + 1
        since = self._failing_since if self._failing_since is not None else now
        next_at = now + self._timing.delay(failures)
        dead = now - since >= self._timing.dead_after_seconds
        await self._log.command(
            lambda found: found.execute(
                "UPDATE subscriber SET failures = ?, failing_since = ?, next_at = ?, error = ?, dead = ? WHERE id = ?",
                (failures, since, next_at, error, int(dead), subscriber),
            )
        )
        self._failures, self._failing_since, self._next_at, self.dead = failures, since, next_at, dead
        if dead:
            logger.warning("Subscriber %s of %s takes nothing any more: %s.", subscriber, self._service, error)
