from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from furong.foundation.replicas.values import Grade, grade_of

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("age", "grade"),
    [
        (timedelta(0), Grade.LIVE),
        (timedelta(seconds=59), Grade.LIVE),
        (timedelta(seconds=60), Grade.LATE),
        (timedelta(hours=4) - timedelta(seconds=1), Grade.LATE),
        (timedelta(hours=4), Grade.OLD),
        (DAY - timedelta(seconds=1), Grade.OLD),
        (DAY, Grade.OVER),
        (timedelta(seconds=-30), Grade.LIVE),  # the platform's clock may be ahead
    ],
)
def test_a_copy_is_graded_by_its_age(age: timedelta, grade: Grade) -> None:
    assert grade_of(NOW - age, now=NOW, most=DAY) is grade


def test_a_copy_that_never_came_is_over_and_the_operator_may_allow_less() -> None:
    assert grade_of(None, now=NOW, most=DAY) is Grade.OVER
    assert grade_of(NOW - timedelta(minutes=10), now=NOW, most=timedelta(minutes=10)) is Grade.OVER
