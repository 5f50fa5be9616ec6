"""What the rest of the house asks of a search engine. `furong.domains.search.engine` is ours on tantivy;

a cluster takes its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from furong.domains.search.values import Document, IndexState, Kind, Page, Query


class SearchReader(Protocol):
    """What a web worker needs."""

    def search(self, query: Query) -> Page:
        """Find a page of documents. Never raises for what somebody typed."""
        ...

    def find(self, *, key: str, rights: frozenset[str]) -> Document | None:
        """Return what the index holds of a document (its text may be cut short), None when
        it must not show.
        """
        ...

    def list_titles(self, *, kinds: Collection[Kind], limit: int) -> Iterator[Document]:
        """List public documents with their names, without texts: what suggestions are made of."""
        ...

    def frequency(self, word: str) -> int:
        """Say how many public documents hold a word. Hidden documents count nowhere."""
        ...

    def count(self, *, rights: frozenset[str]) -> int:
        """Count the documents that somebody may find."""
        ...

    def state(self) -> IndexState:
        """Say how the index stands."""
        ...


class SearchWriter(Protocol):
    """What the one writer needs. Nothing is found before `commit`; what was not committed is gone after a crash."""

    def add(self, documents: Iterable[Document]) -> int:
        """Take documents in, in place of those with the same keys, and count them."""
        ...

    def remove(self, keys: Iterable[str]) -> None:
        """Take documents out. Unknown keys are fine."""
        ...

    def commit(self) -> None:
        """Make what was added and removed durable and findable. Raises `IndexWriteError`."""
        ...

    def close(self) -> None:
        """Let go of the index, without what was not committed."""
        ...


class SearchEngine(SearchReader, SearchWriter, Protocol):
    """Both in one: for evaluation, benchmarks and tests."""
