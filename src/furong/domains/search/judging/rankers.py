"""What is measured: our engine, and peers on the same documents. A ranker takes a corpus once and then ranks questions."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Protocol

from furong.domains.search.analysis.cutting import pairs
from furong.domains.search.analysis.folding import fold
from furong.domains.search.engine.tantivy_engine import TantivyEngine, open_engine
from furong.domains.search.planning import cards_of, standing
from furong.domains.search.queries import CARDS, FEW
from furong.domains.search.serving import lexicon_of
from furong.domains.search.values import Document, Kind, Page, Query
from furong.domains.search.wording import Vocabulary, analysis_of

_TODAY = date(2026, 6, 30)  # no clock decides how good a ranking is


class Ranker(Protocol):
    """A corpus that can be asked."""

    def rank(self, text: str, *, size: int) -> Sequence[str]:
        """Give the keys of the best documents, the best first; none when nothing fits."""
        ...

    def close(self) -> None:
        """Let go of what the ranker holds."""
        ...


class OurRanker:
    """The search as a stranger meets it, on an index in a temporary folder: service cards first, help with spelling.

    What a database adds (best bets, rights, the place of the asker) is left out.
    """

    def __init__(self, documents: Iterable[Document], *, vocabulary: Vocabulary | None = None) -> None:
        words = vocabulary or Vocabulary()
        self._folder = tempfile.TemporaryDirectory(prefix="furong-judged-")
        self._engine: TantivyEngine = open_engine(
            Path(self._folder.name) / "index",
            analysis=analysis_of(words.words),
            thesaurus=words.thesaurus,
            write=True,
        )
        self._engine.add(documents, fresh=True)
        self._engine.commit()
        self._lexicon = lexicon_of(self._engine, words)

    def rank(self, text: str, *, size: int) -> Sequence[str]:
        query = Query(text=text, today=_TODAY, size=min(size, 100), with_facets=False, with_snippets=False)
        keys, is_meagre = self._asked(query)
        if is_meagre:
            better = self._lexicon.correct(text, frequency=self._engine.frequency)
            if better:
                other, _ = self._asked(replace(query, text=better))
                # A stranger who found nothing is shown the better words' results; others are offered them.
                keys = keys or other
        return keys[:size]

    def close(self) -> None:
        self._engine.close()
        self._folder.cleanup()

    def _asked(self, query: Query) -> tuple[list[str], bool]:
        page = asked_page(self._engine, query)
        return [hit.key for hit in page.hits], page.is_broad or page.total < FEW


def asked_page(engine: TantivyEngine, query: Query) -> Page:
    """Ask an engine for a page as `queries.search` does, cards before the rest, without asking a database."""
    read = engine.plan(query.text)
    only = replace(query, kinds=(Kind.SERVICE.value,), first=0, size=CARDS, with_count=False, with_snippets=True)
    services = engine.search_plan(read, only)
    cards = cards_of(services, plan=read)
    page = engine.search_plan(read, replace(query, hidden=query.hidden | {hit.key for hit in cards}))
    kept = standing(cards, plan=read, above=page.hits)
    if len(kept) < len(cards):
        cards = kept
        page = engine.search_plan(read, replace(query, hidden=query.hidden | {hit.key for hit in cards}))
    return replace(page, hits=(*cards, *page.hits), total=page.total + len(cards))


class PairsInSqlite:
    """SQLite FTS5 with pairs of neighbouring characters, BM25, the title weighed four times: what a careful team builds first."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._database = sqlite3.connect(":memory:")
        self._database.execute(
            "CREATE VIRTUAL TABLE page USING fts5(key UNINDEXED, title, body, tokenize = \"unicode61 categories 'L* N* Co'\")"
        )
        self._database.executemany(
            "INSERT INTO page VALUES (?, ?, ?)",
            ((one.key, self._cut(f"{one.title} {' '.join(one.keywords)}"), self._cut(one.text)) for one in documents),
        )

    def rank(self, text: str, *, size: int) -> Sequence[str]:
        words = list(dict.fromkeys(self._cut(text).split()))
        if not words:
            return []
        asked = " OR ".join(f'"{one}"' for one in words)
        rows = self._database.execute(
            "SELECT key FROM page WHERE page MATCH ? ORDER BY bm25(page, 0, 4.0, 1.0), rowid LIMIT ?", [asked, size]
        )
        return [str(row[0]) for row in rows]

    def close(self) -> None:
        self._database.close()

    @staticmethod
    def _cut(text: str) -> str:
        return " ".join(one for one in pairs(fold(text)) if one != "\u241e")
