"""Documents cut in processes of their own: one interpreter cuts on one core only, however many threads it has."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess

from furong.domains.search.analysis.cutting import Analysis
from furong.domains.search.engine.schema import Row, cut
from furong.domains.search.values import Document

logger = logging.getLogger("furong.search")

AT_ONCE = 100  # documents that travel together
_AHEAD = 3  # such parts that wait for each process, so that none of them ever does

_own: list[Analysis] = []


class Cutters:
    """Processes that cut. They start with the first documents and end with `close`."""

    def __init__(self, analysis: Analysis, processes: int) -> None:
        self._analysis = analysis
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def rows(self, documents: Iterable[Document]) -> Iterator[Row]:
        """Cut documents, in their order. When a process dies, its documents are cut in this one."""
        waiting: deque[tuple[list[Document], Future[list[Row]] | None]] = deque()
        for part in _parts(documents):
            waiting.append((part, self._sent(part)))
            while len(waiting) > self._processes * _AHEAD:
                yield from self._received(*waiting.popleft())
        while waiting:
            yield from self._received(*waiting.popleft())

    def close(self) -> None:
        """End the processes."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def _sent(self, part: list[Document]) -> Future[list[Row]] | None:
        try:
            if self._pool is None:
                # Not forked: this process has threads of the engine, and may hold connections.
                self._pool = ProcessPoolExecutor(
                    self._processes,
                    mp_context=get_context("spawn"),
                    initializer=_begin,
                    initargs=(self._analysis.own,),
                )
            return self._pool.submit(_cut, part)
        except (BrokenProcessPool, OSError):
            self.close()
            return None

    def _received(self, part: list[Document], sent: Future[list[Row]] | None) -> list[Row]:
        if sent is not None:
            try:
                return sent.result()
            except BrokenProcessPool:
                logger.error("a process that cuts documents ended; this one cuts them")
                self.close()
        return [cut(document, self._analysis) for document in part]


def _parts(documents: Iterable[Document]) -> Iterator[list[Document]]:
    part: list[Document] = []
    for document in documents:
        part.append(document)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _begin(own: tuple[str, ...]) -> None:
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _own[:] = [Analysis(own)]


def _end_with(parent: BaseProcess) -> None:
    """A writer that is killed leaves nobody behind, who would wait for documents for ever."""
    parent.join()
    os._exit(1)


def _cut(part: list[Document]) -> list[Row]:
    return [cut(document, _own[0]) for document in part]
