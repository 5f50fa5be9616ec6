"""Variables of an instance: JSON values. Numbers are exact (Decimal), moments travel as ISO 8601 texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from furong.domains.processes.errors import VariablesRefused

# A case's variables are decisions and keys; its documents and answers live with the case.
MOST_BYTES = 256 * 1024


_decode = json.JSONDecoder(parse_float=Decimal).decode
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_PLAIN = frozenset({str, int, bool, type(None)})


def load(text: str) -> dict[str, Any]:
    """Read the variables of a row."""
    found: dict[str, Any] = _decode(text)
    return found


def dump(values: Mapping[str, object]) -> str:
    """Write variables as JSON text. Raises `VariablesRefused` for what JSON has no place for, and for too much."""
    text = json_text(values)
    if len(text) > MOST_BYTES:
        raise VariablesRefused(why=f"they take more than {MOST_BYTES // 1024} KB")
    if "\\u0000" in text:
        raise VariablesRefused(why="a text holds a null character")
    return text


def json_text(value: object) -> str:
    """Write a value as JSON text of any length, numbers exact. Raises `VariablesRefused` for what JSON has no place for."""
    try:
        return _encode(value)
    except (TypeError, ValueError):
        return _write(value, 0)


def as_json(values: Mapping[str, object]) -> dict[str, Any]:
    """Give variables as they will be when they are read again: moments as texts, numbers exact."""
    if all(type(value) in _PLAIN for value in values.values()):
        return dict(values)
    return load(dump(values))


def _write(value: object, depth: int) -> str:
    if depth > 40:
        raise VariablesRefused(why="they are nested too deeply")
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise VariablesRefused(why="a number is not finite")
        return format(value, "f")
    if isinstance(value, Enum):
        return _write(value.value, depth)
    if value is None or isinstance(value, bool | int | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return _write(Decimal(repr(value)), depth)
    if isinstance(value, Mapping):
        inner = ",".join(
            f"{json.dumps(str(key), ensure_ascii=False)}:{_write(one, depth + 1)}" for key, one in value.items()
        )
        return f"{{{inner}}}"
    if isinstance(value, list | tuple | set | frozenset):
        return f"[{','.join(_write(one, depth + 1) for one in value)}]"
    if isinstance(value, datetime | date | time):
        return json.dumps(value.isoformat())
    if isinstance(value, timedelta):
        return json.dumps(_duration(value))
    if isinstance(value, UUID) or type(value).__name__ == "YearsMonths":
        return json.dumps(str(value))
    raise VariablesRefused(why=f"a value of type {type(value).__name__} is not JSON")


def _duration(value: timedelta) -> str:
    """Give ISO 8601 for a length of time: P1DT2H, -PT30S, PT0S."""
    sign, seconds = ("-", -value) if value < timedelta() else ("", value)
    hours, rest = divmod(seconds.seconds, 3600)
    minutes, whole = divmod(rest, 60)
    exact = Decimal(whole) + Decimal(seconds.microseconds) / 1_000_000
    clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes) + f"{exact.normalize():f}S" * bool(exact)
    days = f"{seconds.days}D" * bool(seconds.days)
    return f"{sign}P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"
