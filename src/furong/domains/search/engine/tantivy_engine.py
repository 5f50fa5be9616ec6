"""The engine: a public shelf and an inner one, asked as one.

A question of somebody without rights opens the public shelf only. So nothing hidden is weighed, counted, cut or timed: even the
weight of a word (how many documents hold it) is that of public documents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tantivy

from furong.domains.search.analysis.cutting import Analysis
from furong.domains.search.engine.marking import mark, snippet
from furong.domains.search.engine.schema import NO_DAY, VERSION, day_number, stored
from furong.domains.search.engine.shelf import Shelf
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
_FEW = 10
_FACET_SIZE = 30
_NARROWING = {
    "kind": "kinds",
    "site": "sites",
    "department": "departments",
    "audience": "audiences",
    "language": "languages",
}


@dataclass(frozen=True, slots=True)
class _Found:
    score: float
    order: int
    searcher: tantivy.Searcher  # an address holds in the state that it was found in
    address: tantivy.DocAddress


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
        self._public = Shelf(path / PUBLIC_SHELF, analysis=analysis, create=create)
        self._inner = Shelf(path / INNER_SHELF, analysis=analysis, create=create)

    @property
    def recipe(self) -> str:
        """How texts are analysed and fields laid out."""
        return recipe_of(VERSION, self.analysis.recipe)

    # --- reading ----------------------------------------------------------------------------------------------------------

    def plan(self, text: str) -> Plan:
        """This function will read a question as this engine does."""
        return plan(text=text, analysis=self.analysis, thesaurus=self.thesaurus)

    def search(self, query: Query) -> Page:
        """This function will find a page of documents; an empty page for a question without words."""
        return self.search_plan(self.plan(query.text), query)

    def search_plan(self, read: Plan, query: Query) -> Page:
        """This function will find a page of documents for a question that was read before."""
        if read.is_empty:
            return Page()
        size = min(max(query.size, 1), MAX_PAGE_SIZE)
        first = min(max(query.first, 0), MAX_FIRST)
        shelves = self._shelves(query.rights)
        whole = self._count(shelves, read, query, is_broad=False)
        # Few hold enough of it: then what holds some of it, however the segmenter cut it, counts too.
        broad = whole < _FEW
        total = self._count(shelves, read, query, is_broad=True) if broad else whole
        found = self._best(shelves, read, query, min(first + size, total)) if total else []
        facets = self._facets(shelves, read, query, broad) if query.with_facets else {}
        terms = read.terms
        hits = [self._hit(one, terms, query.with_snippets) for one in found[first : first + size]]
        return Page(hits=tuple(hits), total=total, whole=whole, facets=facets, is_broad=broad)

    def _shelves(self, rights: frozenset[str]) -> list[tuple[Shelf, tantivy.Searcher]]:
        shelves = [self._public] if PUBLIC in rights else []
        if rights - {PUBLIC}:
            shelves.append(self._inner)
        return [(shelf, shelf.searcher()) for shelf in shelves]

    def _count(self, shelves: list[tuple[Shelf, tantivy.Searcher]], read: Plan, query: Query, *, is_broad: bool) -> int:
        total = 0
        for shelf, searcher in shelves:
            asked = shelf.asker.counting(
                plan=read, query=query, is_broad=is_broad, shelf_is_public=shelf is self._public
            )
            answer: Any = searcher.search(asked, 1)
            total += answer.count or 0
        return total

    def _best(
        self, shelves: list[tuple[Shelf, tantivy.Searcher]], read: Plan, query: Query, needed: int
    ) -> list[_Found]:
        found: list[_Found] = []
        today = day_number(query.today)
        for shelf, searcher in shelves:
            built = shelf.asker.ranking(plan=read, query=query, shelf_is_public=shelf is self._public)
            hits = searcher.search(built, max(needed, _WINDOW), count=False).hits
            addresses = [address for _, address in hits]
            boosts = searcher.fast_field_values("boost", addresses)
            days = searcher.fast_field_values("day", addresses)
            fades = searcher.fast_field_values("fades", addresses)
            for order, ((score, address), boost, day, half) in enumerate(zip(hits, boosts, days, fades, strict=True)):
                weighed = score * (boost or 1.0)
                if half and day is not None and day != NO_DAY:
                    weighed *= OLDEST + (1 - OLDEST) * 0.5 ** (max(today - day, 0) / half)
                found.append(_Found(weighed, order, searcher, address))
        # Only the window is weighed anew; what follows it keeps its place, so that leafing through never repeats a document.
        ahead = sorted((one for one in found if one.order < _WINDOW), key=lambda one: -one.score)
        rest = sorted((one for one in found if one.order >= _WINDOW), key=lambda one: one.order)
        return (ahead + rest)[:needed]

    def _facets(
        self, shelves: list[tuple[Shelf, tantivy.Searcher]], read: Plan, query: Query, broad: bool
    ) -> dict[str, tuple[FacetValue, ...]]:
        narrowed = {name for name, field in _NARROWING.items() if getattr(query, field)}
        narrowed |= {"year"} if query.years else set()
        counted: dict[str, dict[str, int]] = {name: {} for name in FACETS}
        # A facet that narrows also shows what its other values would give.
        for names, without in [
            ([name for name in FACETS if name not in narrowed], ""),
            *(([n], n) for n in sorted(narrowed)),
        ]:
            if not names:
                continue
            for shelf, searcher in shelves:
                built = shelf.asker.counting(
                    plan=read, query=query, is_broad=broad, shelf_is_public=shelf is self._public, without=without
                )
                result: dict[str, Any] = searcher.aggregate(
                    built, {name: {"terms": {"field": name, "size": _FACET_SIZE}} for name in names}
                )
                for name in names:
                    for bucket in result[name]["buckets"]:
                        value = str(int(bucket["key"])) if name == "year" else str(bucket["key"])
                        counted[name][value] = counted[name].get(value, 0) + int(bucket["doc_count"])
        return {
            name: tuple(
                FacetValue(value=value, count=count)
                for value, count in sorted(values.items(), key=lambda one: (-one[1], one[0]))
            )
            for name, values in counted.items()
        }

    def _hit(self, found: _Found, terms: frozenset[str], with_snippet: bool) -> Hit:
        document = stored(found.searcher.doc(found.address))
        return Hit(
            key=document.key,
            kind=document.kind,
            title=document.title,
            address=document.address,
            score=found.score,
            site=document.site,
            department=document.department,
            language=document.language,
            published_on=document.published_on,
            marked_title=mark(document.title, terms) if with_snippet else (),
            snippet=snippet(document.text, terms) if with_snippet else (),
        )

    def find(self, *, key: str, rights: frozenset[str]) -> Document | None:
        """This function will return what the index holds of a document, None when the rights do not reach it."""
        for shelf, searcher in self._shelves(rights):
            hits = searcher.search(shelf.asker.of_key(key), 1, count=False).hits
            if hits:
                document = stored(searcher.doc(hits[0][1]))
                if rights & frozenset(document.rights):
                    return document
        return None

    def list_titles(self, *, kinds: Collection[Kind], limit: int) -> Iterator[Document]:
        """This function will list public documents of these kinds."""
        searcher = self._public.searcher()
        for kind in kinds:
            for _, address in searcher.search(self._public.asker.of_kind(kind), limit, count=False).hits:
                yield stored(searcher.doc(address))

    def frequency(self, word: str) -> int:
        """This function will say how many public documents hold a word."""
        count: int = self._public.searcher().doc_freq("words", word)
        return count

    def public_mark(self) -> object:
        """This function will give what changes when public documents do."""
        return self._public.mark()

    def count(self, *, rights: frozenset[str]) -> int:
        """This function will count the documents within reach of these rights."""
        total = self._public.searcher().num_docs if PUBLIC in rights else 0
        own = sorted(rights - {PUBLIC})
        if own:
            asked = self._inner.asker.of_rights(own)
            answer: Any = self._inner.searcher().search(asked, 1)
            total += answer.count or 0
        return total

    def state(self) -> IndexState:
        """This function will say how the index stands."""
        return IndexState(
            generation=self.generation,
            recipe=self.recipe,
            public=self._public.searcher().num_docs,
            inner=self._inner.searcher().num_docs,
            bytes=self._public.bytes() + self._inner.bytes(),
        )

    def prove(self) -> None:
        """This function will read a little of everything. Raises IndexMissingError when a file is broken."""
        self._public.prove()
        self._inner.prove()

    def warm(self) -> int:
        """This function will read the files once, so that the first question does not wait for the disk. Returns bytes."""
        return self._public.warm() + self._inner.warm()

    def bytes(self) -> int:
        """This function will add up the files."""
        return self._public.bytes() + self._inner.bytes()

    # --- writing ----------------------------------------------------------------------------------------------------------

    def open_writer(self, *, threads: int = 1) -> None:
        """This function will take the right to write. Raises `WriterBusyError`."""
        self._public.open_writer(threads=threads)
        try:
            self._inner.open_writer()
        except BaseException:
            self._public.close()
            raise

    def add(self, documents: Iterable[Document], *, fresh: bool = False) -> int:
        """This function will take documents in, in place of those with the same keys. ``fresh``:

        in an index that has none of them.
        """
        self.open_writer()
        count = 0
        for some in batched_documents(documents, 500):
            public = [one for one in some if one.is_public]
            inner = [one for one in some if not one.is_public]
            if not fresh:  # what changes its rights changes its shelf
                self._inner.remove(one.key for one in public)
                self._public.remove(one.key for one in inner)
            count += self._public.replace(public, fresh=fresh) + self._inner.replace(inner, fresh=fresh)
        return count

    def remove(self, keys: Iterable[str]) -> None:
        """This function will take documents out."""
        self.open_writer()
        gone = list(keys)
        self._public.remove(gone)
        self._inner.remove(gone)

    def commit(self) -> None:
        """This function will make changes durable.

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
        """This function will wait for merges and let the writer go."""
        self._public.finish_merges()
        self._inner.finish_merges()

    def close(self) -> None:
        """This function will let the writer go without what it has not committed."""
        self._public.close()
        self._inner.close()


def batched_documents(documents: Iterable[Document], size: int) -> Iterator[list[Document]]:
    """This function will give documents in lists of at most ``size``."""
    some: list[Document] = []
    for document in documents:
        some.append(document)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


def open_engine(
    path: Path, *, analysis: Analysis | None = None, thesaurus: Thesaurus | None = None, write: bool = False
) -> TantivyEngine:
    """This function will open the index in a folder; with ``write`` it is made when it is not there.

    Raises `IndexMissingError` when there is none that can be read.
    """
    return TantivyEngine(path, analysis=analysis or Analysis(), thesaurus=thesaurus, create=write)
