"""Reads of many threads, committed as one: whoever comes first writes for all that came while the last write was under way.

A read's entry is on disk before its answer leaves. One commit costs as much for twenty entries as for one, so threads that
read at the same time share it. Alone, a thread writes at once. Threads that shared the last commit are likely to be back soon:
whoever leads waits for as many, for a part of the time that the commit took and never long, rather than commit for itself alone
while all others wait for that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

Rows = Mapping[str, list[dict[str, Any]]]
Writer = Callable[[list[Rows]], None]
_MOST_TOGETHER = 200
_PART_WAITED = 0.5  # of the last commit's time
_LONGEST_WAIT_SECONDS = 0.004


class _Waiting:
    """A thread's entries, and the lock it sleeps on until somebody has written them or hands it the pen."""

    __slots__ = ("error", "leads", "rows", "woken")

    def __init__(self, rows: list[Rows]) -> None:
        self.rows = rows
        self.woken = threading.Lock()
        self.woken.acquire()
        self.leads = False
        self.error: BaseException | None = None


class Gathering:
    """The entries on their way to one database in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._busy = False
        self._last = 1  # threads that shared the last commit
        self._seconds = 0.0  # that it took
        self._hoped = 0  # threads for which whoever leads waits
        self._enough = threading.Lock()
        self._enough.acquire()

    def write(self, rows: list[Rows], *, writer: Writer) -> None:
        """Have ``rows`` written by ``writer``, by this thread or by another; return once they are committed.

        ``writer`` writes on the calling thread's own connection. When it fails for several threads' entries, each writes its own,
        so that one entry that cannot be written takes no other along.
        """
        mine = _Waiting(rows)
        with self._lock:
            if self._busy:
                self._waiting.append(mine)
                if self._hoped and len(self._waiting) >= self._hoped:
                    self._hoped = 0
                    self._enough.release()
            else:
                self._busy = mine.leads = True
        followed = not mine.leads
        if followed:
            mine.woken.acquire()
        if mine.leads:
            self._lead(mine, writer, followed=followed)
        if isinstance(mine.error, _AloneNeeded):
            writer(mine.rows)
        elif mine.error is not None:
            raise mine.error

    def _gather(self, *, followed: bool) -> None:
        """Wait until as many are here as shared the last commit: whoever ``followed`` it was not among them."""
        with self._lock:
            others = self._last - (0 if followed else 1)
            if len(self._waiting) >= others:
                return
            self._hoped = others
        self._enough.acquire(timeout=min(_LONGEST_WAIT_SECONDS, _PART_WAITED * self._seconds))

    def _lead(self, mine: _Waiting, writer: Writer, *, followed: bool) -> None:
        batch, began = [mine], time.monotonic()
        try:
            self._gather(followed=followed)
            with self._lock:
                batch += self._waiting[: _MOST_TOGETHER - 1]
                del self._waiting[: _MOST_TOGETHER - 1]
            began = time.monotonic()
            writer([row for one in batch for row in one.rows])
        except BaseException as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
            for one in batch:
                one.error = _AloneNeeded() if len(batch) > 1 and isinstance(error, Exception) else error
            if not isinstance(error, Exception):  # this thread is told to stop: the others are not
                for one in batch[1:]:
                    one.error = _AloneNeeded()
        finally:
            with self._lock:
                self._last, self._seconds = len(batch), time.monotonic() - began
                self._hoped = 0
                self._enough.acquire(blocking=False)  # held again, whoever had released it
                following = self._waiting.pop(0) if self._waiting else None
                self._busy = following is not None
            if following is not None:
                following.leads = True
                following.woken.release()
            for one in batch[1:]:
                one.woken.release()


class _AloneNeeded(Exception):  # noqa: N818 - tells a thread to write its own entries; nobody sees it raised
    """The common write failed."""
