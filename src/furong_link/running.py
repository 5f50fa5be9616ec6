"""The event loop that a gateway runs on: uvloop where it is installed, asyncio's own elsewhere."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

try:
    import uvloop
except ImportError:  # Windows has none; everything works without
    uvloop = None  # type: ignore[assignment]  # a missing module

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` to its end."""
    # What is loaded by now stays for good; looking through it again and again costs each message time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    return asyncio.run(main) if uvloop is None else uvloop.run(main)


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent is gone (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(1, int(signal.SIGTERM), 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            raise SystemExit(0)
