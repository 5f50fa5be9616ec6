"""A TLS handshake at a gateway's door, watched: one that fails is a refusal too, counted and on record, without data.

`loop.create_server` ends a failed handshake without telling anybody. Here connections are accepted by hand and given to
`loop.connect_accepted_socket`, which raises. Who knocks again and again fills no log: beyond `MOST` records a second the
rest is a number.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from furong_link.errors import EvidenceError

MOST = 20
SECONDS = 30.0
PAUSE = 0.1
# X509_verify_cert's codes of a certificate whose time is not now.
_NOT_NOW = frozenset({9, 10})


def code_of(error: Exception) -> str:
    """Say which refusal a failed handshake is: of the certificate that was shown, of its time, or of anything else."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate_not_valid" if error.verify_code in _NOT_NOW else "certificate_unknown"
    return "handshake_failed"


def reason_of(error: Exception) -> str:
    """Give OpenSSL's own word for it, which names no party; empty when there is none."""
    reason = getattr(error, "reason", None)
    return str(reason)[:60] if isinstance(error, ssl.SSLError) and reason else type(error).__name__


class Refusals:
    """Counts and records failed handshakes of one door. ``record`` writes a line of evidence."""

    def __init__(
        self,
        *,
        door: str,
        counts: Counter[str],
        record: Callable[[Mapping[str, object]], Awaitable[object]],
        clock: Callable[[], float],
    ) -> None:
        self._door, self._counts, self._record, self._clock = door, counts, record, clock
        self._second, self._written = 0, 0
        self._unwritten: Counter[str] = Counter()

    async def note(self, error: Exception) -> None:
        """Count a failed handshake and record it; when there were too many in this second, with the next one."""
        code = code_of(error)
        self._counts[code] += 1
        now = int(self._clock())
        if now != self._second:
            self._second, self._written = now, 0
        if self._written >= MOST:
            self._unwritten[code] += 1
            return
        self._written += 1
        facts: dict[str, object] = {"kind": "refused", "code": code, "door": self._door, "tls": reason_of(error)}
        if self._unwritten:
            facts["more"], self._unwritten = dict(self._unwritten), Counter()
        # The gateway says so itself when it cannot write, and serves nothing then; here nobody waits for an answer.
        with contextlib.suppress(EvidenceError):
            await self._record(facts)


class Listener:
    """Listens where TLS is spoken: a connection whose handshake holds comes to a door, of the others `Refusals` is told.

    `loop.start_tls` on an open connection would not do: it can lose what arrives before it, and uvloop's does.
    """

    def __init__(self, *, door: Callable[[], asyncio.Protocol], tls: ssl.SSLContext, refusals: Refusals) -> None:
        self._door, self._tls, self._refusals = door, tls, refusals
        self._tasks: set[asyncio.Task[None]] = set()
        self.sockets: list[socket.socket] = []

    async def start(self, host: str, port: int, *, backlog: int) -> None:
        """Listen at every address of ``host``. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
                one = socket.socket(family, socket.SOCK_STREAM)
                self.sockets.append(one)
                one.setblocking(False)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind(address)
                one.listen(backlog)
        except OSError:
            for one in self.sockets:
                one.close()
            raise
        for one in self.sockets:
            self._begin(self._accept(one))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listening:
            while True:
                try:
                    connection, _ = await loop.sock_accept(listening)
                except OSError:
                    await asyncio.sleep(PAUSE)  # no handle is free, or the caller went away already
                    continue
                self._begin(self._greet(connection))

    async def _greet(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._door, connection, ssl=self._tls, ssl_handshake_timeout=SECONDS
            )
        except (OSError, ssl.SSLError) as error:
            connection.close()
            await self._refusals.note(error)

    def close(self) -> None:
        """Listen no more and end handshakes; connections that came to a door go on."""
        for task in self._tasks:
            task.cancel()
