from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.events.errors import EventUnknownError
from furong.foundation.events.values import describe_error, event, from_json, retry_after, to_json


class Kind(StrEnum):
    A = "a"
    B = "b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    kind: Kind
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    id: UUID
    at: datetime
    on: date
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    codes: frozenset[str] = frozenset()
    pairs: dict[str, int] | None = None
    pair: tuple[int, str] = (0, "")


inners = st.builds(Inner, kind=st.sampled_from(Kind), amount=st.decimals(allow_nan=False, allow_infinity=False))
outers = st.builds(
    Outer,
    id=st.uuids(),
    at=st.datetimes(timezones=st.just(UTC)),
    on=st.dates(),
    inner=st.none() | inners,
    many=st.lists(inners, max_size=3).map(tuple),
    codes=st.frozensets(st.text()),
    pairs=st.none() | st.dictionaries(st.text(), st.integers()),
    pair=st.tuples(st.integers(), st.text()),
)


@given(outers)
def test_what_travels_as_json_comes_back_equal(value: Outer) -> None:
    import json

    assert from_json(Outer, json.loads(json.dumps(to_json(value)))) == value


def test_fields_of_newer_code_are_left_out_and_missing_ones_take_their_default() -> None:
    found: Any = {"id": str(UUID(int=1)), "at": "2026-11-03T00:00:00+00:00", "on": "2026-11-03", "new": 1}
    assert from_json(Outer, found) == Outer(id=UUID(int=1), at=datetime(2026, 11, 3, tzinfo=UTC), on=date(2026, 11, 3))


@pytest.mark.parametrize("value", [1.5, object(), b"x", datetime(2026, 1, 1), {1: 2}])  # noqa: DTZ001 - a naive time is the point
def test_what_could_not_be_read_back_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_json(value)


def test_the_pause_grows_and_is_bounded() -> None:
    pauses = [retry_after(n) for n in range(1, 17)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(seconds=1), timedelta(minutes=10))
    assert sum(pauses, timedelta()) > timedelta(hours=1)


def test_two_events_of_one_name_are_refused() -> None:
    @event("test.one_name")
    @dataclass(frozen=True)
    class First:
        pass

    with pytest.raises(EventUnknownError):

        @event("test.one_name")
        @dataclass(frozen=True)
        class Second:
            pass


def test_an_event_that_can_change_is_refused() -> None:
    with pytest.raises(EventUnknownError):

        @event("test.mutable")
        @dataclass
        class Mutable:
            pass


def test_an_error_is_described_without_its_words() -> None:
    try:
        raise ValueError("张三 13800001234")
    except ValueError as exc:
        told = describe_error(exc)
    assert told.startswith("ValueError at tests.foundation.events.test_values:")
    assert "张三" not in told
