"""The words of a pack on disk, as the search knows them once the pack is in force."""

from __future__ import annotations

from pathlib import Path

from furong.domains.search.kinds import SearchWords
from furong.domains.search.wording import Vocabulary, vocabulary_of
from furong.foundation.packs.reading import read_pack


def pack_vocabulary(pack: Path) -> Vocabulary:
    """Read a pack's words for the search. What of them cannot be read is left out."""
    values = read_pack(pack).values("search_words")
    return vocabulary_of(value for _, value in sorted(values.items()) if isinstance(value, SearchWords))
