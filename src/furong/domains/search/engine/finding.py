"""The best of one shelf, without reading the list of every word from end to end.

The engine underneath weighs each document that holds any of the words, and common words stand in millions. So where that
would be much, cheap questions find those that can be among the best (titles, texts that hold everything, texts that hold
what is rare), and only these are ranked, to the same scores.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import tantivy

from furong.domains.search.engine.asking import Asker, pairs_of
from furong.domains.search.planning import Group, Plan
from furong.domains.search.values import Query

DIRECT = 60_000  # postings: up to here everything that speaks is read
MOST = 400_000  # documents that a cheap question reads at most, where it can choose

Scored = tuple[float, tantivy.DocAddress]


@dataclass(slots=True)
class Finder:
    """One question to one shelf, in one state of it. ``frequencies`` are kept as long as the state is."""

    asker: Asker
    searcher: tantivy.Searcher
    frequencies: dict[tuple[str, str], int]
    plan: Plan
    query: Query
    is_public: bool

    def best(self, limit: int) -> Sequence[Scored]:
        """Give the best by words, the best first, and how well they fit."""
        if self._cost() <= DIRECT:
            return self._searched(self.asker.ranking(**self._asked), limit).hits  # type: ignore[no-any-return]
        ids = self._candidates(limit)
        if not ids:
            return []
        return self._searched(self.asker.ranking_of(ids=ids, **self._asked), limit).hits  # type: ignore[no-any-return]

    def ids(self, addresses: Sequence[tantivy.DocAddress]) -> set[int]:
        """Give the numbers of documents."""
        return {one for one in self.searcher.fast_field_values("id", list(addresses)) if isinstance(one, int)}

    @property
    def _asked(self) -> dict[str, Any]:
        return {"plan": self.plan, "query": self.query, "shelf_is_public": self.is_public}

    def _searched(self, asked: tantivy.Query, limit: int) -> Any:
        return self.searcher.search(asked, limit, count=False)

    # --- how much it would be ---------------------------------------------------------------------------------------------

    def _frequency(self, field: str, word: str) -> int:
        kept = self.frequencies.get((field, word))
        if kept is None:
            if len(self.frequencies) > 50_000:
                self.frequencies.clear()
            kept = self.frequencies[field, word] = self.searcher.doc_freq(field, word)
        return kept

    def _size(self, group: Group) -> int:
        """How many documents hold what was said, at most."""
        return sum(min(self._frequency("words", word) for word in way.words) for way in group.ways)

    def _cost(self) -> int:
        if self.searcher.num_docs <= DIRECT // 4:
            return 0
        words = sum(
            self._frequency("words", word) for group in self.plan.groups for way in group.ways for word in way.words
        )
        return words + sum(
            self._frequency(field, pair) for pair in pairs_of(self.plan) for field in ("title_pairs", "pairs")
        )

    def counting_cost(self, needed: int) -> int:
        """Say about how many documents a count would step over."""
        sizes = sorted(self._size(group) for group in self.plan.groups)
        if needed <= 1:
            return sum(sizes)
        return sizes[0] if needed == len(sizes) else sum(size * (len(sizes) - 1 - at) for at, size in enumerate(sizes))

    # --- those worth ranking ----------------------------------------------------------------------------------------------

    def _candidates(self, limit: int) -> Collection[int]:
        each = limit + limit // 5
        addresses: list[tantivy.DocAddress] = []

        def ask(asked: tantivy.Query) -> int:
            # Not counted: then the engine may pass over what cannot be among the best.
            found = self._searched(asked, each).hits
            addresses.extend(address for _, address in found)
            return len(found)

        titled = self.asker.titled(pairs=self._rare_pairs("title_pairs"), **self._asked)
        in_titles = ask(titled) if titled is not None else 0
        groups = sorted(self.plan.groups, key=self._size)
        if groups and (len(groups) > 1 or in_titles < each or self._size(groups[0]) <= MOST):
            whole = ask(self._holding(groups, every=True))
            if whole < each and len(groups) > 1:
                ask(self._holding(self._rare(groups), every=False))
        if len(addresses) < each:
            pairs = self._rare_pairs("pairs")
            if pairs:
                ask(self.asker.paired(pairs=pairs, **self._asked))
            if self.plan.exact:
                ask(self.asker.held(**self._asked))
        return self.ids(addresses)

    def _holding(self, groups: Sequence[Group], *, every: bool) -> tantivy.Query:
        """Ask for what holds these, of the sample only where even the rarest is in too many documents to read."""
        return self.asker.holding(groups=groups, every=every, is_sampled=self._size(groups[0]) > MOST, **self._asked)

    def _rare(self, groups: Sequence[Group]) -> Sequence[Group]:
        """The rarest of what was said: one thing at least, and no more documents than may be read."""
        total = 0
        for count, group in enumerate(groups):
            total += self._size(group)
            if total > MOST and count:
                return groups[:count]
        return groups

    def _rare_pairs(self, field: str) -> list[str]:
        """The rarest pairs of characters of what was said, likewise."""
        total = 0
        found: list[str] = []
        for pair in sorted(dict.fromkeys(pairs_of(self.plan)), key=lambda one: self._frequency(field, one)):
            total += self._frequency(field, pair)
            if total > MOST and found:
                break
            found.append(pair)
        return found
