"""The parent's end of reading strangers' files: a child process that is started anew when a file kills it or takes too long."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from furong.domains.search.store.errors import ExtractorDownError
from furong.domains.search.store.values import Extract, Reason

MEMORY_BYTES = 1536 * 1024 * 1024
FILE_SECONDS = 60.0
_START_SECONDS = 60.0
_FILES_A_CHILD = 2000  # libraries leak a little; a child does not grow old
_CPU_SECONDS = 3600


class Extractor:
    """Reads files in a child process. Use as a context; one thread at a time."""

    def __init__(self, *, file_seconds: float = FILE_SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._seconds = file_seconds
        self._memory = memory_bytes
        self._child: subprocess.Popen[bytes] | None = None
        self._read = 0

    def __enter__(self) -> Extractor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, data: bytes, *, path: str, charset: str = "", address: str = "") -> Extract | Reason:
        """Give what a file says, or why it says nothing.

        Returns `Reason.TOO_SLOW` when the child takes longer than its seconds and `Reason.TOO_MUCH_MEMORY` when it dies of its
        bounds; the next file is read by a new child. Raises ExtractorDownError when no child starts.
        """
        if self._child is None or self._read >= _FILES_A_CHILD:
            self.close()
            self._start()
        self._read += 1
        asked = json.dumps({"path": path, "charset": charset, "address": address, "size": len(data)})
        try:
            answer = self._ask(asked.encode() + b"\n" + data, seconds=self._seconds)
        except TimeoutError:
            self.close()
            return Reason.TOO_SLOW
        except (OSError, EOFError):
            self.close()
            return Reason.TOO_MUCH_MEMORY
        if "reason" in answer:
            return Reason(answer["reason"])
        for name in ("headings", "keywords", "notes"):
            answer[name] = tuple(answer[name])
        return Extract(**answer)

    def close(self) -> None:
        """End the child."""
        child, self._child, self._read = self._child, None, 0
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def _start(self) -> None:
        path = os.pathsep.join(one for one in sys.path if one)
        try:
            self._child = subprocess.Popen(  # noqa: S603 - fixed words
                [sys.executable, "-P", "-m", "furong.domains.search.store.child", str(self._memory), str(_CPU_SECONDS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Nothing of the parent's environment: no key, no address of a database.
                env={"PYTHONPATH": path, "PYTHONUTF8": "1", "LANG": "C.UTF-8"},
                close_fds=True,
                bufsize=0,
            )
            self._answer(self._child, deadline=time.monotonic() + _START_SECONDS)
        except (OSError, EOFError, TimeoutError) as exc:
            self.close()
            raise ExtractorDownError("The process that reads files does not start.") from exc

    def _ask(self, message: bytes, *, seconds: float) -> dict[str, Any]:
        child = self._child
        assert child is not None  # noqa: S101 - read() just started it
        assert child.stdin is not None  # noqa: S101 - a pipe by how it was started
        deadline = time.monotonic() + seconds
        with _unblocked(child.stdin.fileno()) as pipe, selectors.DefaultSelector() as ready:
            ready.register(pipe, selectors.EVENT_WRITE)
            view = memoryview(message)
            while view:
                if not ready.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                with contextlib.suppress(BlockingIOError):
                    view = view[os.write(pipe, view) :]
        return self._answer(child, deadline=deadline)

    @staticmethod
    def _answer(child: subprocess.Popen[bytes], *, deadline: float) -> dict[str, Any]:
        assert child.stdout is not None  # noqa: S101 - a pipe by how it was started
        pipe = child.stdout.fileno()
        pieces: list[bytes] = []
        with selectors.DefaultSelector() as ready:
            ready.register(pipe, selectors.EVENT_READ)
            while not pieces or not pieces[-1].endswith(b"\n"):
                if not ready.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                piece = os.read(pipe, 1 << 20)
                if not piece:
                    raise EOFError
                pieces.append(piece)
        answer: dict[str, Any] = json.loads(b"".join(pieces))
        return answer


@contextlib.contextmanager
def _unblocked(pipe: int) -> Iterator[int]:
    os.set_blocking(pipe, False)
    try:
        yield pipe
    finally:
        with contextlib.suppress(OSError):
            os.set_blocking(pipe, True)
