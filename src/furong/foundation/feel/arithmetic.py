"""What + - * / ** do with each pair of types (DMN 1.5, tables 55 to 57)."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from furong.foundation.feel import temporal
from furong.foundation.feel.errors import FeelLimitReached
from furong.foundation.feel.values import MOST_TEXT, NUMBERS, YearsMonths, kind
from furong.foundation.feel.wide import (
    Day,
    Moment,
    WideDate,
    WideMoment,
    WideTime,
    day_of,
    make_moment,
    moved,
    moved_time,
    ordinal,
    span,
)

__all__ = ["OPERATORS", "NotDefined", "negate"]


class NotDefined(Exception):  # noqa: N818  becomes a null with a problem, never leaves the module's callers
    """The operation has no meaning for these values: the result is null."""


def _undefined(sign: str, left: object, right: object) -> NotDefined:
    if left is None or right is None:
        return NotDefined(f"An operand of {sign} is null.")
    return NotDefined(f"{sign} is not defined for {kind(left)} and {kind(right)}.")


def _whole(number: Decimal) -> int:
    return int(number.to_integral_value(decimal.ROUND_DOWN))


def _at_midnight(day: Day) -> Moment:
    # A date in company of a date and time counts as its midnight in UTC (10.3.2.3.5).
    return make_moment(day, time(tzinfo=UTC))


def _add_duration(left: object, right: object) -> object:
    if isinstance(right, YearsMonths):
        if isinstance(left, date | WideDate | WideMoment):
            return temporal.add_months(left, right.months)
        if isinstance(left, YearsMonths):
            return YearsMonths(left.months + right.months)
    elif isinstance(right, timedelta):
        if isinstance(left, datetime | WideMoment):
            return moved(left, right)
        if isinstance(left, date | WideDate):
            return day_of(moved(make_moment(left, time()), right))
        if isinstance(left, time | WideTime):
            return moved_time(left, right)
        if isinstance(left, timedelta):
            return left + right
    return None


def _add(left: object, right: object) -> object:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return NUMBERS.add(left, right)
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MOST_TEXT:
            raise FeelLimitReached(f"{MOST_TEXT} characters")
        return left + right
    found = _add_duration(left, right)
    if found is None:
        found = _add_duration(right, left)
    if found is None:
        raise _undefined("+", left, right)
    return found


def _subtract(left: object, right: object) -> object:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return NUMBERS.subtract(left, right)
    days = (date, WideDate, WideMoment)
    if isinstance(left, days) and isinstance(right, days):
        one = left if isinstance(left, datetime | WideMoment) else None
        other = right if isinstance(right, datetime | WideMoment) else None
        if one is None and other is None:
            return timedelta(days=ordinal(left) - ordinal(right))
        distance = span(one or _at_midnight(day_of(left)), other or _at_midnight(day_of(right)))
        if distance is None:
            raise NotDefined("Moments with and without a zone have no distance.")
        return distance
    if isinstance(left, time | WideTime) and isinstance(right, time | WideTime):
        distance = span(left, right)
        if distance is None:
            raise NotDefined("Times with and without a zone have no distance.")
        return distance
    found: object = None
    mixed = isinstance(left, YearsMonths | timedelta) and type(left) is not type(right)
    if isinstance(right, YearsMonths | timedelta) and not mixed:
        found = _add_duration(left, negate(right))
    if found is None:
        raise _undefined("-", left, right)
    return found


def _multiply(left: object, right: object) -> object:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return NUMBERS.multiply(left, right)
    if isinstance(left, Decimal):
        left, right = right, left
    if isinstance(right, Decimal):
        if isinstance(left, YearsMonths):
            return YearsMonths(_whole(NUMBERS.multiply(Decimal(left.months), right)))
        if isinstance(left, timedelta):
            return temporal.to_timedelta(NUMBERS.multiply(temporal.seconds_of(left), right))
    raise _undefined("*", left, right)


def _divide(left: object, right: object) -> object:
    if isinstance(right, Decimal):
        if not right:
            raise NotDefined("Nothing is divided by nought.")
        if isinstance(left, Decimal):
            return NUMBERS.divide(left, right)
        if isinstance(left, YearsMonths):
            return YearsMonths(_whole(NUMBERS.divide(Decimal(left.months), right)))
        if isinstance(left, timedelta):
            return temporal.to_timedelta(NUMBERS.divide(temporal.seconds_of(left), right))
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths) and right.months:
        return NUMBERS.divide(Decimal(left.months), Decimal(right.months))
    if isinstance(left, timedelta) and isinstance(right, timedelta) and right:
        return NUMBERS.divide(temporal.seconds_of(left), temporal.seconds_of(right))
    raise _undefined("/", left, right)


def _power(left: object, right: object) -> object:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        if not left and not right:
            return Decimal(1)
        found = NUMBERS.power(left, right)
        if not found.is_finite():
            raise NotDefined("Nought has no such power.")
        return found
    raise _undefined("**", left, right)


def negate(value: object) -> object:
    """Return ``-value`` of a number or duration. Raises ``NotDefined`` for anything else."""
    if isinstance(value, Decimal):
        return NUMBERS.minus(value)
    if isinstance(value, YearsMonths):
        return YearsMonths(-value.months)
    if isinstance(value, timedelta):
        return -value
    raise NotDefined(f"There is no negative {kind(value)}.")


OPERATORS: dict[str, Callable[[object, object], object]] = {
    "+": _add,
    "-": _subtract,
    "–": _subtract,
    "*": _multiply,
    "/": _divide,
    "**": _power,
}
