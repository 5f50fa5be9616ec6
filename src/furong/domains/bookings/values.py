"""Books, slots and the states of a booking. No clock, no input or output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from furong.foundation.calendar.values import Calendar

Text = Mapping[str, str]


class State(StrEnum):
    """Where a booking stands. The first four keep the place in the slot."""

    HELD = "held"
    BOOKED = "booked"
    ATTENDED = "attended"
    MISSED = "missed"
    LAPSED = "lapsed"
    MOVED = "moved"
    CANCELLED = "cancelled"


KEEPING = (State.HELD, State.BOOKED, State.ATTENDED, State.MISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of a day in which slots begin; ``closes`` is exclusive."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Days on which nobody is received, both ends included."""

    from_on: date
    last_on: date
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What an office offers: its stretches, how many people a slot takes, and when it is closed."""

    stretches: tuple[Stretch, ...]
    capacity: int
    closures: tuple[Closure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The times that items of a pack want booked, and what offices of some divisions do otherwise.

    ``slot_minutes`` long each, from ``notice_hours`` ahead up to ``days_ahead`` natural days; what is chosen is held for
    ``hold_minutes``, and may be moved or cancelled until ``change_until_hours`` before it begins.
    """

    code: str
    name: Text
    items: tuple[str, ...]
    slot_minutes: int
    days_ahead: int
    notice_hours: int
    hold_minutes: int
    change_until_hours: int
    hours: Hours
    offices: Mapping[str, Hours]

    def hours_of(self, division_code: str) -> Hours:
        """Return what the office of a division offers: its own hours, else the book's."""
        return self.offices.get(division_code, self.hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time that may be booked and how many places are left in it."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    left: int

    @property
    def key(self) -> str:
        """The slot as a form's value: its moment in UTC."""
        return self.starts_at.astimezone(UTC).strftime("%Y%m%dT%H%MZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A local day with its slots; without slots when it is full or closed, and then why where that is known."""

    on: date
    slots: tuple[Slot, ...]
    closed: Text | None = None

    @property
    def free(self) -> tuple[Slot, ...]:
        return tuple(slot for slot in self.slots if slot.left > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A place in a slot."""

    id: UUID
    book_code: str
    item_code: str
    organization_id: UUID
    starts_at: datetime
    ends_at: datetime
    state: State
    held_until: datetime | None
    application_id: UUID | None
    case_id: UUID | None
    can_change: bool = False


def moment_of(key: str) -> datetime | None:
    """Read the value that `Slot.key` gives; None for anything else."""
    try:
        return datetime.strptime(key, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def slots_on(book: Book, division_code: str, day: date, calendar: Calendar) -> Iterator[tuple[datetime, datetime, int]]:
    """Give the slots of an office on a local day: when each begins and ends (aware UTC), and its places.

    None on days off and in closures. A slot that would end after its stretch is not offered.
    """
    hours = book.hours_of(division_code)
    if not calendar.is_working_day(day) or closure_on(hours, day) is not None:
        return
    length = timedelta(minutes=book.slot_minutes)
    for stretch in hours.stretches:
        begins = datetime.combine(day, stretch.opens, calendar.tz)
        closes = datetime.combine(day, stretch.closes, calendar.tz)
        while begins + length <= closes:
            yield begins.astimezone(UTC), (begins + length).astimezone(UTC), hours.capacity
            begins += length


def closure_on(hours: Hours, day: date) -> Closure | None:
    """Return the closure that a day falls into, or None."""
    return next((one for one in hours.closures if one.from_on <= day <= one.last_on), None)


def find_slot(
    book: Book, division_code: str, starts_at: datetime, calendar: Calendar, now: datetime
) -> tuple[datetime, datetime, int] | None:
    """Return the slot that begins at a moment, None when the office offers none there that may be booked now."""
    if not is_bookable(book, starts_at, calendar, now):
        return None
    offered = slots_on(book, division_code, calendar.local_date(starts_at), calendar)
    return next((slot for slot in offered if slot[0] == starts_at), None)


def is_bookable(book: Book, starts_at: datetime, calendar: Calendar, now: datetime) -> bool:
    """Tell whether a moment lies between the notice that an office wants and the last day it plans."""
    latest = calendar.local_date(now) + timedelta(days=book.days_ahead)
    return starts_at >= now + timedelta(hours=book.notice_hours) and calendar.local_date(starts_at) <= latest
