"""Cryptography beside the event loop: threads that share one queue, so that a gateway uses its second core.

Only calls that compute for long without the interpreter's lock gain from it, as libcrypto's of SM2 do (a third of a
millisecond, `libcrypto`): a hand-over and the lock's way back cost some 50 µs. A message that is alone is computed at once,
where it is.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

Job = tuple[Callable[..., Any], tuple[Any, ...], "asyncio.Future[Any]"]
Result = tuple["asyncio.Future[Any]", Any, BaseException | None]
AT_ONCE = 4  # jobs that a thread takes while others wait: fewer wake the loop more often, more wait for one another


class Beside:
    """Threads for one event loop. All methods belong to the loop's thread."""

    def __init__(self, *, threads: int = 2) -> None:
        self._count = threads
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._done: deque[Result] = deque()
        self._telling = False
        self._waiting = 0
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def busy(self) -> bool:
        """Whether messages wait or are computed here: then it is worth while to share the work out."""
        return self._waiting > 0

    def call(self, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        """Call ``function`` in a thread; the future gives its result, or raises what it raised."""
        loop = self._loop or self._begin()
        told: asyncio.Future[Any] = loop.create_future()
        self._waiting += 1
        self._jobs.put((function, arguments, told))
        return told

    def _begin(self) -> asyncio.AbstractEventLoop:
        loop = self._loop = asyncio.get_running_loop()
        for number in range(self._count):
            thread = threading.Thread(target=self._work, args=(loop,), name=f"beside-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return loop

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs, done = self._jobs, self._done
        while (job := jobs.get()) is not None:
            # A thread takes its share and no more: who is free first takes the next.
            basket = [job]
            try:
                for _ in range(min(AT_ONCE, -(-jobs.qsize() // self._count)) - 1):
                    another = jobs.get_nowait()
                    if another is None:
                        jobs.put(None)  # the end is for each thread once
                        break
                    basket.append(another)
            except Empty:
                pass
            for function, arguments, told in basket:
                try:
                    done.append((told, function(*arguments), None))
                except Exception as error:  # noqa: BLE001 - told to whoever waits
                    done.append((told, None, error))
            if not self._telling:
                self._telling = True
                try:
                    loop.call_soon_threadsafe(self._tell)
                except RuntimeError:
                    return  # the loop has ended, and with it whoever waited

    def _tell(self) -> None:
        self._telling = False  # first: what is done from here on tells the loop again
        done = self._done
        while done:
            told, result, error = done.popleft()
            self._waiting -= 1
            if told.done():
                continue
            if error is None:
                told.set_result(result)
            else:
                told.set_exception(error)

    def close(self) -> None:
        """End the threads; what they have in hand is finished."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._loop = None
