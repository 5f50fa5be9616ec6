"""The index as this process reads it: the generation that serves, else the last good one."""

from __future__ import annotations

import logging
import threading
import time
from datetime import date
from pathlib import Path

from django.conf import settings

from furong.domains.search.engine.tantivy_engine import TantivyEngine
from furong.domains.search.errors import IndexMissingError
from furong.domains.search.home import Home
from furong.domains.search.lexicon import Lexicon, Phrase
from furong.domains.search.values import Kind
from furong.domains.search.wording import Vocabulary, analysis_of, vocabulary

logger = logging.getLogger("furong.search")

LEXICON_SECONDS = 20.0
READ_AT_ONCE_BYTES = 200_000_000
TITLED = (Kind.SERVICE, Kind.QUESTION, Kind.RESOURCE, Kind.OFFICE)
MOST_TITLES, MOST_PAGES = 100_000, 20_000
_WEIGHTS = {Kind.SERVICE: 20.0, Kind.QUESTION: 8.0, Kind.RESOURCE: 3.0, Kind.OFFICE: 2.0}


def home() -> Home:
    """Give the folder of the index."""
    return Home(Path(settings.SEARCH_HOME))


class Serving:
    """Opens the generation that serves and changes over when the pointer moves. Safe from many threads."""

    def __init__(self, place: Home) -> None:
        self.place = place
        self._lock = threading.Lock()
        self._mark: tuple[int, int] | None = None
        self._engine: TantivyEngine | None = None
        self._lexicon: Lexicon | None = None
        self._lexicon_of: object = None
        self._lexicon_at = 0.0
        self._making = threading.Lock()

    def engine(self, *, on: date) -> TantivyEngine:
        """Give the engine, with the words in force. Raises IndexMissingError when none can be read."""
        mark = self.place.pointer_mark()
        if self._engine is None or mark != self._mark:
            with self._lock:
                if self._engine is None or mark != self._mark:
                    self._open(on)
                    self._mark = mark
        if self._engine is None:
            raise IndexMissingError("there is no search index that can be read; furong search rebuild makes one")
        self._engine.thesaurus = vocabulary(on=on).thesaurus
        return self._engine

    def lexicon(self, *, on: date) -> Lexicon:
        """Give what suggestions and spelling help know. The first call makes it;

        later ones renew it beside.
        """
        engine = self.engine(on=on)
        words = vocabulary(on=on)
        state = (engine.generation, engine.public_mark(), id(words))
        if self._lexicon is None:
            with self._making:
                if self._lexicon is None:
                    self._make_lexicon(engine, words, state)
        elif (
            state != self._lexicon_of
            and time.monotonic() - self._lexicon_at > LEXICON_SECONDS
            and self._making.acquire(blocking=False)
        ):
            threading.Thread(target=self._renew_lexicon, args=(engine, words, state), daemon=True).start()
        assert self._lexicon is not None  # noqa: S101 - made above
        return self._lexicon

    def _renew_lexicon(self, engine: TantivyEngine, words: Vocabulary, state: object) -> None:
        try:
            self._make_lexicon(engine, words, state)
        except Exception as error:  # noqa: BLE001 - the old one goes on serving
            logger.error("suggestions could not be renewed", extra={"error": type(error).__qualname__})
        finally:
            self._making.release()

    def _make_lexicon(self, engine: TantivyEngine, words: Vocabulary, state: object) -> None:
        self._lexicon = lexicon_of(engine, words, before=self._lexicon)
        self._lexicon_of = state
        self._lexicon_at = time.monotonic()

    def _open(self, on: date) -> None:
        current = self.place.current()
        wanted = [current] if current is not None else []
        wanted += [one for one in self.place.generations() if one != current]
        analysis = analysis_of(vocabulary(on=on).words)
        for generation in wanted:
            if self._engine is not None and self._engine.generation == generation:
                return
            try:
                engine = TantivyEngine(self.place.folder(generation), analysis=analysis, generation=generation)
                engine.prove()
            except IndexMissingError:
                logger.error("search index cannot be read", extra={"generation": generation})
                if self._engine is not None:
                    return  # what is open goes on serving
                continue
            if generation != current:
                logger.error("an older search index serves", extra={"generation": generation})
            if engine.bytes() <= READ_AT_ONCE_BYTES:
                engine.warm()
            else:  # nobody waits for gigabytes: what is asked meanwhile reads what it needs
                threading.Thread(target=engine.warm, daemon=True, name="search-warm").start()
            self._engine = engine
            return


def lexicon_of(engine: TantivyEngine, words: Vocabulary, *, before: Lexicon | None = None) -> Lexicon:
    """Make a lexicon of an index's public titles and a vocabulary. Pages only as many as memory likes.

    ``before``: the one until now, of which most stays.
    """
    phrases: list[Phrase] = []
    english: list[Phrase] = []
    for kinds, limit in ((TITLED, MOST_TITLES), ((Kind.PAGE, Kind.DOCUMENT), MOST_PAGES)):
        for one in engine.list_titles(kinds=kinds, limit=limit):
            weight = one.boost * _WEIGHTS.get(one.kind, 1.0)
            phrases.append(Phrase(one.title, one.key, one.kind.value, one.address, weight))
            if one.title_en:
                english.append(Phrase(one.title_en, one.key, one.kind.value, one.address, weight))
    names = words.thesaurus.names
    known = {word for word in names if len(word) > 1} | {other for ways in names.values() for other, _ in ways}
    return Lexicon(
        phrases,
        analysis=engine.analysis,
        words={*known, *words.words} - words.thesaurus.ignored,
        never=words.never,
        never_pairs=words.never_pairs,
        before=before,
        english=Lexicon(english, analysis=engine.analysis, before=before.english if before is not None else None),
    )


_servings: dict[str, Serving] = {}


def serving() -> Serving:
    """Give this process's reader of the index."""
    place = str(settings.SEARCH_HOME)
    found = _servings.get(place)
    if found is None:
        found = _servings.setdefault(place, Serving(Home(Path(place))))
    return found


def engine(*, on: date) -> TantivyEngine:
    """Give the engine that answers now. Raises IndexMissingError."""
    return serving().engine(on=on)


def forget() -> None:
    """Close what is open, so that the next question opens it anew: for tests."""
    _servings.clear()
