"""From a plan to a query of tantivy. Query objects only: nothing that somebody typed is parsed as a query language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import tantivy
from tantivy import FieldType, Occur
from tantivy import Query as Tantivy

from furong.domains.search.engine.schema import day_number
from furong.domains.search.planning import Group, Plan
from furong.domains.search.values import Query

# Found by trying, on the questions of `packs/hunan/search/judged` that are there to be tuned on (docs/reference/search.md).
WORD, TITLE_PAIR, PAIR, TITLE_PHRASE, WHOLE = 1.4, 1.0, 0.5, 2.0, 2.0
NUMBER, PLACE = 12.0, 1.5
_LATEST = date(9999, 1, 1)


class Asker:
    """Builds queries for one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self._schema = schema

    def ranking(self, *, plan: Plan, query: Query, shelf_is_public: bool) -> Tantivy:
        """This function will give the query that ranks: everything that speaks for a document adds up, nothing has to be there.

        Rare words and pairs of characters weigh more than common ones (BM25), so that what was meant comes up however it was
        cut, and words that say little say little.
        """
        speaks = [self._group("words", group, WORD) for group in plan.groups]
        for phrase in plan.phrases:
            for pair in phrase:
                if pair[0].isalnum():
                    speaks.append(Tantivy.boost_query(self._term("title_pairs", pair, "freq"), TITLE_PAIR))
                    speaks.append(Tantivy.boost_query(self._term("pairs", pair, "freq"), PAIR))
            if len(phrase) > 1:
                speaks.append(Tantivy.boost_query(self._together("title_pairs", phrase), TITLE_PHRASE))
        speaks += self._numbers(plan)
        if len(plan.groups) > 1:
            whole = Tantivy.boolean_query([(Occur.Must, self._group("words", group, 1.0)) for group in plan.groups])
            speaks.append(Tantivy.const_score_query(whole, WHOLE))
        ranked = Tantivy.boolean_query([(Occur.Should, one) for one in speaks]) if speaks else Tantivy.all_query()
        clauses = [(Occur.Must, ranked), *self._held_to(plan, query, shelf_is_public, "")]
        for order, place in enumerate(query.places):
            near = Tantivy.const_score_query(self._term("divisions", place), PLACE / (order + 1))
            clauses.append((Occur.Should, near))
        return ranked if len(clauses) == 1 else Tantivy.boolean_query(clauses)

    def counting(
        self, *, plan: Plan, query: Query, is_broad: bool, shelf_is_public: bool, without: str = ""
    ) -> Tantivy:
        """This function will give the query that counts: what holds enough of what was said, or with ``is_broad`` any of it.

        ``without`` leaves one facet's own narrowing out, to count what its other values would give.
        """
        ways: list[Tantivy] = []
        if plan.groups:
            groups = [(Occur.Should, self._group("words", group, 1.0)) for group in plan.groups]
            needed = 1 if is_broad else needed_of(len(groups))
            ways.append(
                groups[0][1] if len(groups) == 1 else Tantivy.boolean_query(groups, minimum_number_should_match=needed)
            )
        if is_broad:
            for phrase in plan.phrases:
                han = [pair for pair in phrase if len(pair) == 2 and pair[0] >= "㐀"]
                ways += [self._term(field, pair, "freq") for pair in han for field in ("title_pairs", "pairs")]
        ways += self._numbers(plan)
        if not ways:  # an exact phrase alone
            ways = [Tantivy.all_query()]
        counted = ways[0] if len(ways) == 1 else Tantivy.boolean_query([(Occur.Should, way) for way in ways])
        clauses = [(Occur.Must, counted), *self._held_to(plan, query, shelf_is_public, without)]
        return counted if len(clauses) == 1 else Tantivy.boolean_query(clauses)

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
        """This function will ask for all documents of a kind."""
        return self._term("kind", kind)

    def of_key(self, key: str) -> Tantivy:
        """This function will ask for the document of a key."""
        return self._term("key", key)

    def of_rights(self, rights: Iterable[str]) -> Tantivy:
        """This function will ask for all documents that one of these rights reaches."""
        return self._any("rights", rights)

    # --- what ranks -------------------------------------------------------------------------------------------------------

    def _numbers(self, plan: Plan) -> list[Tantivy]:
        return [Tantivy.const_score_query(self._term("numbers", token), NUMBER * says) for token, says in plan.numbers]

    def _group(self, field: str, group: Group, boost: float) -> Tantivy:
        ways = [self._way(field, way.words, way.weight * boost) for way in group.ways]
        # The best way counts: a text that says it twice in other words is not twice as good.
        return ways[0] if len(ways) == 1 else Tantivy.disjunction_max_query(ways, tie_breaker=0.1)

    def _way(self, field: str, words: tuple[str, ...], weight: float) -> Tantivy:
        terms = [self._term(field, word, "freq") for word in words]
        one = terms[0] if len(terms) == 1 else Tantivy.boolean_query([(Occur.Must, term) for term in terms])
        return one if weight == 1.0 else Tantivy.boost_query(one, weight)

    def _phrase(self, body: str, title: str, phrase: tuple[str, ...]) -> Tantivy:
        return Tantivy.boolean_query([(Occur.Should, self._together(name, phrase)) for name in (body, title)])

    def _together(self, field: str, phrase: tuple[str, ...]) -> Tantivy:
        if len(phrase) == 1:
            return self._term(field, phrase[0], "freq")
        return Tantivy.phrase_query(self._schema, field, list(phrase))

    # --- what narrows -----------------------------------------------------------------------------------------------------

    def _narrowed(self, query: Query, without: str) -> list[tuple[Occur, Tantivy]]:
        clauses: list[tuple[Occur, Tantivy]] = []
        for name, values in (
            ("kind", query.kinds),
            ("site", query.sites),
            ("department", query.departments),
            ("audience", query.audiences),
            ("language", query.languages),
        ):
            if values and name != without:
                clauses.append((Occur.Must, _quiet(self._any(name, values))))
        if query.years and without != "year":
            years = [(Occur.Should, self._between("year", year, year)) for year in query.years]
            clauses.append((Occur.Must, _quiet(Tantivy.boolean_query(years))))
        if query.not_kinds:
            clauses.append((Occur.MustNot, self._any("kind", query.not_kinds)))
        if query.since is not None or query.until is not None:
            first = day_number(query.since) if query.since is not None else 0
            last = day_number(query.until if query.until is not None else _LATEST) - 1
            clauses.append((Occur.Must, _quiet(self._between("day", first, last))))
        return clauses

    def _between(self, field: str, first: int, last: int) -> Tantivy:
        return Tantivy.range_query(self._schema, field, FieldType.Integer, first, last)

    def _any(self, field: str, values: Iterable[str]) -> Tantivy:
        terms = [self._term(field, value) for value in values]
        return terms[0] if len(terms) == 1 else Tantivy.boolean_query([(Occur.Should, term) for term in terms])

    def _term(self, field: str, value: str, option: str = "basic") -> Tantivy:
        return Tantivy.term_query(self._schema, field, value, option)


def needed_of(groups: int) -> int:
    """This function will say how many of the things said must be found: all of two, about half of more."""
    return groups if groups <= 2 else max(2, (groups + 1) // 2)


def _quiet(query: Tantivy) -> Tantivy:
    """What narrows says nothing about how good a document is."""
    return Tantivy.const_score_query(query, 0.0)
