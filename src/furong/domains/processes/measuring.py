"""Measures the event log, day by day, into figures that add up. Derived data: it can be thrown away and made again.

A day that is over is measured once for good, an hour after its end. The current day is measured again and again, as often as
takes a twentieth of one connection's time, so that pages are minutes old at most however much happens.
"""

from __future__ import annotations

import logging
import time
from datetime import date, datetime, timedelta

from django.db import transaction

from furong.domains.processes.ports import wiring
from furong.domains.processes.store import execute, query

_log = logging.getLogger(__name__)

# A step's time is that of its request; whatever commits later than this after a day's end would not be counted.
_SETTLED = timedelta(hours=1)
_REST = 20  # how many times as long as a measurement took there is none
_AT_ONCE = 31  # days in one call, so that a worker that stops loses little
_FILE = "insights.sql"


def measure(*, now: datetime, again: bool = False) -> bool:
    """Measure the days that are not measured for good, the latest first; True when more are left.

    One worker at a time does it; others do nothing. A day costs one statement over its lines (a second for 100,000). With
    ``again`` the current day is measured even if it was a moment ago.
    """
    calendar = wiring().calendar()
    today = calendar.local_date(now)
    row = execute(query(_FILE, "first_day"), []).fetchone()
    if row is None or row[0] is None:
        return False
    first = min(calendar.local_date(row[0]), today)
    waiting = execute(query(_FILE, "days_to_measure"), {"first": first, "last": today}).fetchall()
    done = 0
    for day, measured_at, position, took_ms in waiting:
        if done >= _AT_ONCE:
            return True
        rested = measured_at is None or now - measured_at >= timedelta(milliseconds=took_ms * _REST)
        over = now >= calendar.end_of_day(day) + _SETTLED
        if again or over or rested:
            done += _measure_day(day, seen=position, final=over, now=now)
    return False


def _measure_day(day: date, *, seen: int | None, final: bool, now: datetime) -> int:
    """Measure one day in a transaction of its own; 0 when another worker is at it or nothing happened since."""
    begun = time.monotonic()
    calendar = wiring().calendar()
    with transaction.atomic():
        row = execute(query(_FILE, "try_lock"), []).fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM always gives a row
        free, position = row
        if not free or (seen == position and not final):
            return 0
        execute(query(_FILE, "forget_day"), {"day": day})
        bounds = {
            "day": day,
            "begins": calendar.end_of_day(day - timedelta(days=1)),
            "ends": calendar.end_of_day(day),
        }
        execute(query(_FILE, "settings_of_measuring"), [])
        # The server may not keep a plan that was made while the table was small.
        counted = execute(query(_FILE, "measure_day"), bounds, prepare=False).fetchone()
        assert counted is not None  # noqa: S101 - as above
        took_ms = int((time.monotonic() - begun) * 1000)
        execute(
            query(_FILE, "day_measured"),
            {"day": day, "now": now, "lines": counted[0], "position": position, "took_ms": took_ms, "final": final},
        )
    _log.debug("processes: measured %s: %s lines, %s figures, %s ms", day, counted[0], counted[1], took_ms)
    return 1
