"""The engine itself: one function is one step of one instance, inside the caller's transaction.

No rights, no audit, no news: `commands` adds them and is what other rooms call. Each function returns a `Step` that says what
happened, which `commands` tells the listeners.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from furong.domains.processes import definitions, store
from furong.domains.processes.definitions import Published
from furong.domains.processes.errors import (
    InstanceUnknown,
    OutcomeUnknown,
    TaskAlreadyDone,
    TaskClaimedByAnother,
    TaskUnknown,
)
from furong.domains.processes.interpreter import OpenedJob, OpenedTask, Run, Token
from furong.domains.processes.ports import AssignmentRequest, TaskFact, wiring
from furong.domains.processes.store import Loaded
from furong.domains.processes.values.graph import Expression, Node, WorkRule
from furong.domains.processes.values.times import due_after, warn_after
from furong.domains.processes.variables import as_json, dump
from furong.foundation.calendar.values import Calendar
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


@dataclass(frozen=True, slots=True)
class Host:
    """What the interpreter may ask while an instance moves."""

    business_key: str
    definition: Published

    def decide(self, resource: str, decision: str, context: Mapping[str, object], now: datetime) -> object:
        return self.definition.decide(resource, decision, context, now)

    def calendar(self) -> Calendar:
        return wiring().calendar()


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
class _Ending:
    """How the token's own task ended, for the task's row."""

    token: int
    outcome: str = ""
    by: UUID | None = None


Authorize = Callable[[UUID | None, str, str], None]


def start(
    *,
    definition: Published,
    business_key: str,
    variables: Mapping[str, object],
    now: datetime,
    organization_id: UUID | None = None,
    division_code: str = "",
    item_code: str = "",
    label: str = "",
    by: UUID | None = None,
    element: str | None = None,
) -> Step:
    """Start an instance at its start event, or at the message start ``element``, and run it to its first waits. One statement."""
    owner = Owner(new_id(), business_key, organization_id, division_code, item_code, label)
    run = Run(
        definition.graph,
        tokens={},
        next_token=1,
        variables=as_json(variables),
        now=now,
        host=Host(business_key, definition),
    )
    run.start(element)
    params: dict[str, object] = {
        "code": definition.code,
        "organization_id": organization_id,
        "division_code": division_code,
        "item_code": item_code,
        "variables": dump(run.variables),
    }
    return _save(owner, definition, run, before=None, params=params, now=now, by=by)


def complete_task(
    *,
    task_id: UUID,
    variables: Mapping[str, object],
    now: datetime,
    outcome: str = "",
    by: UUID | None = None,
    authorize: Authorize | None = None,
) -> Step:
    """End an open user task and run on. Two statements.

    ``authorize`` is called with organization, division and right of the task before anything changes. Raises `TaskAlreadyDone`,
    `TaskUnknown`, `TaskClaimedByAnother`, `OutcomeUnknown`.
    """
    found = store.load("task", task_id)
    if found is None:
        raise task_gone(task_id)
    token, element, claimed_by, organization_id, division_code, right, outcomes = found.wait
    if authorize is not None:
        authorize(organization_id, division_code, right)
    if claimed_by is not None and claimed_by != by:
        raise TaskClaimedByAnother
    if outcomes and outcome not in outcomes:
        raise OutcomeUnknown(outcome=outcome or "–", allowed=", ".join(outcomes))
    definition, run, before = _resume(found, now)
    node = definition.graph.nodes[element]
    if node.result and outcome:
        variables = {**variables, node.result: outcome}
    run.complete(token, variables)
    return _save(_owner(found), definition, run, before=before, now=now, by=by, ending=_Ending(token, outcome, by))


def fire_timer(*, timer_id: UUID, now: datetime) -> tuple[Step | None, TaskFact | None]:
    """Let a due timer wake its token: (step, None); or mark the task of one that escalates: (None, the task).

    (None, None) when the timer is gone, not due, or in another worker's hands.
    """
    found = store.load("timer", timer_id, now=now)
    if found is None:
        return None, None
    token, element, escalates = found.wait
    if escalates:
        return None, _escalate(timer_id, token, now)
    definition, run, before = _resume(found, now)
    run.fire(token, element, {})
    fired: dict[str, object] = {"timers_fired": "{" + str(timer_id) + "}"}
    return _save(_owner(found), definition, run, before=before, now=now, by=None, params=fired), None


def _escalate(timer_id: UUID, token: int, now: datetime) -> TaskFact | None:
    params = {"timer": timer_id, "token": token, "now": now}
    row = store.execute(store.query("work.sql", "escalate"), params).fetchone()
    if row is None:
        return None
    task_id, instance_id, business_key, element, kind, organization_id, division_code, code = row
    return TaskFact(
        task_id=task_id,
        instance_id=instance_id,
        business_key=business_key,
        definition_code=code,
        element_id=element,
        kind=kind,
        organization_id=organization_id,
        division_code=division_code,
        now=now,
    )


def deliver(*, subscription_id: UUID, payload: Mapping[str, object], now: datetime, by: UUID | None) -> Step | None:
    """Let a message wake the token that subscribed; None when the subscription is gone."""
    found = store.load("subscription", subscription_id)
    if found is None:
        return None
    token, element = found.wait
    definition, run, before = _resume(found, now)
    result = definition.graph.nodes[element].result
    run.fire(token, element, {result: dict(payload)} if result else payload)
    served: dict[str, object] = {"subscriptions_served": "{" + str(subscription_id) + "}"}
    return _save(_owner(found), definition, run, before=before, now=now, by=by, params=served)


def with_job(
    *, job_id: UUID, now: datetime, move: Callable[[Run, Node, Loaded], bool], by: UUID | None = None
) -> Step | None:
    """Move the token of a job; None when the job is gone or ``move`` did nothing."""
    found = store.load("job", job_id)
    if found is None or found.wait[0] is None:
        return None
    token, element = found.wait[:2]
    definition, run, before = _resume(found, now)
    if token not in run.tokens or run.tokens[token].element != element:
        return None
    if not move(run, definition.graph.nodes[element], found):
        return None
    return _save(_owner(found), definition, run, before=before, now=now, by=by)


def cancel(*, instance_id: UUID, reason: str, now: datetime, by: UUID | None) -> Step:
    """End an instance before its end. Raises `InstanceUnknown`."""
    found = store.load("instance", instance_id)
    if found is None:
        raise InstanceUnknown
    definition, run, before = _resume(found, now)
    run.cancel()
    params: dict[str, object] = {"ending": "cancelled", "reason": reason}
    return _save(_owner(found), definition, run, before=before, now=now, by=by, params=params)


def task_gone(task_id: UUID) -> TaskAlreadyDone | TaskUnknown:
    """Say why a task is not on the list: done (or cancelled), or never there."""
    row = store.execute(store.query("work.sql", "closed_task_exists"), [task_id]).fetchone()
    return TaskAlreadyDone() if row else TaskUnknown()


# --- loading and saving ------------------------------------------------------------------------------------------------------


def _owner(found: Loaded) -> Owner:
    return Owner(found.id, found.business_key, found.organization_id, found.division_code, found.item_code, found.label)


_Before = dict[int, tuple[str, str, bool]]


def _resume(found: Loaded, now: datetime) -> tuple[Published, Run, _Before]:
    definition = definitions.by_id(found.definition_id)
    before = {n: (t.element, t.arrived_by, t.stuck) for n, t in found.tokens.items()}
    run = Run(
        definition.graph,
        tokens=found.tokens,
        next_token=found.next_token,
        variables=found.variables,
        now=now,
        host=Host(found.business_key, definition),
    )
    return definition, run, before


def _save(
    owner: Owner,
    definition: Published,
    run: Run,
    *,
    before: _Before | None,
    now: datetime,
    by: UUID | None,
    params: dict[str, object] | None = None,
    ending: _Ending | None = None,
) -> Step:
    """Write what a run changed and say what it was."""
    changes = run.changes
    step = Step(owner.id, owner.business_key, definition, run.variables)
    written: dict[str, object] = {
        "instance": owner.id,
        "definition": definition.id,
        "business_key": owner.business_key,
        "label": owner.label,
        "next_token": run.next_token,
        "now": now,
        "by": by,
        "timers_fired": "{}",
        "subscriptions_served": "{}",
        "timers_dropped": "{}",
        "subscriptions_dropped": "{}",
        "ending": "completed",
        "reason": "",
        **(params or {}),
    }
    parts: dict[str, object] = {}
    _tokens(run, before or {}, parts)
    _left(run, definition, ending, written, parts)
    fact = partial(_fact, step=step, now=now)
    if changes.tasks:
        opened = [_task_row(task, owner, run, now) for task in changes.tasks]
        parts["tasks_opened"] = store.rows(opened)
        step.created = [fact(row) for row in opened]
    if changes.timers:
        parts["timers_opened"] = store.rows(
            [
                {"id": new_id(), "token": t.token, "element_id": t.element, "due_at": t.due_at, "escalates": t.escalates}
                for t in changes.timers
            ]
        )  # fmt: skip
    if changes.subscriptions:
        parts["subscriptions_opened"] = store.rows(
            [
                {"id": new_id(), "token": s.token, "element_id": s.element, "message": s.message, "correlation": s.correlation}
                for s in changes.subscriptions
            ]
        )  # fmt: skip
    if changes.jobs:
        parts["jobs_opened"] = _jobs(changes.jobs, step)
    parts["logged"] = store.rows(changes.log)
    instance = _instance_part(run, before, written, step)
    closed = store.write(instance=instance, params=written, parts=parts)
    for key, element, token, how, _claimed_by in closed:
        node = definition.graph.nodes[element]
        told = fact({"id": UUID(key), "element_id": element, "kind": node.work.kind.text if node.work else ""})
        if how == "completed" and ending is not None and token == ending.token:
            told = _with(told, ending)
        (step.completed if how == "completed" else step.cancelled).append(told)
    return step


def _instance_part(run: Run, before: _Before | None, written: dict[str, object], step: Step) -> str:
    if run.ended:
        step.ending = str(written["ending"])
        if before is None:
            return "instance_over_at_once"
        written["variables"] = dump(run.changes.variables)
        return "instance_kept"
    if before is None:
        return "instance_started"
    if run.changes.variables:
        written["variables"] = dump(run.changes.variables)
        return "instance_moved_with_variables"
    return "instance_moved"


def _tokens(run: Run, before: _Before, parts: dict[str, object]) -> None:
    added: list[Token] = []
    moved: list[Token] = []
    for number, token in run.tokens.items():
        was = before.get(number)
        if was is None:
            added.append(token)
        elif was != (token.element, token.arrived_by, token.stuck):
            moved.append(token)
    removed = before.keys() - run.tokens.keys()
    if removed:
        parts["tokens_removed"] = store.numbers(removed)
    if moved:
        parts["tokens_moved"] = store.rows([_token_row(t) for t in moved])
    if added:
        parts["tokens_added"] = store.rows([{**_token_row(t), "scope": t.scope} for t in added])


def _token_row(token: Token) -> dict[str, object]:
    return {
        "number": token.number,
        "element": token.element,
        "arrived_by": token.arrived_by,
        "stuck": token.stuck,
    }


def _left(
    run: Run,
    definition: Published,
    ending: _Ending | None,
    written: dict[str, object],
    parts: dict[str, object],
) -> None:
    """Drop every row that could wake a token where it no longer is."""
    closed: list[dict[str, object]] = []
    timers: list[int] = []
    subscriptions: list[int] = []
    jobs = set(run.changes.unstuck)
    for number, (node, completed) in run.changes.left.items():
        if node.work is not None:
            row: dict[str, object] = {"token": number, "ending": "completed" if completed else "cancelled"}
            if ending is not None and ending.token == number and completed:
                row |= {"outcome": ending.outcome, "by": ending.by}
            closed.append({"outcome": "", **row})
        by_timer, by_message, by_job = definition.wakers[node.id]
        if by_timer:
            timers.append(number)
        if by_message:
            subscriptions.append(number)
        if by_job:
            jobs.add(number)
    if closed:
        parts["tasks_closed"] = store.rows(closed)
    if timers or written["timers_fired"] != "{}":
        parts["timers_dropped"] = store.numbers(timers)
    if subscriptions or written["subscriptions_served"] != "{}":
        parts["subscriptions_dropped"] = store.numbers(subscriptions)
    if jobs:
        parts["jobs_dropped"] = store.numbers(jobs)


def _text(expression: Expression, run: Run) -> str:
    found = expression.evaluate(run.variables, now=run.now)
    return "" if found is None else str(found)


def _task_row(task: OpenedTask, owner: Owner, run: Run, now: datetime) -> dict[str, Any]:
    node = task.node
    work = node.work
    assert work is not None  # noqa: S101 - only user tasks open one
    department, division, right = (_text(e, run) for e in (work.department, work.division, work.right))
    found = wiring().assign(
        AssignmentRequest(
            department=department,
            division_code=division or owner.division_code,
            right=right,
            owner_organization_id=owner.organization_id,
            business_key=owner.business_key,
            element_id=node.id,
            now=now,
        )
    )
    due_at, yellow_at = _clock(work, run, now)
    return {
        "id": new_id(),
        "token": task.token,
        "element_id": node.id,
        "kind": _text(work.kind, run),
        "title": node.name or node.id,
        "department": department,
        "organization_id": found.organization_id,
        "division_code": found.division_code,
        "right_code": right,
        "item_code": _text(work.item, run) or owner.item_code,
        "outcomes": work.outcomes,
        "priority": work.priority,
        "due_at": due_at,
        "yellow_at": yellow_at,
    }


def _clock(work: WorkRule, run: Run, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Give when a task is due and when it turns yellow."""
    if work.due is None:
        return None, None
    calendar = wiring().calendar
    due_at = work.due.due_at(variables=run.variables, now=now, calendar=calendar)
    yellow = work.yellow
    if yellow is None:
        duration = work.due.duration(run.variables, now=now)
        yellow = warn_after(duration) if duration is not None else None
    if yellow is None:
        return due_at, now + (due_at - now) / 2
    yellow_at = due_after(yellow, start=now, counting=work.due.counting, calendar=calendar)
    return due_at, min(yellow_at, due_at)


def _jobs(jobs: list[OpenedJob], step: Step) -> str:
    found = []
    for job in jobs:
        key = new_id()
        stuck = job.kind == "element"
        (step.incidents if stuck else step.jobs).append(key)
        payload = None if job.payload is None else dump(job.payload)
        found.append(
            f'{{"id":"{key}","token":{"null" if job.token is None else job.token},"payload":{payload or "null"},'
            + store.rows(
                {
                    "element_id": job.element,
                    "kind": job.kind,
                    "state": "incident" if stuck else "due",
                    "message": job.message,
                    "correlation": job.correlation,
                    "reason": job.reason,
                    "detail": job.detail,
                }
            )[1:]
        )
    return f"[{','.join(found)}]"


def _fact(row: Mapping[str, Any], *, step: Step, now: datetime) -> TaskFact:
    return TaskFact(
        task_id=row["id"],
        instance_id=step.instance_id,
        business_key=step.business_key,
        definition_code=step.definition.code,
        element_id=row["element_id"],
        kind=row["kind"],
        organization_id=row.get("organization_id"),
        division_code=row.get("division_code", ""),
        now=now,
    )


def _with(fact: TaskFact, ending: _Ending) -> TaskFact:
    return replace(fact, outcome=ending.outcome, actor_id=ending.by)
