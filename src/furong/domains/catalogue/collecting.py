"""Duties of collection (采集权责): who asks whom for what, how often and when; the calendar of a year; the burden that it makes.

Duties stand in the resources' definitions and are read from the index, each within what the reader may see: a duty of a resource
that is hidden is hidden, and a hidden item is not counted. What nobody can date (in real time, when it arises) has no day in the
calendar and is counted apart.
"""

from __future__ import annotations

import json
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from furong.domains.catalogue.lookup import visible
from furong.domains.catalogue.resources.values import CollectedFrom, Cycle
from furong.domains.catalogue.searching import COLLECTS
from furong.domains.catalogue.sight import sight_of
from furong.domains.catalogue.views import Words
from furong.foundation.access.values import Actor

# How often a year a cycle asks; a cycle that is not here asks when something arises.
TIMES: Mapping[Cycle, int] = {
    Cycle.DAILY: 365,
    Cycle.WEEKLY: 52,
    Cycle.MONTHLY: 12,
    Cycle.QUARTERLY: 4,
    Cycle.HALF_YEARLY: 2,
    Cycle.YEARLY: 1,
}
_MONTHS: Mapping[Cycle, int] = {Cycle.MONTHLY: 1, Cycle.QUARTERLY: 3, Cycle.HALF_YEARLY: 6}
SUBJECTS = (CollectedFrom.PERSON, CollectedFrom.ENTERPRISE, CollectedFrom.INSTITUTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedItem:
    """One item that is asked for, with the data elements it carries."""

    code: str
    name: Words
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One duty of collection as a reader sees it. ``opens`` and ``closes`` are ``MM-DD`` or empty."""

    resource: str
    resource_name: Words
    department: str
    collected_from: CollectedFrom
    cycle: Cycle
    items: tuple[AskedItem, ...]
    service: str = ""
    form: Words | None = None
    opens: str = ""
    closes: str = ""
    due_days: int | None = None
    legal_basis: tuple[Mapping[str, Any], ...] = ()
    note: Words | None = None

    @property
    def times(self) -> int | None:
        """How often a year it asks, None when it asks as things arise."""
        return TIMES.get(self.cycle)

    @property
    def per_year(self) -> int | None:
        """How many answers one subject gives a year, None when it asks as things arise."""
        return None if self.times is None else self.times * len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One time at which something is asked for: from a day to a day, both inclusive."""

    opens_on: date
    closes_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """What one subject is asked at most, when every duty concerns it: ``items`` different ones, ``per_year`` answers a year.

    ``on_occasion`` items are asked when something arises (a registration, an application), not by the calendar.
    """

    collected_from: CollectedFrom
    department: str
    duties: int
    items: int
    per_year: int
    on_occasion: int


def list_duties(*, actor: Actor, collected_from: str = "", department: str = "") -> tuple[Duty, ...]:
    """List the duties of collection that ``actor`` may see, by department, resource and place in its definition.

    ``collected_from`` and ``department`` narrow the list. Empty when there are none. Cost: two statements; resources with duties
    are found by GIN. (Order 809, art. 19: nothing is collected again that sharing supplies.)
    """
    sight = sight_of(actor=actor)
    condition, params = visible(sight)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT r.code, r.name_zh, r.name_en, f.department, r.organization_id, r.division_code, r.detail -> 'collection'
                  FROM catalogue_resource AS r JOIN catalogue_facet AS f ON f.id = r.facet_id
                 WHERE r.code IN (SELECT code FROM catalogue_hit WHERE tokens @@ %s::tsquery) AND {condition}
                   AND (%s = '' OR f.department = %s)
                 ORDER BY f.department, r.code""",
            [f"'{COLLECTS}'", *params, department, department],
        )
        rows = cursor.fetchall()
        cursor.execute(
            """SELECT resource_id, code, name_zh, name_en, audience, detail -> 'elements' FROM catalogue_item
                WHERE resource_id = ANY(%s) ORDER BY resource_id, position""",
            [[row[0] for row in rows]],
        )
        asked: dict[str, list[tuple[int, AskedItem]]] = {}
        for resource, code, zh, en, audience, elements in cursor.fetchall():
            item = AskedItem(code=code, name=_words(zh, en), elements=tuple(_plain(elements) or ()))
            asked.setdefault(resource, []).append((audience, item))
    found = []
    for code, zh, en, owner, organization_id, division_code, collection in rows:
        owned = sight.owns(organization_id=organization_id, division_code=division_code)
        seen = {item.code: item for audience, item in asked.get(code, ()) if owned or audience <= sight.level}
        for duty in _plain(collection):
            items = tuple(seen[one] for one in duty["items"] if one in seen)
            if items and collected_from in {"", duty["collected_from"]}:
                found.append(_duty(code, _words(zh, en), owner, items, duty))
    return tuple(found)


def occasions(duty: Duty, *, year: int) -> tuple[Occasion, ...]:
    """Give the times in the calendar year ``year`` at which a duty asks: none for what arises, or is asked daily or weekly.

    What is monthly, quarterly or half-yearly is asked for after its period, for ``due_days`` days (without: for a month).
    """
    if duty.cycle is Cycle.YEARLY:
        opens, closes = duty.opens or "01-01", duty.closes or "12-31"
        return (Occasion(opens_on=_day(year, opens), closes_on=_day(year, closes)),)
    step = _MONTHS.get(duty.cycle)
    if step is None:
        return ()
    found = []
    for month in range(1, 13, step):
        opens_on = date(year, month, 1)  # the day after a period that ends with the month before
        days = duty.due_days or monthrange(year, month)[1]
        found.append(Occasion(opens_on=opens_on, closes_on=opens_on + timedelta(days=days - 1)))
    return tuple(found)


def months_of(duty: Duty, *, year: int) -> tuple[str, ...]:
    """Give the twelve months of a year for a duty: ``due`` where an answer falls due, ``open`` where one may come, or empty."""
    shown = [""] * 12
    for one in occasions(duty, year=year):
        day = one.opens_on.replace(day=1)
        while day <= one.closes_on and day.year == year:
            shown[day.month - 1] = shown[day.month - 1] or "open"
            day = (day + timedelta(days=31)).replace(day=1)
        if one.closes_on.year == year:
            shown[one.closes_on.month - 1] = "due"
    return tuple(shown)


def burdens(duties: Iterable[Duty], *, by_department: bool = False) -> tuple[Burden, ...]:
    """Sum up what one subject of each kind is asked, by department when asked; the heaviest first within a kind.

    An item counts once among ``items`` however many duties ask for it; ``per_year`` counts every answer.
    """
    grouped: dict[tuple[CollectedFrom, str], list[Duty]] = {}
    for duty in duties:
        grouped.setdefault((duty.collected_from, duty.department if by_department else ""), []).append(duty)
    made = []
    for (collected_from, department), every in grouped.items():
        # What has a data element is the same thing wherever it stands; what has none is its resource's own.
        distinct = {
            (item.elements or (one.resource, item.code), one.times is None) for one in every for item in one.items
        }
        made.append(
            Burden(
                collected_from=collected_from,
                department=department,
                duties=len(every),
                items=len({thing for thing, _occasional in distinct}),
                per_year=sum(one.per_year or 0 for one in every),
                on_occasion=len({thing for thing, occasional in distinct if occasional}),
            )
        )
    order = list(CollectedFrom)
    return tuple(sorted(made, key=lambda b: (order.index(b.collected_from), -b.per_year, -b.on_occasion, b.department)))


def _duty(code: str, name: Words, department: str, items: tuple[AskedItem, ...], given: Mapping[str, Any]) -> Duty:
    window = given.get("window") or {}
    return Duty(
        resource=code,
        resource_name=name,
        department=department,
        collected_from=CollectedFrom(given["collected_from"]),
        cycle=Cycle(given["cycle"]),
        items=items,
        service=given.get("service") or "",
        form=given.get("form"),
        opens=window.get("opens", ""),
        closes=window.get("closes", ""),
        due_days=given.get("due_days"),
        legal_basis=tuple(given.get("legal_basis") or ()),
        note=given.get("note"),
    )


def _day(year: int, month_day: str) -> date:
    month, _dash, day = month_day.partition("-")
    return date(year, int(month), int(day))


def _words(zh: str, en: str) -> Words:
    return {"zh": zh, "en": en}


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
