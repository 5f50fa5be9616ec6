"""A gateway that runs on a loop of its own, for tests that ask it from outside."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from furong_link.errors import LinkError
from furong_link.gateway import Gateway


class Running:
    """A gateway on a loop of its own, in a thread."""

    def __init__(self, make: Callable[[], Gateway]) -> None:
        self._make = make
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        started, failures = threading.Event(), []

        async def main() -> None:
            try:
                self.gateway = self._make()
                self._stop = asyncio.Event()
                await self.gateway.start()
            except BaseException as error:
                failures.append(error)
                raise
            finally:
                started.set()
            await self._stop.wait()
            await self.gateway.stop()

        def run() -> None:
            self.loop = asyncio.new_event_loop()
            try:
                self.loop.run_until_complete(main())
            except (LinkError, OSError):
                assert failures
            finally:
                self.loop.close()

        self._thread = threading.Thread(target=run)
        self._thread.start()
        started.wait()
        if failures:
            self._thread.join()
            self._thread = None
            raise failures[0]

    def stop(self) -> None:
        if self._thread is not None:
            self.loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None

    def do(self, call: Callable[[], Any]) -> Any:
        async def run() -> Any:
            found = call()
            return await found if asyncio.iscoroutine(found) else found

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(timeout=30)
