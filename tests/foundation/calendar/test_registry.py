"""The calendar in force comes from a source: nobody goes on without it while it is read, and a failing source is asked again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from furong.foundation.calendar import queries, registry
from furong.foundation.calendar.registry import CalendarData
from furong.foundation.calendar.values import Calendar

HOLIDAYS = (Path(__file__).resolve().parents[3] / "packs" / "hunan" / "holidays.yaml").read_bytes()
RELEASE = CalendarData(digest="first", data=HOLIDAYS, file="holidays.yaml")


@pytest.fixture(autouse=True)
def _own_state() -> Iterator[None]:
    before, registry._state = registry._state, registry._State()
    yield
    registry._state = before


def test_who_asks_while_the_first_calendar_is_read_waits_for_it() -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slow(known: str) -> CalendarData:
        reading.set()
        assert go_on.wait(10)
        return RELEASE

    registry.follow(slow)
    found: list[Calendar | None] = []
    threads = [threading.Thread(target=lambda: found.append(registry.get())) for _ in range(3)]
    threads[0].start()
    assert reading.wait(10)
    for thread in threads[1:]:
        thread.start()
    threads[1].join(0.1)
    assert found == [], "somebody went on without a calendar"
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(found) == 3
    assert None not in found


def test_a_source_that_failed_is_asked_by_the_next_caller() -> None:
    answers: list[CalendarData | Exception] = [ConnectionError("away"), RELEASE]

    def flaky(known: str) -> CalendarData:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    registry.follow(flaky)
    with pytest.raises(ConnectionError):
        queries.is_loaded()
    assert queries.is_loaded()
    assert queries.is_loaded(), "not asked again within its lease"
    assert answers == []


def test_a_source_that_fails_later_leaves_the_calendar_in_force() -> None:
    answers: list[CalendarData | Exception] = [RELEASE, ConnectionError("away")]

    def flaky(known: str) -> CalendarData:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    registry.follow(flaky)
    assert queries.is_loaded()
    registry._state.look_again_at = 0.0
    assert queries.is_loaded()
    assert answers == []
