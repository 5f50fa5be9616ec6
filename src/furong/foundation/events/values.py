"""What an event is, how it becomes JSON and back, and when a failed delivery is tried again. Pure."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin
from uuid import UUID

from furong.foundation.events.errors import EventUnknownError

E = TypeVar("E", bound=type)

EVENTS: dict[str, type] = {}
_NAMES: dict[type, str] = {}


def event(name: str) -> Callable[[E], E]:
    """Register a frozen dataclass as the event ``name`` (``room.what_happened``).

    Its fields are identifiers, codes and times: an event never carries a name, a number, an address.
    """

    def decorate(cls: E) -> E:
        if not dataclasses.is_dataclass(cls) or not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            raise EventUnknownError(f"The event {name!r} is not a frozen dataclass.")
        known = EVENTS.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise EventUnknownError(f"Two events are called {name!r}.")
        EVENTS[name] = cls
        _NAMES[cls] = name
        return cls

    return decorate


def name_of(cls: type) -> str:
    """Give the registered name of an event class. Raises `EventUnknownError`."""
    try:
        return _NAMES[cls]
    except KeyError:
        raise EventUnknownError(f"{cls.__qualname__} is not registered as an event.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a handler is told beside the event. ``event_id`` is the same at every attempt: the key for effects elsewhere."""

    event_id: UUID
    name: str
    source: str
    occurred_at: datetime
    attempt: int
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A delivery given up: kept until somebody mends the cause and revives it."""

    event_id: UUID
    name: str
    handler: str
    attempts: int
    last_error: str
    since: datetime


MAX_ATTEMPTS = 16


def retry_after(attempts: int) -> timedelta:
    """Give the pause after the ``attempts``-th failure (from 1): 1 s, doubling, at most 10 minutes. 16 attempts last
    over an hour.
    """
    return timedelta(seconds=min(600, 2 ** min(attempts - 1, 10)))


def describe_error(exc: BaseException) -> str:
    """Name an error without its words, which may quote personal data: its type, its code if it has one, and where it
    arose.
    """
    code = getattr(exc, "code", "")
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(exc).__name__}{f' [{code}]' if isinstance(code, str) and code else ''}{place}"


# --- JSON ---------------------------------------------------------------------------------------------------


def to_json(value: object) -> Any:
    """Turn a dataclass or a plain value into what JSON holds. Raises TypeError for what `from_json` could not read back."""
    if value is None or (isinstance(value, bool | int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("A time without a zone cannot travel.")
        return value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_key(k): to_json(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((to_json(v) for v in value), key=str)
    if isinstance(value, list | tuple):
        return [to_json(v) for v in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} cannot travel as JSON.")


def _key(key: object) -> str:
    plain = to_json(key)
    if not isinstance(plain, str):
        raise TypeError("A key that travels as JSON is a text.")
    return plain


def from_json(kind: Any, found: Any) -> Any:
    """Read ``found`` back as the type ``kind``: a dataclass, a plain type, or a container or union of them.

    Fields that are missing take their default, and fields that are not known are left out, so that old and new code
    can run together.
    """
    origin = get_origin(kind)
    if kind is Any or kind is object or kind is type(None):
        return found
    if origin in (Union, types.UnionType):
        if found is None:
            return None
        options = [option for option in get_args(kind) if option is not type(None)]
        for option in options[:-1]:
            try:
                return from_json(option, found)
            except (TypeError, ValueError):
                continue
        return from_json(options[-1], found)
    if origin is typing.Literal:
        return found
    if origin in (list, set, frozenset, tuple) or kind in (list, set, frozenset, tuple):
        return _container(kind, origin or kind, found)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        keys, values = get_args(kind)
        return {from_json(keys, k): from_json(values, v) for k, v in found.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        names = {f.name for f in dataclasses.fields(kind) if f.init}
        return kind(**{name: from_json(hints[name], v) for name, v in found.items() if name in names})
    if kind in (UUID, Decimal):
        return kind(found)
    if kind in (datetime, date, time):
        return kind.fromisoformat(found)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(found)
    return found


def _container(kind: Any, origin: Any, found: Any) -> Any:
    inner = get_args(kind)
    if origin is tuple and inner and not (len(inner) == 2 and inner[1] is Ellipsis):
        return tuple(from_json(one, v) for one, v in zip(inner, found, strict=True))
    return origin(from_json(inner[0] if inner else Any, v) for v in found)


@lru_cache(maxsize=1024)
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
