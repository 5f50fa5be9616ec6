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
    global _last
    with _lock:
        stamp = time.time_ns() * 4096 // 1_000_000  # milliseconds and a 12-bit fraction
        if stamp <= _last:
            stamp = _last + 1
        _last = stamp
    milliseconds, fraction = stamp >> 12, stamp & 0xFFF
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62
    return UUID(int=value | int.from_bytes(os.urandom(8), "big") >> 2)
