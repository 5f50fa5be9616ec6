"""What an administrator of processes does to running instances: suspend, resume, move a token, take to another version.

Each asks for the right over the instance's organization and division, wants a reason, and is in the audit with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from furong.domains.processes import definitions, engine, migrating, store, waits
from furong.domains.processes.engine import Host
from furong.domains.processes.errors import (
    InstanceUnknown,
    MigrationRefused,
    ReasonMissing,
    StuckError,
)
from furong.domains.processes.interpreter import Run
from furong.domains.processes.migrating import Hindrance, Plan
from furong.domains.processes.news import tell
from furong.domains.processes.scopes import OpenedTimer
from furong.domains.processes.store import Loaded, execute, query
from furong.domains.processes.values.graph import Node, ProcessDefinition
from furong.foundation.access.queries import require, scope
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.ids import new_id

_FILE = "intervening.sql"
RIGHT = "processes.administer"
# How many instances one call looks at or takes along.
MOST_AT_ONCE = 1000


def _lock(instance_id: UUID, actor: Actor, reason: str) -> tuple[str, int, str]:
    """Lock an instance and ask for the right; give its key, its definition's row and its state."""
    row = execute(query(_FILE, "lock_instance"), [instance_id]).fetchone()
    if row is None:
        raise InstanceUnknown
    require(actor=actor, right=RIGHT, organization_id=row[0], division_code=row[1] or None)
    if not reason.strip():
        raise ReasonMissing
    current().object("process_instance", instance_id)
    current().detail(reason=reason.strip(), business_key=row[2])
    return row[2], row[3], row[4]


@command("processes.suspend_process")
def suspend_process(*, instance_id: UUID, reason: str, actor: Actor, now: datetime, basis: Basis | None = None) -> None:
    """Hold a process: its tasks can be read but not completed, its timers and jobs wait. Holding a held one changes nothing.

    Raises `InstanceUnknown`, `ReasonMissing`, `AccessRefused`.
    """
    _, _, state = _lock(instance_id, actor, reason)
    if state != "suspended":
        execute(query(_FILE, "suspend_or_resume"), {"id": instance_id, "state": "suspended"})


@command("processes.resume_process")
def resume_process(*, instance_id: UUID, reason: str, actor: Actor, now: datetime, basis: Basis | None = None) -> None:
    """Let a held process go on; what fell due meanwhile happens now.

    Raises `InstanceUnknown`, `ReasonMissing`, `AccessRefused`.
    """
    _, _, state = _lock(instance_id, actor, reason)
    if state == "suspended":
        execute(query(_FILE, "suspend_or_resume"), {"id": instance_id, "state": "running"})


@command("processes.move_token")
def move_token(
    *,
    instance_id: UUID,
    token: int,
    element: str,
    reason: str,
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
) -> None:
    """Take a token from where it waits to another element of the same part of the diagram; what it waited for is cancelled.

    Raises `InstanceUnknown`, `MoveRefused`, `ReasonMissing`, `AccessRefused`.
    """
    _lock(instance_id, actor, reason)
    step = engine.move_token(instance_id=instance_id, token=token, element=element, now=now, by=actor.account_id)
    current().detail(token=token, element=element)
    tell(step, now=now)


# --- to another version -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Migration:
    """What a migration does or would do: how many instances can go, and what hinders the others."""

    ready: tuple[UUID, ...]
    stuck: tuple[tuple[UUID, tuple[Hindrance, ...]], ...]
    more: bool  # there are instances beyond those looked at

    @property
    def reasons(self) -> Mapping[tuple[str, str], int]:
        """How many instances each element and reason hinders."""
        found: dict[tuple[str, str], int] = {}
        for _, hindrances in self.stuck:
            for one in set(hindrances):
                found[(one.element, one.reason)] = found.get((one.element, one.reason), 0) + 1
        return found


def plan_migration(
    *,
    from_digest: str,
    to_digest: str,
    nodes: Mapping[str, str],
    actor: Actor,
    after: UUID | None = None,
    limit: int = MOST_AT_ONCE,
) -> Migration:
    """Look at what would become of the running instances of a version, and change nothing (the dry run).

    ``nodes`` maps elements of the old version to those of the new one; one that it lacks keeps its id. At most ``limit``
    instances after ``after`` are looked at, about 1 ms each. Raises `DefinitionUnknown`, `MigrationRefused` for a map that names
    elements that are not there, `AccessRefused`.
    """
    require(actor=actor, right=RIGHT)
    old, new = definitions.by_digest(from_digest), definitions.by_digest(to_digest)
    _check_map(nodes, old.graph, new.graph)
    fragment, params = scope(actor=actor, right=RIGHT).sql(
        organization_column="i.organization_id", division_column="i.division_code"
    )
    text = query(_FILE, "instances_of_version").replace("{scope}", fragment)
    rows = execute(text, [from_digest, *params, after or UUID(int=0), limit + 1]).fetchall()
    ready: list[UUID] = []
    stuck: list[tuple[UUID, tuple[Hindrance, ...]]] = []
    for (instance_id,) in rows[:limit]:
        found = store.load("instance", instance_id, whole=True)
        if found is None:
            continue
        planned = migrating.plan(old.graph, new.graph, nodes, tokens=found.tokens.values(), scopes=found.scopes)
        if planned.hindrances:
            stuck.append((instance_id, tuple(planned.hindrances)))
        else:
            ready.append(instance_id)
    return Migration(tuple(ready), tuple(stuck), len(rows) > limit)


def _check_map(nodes: Mapping[str, str], old: ProcessDefinition, new: ProcessDefinition) -> None:
    lost = [name for name in nodes if name not in old.nodes and name not in old.flows]
    lost += [name for name in nodes.values() if name not in new.nodes and name not in new.flows]
    if lost:
        raise MigrationRefused(why=", ".join(sorted(lost)[:5]))


@command("processes.migrate_instance")
def migrate_instance(
    *,
    instance_id: UUID,
    to_digest: str,
    nodes: Mapping[str, str],
    reason: str,
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
) -> None:
    """Take one running instance to another version of its process; all of it or nothing.

    Open tasks keep who has them and until when, timers their time, jobs their effect id. Timers and messages that only the new
    version has begin now. Raises `MigrationRefused` when a token would be lost or stand still for ever, `InstanceUnknown`,
    `DefinitionUnknown`, `ReasonMissing`, `AccessRefused`.
    """
    _, definition_id, _ = _lock(instance_id, actor, reason)
    old, new = definitions.by_id(definition_id), definitions.by_digest(to_digest)
    current().detail(from_digest=old.digest, to_digest=new.digest)
    if old.id == new.id:
        return
    if old.code != new.code:
        raise MigrationRefused(why=f"{old.code} ≠ {new.code}")
    _check_map(nodes, old.graph, new.graph)
    found = store.load("instance", instance_id, whole=True)
    if found is None:
        raise InstanceUnknown
    planned = migrating.plan(old.graph, new.graph, nodes, tokens=found.tokens.values(), scopes=found.scopes)
    if planned.hindrances:
        first = planned.hindrances[0]
        raise MigrationRefused(why=f"{first.element}: {first.reason}")
    _write(found, planned, new, nodes, actor, now)


def migrate_instances(
    *,
    from_digest: str,
    to_digest: str,
    nodes: Mapping[str, str],
    reason: str,
    actor: Actor,
    now: datetime,
    leave_stuck: bool = False,
    limit: int = MOST_AT_ONCE,
) -> Migration:
    """Take the running instances of a version to another, each in its own transaction, after a dry run over all of them.

    Nothing is changed when one would be stuck, unless ``leave_stuck`` says to leave those as they are. Gives what was taken along
    and what was left. Raises `MigrationRefused`, `ReasonMissing`, `DefinitionUnknown`, `AccessRefused`.
    """
    if not reason.strip():
        raise ReasonMissing
    planned = plan_migration(from_digest=from_digest, to_digest=to_digest, nodes=nodes, actor=actor, limit=limit)
    if planned.stuck and not leave_stuck:
        (element, why), count = next(iter(planned.reasons.items()))
        raise MigrationRefused(why=f"{element}: {why} ({count})")
    taken: list[UUID] = []
    left = list(planned.stuck)
    for instance_id in planned.ready:
        try:
            migrate_instance(
                instance_id=instance_id, to_digest=to_digest, nodes=nodes, reason=reason, actor=actor, now=now
            )
        except InstanceUnknown:
            continue  # it ended meanwhile
        except MigrationRefused as refused:
            left.append((instance_id, (Hindrance("", str(refused)),)))
        else:
            taken.append(instance_id)
    return Migration(tuple(taken), tuple(left), planned.more)


def _write(
    found: Loaded, planned: Plan, new: definitions.Published, nodes: Mapping[str, str], actor: Actor, now: datetime
) -> None:
    graph = new.graph
    moved = [
        {"number": number, "element": element, "arrived_by": by, "title": graph.nodes[element].name or element}
        for number, (element, by) in planned.tokens.items()
    ]
    params: dict[str, object] = {
        "id": found.id,
        "definition": new.id,
        "now": now,
        "by": actor.account_id,
        "rows": json.dumps(moved, ensure_ascii=False),
    }
    execute(query(_FILE, "migrate_instance"), params)
    for name in ("migrate_tokens", "migrate_tasks", "migrate_jobs", "log_moves"):
        execute(query(_FILE, name), params)
    if planned.scopes:
        inside = [{"number": number, "element": element} for number, element in planned.scopes.items()]
        execute(query(_FILE, "migrate_scopes"), {"id": found.id, "rows": json.dumps(inside)})
    _rearm(found, planned, new, nodes, now)


def _rearm(found: Loaded, planned: Plan, new: definitions.Published, nodes: Mapping[str, str], now: datetime) -> None:
    """Let exactly the timers and messages of the new version wake each token; those that both have keep their rows."""
    graph = new.graph
    for token in found.tokens.values():
        token.element, token.arrived_by = planned.tokens[token.number]
    for one in found.scopes.values():
        one.element = planned.scopes[one.number]
    run = Run(
        graph,
        tokens=found.tokens,
        next_token=found.next_token,
        variables=found.variables,
        now=now,
        host=Host(found.business_key, new),
        scopes=found.scopes,
    )
    wanted: dict[tuple[int, str], Node] = {}
    escalates: dict[int, Node] = {}
    for token in found.tokens.values():
        node = graph.nodes[token.element]
        inside = run.is_one_run(token)
        for event in migrating.events_at(node, graph):
            if not (inside and event.id in node.boundary):
                wanted[(token.number, event.id)] = event
        if node.work is not None and node.work.escalate_after is not None and (node.loop is None or inside):
            escalates[token.number] = node
    for key, number, element, kind, message, escalating in execute(
        query(_FILE, "waits_of_instance"), {"id": found.id}
    ).fetchall():
        target = nodes.get(element, element)
        now_there = escalates.pop(number, None) if escalating else wanted.get((number, target))
        rule = now_there.message if now_there is not None else None
        fits = now_there is not None and (kind == "timer" or (rule is not None and rule.name == message))
        table = "timer" if kind == "timer" else "subscription"
        if not fits:
            execute(query(_FILE, f"drop_{table}"), [key])
            continue
        wanted.pop((number, target), None)
        execute(query(_FILE, f"migrate_{table}"), [target, key])
    try:
        for (number, _), event in wanted.items():
            waits.listen(run, found.tokens[number], event)
    except StuckError as exc:
        raise MigrationRefused(why=f"{event.id}: {exc}") from exc
    for number, node in escalates.items():
        assert node.work is not None and node.work.escalate_after is not None  # noqa: S101, PT018 - chosen so above
        seen = run.context(found.tokens[number].scope)
        due_at = node.work.escalate_after.due_at(variables=seen, now=now, calendar=run.host.calendar)
        run.changes.timers.append(OpenedTimer(number, node.id, due_at, escalates=True))
    for timer in run.changes.timers:
        values = [new_id(), found.id, timer.token, timer.element, timer.due_at, timer.escalates, timer.repeats]
        execute(query(_FILE, "add_timer"), values)
    for opened in run.changes.subscriptions:
        row = [new_id(), found.id, opened.token, opened.element, opened.message, opened.correlation, now]
        execute(query(_FILE, "add_subscription"), row)
