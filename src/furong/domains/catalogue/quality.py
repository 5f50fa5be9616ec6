"""The quality of a resource's rows, measured when they pass: are they complete, valid, unique, and as recent as promised?

Measures after GB/T 36344-2018 (数据质量评价指标): completeness (完整性), conformity (规范性), uniqueness (准确性中的唯一性),
timeliness (时效性). Each is a share from 0 to 1; None where there is nothing to measure it by.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from furong.domains.catalogue.data import STRANGER, Table
from furong.domains.catalogue.lookup import get_resource
from furong.domains.catalogue.queries import get_dictionary
from furong.domains.catalogue.resources.values import Cycle, ItemType
from furong.domains.catalogue.values import DataElement
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.leases import Leased
from furong.foundation.codes.queries import get_table
from furong.foundation.codes.statements import first_row

SYSTEM = Actor.system("catalogue.quality")
_NOTE_SECONDS = 60.0
# The longest time that a cycle lets pass between two states, in days; cycles without a period promise none.
PROMISED_DAYS: Mapping[Cycle, int] = {
    Cycle.REALTIME: 1,
    Cycle.DAILY: 1,
    Cycle.WEEKLY: 7,
    Cycle.MONTHLY: 31,
    Cycle.QUARTERLY: 92,
    Cycle.HALF_YEARLY: 184,
    Cycle.YEARLY: 366,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemQuality:
    """One item: the share of its cells that hold a value, and of these the share that is as declared."""

    code: str
    filled: float
    valid: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What was measured on a day."""

    measured_on: date
    rows: int
    completeness: float | None
    validity: float | None
    uniqueness: float | None
    timeliness: float | None
    items: tuple[ItemQuality, ...] = ()


def measure(
    *,
    table: Table,
    cycle: str,
    on: date,
    required: frozenset[str] = frozenset(),
    elements: Mapping[str, DataElement] | None = None,
) -> Quality:
    """Measure a table on the local day ``on``: one pass over its cells.

    ``required`` are the items that may not be empty, besides keys; without any, all items count. ``elements`` are the data
    elements that items carry, by item code: their code tables and lists say which values there are.
    """
    elements = elements or {}
    keys = [place for place, column in enumerate(table.columns) if column.is_key]
    needed = required | {table.columns[place].code for place in keys}
    items, cells, filled_cells, checked, valid_cells = [], 0, 0, 0, 0
    for place, column in enumerate(table.columns):
        values = [row[place] for row in table.rows if row[place] not in (None, "")]
        allowed = _allowed(elements.get(column.code))
        valid = sum(_is_valid(value, column.type, column.length, allowed) for value in values)
        if not needed or column.code in needed:
            cells, filled_cells = cells + len(table.rows), filled_cells + len(values)
        checked, valid_cells = checked + len(values), valid_cells + valid
        items.append(
            ItemQuality(code=column.code, filled=_share(len(values), len(table.rows)), valid=_share(valid, len(values)))
        )
    return Quality(
        measured_on=on,
        rows=len(table.rows),
        completeness=_share(filled_cells, cells) if cells else None,
        validity=_share(valid_cells, checked) if checked else None,
        uniqueness=_uniqueness(table, keys),
        timeliness=_timeliness(table.as_of, cycle, on),
        items=tuple(items),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _uniqueness(table: Table, keys: list[int]) -> float | None:
    if not keys or not table.rows:
        return None
    times = Counter(tuple(row[place] for place in keys) for row in table.rows)
    return _share(sum(count for count in times.values() if count == 1), len(table.rows))


def _timeliness(as_of: date | None, cycle: str, on: date) -> float | None:
    """1 while the rows are as recent as their cycle promises; then the promised days over the days that have passed."""
    promised = PROMISED_DAYS.get(Cycle(cycle)) if cycle in set(Cycle) else None
    if promised is None:
        return None
    age = 0 if as_of is None else (on - as_of).days  # what the platform keeps itself is as of now
    return 1.0 if age <= promised else promised / age


def _allowed(element: DataElement | None) -> frozenset[str] | None:
    if element is None:
        return None
    if element.codes:
        return frozenset(str(one.code) for one in element.codes)
    return frozenset(get_table(name=element.code_table).items) if element.code_table else None


_TYPES: Mapping[ItemType, tuple[type, ...]] = {
    ItemType.DATE: (date,),
    ItemType.DATETIME: (datetime,),
    ItemType.LOGICAL: (bool,),
    ItemType.INTEGER: (int,),
    ItemType.NUMBER: (int, float),
    ItemType.MONEY: (int, float),
    ItemType.DOUBLE: (int, float),
    ItemType.FLOAT: (int, float),
}


def _is_valid(value: Any, kind: ItemType, length: int | None, allowed: frozenset[str] | None) -> bool:
    wanted = _TYPES.get(kind, (str,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        return False
    if isinstance(value, str) and length is not None and len(value) > length:
        return False
    return allowed is None or str(value) in allowed


# --- what is kept ----------------------------------------------------------------------------------------------------

_KEEP = """
INSERT INTO catalogue_quality (resource_code, measured_on, rows, completeness, validity, uniqueness, timeliness, items, passed)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, 1)
ON CONFLICT (resource_code, measured_on) DO UPDATE SET rows = excluded.rows, completeness = excluded.completeness,
    validity = excluded.validity, uniqueness = excluded.uniqueness, timeliness = excluded.timeliness, items = excluded.items,
    passed = catalogue_quality.passed + 1
RETURNING passed
"""
_noted: Leased[int] = Leased(seconds=_NOTE_SECONDS)


def note_passed(*, table: Table, now: datetime) -> None:
    """Measure rows that pass to somebody, at most once a minute for each resource and process."""
    _noted.get(table.code, lambda: record(table=table, actor=SYSTEM, now=now))


@command("catalogue.record_quality")
def record(*, table: Table, actor: Actor, now: datetime) -> int:
    """Measure a table and keep the day's measures; it gives how often it was measured that day."""
    on = timezone.localdate(now)
    view = get_resource(actor=STRANGER, code=table.code)
    dictionary = get_dictionary(on=on)
    elements = {
        item.code: dictionary[item.elements[0]]
        for item in view.items
        if item.elements and item.elements[0] in dictionary
    }
    required = frozenset(item.code for item in view.items if not item.nullable)
    found = measure(table=table, cycle=view.line.cycle, on=on, required=required, elements=elements)
    items = json.dumps([asdict(item) for item in found.items])
    shares = (found.completeness, found.validity, found.uniqueness, found.timeliness)
    row = first_row(_KEEP, [table.code, on, found.rows, *shares, items])
    current().object("resource", table.code)
    return int(row[0]) if row is not None else 0


def list_quality(*, code: str, until: date, days: int = 90) -> list[Quality]:
    """Return what was measured of a resource, the newest day first; empty when nothing has passed yet.

    The caller has shown that the reader may see the resource.
    """
    from furong.domains.catalogue import models

    rows = models.Quality.objects.filter(resource_code=code, measured_on__gt=until - timedelta(days=days))
    return [
        Quality(
            measured_on=row.measured_on,
            rows=row.rows,
            completeness=row.completeness,
            validity=row.validity,
            uniqueness=row.uniqueness,
            timeliness=row.timeliness,
            items=tuple(ItemQuality(**one) for one in row.items),
        )
        for row in rows.order_by("-measured_on")
    ]
