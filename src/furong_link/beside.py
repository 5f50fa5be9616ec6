"""Cryptography beside the event loop: threads that take what waits in batches, so that a gateway uses its second core.

Only calls that give up the interpreter's lock gain from it (`libcrypto`), and only when several wait: a message that is
alone is computed at once, where it is.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

Job = tuple[Callable[..., Any], tuple[Any, ...], "asyncio.Future[Any]"]


class Beside:
    """Threads for one event loop. All methods belong to the loop's thread."""

    def __init__(self, *, threads: int = 1) -> None:
        self._count = threads
        self._jobs: list[Job] = []
        self._idle = self._count
        self._handing = False
        self._baskets: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def busy(self) -> bool:
        """Whether messages wait or are computed here: then it is worth while to share the work out."""
        return self._idle < self._count or bool(self._jobs)

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call ``function`` in a thread and give its result, or raise what it raised."""
        return await self._enter(function, arguments)

    async def call_each(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Call ``function`` with each item, shared out among the threads; give the results in order.

        An item whose call raised has the exception as its result.
        """
        size = max(1, -(-len(items) // self._count))
        parts = [items[at : at + size] for at in range(0, len(items), size)]
        found = await asyncio.gather(*(self._enter(_each, (function, part)) for part in parts))
        return [result for part in found for result in part]

    def _enter(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> asyncio.Future[Any]:
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
            for number in range(self._count):
                thread = threading.Thread(target=self._work, args=(loop,), name=f"beside-{number}", daemon=True)
                thread.start()
                self._threads.append(thread)
        told: asyncio.Future[Any] = loop.create_future()
        self._jobs.append((function, arguments, told))
        if not self._handing and self._idle:
            # After this turn of the loop, when every message that it read has entered its own.
            self._handing = True
            loop.call_soon(self._hand_out)
        return told

    def _hand_out(self) -> None:
        self._handing = False
        while self._jobs and self._idle:
            size = -(-len(self._jobs) // self._idle)
            basket, self._jobs = self._jobs[:size], self._jobs[size:]
            self._idle -= 1
            self._baskets.put(basket)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (basket := self._baskets.get()) is not None:
            results: list[tuple[Any, BaseException | None]] = []
            for function, arguments, _ in basket:
                try:
                    results.append((function(*arguments), None))
                except Exception as error:  # noqa: BLE001 - told to whoever waits
                    results.append((None, error))
            try:
                loop.call_soon_threadsafe(self._tell, basket, results)
            except RuntimeError:
                return  # the loop has ended, and with it whoever waited

    def _tell(self, basket: list[Job], results: list[tuple[Any, BaseException | None]]) -> None:
        self._idle += 1
        for (_, _, told), (result, error) in zip(basket, results, strict=True):
            if told.done():
                continue
            if error is None:
                told.set_result(result)
            else:
                told.set_exception(error)
        if self._jobs and not self._handing:
            self._hand_out()

    def close(self) -> None:
        """End the threads; what they have in hand is finished."""
        for _ in self._threads:
            self._baskets.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._loop = None


def _each(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        try:
            found.append(function(item))
        except Exception as error:  # noqa: BLE001 - told to whoever waits for this item
            found.append(error)
    return found
