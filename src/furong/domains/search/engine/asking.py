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

TITLE_WORD, TITLE_PHRASE, PHRASE, NUMBER, PLACE = 1.6, 3.0, 1.0, 12.0, 1.5
_LATEST = date(9999, 1, 1)


class Asker:
    """Builds queries for one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self._schema = schema

    def build(self, *, plan: Plan, query: Query, is_broad: bool, shelf_is_public: bool, without: str = "") -> Tantivy:
        """This function will give the query of a plan. ``is_broad``:

        some words may be missing, and pairs help the segmenter out.

        ``without`` leaves one facet's own narrowing out, to count what its other values would give.
        """
        ranked = self._ranked(plan, is_broad=is_broad)
        clauses: list[tuple[Occur, Tantivy]] = [(Occur.Must, ranked)]
        clauses += [(Occur.Must, self._phrase("pairs", "title_pairs", one)) for one in plan.exact]
        clauses += self._narrowed(query, without)
        if not shelf_is_public:
            clauses.append((Occur.Must, _quiet(self._any("rights", sorted(query.rights)))))
        if query.hidden:
            clauses.append((Occur.MustNot, self._any("key", sorted(query.hidden))))
        clauses += [(Occur.Should, self._boosted("title_words", group, TITLE_WORD)) for group in plan.groups]
        for phrase in plan.phrases:
            clauses.append((Occur.Should, Tantivy.boost_query(self._together("title_pairs", phrase), TITLE_PHRASE)))
            clauses.append((Occur.Should, Tantivy.boost_query(self._together("pairs", phrase), PHRASE)))
        for order, place in enumerate(query.places):
            near = Tantivy.const_score_query(self._term("divisions", place), PLACE / (order + 1))
            clauses.append((Occur.Should, near))
        return clauses[0][1] if len(clauses) == 1 else Tantivy.boolean_query(clauses)

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

    def _ranked(self, plan: Plan, *, is_broad: bool) -> Tantivy:
        ways: list[Tantivy] = []
        if plan.groups:
            groups = [(Occur.Should, self._group(group, is_broad=is_broad)) for group in plan.groups]
            needed = 1 if is_broad else needed_of(len(groups))
            ways.append(
                groups[0][1] if len(groups) == 1 else Tantivy.boolean_query(groups, minimum_number_should_match=needed)
            )
        if is_broad:  # what the segmenter cut otherwise here than there
            ways += [self._together(field, phrase) for phrase in plan.phrases for field in ("title_pairs", "pairs")]
        for token, says in plan.numbers:
            known = Tantivy.const_score_query(self._term("numbers", token), NUMBER * says)
            ways.append(known)
        if not ways:  # an exact phrase alone
            return Tantivy.const_score_query(Tantivy.all_query(), 1.0)
        return ways[0] if len(ways) == 1 else Tantivy.boolean_query([(Occur.Should, way) for way in ways])

    def _group(self, group: Group, *, is_broad: bool) -> Tantivy:
        ways = [self._way("words", way.words, way.weight) for way in group.ways]
        if is_broad:
            ways += [
                Tantivy.boost_query(self._pairs(way), 0.7)
                for way in dict.fromkeys([group.said, *("".join(way.words) for way in group.ways)])
                if len(way) > 1 and way[0] >= "㐀"
            ]
        # The best way counts: a text that says it twice in other words is not twice as good.
        return ways[0] if len(ways) == 1 else Tantivy.disjunction_max_query(ways, tie_breaker=0.1)

    def _boosted(self, field: str, group: Group, boost: float) -> Tantivy:
        ways = [self._way(field, way.words, way.weight * boost) for way in group.ways]
        return ways[0] if len(ways) == 1 else Tantivy.disjunction_max_query(ways, tie_breaker=0.1)

    def _way(self, field: str, words: tuple[str, ...], weight: float) -> Tantivy:
        terms = [self._term(field, word, "freq") for word in words]
        one = terms[0] if len(terms) == 1 else Tantivy.boolean_query([(Occur.Must, term) for term in terms])
        return one if weight == 1.0 else Tantivy.boost_query(one, weight)

    def _pairs(self, word: str) -> Tantivy:
        return self._together("pairs", tuple(word[place : place + 2] for place in range(len(word) - 1)))

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
