"""What a cell of a decision table tests, seen before FEEL compiles it: most are constants, comparisons and ranges.

A cell made of nothing else becomes pieces of an ordered line, which an index can look up (``indexing``), and its text
is compiled only if a value ever comes that the index does not take. Anything else is compiled at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from furong.foundation.feel import FeelSyntaxError, YearsMonths, compile_expression
from furong.foundation.feel.compiler import Program
from furong.foundation.feel.operators import Env, run_of
from furong.foundation.feel.unary import Test

__all__ = ["INDEXED", "Cell", "Piece", "constant_of", "pieces_of", "tested_later"]

# Types whose order and equality are Python's own; moments and times are not, for their zones.
INDEXED: frozenset[type] = frozenset((Decimal, str, date, timedelta, YearsMonths))

_NUMBER = r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?"
_STRING = r'"[^"\\\n]*"'
_OPERAND = rf"(?:{_NUMBER}|{_STRING}|@{_STRING}|(?:date|duration)\(\s*{_STRING}\s*\))"
_PIECE = re.compile(
    rf"\s*(?:(?P<sign><=|>=|<|>)?\s*(?P<one>{_OPERAND})"
    rf"|(?P<opens>[\[(])\s*(?P<low>{_OPERAND})\s*\.\.\s*(?P<high>{_OPERAND})\s*(?P<closes>[\])]))\s*(?:,|$)"
)
_NUMBER_ONLY = re.compile(rf"\s*({_NUMBER})\s*$")
_STRING_ONLY = re.compile(rf"\s*({_STRING})\s*$")
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}
_MOST_PIECES = 200


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of values of one type; an end that is None is open without bound, equal ends are one value."""

    type: type
    low: object
    low_included: bool
    high: object
    high_included: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """What the rules of ``mask`` (bit 0 is the first rule) test; ``pieces`` is None where only the closure knows."""

    test: Test
    mask: int
    pieces: tuple[Piece, ...] | None


def constant_of(text: str) -> tuple[object] | None:
    """Return the value of a text that is a plain number, string, boolean or null; else None."""
    if (found := _NUMBER_ONLY.match(text)) is not None:
        number = Decimal(found[1])
        return (number,) if len(number.as_tuple().digits) <= 34 else None
    if (found := _STRING_ONLY.match(text)) is not None:
        return (found[1][1:-1],)
    word = text.strip()
    return (_WORDS[word],) if word in _WORDS else None


def pieces_of(text: str) -> tuple[Piece, ...] | None:
    """Return what a cell tests, as pieces; None if it is anything but constants and ranges."""
    made: list[Piece] = []
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None or len(made) >= _MOST_PIECES:
            return None
        at = found.end()
        piece = _piece(found)
        if piece is None:
            return None
        made.append(piece)
    return tuple(made) if made and not text.rstrip().endswith(",") else None


def _piece(found: re.Match[str]) -> Piece | None:
    if found["one"] is not None:
        value = _operand(found["one"])
        if type(value) not in INDEXED:
            return None
        sign = found["sign"]
        low = value if sign in (None, ">", ">=") else None
        high = value if sign in (None, "<", "<=") else None
        return Piece(type(value), low, sign != ">", high, sign != "<")
    start, end = _operand(found["low"]), _operand(found["high"])
    if type(start) is not type(end) or type(start) not in INDEXED or start > end:  # type: ignore[operator]
        return None
    return Piece(type(start), start, found["opens"] == "[", end, found["closes"] == "]")


def _operand(text: str) -> object:
    known = constant_of(text)
    if known is not None:
        return known[0]
    try:
        return compile_expression(text, known_names=()).evaluate({})
    except FeelSyntaxError:
        return None


def tested_later(text: str) -> Test:
    """Make a test of constants that compiles ``text`` when it is first asked."""
    made: list[Test] = []

    def test(env: Env, value: object) -> bool | None:
        if not made:
            try:
                made.append(Program(known_names=()).unary_tests(text)[0])
            except FeelSyntaxError as wrong:  # what the index takes and FEEL does not; no value passes that way
                run_of(env).problem("decisions.feel", wrong.message)
                return None
        return made[0](env, value)

    return test
