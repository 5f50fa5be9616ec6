"""Dates, times and durations: reading their texts, writing them, and adding them (DMN 1.5, 10.3.2.3 and 10.3.2.5)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from furong.foundation.feel.values import YearsMonths

__all__ = [
    "add_months",
    "at_literal",
    "parse_date",
    "parse_datetime",
    "parse_duration",
    "parse_time",
    "seconds_of",
    "shift",
    "text_of",
    "to_timedelta",
    "zone_of",
]

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
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


def parse_date(text: str) -> date | None:
    """This function will read ``2024-02-10``, or return None."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def parse_time(text: str) -> time | None:
    """This function will read ``08:30:00``, with fractions, an offset, Z or ``@Area/City``; None otherwise."""
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
        return time(int(match[1]), int(match[2]), int(match[3]), _micros(match[4]), tzinfo=zone)
    except ValueError:
        return None


def parse_datetime(text: str) -> datetime | None:
    """This function will read ``2024-02-10T08:30:00`` with what a time may bear; a date alone is its midnight."""
    day_text, mark, time_text = text.partition("T")
    day = parse_date(day_text)
    if day is None:
        return None
    clock = parse_time(time_text) if mark else time()
    return None if clock is None else datetime.combine(day, clock)


def parse_duration(text: str) -> YearsMonths | timedelta | None:
    """This function will read ``P1Y2M`` or ``P1DT2H3M4.5S``, a minus before it; None otherwise."""
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
    """This function will read the text of an ``@"..."`` literal: date, date and time, time or duration; None if none."""
    for parse in (parse_date, parse_time, parse_duration, parse_datetime):
        found = parse(text)
        if found is not None:
            return found
    return None


def add_months(day: date, months: int) -> date:
    """This function will move a date or date and time by months; a day past its month's end becomes the last one."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = 31
    while True:
        try:
            return day.replace(year=year, month=month + 1, day=min(day.day, last))
        except ValueError:
            last -= 1
            if last < 28:
                raise OverflowError("The date leaves the years 1 to 9999.") from None


def shift(moment: datetime, by: timedelta) -> datetime:
    """This function will move a moment by a duration: along the clock without a zone, through UTC with one."""
    if moment.tzinfo is None:
        return moment + by
    return (moment.astimezone(UTC) + by).astimezone(moment.tzinfo)


def seconds_of(duration: timedelta) -> Decimal:
    """This function will return a duration in seconds, exactly."""
    return Decimal(duration.days * 86_400 + duration.seconds) + Decimal(duration.microseconds).scaleb(-6)


def to_timedelta(seconds: Decimal) -> timedelta:
    """This function will make a duration of seconds, to the microsecond. Raises ``OverflowError``."""
    if abs(seconds) > Decimal(86_400) * 999_999_999:
        raise OverflowError("The duration is too long.")
    return timedelta(microseconds=int(seconds.scaleb(6).to_integral_value(ROUND_HALF_EVEN)))


def zone_of(value: datetime | time) -> str | None:
    """This function will name the zone of a moment: its IANA name, or None when it has an offset or nothing."""
    return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None


def _offset_text(value: datetime | time) -> str:
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


def _clock_text(value: datetime | time) -> str:
    text = f"{value.hour:02d}:{value.minute:02d}:{value.second:02d}"
    if value.microsecond:
        text += f".{value.microsecond:06d}".rstrip("0")
    return text + _offset_text(value)


def text_of(value: date | time | timedelta | YearsMonths) -> str:
    """This function will write a temporal value as FEEL's ``string()`` does; reading it back gives the same value."""
    if isinstance(value, datetime):
        return f"{value.year:04d}-{value.month:02d}-{value.day:02d}T{_clock_text(value)}"
    if isinstance(value, date):
        return f"{value.year:04d}-{value.month:02d}-{value.day:02d}"
    if isinstance(value, time):
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
