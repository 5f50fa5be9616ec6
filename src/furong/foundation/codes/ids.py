"""Keys of things: UUIDv7 (RFC 9562), minted here and not in the database, so that a key is known before its row is written."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """Mint a UUIDv7: 48 bits of Unix milliseconds, 12 bits that keep order within a process, 62 random bits.

    Later keys of one process sort after earlier ones, also within one millisecond.
    """
    return UUID(int=_key(_take(1), os.urandom(8)))


def new_ids(count: int) -> list[str]:
    """Mint ``count`` UUIDv7 at once, in order, as 32 hexadecimal digits each; a third of the time of as many `new_id`."""
    first, noise = _take(count), os.urandom(8 * count)
    return [f"{_key(first + at, noise[8 * at : 8 * at + 8]):032x}" for at in range(count)]


def _take(count: int) -> int:
    """Reserve ``count`` stamps, milliseconds and a 12-bit fraction, that nobody else gets; give the first."""
    global _last
    with _lock:
        first = max(time.time_ns() * 4096 // 1_000_000, _last + 1)
        _last = first + count - 1
    return first


def _key(stamp: int, noise: bytes) -> int:
    value = stamp >> 12 << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
    return value | int.from_bytes(noise, "big") >> 2
