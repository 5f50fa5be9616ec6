"""Reads for administrators: instances by state, one instance as it stands, incidents by cause. Every listing takes a scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.domains.processes import definitions, queries
from furong.domains.processes.errors import DefinitionUnknown, InstanceUnknown
from furong.domains.processes.store import execute, query
from furong.domains.processes.values.overseeing import (
    DefinitionPage,
    IncidentCause,
    IncidentPage,
    InstanceLine,
    InstancePage,
    InstanceState,
    InstanceView,
    LogLine,
    TokenLine,
)
from furong.domains.processes.values.work import DefinitionInfo, Incident, LogEntry, PageKey
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.queries import require, scope
from furong.foundation.access.values import Actor, Scope

_FILE = "overseeing.sql"
# Who may look at instances, the more powerful right first.
SEEN_BY = ("processes.administer", "cases.supervise")


def seen_by(*, actor: Actor) -> Scope:
    """Give over which instances the actor may look: those they administer, else those they watch; the empty scope for others."""
    for right in SEEN_BY:
        found = scope(actor=actor, right=right)
        if not found.is_empty:
            return found
    return Scope()


def require_sight(*, actor: Actor, instance_id: UUID) -> None:
    """Check that the actor may look at an instance. Raises `InstanceUnknown`, `AccessRefused`."""
    organization_id, division_code = owner_of(instance_id=instance_id)
    for right in SEEN_BY:
        if scope(actor=actor, right=right).covers(organization_id=organization_id, division_code=division_code):
            return
    raise AccessRefused


def require_administration(*, actor: Actor, instance_id: UUID) -> None:
    """Check that the actor administers an instance. Raises `InstanceUnknown`, `AccessRefused`."""
    organization_id, division_code = owner_of(instance_id=instance_id)
    require(actor=actor, right="processes.administer", organization_id=organization_id, division_code=division_code)


def owner_of(*, instance_id: UUID) -> tuple[UUID | None, str]:
    """Give the organization and division that own an instance, running or ended. Raises `InstanceUnknown`."""
    row = execute(query(_FILE, "owner_of_instance"), {"id": instance_id}).fetchone()
    if row is None:
        raise InstanceUnknown
    return row[0], row[1] or ""


# --- instances ------------------------------------------------------------------------------------------------------------------


def list_instances(
    *,
    scope: Scope,
    state: InstanceState,
    code: str = "",
    digest: str = "",
    business_key: str = "",
    ended_from: datetime | None = None,
    page_size: int = 50,
    after: PageKey | None = None,
) -> InstancePage:
    """Give a page of instances in one state within ``scope``, the newest first.

    Narrow by ``code`` or ``digest`` (one version), or by ``business_key``; those that are over need one of these. Pages are
    found by key: an index range, and the rows that the scope leaves out. ``ended_from`` bounds it for narrow scopes.
    Raises `DefinitionUnknown`.
    """
    fragment, params = scope.sql(organization_column="i.organization_id", division_column="i.division_code")
    where: list[str] = []
    values: list[object] = []
    if digest or code or not business_key:
        where.append("i.definition_id = ANY (%s::int[])")
        values.append(_definition_ids(code, digest))
    if business_key:
        where.append("i.business_key = %s")
        values.append(business_key)
    if state.is_open:
        name = "open_of_definitions"
        held = "EXISTS (SELECT 1 FROM processes_job j WHERE j.instance_id = i.id AND j.state = 'incident')"
        stuck = "i.id IN (SELECT j.instance_id FROM processes_job j WHERE j.state = 'incident')"
        where.append(
            {
                InstanceState.RUNNING: f"i.state = 'running' AND NOT {held}",
                InstanceState.SUSPENDED: "i.state = 'suspended'",
                InstanceState.STUCK: f"i.state = 'running' AND {stuck}",
            }[state]
        )
        if after is not None:
            where.append("i.id < %s::uuid")
            values.append(after.id)
    else:
        name = "ended_of_definitions"
        where.append("i.ending = %s")
        values.append(state.value)
        if ended_from is not None:
            where.append("i.ended_at >= %s")
            values.append(ended_from)
        if after is not None:
            where.append("(i.ended_at, i.id) < (%s::timestamptz, %s::uuid)")
            values += [after.rank_at, after.id]
    text = query(_FILE, name).replace("{where}", " AND ".join(where)).replace("{scope}", fragment)
    rows = execute(text, [*values, *params, page_size + 1], prepare=False).fetchall()
    shown = tuple(_line(row) for row in rows[:page_size])
    following = None
    if len(rows) > page_size:
        following = PageKey(rank_at=shown[-1].ended_at or shown[-1].started_at, id=shown[-1].id)
    return InstancePage(instances=shown, following=following)


def _definition_ids(code: str, digest: str) -> list[int]:
    if digest:
        return [definitions.by_digest(digest).id]
    rows = execute(query("insights.sql", "versions"), {"code": code}).fetchall()
    if code and not rows:
        raise DefinitionUnknown
    return [row[0] for row in rows]


def _line(row: Sequence[Any]) -> InstanceLine:
    definition = definitions.by_id(row[1])
    return InstanceLine(
        id=row[0],
        definition_code=definition.code,
        definition_version=definition.version,
        definition_digest=definition.digest,
        business_key=row[2],
        organization_id=row[3],
        division_code=row[4],
        item_code=row[5],
        label=row[6],
        started_at=row[7],
        ended_at=row[8],
        state=InstanceState(row[9]),
        reason=row[10],
        waits_at=tuple(row[11] or ()),
    )


def instance_view(*, instance_id: UUID) -> InstanceView:
    """Give an instance as it stands: where its tokens are, what they wait for, what holds them. Raises `InstanceUnknown`.

    The caller asks `require_sight` first.
    """
    found = queries.get_instance(instance_id=instance_id)
    definition = definitions.by_digest(found.definition_digest)
    row = execute(query(_FILE, "instance_state"), [instance_id]).fetchone()
    incidents = list_incidents(scope=Scope(everything=True), instance_id=instance_id).incidents
    tokens = execute(query(_FILE, "tokens"), [instance_id]).fetchall() if row else []
    if row is None:
        state = InstanceState(found.ending or "completed")
    elif row[0] != "running":
        state = InstanceState(row[0])
    else:
        state = InstanceState.STUCK if incidents else InstanceState.RUNNING
    return InstanceView(
        id=instance_id,
        definition_code=found.definition_code,
        definition_version=found.definition_version,
        definition_digest=found.definition_digest,
        definition_name=definition.graph.name,
        business_key=found.business_key,
        organization_id=found.organization_id,
        division_code=found.division_code,
        state=state,
        started_at=found.started_at,
        ended_at=found.ended_at,
        reason="" if row else _reason(instance_id),
        tokens=tuple(
            TokenLine(
                number=t[0],
                element_id=t[1],
                task_id=t[2],
                title=t[3] or "",
                department=t[4] or "",
                organization_id=t[5],
                claimed_by=t[6],
                since=t[7],
                due_at=t[8],
                timer_at=t[9],
                message=t[10] or "",
                incident_id=t[11] if t[12] == "incident" else None,
                works=t[12] in {"due", "running"},
            )
            for t in tokens
        ),
        incidents=incidents,
    )


def _reason(instance_id: UUID) -> str:
    row = execute("SELECT reason FROM processes_instance_ended WHERE id = %s LIMIT 1", [instance_id]).fetchone()
    return row[0] if row else ""


def read_log(*, instance_id: UUID, after: int = 0, limit: int = 200, latest_first: bool = False) -> list[LogLine]:
    """Give up to ``limit`` lines of an instance's log after a key, oldest first; or its last lines, latest first."""
    if latest_first:
        rows = execute(query(_FILE, "log_tail"), [instance_id, limit]).fetchall()
    else:
        rows = execute(query(_FILE, "log_page"), [instance_id, after, limit]).fetchall()
    return [
        LogLine(
            id=row[0],
            entry=LogEntry(at=row[1], kind=row[2], element_id=row[3], arrived_by=row[4], token=row[5], by=row[6]),
        )
        for row in rows
    ]


def element_names(*, digest: str) -> dict[str, str]:
    """Give what the elements of a version are called; an element without a name by its id. Raises `DefinitionUnknown`."""
    return {node.id: node.name or node.id for node in definitions.by_digest(digest).graph.nodes.values()}


def variables_of(*, instance_id: UUID) -> dict[str, Any]:
    """Give the variables of an instance, running or ended. Raises `InstanceUnknown`.

    They may be personal: the caller asks `require_administration` and records the read.
    """
    return dict(queries.get_instance(instance_id=instance_id).variables)


# --- incidents ------------------------------------------------------------------------------------------------------------------


def list_incidents(
    *,
    scope: Scope,
    code: str = "",
    instance_id: UUID | None = None,
    cause: IncidentCause | None = None,
    incident_id: UUID | None = None,
    page_size: int = 100,
    after: PageKey | None = None,
) -> IncidentPage:
    """Give a page of what could not go on within ``scope``, the oldest first."""
    where = ["TRUE"]
    values: list[object] = []
    plain: list[tuple[str, object]] = [
        ("coalesce(i.code, e.code, '') = %s", cause.definition_code if cause else code),
        ("j.instance_id = %s", instance_id),
        ("j.id = %s", incident_id),
    ]
    for condition, value in plain:
        if value:
            where.append(condition)
            values.append(value)
    if cause is not None:
        where.append("j.element_id = %s AND j.kind = %s AND j.reason = %s AND j.detail = %s")
        values += [cause.element_id, cause.kind, cause.reason, cause.detail]
    if after is not None:
        where.append("(j.created_at, j.id) > (%s::timestamptz, %s::uuid)")
        values += [after.rank_at, after.id]
    text, params = _of_incidents("incidents", scope)
    rows = execute(
        text.replace("{where}", " AND ".join(where)), [*values, *params, page_size + 1], prepare=False
    ).fetchall()
    shown = tuple(
        Incident(
            id=row[0],
            instance_id=row[1],
            business_key=row[2],
            definition_code=row[3],
            element_id=row[4],
            kind=row[5],
            reason=row[6],
            detail=row[7],
            attempts=row[8],
            created_at=row[9],
        )
        for row in rows[:page_size]
    )
    last = shown[-1] if len(rows) > page_size else None
    return IncidentPage(incidents=shown, following=PageKey(rank_at=last.created_at, id=last.id) if last else None)


def list_causes(*, scope: Scope, limit: int = 100) -> list[IncidentCause]:
    """Give what caused the incidents within ``scope``, the most frequent first. Reads every open incident of the scope."""
    text, params = _of_incidents("causes", scope)
    found = []
    for row in execute(text, [*params, limit], prepare=False).fetchall():
        cause = IncidentCause(
            definition_code=row[0],
            element_id=row[1],
            kind=row[2],
            reason=row[3],
            detail=row[4],
            n=row[5],
            oldest_at=row[6],
            newest_at=row[7],
            instances=row[8],
        )
        node = definitions.by_id(row[9]).graph.nodes.get(cause.element_id) if row[9] else None
        found.append(replace(cause, element_name=node.name or node.id if node is not None else cause.element_id))
    return found


def _of_incidents(name: str, scope: Scope) -> tuple[str, list[Any]]:
    fragment, params = scope.sql(
        organization_column="coalesce(i.organization_id, e.organization_id)",
        division_column="coalesce(i.division_code, e.division_code, '')",
    )
    text = query(_FILE, name).replace("{scope}", fragment)
    for part in ("incident_columns", "incident_owners"):
        text = text.replace(f"{{{part}}}", query(_FILE, part))
    return text, params


# --- definitions ----------------------------------------------------------------------------------------------------------------


def list_definitions(*, code: str = "", page_size: int = 50, after: tuple[str, int] | None = None) -> DefinitionPage:
    """Give a page of published versions by code, the newest of each first."""
    rows = execute(
        query(_FILE, "definitions_page"),
        {
            "code": code,
            "after_code": after[0] if after else "",
            "after_version": after[1] if after else 0,
            "limit": page_size + 1,
        },
    ).fetchall()
    shown = tuple(
        DefinitionInfo(digest=r[0], code=r[1], version=r[2], name=r[3], file=r[4], published_at=r[5])
        for r in rows[:page_size]
    )
    last = shown[-1] if len(rows) > page_size else None
    return DefinitionPage(definitions=shown, following=(last.code, last.version) if last else None)
