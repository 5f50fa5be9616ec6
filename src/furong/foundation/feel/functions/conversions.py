"""Conversions, booleans and contexts (10.3.4.1, 10.3.4.2, 10.3.4.8)."""

from __future__ import annotations

import decimal
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

from furong.foundation.feel import temporal
from furong.foundation.feel.errors import FeelLimitReached
from furong.foundation.feel.functions.numbers import round_to
from furong.foundation.feel.functions.registry import Null, builtin, whole
from furong.foundation.feel.values import MOST_TEXT, NUMBERS, FeelFunction, FeelRange, Run, YearsMonths, equal
from furong.foundation.feel.wide import (
    MOST_YEAR,
    Clock,
    Day,
    Moment,
    WideDate,
    WideMoment,
    WideTime,
    clock_of,
    day_of,
    make_day,
    make_moment,
    make_time,
    ordinal,
    without_zone,
)

__all__ = ["text_of"]

_MOMENTS = (datetime, time, WideMoment, WideTime)
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


def text_of(value: object, *, inside: bool = False, run: Run | None = None) -> str:
    """Write a FEEL value as ``string()`` does; strings inside of lists stand in quotes."""
    if run is not None:
        run.spend()
    if isinstance(value, str):
        if not inside:
            return value
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, Decimal):
        text = format(value, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text
    if isinstance(value, date | time | timedelta | YearsMonths | WideDate | WideTime | WideMoment):
        text = temporal.text_of(value)
        return f'@"{text}"' if inside else text
    if isinstance(value, list):
        return _bounded("[", (text_of(one, inside=True, run=run) for one in value), "]")
    if isinstance(value, dict):
        parts = (f"{_key(key)}: {text_of(one, inside=True, run=run)}" for key, one in value.items())
        return _bounded("{", parts, "}")
    if isinstance(value, FeelRange):
        if value.sign:
            return f"({value.sign} {text_of(value.start if value.end is None else value.end, inside=True)})"
        start = "" if value.start is None else text_of(value.start, inside=True)
        end = "" if value.end is None else text_of(value.end, inside=True)
        return f"{'[' if value.start_included else '('}{start}..{end}{']' if value.end_included else ')'}"
    if isinstance(value, FeelFunction):
        return f"function({', '.join(value.parameters)})"
    raise Null("It has no text.")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[^\W\d][\w ]*", key) else f'"{key}"'


def _bounded(start: str, parts: Iterable[str], end: str) -> str:
    made: list[str] = []
    size = 0
    for part in parts:
        made.append(part)
        size += len(part)
        if size > MOST_TEXT:
            raise FeelLimitReached(f"{MOST_TEXT} characters")
    return f"{start}{', '.join(made)}{end}"


@builtin("string", "from: any")
def _string(run: Run, value: object) -> object:
    return None if value is None else text_of(value, run=run)


_MASK = re.compile(r"%([-0+, ]*)([0-9]{1,3})?(?:\.([0-9]{1,2}))?(.)", re.DOTALL)


@builtin("string", "mask: string, p: any", variadic="tail")
def _string_format(run: Run, mask: str, values: list[object]) -> object:
    """Not of DMN 1.5, but common in other tools: ``%s``, ``%d`` and ``%.2f`` with the flags ``- 0 + ,`` and a width."""
    left = values[::-1]

    def one(match: re.Match[str]) -> str:
        flags, width, places, letter = match.groups()
        if letter == "%":
            return "%"
        if letter == "n":
            return "\n"
        if not left:
            raise Null("Its mask asks for more values than there are.")
        value = left.pop()
        if letter in "sS":
            text = text_of(value, run=run)
            text = text if places is None else text[: int(places)]
            text = text.upper() if letter == "S" else text
        elif letter in "df" and isinstance(value, Decimal):
            digits = 0 if letter == "d" else int(places or 6)
            if letter == "d" and value != value.to_integral_value():
                raise Null("Its mask asks for a whole number.")
            sign = "+" if "+" in flags else (" " if " " in flags else "")
            zero = "0" if "0" in flags and "-" not in flags else ""
            comma = "," if "," in flags else ""
            wide = width if zero and width else ""
            number = round_to(value, Decimal(digits), decimal.ROUND_HALF_UP)
            text = format(number, f"{sign}{zero}{wide}{comma}.{digits}f")
        else:
            raise Null("Its mask does not fit its values.")
        size = int(width or 0)
        return text.ljust(size) if "-" in flags else text.rjust(size)

    if len(mask) > 1000:
        raise Null("Its mask is too long.")
    made = _MASK.sub(one, mask)
    if len(made) > MOST_TEXT:
        raise FeelLimitReached(f"{MOST_TEXT} characters")
    return made


@builtin("number", "from: string|number, grouping separator: string?!, decimal separator: string?!")
def _number(run: Run, text: str | Decimal, grouping: str | None = None, point: str | None = None) -> object:
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", "."):
        raise Null("A separator is a space, a comma or a full stop.")
    if grouping is not None and grouping == point:
        raise Null("The separators are the same.")
    if isinstance(text, Decimal):
        return text
    if grouping:
        text = text.replace(grouping, "")
    if point:
        text = text.replace(point, ".")
    if len(text) > 200 or not _NUMBER.fullmatch(text):
        raise Null("The text is no number.")
    number = Decimal(text)
    if not -6000 < number.adjusted() < 6000:
        raise Null("The number has too many digits.")
    return NUMBERS.plus(number)


@builtin("date", "from: string|date")
def _date(run: Run, value: str | Day | Moment) -> object:
    if not isinstance(value, str):
        return day_of(value)
    found = temporal.parse_date(value)
    if found is None:
        raise Null("The text is no date.")
    return found


@builtin("date", "year: number, month: number, day: number")
def _date_of(run: Run, year: Decimal, month: Decimal, day: Decimal) -> object:
    number = whole(year, "year", -MOST_YEAR, MOST_YEAR)
    if not number:
        raise Null("There is no year 0.")
    try:
        return make_day(number, whole(month, "month", 1, 12), whole(day, "day", 1, 31))
    except ValueError:
        raise Null("There is no such day.") from None


@builtin("date and time", "from: string|date")
def _moment(run: Run, value: str | Day | Moment) -> object:
    if isinstance(value, datetime | WideMoment):
        return value
    if not isinstance(value, str):
        return make_moment(value, time(tzinfo=UTC))
    found = temporal.parse_datetime(value)
    if found is None:
        raise Null("The text is no date and time.")
    return found


@builtin("date and time", "date: date, time: time")
def _moment_of(run: Run, day: Day | Moment, clock: Clock) -> object:
    return make_moment(day_of(day), clock)


@builtin("time", "from: string|date|time")
def _time(run: Run, value: str | Day | Moment | Clock) -> object:
    if isinstance(value, time | WideTime):
        return value
    if isinstance(value, datetime | WideMoment):
        return clock_of(value)
    if not isinstance(value, str):
        return time(tzinfo=UTC)
    found = temporal.parse_time(value)
    if found is None and "T" in value:
        moment = temporal.parse_datetime(value)
        found = clock_of(moment) if moment else None
    if found is None:
        raise Null("The text is no time.")
    return found


@builtin("time", "hour: number, minute: number, second: number, offset: duration?!")
def _time_of(run: Run, hour: Decimal, minute: Decimal, second: Decimal, offset: object = None) -> object:
    zone = None
    if offset is not None:
        if not isinstance(offset, timedelta) or abs(offset) > timedelta(hours=14):
            raise Null("Its offset is no offset.")
        zone = timezone(offset)
    if not 0 <= second < 60:
        raise Null("There is no such second.")
    nanos = int((second % 1).scaleb(9))
    return make_time(whole(hour, "hour", 0, 23), whole(minute, "minute", 0, 59), int(second), nanos, zone)


@builtin("duration", "from: string|duration")
def _duration(run: Run, value: str | timedelta | YearsMonths) -> object:
    if not isinstance(value, str):
        return value
    found = temporal.parse_duration(value)
    if found is None:
        raise Null("The text is no duration.")
    return found


@builtin("years and months duration", "from: date, to: date")
def _years_months(run: Run, start: Day | Moment, end: Day | Moment) -> object:
    one, other, sign = start, end, 1
    if ordinal(other) < ordinal(one):
        one, other, sign = other, one, -1
    months = (other.year - one.year) * 12 + other.month - one.month
    if other.day < one.day:
        months -= 1
    return YearsMonths(sign * months)


@builtin("not", "negand: any")
def _not(run: Run, value: object) -> object:
    return not value if isinstance(value, bool) else None


@builtin("is", "value1: any, value2: any")
def _is(run: Run, one: object, other: object) -> object:
    if type(one) is not type(other):
        return False
    if isinstance(one, _MOMENTS) and isinstance(other, _MOMENTS):
        # The same clock in the same zone: to the fraction, which "=" leaves out, and by the zone's name.
        same_zone = one.utcoffset() == other.utcoffset() and temporal.zone_of(one) == temporal.zone_of(other)
        return same_zone and without_zone(one) == without_zone(other)
    return equal(one, other, run) is True


@builtin("get value", "m: context, key: string")
def _get_value(run: Run, context: dict[str, object], key: str) -> object:
    return context.get(key)


@builtin("get value", "context: context, key: string")
def _get_value_named(run: Run, context: dict[str, object], key: str) -> object:
    return context.get(key)


@builtin("get entries", "m: context")
def _get_entries(run: Run, context: dict[str, object]) -> object:
    run.spend(len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context", "entries: list")
def _context(run: Run, entries: list[object]) -> object:
    run.spend(len(entries))
    made: dict[str, object] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or "value" not in entry:
            raise Null("An entry has no key or no value.")
        if entry["key"] in made:
            raise Null("Two entries have the same key.")
        made[entry["key"]] = entry["value"]
    return made


@builtin("context put", "context: context, key: string, value: any")
@builtin("context put", "context: context, keys: list, value: any")
def _context_put(run: Run, context: dict[str, object], key: object, value: object) -> object:
    keys = [one for one in (key if isinstance(key, list) else [key]) if isinstance(one, str)]
    if not keys or (isinstance(key, list) and len(keys) != len(key)):
        raise Null("Its key is no key.")
    run.spend(len(context) + len(keys))
    if len(keys) == 1:
        return {**context, keys[0]: value}
    inner = context.get(keys[0])
    if inner is not None and not isinstance(inner, dict):
        raise Null("A key on the way leads to no context.")
    return {**context, keys[0]: _context_put(run, inner or {}, keys[1:], value)}


@builtin("context merge", "contexts: list")
def _context_merge(run: Run, contexts: list[object]) -> object:
    merged: dict[str, object] = {}
    for one in contexts:
        if not isinstance(one, dict):
            raise Null("One of them is no context.")
        run.spend(len(one))
        merged.update(one)
    return merged
