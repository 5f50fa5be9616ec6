"""The closures: small functions of the environment, one for each construct of FEEL.

Each takes the common case first (two values of one plain type) and leaves the rest to a slow path that also notes why
something became null.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from furong.foundation.feel import temporal
from furong.foundation.feel.arithmetic import OPERATORS, NotDefined, negate
from furong.foundation.feel.parser import Site as Site
from furong.foundation.feel.types import Check
from furong.foundation.feel.values import (
    NUMBERS,
    FeelRange,
    Run,
    YearsMonths,
    compare,
    equal,
    kind,
)
from furong.foundation.feel.wide import WideDate, WideMoment, WideTime, nanosecond

Env = list[object]
Fn = Callable[[Env], object]

INPUT = 1
MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
PLAIN = frozenset((Decimal, str, date, timedelta, YearsMonths))
PYTHON = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_HOLDS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


NOWHERE = Site(0, 0)


def run_of(env: Env) -> Run:
    return env[0]  # type: ignore[return-value]


def problem(env: Env, code: str, message: str, site: Site) -> None:
    run_of(env).problem(code, message, site.line, site.column)


# --- leaves -----------------------------------------------------------------------------------------------------


def constant(value: object) -> Fn:
    return lambda env: value


def broken(code: str, message: str, site: Site) -> Fn:
    """Null, and a problem each time: what a lenient program makes of an unknown name or a wrong call."""

    def nothing(env: Env) -> object:
        problem(env, code, message, site)
        return None

    return nothing


def variable(place: int) -> Fn:
    return lambda env: env[place]


def either_value(place: int, otherwise: object) -> Fn:
    """A variable, or what its name means when there is none."""

    def look(env: Env) -> object:
        found = env[place]
        return otherwise if found is None else found

    return look


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


def not_boolean(env: Env, value: object, site: Site) -> None:
    if value is not None:
        problem(env, "feel.type", f"A condition is {kind(value)}, not boolean.", site)


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
                not_boolean(env, first, site)
            if second is not True:
                not_boolean(env, second, site)
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
                not_boolean(env, value, site)
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
                not_boolean(env, value, site)
                result = None
        return result

    return any_of_them


def if_else(condition: Fn, yes: Fn, no: Fn, site: Site = NOWHERE) -> Fn:
    """``if``: null counts as false; what is no boolean at all makes the result null."""

    def choose(env: Env) -> object:
        holds = condition(env)
        if holds is True:
            return yes(env)
        if holds is False or holds is None:
            return no(env)
        not_boolean(env, holds, site)
        return None

    return choose


def compared(env: Env, left: object, sign: str, right: object, site: Site) -> bool | None:
    """Any comparison, the slow way."""
    if sign in ("=", "!="):
        same = equal(left, right, run_of(env))
        if same is None:
            problem(env, "feel.type", f"{kind(left)} and {kind(right)} are not compared.", site)
            return None
        return same if sign == "=" else not same
    order = compare(left, right)
    if order is None:
        problem(env, "feel.type", f"{sign} does not compare {kind(left)} with {kind(right)}.", site)
        return None
    return _HOLDS[sign](order)


def compare_two(left: Fn, sign: str, right: Fn, site: Site) -> Fn:
    if sign in ("=", "!="):

        def same(env: Env) -> object:
            return compared(env, left(env), sign, right(env), site)

        return same
    python = PYTHON[sign]

    def ordered(env: Env) -> object:
        one, other = left(env), right(env)
        found = type(one)
        if found is type(other) and found in PLAIN:
            return python(one, other)  # type: ignore[arg-type]
        return compared(env, one, sign, other, site)

    return ordered


def compare_constant(left: Fn, place: int, sign: str, value: object, site: Site) -> Fn:
    """A comparison with a constant; with a plain variable on the left it costs one call."""
    wanted = type(value)
    if wanted not in PLAIN and wanted is not bool:
        return compare_two(left, sign, constant(value), site)
    if sign == "=":
        if place:

            def variable_is(env: Env) -> object:
                one = env[place]
                if type(one) is wanted:
                    return one == value
                return compared(env, one, "=", value, site)

            return variable_is

        def same(env: Env) -> object:
            one = left(env)
            if type(one) is wanted:
                return one == value
            return compared(env, one, "=", value, site)

        return same
    if sign == "!=" or wanted is bool:
        return compare_two(left, sign, constant(value), site)
    python = PYTHON[sign]
    if place:

        def variable_ordered(env: Env) -> object:
            one = env[place]
            if type(one) is wanted:
                return python(one, value)  # type: ignore[arg-type]
            return compared(env, one, sign, value, site)

        return variable_ordered

    def ordered(env: Env) -> object:
        one = left(env)
        if type(one) is wanted:
            return python(one, value)  # type: ignore[arg-type]
        return compared(env, one, sign, value, site)

    return ordered


def between(value: Fn, low: Fn, high: Fn, site: Site) -> Fn:
    def inside(env: Env) -> object:
        one = value(env)
        above = compared(env, one, ">=", low(env), site)
        below = compared(env, one, "<=", high(env), site)
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
            problem(env, "feel.type", str(why), site)
        except (ArithmeticError, ValueError):
            problem(env, "feel.arithmetic", f"The result of {sign} is too large, or is no value.", site)
        return None

    return compute


def negation(value: Fn, site: Site) -> Fn:
    def minus(env: Env) -> object:
        try:
            return negate(value(env))
        except NotDefined as why:
            problem(env, "feel.type", str(why), site)
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
            problem(env, "feel.type", f"{kind(low)} and {kind(high)} do not make a range.", site)
            return None
        return FeelRange(low, high, start_included, end_included)

    return make


def unary_range(sign: str, end: Fn, site: Site) -> Fn:
    """``(< 5)`` as a value: a range with one end, a point for ``=``, all but a point for ``!=`` (10.3.2.7)."""

    def make(env: Env) -> object:
        value = end(env)
        if compare(value, value) is None and sign not in ("=", "!="):
            problem(env, "feel.type", f"{kind(value)} does not make a range.", site)
            return None
        if sign in ("=", "!="):
            return FeelRange(value, value, True, True, sign)
        if sign[0] == "<":
            return FeelRange(None, value, False, sign == "<=", sign)
        return FeelRange(value, None, sign == ">=", False, sign)

    return make


def path(value: Fn, name: str, site: Site) -> Fn:
    def walk(env: Env) -> object:
        one = value(env)
        if type(one) is dict:
            if name in one:
                return one[name]
            problem(env, "feel.unknown_entry", f"The context has no entry {name}.", site)
            return None
        if type(one) is list:
            run_of(env).spend(len(one))
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
        problem(env, "feel.unknown_entry", f"{kind(value)} has no {name}.", site)
        return None
    return found


def _value_property(value: object, name: str) -> object:
    if isinstance(value, date | WideDate | WideMoment):
        if name in ("year", "month", "day"):
            return Decimal(getattr(value, name))
        if name == "weekday":
            return Decimal(value.isoweekday())
    if isinstance(value, datetime | time | WideTime | WideMoment):
        if name in ("hour", "minute"):
            return Decimal(getattr(value, name))
        if name == "second":
            return Decimal(value.second) + Decimal(nanosecond(value)).scaleb(-9)
        if name == "time offset":
            return value.utcoffset()
        if name == "timezone":
            return temporal.zone_of(value)
    if isinstance(value, date | WideDate) and name in ("hour", "minute", "second", "time offset", "timezone"):
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
    problem(env, "feel.index", "The list has no item there.", site)
    return None


def as_list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def item_at(value: Fn, position: Decimal, site: Site) -> Fn:
    return lambda env: _at(env, as_list(value(env)), position, site)


def filtered(value: Fn, place: int, condition: Fn, site: Site, cost: int = 1) -> Fn:
    """``list[condition]``; a condition that turns out to be a number is an index."""

    def keep(env: Env) -> object:
        values = as_list(value(env))
        run = run_of(env)
        kept: list[object] = []
        if not values:
            env[place] = None
            # Nothing to filter; yet a number says that an item was asked for.
            return _at(env, values, found, site) if isinstance(found := condition(env), Decimal) else kept
        for i, one in enumerate(values):
            run.spend(cost)
            env[place] = one
            holds = condition(env)
            if holds is True:
                kept.append(one)
            elif i == 0 and isinstance(holds, Decimal):
                return _at(env, values, holds, site)
            elif holds is not False and holds is not None:
                not_boolean(env, holds, site)
                return None
        return kept

    return keep
