"""Use and benefit of what is shared, per resource and per department, as far as the reader may know of the resources.

Use is counted from grants and their readings: in force, used in the last ninety days, unused, readings. Benefit is measured from
the audit of what was read under grants, day by day (`measure_use`): people served (a person counts once for each resource and
day), cases, cases of enterprises, and materials that were not asked for: in each case, one for each resource that was read
instead of being brought along. The public face shows what is known to everybody, and no number of people or cases below five.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from furong.domains.catalogue import lookup
from furong.domains.catalogue.needs import models
from furong.domains.catalogue.sight import sight_of
from furong.domains.catalogue.states import Audience
from furong.domains.catalogue.views import ResourceLine
from furong.foundation.access import using
from furong.foundation.access.values import Actor
from furong.foundation.audit import queries as audit
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendars

SYSTEM = Actor.system("catalogue")
USED_WITHIN_DAYS = 90
PERIOD_DAYS = 365
# The public face names no smaller number of people or cases, for it might tell of single ones.
LEAST_PUBLIC = 5
MOST_RESOURCES = 200

_enterprise_cases: list[Callable[[Iterable[UUID]], set[UUID]]] = []


def tell_enterprises_by(find: Callable[[Iterable[UUID]], set[UUID]]) -> None:
    """Let ``find`` say which cases are of enterprises; the room above knows."""
    _enterprise_cases[:] = [find]


class RowKind(StrEnum):
    """What a day's row is about. The public ones count what strangers may know of, and nothing else."""

    RESOURCE = "resource"
    DEPARTMENT = "department"
    ALL = "all"
    PUBLIC_DEPARTMENT = "public_department"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Whom reading under grants served in a period; see `models.UseDay` for what each number counts."""

    calls: int = 0
    people: int = 0
    cases: int = 0
    enterprises: int = 0
    materials: int = 0

    def for_everybody(self) -> Served:
        """Give it as the public may know it: numbers of people and cases below five are left out."""
        few = {name: 0 for name in ("people", "cases", "enterprises") if 0 < getattr(self, name) < LEAST_PUBLIC}
        return Served(
            calls=self.calls,
            people=few.get("people", self.people),
            cases=few.get("cases", self.cases),
            enterprises=few.get("enterprises", self.enterprises),
            materials=0 if 0 < self.materials < LEAST_PUBLIC else self.materials,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Grants of a resource or a department in force, and how many of them were used."""

    grants: int = 0
    used: int = 0

    @property
    def unused(self) -> int:
        """How many in force nobody used in ninety days."""
        return self.grants - self.used

    @property
    def rate(self) -> float | None:
        """The share that was used, from 0 to 1; None without grants."""
        return self.used / self.grants if self.grants else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFigures:
    line: ResourceLine
    use: Use
    served: Served

    @property
    def calls_per_grant(self) -> float | None:
        """Readings a grant in the period; None without grants."""
        return self.served.calls / self.use.grants if self.use.grants else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentFigures:
    """What a department shares: its live resources that the reader may know of, their grants, and whom they served."""

    department: str
    resources: int
    shared: int  # resources with a grant in force
    use: Use
    served: Served


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Use and benefit of ``days`` days up to and with ``until_on``. ``resources``: those with grants or use, most used first."""

    until_on: date
    days: int
    resources: tuple[ResourceFigures, ...]
    departments: tuple[DepartmentFigures, ...]
    live: int
    use: Use
    served: Served


@dataclass(frozen=True, slots=True, kw_only=True)
class OpennessException:
    """A clause by which resources are not open, and how many cite it."""

    law: Mapping[str, str]
    clause: Mapping[str, str]
    resources: int


def figures(*, actor: Actor, now: datetime, days: int = PERIOD_DAYS) -> Figures:
    """Return use and benefit as the actor may know them: a stranger only those of what everybody may know of.

    Cost: a few statements over grants in force and the days' rows; benefit is as new as the last `measure_use`.
    """
    today = calendars.current().local_date(now)
    staff = sight_of(actor=actor).level >= Audience.STAFF
    level = Audience.STAFF if staff else Audience.EVERYBODY
    live = _live(level)
    grants = _grants(today)
    used = using.used_since(
        grant_ids=[one for ids in grants.values() for one in ids], since=today - timedelta(days=USED_WITHIN_DAYS)
    )
    since = today - timedelta(days=days - 1)
    by_resource = _sums(RowKind.RESOURCE, since, today)
    uses = {
        code: Use(grants=len(grants.get(code, ())), used=len(used.intersection(grants.get(code, ())))) for code in live
    }
    found = [code for code in live if uses[code].grants or code in by_resource]
    lines = {line.code: line for line in lookup.list_lines(actor=actor, codes=found)}
    rows = [
        ResourceFigures(line=lines[code], use=uses[code], served=_told(by_resource.get(code, Served()), staff))
        for code in found
        if code in lines
    ]
    rows.sort(key=lambda one: (-one.served.calls, -one.use.grants, one.line.code))
    return Figures(
        until_on=today,
        days=days,
        resources=tuple(rows[:MOST_RESOURCES]),
        departments=_departments(live, uses, since, today, staff),
        live=len(live),
        use=_added(uses.values()),
        served=_told(_sums(RowKind.ALL if staff else RowKind.PUBLIC, since, today).get("", Served()), staff),
    )


def exceptions(*, actor: Actor) -> tuple[OpennessException, ...]:
    """Return the clauses by which live resources that the actor may know of are not open, most cited first."""
    level = min(sight_of(actor=actor).level, Audience.STAFF)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT one.value -> 'law', one.value -> 'clause', count(DISTINCT r.code)
                 FROM catalogue_resource AS r
                 CROSS JOIN LATERAL jsonb_array_elements(r.detail -> 'openness' -> 'exceptions') AS one
                WHERE r.live AND r.audience <= %s GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 50""",
            [int(level)],
        )
        rows = cursor.fetchall()
    return tuple(
        OpennessException(law=_json(law), clause=_json(clause), resources=count) for law, clause, count in rows
    )


@command("catalogue.measure_use")
def measure_use(*, now: datetime, actor: Actor = SYSTEM, days: int = 2) -> int:
    """Count whom reading under grants served on the last ``days`` local days, today included; gives the rows.

    The worker runs it every hour, so that a day is complete an hour after it ends. It counts a day anew each time. Cost: the
    audit's entries of a day, and in memory its persons and cases.
    """
    today = calendars.current().local_date(now)
    written = 0
    for back in range(max(1, days)):
        written += _measure(today - timedelta(days=back))
    current().detail(rows=written, days=days)
    return written


# --- how ----------------------------------------------------------------------------------------------------------------------


def _measure(day: date) -> int:
    calendar = calendars.current()
    people: dict[str, set[UUID]] = defaultdict(set)
    cases: dict[str, set[UUID]] = defaultdict(set)
    for resource, person_id, case_id in audit.list_shared_reads(
        since=calendar.start_of_day(day), until=calendar.start_of_day(day + timedelta(days=1))
    ):
        if person_id is not None:
            people[resource].add(person_id)
        if case_id is not None:
            cases[resource].add(case_id)
    calls = _calls(day)
    codes = {*people, *cases, *calls}
    every = {case for found in cases.values() for case in found}
    firms = {case for find in _enterprise_cases for case in find(every)} if every else set()
    known = _placed(codes)
    groups: dict[tuple[RowKind, str], set[str]] = defaultdict(set)
    for code in codes & set(known):
        department, audience = known[code]
        groups[RowKind.RESOURCE, code].add(code)
        if audience <= Audience.STAFF:
            groups[RowKind.DEPARTMENT, department].add(code)
            groups[RowKind.ALL, ""].add(code)
        if audience <= Audience.EVERYBODY:
            groups[RowKind.PUBLIC_DEPARTMENT, department].add(code)
            groups[RowKind.PUBLIC, ""].add(code)
    rows = []
    for (kind, name), members in groups.items():
        distinct = {case for code in members for case in cases.get(code, ())}
        rows.append(
            models.UseDay(
                day=day,
                kind=kind.value,
                code=name,
                calls=sum(calls.get(code, 0) for code in members),
                people=sum(len(people.get(code, ())) for code in members),
                cases=len(distinct),
                enterprises=len(distinct & firms),
                materials=sum(len(cases.get(code, ())) for code in members),
            )
        )
    models.UseDay.objects.filter(day=day).delete()
    models.UseDay.objects.bulk_create(rows, batch_size=1000)
    return len(rows)


def _calls(day: date) -> dict[str, int]:
    """Readings on a day by resource."""
    by_grant = using.calls_on(day=day)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, resource_code FROM catalogue_grant WHERE id = ANY(%s)", [list(by_grant)])
        found: dict[str, int] = defaultdict(int)
        for grant_id, code in cursor.fetchall():
            found[code] += by_grant[grant_id]
    return found


def _placed(codes: Iterable[str]) -> dict[str, tuple[str, int]]:
    """The department and the audience of live resources."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.code, f.department, r.audience FROM catalogue_resource AS r
                 JOIN catalogue_facet AS f ON f.id = r.facet_id WHERE r.code = ANY(%s) AND r.live""",
            [list(codes)],
        )
        return {code: (department, audience) for code, department, audience in cursor.fetchall()}


def _live(level: Audience) -> dict[str, str]:
    """The department of each live resource of an audience."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.code, f.department FROM catalogue_resource AS r
                 JOIN catalogue_facet AS f ON f.id = r.facet_id WHERE r.live AND r.audience <= %s ORDER BY r.code""",
            [int(level)],
        )
        return dict(cursor.fetchall())


def _grants(today: date) -> dict[str, list[UUID]]:
    """The grants in force by resource."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT resource_code, array_agg(id) FROM catalogue_grant
                WHERE state = 'active' AND valid_from <= %s AND valid_until > %s GROUP BY resource_code""",
            [today, today],
        )
        return dict(cursor.fetchall())


def _sums(kind: RowKind, since: date, until: date) -> dict[str, Served]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT code, sum(calls)::bigint, sum(people)::bigint, sum(cases)::bigint, sum(enterprises)::bigint,
                      sum(materials)::bigint
                 FROM catalogue_useday WHERE kind = %s AND day >= %s AND day <= %s GROUP BY code""",
            [kind.value, since, until],
        )
        return {
            row[0]: Served(calls=row[1], people=row[2], cases=row[3], enterprises=row[4], materials=row[5])
            for row in cursor.fetchall()
        }


def _departments(
    live: Mapping[str, str], uses: Mapping[str, Use], since: date, until: date, staff: bool
) -> tuple[DepartmentFigures, ...]:
    served = _sums(RowKind.DEPARTMENT if staff else RowKind.PUBLIC_DEPARTMENT, since, until)
    members: dict[str, list[str]] = defaultdict(list)
    for code, department in live.items():
        members[department].append(code)
    rows = [
        DepartmentFigures(
            department=department,
            resources=len(codes),
            shared=sum(uses[code].grants > 0 for code in codes),
            use=_added(uses[code] for code in codes),
            served=_told(served.get(department, Served()), staff),
        )
        for department, codes in members.items()
    ]
    rows.sort(key=lambda one: (-one.served.calls, -one.use.grants, -one.resources, one.department))
    return tuple(rows)


def _added(uses: Iterable[Use]) -> Use:
    every = list(uses)
    return Use(grants=sum(one.grants for one in every), used=sum(one.used for one in every))


def _told(served: Served, staff: bool) -> Served:
    return served if staff else served.for_everybody()


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value
