"""From a plan to a query of tantivy. Query objects only: nothing that somebody typed is parsed as a query language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import combinations, product
from math import prod

import tantivy
from tantivy import FieldType, Occur
from tantivy import Query as Tantivy

from furong.domains.search.analysis.cutting import BREAK
from furong.domains.search.engine.schema import day_number
from furong.domains.search.planning import Group, Plan
from furong.domains.search.values import Query

# Found by trying, on the questions of `packs/hunan/search/judged` that are there to be tuned on (docs/reference/search.md).
WORD, TITLE_PAIR, PAIR, TITLE_PHRASE, WHOLE = 1.4, 1.0, 0.5, 2.0, 2.0
NUMBER, PLACE = 12.0, 1.5
_LATEST = date(9999, 1, 1)
_FEW_GROUPS, _MOST_WAYS = 4, 12


class Asker:
    """Builds queries for one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self._schema = schema

    # --- what ranks -------------------------------------------------------------------------------------------------------

    def ranking(self, *, plan: Plan, query: Query, shelf_is_public: bool) -> Tantivy:
        """Give the query that ranks: everything that speaks for a document adds up, nothing has to be there.

        Rare words and pairs of characters weigh more than common ones (BM25), so that what was meant comes up however it was
        cut, and words that say little say little. Reads every posting of every word: for small indexes.
        """
        speaks = self._speaks(plan)
        ranked = _any_of(speaks) if speaks else Tantivy.all_query()
        clauses = [(Occur.Must, ranked), *self._held_to(plan, query, shelf_is_public, "")]
        clauses += [(Occur.Should, near) for near in self._near(query)]
        return ranked if len(clauses) == 1 else Tantivy.boolean_query(clauses)

    def ranking_of(self, *, ids: Collection[int], plan: Plan, query: Query, shelf_is_public: bool) -> Tantivy:
        """Give the query that ranks these documents only, to the same scores.

        Each thing that speaks is looked up where a document is, one after another: a union would read around each document.
        """
        # Not a set of terms: that reads the whole dictionary of a column of numbers.
        these = _quiet(self._any("id", sorted(ids)))
        held = self._held_to(plan, query, shelf_is_public, "")
        ranked = Tantivy.boolean_query([(Occur.Must, these), *held]) if held else these
        for one in [*self._speaks(plan, among=these), *self._near(query)]:
            ranked = Tantivy.boolean_query([(Occur.Must, ranked), (Occur.Should, one)])
        return ranked

    def _speaks(self, plan: Plan, *, among: Tantivy | None = None) -> list[Tantivy]:
        speaks = [self._group(group, WORD) for group in plan.groups]
        speaks += self._in_titles(plan, list(pairs_of(plan)))
        speaks += [Tantivy.boost_query(self._term("pairs", pair, "freq"), PAIR) for pair in pairs_of(plan)]
        speaks += self._numbers(plan)
        if len(plan.groups) > 1:
            said = [(Occur.Must, self._group(group, 1.0, "basic")) for group in plan.groups]
            if among is not None:  # or the next document that holds everything would be looked for, however far
                said.insert(0, (Occur.Must, among))
            speaks.append(Tantivy.const_score_query(Tantivy.boolean_query(said), WHOLE))
        return speaks

    def _in_titles(self, plan: Plan, pairs: Iterable[str]) -> list[Tantivy]:
        speaks = [Tantivy.boost_query(self._term("title_pairs", pair, "freq"), TITLE_PAIR) for pair in pairs]
        together = [self._adjacent("title_pairs", phrase) for phrase in plan.phrases if len(phrase) > 1]
        return [*speaks, *(Tantivy.boost_query(one, TITLE_PHRASE) for one in together)]

    def _near(self, query: Query) -> list[Tantivy]:
        return [
            Tantivy.const_score_query(self._term("divisions", place), PLACE / (order + 1))
            for order, place in enumerate(query.places)
        ]

    # --- what finds those worth ranking -----------------------------------------------------------------------------------

    def titled(self, *, pairs: Iterable[str], plan: Plan, query: Query, shelf_is_public: bool) -> Tantivy | None:
        """Ask for what speaks in its title, by any of ``pairs`` or all that was said, or by a number; None for nothing.

        Weighed as ranking weighs that. Titles are short: their lists are a fiftieth of the texts'.
        """
        speaks = [*self._in_titles(plan, pairs), *self._numbers(plan)]
        return self._found(_any_of(speaks), plan, query, shelf_is_public) if speaks else None

    def holding(
        self, *, groups: Sequence[Group], every: bool, is_sampled: bool, plan: Plan, query: Query, shelf_is_public: bool
    ) -> Tantivy:
        """Ask for what holds all of these things that were said, or any of them, weighed by its words.

        ``is_sampled``: of the sample only, where more hold them than can be told apart.
        """
        if every:
            asked = self._together(groups, WORD, "freq", is_sampled=is_sampled)
        else:
            asked = _any_of([self._together([group], WORD, "freq", is_sampled=is_sampled) for group in groups])
        return self._found(asked, plan, query, shelf_is_public)

    def paired(self, *, pairs: Iterable[str], plan: Plan, query: Query, shelf_is_public: bool) -> Tantivy:
        """Ask for what holds any of these pairs of characters, however the segmenter cut it."""
        return self._found(_any_of([self._term("pairs", pair, "freq") for pair in pairs]), plan, query, shelf_is_public)

    def held(self, *, plan: Plan, query: Query, shelf_is_public: bool) -> Tantivy:
        """Ask for everything that exact phrases and narrowing leave."""
        return self._found(Tantivy.all_query(), plan, query, shelf_is_public)

    def _found(self, asked: Tantivy, plan: Plan, query: Query, shelf_is_public: bool) -> Tantivy:
        held = self._held_to(plan, query, shelf_is_public, "")
        return Tantivy.boolean_query([(Occur.Must, asked), *held]) if held else asked

    # --- what counts ------------------------------------------------------------------------------------------------------

    def counting(
        self,
        *,
        plan: Plan,
        query: Query,
        is_broad: bool,
        shelf_is_public: bool,
        however_cut: bool = True,
        without: str = "",
        ids: Collection[int] = (),
        is_sampled: bool = False,
    ) -> Tantivy:
        """Give the query that counts: what holds enough of what was said, or with ``is_broad`` any of it.

        ``however_cut``: then also what holds only a pair of its characters. ``without`` leaves one facet's own narrowing out,
        to count what its other values would give. ``ids``: only of these; ``is_sampled``: only of the sample.
        """
        ways: list[Tantivy] = []
        if plan.groups:
            ways.append(self._enough(plan.groups, 1 if is_broad else needed_of(len(plan.groups)), is_sampled))
        if is_broad and however_cut:
            han = [pair for pair in pairs_of(plan) if len(pair) == 2 and pair[0] >= "㐀"]
            ways += [self._term(field, pair) for pair in han for field in ("title_pairs", "pairs")]
        sample = [self._term("sample", "1")] if is_sampled else []
        ways += [_all_of([*sample, one]) for one in self._numbers(plan)]
        if not ways:  # an exact phrase alone
            ways = [Tantivy.all_query()]
        clauses = [(Occur.Must, _any_of(ways)), *self._held_to(plan, query, shelf_is_public, without)]
        if ids:
            clauses.append((Occur.Must, self._any("id", sorted(ids))))
        return clauses[0][1] if len(clauses) == 1 else Tantivy.boolean_query(clauses)

    def _enough(self, groups: Sequence[Group], needed: int, is_sampled: bool) -> Tantivy:
        if needed == len(groups):
            return self._together(groups, is_sampled=is_sampled)
        if needed == 1 or (needed == 2 and len(groups) <= _FEW_GROUPS):
            # Two lists at a time, each led by its shorter: far fewer steps.
            return _any_of([self._together(some, is_sampled=is_sampled) for some in combinations(groups, needed)])
        each = [(Occur.Should, self._together([group], is_sampled=is_sampled)) for group in groups]
        return Tantivy.boolean_query(each, minimum_number_should_match=needed)

    def _together(
        self, groups: Sequence[Group], boost: float = 1.0, option: str = "basic", *, is_sampled: bool = False
    ) -> Tantivy:
        """Ask for what holds all of these; of the sample if so asked, whose list then leads wherever it is the shortest.

        One way of saying each at a time, as long as those are few: a list of documents is skipped through, and a union of lists
        is read around each place.
        """
        first = [self._term("sample", "1")] if is_sampled else []
        if prod(len(group.ways) for group in groups) > _MOST_WAYS:
            return _all_of([*map(_quiet, first), *(self._group(group, boost, option) for group in groups)])
        return _any_of(
            [
                _all_of([*map(_quiet, first), *(self._way(way.words, way.weight * boost, option) for way in ways)])
                for ways in product(*(group.ways for group in groups))
            ]
        )

    # --- what must hold ---------------------------------------------------------------------------------------------------

    def _held_to(self, plan: Plan, query: Query, shelf_is_public: bool, without: str) -> list[tuple[Occur, Tantivy]]:
        """What must hold whatever ranks: exact phrases, narrowing, rights, and nothing that was hidden meanwhile."""
        clauses = [(Occur.Must, _quiet(self._phrase("pairs", "title_pairs", one))) for one in plan.exact]
        clauses += self._narrowed(query, without)
        if not shelf_is_public:
            clauses.append((Occur.Must, _quiet(self._any("rights", sorted(query.rights)))))
        if query.hidden:
            clauses.append((Occur.MustNot, self._any("key", sorted(query.hidden))))
        return clauses

    def of_kind(self, kind: str) -> Tantivy:
        """Ask for all documents of a kind."""
        return self._term("kind", kind)

    def of_key(self, key: str) -> Tantivy:
        """Ask for the document of a key."""
        return self._term("key", key)

    def of_rights(self, rights: Iterable[str]) -> Tantivy:
        """Ask for all documents that one of these rights reaches."""
        return self._any("rights", rights)

    # --- parts ------------------------------------------------------------------------------------------------------------

    def _numbers(self, plan: Plan) -> list[Tantivy]:
        return [Tantivy.const_score_query(self._term("numbers", token), NUMBER * says) for token, says in plan.numbers]

    def _group(self, group: Group, boost: float, option: str = "freq") -> Tantivy:
        ways = [self._way(way.words, way.weight * boost, option) for way in group.ways]
        # The best way counts: a text that says it twice in other words is not twice as good.
        return ways[0] if len(ways) == 1 else Tantivy.disjunction_max_query(ways, tie_breaker=0.1)

    def _way(self, words: tuple[str, ...], weight: float, option: str) -> Tantivy:
        one = _all_of([self._term("words", word, option) for word in words])
        return one if weight == 1.0 else Tantivy.boost_query(one, weight)

    def _phrase(self, body: str, title: str, phrase: tuple[str, ...]) -> Tantivy:
        return _any_of([self._adjacent(name, phrase) for name in (body, title)])

    def _adjacent(self, field: str, phrase: tuple[str, ...]) -> Tantivy:
        if len(phrase) == 1:
            return self._term(field, phrase[0], "freq")
        placed: list[str | tuple[int, str]] = [(place, pair) for place, pair in enumerate(phrase) if pair != BREAK]
        return Tantivy.phrase_query(self._schema, field, placed)

    def _narrowed(self, query: Query, without: str) -> list[tuple[Occur, Tantivy]]:
        clauses: list[tuple[Occur, Tantivy]] = []
        for name, values in (
            ("kind", query.kinds),
            ("site", query.sites),
            ("department", query.departments),
            ("audience", query.audiences),
            ("language", query.languages),
            ("year", query.years),
        ):
            if values and name != without:
                clauses.append((Occur.Must, _quiet(self._any(name, values))))
        if query.not_kinds:
            clauses.append((Occur.MustNot, self._any("kind", query.not_kinds)))
        if query.since is not None or query.until is not None:
            first = day_number(query.since) if query.since is not None else 0
            last = day_number(query.until if query.until is not None else _LATEST) - 1
            clauses.append((Occur.Must, _quiet(self._between("day", first, last))))
        return clauses

    def _between(self, field: str, first: int, last: int) -> Tantivy:
        return Tantivy.range_query(self._schema, field, FieldType.Integer, first, last)

    def _any(self, field: str, values: Iterable[str | int]) -> Tantivy:
        return _any_of([self._term(field, value) for value in values])

    def _term(self, field: str, value: str | int, option: str = "basic") -> Tantivy:
        return Tantivy.term_query(self._schema, field, value, option)


def pairs_of(plan: Plan) -> Iterator[str]:
    """Give the pairs of characters, and the words of letters, that a plan looks for."""
    for phrase in plan.phrases:
        for pair in phrase:
            if pair[0].isalnum():
                yield pair


def needed_of(groups: int) -> int:
    """Say how many of the things said must be found: all of two, about half of more."""
    return groups if groups <= 2 else max(2, (groups + 1) // 2)


def _all_of(parts: Sequence[Tantivy]) -> Tantivy:
    return parts[0] if len(parts) == 1 else Tantivy.boolean_query([(Occur.Must, part) for part in parts])


def _any_of(ways: Sequence[Tantivy]) -> Tantivy:
    return ways[0] if len(ways) == 1 else Tantivy.boolean_query([(Occur.Should, way) for way in ways])


def _quiet(query: Tantivy) -> Tantivy:
    """What narrows says nothing about how good a document is."""
    return Tantivy.const_score_query(query, 0.0)
