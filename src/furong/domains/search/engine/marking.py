"""Snippets: the stretch of a text that says most of what was looked for, with the words marked.

Made here and not by the engine: its own snippets want the text cut into words and give places in UTF-8
bytes. Everything is plain text, which the template escapes.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from furong.domains.search.analysis.folding import fold_words
from furong.domains.search.values import Marked, Piece

WIDTH, LATIN_WIDTH = 120, 220  # characters: as much to read
_BEFORE = 20
_MOST_PLACES = 400
_BREAKS = "。！？；\n.!?;"


class Marker:
    """Marks the words of one question, in as many texts as a page shows."""

    def __init__(self, terms: Collection[str]) -> None:
        wanted = sorted({term for term in terms if term}, key=len, reverse=True)
        self._found = re.compile(
            "|".join(re.escape(term) if term[0] >= "㐀" else rf"(?<![a-z0-9]){re.escape(term)}" for term in wanted)
        )
        self._is_empty = not wanted

    def mark(self, text: str) -> Marked:
        """Mark the words in a short text."""
        return _pieces(text, self._spans(text), 0, len(text))

    def snippet(self, text: str, *, width: int = WIDTH) -> Marked:
        """Cut the stretch of a text with most different words; its beginning when none is there."""
        return _cut(text, self._spans(text), width)

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        """Where words stand, in the order of the text, none inside another; the longer word wins."""
        if self._is_empty or not text:
            return []
        folded, places = fold_words(text)
        found = []
        for match in self._found.finditer(folded):
            start, end = match.span()
            if places is not None:
                start, end = places[start], places[end - 1] + 1
            found.append((start, end, match[0]))
            if len(found) >= _MOST_PLACES:
                break
        return found


def mark(text: str, terms: Collection[str]) -> Marked:
    """Mark the words in a short text."""
    return Marker(terms).mark(text)


def snippet(text: str, terms: Collection[str], *, width: int = WIDTH) -> Marked:
    """Cut the stretch of a text with most different words of a question;

    its beginning when none is there.
    """
    return Marker(terms).snippet(text, width=width)


def _cut(text: str, spans: list[tuple[int, int, str]], width: int) -> Marked:
    if not spans:
        return _pieces(text, [], 0, min(width, len(text)), of=len(text))
    best, best_value = 0, -1.0
    end = 0
    inside: dict[str, int] = {}
    value = 0.0
    for first, (start, _, _) in enumerate(spans):
        while end < len(spans) and spans[end][1] <= start + width - _BEFORE:
            term = spans[end][2]
            inside[term] = inside.get(term, 0) + 1
            value += len(term) if inside[term] == 1 else 0.2
            end += 1
        if value > best_value:
            best, best_value = first, value
        if end <= first:
            end = first + 1
            continue
        term = spans[first][2]
        inside[term] -= 1
        value -= len(term) if inside[term] == 0 else 0.2
    start = _beginning(text, spans[best][0])
    return _pieces(text, spans, start, min(len(text), start + width), of=len(text))


def _beginning(text: str, place: int) -> int:
    """A sentence begins where one ended shortly before; else a few characters earlier."""
    earliest = max(0, place - _BEFORE)
    for at in range(place - 1, earliest - 1, -1):
        if text[at] in _BREAKS:
            return at + 1
    return _outside_word(text, earliest, place)


def _outside_word(text: str, place: int, until: int) -> int:
    """A stretch begins with a whole Latin word where one begins before ``until``."""
    if not (0 < place < len(text) and text[place - 1].isascii() and text[place - 1].isalnum()):
        return place
    found = text.find(" ", place, until)
    return place if found < 0 else found + 1


def _pieces(text: str, spans: list[tuple[int, int, str]], start: int, end: int, *, of: int | None = None) -> Marked:
    pieces: list[Piece] = []
    if of is not None and start > 0:
        pieces.append(Piece("…"))
    place = start
    for first, last, _ in spans:
        if first < place or last > end:
            continue
        if first > place:
            pieces.append(Piece(text[place:first]))
        pieces.append(Piece(text[first:last], is_match=True))
        place = last
    if place < end:
        pieces.append(Piece(text[place:end]))
    if of is not None and end < of:
        pieces.append(Piece("…"))
    return tuple(pieces)
