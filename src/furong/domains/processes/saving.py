"""From what a run changed to the rows of one writing statement, and to the facts that listeners learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.domains.processes import store
from furong.domains.processes.definitions import Published
from furong.domains.processes.interpreter import OpenedJob, OpenedTask, Run, Token
from furong.domains.processes.ports import AssignmentRequest, TaskFact, wiring
from furong.domains.processes.scopes import Scope
from furong.domains.processes.store import Loaded
from furong.domains.processes.values.graph import Expression, Literal, WorkRule
from furong.domains.processes.values.times import due_after, warn_after
from furong.domains.processes.variables import dump
from furong.foundation.codes.ids import new_id


@dataclass(slots=True)
class Step:
    """What one step did."""

    instance_id: UUID
    business_key: str
    definition: Published
    variables: Mapping[str, object]
    ending: str = ""  # "" while the instance runs, else "completed" or "cancelled"
    created: list[TaskFact] = field(default_factory=list)
    completed: list[TaskFact] = field(default_factory=list)
    cancelled: list[TaskFact] = field(default_factory=list)
    jobs: list[UUID] = field(default_factory=list)
    incidents: list[UUID] = field(default_factory=list)
    found: dict[object, Any] = field(default_factory=dict)  # what resolvers and listeners found out in this step


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose instance it is: what its tasks inherit."""

    id: UUID
    business_key: str
    organization_id: UUID | None
    division_code: str
    item_code: str
    label: str


@dataclass(slots=True)
class Resumed:
    """An instance as it was read, and the run that moves it on."""

    owner: Owner
    definition: Published
    run: Run
    version: int  # 0 for a new one
    before: Mapping[int, tuple[str, str, bool]]
    scopes_before: frozenset[int] = frozenset()
    scoped: bool = False


@dataclass(slots=True)
class Ending:
    """How the token's own task ended, for the task's row."""

    token: int
    outcome: str = ""
    by: UUID | None = None


class OvertakenError(Exception):
    """Another step of the instance came first, and nothing was written; read again."""


def owner_of(found: Loaded) -> Owner:
    """Give whose instance it is that was read."""
    return Owner(found.id, found.business_key, found.organization_id, found.division_code, found.item_code, found.label)


def save(
    resumed: Resumed,
    *,
    now: datetime,
    by: UUID | None,
    params: Mapping[str, object] | None = None,
    ending: Ending | None = None,
) -> Step:
    """Write what a run changed, in one statement, and say what it was. Raises `OvertakenError`."""
    owner, definition, run = resumed.owner, resumed.definition, resumed.run
    step = Step(owner.id, owner.business_key, definition, run.variables)
    written: dict[str, object] = {
        "instance": owner.id,
        "definition": definition.id,
        "version": resumed.version,
        "next_token": run.next_token,
        "now": now,
        "by": by,
        "fired": None,
        "served": None,
        "ending": run.ending,
        "reason": run.reason,
    }
    if params:
        written.update(params)
    parts: dict[str, object] = {}
    _tokens(run, resumed.before, parts)
    written["scoped"] = resumed.scoped or bool(run.scopes)
    if written["scoped"]:
        _scopes(run, resumed.scopes_before, parts)
    _left(resumed, ending, written, parts)
    _opened(resumed, step, now, parts)
    parts["logged"] = run.changes.log
    closed = store.write(instance=_becomes(resumed, written, step), params=written, parts=parts)
    if closed is None:
        raise OvertakenError
    for one in closed:
        _closed(one, ending, step, now)
    return step


def _becomes(resumed: Resumed, written: dict[str, object], step: Step) -> str:
    """Say what becomes of the instance's row: the name of the part that writes it."""
    run = resumed.run
    if run.ended:
        step.ending = str(written["ending"])
        if not resumed.version:
            return "instance_over_at_once"
        written["variables"] = dump(run.changes.variables)
        return "instance_kept"
    if not resumed.version:
        return "instance_started"
    if run.changes.variables:
        written["variables"] = dump(run.changes.variables)
        return "instance_moved_with_variables"
    return "instance_moved"


def _tokens(run: Run, before: Mapping[int, tuple[str, str, bool]], parts: dict[str, object]) -> None:
    added: list[dict[str, object]] = []
    moved: list[dict[str, object]] = []
    for number, token in run.tokens.items():
        was = before.get(number)
        if was is None:
            added.append(_token_row(token))
        elif was != (token.element, token.arrived_by, token.stuck):
            moved.append(_token_row(token))
    removed = before.keys() - run.tokens.keys()
    if removed:
        parts["tokens_removed"] = sorted(removed)
    if moved:
        parts["tokens_moved"] = moved
    if added:
        parts["tokens_added"] = added


def _scopes(run: Run, before: frozenset[int], parts: dict[str, object]) -> None:
    if run.ended:
        parts["scopes_gone"] = True
        return
    removed = before - run.scopes.keys()
    added = [_scope_row(one, run) for one in run.scopes.values() if one.fresh]
    changed = [_scope_row(one, run) for one in run.scopes.values() if one.changed and not one.fresh]
    if removed:
        parts["scopes_removed"] = sorted(removed)
    if changed:
        parts["scopes_changed"] = changed
    if added:
        parts["scopes_added"] = added


def _scope_row(scope: Scope, run: Run) -> dict[str, object]:
    path, here = [scope.number], scope.parent
    while here and (around := run.scopes.get(here)) is not None:
        path.append(here)
        here = around.parent
    return {
        "number": scope.number,
        "parent": scope.parent,
        "element": scope.element,
        "kind": scope.kind,
        "host": scope.host,
        "done": scope.done,
        "data": dump(scope.data),
        "variables": None if scope.variables is None else dump(scope.variables),
        "path": path[::-1],
    }


def _token_row(token: Token) -> dict[str, object]:
    return {
        "number": token.number,
        "scope": token.scope,
        "element": token.element,
        "arrived_by": token.arrived_by,
        "stuck": token.stuck,
    }


def _left(resumed: Resumed, ending: Ending | None, written: dict[str, object], parts: dict[str, object]) -> None:
    """Drop every row that could wake a token where it no longer is."""
    changes = resumed.run.changes
    closed: list[dict[str, object]] = []
    timers: list[int] = []
    subscriptions: list[int] = []
    jobs = set(changes.unstuck)
    for number, (node, completed) in changes.left.items():
        if node.work is not None:
            own = ending if ending is not None and completed and ending.token == number else None
            closed.append(
                {
                    "token": number,
                    "ending": "completed" if completed else "cancelled",
                    "outcome": own.outcome if own else "",
                    "by": own.by if own else None,
                }
            )
        by_timer, by_message, by_job = resumed.definition.wakers[node.id]
        if by_timer:
            timers.append(number)
        if by_message:
            subscriptions.append(number)
        if by_job:
            jobs.add(number)
    if closed:
        parts["tasks_closed"] = closed
    if timers or written["fired"]:
        parts["timers_dropped"] = timers
    if subscriptions or written["served"]:
        parts["subscriptions_dropped"] = subscriptions
    if jobs:
        parts["jobs_dropped"] = sorted(jobs)


def _opened(resumed: Resumed, step: Step, now: datetime, parts: dict[str, object]) -> None:
    changes = resumed.run.changes
    if changes.tasks:
        opened = [_task_row(task, resumed, now, step.found) for task in changes.tasks]
        parts["tasks_opened"] = opened
        step.created = [_fact(row, step, now) for row in opened]
    if changes.timers:
        parts["timers_opened"] = [
            {
                "id": new_id(),
                "token": timer.token,
                "element_id": timer.element,
                "due_at": timer.due_at,
                "escalates": timer.escalates,
                "repeats": timer.repeats,
            }
            for timer in changes.timers
        ]
    if changes.subscriptions:
        parts["subscriptions_opened"] = [
            {
                "id": new_id(),
                "token": one.token,
                "element_id": one.element,
                "message": one.message,
                "correlation": one.correlation,
            }
            for one in changes.subscriptions
        ]
    if changes.jobs:
        parts["jobs_opened"] = [_job_row(job, step) for job in changes.jobs]


def _job_row(job: OpenedJob, step: Step) -> dict[str, object]:
    key = new_id()
    stuck = job.kind == "element"
    (step.incidents if stuck else step.jobs).append(key)
    return {
        "id": key,
        "token": job.token,
        "element_id": job.element,
        "kind": job.kind,
        "state": "incident" if stuck else "due",
        "payload": None if job.payload is None else dump(job.payload),
        "message": job.message,
        "correlation": job.correlation,
        "reason": job.reason,
        "detail": job.detail,
    }


def _text(expression: Expression, run: Run, seen: Mapping[str, object]) -> str:
    if type(expression) is Literal:
        return expression.text
    found = expression.evaluate(seen, now=run.now)
    return "" if found is None else str(found)


def _task_row(task: OpenedTask, resumed: Resumed, now: datetime, found: dict[object, Any]) -> dict[str, Any]:
    node, owner, run = task.node, resumed.owner, resumed.run
    work = node.work
    assert work is not None  # noqa: S101 - only user tasks open one
    seen = run.context(run.tokens[task.token].scope)
    department, right = _text(work.department, run, seen), _text(work.right, run, seen)
    assigned = wiring().assign(
        AssignmentRequest(
            department=department,
            division_code=_text(work.division, run, seen) or owner.division_code,
            right=right,
            owner_organization_id=owner.organization_id,
            business_key=owner.business_key,
            element_id=node.id,
            now=now,
            found=found,
        )
    )
    due_at, yellow_at = _clock(work, seen, now)
    return {
        "id": new_id(),
        "token": task.token,
        "element_id": node.id,
        "kind": _text(work.kind, run, seen),
        "title": node.name or node.id,
        "department": department,
        "organization_id": assigned.organization_id,
        "division_code": assigned.division_code,
        "right_code": right,
        "item_code": _text(work.item, run, seen) or owner.item_code,
        "outcomes": work.outcomes,
        "priority": work.priority,
        "due_at": due_at,
        "yellow_at": yellow_at,
        "business_key": owner.business_key,
        "label": owner.label,
    }


def _clock(work: WorkRule, seen: Mapping[str, object], now: datetime) -> tuple[datetime | None, datetime | None]:
    """Give when a task is due and when it turns yellow."""
    if work.due is None:
        return None, None
    calendar = wiring().calendar
    due_at = work.due.due_at(variables=seen, now=now, calendar=calendar)
    yellow = work.yellow
    if yellow is None:
        duration = work.due.duration(seen, now=now)
        if duration is None:
            return due_at, now + (due_at - now) / 2
        yellow = warn_after(duration)
    yellow_at = due_after(yellow, start=now, counting=work.due.counting, calendar=calendar)
    return due_at, min(yellow_at, due_at)


def _fact(row: Mapping[str, Any], step: Step, now: datetime) -> TaskFact:
    return TaskFact(
        task_id=row["id"],
        instance_id=step.instance_id,
        business_key=step.business_key,
        definition_code=step.definition.code,
        element_id=row["element_id"],
        kind=row["kind"],
        organization_id=row["organization_id"],
        division_code=row["division_code"],
        now=now,
        found=step.found,
    )


def _closed(one: store.Closed, ending: Ending | None, step: Step, now: datetime) -> None:
    key, element, token, how, organization, division, kind = one
    own = ending if ending is not None and how == "completed" and token == ending.token else None
    fact = TaskFact(
        task_id=UUID(key),
        instance_id=step.instance_id,
        business_key=step.business_key,
        definition_code=step.definition.code,
        element_id=element,
        kind=kind,
        organization_id=UUID(organization) if organization else None,
        division_code=division,
        now=now,
        outcome=own.outcome if own else "",
        actor_id=own.by if own else None,
        found=step.found,
    )
    (step.completed if how == "completed" else step.cancelled).append(fact)
