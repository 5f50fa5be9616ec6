"""From what somebody typed to what is looked for: words, other names for them, phrases, identifiers. Pure.

Plain words only: there is no query language to get wrong. Quotation marks ask for an exact phrase; every other sign separates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from furong.domains.search.analysis.cutting import Analysis, pairs
from furong.domains.search.analysis.folding import fold
from furong.domains.search.analysis.numbers import identifiers
from furong.domains.search.values import MAX_QUERY_CHARACTERS, Hit, Kind, Page

MAX_GROUPS, MAX_PHRASES, MAX_ALTERNATIVES = 16, 8, 8
OUTDONE = (
    0.6  # of the best score: tried on the judged questions, where 0.4 to 0.7 do as well (nDCG@10 0.73 without, 0.78)
)
_QUOTED = re.compile(r"[\"“”「『《]([^\"“”「」『』《》]{2,80})[\"“”」』》]")


@dataclass(frozen=True, slots=True)
class Way:
    """One way of saying something: all of these words. ``weight`` is 1 for the asker's own."""

    words: tuple[str, ...]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Group:
    """One thing that was said, and the ways of saying it."""

    said: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is looked for. ``phrases`` stand together when that helps, ``exact`` must stand so; each as pairs of characters."""

    folded: str
    groups: tuple[Group, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    exact: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[tuple[str, int], ...] = ()
    is_cut_short: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not (self.groups or self.exact or self.numbers)

    @property
    def terms(self) -> frozenset[str]:
        """All words that a snippet marks."""
        own = {word for group in self.groups for way in group.ways for word in way.words}
        return frozenset(own | {group.said for group in self.groups})


@dataclass(frozen=True, slots=True)
class Thesaurus:
    """What a pack knows of words: those that say nothing, and other names. Spelled folded."""

    ignored: frozenset[str] = frozenset()
    names: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    longest: int = 0

    @classmethod
    def of(
        cls, *, ignored: Iterable[str] = (), names: Mapping[str, Iterable[tuple[str, float]]] | None = None
    ) -> Thesaurus:
        """Make one from words as people write them."""
        folded = {
            fold(head): tuple((fold(name), weight) for name, weight in ways) for head, ways in (names or {}).items()
        }
        return cls(
            ignored=frozenset(fold(word) for word in ignored), names=folded, longest=max(map(len, folded), default=0)
        )


def plan(*, text: str, analysis: Analysis, thesaurus: Thesaurus) -> Plan:
    """Read a question. Takes anything; what cannot be looked for gives an empty plan.

    O(length), below 1 ms.
    """
    folded = " ".join(fold(text[: 4 * MAX_QUERY_CHARACTERS]).split())
    cut_short = len(folded) > MAX_QUERY_CHARACTERS or len(text) > 4 * MAX_QUERY_CHARACTERS
    folded = folded[:MAX_QUERY_CHARACTERS]
    exact = tuple(one for one in (phrase_of(found) for found in _QUOTED.findall(folded)) if one)[:MAX_PHRASES]
    numbers = tuple(identifiers(folded))
    groups: list[Group] = []
    phrases: list[str] = []
    for stretch in analysis.runs(folded):
        together = ""
        for said, ways in _said(stretch.text, analysis, thesaurus):
            if said in thesaurus.ignored:
                phrases.append(together)
                together = ""
                continue
            together += said
            if len(groups) < MAX_GROUPS and all(said != group.said for group in groups):
                groups.append(Group(said, ways))
        phrases.append(together)
    if not groups and folded:  # only words that say nothing: then they are what was asked
        groups = [Group(word, (Way((word,)),)) for run in analysis.runs(folded) for word in run.words][:MAX_GROUPS]
    found = tuple(dict.fromkeys(one for one in map(phrase_of, phrases) if one))[:MAX_PHRASES]
    return Plan(folded, tuple(groups), found, exact, numbers, cut_short)


def phrase_of(text: str) -> tuple[str, ...]:
    """Give the pairs of a phrase as they follow each other in a text."""
    found = pairs(fold(text))
    return tuple(found[:-1]) if found else ()


def _said(run: str, analysis: Analysis, thesaurus: Thesaurus) -> list[tuple[str, tuple[Way, ...]]]:
    """Take a stretch apart: first the names that the thesaurus knows, the longest first, then words."""
    found: list[tuple[str, tuple[Way, ...]]] = []
    start = place = 0
    while place < len(run):
        name = next(
            (
                run[place : place + length]
                for length in range(min(thesaurus.longest, len(run) - place), 1, -1)
                if run[place : place + length] in thesaurus.names and _whole(run, place, length)
            ),
            "",
        )
        if not name:
            place += 1
            continue
        found.extend((word, _ways(word, analysis)) for word in analysis.cut(run[start:place]))
        others = tuple(
            Way(tuple(analysis.cut(other)) or (other,), weight)
            for other, weight in thesaurus.names[name][:MAX_ALTERNATIVES]
        )
        found.append((name, (*_ways(name, analysis), *others)))
        place += len(name)
        start = place
    found.extend((word, _ways(word, analysis)) for word in analysis.cut(run[start:]))
    return found


def _whole(run: str, place: int, length: int) -> bool:
    """A name in letters is not found inside a longer word."""
    if run[place] >= "㐀":
        return True
    return (place == 0 or run[place - 1] >= "㐀") and (place + length == len(run) or run[place + length] >= "㐀")


def _ways(word: str, analysis: Analysis) -> tuple[Way, ...]:
    """The word itself; and its parts together, for a text that says the same with something between."""
    whole = tuple(analysis.cut(word)) or (word,)
    ways = [Way(whole)]
    if len(whole) == 1:
        parts = tuple(part for part in analysis.words(word) if part != word)
        if len(parts) > 1:
            ways.append(Way(parts, 0.5))
    return tuple(ways)


def cards_of(services: Page, *, plan: Plan) -> tuple[Hit, ...]:
    """Say which of the services that were found answer the question, and stand on top as cards.

    Where few hold what was said, those whose title does; in Latin letters, whose names are no titles, those that hold all of it.
    """
    if not services.is_broad or (plan.folded.isascii() and services.total == services.whole):
        return services.hits
    return tuple(hit for hit in services.hits if hit.is_named)


def standing(cards: tuple[Hit, ...], *, plan: Plan, above: Iterable[Hit]) -> tuple[Hit, ...]:
    """Give the cards that may stand above the best of everything else.

    A service that shares a common word with the question (备案) is a line among others, where something else says far more.
    Questions and answers belong to a service, and do not push it down; and one whose title holds all that was said stays.
    """
    best = max((hit.score for hit in above if hit.kind is not Kind.QUESTION), default=0.0)
    return tuple(hit for hit in cards if hit.score >= OUTDONE * best or _says_all(hit.title, plan))


def _says_all(title: str, plan: Plan) -> bool:
    folded = fold(title)
    return bool(plan.groups) and all(
        any(all(word in folded for word in way.words) for way in group.ways) for group in plan.groups
    )
