"""Simple charts of open rows: how many rows, or how much of a number, by the values of one item. Pure; drawn by the template."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from furong.domains.catalogue.data import Column, Table
from furong.domains.catalogue.resources.values import ItemType

MOST_BARS = 20
_GROUPS = frozenset({ItemType.TEXT, ItemType.INTEGER, ItemType.LOGICAL})
_MEASURES = frozenset({ItemType.INTEGER, ItemType.NUMBER, ItemType.DOUBLE, ItemType.FLOAT, ItemType.MONEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    label: str
    value: float
    width: int  # of 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars, the longest first; ``others`` counts the values that are left out. ``measure`` is None where rows are counted."""

    group: Column
    measure: Column | None
    bars: tuple[Bar, ...]
    others: int


def groups_of(table: Table) -> Iterator[Column]:
    """Give the items by whose values rows may be told apart: few values, each of several rows."""
    for place, column in enumerate(table.columns):
        if column.type not in _GROUPS or not table.rows:
            continue
        values = {row[place] for row in table.rows if row[place] is not None}
        if 2 <= len(values) <= max(MOST_BARS, len(table.rows) // 4):
            yield column


def measures_of(table: Table) -> tuple[Column, ...]:
    """Give the items that are numbers to be summed: no keys, and none that is a code."""
    groups = {column.code for column in groups_of(table)}
    return tuple(
        column
        for column in table.columns
        if column.type in _MEASURES and not column.is_key and column.code not in groups
    )


def chart_of(table: Table, *, group: str = "", measure: str = "") -> Chart | None:
    """Give the chart of an item, the first that suits when none is named; None when no item does."""
    groups = list(groups_of(table))
    chosen = next((column for column in groups if column.code == group), groups[0] if groups else None)
    if chosen is None:
        return None
    summed = next((column for column in measures_of(table) if column.code == measure), None)
    codes = [column.code for column in table.columns]
    place = codes.index(chosen.code)
    at = codes.index(summed.code) if summed is not None else -1
    totals: dict[object, float] = {}
    for row in table.rows:
        if row[place] is None:
            continue
        totals[row[place]] = totals.get(row[place], 0) + ((row[at] or 0) if summed is not None else 1)
    ranked = sorted(totals.items(), key=lambda one: (-one[1], str(one[0])))
    longest = max((value for _, value in ranked), default=0) or 1
    bars = tuple(
        Bar(label=str(key), value=value, width=max(4, round(1000 * value / longest)) if value > 0 else 0)
        for key, value in ranked[:MOST_BARS]
    )
    return Chart(group=chosen, measure=summed, bars=bars, others=max(0, len(ranked) - MOST_BARS))
