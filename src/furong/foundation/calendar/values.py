"""The calendar as a frozen value, and its arithmetic. No clock, no input or output."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from zoneinfo import ZoneInfo

__all__ = ["Calendar", "Deadline", "Holiday", "OfficeHours", "PeriodUnit"]

_DAY = timedelta(days=1)
# Beyond these a period is a mistake: 400 years of days, or of hours.
_MOST_DAYS = 146_097
_MOST_HOURS = 3_506_328


class PeriodUnit(StrEnum):
    """What the days or hours of a period are."""

    WORKING = "working"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Holiday:
    """A holiday of one year: its days off and the working days that make up for them."""

    year: int
    name: Mapping[str, str]
    days_off: tuple[date, ...]
    make_up_days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """A stretch of a working day in which the office is open; ``closes`` is exclusive."""

    opens: time
    closes: time

    @property
    def minutes(self) -> int:
        """How long the stretch is, in minutes."""
        return (self.closes.hour - self.opens.hour) * 60 + self.closes.minute - self.opens.minute


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a period ends: ``due_at`` (aware UTC, exclusive), the local ``due_on`` it belongs to, and whether the
    holiday data reach that far. ``note`` says what is uncertain, by language, and is empty when ``certain``.
    """

    due_at: datetime
    due_on: date
    certain: bool
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Calendar:
    """Days off, make-up days and office hours of one country, between ``known_from_on`` and ``known_until_on``
    (exclusive). Outside of that stretch the week alone decides and every answer about time is uncertain.
    """

    name: str
    zone: str
    weekend: frozenset[int]  # 0 is Monday, as in datetime.date.weekday
    office_hours: tuple[OfficeHours, ...]
    holidays: tuple[Holiday, ...]
    known_from_on: date
    known_until_on: date
    digest: str = ""

    @cached_property
    def tz(self) -> ZoneInfo:
        """The calendar's time zone."""
        return ZoneInfo(self.zone)

    @cached_property
    def _days_off(self) -> Mapping[date, Holiday]:
        return MappingProxyType({day: one for one in self.holidays for day in one.days_off})

    @cached_property
    def _make_up_days(self) -> Mapping[date, Holiday]:
        return MappingProxyType({day: one for one in self.holidays for day in one.make_up_days})

    @cached_property
    def _known_working_days(self) -> tuple[date, ...]:
        days = (self.known_until_on - self.known_from_on).days
        every = (self.known_from_on + timedelta(days=n) for n in range(days))
        return tuple(day for day in every if self.is_working_day(day))

    # --- days -----------------------------------------------------------------------------------------------

    def is_known(self, day: date) -> bool:
        """Tell whether the holiday data speak about ``day``."""
        return self.known_from_on <= day < self.known_until_on

    def is_working_day(self, day: date) -> bool:
        """Tell whether ``day`` (local) is a working day; past the data the week alone decides."""
        if day in self._make_up_days:
            return True
        return day.weekday() not in self.weekend and day not in self._days_off

    def holiday_on(self, day: date) -> Holiday | None:
        """Return the holiday that makes ``day`` a day off or a make-up day, or None."""
        return self._days_off.get(day) or self._make_up_days.get(day)

    def add_working_days(self, start_on: date, days: int) -> date:
        """Return the ``days``-th working day after ``start_on``, which itself is not counted.

        Nought returns ``start_on`` when it is a working day, else the next one. A negative number counts back.
        Raises ``ValueError`` for more than 400 years. Costs a binary search inside the data, a step a day outside.
        """
        if abs(days) > _MOST_DAYS:
            raise ValueError("A period of more than 400 years is a mistake.")
        if days == 0:
            return self.next_working_day(start_on)
        known = self._known_working_days
        if self.is_known(start_on) and known:
            # The place of the wanted day among the known working days.
            place = (bisect_right(known, start_on) + days - 1) if days > 0 else (bisect_left(known, start_on) + days)
            if 0 <= place < len(known):
                return known[place]
        step = _DAY if days > 0 else -_DAY
        left, day = abs(days), start_on
        while left:
            day += step
            if self.is_working_day(day):
                left -= 1
        return day

    def next_working_day(self, day: date) -> date:
        """Return ``day`` if it is a working day, else the first one after it."""
        while not self.is_working_day(day):
            day += _DAY
        return day

    def working_days_between(self, start_on: date, end_on: date) -> int:
        """Count the working days after ``start_on`` up to and including ``end_on``.

        It undoes ``add_working_days``; negative when ``end_on`` is before ``start_on``.
        """
        if end_on < start_on:
            return -self.working_days_between(end_on - _DAY, start_on - _DAY)
        if (end_on - start_on).days > _MOST_DAYS * 2:
            raise ValueError("A period of more than 800 years is a mistake.")
        known = self._known_working_days
        if self.is_known(start_on) and self.is_known(end_on):
            return bisect_right(known, end_on) - bisect_right(known, start_on)
        count, day = 0, start_on
        while day < end_on:
            day += _DAY
            count += self.is_working_day(day)
        return count

    # --- times ----------------------------------------------------------------------------------------------

    def local_date(self, at: datetime) -> date:
        """Return the local date of the aware moment ``at``."""
        return self._local(at).date()

    def start_of_day(self, day: date) -> datetime:
        """Return the moment (aware UTC) at which the local ``day`` begins."""
        return datetime.combine(day, time(), self.tz).astimezone(UTC)

    def end_of_day(self, day: date) -> datetime:
        """Return the moment (aware UTC, exclusive) at which the local ``day`` ends."""
        return self.start_of_day(day + _DAY)

    def is_open(self, at: datetime) -> bool:
        """Tell whether offices are open at the aware moment ``at``."""
        local = self._local(at)
        if not self.is_working_day(local.date()):
            return False
        clock = local.time()
        return any(one.opens <= clock < one.closes for one in self.office_hours)

    def deadline_after(
        self,
        start_at: datetime,
        *,
        days: int | None = None,
        hours: int | None = None,
        unit: PeriodUnit | str = PeriodUnit.WORKING,
        within_office_hours: bool = False,
    ) -> Deadline:
        """Return when a period that starts at ``start_at`` (aware) ends.

        Give ``days`` or ``hours``, nought or more. Days: the local day of ``start_at`` is not counted, the period
        ends at midnight after the last day, or when the office closes on it with ``within_office_hours``; calendar
        days whose last is a day off end on the next working day (Civil Code, articles 201 and 203; Administrative
        Licensing Law, article 82). Working hours count office hours alone; calendar hours run through. Past the
        holiday data the answer is uncertain and says so. Raises ``ValueError`` for a naive moment, for both or
        neither of days and hours, and for periods that are negative or longer than 400 years.
        """
        unit = PeriodUnit(unit)
        local = self._local(start_at)
        if days is not None and hours is not None:
            raise ValueError("Give days or hours, not both.")
        if days is not None:
            if not 0 <= days <= _MOST_DAYS:
                raise ValueError("A period has nought days or more, and fewer than 400 years of them.")
            if unit is PeriodUnit.WORKING:
                due_on = self.add_working_days(local.date(), days)
            else:
                due_on = self.next_working_day(local.date() + timedelta(days=days))
            closes = within_office_hours and self.office_hours
            if closes:
                due_at = datetime.combine(due_on, self.office_hours[-1].closes, self.tz).astimezone(UTC)
            else:
                due_at = self.end_of_day(due_on)
        elif hours is not None:
            if not 0 <= hours <= _MOST_HOURS:
                raise ValueError("A period has nought hours or more, and fewer than 400 years of them.")
            if unit is PeriodUnit.WORKING:
                due_at = self._add_office_minutes(local, hours * 60)
            else:
                due_at = start_at.astimezone(UTC) + timedelta(hours=hours)
            due_on = self.local_date(due_at)
        else:
            raise ValueError("Give days or hours.")
        runs_by_data = unit is PeriodUnit.WORKING or days is not None
        certain = not runs_by_data or (self.is_known(local.date()) and self.is_known(due_on))
        return Deadline(due_at, due_on, certain, {} if certain else self._uncertain())

    def doubt_about(self, day: date) -> Mapping[str, str]:
        """Return what to say beside a deadline on ``day``: that it may move; empty where days are known."""
        return {} if self.is_known(day) else self._uncertain()

    def _uncertain(self) -> Mapping[str, str]:
        last = self.known_until_on - _DAY
        return {
            "zh": f"节假日安排只公布到{last.year}年{last.month}月{last.day}日，此日期之后按周末推算，公布后可能调整。",
            "en": f"Holidays are announced up to {last.isoformat()}; later days are reckoned by weekends alone "
            "and may change.",
        }

    def _local(self, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError("A moment without a time zone is not a moment.")
        return at.astimezone(self.tz)

    def _add_office_minutes(self, local: datetime, minutes: int) -> datetime:
        a_day = sum(one.minutes for one in self.office_hours)
        if a_day <= 0:
            raise ValueError("The calendar keeps no office hours.")
        day = local.date()
        clock: time | None = local.time()
        if not self.is_working_day(day):
            day, clock = self.next_working_day(day), None
        left = timedelta(minutes=minutes)
        while True:
            for one in self.office_hours:
                opens = one.opens if clock is None or clock < one.opens else clock
                if opens >= one.closes:
                    continue
                begin = datetime.combine(day, opens)
                room = datetime.combine(day, one.closes) - begin
                if left <= room:
                    return (begin + left).replace(tzinfo=self.tz).astimezone(UTC)
                left -= room
            whole_days = left // timedelta(minutes=a_day)
            # Leave the last day to the loop, so that a period ends at closing time and not at the next opening.
            skip = max(1, whole_days - 1)
            if whole_days >= 2:
                left -= timedelta(minutes=a_day) * (skip - 1)
            day, clock = self.add_working_days(day, skip), None


def months_later(day: date, months: int) -> date:
    """Return the same day so many months later, or that month's last day (民法典, art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
