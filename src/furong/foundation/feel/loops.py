"""The closures of ``for``, ``some``, ``every`` and of functions and their calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from furong.foundation.feel.arithmetic import NotDefined
from furong.foundation.feel.errors import FeelLimitReached
from furong.foundation.feel.functions.registry import Null, Overload
from furong.foundation.feel.operators import Env, Fn, Site, as_list, not_boolean, problem, run_of
from furong.foundation.feel.types import Check, convert
from furong.foundation.feel.values import MOST_ITEMS, FeelFunction, FeelRange, Run, compare, kind

_MOST_CALLS = 100


@dataclass(frozen=True, slots=True)
class Iterator_:  # noqa: N801  typing's Iterator is in use here
    """``x in xs`` or ``x in 1..9``: the place of x and what it runs over."""

    place: int
    source: Fn
    end: Fn | None
    site: Site


# --- loops ------------------------------------------------------------------------------------------------------


def _domain(env: Env, iterator: Iterator_) -> Iterator[object] | None:
    start = iterator.source(env)
    if iterator.end is None:
        if isinstance(start, FeelRange):
            if compare(start.start, start.end) == 1:
                problem(env, "feel.type", "The range ends before it starts.", iterator.site)
                return None
            return _steps(env, start.start, start.end, iterator.site, start.start_included, start.end_included)
        if start is None:
            problem(env, "feel.type", "There is nothing to run over.", iterator.site)
            return None
        return iter(as_list(start))
    return _steps(env, start, iterator.end(env), iterator.site, True, True)


def _steps(env: Env, low: object, high: object, site: Site, with_low: bool, with_high: bool) -> Iterator[object] | None:
    if isinstance(low, Decimal) and isinstance(high, Decimal):
        if low != low.to_integral_value() or high != high.to_integral_value() or max(abs(low), abs(high)) > 10**15:
            problem(env, "feel.type", "An iteration runs over whole numbers.", site)
            return None
        first, last = int(low), int(high)
        step = 1 if last >= first else -1
        first += 0 if with_low else step
        last -= 0 if with_high else step
        return (Decimal(n) for n in range(first, last + step, step))
    if type(low) is date and type(high) is date:
        first, last = low.toordinal(), high.toordinal()
        step = 1 if last >= first else -1
        first += 0 if with_low else step
        last -= 0 if with_high else step
        return (date.fromordinal(n) for n in range(first, last + step, step))
    problem(env, "feel.type", f"An iteration does not run from {kind(low)} to {kind(high)}.", site)
    return None


def for_return(iterators: tuple[Iterator_, ...], partial: int, body: Fn, cost: int = 1) -> Fn:
    """``for``; each round costs as many steps as ``cost`` says, which grows with the body's text."""
    last = len(iterators) - 1

    def loop(env: Env) -> object:
        made: list[object] = []
        run = run_of(env)

        def nest(depth: int) -> bool:
            domain = _domain(env, iterators[depth])
            if domain is None:
                return False
            place = iterators[depth].place
            for value in domain:
                run.spend()
                env[place] = value
                if depth < last:
                    if not nest(depth + 1):
                        return False
                else:
                    if partial:
                        # A copy: a body that keeps ``partial`` would otherwise make a list that holds itself.
                        run.spend(len(made) // 10)
                        env[partial] = made.copy()
                    if cost > 1:
                        run.spend(cost)
                    made.append(body(env))
                    if len(made) > MOST_ITEMS:
                        raise FeelLimitReached(f"{MOST_ITEMS} items")
            return True

        return made if nest(0) else None

    return loop


def quantified(iterators: tuple[Iterator_, ...], body: Fn, *, some: bool, cost: int = 1) -> Fn:
    last = len(iterators) - 1

    def ask(env: Env) -> object:
        run = run_of(env)
        unknown = False

        def nest(depth: int) -> bool | None:
            """True as soon as the answer is settled; None when it is null, for there is nothing to run over or ask."""
            nonlocal unknown
            domain = _domain(env, iterators[depth])
            if domain is None:
                return None
            place = iterators[depth].place
            for value in domain:
                run.spend()
                env[place] = value
                if depth < last:
                    inner = nest(depth + 1)
                    if inner is not False:
                        return inner
                    continue
                if cost > 1:
                    run.spend(cost)
                holds = body(env)
                if holds is some:
                    return True
                if holds is None:
                    unknown = True
                elif not isinstance(holds, bool):
                    not_boolean(env, holds, iterators[-1].site)
                    return None
            return False

        settled = nest(0)
        if settled is None:
            return None
        if settled:
            return some
        return None if unknown else not some

    return ask


# --- functions --------------------------------------------------------------------------------------------------


def make_function(
    names: tuple[str, ...],
    places: tuple[int, ...],
    checks: tuple[Check | None, ...],
    body: Fn,
    own_place: int = 0,
    result: Check | None = None,
    cost: int = 1,
) -> Fn:
    """A function definition; with ``own_place`` it sees itself there, with ``result`` it gives that or null."""

    def make(env: Env) -> object:
        seen = env.copy()  # what the function sees of the places around it, as they are now

        price = cost + len(seen) // 64  # each call copies the places

        def call(run: Run, arguments: Sequence[object]) -> object:
            run.spend(price)
            if len(arguments) != len(places):
                run.problem("feel.arguments", f"The function takes {len(places)} arguments.")
                return None
            inner = seen.copy()
            inner[0] = run
            for place, value, check in zip(places, arguments, checks, strict=True):
                if check is not None and value is not None and not check(value):
                    value, fits = convert(value, check)
                    if not fits:
                        run.problem("feel.type", f"An argument is {kind(value)}, which its parameter does not take.")
                        return None
                inner[place] = value
            run.calls += 1
            if run.calls > _MOST_CALLS:
                raise FeelLimitReached(f"{_MOST_CALLS} calls within calls")
            try:
                found = body(inner)
            finally:
                run.calls -= 1
            if result is None or found is None or result(found):
                return found
            found, fits = convert(found, result)
            if not fits:
                run.problem("feel.type", f"The function's result is {kind(found)}, which it does not give.")
            return found if fits else None

        made = FeelFunction(names, call)
        if own_place:
            seen[own_place] = made
        return made

    return make


def call_value(fn: Fn, arguments: tuple[Fn, ...], names: tuple[str, ...] | None, site: Site) -> Fn:
    def call(env: Env) -> object:
        found = fn(env)
        if not isinstance(found, FeelFunction):
            problem(env, "feel.type", f"What is called is {kind(found)}, not a function.", site)
            return None
        values: list[object] = [argument(env) for argument in arguments]
        if names is not None:
            if set(names) - set(found.parameters):
                problem(env, "feel.arguments", "The function has no such parameter.", site)
                return None
            by_name = dict(zip(names, values, strict=True))
            values = [by_name.get(name) for name in found.parameters]
        elif not found.variadic and len(values) != len(found.parameters):
            problem(env, "feel.arguments", f"The function takes {len(found.parameters)} arguments.", site)
            return None
        return found.call(run_of(env), values)

    return call


def run_builtin(run: Run, name: str, overload: Overload, arguments: Sequence[object], site: Site) -> object:
    try:
        return overload.call(run, arguments)
    except Null as why:
        run.problem("feel.function", f"{name}(): {why}", site.line, site.column)
    except (ArithmeticError, ValueError, NotDefined):
        run.problem("feel.function", f"{name}(): The result is too large, or is no value.", site.line, site.column)
    return None


def call_builtin(name: str, overload: Overload, arguments: tuple[Fn, ...], site: Site) -> Fn:
    return lambda env: run_builtin(run_of(env), name, overload, [argument(env) for argument in arguments], site)
