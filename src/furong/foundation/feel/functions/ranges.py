"""How points and ranges lie to each other (10.3.4.9), after Allen's interval algebra."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from furong.foundation.feel import temporal
from furong.foundation.feel.errors import FeelSyntaxError
from furong.foundation.feel.functions.registry import Null, builtin
from furong.foundation.feel.lexer import unescape
from furong.foundation.feel.values import FeelRange, Run, compare


class _Beyond:
    """The open end of a range such as ``(< 5)``: before or after everything."""

    __slots__ = ("side",)

    def __init__(self, side: int) -> None:
        self.side = side


_LOWEST, _HIGHEST = _Beyond(-1), _Beyond(1)


def _order(one: object, other: object) -> int:
    if isinstance(one, _Beyond) or isinstance(other, _Beyond):
        left = one.side if isinstance(one, _Beyond) else 0
        right = other.side if isinstance(other, _Beyond) else 0
        return (left > right) - (left < right)
    found = compare(one, other)
    if found is None:
        raise Null("The ends do not compare.")
    return found


def _ends(value: object) -> tuple[object, object, bool, bool]:
    if value is None:
        raise Null("One of them is null.")
    if isinstance(value, FeelRange):
        if value.sign == "!=":
            raise Null("All but a point is no interval.")
        start = _LOWEST if value.start is None else value.start
        end = _HIGHEST if value.end is None else value.end
        return start, end, value.start_included, value.end_included
    return value, value, True, True


_END = r"""(-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|@?"(?:[^"\\\n]|\\.)*"|"""
_END += r"""(?:date|date\ and\ time|time|duration)\s*\(\s*"(?:[^"\\\n]|\\.)*"\s*\))"""
_RANGE = re.compile(rf"\s*([\[\](])\s*(?:{_END}|null)?\s*\.\.\s*(?:{_END}|null)?\s*([\])\[])\s*")
_READ: dict[str, Callable[[str], object]] = {
    "@": temporal.at_literal,
    "date": temporal.parse_date,
    "date and time": temporal.parse_datetime,
    "time": temporal.parse_time,
    "duration": temporal.parse_duration,
}


def _end(text: str | None) -> object:
    if not text:
        return None
    before, quote, rest = text.partition('"')
    if not quote:
        return Decimal(text)
    try:
        written = unescape(rest.rpartition('"')[0], 1, 1)
    except FeelSyntaxError:
        raise Null("An end is no value.") from None
    read = _READ.get(before.strip(" (\t\r\n"))
    found = written if read is None else read(written)
    if found is None:
        raise Null("An end is no value.")
    return found


@builtin("range", "from: string")
def _range(run: Run, text: str) -> object:
    run.spend(len(text) // 100)
    match = _RANGE.fullmatch(text)
    if match is None:
        raise Null("The text is no range of two literals.")
    opening, low, high, closing = match.groups()
    start, end = _end(low), _end(high)
    if start is None and end is None:
        raise Null("A range has an end.")
    if start is None or end is None:
        # One open end, as (< 5) has it; the bracket there cannot include anything.
        if (start is None and opening == "[") or (end is None and closing == "]"):
            raise Null("An open end is not included.")
        included = closing == "]" if start is None else opening == "["
        sign = ("<" if start is None else ">") + ("=" if included else "")
        return FeelRange(start, end, start is not None and included, end is not None and included, sign)
    order = compare(start, end)
    if order is None or order > 0:
        raise Null("The ends do not make a range.")
    return FeelRange(start, end, opening == "[", closing == "]")


def _need_range(*values: object) -> None:
    for one in values:
        if not isinstance(one, FeelRange):
            raise Null("One of them is no range.")


def _is_before(one: object, other: object) -> bool:
    _, end, _, end_in = _ends(one)
    start, _, start_in, _ = _ends(other)
    found = _order(end, start)
    return found < 0 or (found == 0 and not (end_in and start_in))


@builtin("before", "a: any, b: any")
def _before(run: Run, one: object, other: object) -> object:
    return _is_before(one, other)


@builtin("after", "a: any, b: any")
def _after(run: Run, one: object, other: object) -> object:
    return _is_before(other, one)


def _meet(one: object, other: object) -> bool:
    _need_range(one, other)
    _, end, _, end_in = _ends(one)
    start, _, start_in, _ = _ends(other)
    return end_in and start_in and _order(end, start) == 0


@builtin("meets", "range1: range, range2: range")
def _meets(run: Run, one: object, other: object) -> object:
    return _meet(one, other)


@builtin("met by", "range1: range, range2: range")
def _met_by(run: Run, one: object, other: object) -> object:
    return _meet(other, one)


@builtin("overlaps", "range1: range, range2: range")
def _overlaps(run: Run, one: object, other: object) -> object:
    return not _is_before(one, other) and not _is_before(other, one)


def _starts_no_later(one: object, other: object, *, strictly: bool) -> bool:
    start, _, start_in, _ = _ends(one)
    start2, _, start2_in, _ = _ends(other)
    found = _order(start, start2)
    if found:
        return found < 0
    return (start_in and not start2_in) if strictly else (start_in or not start2_in)


def _ends_no_later(one: object, other: object, *, strictly: bool) -> bool:
    _, end, _, end_in = _ends(one)
    _, end2, _, end2_in = _ends(other)
    found = _order(end, end2)
    if found:
        return found < 0
    return (end2_in and not end_in) if strictly else (end2_in or not end_in)


@builtin("overlaps before", "range1: range, range2: range")
def _overlaps_before(run: Run, one: object, other: object) -> object:
    return (
        _starts_no_later(one, other, strictly=True)
        and not _is_before(one, other)
        and _ends_no_later(one, other, strictly=False)
    )


@builtin("overlaps after", "range1: range, range2: range")
def _overlaps_after(run: Run, one: object, other: object) -> object:
    return (
        _starts_no_later(other, one, strictly=True)
        and not _is_before(other, one)
        and _ends_no_later(other, one, strictly=False)
    )


def _finish(one: object, other: object) -> bool:
    _need_range(other)
    _, end, _, end_in = _ends(one)
    _, end2, _, end2_in = _ends(other)
    return _order(end, end2) == 0 and end_in is end2_in and _starts_no_later(other, one, strictly=False)


@builtin("finishes", "a: any, b: range")
def _finishes(run: Run, one: object, other: object) -> object:
    return _finish(one, other)


@builtin("finished by", "a: range, b: any")
def _finished_by(run: Run, one: object, other: object) -> object:
    return _finish(other, one)


def _include(one: object, other: object) -> bool:
    _need_range(one)
    return _starts_no_later(one, other, strictly=False) and _ends_no_later(other, one, strictly=False)


@builtin("includes", "a: range, b: any")
def _includes(run: Run, one: object, other: object) -> object:
    return _include(one, other)


@builtin("during", "a: any, b: range")
def _during(run: Run, one: object, other: object) -> object:
    return _include(other, one)


def _start(one: object, other: object) -> bool:
    _need_range(other)
    start, _, start_in, _ = _ends(one)
    start2, _, start2_in, _ = _ends(other)
    return _order(start, start2) == 0 and start_in is start2_in and _ends_no_later(one, other, strictly=False)


@builtin("starts", "a: any, b: range")
def _starts(run: Run, one: object, other: object) -> object:
    return _start(one, other)


@builtin("started by", "a: range, b: any")
def _started_by(run: Run, one: object, other: object) -> object:
    return _start(other, one)


@builtin("coincides", "a: any, b: any")
def _coincides(run: Run, one: object, other: object) -> object:
    start, end, start_in, end_in = _ends(one)
    start2, end2, start2_in, end2_in = _ends(other)
    return _order(start, start2) == 0 and _order(end, end2) == 0 and start_in is start2_in and end_in is end2_in
