"""The child process that reads strangers' files: one request in, one answer out, until its input ends.

It is started without the parent's environment, gives up the right to memory, files and processes beyond its bounds, and dies with
its parent. A request is a line of JSON (`path`, `charset`, `address`, `size`) and the file's bytes; an answer is a line of JSON.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from dataclasses import asdict

from furong.domains.search.store.reading import read_file
from furong.domains.search.store.values import Reason

_PR_SET_PDEATHSIG = 1


def confine(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Take from this process what reading a file does not need. POSIX; what a system lacks is left out."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(0)
    for name, limit in (
        ("RLIMIT_AS", memory_bytes),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NOFILE", 32),
        ("RLIMIT_CPU", cpu_seconds),
    ):
        number = getattr(resource, name, None)
        if number is not None:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(number, (limit, limit))


def main() -> int:
    """Answer requests from the standard input until it ends."""
    memory_bytes, cpu_seconds = int(sys.argv[1]), int(sys.argv[2])
    confine(memory_bytes=memory_bytes, cpu_seconds=cpu_seconds)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    # A library that prints must not break the protocol.
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    answers.write(b"{}\n")
    answers.flush()
    while line := requests.readline():
        asked = json.loads(line)
        try:
            data = requests.read(asked["size"])
            found = read_file(data, path=asked["path"], charset=asked["charset"], address=asked["address"])
            answer = {"reason": found} if isinstance(found, Reason) else asdict(found)
        except (MemoryError, RecursionError) as exc:
            answer = {"reason": Reason.TOO_MUCH_MEMORY if isinstance(exc, MemoryError) else Reason.DAMAGED}
        answers.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        answers.flush()
        data = b""
    return 0


if __name__ == "__main__":
    sys.exit(main())
