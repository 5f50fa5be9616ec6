"""The closures that DMN adds to FEEL's: types of results, functions with types, boxed conditionals and iterators."""

from __future__ import annotations

from collections.abc import Sequence

from furong.domains.decisions.item_types import ItemType
from furong.foundation.feel import FeelFunction, FeelLimitReached
from furong.foundation.feel.operators import Env, Fn, problem, run_of
from furong.foundation.feel.parser import Site
from furong.foundation.feel.values import Run, check_size, kind

__all__ = [
    "MOST_CALLS",
    "after",
    "coerced",
    "conditional",
    "fault",
    "fit",
    "only_booleans",
    "typed_function",
    "whole_or_null",
]

MOST_CALLS = 60


def fault(rule: str, message: str, line: int) -> Fn:
    """Make what stands for an expression that cannot be run: null, and why."""

    def note(env: Env) -> object:
        run_of(env).problem(rule, message, line)
        return None

    return note


def after(first: Fn, then: Fn) -> Fn:
    """Make a closure that runs both and returns what the second gives."""

    def both(env: Env) -> object:
        first(env)
        return then(env)

    return both


def fit(wanted: ItemType, value: object) -> tuple[object, bool]:
    """Coerce a value that an expression made, once it is known to be of bounded size.

    A small expression can make a value that holds another twice, and so on; a check of its type walks all of it.
    Raises ``FeelLimitReached``.
    """
    return wanted.coerce(check_size(value))


def coerced(fn: Fn, wanted: ItemType | None, line: int) -> Fn:
    """Make a closure whose result has the type ``wanted``, or is null with a note (10.3.2.9.4)."""
    if wanted is None:
        return fn

    def typed(env: Env) -> object:
        value, fits = fit(wanted, fn(env))
        if not fits:
            run_of(env).problem("decisions.type", f"The expression's value is no {wanted.name}.", line)
        return value

    return typed


def fitted_arguments(
    run: Run, names: Sequence[str], types: Sequence[ItemType | None], arguments: Sequence[object], line: int
) -> list[object] | None:
    """Fit arguments to parameters; None, with a note, when one does not fit (10.3.2.13.3)."""
    if len(arguments) != len(names):
        run.problem("feel.arguments", f"The function takes {len(names)} arguments.", line)
        return None
    made: list[object] = []
    for name, wanted, argument in zip(names, types, arguments, strict=True):
        value, fits = (argument, True) if wanted is None else fit(wanted, argument)
        if not fits:
            run.problem("decisions.argument_type", f"The argument {name} is no {wanted.name if wanted else ''}.", line)
            return None
        made.append(value)
    return made


def enter(run: Run) -> None:
    """Count a call within calls. Raises ``FeelLimitReached`` beyond 60."""
    run.spend()
    run.calls += 1
    if run.calls > MOST_CALLS:
        run.calls -= 1
        raise FeelLimitReached(f"{MOST_CALLS} calls within calls")


def typed_function(
    names: tuple[str, ...], places: tuple[int, ...], types: tuple[ItemType | None, ...], body: Fn, line: int
) -> Fn:
    """Make a closure that makes a FEEL function of what the environment then holds."""

    def make(env: Env) -> object:
        seen = env.copy()

        def call(run: Run, arguments: Sequence[object]) -> object:
            values = fitted_arguments(run, names, types, arguments, line)
            if values is None:
                return None
            enter(run)
            inner = seen.copy()
            inner[0] = run
            for place, value in zip(places, values, strict=True):
                inner[place] = value
            try:
                return body(inner)
            finally:
                run.calls -= 1

        return FeelFunction(names, call)

    return make


# --- boxes ------------------------------------------------------------------------------------------------------


class _NotBoolean(Exception):  # noqa: N818  never leaves the box
    """A condition gave something that is neither true, false nor null."""


def conditional(condition: Fn, yes: Fn, no: Fn, site: Site) -> Fn:
    """Make a boxed conditional; a condition that is no boolean makes it null (DMN 1.5, 10.2.2.6)."""

    def choose(env: Env) -> object:
        holds = condition(env)
        if holds is True:
            return yes(env)
        if holds is False or holds is None:
            return no(env)
        problem(env, "feel.type", f"The condition is {kind(holds)}, not boolean.", site)
        return None

    return choose


def only_booleans(condition: Fn) -> Fn:
    """Guard the condition of a boxed filter or quantifier, for ``whole_or_null``."""

    def ask(env: Env) -> object:
        holds = condition(env)
        if holds is None or isinstance(holds, bool):
            return holds
        raise _NotBoolean(kind(holds))

    return ask


def whole_or_null(box: Fn, site: Site) -> Fn:
    """Make ``box`` null when one of its conditions is no boolean."""

    def run(env: Env) -> object:
        try:
            return box(env)
        except _NotBoolean as found:
            problem(env, "feel.type", f"A condition is {found}, not boolean.", site)
            return None

    return run
