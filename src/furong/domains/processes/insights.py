"""What processes did and where they stand, as figures. Every query takes a scope from `access` and counts nothing outside it.

A step counts for the organization that did it, everything else for the owner of the instance. Others' durations are given for
comparison only, all of them together, and only from `SMALLEST_CELL` on. Flows and what passes in a moment are counted for a city
and wider, not for single organizations. What is over is read from measured days, what is open
from the small tables of open rows; no query reads the event log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from furong.domains.processes.errors import DefinitionUnknown
from furong.domains.processes.ports import wiring
from furong.domains.processes.store import execute, query
from furong.domains.processes.values.insights import (
    SMALLEST_CELL,
    DefinitionFigures,
    DepartmentLoad,
    DiagramFigures,
    ElementFigures,
    Ending,
    Loop,
    Measure,
    Overview,
    Period,
    Spread,
    WeekFigures,
)
from furong.foundation.access.values import Scope

_FILE = "insights.sql"
# More open instances of one process than this are not looked at one by one for a page; the page says so.
MOST_OPEN = 20_000
_MOST_LOOPS = 8
Buckets = dict[int, tuple[int, float]]


def overview(*, scope: Scope, period: Period) -> Overview:
    """Give every process with what is open of it and how long those took that were completed in the period, by code."""
    versions = _versions("")
    ids = [row[0] for row in versions]
    reach, fragment, params = _reach(scope)
    text = query(_FILE, "figures_of_definitions").replace("{scope}", fragment)
    kinds = [Measure.ENDED, Measure.STARTED]
    rows = execute(text, [ids, reach, kinds, period.from_on, period.until_on, *params], prepare=False).fetchall()
    completed: dict[int, Buckets] = {}
    started: dict[int, int] = {}
    cancelled: dict[int, int] = {}
    for definition_id, kind, ending, bucket, n, seconds in rows:
        if kind == Measure.STARTED:
            started[definition_id] = started.get(definition_id, 0) + n
        elif ending == Ending.CANCELLED:
            cancelled[definition_id] = cancelled.get(definition_id, 0) + n
        else:
            completed.setdefault(definition_id, {})[bucket] = (n, seconds)
    states = _open_states(scope)
    by_code: dict[str, list[tuple[Any, ...]]] = {}
    for row in versions:
        by_code.setdefault(row[2], []).append(row)
    found = []
    for code, own in sorted(by_code.items()):
        newest = own[0]
        of_all = [row[0] for row in own]
        count = {s: sum(states.get(i, {}).get(s, 0) for i in of_all) for s in ("running", "suspended", "stuck")}
        found.append(
            DefinitionFigures(
                code=code,
                name=newest[4],
                digest=newest[1],
                version=newest[3],
                versions=len(own),
                published_at=newest[5],
                on_older=sum(sum(states.get(i, {}).values()) for i in of_all[1:]),
                started=sum(started.get(i, 0) for i in of_all),
                completed=Spread.of(_joined(completed.get(i, {}) for i in of_all)),
                cancelled=sum(cancelled.get(i, 0) for i in of_all),
                **count,
            )
        )
    return Overview(definitions=tuple(found), measured_at=_measured_at())


def diagram(
    *,
    digest: str,
    scope: Scope,
    period: Period,
    now: datetime,
    all_versions: bool = False,
    most_open: int = MOST_OPEN,
) -> DiagramFigures:
    """Give the figures of a version (or of all versions of its code) within ``scope``. Raises `DefinitionUnknown`.

    Cost: a range of measured days, and a lookup for each open instance up to ``most_open``.
    """
    ids = _ids(digest, all_versions)
    reach, fragment, params = _reach(scope)
    own = _figures(ids, reach, fragment, params, period)
    every = own if scope.everything else _figures(ids, 0, "TRUE", [], period, kinds=[Measure.VISIT])
    elements: dict[str, ElementFigures] = {}
    for element in sorted({key for kind, key, _ in own if key and kind not in {Measure.FLOW, Measure.LOOP}}):
        elements[element] = _element(element, own, every)
    counted, more = _standing(elements, ids, scope, now, most_open)
    loops = [
        Loop(elements=tuple(key.split(" > ")), n=_count(buckets))
        for (kind, key, _), buckets in own.items()
        if kind == Measure.LOOP
    ]
    loops.sort(key=lambda one: (-one.n, one.elements))
    completed = own.get((Measure.ENDED, "", Ending.COMPLETED), {})
    cancelled = _count(own.get((Measure.ENDED, "", Ending.CANCELLED), {}))
    return DiagramFigures(
        elements=elements,
        flows={key: _count(buckets) for (kind, key, _), buckets in own.items() if kind == Measure.FLOW},
        loops=tuple(loops[:_MOST_LOOPS]),
        completed=Spread.of(completed),
        started=_count(own.get((Measure.STARTED, "", Ending.NONE), {})),
        ended=_count(completed) + cancelled,
        cancelled=cancelled,
        measured_at=_measured_at(),
        counted=counted,
        more_open=more,
    )


def weeks(
    *, digest: str, scope: Scope, period: Period, all_versions: bool = False, most_open: int = MOST_OPEN
) -> list[WeekFigures]:
    """Give the weeks of the period, the latest first, with what began, ended and is still open. Raises `DefinitionUnknown`."""
    ids = _ids(digest, all_versions)
    reach, fragment, params = _reach(scope)
    text = query(_FILE, "figures_of_weeks").replace("{scope}", fragment)
    monday = period.from_on - timedelta(days=period.from_on.weekday())
    found: dict[date, dict[str, int]] = {}
    while monday <= period.until_on:
        found[monday] = {}
        monday += timedelta(days=7)
    rows = execute(text, [ids, reach, min(found), period.until_on, *params], prepare=False).fetchall()
    for week, kind, ending, n in rows:
        names = {Ending.COMPLETED: "completed", Ending.CANCELLED: "cancelled"}
        name = "started" if kind == Measure.STARTED else names[Ending(ending)]
        found[week][name] = found[week].get(name, 0) + n
    for _, week, state, n in _open_rows(ids, scope, most_open)[0]:
        if week in found and state in {"running", "suspended", "stuck"}:
            found[week][state] = found[week].get(state, 0) + n
    return [WeekFigures(monday=week, **counts) for week, counts in sorted(found.items(), reverse=True)]


def departments(
    *, scope: Scope, now: datetime, digest: str = "", all_versions: bool = False
) -> tuple[list[DepartmentLoad], list[DepartmentLoad]]:
    """Give what waits for people within ``scope``: by department, and by organization, those with most overdue first.

    Of one process when ``digest`` is given. Reads the open tasks of the scope (half a second for a million).
    """
    fragment, params = scope.sql(organization_column="t.organization_id", division_column="t.division_code")
    ids: list[object] = []
    join = ""
    if digest:
        ids = [_ids(digest, all_versions)]
        join = " JOIN processes_instance i ON i.id = t.instance_id AND i.definition_id = ANY (%s::int[])"
    text = query(_FILE, "departments").replace("{scope}", fragment).replace("{of_definitions}", join)
    by_department: list[DepartmentLoad] = []
    by_organization: list[DepartmentLoad] = []
    for row in execute(text, [now, now, *ids, *params], prepare=False).fetchall():
        load = DepartmentLoad(
            department=row[0],
            organization_id=row[1],
            open=row[3],
            overdue=row[4],
            claimed=row[5],
            mean_age_seconds=max(0.0, row[6]),
            oldest_at=row[7],
        )
        if row[2]:
            by_department.append(load)
        elif row[1] is not None:
            by_organization.append(load)
    for loads in (by_department, by_organization):
        loads.sort(key=lambda one: (-one.overdue, -one.open, one.oldest_at, one.department))
    return by_department, by_organization


def _versions(code: str) -> list[tuple[Any, ...]]:
    return execute(query(_FILE, "versions"), {"code": code}).fetchall()


def _ids(digest: str, all_versions: bool) -> list[int]:
    from furong.domains.processes import definitions

    found = definitions.by_digest(digest)
    if not all_versions:
        return [found.id]
    ids = [row[0] for row in _versions(found.code)]
    if not ids:
        raise DefinitionUnknown
    return ids


def _reach(scope: Scope) -> tuple[int, str, list[Any]]:
    """Give the widest measured places that answer a scope, and the scope as a condition on them."""
    if scope.everything:
        return 0, "TRUE", []
    fragment, params = scope.sql(organization_column="m.organization_id", division_column="m.division_code")
    wide = not scope.organization_ids and not scope.narrowed and all(len(p) <= 4 for p in scope.division_prefixes)
    return (1 if wide else 2), fragment, params


Figures = dict[tuple[int, str, int], Buckets]


def _figures(
    ids: list[int],
    reach: int,
    fragment: str,
    params: list[Any],
    period: Period,
    kinds: Sequence[int] = tuple(Measure),
) -> Figures:
    text = query(_FILE, "figures").replace("{scope}", fragment)
    values = [ids, reach, list(kinds), period.from_on, period.until_on, *params]
    found: Figures = {}
    for kind, element, ending, bucket, n, seconds in execute(text, values, prepare=False).fetchall():
        found.setdefault((kind, element, ending), {})[bucket] = (n, seconds)
    return found


def _element(key: str, own: Figures, every: Figures) -> ElementFigures:
    def of(kind: Measure, endings: Iterable[Ending] = Ending, where: Figures = own) -> Buckets:
        return _joined(where.get((kind, key, ending), {}) for ending in endings)

    visits = of(Measure.VISIT)
    # What was cancelled says little of how long the work takes; what passed in a moment took none.
    duration = of(Measure.VISIT, [Ending.COMPLETED])
    rounds = of(Measure.ROUNDS)
    elsewhere: Buckets = {}
    if every is not own:
        for bucket, (n, seconds) in of(Measure.VISIT, [Ending.COMPLETED], every).items():
            mine, mine_seconds = duration.get(bucket, (0, 0.0))
            if n > mine:
                elsewhere[bucket] = (n - mine, seconds - mine_seconds)
    others = Spread.of(elsewhere)
    repeated = sum(n for times, (n, _) in rounds.items() if times > 1)
    extra = sum((times - 1) * n for times, (n, _) in rounds.items())
    # Of single organizations only rework is kept: who was here once follows from the visits.
    once = rounds[1][0] if 1 in rounds else max(0, _count(visits) - extra - repeated) if repeated else 0
    return ElementFigures(
        element_id=key,
        visits=_count(visits),
        cancelled=_count(of(Measure.VISIT, [Ending.CANCELLED])),
        duration=Spread.of(duration),
        waiting=Spread.of(of(Measure.WAITING, [Ending.COMPLETED])),
        handling=Spread.of(of(Measure.HANDLING, [Ending.COMPLETED])),
        stuck=_count(of(Measure.STUCK)),
        instances=once + repeated,
        repeated=repeated,
        extra_rounds=extra,
        elsewhere=others if others.n >= SMALLEST_CELL else Spread(),
    )


def _standing(
    elements: dict[str, ElementFigures], ids: list[int], scope: Scope, now: datetime, most: int
) -> tuple[int, bool]:
    """Add to the figures where tokens stand now; give how many open instances were looked at, and whether there are more."""
    fragment, params = scope.sql(
        organization_column="coalesce(t.organization_id, i.organization_id)",
        division_column="coalesce(nullif(t.division_code, ''), i.division_code)",
    )
    text = _with_open(query(_FILE, "standing"), fragment)
    looked = 0
    for row in execute(text, [ids, most + 1, now, now, *params], prepare=False).fetchall():
        element, here, stuck, tasks, overdue, claimed, seconds, oldest, looked = row
        known = elements.get(element, ElementFigures(element_id=element))
        elements[element] = replace(
            known,
            here=here,
            stuck_now=stuck,
            tasks_open=tasks,
            tasks_overdue=overdue,
            tasks_claimed=claimed,
            open_seconds=max(0.0, seconds),
            oldest_at=oldest,
        )
    return min(looked, most), looked > most


def _with_open(text: str, fragment: str) -> str:
    return text.replace("{open_instances}", query(_FILE, "open_instances")).replace("{scope}", fragment)


def _open_rows(ids: list[int], scope: Scope, most: int) -> tuple[list[tuple[Any, ...]], bool]:
    fragment, params = scope.sql(organization_column="i.organization_id", division_column="i.division_code")
    text = _with_open(query(_FILE, "open_states"), fragment)
    zone = wiring().calendar().zone
    rows = execute(text, [ids, most + 1, zone, *params], prepare=False).fetchall()
    return [row[:4] for row in rows], any(row[4] > most for row in rows)


def _open_states(scope: Scope) -> dict[int, dict[str, int]]:
    """Count the open instances of every definition by state; what an incident holds is stuck and not running."""
    fragment, params = scope.sql(organization_column="i.organization_id", division_column="i.division_code")
    found: dict[int, dict[str, int]] = {}
    text = query(_FILE, "open_by_definition").replace("{scope}", fragment)
    for definition_id, state, n in execute(text, params, prepare=False).fetchall():
        found.setdefault(definition_id, {})[state] = n
    text = query(_FILE, "stuck_by_definition").replace("{scope}", fragment)
    for definition_id, n in execute(text, params, prepare=False).fetchall():
        counts = found.setdefault(definition_id, {})
        counts["stuck"] = n
        counts["running"] = max(0, counts.get("running", 0) - n)
    return found


def _joined(parts: Iterable[Buckets]) -> Buckets:
    found: Buckets = {}
    for part in parts:
        for bucket, (n, seconds) in part.items():
            known, known_seconds = found.get(bucket, (0, 0.0))
            found[bucket] = (known + n, known_seconds + seconds)
    return found


def _count(buckets: Buckets) -> int:
    return sum(n for n, _ in buckets.values())


def _measured_at() -> datetime | None:
    row = execute(query(_FILE, "measured_until"), []).fetchone()
    return row[0] if row else None


def labels_of(loads: Iterable[DepartmentLoad]) -> set[UUID]:
    """Give the organizations of the loads, for looking up their names."""
    return {load.organization_id for load in loads if load.organization_id is not None}
