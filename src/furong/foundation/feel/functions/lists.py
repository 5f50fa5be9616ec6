"""Lists (10.3.4.4). Positions count from 1, or from the end with a minus."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import cmp_to_key

from furong.foundation.feel.arithmetic import OPERATORS, NotDefined
from furong.foundation.feel.errors import FeelLimitReached
from furong.foundation.feel.functions.registry import Null, builtin, whole
from furong.foundation.feel.values import MOST_ITEMS, NUMBERS, FeelFunction, Run, YearsMonths, compare, equal

_add = OPERATORS["+"]


def _numbers(run: Run, values: list[object]) -> list[Decimal]:
    run.spend(len(values))
    found = [one for one in values if isinstance(one, Decimal)]
    if len(found) != len(values) or not found:
        raise Null("Its items are not all numbers, or there are none.")
    return found


def _bounded(run: Run, values: list[object]) -> list[object]:
    run.spend(len(values))
    if len(values) > MOST_ITEMS:
        raise FeelLimitReached(f"{MOST_ITEMS} items")
    return values


def _position(position: Decimal, size: int, *, past_end: int = 0) -> int:
    at = whole(position, "position")
    if at == 0 or at > size + past_end or -at > size:
        raise Null("Its position lies outside.")
    return at - 1 if at > 0 else size + at


@builtin("list contains", "list: list, element: any")
def _contains(run: Run, values: list[object], element: object) -> object:
    run.spend(len(values))
    return any(equal(one, element, run) for one in values)


@builtin("count", "list: list")
def _count(run: Run, values: list[object]) -> object:
    return Decimal(len(values))


def _extreme(run: Run, values: list[object], sign: int) -> object:
    run.spend(len(values))
    if not values:
        raise Null("It has no items.")
    best = values[0]
    for one in values:
        order = compare(one, best)
        if order is None:
            raise Null("Its items do not compare.")
        if order * sign > 0:
            best = one
    return best


@builtin("min", "list: list", variadic="items")
def _min(run: Run, values: list[object]) -> object:
    return _extreme(run, values, -1)


@builtin("max", "list: list", variadic="items")
def _max(run: Run, values: list[object]) -> object:
    return _extreme(run, values, 1)


@builtin("sum", "list: list", variadic="items")
def _sum(run: Run, values: list[object]) -> object:
    run.spend(len(values))
    if not values:
        raise Null("It has no items.")
    if all(isinstance(one, Decimal) for one in values):
        total = Decimal(0)
        for one in values:
            total = NUMBERS.add(total, one)  # type: ignore[arg-type]
        return total
    found = values[0]
    if not isinstance(found, Decimal | timedelta | YearsMonths):
        raise Null("Its items are not all numbers, or durations.")
    try:
        for one in values[1:]:
            found = _add(found, one)
    except NotDefined as why:
        raise Null(str(why)) from None
    return found


@builtin("product", "list: list", variadic="items")
def _product(run: Run, values: list[object]) -> object:
    found = Decimal(1)
    for one in _numbers(run, values):
        found = NUMBERS.multiply(found, one)
    return found


@builtin("mean", "list: list", variadic="items")
def _mean(run: Run, values: list[object]) -> object:
    found = _numbers(run, values)
    return NUMBERS.divide(_sum(run, list(found)), Decimal(len(found)))  # type: ignore[arg-type]


@builtin("median", "list: list", variadic="items")
def _median(run: Run, values: list[object]) -> object:
    found = sorted(_numbers(run, values))
    half = len(found) // 2
    if len(found) % 2:
        return found[half]
    return NUMBERS.divide(NUMBERS.add(found[half - 1], found[half]), Decimal(2))


@builtin("stddev", "list: list", variadic="items")
def _stddev(run: Run, values: list[object]) -> object:
    found = _numbers(run, values)
    if len(found) < 2:
        raise Null("It has fewer than two items.")
    mean = _mean(run, list(found))
    total = Decimal(0)
    for one in found:
        away = NUMBERS.subtract(one, mean)  # type: ignore[arg-type]
        total = NUMBERS.add(total, NUMBERS.multiply(away, away))
    return NUMBERS.sqrt(NUMBERS.divide(total, Decimal(len(found) - 1)))


@builtin("mode", "list: list", variadic="items")
def _mode(run: Run, values: list[object]) -> object:
    if not values:
        return []
    counts: dict[Decimal, int] = {}
    for one in _numbers(run, values):
        counts[one] = counts.get(one, 0) + 1
    most = max(counts.values())
    return sorted(one for one, count in counts.items() if count == most)


def _three(run: Run, values: list[object], decides: bool) -> object:
    run.spend(len(values))
    if any(one is decides for one in values):
        return decides
    return None if any(not isinstance(one, bool) for one in values) else not decides


@builtin("all", "list: list", variadic="items")
def _all(run: Run, values: list[object]) -> object:
    return _three(run, values, False)


@builtin("any", "list: list", variadic="items")
def _any(run: Run, values: list[object]) -> object:
    return _three(run, values, True)


@builtin("sublist", "list: list, start position: number, length: number?")
def _sublist(run: Run, values: list[object], start: Decimal, length: Decimal | None = None) -> object:
    begin = _position(start, len(values))
    if length is None:
        return values[begin:]
    size = whole(length, "length", 0)
    if begin + size > len(values):
        raise Null("Its length reaches past the end.")
    return values[begin : begin + size]


@builtin("append", "list: list, item: any", variadic="tail")
def _append(run: Run, values: list[object], items: list[object]) -> object:
    return _bounded(run, [*values, *items])


@builtin("concatenate", "lists: list", variadic="pack")
def _concatenate(run: Run, lists: list[object]) -> object:
    joined: list[object] = []
    for one in lists:
        if one is None:
            raise Null("One of them is null.")
        joined.extend(one if isinstance(one, list) else [one])
        _bounded(run, joined)
    return joined


@builtin("insert before", "list: list, position: number, newItem: any")
def _insert(run: Run, values: list[object], position: Decimal, item: object) -> object:
    at = _position(position, len(values))
    return _bounded(run, [*values[:at], item, *values[at:]])


@builtin("remove", "list: list, position: number")
def _remove(run: Run, values: list[object], position: Decimal) -> object:
    at = _position(position, len(values))
    return _bounded(run, [*values[:at], *values[at + 1 :]])


def _replace(run: Run, values: list[object], position: Decimal, item: object) -> object:
    at = _position(position, len(values))
    return _bounded(run, [*values[:at], item, *values[at + 1 :]])


def _replace_matches(run: Run, values: list[object], match: FeelFunction, item: object) -> object:
    replaced: list[object] = []
    for one in values:
        found = match.call(run, (one, item))
        if not isinstance(found, bool):
            raise Null("Its match gives no boolean.")
        replaced.append(item if found else one)
    return _bounded(run, replaced)


@builtin("list replace", "list: list, position: number|function, newItem: any")
@builtin("list replace", "list: list, match: number|function, newItem: any")
def _list_replace(run: Run, values: list[object], where: object, item: object) -> object:
    if isinstance(where, FeelFunction):
        return _replace_matches(run, values, where, item)
    if isinstance(where, Decimal):
        return _replace(run, values, where, item)
    raise Null("Its position is no position.")


@builtin("reverse", "list: list")
def _reverse(run: Run, values: list[object]) -> object:
    return _bounded(run, values[::-1])


@builtin("index of", "list: list, match: any")
def _index_of(run: Run, values: list[object], match: object) -> object:
    run.spend(len(values))
    return [Decimal(i) for i, one in enumerate(values, 1) if equal(one, match, run)]


def _distinct(run: Run, values: list[object]) -> list[object]:
    kept: list[object] = []
    seen: set[object] = set()
    for one in values:
        if isinstance(one, str | Decimal | bool):
            mark = (type(one), one)
            if mark in seen:
                continue
            seen.add(mark)
            kept.append(one)
            continue
        run.spend(len(kept) + 1)
        if not any(equal(one, other, run) for other in kept):
            kept.append(one)
    return _bounded(run, kept)


@builtin("union", "lists: list", variadic="pack")
def _union(run: Run, lists: list[object]) -> object:
    return _distinct(run, _concatenate(run, lists))  # type: ignore[arg-type]


@builtin("distinct values", "list: list")
def _distinct_values(run: Run, values: list[object]) -> object:
    return _distinct(run, values)


@builtin("duplicate values", "list: list")
def _duplicate_values(run: Run, values: list[object]) -> object:
    run.spend(len(values) ** 2 // 10)
    return _distinct(run, [one for i, one in enumerate(values) if any(equal(one, other, run) for other in values[:i])])


@builtin("flatten", "list: list")
def _flatten(run: Run, values: list[object]) -> object:
    flat: list[object] = []
    stack: list[object] = values[::-1]
    while stack:
        run.spend()
        one = stack.pop()
        if isinstance(one, list):
            stack.extend(one[::-1])
        else:
            flat.append(one)
    return _bounded(run, flat)


def _sort_with(run: Run, values: list[object], before: Callable[[object, object], object]) -> object:
    def order(one: object, other: object) -> int:
        run.spend()
        first = before(one, other)
        if first is True:
            return -1
        second = before(other, one)
        if not isinstance(first, bool) or not isinstance(second, bool):
            raise Null("Its precedes gives no boolean.")
        return 1 if second else 0

    return sorted(values, key=cmp_to_key(order))


@builtin("sort", "list: list, precedes: function?")
def _sort(run: Run, values: list[object], precedes: FeelFunction | None = None) -> object:
    if precedes is not None:
        return _sort_with(run, values, lambda one, other: precedes.call(run, (one, other)))

    def before(one: object, other: object) -> object:
        order = compare(one, other)
        if order is None:
            raise Null("Its items do not compare.")
        return order < 0

    return _sort_with(run, values, before)
