"""A TLS handshake at a gateway's door, watched: one that fails is a refusal too, counted and on record, without data.

asyncio ends a failed handshake without telling anybody. Here a connection begins in the clear and is turned into TLS by
`loop.start_tls`, which raises. Who knocks again and again fills no log: beyond `MOST` records a second the rest is a number.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from furong_link.errors import EvidenceError

MOST = 20
SECONDS = 30.0
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


class _Hall(asyncio.Protocol):
    """Where an encrypted connection is between its handshake and its door: a first message may come with the last of it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost = False
        self.error: Exception | None = None

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost, self.error = True, exc


class Greeter(asyncio.Protocol):
    """A connection before its handshake: hands the encrypted one to ``door``, or tells ``refusals`` why there is none."""

    def __init__(self, door: asyncio.Protocol, tls: ssl.SSLContext, refusals: Refusals) -> None:
        self._door, self._tls, self._refusals = door, tls, refusals
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream: asyncio.Transport = transport  # type: ignore[assignment]  # create_server promises; uvloop has its own
        # Not paused here: uvloop would not read again. The task runs before the loop looks for data once more.
        self._task = asyncio.get_running_loop().create_task(self._greet(stream))

    async def _greet(self, transport: asyncio.Transport) -> None:
        hall, door = _Hall(), self._door
        try:
            secure = await asyncio.get_running_loop().start_tls(
                transport, hall, self._tls, server_side=True, ssl_handshake_timeout=SECONDS
            )
        except (OSError, ssl.SSLError) as error:
            transport.abort()
            await self._refusals.note(error)
            return
        if secure is None:
            return
        door.connection_made(secure)
        if hall.lost:
            door.connection_lost(hall.error)
            return
        secure.set_protocol(door)
        if hall.data:
            door.data_received(bytes(hall.data))
