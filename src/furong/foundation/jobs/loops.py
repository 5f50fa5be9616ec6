"""Loops: a function called again and again in a thread, with a clean stop, an error log, and a back-off when it fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import close_old_connections, connections

logger = logging.getLogger("furong.loops")

LONGEST_PAUSE_SECONDS = 30.0


@dataclass(slots=True)
class LoopState:
    """How a loop fares, for `/metrics` and tests."""

    runs: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    last_success: float | None = None  # time.monotonic()


@dataclass(slots=True)
class Loop:
    """``function()`` every ``interval_seconds`` from the end of one call to the start of the next.

    When it raises, the error's type is logged and the pause doubles up to half a minute. A function that returns True
    has more to do and is called again at once. ``until_stopped`` functions take the stop event instead and return
    when it is set.
    """

    name: str
    interval_seconds: float
    function: Callable[[], object] | None = None
    until_stopped: Callable[[threading.Event], object] | None = None
    state: LoopState = field(default_factory=LoopState)

    def __post_init__(self) -> None:
        if (self.function is None) == (self.until_stopped is None):
            raise ValueError("A loop has one function: one to call again, or one that runs until stopped.")

    def run(self, stop: threading.Event) -> None:
        """Run until ``stop`` is set; never raises an Exception."""
        try:
            while not stop.is_set():
                stop.wait(self._once(stop))
        finally:
            connections.close_all()  # this thread's

    def _once(self, stop: threading.Event) -> float:
        """Call the function once and give the pause that should follow, in seconds."""
        try:
            close_old_connections()
            more = self.until_stopped(stop) if self.until_stopped is not None else self._call()
        except Exception as exc:
            self.state.failures += 1
            self.state.failures_in_a_row += 1
            pause: float = min(LONGEST_PAUSE_SECONDS, 0.25 * 2.0 ** min(self.state.failures_in_a_row, 10))
            logger.error(
                "loop failed",
                extra={
                    "loop": self.name,
                    "error": f"{type(exc).__module__}.{type(exc).__qualname__}",
                    "failures": self.state.failures_in_a_row,
                    "pause_seconds": pause,
                },
                exc_info=logger.isEnabledFor(logging.DEBUG),
            )
            return pause
        self.state.runs += 1
        self.state.failures_in_a_row = 0
        self.state.last_success = time.monotonic()
        return 0.0 if more is True else self.interval_seconds

    def _call(self) -> object:
        assert self.function is not None  # noqa: S101 - __post_init__ saw to it
        return self.function()


def run_loops(loops: Iterable[Loop], stop: threading.Event, *, patience_seconds: float = 20.0) -> list[str]:
    """Run every loop in a thread of its own until ``stop`` is set; give the names of those that did not end within the patience.

    A thread that dies (it should not) stops nothing else. Blocks.
    """
    threads = [
        threading.Thread(target=loop.run, args=(stop,), name=f"furong-{loop.name}", daemon=True) for loop in loops
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    deadline = time.monotonic() + patience_seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name.removeprefix("furong-") for thread in threads if thread.is_alive()]
    if left:
        logger.error("loops did not end", extra={"loops": left})
    return left
