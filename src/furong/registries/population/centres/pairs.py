"""Whether both sides of a fact about two people agree: looked at after each telling, and once a night over everybody.

Where they do not, both centres tell again; what still does not agree then becomes a conflict, for a person.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connections
from django.utils import timezone

from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.statements import all_rows, first_row

from ..place import PROVINCE
from ..values import Topic
from .directory import is_divided, statements

log = logging.getLogger("furong.population")

SETTLES = timedelta(seconds=30)  # a telling takes a second; two links may bring its two sides in either order
TELLINGS = 3  # after these, a person is asked
_BATCH = 50
_HOUR = 3  # at night, local time
_NIGHTLY = 1000


def watch(one: UUID, other: UUID, *, now: datetime) -> None:
    """Have two people looked at, half a minute from now."""
    low, high = sorted((one, other))
    _run("watch", {"low": low, "high": high, "due": now + SETTLES})


def report(kind: str, one: UUID, other: UUID) -> None:
    """Have a person compare what two centres hold about two people."""
    low, high = sorted((one, other))
    _run("report_pair", {"kind": kind, "low": low, "high": high})


def keep(*, now: datetime) -> int:
    """Look at the pairs that are due, and tell how many agree. For the worker, every few seconds."""
    if not is_divided():
        return 0
    agree = 0
    for low, high, tries in all_rows(
        statements("province")["due_pairs"], {"now": now, "limit": _BATCH}, database=PROVINCE
    ):
        wrong = topics_that_differ(low, high)
        if not wrong:
            agree += 1
            _run("unwatch", {"low": low, "high": high})
        elif tries < TELLINGS:
            for topic in wrong:
                _have_told(low, high, topic, now=now)
            _run("watch_on", {"low": low, "high": high, "due": now + SETTLES * 2**tries})
        else:
            report("one_sided", low, high)
            _run("unwatch", {"low": low, "high": high})
            log.warning("two centres do not agree about two people", extra={"topics": [str(one) for one in wrong]})
    return agree


def watch_all(*, now: datetime) -> int:
    """Have every pair looked at of which only one side holds a fact, and tell how many.

    For the hourly job; it reads every relation in force, so it does so in the small hours alone, and takes a thousand at most.
    """
    if not is_divided() or timezone.localtime(now).hour != _HOUR:
        return 0
    given = {"before": now - SETTLES, "due": now, "limit": _NIGHTLY}
    return _run("watch_one_sided", given)


def topics_that_differ(one: UUID, other: UUID) -> tuple[Topic, ...]:
    """Return about which topics the two sides of a pair say different things, as the province shows them."""
    rows = all_rows(statements("province")["differing"], {"low": one, "high": other}, database=PROVINCE)
    return tuple(Topic(topic) for (topic,) in rows)


def count_waiting() -> int:
    """Return how many pairs are looked at because their sides did not agree at first sight."""
    row = first_row(statements("province")["pairs_waiting"], [], database=PROVINCE)
    return int(row[0]) if row else 0


def _have_told(one: UUID, other: UUID, topic: Topic, *, now: datetime) -> None:
    from . import crossing

    for person_id, whom in ((one, other), (other, one)):
        try:
            crossing.tell_again(
                person_id=person_id,
                other_person_id=whom,
                topic=topic,
                actor=crossing.ACTOR,
                basis=crossing.WHY,
                now=now,
            )
        except (Refusal, DatabaseError, psycopg.Error) as error:  # the next look tries again
            log.info("not told again", extra={"error": type(error).__name__})


def _run(name: str, given: dict[str, Any]) -> int:
    with connections[PROVINCE].cursor() as cursor:
        cursor.execute(statements("province")[name], given)
        return int(cursor.rowcount)
