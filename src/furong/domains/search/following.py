"""The index follows the database:

what was noted as changed is read anew from its source, written, committed, and only then ticked off.

One process writes. Another one that tries stands by and takes over when the first ends. Killed at any
moment, the index is as it was after the last commit, and what was not ticked off is done again: doing it twice gives the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from furong.domains.search import commands, models
from furong.domains.search.engine.tantivy_engine import TantivyEngine
from furong.domains.search.errors import IndexMissingError, IndexWriteError, WriterBusyError
from furong.domains.search.home import Home
from furong.domains.search.sources import StampedSource, documents_of, sources
from furong.domains.search.wording import analysis_of, vocabulary
from furong.foundation.codes.statements import first_row

logger = logging.getLogger("furong.search")

BATCH = 1_000
SMALL = (
    200_000  # documents: an index made with other words is rebuilt by itself up to here, else the operator says when
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a rebuild is."""

    done: int
    seconds: float
    source: str = ""


Tell = Callable[[Progress], None]


class Follower:
    """The one writer. Call `step` again and again; `close` lets go."""

    def __init__(self, place: Home) -> None:
        self.place = place
        self._engine: TantivyEngine | None = None
        self._lock = ExitStack()
        self._holds = False
        self._looked: dict[str, float] = {}
        self._told_busy = False

    def step(self, *, now: datetime, today: date) -> bool:
        """Bring the index up to date; True when more waits. Does nothing while another process writes.

        Raises IndexWriteError when the disk refuses: nothing is ticked off, and the next step tries again.
        """
        if not self._take():
            return False
        self._look_at_sources(now=now)
        if not self._ready(now=now, today=today):
            return False
        with self.place.held("turn", wait=True):
            if self.place.current() != self._open_generation():
                self._drop()  # a rebuild has moved the pointer meanwhile
                return True
            return self._apply() >= BATCH

    def close(self) -> None:
        """Let the writer and the lock go."""
        self._drop()
        self._lock.close()
        self._holds = False

    # --- how --------------------------------------------------------------------------------------------------------------

    def _take(self) -> bool:
        if self._holds:
            return True
        try:
            self._lock.enter_context(self.place.held("writer"))
        except WriterBusyError:
            if not self._told_busy:
                logger.info("another process follows the search index; standing by")
                self._told_busy = True
            return False
        self._holds = True
        return True

    def _open_generation(self) -> str | None:
        return self._engine.generation if self._engine is not None else None

    def _drop(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            with suppress(Exception):
                engine.close()

    def _ready(self, *, now: datetime, today: date) -> bool:
        """Open the index that serves; make one where there is none, or where its words changed and it is small."""
        current = self.place.current()
        if self._engine is not None and self._engine.generation == current:
            words = vocabulary(on=today).words
            if self._engine.analysis is analysis_of(words):
                return True
            self._drop()
        analysis = analysis_of(vocabulary(on=today).words)
        if current is not None:
            self._drop()
            try:
                engine = TantivyEngine(self.place.folder(current), analysis=analysis, generation=current)
                engine.prove()
                about = self.place.about(current)
                documents = engine.state().public + engine.state().inner
                if about.get("recipe") == engine.recipe or documents > SMALL:
                    engine.open_writer()
                    self._engine = engine
                    return True
            except IndexMissingError:
                logger.error("search index cannot be read; a new one is made", extra={"generation": current})
        rebuild(place=self.place, now=now, today=today)
        return True

    def _apply(self) -> int:
        assert self._engine is not None  # noqa: S101 - the caller compared its generation
        rows = list(models.Change.objects.filter(applied_at=None).order_by("id").values_list("id", "key")[:BATCH])
        if not rows:
            return 0
        _write(self._engine, [key for _, key in rows])
        try:
            self._engine.commit()
        except IndexWriteError:
            self._drop()
            raise
        commands.mark_applied(ids=[row for row, _ in rows])
        return len(rows)

    def _look_at_sources(self, *, now: datetime) -> None:
        for source in sources():
            every = getattr(source, "every_seconds", None)
            if every is None:
                continue
            last = self._looked.get(source.prefix)
            if last is not None and time.monotonic() - last < every:
                continue
            first = last is None
            self._looked[source.prefix] = time.monotonic()
            stamped: StampedSource = source  # type: ignore[assignment]
            if first or not stamped.looks_unchanged():
                compare(stamped, now=now)


def compare(source: StampedSource, *, now: datetime) -> int:
    """Note what changed in a source that sends no events; returns how many documents.

    One read of its stamps.
    """
    with transaction.atomic():
        now_looks = source.stamps()
        looked = dict(models.Stamp.objects.filter(source=source.prefix).values_list("key", "stamp"))
        changed = [(key, stamp) for key, stamp in now_looks.items() if looked.get(key) != stamp]
        gone = [key for key in looked if key not in now_looks]
        commands.store_stamps(source=source.prefix, changed=changed, gone=gone, now=now)
    return len(changed) + len(gone)


def _write(engine: TantivyEngine, keys: list[str], *, fresh: bool = False) -> int:
    wanted = list(dict.fromkeys(keys))
    found = documents_of(wanted)
    if not fresh:
        engine.remove(key for key in wanted if key not in found)
    return engine.add(found.values(), fresh=fresh)


def rebuild(*, place: Home, now: datetime, today: date, tell: Tell | None = None, threads: int = 1) -> str:
    """Make the index anew beside the one that serves, and let it serve; returns its name.

    What changes meanwhile is written into it before it serves. ``threads`` write; with more than one, as many processes cut.
    Raises WriterBusyError when another rebuild runs, and IndexWriteError; then the index that serves goes on.
    """
    started = time.monotonic()
    place.prepare()
    with place.held("rebuild"):
        generation = place.begin(now=now)
        analysis = analysis_of(vocabulary(on=today).words)
        engine = TantivyEngine(place.folder(generation), analysis=analysis, create=True, generation=generation)
        try:
            engine.open_writer(threads=threads, cutters=threads if threads > 1 else 0)
            # What waits now is read below, after it was committed; what is applied or noted from now on is written once more.
            since = _database_now()
            covered = list(models.Change.objects.filter(applied_at=None).values_list("id", flat=True))
            done = 0
            for source in sources():
                batch: list[str] = []
                for key in source.keys():  # noqa: SIM118 - a source is no mapping
                    batch.append(key)
                    if len(batch) >= BATCH:
                        done += _write(engine, batch, fresh=True)
                        batch = []
                        if tell is not None:
                            tell(Progress(done=done, seconds=time.monotonic() - started, source=source.prefix))
                if batch:
                    done += _write(engine, batch, fresh=True)
                if tell is not None:
                    tell(Progress(done=done, seconds=time.monotonic() - started, source=source.prefix))
            engine.commit()
            with place.held("turn", wait=True):
                repeated = _repeat_since(engine, since, frozenset(covered))
                engine.commit()
                engine.prove()
                place.complete(generation, recipe=engine.recipe, documents=done, made_at=now.isoformat())
                place.serve(generation)
                commands.mark_applied(ids=[*covered, *repeated])
            engine.finish_merges()
        except BaseException:
            engine.close()
            if place.current() != generation:
                _discard(place, generation)
            raise
        place.discard_old()
    return generation


def _database_now() -> datetime:
    row = first_row("SELECT clock_timestamp()", [])
    assert row is not None  # noqa: S101 - a clock always answers
    found: datetime = row[0]
    return found


def _repeat_since(engine: TantivyEngine, since: datetime, covered: frozenset[int]) -> list[int]:
    """Write again what changed since the rebuild began, and what was being written into the old index then."""
    last = 0
    repeated: list[int] = []
    while True:
        rows = list(
            models.Change.objects.filter(id__gt=last)
            .exclude(applied_at__lt=since)
            .order_by("id")
            .values_list("id", "key", "applied_at")[:BATCH]
        )
        if not rows:
            return repeated
        wanted = [(row, key) for row, key, applied in rows if applied is not None or row not in covered]
        _write(engine, [key for _, key in wanted])
        repeated += [row for row, _ in wanted]
        last = rows[-1][0]


def _discard(place: Home, generation: str) -> None:
    import shutil

    shutil.rmtree(place.folder(generation), ignore_errors=True)
