"""Each test of the engine has its own registry of handlers and listeners, and no definitions in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time

import pytest

from furong.domains.processes import definitions, ports
from furong.foundation.calendar.values import Calendar, Holiday, OfficeHours

CALENDAR = Calendar(
    name="tests",
    zone="Asia/Shanghai",
    weekend=frozenset({5, 6}),
    office_hours=(OfficeHours(time(9), time(12)), OfficeHours(time(13), time(17))),
    holidays=(
        Holiday(
            year=2026,
            name={"zh": "春节", "en": "Spring Festival"},
            days_off=tuple(date(2026, 2, day) for day in range(15, 24)),
            make_up_days=(date(2026, 2, 14), date(2026, 2, 28)),
        ),
    ),
    known_from_on=date(2026, 1, 1),
    known_until_on=date(2027, 1, 1),
)


@pytest.fixture(autouse=True)
def wiring() -> Iterator[ports.Wiring]:
    mine = ports.Wiring(calendar=lambda: CALENDAR)
    before = ports.use(mine)
    definitions.forget()
    yield mine
    ports.use(before)
    definitions.forget()
