"""The engine: a public shelf and an inner one, asked as one.

A question of somebody without rights opens the public shelf only. So nothing hidden is weighed, counted, cut or timed: even the
weight of a word (how many documents hold it) is that of public documents.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import tantivy

from furong.domains.search.analysis.cutting import Analysis
from furong.domains.search.engine.asking import needed_of
from furong.domains.search.engine.cutters import Cutters
from furong.domains.search.engine.finding import Finder
from furong.domains.search.engine.marking import LATIN_WIDTH, WIDTH, Marker
from furong.domains.search.engine.schema import NO_DAY, SAMPLE, VERSION, cut, day_number, stored
from furong.domains.search.engine.shelf import BULK_HEAP_BYTES, HEAP_BYTES, Shelf
from furong.domains.search.planning import Plan, Thesaurus, plan
from furong.domains.search.values import (
    FACETS,
    MAX_FIRST,
    MAX_PAGE_SIZE,
    OLDEST,
    PUBLIC,
    Document,
    FacetValue,
    Hit,
    IndexState,
    Kind,
    Page,
    Query,
    recipe_of,
)

PUBLIC_SHELF, INNER_SHELF = "public", "inner"
_WINDOW = 100  # the best by words, which age and boost then order
_CARD_WINDOW, _AMONG = 40, 12  # without counting: the best by words, and those of them that are looked at
_FEW, _MEAGRE = 10, 200
_FACET_SIZE = 30
_SAMPLED, _SURE = 400_000, 64  # documents to step over; of the sample: an estimate mostly within an eighth
_BESIDE = 1_500_000  # documents: from here on one question counts and ranks at once
_AT_ONCE = max(1, (os.cpu_count() or 1) - 1)
_counters = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="search-count")
_free = threading.BoundedSemaphore(_AT_ONCE)
_NARROWING = {
    "kind": "kinds",
    "site": "sites",
    "department": "departments",
    "audience": "audiences",
    "language": "languages",
    "year": "years",
}


class _Counted(NamedTuple):
    """How many there are, by facet too; ``is_estimate``: told from the sample."""

    total: int
    facets: dict[str, tuple[FacetValue, ...]]
    is_estimate: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    score: float
    order: int
    place: tuple[int, int, int]  # shelf, segment, document
    searcher: tantivy.Searcher  # an address holds in the state that it was found in
    address: tantivy.DocAddress


class _Open(NamedTuple):
    shelf: Shelf
    searcher: tantivy.Searcher
    frequencies: dict[tuple[str, str], int]
    is_public: bool


class TantivyEngine:
    """`SearchEngine` on two indexes in one folder."""

    def __init__(
        self,
        path: Path,
        *,
        analysis: Analysis,
        thesaurus: Thesaurus | None = None,
        create: bool = False,
        generation: str = "",
    ) -> None:
        self.path = path
        self.analysis = analysis
        self.thesaurus = thesaurus or Thesaurus()
        self.generation = generation or path.name
        self._public = Shelf(path / PUBLIC_SHELF, create=create)
        self._inner = Shelf(path / INNER_SHELF, create=create)
        self._cutters: Cutters | None = None

    @property
    def recipe(self) -> str:
        """How texts are analysed and fields laid out."""
        return recipe_of(VERSION, self.analysis.recipe)

    # --- reading ----------------------------------------------------------------------------------------------------------

    def plan(self, text: str) -> Plan:
        """Read a question as this engine does."""
        return plan(text=text, analysis=self.analysis, thesaurus=self.thesaurus)

    def search(self, query: Query) -> Page:
        """Find a page of documents; an empty page for a question without words."""
        return self.search_plan(self.plan(query.text), query)

    def search_plan(self, read: Plan, query: Query) -> Page:
        """Find a page of documents for a question that was read before."""
        if read.is_empty:
            return Page()
        size = min(max(query.size, 1), MAX_PAGE_SIZE)
        first = min(max(query.first, 0), MAX_FIRST)
        shelves = self._shelves(query.rights)
        if not query.with_count:
            found = self._ranked(shelves, read, query, _CARD_WINDOW)
            found = sorted(found, key=lambda one: -one.score)[: max(_AMONG, first + size)]
            whole = self._whole_among(shelves, found, read, query)
            counted, broad = _Counted(len(found), {}), whole < _FEW
        else:
            beside = self._counted_beside(shelves, read, query)
            found = self._best(shelves, read, query, first + size)
            counted = beside.result() if beside else self._counted(shelves, read, query, is_broad=False)
            whole, broad = counted.total, counted.total < _FEW
            # Few hold enough of it: then what holds some of it, however the segmenter cut it, counts too.
            if broad:
                counted = self._counted(shelves, read, query, is_broad=True, however_cut=False)
                if counted.total < _MEAGRE:
                    counted = self._counted(shelves, read, query, is_broad=True)
        total, facets, is_estimate = counted
        marker = Marker(read.terms) if query.with_snippets else None
        hits = [self._hit(one, marker, query) for one in found[first : min(total, first + size)]]
        return Page(hits=tuple(hits), total=total, whole=whole, facets=facets, is_broad=broad, is_estimate=is_estimate)

    def _shelves(self, rights: frozenset[str]) -> list[_Open]:
        shelves = [self._public] if PUBLIC in rights else []
        if rights - {PUBLIC}:
            shelves.append(self._inner)
        return [_Open(shelf, *shelf.state(), shelf is self._public) for shelf in shelves]

    def _best(self, shelves: list[_Open], read: Plan, query: Query, needed: int) -> list[_Found]:
        window = self._ranked(shelves, read, query, _WINDOW)
        window.sort(key=lambda one: -one.score)
        if needed <= _WINDOW or len(window) < _WINDOW:
            return window[:needed]
        # Only the window is weighed anew. What follows it is always found alike and keeps its place, so that leafing through
        # never repeats a document.
        ahead = {one.place for one in window}
        rest = self._ranked(shelves, read, query, MAX_FIRST + MAX_PAGE_SIZE)
        rest.sort(key=lambda one: one.order)
        return [*window, *(one for one in rest if one.place not in ahead)][:needed]

    def _ranked(self, shelves: list[_Open], read: Plan, query: Query, limit: int) -> list[_Found]:
        found: list[_Found] = []
        today = day_number(query.today)
        for number, (shelf, searcher, frequencies, is_public) in enumerate(shelves):
            hits = Finder(shelf.asker, searcher, frequencies, read, query, is_public).best(limit)
            addresses = [address for _, address in hits]
            boosts = searcher.fast_field_values("boost", addresses)
            days = searcher.fast_field_values("day", addresses)
            fades = searcher.fast_field_values("fades", addresses)
            for order, ((score, address), boost, day, half) in enumerate(zip(hits, boosts, days, fades, strict=True)):
                weighed = score * (boost or 1.0)
                if half and day is not None and day != NO_DAY:
                    weighed *= OLDEST + (1 - OLDEST) * 0.5 ** (max(today - day, 0) / half)
                found.append(_Found(weighed, order, (number, address.segment_ord, address.doc), searcher, address))
        return found

    def _counted_beside(self, shelves: list[_Open], read: Plan, query: Query) -> Future[_Counted] | None:
        """Count in another thread while this one ranks, where there is much to count and a processor is free for it."""
        if sum(one.searcher.num_docs for one in shelves) < _BESIDE or not _free.acquire(blocking=False):
            return None
        asked = _counters.submit(self._counted, shelves, read, query, is_broad=False)
        asked.add_done_callback(lambda _: _free.release())
        return asked

    def _counted(
        self, shelves: list[_Open], read: Plan, query: Query, *, is_broad: bool, however_cut: bool = True
    ) -> _Counted:
        """Count what holds enough of what was said, by kind, which each document has one of, and by the other facets.

        What would step over millions of documents is estimated from the sample, where that holds enough to do so.
        """
        needed = 1 if is_broad else needed_of(len(read.groups))
        costs = (
            Finder(one.shelf.asker, *one[1:3], read, query, one.is_public).counting_cost(needed) for one in shelves
        )
        if read.groups and not (is_broad and however_cut) and sum(costs) > _SAMPLED:
            sampled = self._summed(shelves, read, query, is_broad, however_cut, is_sampled=True)
            if sampled.total >= _SURE:
                return _Counted(
                    total=about(sampled.total * SAMPLE),
                    facets={
                        name: tuple(FacetValue(value=one.value, count=about(one.count * SAMPLE)) for one in values)
                        for name, values in sampled.facets.items()
                    },
                    is_estimate=True,
                )
        return self._summed(shelves, read, query, is_broad, however_cut, is_sampled=False)

    def _summed(
        self, shelves: list[_Open], read: Plan, query: Query, is_broad: bool, however_cut: bool, *, is_sampled: bool
    ) -> _Counted:
        names = FACETS if query.with_facets else ("kind",)
        narrowed = {name for name, field in _NARROWING.items() if name in names and getattr(query, field)}
        counted: dict[str, dict[str, int]] = {name: {} for name in names}
        total = 0
        # A facet that narrows also shows what its other values would give.
        asked = [("", {"kind", *names} - (narrowed - {"kind"})), *((one, {one}) for one in sorted(narrowed))]
        for without, own in asked:
            for shelf, searcher, _, is_public in shelves:
                built = shelf.asker.counting(
                    plan=read,
                    query=query,
                    is_broad=is_broad,
                    shelf_is_public=is_public,
                    however_cut=however_cut,
                    without=without,
                    is_sampled=is_sampled,
                )
                result: dict[str, Any] = searcher.aggregate(
                    built, {name: {"terms": {"field": name, "size": _FACET_SIZE}} for name in own}
                )
                for name in own:
                    buckets = result[name]["buckets"]
                    if name == "kind" and not without:
                        total += sum(int(bucket["doc_count"]) for bucket in buckets)
                        if name in narrowed:
                            continue
                    for bucket in buckets:
                        value = str(int(bucket["key"])) if name == "year" else str(bucket["key"])
                        counted[name][value] = counted[name].get(value, 0) + int(bucket["doc_count"])
        if not query.with_facets:
            return _Counted(total, {})
        facets = {
            name: tuple(
                FacetValue(value=value, count=count)
                for value, count in sorted(values.items(), key=lambda one: (-one[1], one[0]))
            )
            for name, values in counted.items()
        }
        return _Counted(total, facets)

    def _whole_among(self, shelves: list[_Open], found: list[_Found], read: Plan, query: Query) -> int:
        """Count those among the best that hold enough of what was said."""
        total = 0
        for number, (shelf, searcher, frequencies, is_public) in enumerate(shelves):
            own = [one.address for one in found if one.place[0] == number]
            if own:
                finder = Finder(shelf.asker, searcher, frequencies, read, query, is_public)
                asked = shelf.asker.counting(
                    plan=read, query=query, is_broad=False, shelf_is_public=is_public, ids=finder.ids(own)
                )
                answer: Any = searcher.search(asked, 1)
                total += answer.count or 0
        return total

    def _hit(self, found: _Found, marker: Marker | None, query: Query) -> Hit:
        document = stored(found.searcher.doc(found.address))
        in_english = query.shown_in == "en"
        titles = [one for one in (document.title, document.title_en) if one]
        marked = [marker.mark(one) for one in titles] if marker is not None else []
        text = document.text_en if in_english and document.text_en else document.text
        width = WIDTH if any(one >= "㐀" for one in text[:40]) else LATIN_WIDTH
        return Hit(
            key=document.key,
            kind=document.kind,
            title=titles[-1 if in_english else 0] if titles else "",
            address=document.address,
            score=found.score,
            site=document.site,
            department=document.department,
            language=document.language,
            published_on=document.published_on,
            marked_title=marked[-1 if in_english else 0] if marked else (),
            snippet=marker.snippet(text, width=width) if marker is not None else (),
            is_named=any(piece.is_match for one in marked for piece in one),
        )

    def find(self, *, key: str, rights: frozenset[str]) -> Document | None:
        """Return what the index holds of a document, None when the rights do not reach it."""
        for shelf, searcher, _, _ in self._shelves(rights):
            hits = searcher.search(shelf.asker.of_key(key), 1, count=False).hits
            if hits:
                document = stored(searcher.doc(hits[0][1]))
                if rights & frozenset(document.rights):
                    return document
        return None

    def list_titles(self, *, kinds: Collection[Kind], limit: int) -> Iterator[Document]:
        """List public documents of these kinds."""
        searcher = self._public.searcher()
        for kind in kinds:
            for _, address in searcher.search(self._public.asker.of_kind(kind), limit, count=False).hits:
                yield stored(searcher.doc(address))

    def frequency(self, word: str) -> int:
        """Say how many public documents hold a word."""
        count: int = self._public.searcher().doc_freq("words", word)
        return count

    def public_mark(self) -> object:
        """Give what changes when public documents do."""
        return self._public.mark()

    def count(self, *, rights: frozenset[str]) -> int:
        """Count the documents within reach of these rights."""
        total = self._public.searcher().num_docs if PUBLIC in rights else 0
        own = sorted(rights - {PUBLIC})
        if own:
            asked = self._inner.asker.of_rights(own)
            answer: Any = self._inner.searcher().search(asked, 1)
            total += answer.count or 0
        return total

    def state(self) -> IndexState:
        """Say how the index stands."""
        return IndexState(
            generation=self.generation,
            recipe=self.recipe,
            public=self._public.searcher().num_docs,
            inner=self._inner.searcher().num_docs,
            bytes=self._public.bytes() + self._inner.bytes(),
        )

    def prove(self) -> None:
        """Read a little of everything. Raises IndexMissingError when a file is broken."""
        self._public.prove()
        self._inner.prove()

    def warm(self) -> int:
        """Read the files once, so that the first question does not wait for the disk. Returns bytes."""
        return self._public.warm() + self._inner.warm()

    def bytes(self) -> int:
        """Add up the files."""
        return self._public.bytes() + self._inner.bytes()

    # --- writing ----------------------------------------------------------------------------------------------------------

    def open_writer(self, *, threads: int = 1, cutters: int = 0, heap_bytes: int = 0) -> None:
        """Take the right to write. Raises `WriterBusyError`.

        With ``cutters`` that many processes cut the documents, for many at once; else this one does.
        ``heap_bytes``: memory of each thread; by itself 64 MB, with cutters 256 MB.
        """
        heap_bytes = heap_bytes or (BULK_HEAP_BYTES if cutters else HEAP_BYTES)
        self._public.open_writer(threads=threads, heap_bytes=heap_bytes)
        try:
            self._inner.open_writer()
        except BaseException:
            self._public.close()
            raise
        if cutters and self._cutters is None:
            self._cutters = Cutters(self.analysis, cutters)

    def add(self, documents: Iterable[Document], *, fresh: bool = False) -> int:
        """Take documents in, in place of those with the same keys. ``fresh``:

        in an index that has none of them.
        """
        self.open_writer()
        rows = (
            self._cutters.rows(documents) if self._cutters is not None else (cut(d, self.analysis) for d in documents)
        )
        count = 0
        for row in rows:
            own, other = (self._public, self._inner) if row.is_public else (self._inner, self._public)
            if not fresh:  # what changes its rights changes its shelf
                other.remove((row.key,))
            own.replace(row, fresh=fresh)
            count += 1
        return count

    def remove(self, keys: Iterable[str]) -> None:
        """Take documents out."""
        self.open_writer()
        gone = list(keys)
        self._public.remove(gone)
        self._inner.remove(gone)

    def commit(self) -> None:
        """Make changes durable.

        What gets hidden leaves the public shelf no later than it is found inside.
        """
        self.open_writer()
        try:
            self._public.commit()
            self._inner.commit()
        except BaseException:
            self.close()
            raise

    def finish_merges(self) -> None:
        """Wait for merges and let the writer go."""
        self._end_cutters()
        self._public.finish_merges()
        self._inner.finish_merges()

    def close(self) -> None:
        """Let the writer go without what it has not committed."""
        self._end_cutters()
        self._public.close()
        self._inner.close()

    def _end_cutters(self) -> None:
        cutters, self._cutters = self._cutters, None
        if cutters is not None:
            cutters.close()


def about(count: int) -> int:
    """Round an estimate to two digits, so that it reads as what it is."""
    digits = int(10 ** max(0, len(str(count)) - 2))
    return (count + digits // 2) // digits * digits


def open_engine(
    path: Path, *, analysis: Analysis | None = None, thesaurus: Thesaurus | None = None, write: bool = False
) -> TantivyEngine:
    """Open the index in a folder; with ``write`` it is made when it is not there.

    Raises `IndexMissingError` when there is none that can be read.
    """
    return TantivyEngine(path, analysis=analysis or Analysis(), thesaurus=thesaurus, create=write)
