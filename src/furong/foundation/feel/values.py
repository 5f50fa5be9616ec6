"""FEEL's values in Python, what equals what, and what comes before what (DMN 1.5, 10.3.2).

number is ``Decimal`` (34 digits), string ``str``, boolean ``bool``, null ``None``, date ``date``, date and time
``datetime``, time ``time``, days and time duration ``timedelta``, years and months duration ``YearsMonths``, list
``list``, context ``dict``, range ``FeelRange``, function ``FeelFunction``. Dates before the year 1 or after 9999, and
times with nanoseconds, are ``WideDate``, ``WideTime`` and ``WideMoment``.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import total_ordering
from uuid import UUID

from furong.foundation.feel.errors import FeelLimitReached, FeelProblem
from furong.foundation.feel.wide import WideDate, WideMoment, WideTime, instant, ordinal

__all__ = [
    "MOST_ITEMS",
    "MOST_STEPS",
    "MOST_TEXT",
    "NUMBERS",
    "FeelFunction",
    "FeelRange",
    "Run",
    "YearsMonths",
    "check_size",
    "compare",
    "equal",
    "kind",
    "to_feel",
]

MOST_STEPS = 200_000
MOST_ITEMS = 100_000
MOST_TEXT = 1_000_000

# Decimal128, as DMN asks for (10.3.2.3.1). What it cannot do (1/0, overflow) raises and becomes null.
NUMBERS = decimal.Context(
    prec=34,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)


class Run:
    """What one evaluation keeps: its clock, its steps, its problems and its trace."""

    __slots__ = ("calls", "now", "problems", "steps", "trace")

    def __init__(self, now: datetime | None, problems: list[FeelProblem]) -> None:
        self.now = now
        self.problems = problems
        self.steps = MOST_STEPS
        self.calls = 0
        self.trace: list[object] = []  # what evaluators above FEEL want to know, such as the rules that fired

    def spend(self, steps: int = 1) -> None:
        """Count steps; straight-line parts are bounded by the text, so only loops and calls are counted."""
        self.steps -= steps
        if self.steps < 0:
            raise FeelLimitReached(f"{MOST_STEPS} steps")

    def problem(self, code: str, message: str, line: int = 0, column: int = 0) -> None:
        """Note why something is null; the first hundred are kept."""
        if len(self.problems) < 100:
            self.problems.append(FeelProblem(code, message, line, column))


@total_ordering
@dataclass(frozen=True, slots=True)
class YearsMonths:
    """A years and months duration: ``months`` in all, negative ones too."""

    months: int

    def __lt__(self, other: object) -> bool:
        return self.months < other.months if isinstance(other, YearsMonths) else NotImplemented

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        sign = "-" if self.months < 0 else ""
        if not years and not months:
            return "P0M"
        return f"{sign}P{f'{years}Y' if years else ''}{f'{months}M' if months else ''}"


@dataclass(frozen=True, slots=True)
class FeelRange:
    """A range; an end that is None is open without bound. ``sign`` is that of a range like ``(< 5)``, or empty."""

    start: object
    end: object
    start_included: bool
    end_included: bool
    sign: str = ""

    def includes(self, value: object) -> bool | None:
        """Tell whether ``value`` lies inside; None when it cannot be compared with an end."""
        if self.sign == "=" or self.sign == "!=":
            same = equal(value, self.start)
            return same if same is None or self.sign == "=" else not same
        below = above = True
        if self.start is not None:
            order = compare(self.start, value)
            if order is None:
                return None
            below = order < 0 or (order == 0 and self.start_included)
        if self.end is not None:
            order = compare(value, self.end)
            if order is None:
                return None
            above = order < 0 or (order == 0 and self.end_included)
        if self.start is None and self.end is None:
            return None
        return below and above


@dataclass(frozen=True, slots=True)
class FeelFunction:
    """Something a FEEL expression may call: its parameters' names and a Python function of positional values."""

    parameters: tuple[str, ...]
    call: Callable[[Run, Sequence[object]], object]
    name: str = "function"
    variadic: bool = False


_KINDS: dict[type, str] = {
    Decimal: "number",
    str: "string",
    bool: "boolean",
    type(None): "null",
    date: "date",
    datetime: "date and time",
    time: "time",
    timedelta: "days and time duration",
    YearsMonths: "years and months duration",
    list: "list",
    dict: "context",
    FeelRange: "range",
    FeelFunction: "function",
    WideDate: "date",
    WideTime: "time",
    WideMoment: "date and time",
}


def kind(value: object) -> str:
    """Name the FEEL type of a FEEL value."""
    return _KINDS.get(type(value), "unknown")


_AS_THEY_ARE = frozenset((str, bool, type(None), date, datetime, time, timedelta, YearsMonths, FeelFunction))


def to_feel(value: object, depth: int = 64) -> object:
    """Turn a Python value into a FEEL value.

    Integers and floats become decimals, mappings and sequences are copied, enums give their value and UUIDs their
    text. Raises ``TypeError`` for anything else (a FEEL expression never sees a Python object) and ``FeelLimitReached``
    for nesting deeper than 64.
    """
    found = type(value)
    if found in _KINDS:
        if found is list:
            return _list(value, depth)  # type: ignore[arg-type]
        if found is dict:
            return _context(value, depth)  # type: ignore[arg-type]
        if found is Decimal and not value.is_finite():  # type: ignore[attr-defined]
            raise TypeError("A number that is not finite is no FEEL number.")
        return value
    if found is int:
        return Decimal(value)  # type: ignore[arg-type]
    if isinstance(value, Enum):
        return to_feel(value.value, depth - 1)
    if found is float:
        number = Decimal(repr(value))
        if not number.is_finite():
            raise TypeError("A number that is not finite is no FEEL number.")
        return number
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        return Decimal(int(value))
    if isinstance(value, str | UUID):
        return str(value)
    if isinstance(value, Mapping):
        return _context(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return _list(list(value), depth)
    raise TypeError(f"{found.__name__} is no type that FEEL has.")


def _list(values: list[object], depth: int) -> list[object]:
    if depth <= 0:
        raise FeelLimitReached("64 levels of nesting")
    return [one if type(one) in _AS_THEY_ARE else to_feel(one, depth - 1) for one in values]


def _context(values: Mapping[object, object], depth: int) -> dict[str, object]:
    if depth <= 0:
        raise FeelLimitReached("64 levels of nesting")
    return {
        key if type(key) is str else str(key): one if type(one) in _AS_THEY_ARE else to_feel(one, depth - 1)
        for key, one in values.items()
    }


# Types whose Python order and equality are FEEL's; moments need care with zones.
_PLAIN = frozenset((Decimal, str, date, timedelta, YearsMonths))
_MOMENTS = (datetime, time, WideMoment, WideTime)


def compare(left: object, right: object) -> int | None:
    """Return -1, 0 or 1 as ``left`` comes before, with or after ``right``; None if they do not compare.

    Moments compare by whole seconds; those with a zone and those without one do not compare. DMN 1.5, table 54.
    """
    found = type(left)
    if found is not type(right) and _KINDS.get(found) != _KINDS.get(type(right)):
        return None
    if found in _PLAIN and found is type(right):
        return -1 if left < right else (1 if left > right else 0)  # type: ignore[operator]
    if isinstance(left, _MOMENTS) and isinstance(right, _MOMENTS):
        left_zoned, left_at, _ = instant(left)
        right_zoned, right_at, _ = instant(right)
        if left_zoned is not right_zoned:
            return None
        return -1 if left_at < right_at else (1 if left_at > right_at else 0)
    if isinstance(left, date | WideDate) and isinstance(right, date | WideDate):
        one, other = ordinal(left), ordinal(right)
        return -1 if one < other else (1 if one > other else 0)
    return None


def equal(left: object, right: object, run: Run | None = None) -> bool | None:
    """Tell whether two FEEL values are equal; None when their types differ and neither is null.

    DMN 1.5, table 53. Lists and contexts are equal when their parts are; with ``run`` each part costs a step.
    """
    if left is None or right is None:
        return left is right
    found = type(left)
    if found is not type(right) and _KINDS.get(found) != _KINDS.get(type(right)):
        return None
    if found in _PLAIN or found is bool or found is WideDate:
        return left == right
    if isinstance(left, _MOMENTS):
        return compare(left, right) == 0
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return False
        if run is not None:
            run.spend(len(left))
        return all(equal(one, other, run) for one, other in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        if run is not None:
            run.spend(len(left))
        return all(equal(one, right[key], run) for key, one in left.items())
    if isinstance(left, FeelRange) and isinstance(right, FeelRange):
        return bool(
            left.start_included is right.start_included
            and left.sign == right.sign
            and left.end_included is right.end_included
            and equal(left.start, right.start)
            and equal(left.end, right.end)
        )
    return None


def check_size(value: object) -> object:
    """Return ``value`` if it has no more than ``MOST_ITEMS`` parts in all, however they are shared.

    Raises ``FeelLimitReached``: a small expression can build a list that contains another twice, and so on, which
    costs nothing until somebody copies or prints it.
    """
    if type(value) is not list and type(value) is not dict:
        return value
    left = MOST_ITEMS
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            left -= len(one)
            if left < 0:
                raise FeelLimitReached(f"{MOST_ITEMS} items in all")
            waiting.extend(one.values() if isinstance(one, dict) else one)
    return value
