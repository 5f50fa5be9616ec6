"""Dates and times beyond Python's: years from -999,999,999 to 999,999,999, and nanoseconds (DMN 1.5, 10.3.2.3).

What Python's ``date``, ``time`` and ``datetime`` can hold is always one of those, so that equal values have equal types;
the classes here take the rest. Days count as Python's ordinals do: day 1 is the first of January of the year 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

__all__ = [
    "Clock",
    "Day",
    "Moment",
    "WideDate",
    "WideMoment",
    "WideTime",
    "clock_of",
    "day_of",
    "instant",
    "make_day",
    "make_moment",
    "make_time",
    "moved",
    "moved_time",
    "nanosecond",
    "ordinal",
    "span",
]

MOST_YEAR = 999_999_999
_DAYS_IN = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class WideDate:
    """A date before the year 1 or after 9999."""

    year: int
    month: int
    day: int

    def isoweekday(self) -> int:
        """1 is Monday."""
        return (ordinal(self) - 1) % 7 + 1


@dataclass(frozen=True, slots=True)
class WideTime:
    """A time with nanoseconds."""

    hour: int
    minute: int
    second: int
    nanosecond: int
    tzinfo: tzinfo | None

    def utcoffset(self) -> timedelta | None:
        """The distance from UTC; None without an offset, and for a zone, whose offset depends on the day."""
        return None if self.tzinfo is None else self.tzinfo.utcoffset(None)


@dataclass(frozen=True, slots=True)
class WideMoment:
    """A date and time of which a part is wide."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    nanosecond: int
    tzinfo: tzinfo | None

    def isoweekday(self) -> int:
        """1 is Monday."""
        return (ordinal(self) - 1) % 7 + 1

    def utcoffset(self) -> timedelta | None:
        """The distance from UTC; None without a zone."""
        if self.tzinfo is None:
            return None
        return self.tzinfo.utcoffset(
            datetime(_like(self.year), self.month, self.day, self.hour, self.minute, self.second)  # noqa: DTZ001
        )


Day = date | WideDate
Clock = time | WideTime
Moment = datetime | WideMoment


def _like(year: int) -> int:
    """A year that Python has, with the same days of the week and the same rules of summer time."""
    if 1 < year < 9999:
        return year
    return year % 400 + (400 if year < 400 else 9200)


def days_in(year: int, month: int) -> int:
    """Return how many days a month has."""
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _DAYS_IN[month - 1] + leap


def make_day(year: int, month: int, day: int) -> Day:
    """Make a date. Raises ``ValueError`` where there is no such day, ``OverflowError`` far away."""
    if 1 <= year <= 9999:
        return date(year, month, day)
    if abs(year) > MOST_YEAR:
        raise OverflowError("The year is out of range.")
    if not 1 <= month <= 12 or not 1 <= day <= days_in(year, month):
        raise ValueError("There is no such day.")
    return WideDate(year, month, day)


def make_time(hour: int, minute: int, second: int, nanos: int, zone: tzinfo | None) -> Clock:
    """Make a time. Raises ``ValueError``."""
    plain = time(hour, minute, second, nanos // 1000, tzinfo=zone)
    return plain if nanos % 1000 == 0 else WideTime(hour, minute, second, nanos, zone)


def make_moment(day: Day, clock: Clock) -> Moment:
    """Make a date and time."""
    if isinstance(day, date) and isinstance(clock, time):
        return datetime.combine(day, clock)
    return WideMoment(
        day.year, day.month, day.day, clock.hour, clock.minute, clock.second, nanosecond(clock), clock.tzinfo
    )


def day_of(moment: Day | Moment) -> Day:
    """Return the day of a moment, or the day itself."""
    if isinstance(moment, datetime):
        return moment.date()
    if isinstance(moment, WideMoment):
        return make_day(moment.year, moment.month, moment.day)
    return moment


def clock_of(moment: Moment) -> Clock:
    """Return the time of a moment, with its zone."""
    if isinstance(moment, datetime):
        return moment.timetz()
    return make_time(moment.hour, moment.minute, moment.second, moment.nanosecond, moment.tzinfo)


def nanosecond(value: Clock | Moment) -> int:
    """Return the nanoseconds of the second."""
    return value.nanosecond if isinstance(value, WideTime | WideMoment) else value.microsecond * 1000


def ordinal(day: Day | Moment) -> int:
    """Return the number of a day, 1 for the first of January of the year 1."""
    if isinstance(day, date):
        return day.toordinal()
    # Howard Hinnant's days_from_civil: years begin in March, so that the leap day comes last.
    year = day.year - (day.month <= 2)
    era, of_era = divmod(year, 400)
    of_year = (153 * (day.month + (-3 if day.month > 2 else 9)) + 2) // 5 + day.day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468 + _EPOCH


def _day_at(number: int) -> Day:
    if 1 <= number <= 3_652_059:
        return date.fromordinal(number)
    era, of_era = divmod(number - _EPOCH + 719_468, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * of_year + 2) // 153
    day = of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + (3 if month_from_march < 10 else -9)
    return make_day(era * 400 + year_of_era + (month <= 2), month, day)


def _seconds(clock: Clock | Moment) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _offset_of(value: Clock | Moment) -> timedelta | None:
    if value.tzinfo is None:
        return None
    if isinstance(value, time | WideTime):
        # A zone's offset depends on the day, and a time has none: that of a winter's day stands for it.
        return value.tzinfo.utcoffset(datetime(2000, 1, 1, value.hour, value.minute))  # noqa: DTZ001
    return value.utcoffset()


def instant(value: Clock | Moment) -> tuple[bool, int, int]:
    """Tell whether a moment has a zone, its seconds (in UTC if so) and its nanoseconds."""
    offset = _offset_of(value)
    days = 0 if isinstance(value, time | WideTime) else ordinal(value)
    seconds = days * 86_400 + _seconds(value)
    if offset is not None:
        seconds -= offset.days * 86_400 + offset.seconds
    return offset is not None, seconds, nanosecond(value)


def span(later: Clock | Moment, earlier: Clock | Moment) -> timedelta | None:
    """Return the distance of two moments to the microsecond; None if only one has a zone.

    Raises ``OverflowError``.
    """
    zoned, seconds, nanos = instant(later)
    zoned2, seconds2, nanos2 = instant(earlier)
    if zoned is not zoned2:
        return None
    return timedelta(seconds=seconds - seconds2, microseconds=(nanos - nanos2) // 1000)


def moved(moment: Moment, by: timedelta) -> Moment:
    """Move a moment by a duration: along the clock without a zone, through UTC with one.

    Raises ``OverflowError``.
    """
    zone = moment.tzinfo
    if isinstance(moment, datetime):
        try:
            return moment + by if zone is None else (moment.astimezone(UTC) + by).astimezone(zone)
        except OverflowError:
            pass
    _, seconds, nanos = instant(moment)
    nanos += by.microseconds * 1000
    seconds += by.days * 86_400 + by.seconds + nanos // 1_000_000_000
    if zone is not None:
        offset = _offset_at(zone, seconds)
        seconds += offset.days * 86_400 + offset.seconds
    number, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    return make_moment(_day_at(number), make_time(hours, rest // 60, rest % 60, nanos % 1_000_000_000, zone))


def _offset_at(zone: tzinfo, seconds: int) -> timedelta:
    """The offset of a zone at a second of UTC."""
    number, rest = divmod(seconds, 86_400)
    day = _day_at(number)
    like = datetime(_like(day.year), day.month, day.day, tzinfo=UTC) + timedelta(seconds=rest)
    return like.astimezone(zone).utcoffset() or timedelta()


def moved_time(clock: Clock, by: timedelta) -> Clock:
    """Move a time by a duration, round midnight where it must."""
    nanos = nanosecond(clock) + by.microseconds * 1000
    seconds = (_seconds(clock) + by.seconds + nanos // 1_000_000_000) % 86_400
    hours, rest = divmod(seconds, 3600)
    return make_time(hours, rest // 60, rest % 60, nanos % 1_000_000_000, clock.tzinfo)


def with_day(value: Day | Moment, year: int, month: int, day: int) -> Day | Moment:
    """Return the same with another day, the month's last if it has no such one."""
    made = make_day(year, month, min(day, days_in(year, month)))
    if isinstance(value, datetime | WideMoment):
        return make_moment(made, clock_of(value))
    return made


def without_zone(value: Clock | Moment) -> Clock | Moment:
    """Return the same without its zone."""
    if isinstance(value, WideTime | WideMoment):
        return replace(value, tzinfo=None)
    return value.replace(tzinfo=None)


def moved_day(day: Day, days: int) -> Day:
    """Return the day so many days later. Raises ``OverflowError``."""
    return _day_at(ordinal(day) + days)
