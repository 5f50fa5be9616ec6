"""FEEL's types: what ``instance of`` asks and what typed parameters and DMN's item definitions check."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from furong.foundation.feel.values import FeelFunction, FeelRange, YearsMonths

__all__ = ["SIMPLE_TYPES", "type_check"]

_PYTHON: dict[str, type] = {
    "number": Decimal,
    "string": str,
    "boolean": bool,
    "date": date,
    "time": time,
    "date and time": datetime,
    "dateTime": datetime,
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


def type_check(text: str) -> Check:
    """This function will return the test for the type that ``text`` names, such as ``list<number>``.

    Raises ``ValueError`` for a type that FEEL does not have. Null is an instance of ``Null`` and ``Any`` alone.
    """
    parts = [part.strip() for part in _PARTS.findall(text) if part.strip()]
    check, rest = _read(parts, 20)
    if rest:
        raise ValueError(f"{text} is no type.")
    return check


def _exact(wanted: type) -> Check:
    return lambda value: type(value) is wanted


def _read(parts: list[str], depth: int) -> tuple[Check, list[str]]:
    if not parts or depth <= 0:
        raise ValueError("A type is missing.")
    name, rest = parts[0], parts[1:]
    if name == "Any":
        return (lambda value: value is not None), rest
    if name not in _PYTHON:
        raise ValueError(f"FEEL has no type {name!r}.")
    if not rest or rest[0] != "<":
        return _exact(_PYTHON[name]), rest
    rest = rest[1:]
    if name == "list":
        item, rest = _read(rest, depth - 1)
        return _list_of(item), _after(rest, ">")
    if name == "range":
        item, rest = _read(rest, depth - 1)
        return _range_of(item), _after(rest, ">")
    if name == "context":
        fields: dict[str, Check] = {}
        while True:
            if len(rest) < 3 or rest[1] != ":":
                raise ValueError("A context's type is context<name: type>.")
            fields[rest[0]], rest2 = _read(rest[2:], depth - 1)
            rest = rest2
            if rest and rest[0] == ",":
                rest = rest[1:]
                continue
            return _context_of(fields), _after(rest, ">")
    if name == "function":
        count = 0
        while rest and rest[0] != ">":
            _, rest = _read(rest, depth - 1)
            count += 1
            if rest and rest[0] == ",":
                rest = rest[1:]
        rest = _after(rest, ">")
        if rest and rest[0] == "->":
            _, rest = _read(rest[1:], depth - 1)
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
        isinstance(value, dict) and all(key in value and field(value[key]) for key, field in fields.items())
    )


def _function_of(count: int) -> Check:
    return lambda value: isinstance(value, FeelFunction) and len(value.parameters) == count
