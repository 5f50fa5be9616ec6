"""The closures: small functions of the environment, one for each construct of FEEL.

Each takes the common case first (two values of one plain type) and leaves the rest to a slow path that also notes why
something became null.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from furong.foundation.feel import temporal
from furong.foundation.feel.arithmetic import OPERATORS, NotDefined, negate
from furong.foundation.feel.errors import FeelLimitReached
from furong.foundation.feel.functions.registry import Null, Overload
from furong.foundation.feel.types import Check
from furong.foundation.feel.values import (
    MOST_ITEMS,
    NUMBERS,
    FeelFunction,
    FeelRange,
    Run,
    YearsMonths,
    compare,
    equal,
    kind,
)

Env = list[object]
Fn = Callable[[Env], object]
Test = Callable[[Env, object], "bool | None"]

INPUT = 1
MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_PLAIN = frozenset((Decimal, str, date, timedelta, YearsMonths))
_PYTHON = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_HOLDS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}
_MOST_CALLS = 40


@dataclass(frozen=True, slots=True)
class Site:
    """Where in its text an expression stands."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Iterator_:  # noqa: N801  typing's Iterator is in use here
    """``x in xs`` or ``x in 1..9``: the place of x and what it runs over."""

    place: int
    source: Fn
    end: Fn | None
    site: Site


def _run(env: Env) -> Run:
    return env[0]  # type: ignore[return-value]


def _problem(env: Env, code: str, message: str, site: Site) -> None:
    _run(env).problem(code, message, site.line, site.column)


# --- leaves -----------------------------------------------------------------------------------------------------


def constant(value: object) -> Fn:
    return lambda env: value


def variable(place: int) -> Fn:
    return lambda env: env[place]


def in_items(name: str, places: tuple[int, ...], outer: Fn) -> Fn:
    """A name inside of filters: an entry of the item, or what the name is outside."""

    def look(env: Env) -> object:
        for place in places:
            item = env[place]
            if type(item) is dict and name in item:
                return item[name]
        return outer(env)

    return look


# --- logic ------------------------------------------------------------------------------------------------------


def _not_boolean(env: Env, value: object, site: Site) -> None:
    if value is not None:
        _problem(env, "feel.type", f"A condition is {kind(value)}, not boolean.", site)


def both(parts: Sequence[Fn], site: Site) -> Fn:
    if len(parts) == 2:
        left, right = parts

        def two(env: Env) -> object:
            first = left(env)
            if first is False:
                return False
            second = right(env)
            if second is False:
                return False
            if first is True and second is True:
                return True
            if first is not True:
                _not_boolean(env, first, site)
            if second is not True:
                _not_boolean(env, second, site)
            return None

        return two
    many = tuple(parts)

    def all_of(env: Env) -> object:
        result: bool | None = True
        for part in many:
            value = part(env)
            if value is False:
                return False
            if value is not True:
                _not_boolean(env, value, site)
                result = None
        return result

    return all_of


def either(parts: Sequence[Fn], site: Site) -> Fn:
    many = tuple(parts)

    def any_of_them(env: Env) -> object:
        result: bool | None = False
        for part in many:
            value = part(env)
            if value is True:
                return True
            if value is not False:
                _not_boolean(env, value, site)
                result = None
        return result

    return any_of_them


def if_else(condition: Fn, yes: Fn, no: Fn) -> Fn:
    return lambda env: yes(env) if condition(env) is True else no(env)


def _compared(env: Env, left: object, sign: str, right: object, site: Site) -> bool | None:
    """Any comparison, the slow way."""
    if sign in ("=", "!="):
        same = equal(left, right)
        if same is None:
            _problem(env, "feel.type", f"{kind(left)} and {kind(right)} are not compared.", site)
            return None
        return same if sign == "=" else not same
    order = compare(left, right)
    if order is None:
        _problem(env, "feel.type", f"{sign} does not compare {kind(left)} with {kind(right)}.", site)
        return None
    return _HOLDS[sign](order)


def compare_two(left: Fn, sign: str, right: Fn, site: Site) -> Fn:
    if sign in ("=", "!="):

        def same(env: Env) -> object:
            return _compared(env, left(env), sign, right(env), site)

        return same
    python = _PYTHON[sign]

    def ordered(env: Env) -> object:
        one, other = left(env), right(env)
        found = type(one)
        if found is type(other) and found in _PLAIN:
            return python(one, other)  # type: ignore[arg-type]
        return _compared(env, one, sign, other, site)

    return ordered


def compare_constant(left: Fn, place: int, sign: str, value: object, site: Site) -> Fn:
    """A comparison with a constant; with a plain variable on the left it costs one call."""
    wanted = type(value)
    if wanted not in _PLAIN and wanted is not bool:
        return compare_two(left, sign, constant(value), site)
    if sign == "=":
        if place:

            def variable_is(env: Env) -> object:
                one = env[place]
                if type(one) is wanted:
                    return one == value
                return _compared(env, one, "=", value, site)

            return variable_is

        def same(env: Env) -> object:
            one = left(env)
            if type(one) is wanted:
                return one == value
            return _compared(env, one, "=", value, site)

        return same
    if sign == "!=" or wanted is bool:
        return compare_two(left, sign, constant(value), site)
    python = _PYTHON[sign]
    if place:

        def variable_ordered(env: Env) -> object:
            one = env[place]
            if type(one) is wanted:
                return python(one, value)  # type: ignore[arg-type]
            return _compared(env, one, sign, value, site)

        return variable_ordered

    def ordered(env: Env) -> object:
        one = left(env)
        if type(one) is wanted:
            return python(one, value)  # type: ignore[arg-type]
        return _compared(env, one, sign, value, site)

    return ordered


def between(value: Fn, low: Fn, high: Fn, site: Site) -> Fn:
    def inside(env: Env) -> object:
        one = value(env)
        above = _compared(env, one, ">=", low(env), site)
        below = _compared(env, one, "<=", high(env), site)
        if above is False or below is False:
            return False
        return None if above is None or below is None else True

    return inside


def instance_of(value: Fn, check: Check) -> Fn:
    return lambda env: check(value(env))


# --- arithmetic -------------------------------------------------------------------------------------------------

_FAST = {"+": NUMBERS.add, "-": NUMBERS.subtract, "–": NUMBERS.subtract, "*": NUMBERS.multiply}


def arithmetic(left: Fn, sign: str, right: Fn, site: Site) -> Fn:
    slow = OPERATORS[sign]
    fast = _FAST.get(sign)

    def compute(env: Env) -> object:
        one, other = left(env), right(env)
        try:
            if fast is not None and type(one) is Decimal and type(other) is Decimal:
                return fast(one, other)
            return slow(one, other)
        except NotDefined as why:
            _problem(env, "feel.type", str(why), site)
        except (ArithmeticError, ValueError):
            _problem(env, "feel.arithmetic", f"The result of {sign} is too large, or is no value.", site)
        return None

    return compute


def negation(value: Fn, site: Site) -> Fn:
    def minus(env: Env) -> object:
        try:
            return negate(value(env))
        except NotDefined as why:
            _problem(env, "feel.type", str(why), site)
            return None

    return minus


# --- structures -------------------------------------------------------------------------------------------------


def make_list(items: tuple[Fn, ...]) -> Fn:
    return lambda env: [item(env) for item in items]


def make_context(entries: tuple[tuple[str, int, Fn], ...]) -> Fn:
    def make(env: Env) -> object:
        made: dict[str, object] = {}
        for key, place, fn in entries:
            made[key] = env[place] = fn(env)
        return made

    return make


def make_range(start: Fn, end: Fn, start_included: bool, end_included: bool, site: Site) -> Fn:
    def make(env: Env) -> object:
        low, high = start(env), end(env)
        if compare(low, high) is None:
            _problem(env, "feel.type", f"{kind(low)} and {kind(high)} do not make a range.", site)
            return None
        return FeelRange(low, high, start_included, end_included)

    return make


def path(value: Fn, name: str, site: Site) -> Fn:
    def walk(env: Env) -> object:
        one = value(env)
        if type(one) is dict:
            if name in one:
                return one[name]
            _problem(env, "feel.unknown_entry", f"The context has no entry {name}.", site)
            return None
        if type(one) is list:
            _run(env).spend(len(one))
            return [_property(env, item, name, site) for item in one]
        return _property(env, one, name, site)

    return walk


def _property(env: Env, value: object, name: str, site: Site) -> object:
    if type(value) is dict:
        return value.get(name)
    if value is None:
        return None
    found = _value_property(value, name)
    if found is NotImplemented:
        _problem(env, "feel.unknown_entry", f"{kind(value)} has no {name}.", site)
        return None
    return found


def _value_property(value: object, name: str) -> object:
    if isinstance(value, date):
        if name in ("year", "month", "day"):
            return Decimal(getattr(value, name))
        if name == "weekday":
            return Decimal(value.isoweekday())
    if isinstance(value, datetime | time):
        if name in ("hour", "minute"):
            return Decimal(getattr(value, name))
        if name == "second":
            return Decimal(value.second) + Decimal(value.microsecond).scaleb(-6)
        if name == "time offset":
            return value.utcoffset()
        if name == "timezone":
            return temporal.zone_of(value)
    if isinstance(value, date) and name in ("hour", "minute", "second", "time offset", "timezone"):
        return UTC_MIDNIGHT[name]  # a date counts as its midnight in UTC (10.3.2.3.5)
    if isinstance(value, YearsMonths):
        sign = -1 if value.months < 0 else 1
        if name == "years":
            return Decimal(sign * (abs(value.months) // 12))
        if name == "months":
            return Decimal(sign * (abs(value.months) % 12))
    if isinstance(value, timedelta):
        sign = -1 if value < timedelta() else 1
        span = abs(value)
        if name == "days":
            return Decimal(sign * span.days)
        if name == "hours":
            return Decimal(sign * (span.seconds // 3600))
        if name == "minutes":
            return Decimal(sign * (span.seconds % 3600 // 60))
        if name == "seconds":
            return sign * (Decimal(span.seconds % 60) + Decimal(span.microseconds).scaleb(-6))
    if isinstance(value, FeelRange):
        if name in ("start", "end"):
            return getattr(value, name)
        if name in ("start included", "end included"):
            return getattr(value, name.replace(" ", "_"))
    return NotImplemented


UTC_MIDNIGHT = {
    "hour": Decimal(0),
    "minute": Decimal(0),
    "second": Decimal(0),
    "time offset": timedelta(),
    "timezone": None,
}


def _at(env: Env, values: list[object], position: Decimal, site: Site) -> object:
    if position == position.to_integral_value() and 0 < abs(position) <= len(values):
        index = int(position)
        return values[index - 1] if index > 0 else values[index]
    _problem(env, "feel.index", "The list has no item there.", site)
    return None


def _as_list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def item_at(value: Fn, position: Decimal, site: Site) -> Fn:
    return lambda env: _at(env, _as_list(value(env)), position, site)


def filtered(value: Fn, place: int, condition: Fn, site: Site) -> Fn:
    """``list[condition]``; a condition that turns out to be a number is an index."""

    def keep(env: Env) -> object:
        values = _as_list(value(env))
        run = _run(env)
        kept: list[object] = []
        if not values:
            env[place] = None
            # Nothing to filter; yet a number says that an item was asked for.
            return _at(env, values, found, site) if isinstance(found := condition(env), Decimal) else kept
        for i, one in enumerate(values):
            run.spend()
            env[place] = one
            holds = condition(env)
            if holds is True:
                kept.append(one)
            elif i == 0 and isinstance(holds, Decimal):
                return _at(env, values, holds, site)
            elif holds is not False and holds is not None:
                _not_boolean(env, holds, site)
        return kept

    return keep


# --- loops ------------------------------------------------------------------------------------------------------


def _domain(env: Env, iterator: Iterator_) -> Iterator[object] | None:
    start = iterator.source(env)
    if iterator.end is None:
        if isinstance(start, FeelRange):
            return _steps(env, start.start, start.end, iterator.site, start.start_included, start.end_included)
        if start is None:
            _problem(env, "feel.type", "There is nothing to run over.", iterator.site)
            return None
        return iter(_as_list(start))
    return _steps(env, start, iterator.end(env), iterator.site, True, True)


def _steps(env: Env, low: object, high: object, site: Site, with_low: bool, with_high: bool) -> Iterator[object] | None:
    if isinstance(low, Decimal) and isinstance(high, Decimal):
        if low != low.to_integral_value() or high != high.to_integral_value() or max(abs(low), abs(high)) > 10**15:
            _problem(env, "feel.type", "An iteration runs over whole numbers.", site)
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
    _problem(env, "feel.type", f"An iteration does not run from {kind(low)} to {kind(high)}.", site)
    return None


def for_return(iterators: tuple[Iterator_, ...], partial: int, body: Fn) -> Fn:
    last = len(iterators) - 1

    def loop(env: Env) -> object:
        made: list[object] = []
        run = _run(env)

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
                    env[partial] = made
                    made.append(body(env))
                    if len(made) > MOST_ITEMS:
                        raise FeelLimitReached(f"{MOST_ITEMS} items")
            return True

        # A body that keeps ``partial`` would see it grow; it gets the list that is being made, as the spec says.
        return made if nest(0) else None

    return loop


def quantified(iterators: tuple[Iterator_, ...], body: Fn, *, some: bool) -> Fn:
    last = len(iterators) - 1

    def ask(env: Env) -> object:
        run = _run(env)
        unknown = False

        def nest(depth: int) -> bool | None:
            """True as soon as the answer is settled; None when there is nothing to run over."""
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
                holds = body(env)
                if holds is some:
                    return True
                if not isinstance(holds, bool):
                    unknown = True
            return False

        settled = nest(0)
        if settled is None:
            return None
        if settled:
            return some
        return None if unknown else not some

    return ask


# --- functions --------------------------------------------------------------------------------------------------


def make_function(names: tuple[str, ...], places: tuple[int, ...], checks: tuple[Check | None, ...], body: Fn) -> Fn:
    def make(env: Env) -> object:
        seen = env.copy()  # what the function sees of the places around it, as they are now

        def call(run: Run, arguments: Sequence[object]) -> object:
            run.spend()
            if len(arguments) != len(places):
                run.problem("feel.arguments", f"The function takes {len(places)} arguments.")
                return None
            inner = seen.copy()
            inner[0] = run
            for place, value, check in zip(places, arguments, checks, strict=True):
                if check is not None and value is not None and not check(value):
                    run.problem("feel.type", f"An argument is {kind(value)}, which its parameter does not take.")
                    return None
                inner[place] = value
            run.calls += 1
            if run.calls > _MOST_CALLS:
                raise FeelLimitReached(f"{_MOST_CALLS} calls within calls")
            try:
                return body(inner)
            finally:
                run.calls -= 1

        return FeelFunction(names, call)

    return make


def call_value(fn: Fn, arguments: tuple[Fn, ...], names: tuple[str, ...] | None, site: Site) -> Fn:
    def call(env: Env) -> object:
        found = fn(env)
        if not isinstance(found, FeelFunction):
            _problem(env, "feel.type", f"What is called is {kind(found)}, not a function.", site)
            return None
        values: list[object] = [argument(env) for argument in arguments]
        if names is not None:
            if set(names) - set(found.parameters):
                _problem(env, "feel.arguments", "The function has no such parameter.", site)
                return None
            by_name = dict(zip(names, values, strict=True))
            values = [by_name.get(name) for name in found.parameters]
        elif not found.variadic and len(values) != len(found.parameters):
            _problem(env, "feel.arguments", f"The function takes {len(found.parameters)} arguments.", site)
            return None
        return found.call(_run(env), values)

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
    return lambda env: run_builtin(_run(env), name, overload, [argument(env) for argument in arguments], site)


# --- tests ------------------------------------------------------------------------------------------------------


def anything(env: Env, value: object) -> bool | None:
    return True


def equals_constant(wanted: object) -> Test:
    found = type(wanted)

    def test(env: Env, value: object) -> bool | None:
        if type(value) is found:
            return value == wanted
        if isinstance(value, list):
            return None
        return False

    return test


def compare_test(sign: str, operand: Fn, site: Site) -> Test:
    if sign in ("=", "!="):
        return lambda env, value: _compared(env, value, sign, operand(env), site)
    python = _PYTHON[sign]

    def test(env: Env, value: object) -> bool | None:
        other = operand(env)
        found = type(value)
        if found is type(other) and found in _PLAIN:
            return bool(python(value, other))  # type: ignore[arg-type]
        if value is None or other is None:
            return None
        return _compared(env, value, sign, other, site)

    return test


def is_true(fn: Fn) -> Test:
    def test(env: Env, value: object) -> bool | None:
        before, env[INPUT] = env[INPUT], value
        try:
            holds = fn(env)
        finally:
            env[INPUT] = before
        return holds if isinstance(holds, bool) else None

    return test


def matches_value(fn: Fn, *, cell: bool) -> Test:
    """A test that is an expression: a range includes, a list contains, anything else equals."""

    def test(env: Env, value: object) -> bool | None:
        wanted = fn(env)
        if isinstance(wanted, FeelRange) and not isinstance(value, FeelRange):
            return None if value is None else wanted.includes(value)
        if isinstance(wanted, list) and not isinstance(value, list):
            return _contains(env, wanted, value)
        if isinstance(wanted, list) and isinstance(value, list):
            return equal(wanted, value) or any(equal(one, value) for one in wanted)
        if cell and isinstance(wanted, bool) and not isinstance(value, bool):
            return wanted  # an expression about other variables, which holds or does not
        return equal(value, wanted) or False

    return test


def _contains(env: Env, wanted: list[object], value: object) -> bool:
    _run(env).spend(len(wanted))
    for one in wanted:
        if isinstance(one, FeelRange) and not isinstance(value, FeelRange):
            if one.includes(value):
                return True
        elif equal(one, value):
            return True
    return False


def any_of(tests: tuple[Test, ...]) -> Test:
    def test(env: Env, value: object) -> bool | None:
        result: bool | None = False
        for one in tests:
            holds = one(env, value)
            if holds:
                return True
            if holds is None:
                result = None
        return result

    return test


def none_of(tests: tuple[Test, ...]) -> Test:
    some = any_of(tests)

    def test(env: Env, value: object) -> bool | None:
        holds = some(env, value)
        return None if holds is None else not holds

    return test


def in_tests(value: Fn, tests: tuple[Test, ...]) -> Fn:
    test = tests[0] if len(tests) == 1 else any_of(tests)
    return lambda env: test(env, value(env))
