"""FEEL values as JSON and back, exactly: no number passes through binary floating point."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import NoReturn

from furong.foundation.feel import CompiledExpression, FeelFunction, compile_expression
from furong.foundation.feel.values import kind

__all__ = ["read_json", "write_json"]

MOST_CHARACTERS = 20_000_000
_PLAIN_DIGITS = 60


def read_json(text: str) -> object:
    """Read JSON with every number as a decimal of all its digits.

    Raises ``ValueError`` for what is not JSON (``NaN`` and ``Infinity`` are not), is nested too deep for Python's
    reader, is longer than 20,000,000 characters, or has a number beyond decimals' reach.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"It is longer than {MOST_CHARACTERS} characters.")
    try:
        return json.loads(text, parse_int=Decimal, parse_float=Decimal, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("It is nested too deep.") from None
    except InvalidOperation:
        raise ValueError("It has a number that is too large.") from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON.")


def write_json(value: object) -> str:
    """Write a FEEL value as JSON on one line.

    Numbers have all their digits, without an exponent while they need no more than 60 places, and no noughts that say
    nothing. Dates, times, moments and durations are ISO 8601 texts (a moment in a named zone is written with its
    offset); ranges and functions are FEEL's texts. Raises nothing for what FEEL can hold.
    """
    text = "".join(_parts(value))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair has no UTF-8; JSON can escape it
        text = "".join(one if ord(one) < 0xD800 or ord(one) > 0xDFFF else f"\\u{ord(one):04x}" for one in text)
    return text


def _parts(value: object) -> list[str]:
    # Without recursion: a value may be nested deeper than Python's stack is.
    parts: list[str] = []
    waiting: list[tuple[bool, object]] = [(False, value)]
    while waiting:
        is_text, one = waiting.pop()
        if is_text:
            parts.append(str(one))
        elif isinstance(one, dict):
            waiting.append((True, "}"))
            for at, (key, item) in reversed(list(enumerate(one.items()))):
                waiting.append((False, item))
                waiting.append((True, f"{', ' if at else ''}{json.dumps(key, ensure_ascii=False)}: "))
            waiting.append((True, "{"))
        elif isinstance(one, list | tuple):
            waiting.append((True, "]"))
            for at, item in reversed(list(enumerate(one))):
                waiting.append((False, item))
                if at:
                    waiting.append((True, ", "))
            waiting.append((True, "["))
        else:
            parts.append(_leaf(one))
    return parts


def _leaf(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, int):
        return str(value)
    return json.dumps(_text(value), ensure_ascii=False)


def _number(value: Decimal) -> str:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or not value:
        return "0" if value.is_finite() else "null"
    while digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    exact = Decimal((sign, digits, exponent))
    if max(len(digits) + exponent, -exponent) <= _PLAIN_DIGITS:
        return format(exact, "f")
    return str(exact)


@cache
def _as_text() -> CompiledExpression:
    # Made when first needed: FEEL's grammar takes its time.
    return compile_expression("string(x)", known_names=("x",))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, FeelFunction):
        return f"function({', '.join(value.parameters)})"
    if isinstance(value, datetime) and (offset := value.utcoffset()) is not None:
        value = value.replace(tzinfo=timezone(offset))
    found = _as_text().evaluate({"x": value})
    return found if isinstance(found, str) else kind(value)
