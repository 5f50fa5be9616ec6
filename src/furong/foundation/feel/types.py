"""FEEL's types: what ``instance of`` asks and what typed parameters and DMN's item definitions check."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from furong.foundation.feel.values import FeelFunction, FeelRange, YearsMonths
from furong.foundation.feel.wide import WideDate, WideMoment, WideTime

__all__ = ["SIMPLE_TYPES", "Check", "Resolve", "convert", "type_check", "type_parts"]

_PYTHON: dict[str, type | tuple[type, ...]] = {
    "number": Decimal,
    "string": str,
    "boolean": bool,
    "date": (date, WideDate),
    "time": (time, WideTime),
    "date and time": (datetime, WideMoment),
    "dateTime": (datetime, WideMoment),
    "days and time duration": timedelta,
    "dayTimeDuration": timedelta,
    "years and months duration": YearsMonths,
    "yearMonthDuration": YearsMonths,
    "list": list,
    "context": dict,
    "range": FeelRange,
    "function": FeelFunction,
    "null": type(None),
    "Null": type(None),
}
SIMPLE_TYPES = frozenset(_PYTHON) | {"Any"}
_PARTS = re.compile(r"->|[<>,:]|[^<>,:\-]+")

Check = Callable[[object], bool]
Resolve = Callable[[str], "Check | None"]


def type_check(text: str, resolve: Resolve | None = None) -> Check:
    """Return the test for the type that ``text`` names, such as ``list<number>``.

    ``resolve`` gives the tests of names that FEEL does not have, such as a model's item definitions. Raises
    ``ValueError`` for an unknown type. Null is an instance of ``Null`` alone (10.3.2.9.1).
    """
    if resolve is not None:
        whole = resolve(" ".join(text.split()))
        if whole is not None:
            return whole
    check, rest = _read(type_parts(text), 20, resolve)
    if rest:
        raise ValueError(f"{text} is no type.")
    return check


def type_parts(text: str) -> list[str]:
    """Take the text of a type apart into names and signs."""
    return [" ".join(part.split()) for part in _PARTS.findall(text) if part.strip()]


def convert(value: object, check: Check) -> tuple[object, bool]:
    """Return ``value`` as the type behind ``check`` has it, and whether it fits (10.3.2.9.4).

    Null fits every type; a single item and its list stand for each other; a date stands for its midnight in UTC.
    """
    if value is None or check(value):
        return value, True
    if isinstance(value, list) and len(value) == 1 and check(value[0]):
        return value[0], True
    if not isinstance(value, list) and check([value]):
        return [value], True
    if type(value) is date:
        midnight = datetime(value.year, value.month, value.day, tzinfo=UTC)
        if check(midnight):
            return midnight, True
    return value, False


def _exact(wanted: type | tuple[type, ...]) -> Check:
    if isinstance(wanted, tuple):
        return lambda value: type(value) in wanted
    return lambda value: type(value) is wanted


def _read(parts: list[str], depth: int, resolve: Resolve | None) -> tuple[Check, list[str]]:
    if not parts or depth <= 0:
        raise ValueError("A type is missing.")
    name, rest = parts[0], parts[1:]
    if name == "Any":
        return (lambda value: value is not None), rest
    found = resolve(name) if resolve is not None else None
    if found is not None:
        return found, rest
    if name not in _PYTHON:
        raise ValueError(f"FEEL has no type {name!r}.")
    if not rest or rest[0] != "<":
        return _exact(_PYTHON[name]), rest
    rest = rest[1:]
    if name == "list":
        item, rest = _read(rest, depth - 1, resolve)
        return _list_of(item), _after(rest, ">")
    if name == "range":
        item, rest = _read(rest, depth - 1, resolve)
        return _range_of(item), _after(rest, ">")
    if name == "context":
        fields: dict[str, Check] = {}
        while True:
            if len(rest) < 3 or rest[1] != ":":
                raise ValueError("A context's type is context<name: type>.")
            fields[rest[0]], rest2 = _read(rest[2:], depth - 1, resolve)
            rest = rest2
            if rest and rest[0] == ",":
                rest = rest[1:]
                continue
            return _context_of(fields), _after(rest, ">")
    if name == "function":
        count = 0
        while rest and rest[0] != ">":
            _, rest = _read(rest, depth - 1, resolve)
            count += 1
            if rest and rest[0] == ",":
                rest = rest[1:]
        rest = _after(rest, ">")
        if rest and rest[0] == "->":
            _, rest = _read(rest[1:], depth - 1, resolve)
        return _function_of(count), rest
    raise ValueError(f"{name} takes no parameters.")


def _after(parts: list[str], sign: str) -> list[str]:
    if not parts or parts[0] != sign:
        raise ValueError(f"{sign} is missing in a type.")
    return parts[1:]


def _list_of(item: Check) -> Check:
    return lambda value: isinstance(value, list) and all(item(one) for one in value)


def _range_of(item: Check) -> Check:
    return lambda value: (
        isinstance(value, FeelRange) and all(end is None or item(end) for end in (value.start, value.end))
    )


def _context_of(fields: dict[str, Check]) -> Check:
    return lambda value: (
        isinstance(value, dict)
        and all(key in value and (value[key] is None or field(value[key])) for key, field in fields.items())
    )


def _function_of(count: int) -> Check:
    return lambda value: isinstance(value, FeelFunction) and len(value.parameters) == count
