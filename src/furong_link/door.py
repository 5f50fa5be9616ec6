"""A gateway's door: callers' connections, strictly framed, one message at a time on each."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from hashlib import sha256
from typing import Any, Protocol

from furong_link import wire
from furong_link.configuration import MAX_BYTES
from furong_link.errors import Refusal
from furong_link.message import OWN, Settings


class Answers(Protocol):
    """What stands behind the door: the gateway."""

    settings: Settings
    connections: set[Door]
    in_hand: int

    async def answer(
        self,
        head: wire.RequestHead,
        content: bytes,
        *,
        close: bool = False,
        certificate: str = "",
        from_peer: bool = False,
    ) -> bytes: ...

    async def refuse_on_the_wire(self, refusal: Refusal) -> bytes: ...


class Door(asyncio.Protocol):
    """A caller's connection: one message at a time; what was sent ahead waits, and reading stops meanwhile."""

    def __init__(self, gateway: Answers, *, for_peers: bool = False) -> None:
        self._gateway, self._for_peers = gateway, for_peers
        self._certificate = ""
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
        tls = transport.get_extra_info("ssl_object")
        shown = tls.getpeercert(binary_form=True) if tls is not None else None
        self._certificate = sha256(shown).hexdigest() if shown else ""

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

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
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
            data = await self._gateway.answer(
                head, content, close=close, certificate=self._certificate, from_peer=self._for_peers
            )
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

    def abort(self) -> None:
        """Close at once, without a farewell."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()
