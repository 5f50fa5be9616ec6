"""Reads. They return frozen values; every listing takes a scope from `access`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from furong.domains.processes import definitions
from furong.domains.processes.errors import InstanceUnknown, TaskUnknown
from furong.domains.processes.interpreter import LogKind
from furong.domains.processes.store import execute, query
from furong.domains.processes.values.work import (
    DefinitionInfo,
    DefinitionText,
    DiagramState,
    ElementState,
    Instance,
    Light,
    LogEntry,
    PageKey,
    Task,
    TaskCounts,
    TaskFilters,
    TaskPage,
)
from furong.domains.processes.variables import load
from furong.foundation.access.values import Scope

_NO_FILTERS = TaskFilters()


def get_task(*, task_id: UUID) -> Task:
    """Give one task, open or closed. Raises `TaskUnknown`. The caller asks `access` whether the actor may see it."""
    row = execute(query("work.sql", "get_open_task"), [task_id]).fetchone()
    row = row or execute(query("work.sql", "get_closed_task"), [task_id]).fetchone()
    if row is None:
        raise TaskUnknown
    return _task(row)


def list_tasks_of(*, business_key: str, only_open: bool = False) -> list[Task]:
    """Give the tasks of a business key (a case), oldest first; an empty list when there are none."""
    rows = execute(query("work.sql", "open_tasks_of_key"), [business_key]).fetchall()
    if not only_open:
        rows += execute(query("work.sql", "closed_tasks_of_key"), [business_key]).fetchall()
    return sorted((_task(row) for row in rows), key=lambda task: (task.created_at, task.id))


def work_list(
    *,
    scope: Scope,
    now: datetime,
    filters: TaskFilters = _NO_FILTERS,
    page_size: int = 50,
    after: PageKey | None = None,
) -> TaskPage:
    """Give a page of open tasks within ``scope``, those due first at the top, those without a deadline last.

    The page is found by key, so the thousandth costs as much as the first: one index range scan and ``page_size`` rows
    (5 ms at a million open tasks).
    """
    own, own_params = _narrowed(filters, now)
    if after is not None:
        own.append("(t.rank_at, t.id) > (%s::timestamptz, %s::uuid)")
        own_params += [after.rank_at, after.id]
    arms: list[str] = []
    params: list[object] = []
    for condition, values in _arms(scope):
        arms.append(
            f"(SELECT t.id, t.rank_at FROM processes_task t WHERE {' AND '.join([condition, *own])} "
            "ORDER BY t.rank_at, t.id LIMIT %s)"
        )
        params += [*values, *own_params, page_size + 1]
    # The keys of the page come first, often from an index alone; its rows are read after.
    text = (
        "WITH page AS MATERIALIZED (SELECT DISTINCT ON (rank_at, id) rank_at, id "
        f"FROM ({' UNION ALL '.join(arms)}) AS a ORDER BY rank_at, id LIMIT %s) "
        f"SELECT {query('work.sql', 'open_columns')}, t.rank_at FROM page JOIN processes_task t ON t.id = page.id "
        "ORDER BY page.rank_at, page.id"
    )
    rows = execute(text, [*params, page_size + 1], prepare=False, binary=True).fetchall()
    shown = rows[:page_size]
    following = PageKey(rank_at=shown[-1][-1], id=shown[-1][0]) if len(rows) > page_size else None
    return TaskPage(tasks=tuple(_task(row[:-1]) for row in shown), following=following)


def count_tasks(
    *,
    scope: Scope,
    now: datetime,
    day_ends_at: datetime | None = None,
    filters: TaskFilters = _NO_FILTERS,
    most: int = 1_000,
) -> TaskCounts:
    """Count the open tasks within ``scope`` for the lights, each up to ``most``.

    ``day_ends_at`` is the end of the local day, for what is due today; a day from ``now`` when not given. One statement;
    its cost is bounded by ``most``, not by the table.
    """
    narrowed, narrowed_params = _narrowed(filters, now)
    ends = day_ends_at or now + timedelta(days=1)
    in_order = "ORDER BY t.rank_at "
    kinds: list[tuple[str, list[object], str]] = [
        ("t.rank_at <= %s", [now], in_order),
        ("t.yellow_at <= %s AND t.rank_at > %s", [now, now], in_order),
        ("t.rank_at > %s AND t.rank_at <= %s", [now, ends], in_order),
        ("t.escalated_at IS NOT NULL", [], ""),
        ("TRUE", [], in_order),
    ]
    parts: list[str] = []
    values: list[object] = []
    for condition, own, order in kinds:
        arms: list[str] = []
        for covered, params in _arms(scope):
            arms.append(
                f"(SELECT t.id FROM processes_task t WHERE {' AND '.join([covered, *narrowed, condition])} "
                f"{order}LIMIT {int(most)})"
            )
            values += [*params, *narrowed_params, *own]
        # UNION counts a row once that two parts of the scope cover.
        parts.append(f"(SELECT least(count(*), {int(most)}) FROM ({' UNION '.join(arms)}) AS c)")
    row = execute(f"SELECT {', '.join(parts)}", values, prepare=False).fetchone()
    assert row is not None  # noqa: S101 - an aggregate without GROUP BY always gives a row
    return TaskCounts(overdue=row[0], yellow=row[1], due_today=row[2], escalated=row[3], running=row[4], most=most)


# A scope of more parts than this is asked as one condition; the index then no longer gives the order.
_MOST_ARMS = 24


def _arms(scope: Scope) -> list[tuple[str, list[object]]]:
    """Split a scope into conditions that one index range each answers in order of the deadline; a row may be in two."""
    parts = [
        *(Scope(organization_ids=frozenset({one})) for one in sorted(scope.organization_ids)),
        *(Scope(division_prefixes=(prefix,)) for prefix in scope.division_prefixes),
        *(Scope(narrowed=frozenset({pair})) for pair in sorted(scope.narrowed)),
    ]
    if scope.everything or not 1 < len(parts) <= _MOST_ARMS:
        return [_covers(scope)]
    return [_covers(part) for part in parts]


def _covers(scope: Scope) -> tuple[str, list[object]]:
    """Give the scope as a condition; a single organization, county or city in the words of its index."""
    fragment, params = scope.sql(organization_column="t.organization_id", division_column="t.division_code")
    organizations, prefixes = scope.organization_ids, scope.division_prefixes
    if scope.everything or scope.narrowed or len(organizations) + len(prefixes) != 1:
        return fragment, params
    if organizations:
        return "t.organization_id = %s", list(organizations)
    prefix = prefixes[0]
    for digits in (6, 4):
        if len(prefix) == digits:
            return f"left(t.division_code, {digits}) = %s", [prefix]
        if len(prefix) > digits:
            return f"left(t.division_code, {digits}) = %s AND {fragment}", [prefix[:digits], *params]
    return fragment, params


def _narrowed(filters: TaskFilters, now: datetime) -> tuple[list[str], list[object]]:
    where: list[str] = []
    params: list[object] = []
    plain: list[tuple[str, object]] = [
        ("t.kind = %s", filters.kind),
        ("t.item_code = %s", filters.item_code),
        ("t.organization_id = %s", filters.organization_id),
        ("t.claimed_by = %s", filters.claimed_by),
        ("t.business_key = %s", filters.business_key),
    ]
    for condition, value in plain:
        if value:
            where.append(condition)
            params.append(value)
    if filters.right_codes:
        where.append("t.right_code = ANY (%s)")
        params.append(sorted(filters.right_codes))
    if filters.division_prefix:
        last = filters.division_prefix[:-1] + chr(ord(filters.division_prefix[-1]) + 1)
        where.append("t.division_code >= %s AND t.division_code < %s")
        params += [filters.division_prefix, last]
    if filters.unclaimed:
        where.append("t.claimed_by IS NULL")
    if filters.escalated:
        where.append("t.escalated_at IS NOT NULL")
    lights = {
        Light.NONE: ("t.due_at IS NULL", 0),
        Light.RED: ("t.rank_at <= %s", 1),
        Light.YELLOW: ("t.yellow_at <= %s AND t.rank_at > %s", 2),
        Light.GREEN: ("t.rank_at > %s AND t.due_at IS NOT NULL AND (t.yellow_at > %s OR t.yellow_at IS NULL)", 2),
    }
    if filters.light is not None:
        condition, count = lights[filters.light]
        where.append(condition)
        params += [now] * count
    return where, params


def _task(row: Sequence[Any]) -> Task:
    return Task(
        id=row[0],
        instance_id=row[1],
        element_id=row[2],
        kind=row[3],
        title=row[4],
        department=row[5],
        organization_id=row[6],
        division_code=row[7],
        right_code=row[8],
        item_code=row[9],
        business_key=row[10],
        label=row[11],
        outcomes=tuple(row[12]),
        priority=row[13],
        claimed_by=row[14],
        claimed_at=row[15],
        created_at=row[16],
        due_at=row[17],
        yellow_at=row[18],
        escalated_at=row[19],
        closed_at=row[20] if len(row) > 20 else None,
        closed_by=row[21] if len(row) > 20 else None,
        ending=row[22] if len(row) > 20 else "",
        outcome=row[23] if len(row) > 20 else "",
    )


def _instance_row(instance_id: UUID) -> Sequence[Any]:
    row = execute(query("work.sql", "running_instance"), [instance_id]).fetchone()
    row = row or execute(query("work.sql", "ended_instance"), [instance_id]).fetchone()
    if row is None:
        raise InstanceUnknown
    return tuple(row)


def get_instance(*, instance_id: UUID) -> Instance:
    """Give an instance, running or ended. Raises `InstanceUnknown`."""
    row = _instance_row(instance_id)
    return Instance(
        id=row[0],
        definition_code=row[1],
        definition_version=row[2],
        definition_digest=row[3],
        business_key=row[4],
        organization_id=row[5],
        division_code=row[6],
        variables=load(row[7]),
        started_at=row[8],
        ended_at=row[9],
        ending=row[10],
        steps=row[11],
    )


def list_instances_of(*, business_key: str) -> list[UUID]:
    """Give the instances of a business key, oldest first."""
    return [row[0] for row in execute(query("work.sql", "instances_of_key"), {"key": business_key}).fetchall()]


def list_log(*, instance_id: UUID) -> list[LogEntry]:
    """Give the event log of an instance, oldest first."""
    return [
        LogEntry(at=row[0], kind=row[1], element_id=row[2], arrived_by=row[3], token=row[4], by=row[5])
        for row in execute(query("work.sql", "log_of_instance"), [instance_id]).fetchall()
    ]


_STATES = {
    LogKind.ENTERED: ElementState.RUNNING,
    LogKind.COMPLETED: ElementState.DONE,
    LogKind.PASSED: ElementState.DONE,
    LogKind.MERGED: ElementState.DONE,
    LogKind.CANCELLED: ElementState.CANCELLED,
    LogKind.STUCK: ElementState.STUCK,
    LogKind.MOVED: ElementState.RUNNING,
    LogKind.COMPENSATED: ElementState.CANCELLED,
}


def diagram_state(*, instance_id: UUID, now: datetime) -> DiagramState:
    """Give the diagram of an instance with what is done, running, late, stuck and cancelled. Raises `InstanceUnknown`.

    An element that ran several times shows its latest state. Three reads.
    """
    row = _instance_row(instance_id)
    definition = definitions.by_id(row[12])
    elements: dict[str, ElementState] = {}
    times: dict[str, int] = {}
    flows: set[str] = set()
    waiting: dict[str, set[int]] = {}
    for entry in list_log(instance_id=instance_id):
        if entry.token == 0:
            continue
        kind = LogKind(entry.kind)
        state = _STATES[kind]
        here = waiting.setdefault(entry.element_id, set())
        if state is ElementState.RUNNING:
            here.add(entry.token)
        else:
            here.discard(entry.token)
        # While one token still waits there, the element runs, whatever became of another.
        elements[entry.element_id] = ElementState.RUNNING if here else state
        if kind in {LogKind.ENTERED, LogKind.PASSED}:
            times[entry.element_id] = times.get(entry.element_id, 0) + 1
        if entry.arrived_by:
            flows.add(entry.arrived_by)
    if not row[10]:
        late = execute(query("work.sql", "late_elements"), {"id": instance_id, "now": now}).fetchall()
        elements.update({element: ElementState(state) for element, state in late})
    return DiagramState(
        xml=definition.graph.xml,
        has_drawing=definition.graph.has_drawing,
        definition_code=definition.code,
        version=definition.version,
        ending=row[10],
        elements=elements,
        times=times,
        flows=frozenset(flows),
    )


def list_definitions(*, code: str = "") -> list[DefinitionInfo]:
    """Give the published versions (of ``code`` alone when given), newest first for each code."""
    rows = execute(query("definitions.sql", "list_definitions"), {"code": code}).fetchall()
    return [DefinitionInfo(digest=r[0], code=r[1], version=r[2], name=r[3], file=r[4], published_at=r[5]) for r in rows]


def get_definition(*, digest: str) -> DefinitionText:
    """Give a published version with its drawing and the texts that were published with it. Raises `DefinitionUnknown`."""
    found = definitions.by_digest(digest)
    return DefinitionText(
        digest=found.digest,
        code=found.code,
        version=found.version,
        name=found.graph.name,
        file=found.graph.file,
        xml=found.graph.xml,
        has_drawing=found.graph.has_drawing,
        elements=tuple((node.id, node.name, node.tag) for node in found.graph.nodes.values()),
        decisions=dict(found.resources),
    )


def count_running(*, scope: Scope, codes: Sequence[str] = ()) -> dict[str, int]:
    """Count the running instances within ``scope`` by the digest of their version (of ``codes`` alone when given)."""
    fragment, params = scope.sql(organization_column="i.organization_id", division_column="i.division_code")
    text = query("work.sql", "count_running").replace("{scope}", fragment)
    return dict(execute(text, [sorted(codes), sorted(codes), *params], prepare=False).fetchall())


def count_at_elements(*, digest: str, scope: Scope) -> dict[str, int]:
    """Count the running instances of a version within ``scope`` by the element where a token of theirs waits."""
    fragment, params = scope.sql(organization_column="i.organization_id", division_column="i.division_code")
    text = query("work.sql", "count_at_elements").replace("{scope}", fragment)
    return dict(execute(text, [digest, *params], prepare=False).fetchall())
