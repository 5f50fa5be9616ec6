"""Which rules of a decision table match: for each column one look-up, for each rule one bit.

A column keeps its distinct cells. Those of constants go into a dictionary, those of ranges onto a line of the values
that bound them: at each stretch of that line it is known which rules match. What a cell otherwise tests is asked once
for all rules that have it. The columns' answers are cut with each other; a table of 5,000 rules costs little more than
one of 50.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from furong.domains.decisions.cells import INDEXED, Cell, Piece
from furong.foundation.feel.operators import Env
from furong.foundation.feel.unary import Test

__all__ = ["Column", "RuleIndex", "match_plainly"]

_STRIDE = 8


class Column:
    """The distinct cells of one input, and the rules that take any value of it."""

    __slots__ = ("_asked", "_lines", "any_mask", "cells")

    def __init__(self, cells: Sequence[Cell], any_mask: int) -> None:
        self.any_mask = any_mask
        self.cells = tuple(cells)
        self._asked = tuple(cell for cell in cells if cell.pieces is None)
        known = [(piece, cell) for cell in cells for piece in cell.pieces or ()]
        self._lines = {
            found: _Line([(piece, cell.mask) for piece, cell in known if piece.type is found])
            for found in {piece.type for piece, _ in known}
        }

    def match(self, env: Env, value: object, among: int) -> int:
        """Tell which rules, of those in ``among`` at least, take ``value``."""
        matched = self.any_mask
        asked: tuple[Cell, ...] = self.cells
        if type(value) in INDEXED:
            line = self._lines.get(type(value))
            if line is not None:
                matched |= line.at(value)
            asked = self._asked
        for cell in asked:
            if cell.mask & among and cell.test(env, value) is True:
                matched |= cell.mask
        return matched


class _Line:
    """The values of one type in order, and which rules match at each of them and in the gaps between."""

    __slots__ = ("_bounds", "_changes", "_equal", "_known")

    def __init__(self, pieces: Sequence[tuple[Piece, int]]) -> None:
        self._equal: dict[object, int] = {}
        ranges: dict[int, list[Piece]] = {}
        for piece, mask in pieces:
            if piece.low is not None and piece.low == piece.high:
                if piece.low_included and piece.high_included:
                    self._equal[piece.low] = self._equal.get(piece.low, 0) | mask
            else:
                ranges.setdefault(mask, []).append(piece)
        ends = {end for ones in ranges.values() for one in ones for end in (one.low, one.high) if end is not None}
        self._bounds: list[Any] = sorted(ends)  # all of one type that has an order
        places = {end: at for at, end in enumerate(self._bounds)}
        # Place 2i is the gap before bound i, place 2i + 1 the bound itself.
        last = 2 * len(self._bounds) + 1
        changes: list[list[int]] = [[] for _ in range(last + 1)]
        for mask, ones in ranges.items():
            for start, end in _stretches(ones, places, last):
                changes[start].append(mask)
                changes[end].append(mask)
        self._changes = [tuple(one) for one in changes]
        self._known: list[int] = []
        matched = 0
        for at, toggled in enumerate(self._changes[:last]):
            for mask in toggled:
                matched ^= mask
            if at % _STRIDE == 0:
                self._known.append(matched)

    def at(self, value: Any) -> int:
        matched = self._equal.get(value, 0)
        bounds = self._bounds
        if not bounds:
            return matched
        at = bisect_left(bounds, value)
        place = 2 * at + int(at < len(bounds) and bool(bounds[at] == value))
        inside = self._known[place // _STRIDE]
        for toggled in self._changes[place // _STRIDE * _STRIDE + 1 : place + 1]:
            for mask in toggled:
                inside ^= mask
        return matched | inside


def _stretches(pieces: Sequence[Piece], places: dict[object, int], last: int) -> list[tuple[int, int]]:
    """The pieces of one cell as stretches of places, first and behind the last, overlapping ones made one."""
    found = sorted(
        (
            0 if one.low is None else 2 * places[one.low] + (1 if one.low_included else 2),
            last if one.high is None else 2 * places[one.high] + (2 if one.high_included else 1),
        )
        for one in pieces
    )
    made: list[tuple[int, int]] = []
    for start, end in found:
        if start >= end:
            continue
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((start, end))
    return made


class RuleIndex:
    """The columns of a table."""

    __slots__ = ("_all", "_order")

    def __init__(self, columns: Sequence[Column], rules: int) -> None:
        self._all = (1 << rules) - 1
        # Columns with nothing to ask go first: what they rule out is not asked.
        self._order = sorted(enumerate(columns), key=lambda one: sum(cell.pieces is None for cell in one[1].cells))

    def match(self, env: Env, values: Sequence[object]) -> int:
        """Return the rules that match ``values``, as bits; bit 0 is the first rule."""
        matched = self._all
        for at, column in self._order:
            matched &= column.match(env, values[at], matched)
            if not matched:
                break
        return matched


def match_plainly(columns: Sequence[Column], rules: int, env: Env, values: Sequence[object]) -> int:
    """Return the same as ``RuleIndex.match``, rule by rule and cell by cell, for comparison."""
    matched = 0
    for rule in range(rules):
        bit = 1 << rule
        tests: list[Test | None] = [
            None if column.any_mask & bit else next(cell.test for cell in column.cells if cell.mask & bit)
            for column in columns
        ]
        if all(test is None or test(env, value) is True for test, value in zip(tests, values, strict=True)):
            matched |= bit
    return matched
