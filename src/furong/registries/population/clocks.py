"""By when the law wants each event of a person's life registered (户口登记条例). Pure: no I/O, no clock.

What comes late is registered all the same, and marked: the register says what is true, and how late it was told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from furong.foundation.calendar.values import months_later

from .values import ChangeKind

_TOWNSHIP = slice(6, 9)
_FIRST_TOWN = 100  # 001 to 099 are street offices of a city, from 100 on towns and townships


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How many days after the event; ``days_city`` where the place is a city's. A month is the calendar's. ``article`` says
    why.
    """

    article: str
    days: int = 0
    days_city: int | None = None
    is_month: bool = False

    def due_on(self, happened_on: date, *, in_city: bool = False) -> date:
        """Return the last day on which the event is registered in time."""
        if self.is_month:
            return months_later(happened_on, 1)
        return happened_on + timedelta(days=self.days if self.days_city is None or not in_city else self.days_city)


CLOCKS: Mapping[ChangeKind, Clock] = MappingProxyType(
    {
        ChangeKind.BIRTH: Clock(article="第七条", is_month=True),
        # In a city before the burial, elsewhere within a month: the register knows no burial, so the month counts for both.
        ChangeKind.DEATH: Clock(article="第八条", is_month=True),
        ChangeKind.MOVE: Clock(article="第十三条", days=10, days_city=3),
        ChangeKind.RETURN: Clock(article="第十三条", days=10, days_city=3),
        ChangeKind.DISCHARGE: Clock(article="第十三条", days=10, days_city=3),
        ChangeKind.TEMPORARY_STAY: Clock(article="第十五条", days=3),
        # Before leaving: the day itself is the last.
        ChangeKind.ENLISTMENT: Clock(article="第十一条"),
        ChangeKind.EMIGRATION: Clock(article="第十条"),
    }
)


def is_in_city(division_code: str) -> bool:
    """Tell whether a division of twelve digits lies under a street office, which only cities have."""
    township = division_code[_TOWNSHIP]
    return len(township) == 3 and township.isdigit() and 0 < int(township) < _FIRST_TOWN


def due_on(kind: ChangeKind, *, happened_on: date, division_code: str = "") -> date | None:
    """Return the last day in time; None for an act without a clock. 户口登记条例 arts. 7 to 15."""
    clock = CLOCKS.get(kind)
    return None if clock is None else clock.due_on(happened_on, in_city=is_in_city(division_code))
