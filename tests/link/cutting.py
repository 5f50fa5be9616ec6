"""A link between two parties that a test severs and mends, and that can swallow what comes back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any


class Cut:
    """A link to a port of this machine, itself a port: severed, whoever comes is turned away and who is there is thrown out.

    While ``drops()`` holds, the link breaks as soon as anything comes back: what was sent has arrived, its answer is lost.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._loop = asyncio.new_event_loop()
        self._ends: set[Any] = set()
        self.severed = False
        self.tried = 0  # connections that were turned away
        self.drops: Callable[[], bool] = lambda: False
        self._server = self._loop.run_until_complete(self._loop.create_server(lambda: _Near(self), "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def __enter__(self) -> Cut:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sever(self) -> None:
        def now() -> None:
            self.severed = True
            for transport in list(self._ends):
                transport.abort()

        self._call(now)

    def mend(self) -> None:
        self.severed = False

    def _call(self, what: Callable[[], Any]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (what(), done.set()))
        done.wait()

    def close(self) -> None:
        self.sever()
        self._call(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Near(asyncio.Protocol):
    def __init__(self, cut: Cut) -> None:
        self._cut, self._held, self._ended = cut, b"", False
        self._far: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        if self._cut.severed:
            self._cut.tried += 1
            transport.abort()
            return
        self._cut._ends.add(transport)
        self._task = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            far, _ = await asyncio.get_running_loop().create_connection(
                lambda: _Far(self._cut, self._transport), "127.0.0.1", self._cut._to
            )
        except OSError:
            self._transport.abort()
            return
        if self._ended:
            far.abort()
            return
        self._far = far
        self._cut._ends.add(far)
        far.write(self._held)

    def data_received(self, data: bytes) -> None:
        if self._far is None:
            self._held += data
        else:
            self._far.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._cut._ends.discard(self._transport)
        if self._far is not None:
            self._far.close()


class _Far(asyncio.Protocol):
    """What comes from the far side; once the link ``drops``, it breaks instead of passing that on."""

    def __init__(self, cut: Cut, back: Any) -> None:
        self._cut, self._back = cut, back

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._cut.drops():
            self._back.abort()
            self._transport.abort()
        else:
            self._back.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cut._ends.discard(self._transport)
        self._back.close()
