"""In which of the register's databases an act happens.

The province keeps one store to read from (alias ``population``). Where it has city centres, each is a database of its own
(alias ``centre_4301``, by the city's first four digits) and the only writer of its people; a centre's own processes know their
centre by the alias ``population`` and no other (`is_counter`): whom it does not keep it cannot ask about. Without centres the
one store is both.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.conf import settings

from furong.foundation.audit import commands as audit
from furong.foundation.codes.errors import Refusal

from .errors import RegisteredElsewhere

P = ParamSpec("P")
R = TypeVar("R")
PROVINCE = "population"


@dataclass(slots=True)
class _Act:
    alias: str
    written: list[tuple[str, UUID]] = field(default_factory=list)
    refusal: Refusal | None = None  # nobody knows its subject: it happens nowhere, and that is put on record


Where = Callable[[Mapping[str, Any]], str]
Settled = Callable[[str, list[tuple[str, UUID]]], None]

_act: ContextVar[_Act | None] = ContextVar("furong_population_act", default=None)


def here() -> str:
    """Return the alias of the database in which the act that runs happens; the province's outside of one."""
    act = _act.get()
    return PROVINCE if act is None else act.alias


def is_one_of_several() -> bool:
    """Say whether the act that runs happens at one of several centres, so that others may keep people too."""
    return is_counter() or (routes.find is not None and here() != PROVINCE)


def is_counter() -> bool:
    """Say whether this process is a centre's own, which knows its city's people and nobody else's."""
    return routes.is_counter


def whose() -> str:
    """Return the name of the register in which the act that runs happens, the same in every process."""
    own = getattr(settings, "CENTRE", "")
    return f"centre_{own}" if own else here()


@contextmanager
def at(alias: str) -> Iterator[None]:
    """Have what runs inside happen in the database ``alias``."""
    token = _act.set(_Act(alias))
    try:
        yield
    finally:
        _act.reset(token)


def wrote(kind: str, key: UUID) -> None:
    """Remember what the act wrote (a ``change``, a ``household``, a ``step``), so that its caller can wait
    until the province shows it.
    """
    act = _act.get()
    if act is not None:
        act.written.append((kind, key))


class _Routes:
    """Says where acts happen and when the province shows them; bound by `centres` where there are any."""

    def __init__(self) -> None:
        self.find: Callable[[str, Any], str] | None = None
        self.settled: Settled | None = None
        self.carries: Callable[[str, str], bool] | None = None
        self.alias_of: Callable[[str], str] | None = None
        self.is_counter = False


routes = _Routes()


def carries_number(number: str, number_type: str) -> bool:
    """Say whether somebody of another centre carries a number; False while the province cannot be asked."""
    return routes.carries is not None and is_one_of_several() and routes.carries(number, number_type)


def _moved_on(act: _Act, moved: RegisteredElsewhere) -> _Act:
    """Give the act at the centre to which its subject moved on. Raises the refusal where that is none other."""
    alias = routes.alias_of(moved.to_division) if routes.alias_of is not None and moved.to_division else act.alias
    if alias == act.alias or act.refusal is not None:
        raise moved
    return _Act(alias)


def command(name: str, *, of: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a command (`audit.commands.command`) in the database of the thing that its argument ``of`` names.

    ``of`` is ``person_id``, ``household_id``, ``division_code``, ``stay_id`` or ``effect_id``, or another argument as
    ``child_person_id:person_id``; empty for acts of the one store. Called within another act it happens where that one does.
    """
    argument, _, kind = of.partition(":")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def act_or_refuse(*args: P.args, **kwargs: P.kwargs) -> R:
            act = _act.get()
            if act is not None and act.refusal is not None:
                raise act.refusal
            return function(*args, **kwargs)

        inner = audit.command(name, database=here)(act_or_refuse)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            if routes.find is None or _act.get() is not None or not argument:
                return inner(*args, **kwargs)
            try:
                act = _Act(routes.find(kind or argument, kwargs.get(argument)))
            except Refusal as refusal:
                act = _Act(PROVINCE, refusal=refusal)
            try:
                result = run(act, args, kwargs)
            except RegisteredElsewhere as moved:
                # They moved since the province was asked; the centre that they left knows where to.
                act = _moved_on(act, moved)
                result = run(act, args, kwargs)
            if routes.settled is not None and act.alias != PROVINCE:
                routes.settled(act.alias, act.written)
            return result

        def run(act: _Act, args: Any, kwargs: Any) -> R:
            token = _act.set(act)
            try:
                return inner(*args, **kwargs)
            finally:
                _act.reset(token)

        return wrapper

    return decorate
