"""Snippets: the stretch of a text that says most of what was looked for, with the words marked.

Made here and not by the engine: its own snippets want the text cut into words and give places in UTF-8
bytes. Everything is plain text, which the template escapes.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from furong.domains.search.analysis.folding import fold_with_places
from furong.domains.search.values import Marked, Piece

WIDTH = 120  # characters
_BEFORE = 20
_MOST_PLACES = 400
_BREAKS = "。！？；\n.!?;"


def mark(text: str, terms: Collection[str]) -> Marked:
    """This function will mark the words in a short text."""
    return _pieces(text, _spans(text, terms), 0, len(text))


def snippet(text: str, terms: Collection[str], *, width: int = WIDTH) -> Marked:
    """This function will cut the stretch of a text with most different words of a question;

    its beginning when none is there.
    """
    spans = _spans(text, terms)
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
    return earliest


def _spans(text: str, terms: Collection[str]) -> list[tuple[int, int, str]]:
    """Where words stand, in the order of the text, none inside another; the longer word wins."""
    wanted = sorted({term for term in terms if term}, key=len, reverse=True)
    if not wanted or not text:
        return []
    folded, places = fold_with_places(text)
    alternatives = "|".join(
        re.escape(term) if term[0] >= "㐀" else rf"(?<![a-z0-9]){re.escape(term)}" for term in wanted
    )
    found = []
    for match in re.finditer(alternatives, folded):
        start, end = match.span()
        if places is not None:
            start, end = places[start], places[end - 1] + 1
        found.append((start, end, match[0]))
        if len(found) >= _MOST_PLACES:
            break
    return found


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
