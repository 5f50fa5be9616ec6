"""Kept connections to one HTTP/1.1 server, with limits of time and size: a provider's system, or another gateway."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from furong_link import wire
from furong_link.errors import Refusal


@dataclass(frozen=True, slots=True)
class Causes:
    """The codes of what can go wrong on the way to one kind of server."""

    unreachable: str
    timeout: str
    malformed: str


PROVIDER = Causes("provider_unreachable", "provider_timeout", "provider_malformed")


class NotSent(Refusal):
    """No connection could be made, so nothing of the message was sent."""


@dataclass(slots=True)
class Heard:
    """A whole reply: its head and its content."""

    head: wire.ReplyHead
    content: bytes


class Connection(asyncio.Protocol):
    """One connection, one message at a time. ``deadline`` is the loop's time until which the reply is awaited."""

    def __init__(self, *, causes: Causes, max_content: int) -> None:
        self._buffer = bytearray()
        self._causes, self._max = causes, max_content
        self._head: wire.ReplyHead | None = None
        self._body = 0
        self._told: asyncio.Future[Heard] | None = None
        self.transport: asyncio.Transport | None = None
        self.open = True
        self.heard = False
        self.deadline = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's transport, as create_connection promises

    def send(self, data: bytes) -> asyncio.Future[Heard]:
        self._told = asyncio.get_running_loop().create_future()
        self._head, self.heard = None, False
        assert self.transport is not None  # noqa: S101 - send follows connection_made
        self.transport.write(data)
        return self._told

    def data_received(self, data: bytes) -> None:
        self.heard = True
        told = self._told
        if told is None or told.done():
            self.close()  # a server that speaks unasked is not listened to again
            return
        self._buffer += data
        try:
            reply = self._read()
        except ValueError:
            self.close()
            told.set_exception(Refusal(self._causes.malformed))
            return
        if reply is not None:
            self._told = None
            if self._buffer or not reply.head.keep_alive:
                self.close()
            told.set_result(reply)

    def _read(self) -> Heard | None:
        if self._head is None:
            end = self._buffer.find(wire.END)
            if end < 0:
                if len(self._buffer) > wire.MAX_HEAD:
                    raise ValueError("head too large")
                return None
            self._body = end + 4
            self._head = wire.read_reply_head(bytes(self._buffer[: self._body]))
            if self._head.length > self._max:
                raise ValueError("too large")
            if self._head.status < 200:
                raise ValueError("interim replies are not asked for")
        head = self._head
        if head.length < 0:
            chunks = wire.read_chunks(self._buffer, self._body, max_content=self._max)
            if chunks is None:
                return None
            content, end = chunks
        else:
            end = self._body + head.length
            if len(self._buffer) < end:
                return None
            content = bytes(self._buffer[self._body : end])
        del self._buffer[:end]
        return Heard(head, content)

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._told is not None and not self._told.done():
            self._told.set_exception(Refusal(self._causes.unreachable))

    def expire(self) -> None:
        """Give up waiting: what still arrives must not answer another message."""
        if self._told is not None and not self._told.done():
            self._told.set_exception(Refusal(self._causes.timeout))
        self.close()

    def close(self) -> None:
        self.open = False
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close at once, without the farewell of TLS."""
        self.open = False
        if self.transport is not None:
            self.transport.abort()


class Pool:
    """Connections to one server, kept while idle. ``check`` looks at a new connection's TLS and may refuse it."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout_seconds: float,
        max_content: int,
        causes: Causes = PROVIDER,
        tls: ssl.SSLContext | None = None,
        check: Callable[[ssl.SSLObject], None] | None = None,
    ) -> None:
        self._host, self._port, self._timeout, self._max = host, port, timeout_seconds, max_content
        self._causes, self._tls, self._check = causes, tls, check
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def ask(self, data: bytes, *, again: bool) -> Heard:
        """Send one message's bytes and give the reply. Refuses with one of the three causes.

        With ``again`` the same bytes are sent once more on a new connection when a kept one turned out to be closed.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        connection = None
        while self._idle and connection is None:
            candidate = self._idle.pop()
            connection = candidate if candidate.open else None
        kept = connection is not None
        if connection is None:
            connection = await self._connect()
        try:
            return await self._once(connection, data, deadline)
        except Refusal as refusal:
            if not (kept and again and not connection.heard and refusal.code == self._causes.unreachable):
                raise
        # Whatever else was kept is as old as this one was.
        while self._idle:
            self._idle.pop().close()
        return await self._once(await self._connect(), data, deadline)

    async def _once(self, connection: Connection, data: bytes, deadline: float) -> Heard:
        connection.deadline = deadline
        self._busy.add(connection)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(min(1.0, self._timeout / 4), self._look)
        try:
            reply = await connection.send(data)
        except BaseException:
            connection.close()
            raise
        finally:
            self._busy.discard(connection)
        if connection.open:
            self._idle.append(connection)
        return reply

    def _look(self) -> None:
        """Give up what waits too long. One look for all costs less than a timer for each."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._busy):
            if connection.deadline <= now:
                connection.expire()
        self._sweep = loop.call_later(min(1.0, self._timeout / 4), self._look) if self._busy else None

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(self._timeout):
                transport, found = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(causes=self._causes, max_content=self._max),
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname="" if self._tls else None,
                )
        except TimeoutError:
            raise NotSent(self._causes.timeout) from None
        except OSError as error:
            raise NotSent(self._causes.unreachable, type(error).__name__) from None
        if self._check is not None:
            try:
                self._check(transport.get_extra_info("ssl_object"))
            except Refusal:
                found.close()
                raise
        return found

    def close(self) -> None:
        """Close the idle connections."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in self._idle:
            connection.abort()
        self._idle.clear()
