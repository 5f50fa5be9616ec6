"""No process of ours outlives the one that started it, however that one ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
# The process id of granian's master, for its workers.
MASTER = "_WEB_MASTER_PID"


def die_with_parent(number: int = signal.SIGTERM, *, parent: int | None = None) -> None:
    """Ask the kernel to send us ``number`` when our parent is gone (Linux; elsewhere nothing happens).

    Where the parent is gone already, this process ends at once; whoever knows the parent's process id says it, because a process
    that lost its parent before it could ask has another one.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid() if parent is None else parent
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if parent != os.getppid():
        raise SystemExit(0)
