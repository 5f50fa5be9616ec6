"""The way from a gateway to a provider's system: HTTP/1.1 on kept connections, with limits of time and size."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from furong_link import wire
from furong_link.errors import ConfigurationError, Refusal
from furong_link.profile import VALUE


@dataclass(frozen=True, slots=True)
class UpstreamReply:
    status: int
    content_type: str
    content: bytes
    digest: str = ""  # its Content-Digest in the gateway's suite, when whoever made the content has it already


class _Connection(asyncio.Protocol):
    def __init__(self, *, max_content: int) -> None:
        self._buffer = bytearray()
        self._max = max_content
        self._head: wire.ReplyHead | None = None
        self._body = 0
        self._told: asyncio.Future[UpstreamReply] | None = None
        self.transport: asyncio.Transport | None = None
        self.open = True
        self.heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's transport, as create_connection promises

    def send(self, data: bytes) -> asyncio.Future[UpstreamReply]:
        self._told = asyncio.get_running_loop().create_future()
        self._head, self.heard = None, False
        self._buffer.clear()
        assert self.transport is not None  # noqa: S101 - send follows connection_made
        self.transport.write(data)
        return self._told

    def data_received(self, data: bytes) -> None:
        self.heard = True
        self._buffer += data
        told = self._told
        if told is None or told.done():
            self.close()  # a provider that speaks unasked is not listened to again
            return
        try:
            reply = self._read()
        except ValueError:
            self.close()
            told.set_exception(Refusal("provider_malformed"))
            return
        if reply is not None:
            self._told = None
            if len(self._buffer) or (self._head and not self._head.keep_alive):
                self.close()
            told.set_result(reply)

    def _read(self) -> UpstreamReply | None:
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
        kind = head.headers.get("content-type", "")
        # A type that could not stand in a signature base is no type.
        return UpstreamReply(head.status, kind if VALUE.fullmatch(kind) else "application/octet-stream", content)

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._told is not None and not self._told.done():
            self._told.set_exception(Refusal("provider_unreachable"))

    def close(self) -> None:
        self.open = False
        if self.transport is not None:
            self.transport.close()


class Upstream:
    """One provider's system, by its base address (http, without user or query). Keeps idle connections."""

    def __init__(self, address: str, *, timeout_seconds: float = 30.0, max_content: int = 10 * 1024 * 1024) -> None:
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise ConfigurationError(f"{address} is no address of a provider's system.")
        self._host, self._port = parts.hostname, parts.port or 80
        self._authority = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._timeout, self._max = timeout_seconds, max_content
        self._idle: list[_Connection] = []

    async def ask(self, *, method: str, target: str, headers: dict[str, str], content: bytes) -> UpstreamReply:
        """Ask the provider. Refuses with provider_unreachable, provider_timeout or provider_malformed.

        A GET is asked once more on a new connection when a kept one turned out to be closed.
        """
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        length = f"content-length: {len(content)}\r\n" if content or method != "GET" else ""
        head = f"{method} {self._prefix}{target} HTTP/1.1\r\nhost: {self._authority}\r\n{lines}{length}\r\n"
        data = head.encode("latin-1") + content
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(data, again=method == "GET")
        except TimeoutError:
            raise Refusal("provider_timeout") from None
        except OSError:
            raise Refusal("provider_unreachable") from None

    async def _exchange(self, data: bytes, *, again: bool) -> UpstreamReply:
        connection = None
        while self._idle and connection is None:
            candidate = self._idle.pop()
            connection = candidate if candidate.open else None
        kept = connection is not None
        if connection is None:
            connection = await self._connect()
        try:
            reply = await connection.send(data)
        except Refusal:
            connection.close()
            if kept and again and not connection.heard:
                self._idle.clear()
                return await self._exchange(data, again=False)
            raise
        except BaseException:  # cancelled or timed out: what still arrives must not answer another request
            connection.close()
            raise
        if connection.open:
            self._idle.append(connection)
        return reply

    async def _connect(self) -> _Connection:
        _, found = await asyncio.get_running_loop().create_connection(
            lambda: _Connection(max_content=self._max), self._host, self._port
        )
        return found

    def close(self) -> None:
        """Close the idle connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
