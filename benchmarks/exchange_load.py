"""The load for `benchmarks.exchange`: signed messages made beforehand, sent over kept connections by one bare loop.

It costs some 10 µs a message, so that what is measured is the gateway and not the load.
"""

from __future__ import annotations

import re
import secrets
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from furong_link import profile
from furong_link.keys import SoftwareKey

_LENGTH = re.compile(rb"content-length: (\d+)\r\n", re.IGNORECASE)


def messages(count: int, *, authority: str, key: SoftwareKey) -> list[bytes]:
    """Sign ``count`` different messages."""
    digest, found = profile.content_digest(b"", algorithm=key.algorithm), []
    for _ in range(count):
        message = secrets.token_hex(16)
        request = profile.Request("GET", authority, "/births/one/1", "application/json", digest, "bench", message)
        signed = profile.sign_request(request, signer=key, created=int(time.time()), nonce=secrets.token_urlsafe(16))
        headers = {
            "host": authority,
            "content-type": "application/json",
            "content-digest": digest,
            "furong-grant": "bench",
            "furong-message": message,
            **signed.headers(),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        found.append(f"GET {request.target} HTTP/1.1\r\n{lines}\r\n".encode())
    return found


@dataclass(slots=True)
class Result:
    """What a load saw: how long it took in all, and each message, in seconds; ``refused`` holds replies that were not 200."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Give the time, in milliseconds, within which this share of the messages was answered."""
        return sorted(self.took)[min(len(self.took) - 1, int(share * len(self.took)))] * 1000


def load(port: int, data: Sequence[bytes], *, connections: int, per_second: float = 0.0) -> Result:
    """Send every message once and read its reply whole; each connection has one message on its way at a time.

    Without ``per_second`` a connection sends its next as soon as it was answered. With it, messages fall due at an even
    pace whether or not earlier ones were answered, and the time of each runs from when it was due.
    Raises RuntimeError when a message was refused or lost.
    """
    result, poll = Result(), select.epoll()
    sockets: dict[int, socket.socket] = {}
    parts: dict[int, bytes] = {}
    began: dict[int, float] = {}
    for _ in range(connections):
        one = socket.create_connection(("127.0.0.1", port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(one.fileno(), select.EPOLLIN)
        sockets[one.fileno()] = one
    idle, sent, answered, clock = list(sockets), 0, 0, time.perf_counter
    start = last = clock()
    while answered < len(data):
        now = clock()
        while idle and sent < len(data) and (not per_second or start + sent / per_second <= now):
            number = idle.pop()
            began[number] = start + sent / per_second if per_second else clock()
            sockets[number].sendall(data[sent])
            sent += 1
        wait = 10.0
        if per_second and idle and sent < len(data):
            wait = max(0.0, start + sent / per_second - clock())
        # epoll counts in whole milliseconds and rounds up: what is due sooner is waited for by looking again.
        events = poll.poll(0 if wait < 0.002 else min(wait, 10.0) - 0.001)
        if events:
            last = clock()
        elif clock() - last > 30:
            raise RuntimeError(f"{len(data) - answered} messages were not answered")
        for number, _ in events:
            got = sockets[number].recv(262144)
            if not got:
                raise RuntimeError(f"a connection was closed with {len(data) - answered} messages unanswered")
            held = parts.pop(number, b"") + got
            end = held.find(b"\r\n\r\n")
            length = _LENGTH.search(held, 0, end + 2) if end >= 0 else None
            if length is None or len(held) < end + 4 + int(length[1]):
                parts[number] = held
                continue
            result.took.append(clock() - began[number])
            if not held.startswith(b"HTTP/1.1 200"):
                result.refused.append(held)
            answered += 1
            idle.append(number)
    result.seconds = clock() - start
    for one in sockets.values():
        one.close()
    poll.close()
    if result.refused:
        raise RuntimeError(f"{len(result.refused)} refused: {result.refused[0]!r}")
    return result
