"""Quality of rows: each measure by what it must say, and what is kept when rows pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.catalogue import data, quality
from furong.domains.catalogue.data import Column, Table
from furong.domains.catalogue.errors import ResourceMissing
from furong.domains.catalogue.resources.values import ItemType
from tests.domains.catalogue.reading import NOW

TODAY = date(2026, 11, 23)


def column(code: str, kind: ItemType = ItemType.TEXT, *, key: bool = False, length: int | None = 10) -> Column:
    return Column(code=code, name={"zh": code, "en": code}, type=kind, length=length, is_key=key, note=None)


def table(*rows: tuple[Any, ...], columns: tuple[Column, ...], as_of: date | None = None) -> Table:
    return Table(code="t", columns=columns, rows=rows, source={}, licence="", as_of=as_of)


CODE_AND_NAME = (column("code", key=True), column("name"))


def test_completeness_counts_keys_and_items_that_may_not_be_empty() -> None:
    given = table(("1", "甲"), ("2", None), ("3", ""), ("4", "丁"), columns=CODE_AND_NAME)
    assert quality.measure(table=given, cycle="daily", on=TODAY).completeness == 1.0
    found = quality.measure(table=given, cycle="daily", on=TODAY, required=frozenset({"name"}))
    assert found.completeness == 6 / 8
    assert [item.filled for item in found.items] == [1.0, 0.5]


def test_validity_looks_at_type_length_and_code() -> None:
    columns = (
        column("n", ItemType.INTEGER, length=None),
        column("d", ItemType.DATE, length=None),
        column("t", length=2),
    )
    given = table((1, TODAY, "ab"), (True, "2026", "abc"), ("1", None, None), columns=columns)
    found = quality.measure(table=given, cycle="daily", on=TODAY)
    assert [item.valid for item in found.items] == [1 / 3, 1 / 2, 1 / 2]
    assert found.validity == 3 / 7


def test_a_key_that_stands_twice_is_unique_in_none_of_its_rows() -> None:
    given = table(("1", "甲"), ("1", "乙"), ("2", "丙"), columns=CODE_AND_NAME)
    assert quality.measure(table=given, cycle="daily", on=TODAY).uniqueness == 1 / 3
    assert quality.measure(table=table(("甲",), columns=(column("name"),)), cycle="", on=TODAY).uniqueness is None


@pytest.mark.parametrize(
    ("cycle", "age", "timeliness"),
    [("monthly", 31, 1.0), ("monthly", 62, 0.5), ("yearly", 732, 0.5), ("irregular", 4000, None), ("daily", 0, 1.0)],
)
def test_timeliness_is_the_promise_over_the_age(cycle: str, age: int, timeliness: float | None) -> None:
    given = table(("1", "甲"), columns=CODE_AND_NAME, as_of=TODAY - timedelta(days=age))
    assert quality.measure(table=given, cycle=cycle, on=TODAY).timeliness == timeliness


def test_what_the_platform_keeps_itself_is_as_of_now() -> None:
    assert quality.measure(table=table(columns=CODE_AND_NAME), cycle="daily", on=TODAY).timeliness == 1.0


_cells = st.one_of(st.none(), st.text(max_size=12), st.integers(), st.booleans(), st.dates())


@given(st.lists(st.tuples(_cells, _cells), max_size=30), st.sampled_from(list(ItemType)))
def test_every_measure_is_a_share_whatever_the_rows_hold(rows: list[tuple[Any, ...]], kind: ItemType) -> None:
    found = quality.measure(
        table=table(*rows, columns=(column("a", kind, key=True), column("b", kind))), cycle="weekly", on=TODAY
    )
    measures = (found.completeness, found.validity, found.uniqueness, found.timeliness)
    assert all(one is None or 0.0 <= one <= 1.0 for one in measures)
    assert all(0.0 <= share <= 1.0 for item in found.items for share in (item.filled, item.valid))


def shown(code: str) -> Table | None:
    try:
        return data.find_table(code=code)
    except ResourceMissing:  # this pack binds no provider to the module's role
        return None


@pytest.mark.usefixtures("platform")
def test_what_passes_is_measured_once_a_minute_and_kept_by_day() -> None:
    code, given = next((code, found) for code in sorted(data.registered()) if (found := shown(code)) is not None)
    quality._noted.forget()
    for _ in range(3):
        quality.note_passed(table=given, now=NOW)
    (kept,) = quality.list_quality(code=code, until=TODAY)
    assert (kept.measured_on, kept.rows) == (TODAY, len(given.rows))
    assert kept.validity == 1.0, [item for item in kept.items if item.valid < 1]
    assert quality.record(table=replace(given, rows=()), actor=quality.SYSTEM, now=NOW) == 2
    assert quality.list_quality(code=code, until=TODAY)[0].rows == 0
