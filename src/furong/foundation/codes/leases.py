"""Keeping for some seconds what hardly ever changes and is asked for on every page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.db import connection

T = TypeVar("T")


class Leased(Generic[T]):
    """Values in this process's memory, each for ``seconds``, apart for each database. Never anything of a person.

    A change made by another process is seen when the time is over; `forget` lets this one see its own at once.
    """

    def __init__(self, *, seconds: float, most: int = 1_000) -> None:
        self.seconds = seconds
        self.most = most
        self._held: dict[Hashable, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], *, seconds: float | None = None) -> T:
        """Give what is held under ``key``, or what ``make`` gives now. Two who ask at once may both make it."""
        place = (str(connection.settings_dict["NAME"]), key)
        held = self._held.get(place)
        if held is not None and time.monotonic() < held[0]:
            return held[1]
        until = time.monotonic() + (self.seconds if seconds is None else seconds)
        made = make()
        with self._lock:
            if len(self._held) >= self.most:
                self._held.clear()
            self._held[place] = (until, made)
        return made

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
