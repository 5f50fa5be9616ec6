"""Numbers (10.3.4.5)."""

from __future__ import annotations

import decimal
from decimal import Decimal

from furong.foundation.feel.functions.registry import Null, builtin, whole
from furong.foundation.feel.values import NUMBERS, Run, YearsMonths

_LEAST_SCALE, _MOST_SCALE = -6111, 6176  # of Decimal128 (10.3.4.5)


def round_to(number: Decimal, scale: Decimal | None, rounding: str) -> Decimal:
    """Round ``number`` to ``scale`` places (0 without one)."""
    places = whole(Decimal(0) if scale is None else scale, "scale", _LEAST_SCALE, _MOST_SCALE)
    if number.is_zero() or (places > 0 and -int(number.as_tuple().exponent) <= places):
        return number
    # Enough digits for any number and any scale; the result is fitted to 34 again.
    wide = decimal.Context(prec=max(1, number.adjusted() + places + 2), rounding=rounding)
    try:
        return NUMBERS.plus(number.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=wide))
    except decimal.InvalidOperation:
        return (
            Decimal(0) if rounding in (decimal.ROUND_DOWN, decimal.ROUND_HALF_EVEN) else _tiny(number, places, rounding)
        )


def _tiny(number: Decimal, places: int, rounding: str) -> Decimal:
    """Round a number far below the last place: nought or one unit of it."""
    probe = Decimal("0.1").copy_sign(number).quantize(Decimal(1), rounding=rounding)
    return probe.scaleb(-places)


@builtin("decimal", "n: number, scale: number")
def _decimal(run: Run, number: Decimal, scale: Decimal) -> object:
    return round_to(number, scale, decimal.ROUND_HALF_EVEN)


@builtin("floor", "n: number, scale: number?")
def _floor(run: Run, number: Decimal, scale: Decimal | None = None) -> object:
    return round_to(number, scale, decimal.ROUND_FLOOR)


@builtin("ceiling", "n: number, scale: number?")
def _ceiling(run: Run, number: Decimal, scale: Decimal | None = None) -> object:
    return round_to(number, scale, decimal.ROUND_CEILING)


@builtin("round up", "n: number, scale: number")
def _round_up(run: Run, number: Decimal, scale: Decimal) -> object:
    return round_to(number, scale, decimal.ROUND_UP)


@builtin("round down", "n: number, scale: number")
def _round_down(run: Run, number: Decimal, scale: Decimal) -> object:
    return round_to(number, scale, decimal.ROUND_DOWN)


@builtin("round half up", "n: number, scale: number")
def _round_half_up(run: Run, number: Decimal, scale: Decimal) -> object:
    return round_to(number, scale, decimal.ROUND_HALF_UP)


@builtin("round half down", "n: number, scale: number")
def _round_half_down(run: Run, number: Decimal, scale: Decimal) -> object:
    return round_to(number, scale, decimal.ROUND_HALF_DOWN)


@builtin("abs", "n: number|duration")
def _abs(run: Run, value: object) -> object:
    if isinstance(value, YearsMonths):
        return YearsMonths(abs(value.months))
    return abs(value)  # type: ignore[arg-type]


@builtin("modulo", "dividend: number, divisor: number")
def _modulo(run: Run, dividend: Decimal, divisor: Decimal) -> object:
    if not divisor:
        raise Null("Its divisor is nought.")
    # The result bears the divisor's sign (table 75), which Python's % of decimals does not give.
    quotient = NUMBERS.divide(dividend, divisor).to_integral_value(decimal.ROUND_FLOOR)
    return NUMBERS.subtract(dividend, NUMBERS.multiply(divisor, quotient))


@builtin("sqrt", "number: number")
def _sqrt(run: Run, number: Decimal) -> object:
    if number < 0:
        raise Null("It is negative.")
    return NUMBERS.sqrt(number)


@builtin("log", "number: number")
def _log(run: Run, number: Decimal) -> object:
    if number <= 0:
        raise Null("It is not positive.")
    return NUMBERS.ln(number)


@builtin("exp", "number: number")
def _exp(run: Run, number: Decimal) -> object:
    return NUMBERS.exp(number)


def _rest(number: Decimal) -> int | None:
    """0 for an even number, 1 for an odd one, None for one with a fraction."""
    if number != number.to_integral_value():
        return None
    return 0 if int(number.as_tuple().exponent) > 0 else int(number) % 2


@builtin("odd", "number: number")
def _odd(run: Run, number: Decimal) -> object:
    return _rest(number) == 1


@builtin("even", "number: number")
def _even(run: Run, number: Decimal) -> object:
    return _rest(number) == 0
