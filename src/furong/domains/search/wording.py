"""The words of the pack in force: the segmenter's own, other names, what spelling leaves alone, best bets.

Kept while it stays the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from furong.domains.search.analysis.cutting import Analysis
from furong.domains.search.analysis.folding import fold
from furong.domains.search.kinds import PackBet, SearchWords
from furong.domains.search.planning import Thesaurus
from furong.foundation.packs import queries as packs


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What is known of words on a day."""

    words: tuple[str, ...] = ()
    thesaurus: Thesaurus = field(default_factory=Thesaurus)
    never: frozenset[str] = frozenset()
    never_pairs: frozenset[tuple[str, str]] = frozenset()
    bets: tuple[PackBet, ...] = ()


def vocabulary_of(files: Iterable[SearchWords]) -> Vocabulary:
    """Read a pack's files of words together."""
    words: dict[str, None] = {}
    ignored: set[str] = set()
    names: dict[str, dict[str, float]] = {}
    never: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    bets: list[PackBet] = []
    for file in files:
        words.update(dict.fromkeys(file.words))
        ignored.update(file.ignored)
        never.update(fold(word) for word in file.never)
        pairs.update((fold(one), fold(other)) for one, other in file.never_pairs)
        bets.extend(file.best_bets)
        for synonym in file.synonyms:
            ways = [(one, [other for other in synonym.names if other != one]) for one in synonym.names]
            ways += [(one, list(synonym.toward)) for one in synonym.asked]
            for one, others in ways:
                kept = names.setdefault(fold(one), {})
                for other in others:
                    kept[other] = max(kept.get(other, 0.0), synonym.weight)
    thesaurus = Thesaurus.of(ignored=ignored, names={one: list(ways.items()) for one, ways in names.items()})
    return Vocabulary(
        words=tuple(words),
        thesaurus=thesaurus,
        never=frozenset(never),
        never_pairs=frozenset(pairs),
        bets=tuple(bets),
    )


def vocabulary(*, on: date) -> Vocabulary:
    """Return the words in force on a local day."""

    def make() -> Vocabulary:
        releases = packs.list_current_releases(kind="search_words", on=on)
        return vocabulary_of(packs.get_value(kind="search_words", digest=one.digest) for one in releases)

    return packs.derive("search.vocabulary", on=on, make=make)


_analyses: dict[tuple[str, ...], Analysis] = {}


def analysis_of(words: tuple[str, ...]) -> Analysis:
    """Return the segmenter with these words of its own;

    made once a process, as it takes a third of a second.
    """
    found = _analyses.get(words)
    if found is None:
        if len(_analyses) >= 2:
            _analyses.clear()
        found = _analyses[words] = Analysis(words)
    return found
