"""Dates, times and durations: reading their texts, writing them, and adding them (DMN 1.5, 10.3.2.3 and 10.3.2.5)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from furong.foundation.feel.values import YearsMonths
from furong.foundation.feel.wide import (
    Clock,
    Day,
    Moment,
    WideDate,
    WideMoment,
    WideTime,
    make_day,
    make_moment,
    make_time,
    moved_day,
    nanosecond,
    with_day,
)

__all__ = [
    "add_months",
    "at_literal",
    "parse_date",
    "parse_datetime",
    "parse_duration",
    "parse_time",
    "seconds_of",
    "text_of",
    "to_timedelta",
    "zone_of",
]

_DATE = re.compile(r"(-?(?:[1-9][0-9]{4,8}|[0-9]{4}))-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,12}))?"
    r"(?:(Z|z)|([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?|@([A-Za-z0-9_+\-/]{1,64}))?"
)
_YEARS_MONTHS = re.compile(r"(-)?P(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?")
_DAYS_TIME = re.compile(
    r"(-)?P(?:([0-9]{1,9})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,12})(?:\.([0-9]{0,12}))?S)?)?"
)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _micros(fraction: str | None) -> int:
    return int((fraction or "0").ljust(6, "0")[:6])


def parse_date(text: str) -> Day | None:
    """Read ``2024-02-10``, or return None; years have up to nine digits, and a minus before year 0."""
    match = _DATE.fullmatch(text)
    if match is None or match[1] in ("0000", "-0000"):
        return None
    try:
        return make_day(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def parse_time(text: str) -> Clock | None:
    """Read ``08:30:00``, with fractions, an offset, Z or ``@Area/City``; None otherwise."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    zone: tzinfo | None = None
    if match[5]:
        zone = UTC
    elif match[6]:
        offset = timedelta(hours=int(match[7]), minutes=int(match[8]), seconds=int(match[9] or 0))
        if offset > timedelta(hours=14) or int(match[8]) > 59:
            return None
        zone = timezone(-offset if match[6] == "-" else offset)
    elif match[10]:
        zone = _zone(match[10])
        if zone is None:
            return None
    try:
        nanos = int((match[4] or "0").ljust(9, "0")[:9])
        return make_time(int(match[1]), int(match[2]), int(match[3]), nanos, zone)
    except ValueError:
        return None


def parse_datetime(text: str) -> Moment | None:
    """Read ``2024-02-10T08:30:00`` with what a time may bear; a date alone is its midnight.

    24:00:00 is the midnight that ends the day.
    """
    day_text, mark, time_text = text.partition("T")
    day = parse_date(day_text)
    if day is None:
        return None
    if time_text.startswith("24:00:00"):
        clock = parse_time("00" + time_text[2:])
        if clock is None or nanosecond(clock):
            return None
        try:
            return make_moment(moved_day(day, 1), clock)
        except OverflowError:
            return None
    found = parse_time(time_text) if mark else time()
    return None if found is None else make_moment(day, found)


def parse_duration(text: str) -> YearsMonths | timedelta | None:
    """Read ``P1Y2M`` or ``P1DT2H3M4.5S``, a minus before it; None otherwise."""
    match = _YEARS_MONTHS.fullmatch(text)
    if match is not None and (match[2] or match[3]):
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return YearsMonths(-months if match[1] else months)
    match = _DAYS_TIME.fullmatch(text)
    if match is None or not any(match.group(2, 3, 4, 5)) or text.endswith("T"):
        return None
    try:
        found = timedelta(
            days=int(match[2] or 0),
            hours=int(match[3] or 0),
            minutes=int(match[4] or 0),
            seconds=int(match[5] or 0),
            microseconds=_micros(match[6]),
        )
    except OverflowError:
        return None
    return -found if match[1] else found


def at_literal(text: str) -> object:
    """Read the text of an ``@"..."`` literal: date, date and time, time or duration; None if none."""
    for parse in (parse_date, parse_time, parse_duration, parse_datetime):
        found = parse(text)
        if found is not None:
            return found
    return None


def add_months(day: Day | Moment, months: int) -> Day | Moment:
    """Move a date or date and time by months; a day past its month's end becomes the last one.

    Raises ``OverflowError``.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return with_day(day, year, month + 1, day.day)


def seconds_of(duration: timedelta) -> Decimal:
    """Return a duration in seconds, exactly."""
    return Decimal(duration.days * 86_400 + duration.seconds) + Decimal(duration.microseconds).scaleb(-6)


def to_timedelta(seconds: Decimal) -> timedelta:
    """Make a duration of seconds, to the microsecond. Raises ``OverflowError``."""
    if abs(seconds) > Decimal(86_400) * 999_999_999:
        raise OverflowError("The duration is too long.")
    return timedelta(microseconds=int(seconds.scaleb(6).to_integral_value(ROUND_HALF_EVEN)))


def zone_of(value: Clock | Moment) -> str | None:
    """Name the zone of a moment: its IANA name, or None when it has an offset or nothing."""
    return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None


def _offset_text(value: Clock | Moment) -> str:
    name = zone_of(value)
    if name is not None:
        return f"@{name}"
    offset = value.utcoffset()
    if offset is None:
        return ""
    if not offset:
        return "Z"
    total = int(offset.total_seconds())
    sign, total = ("-", -total) if total < 0 else ("+", total)
    hours, rest = divmod(total, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")


def _clock_text(value: Clock | Moment) -> str:
    text = f"{value.hour:02d}:{value.minute:02d}:{value.second:02d}"
    nanos = nanosecond(value)
    if nanos:
        text += f".{nanos:09d}".rstrip("0")
    return text + _offset_text(value)


def _day_text(value: Day | Moment) -> str:
    return f"{'-' if value.year < 0 else ''}{abs(value.year):04d}-{value.month:02d}-{value.day:02d}"


def text_of(value: Day | Clock | Moment | timedelta | YearsMonths) -> str:
    """Write a temporal value as FEEL's ``string()`` does; reading it back gives the same value."""
    if isinstance(value, datetime | WideMoment):
        return f"{_day_text(value)}T{_clock_text(value)}"
    if isinstance(value, date | WideDate):
        return _day_text(value)
    if isinstance(value, time | WideTime):
        return _clock_text(value)
    if isinstance(value, YearsMonths):
        return str(value)
    sign, span = ("-", -value) if value < timedelta() else ("", value)
    hours, rest = divmod(span.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"{span.days}D" if span.days else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or span.microseconds:
        clock += str(seconds) + (f".{span.microseconds:06d}".rstrip("0") if span.microseconds else "") + "S"
    if not text and not clock:
        return "PT0S"
    return f"{sign}P{text}{'T' + clock if clock else ''}"
