"""The engine itself: one function is one step of one instance.

No rights, no audit, no news: `commands` adds them and is what other rooms call. Inside a transaction a step locks the
instance and commits with its caller. Outside of one its single writing statement is the transaction; a step that was
overtaken wrote nothing and is made again. Each function returns a `Step` that says what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import transaction

from furong.domains.processes import definitions, nesting, store
from furong.domains.processes.definitions import Published
from furong.domains.processes.errors import (
    EngineError,
    InstanceSuspended,
    InstanceUnknown,
    MoveRefused,
    OutcomeUnknown,
    TaskAlreadyDone,
    TaskClaimedByAnother,
    TaskUnknown,
)
from furong.domains.processes.interpreter import Run
from furong.domains.processes.ports import TaskFact, wiring
from furong.domains.processes.saving import Ending, OvertakenError, Owner, Resumed, Step, owner_of, save
from furong.domains.processes.scopes import PartlyLoadedError
from furong.domains.processes.store import Loaded
from furong.domains.processes.values.elements import BOUNDARY, STARTS, NodeKind
from furong.domains.processes.values.graph import Node
from furong.domains.processes.variables import as_json, dump
from furong.foundation.calendar.values import Calendar
from furong.foundation.codes.ids import new_id

__all__ = [
    "Step",
    "cancel",
    "complete_task",
    "deliver",
    "fire_timer",
    "move_token",
    "start",
    "task_gone",
    "with_job",
]

P = ParamSpec("P")
R = TypeVar("R")

# Each try loses only to a step that succeeded, so this many lost in a row means that something else is wrong.
_MOST_TRIES = 100


def _again_when_overtaken(function: Callable[P, R]) -> Callable[P, R]:
    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_MOST_TRIES):
            try:
                return function(*args, **kwargs)
            except OvertakenError:
                continue
        raise EngineError(f"{function.__name__} was overtaken {_MOST_TRIES} times")

    return wrapper


@dataclass(frozen=True, slots=True)
class Host:
    """What the interpreter may ask while an instance moves."""

    business_key: str
    definition: Published

    def decide(self, resource: str, decision: str, context: Mapping[str, object], now: datetime) -> object:
        return self.definition.decide(resource, decision, context, now)

    def calendar(self) -> Calendar:
        return wiring().calendar()


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
        "business_key": business_key,
        "label": label,
        "organization_id": organization_id,
        "division_code": division_code,
        "item_code": item_code,
        "variables": dump(run.variables),
    }
    return save(Resumed(owner, definition, run, 0, {}), params=params, now=now, by=by)


@_again_when_overtaken
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
    found = store.load("task", task_id, needs_all=_needs_all)
    if found is None:
        raise task_gone(task_id)
    token, element, claimed_by, organization_id, division_code, right, outcomes = found.wait
    if authorize is not None:
        authorize(organization_id, division_code, right)
    if claimed_by is not None and claimed_by != by:
        raise TaskClaimedByAnother
    if outcomes and outcome not in outcomes:
        raise OutcomeUnknown(outcome=outcome or "–", allowed=", ".join(outcomes))
    _must_run(found)

    def complete(resumed: Resumed) -> None:
        node = resumed.definition.graph.nodes[element]
        resumed.run.complete(token, {**variables, node.result: outcome} if node.result and outcome else variables)

    resumed, _ = _move(found, ("task", task_id), complete, now)
    return save(resumed, now=now, by=by, ending=Ending(token, outcome, by))


@_again_when_overtaken
def fire_timer(*, timer_id: UUID, now: datetime) -> tuple[Step | None, TaskFact | None]:
    """Let a due timer wake its token: (step, None); or mark the task of one that escalates: (None, the task).

    (None, None) when the timer is gone, not due, or in another worker's hands.
    """
    found = store.load("timer", timer_id, now=now, needs_all=_needs_all)
    if found is None:
        return None, None
    token, element, escalates, due_at, repeats = found.wait
    if escalates:
        return None, _escalate(timer_id, token, now)
    resumed, _ = _move(
        found,
        ("timer", timer_id),
        lambda resumed: resumed.run.fire(token, element, {}, due_at=due_at, repeats=repeats),
        now,
    )
    return save(resumed, now=now, by=None, params={"fired": timer_id}), None


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


@_again_when_overtaken
def deliver(*, subscription_id: UUID, payload: Mapping[str, object], now: datetime, by: UUID | None) -> Step | None:
    """Let a message wake the token that subscribed; None when the subscription is gone."""
    found = store.load("subscription", subscription_id, needs_all=_needs_all)
    if found is None:
        return None
    _must_run(found)
    token, element = found.wait

    def fire(resumed: Resumed) -> None:
        result = resumed.definition.graph.nodes[element].result
        resumed.run.fire(token, element, {result: dict(payload)} if result else payload)

    resumed, _ = _move(found, ("subscription", subscription_id), fire, now)
    return save(resumed, now=now, by=by, params={"served": subscription_id})


@_again_when_overtaken
def with_job(
    *, job_id: UUID, now: datetime, move: Callable[[Run, Node, Loaded], bool], by: UUID | None = None
) -> Step | None:
    """Move the token of a job; None when the job is gone or ``move`` did nothing."""
    found = store.load("job", job_id, needs_all=_needs_all)
    if found is None or found.wait[0] is None:
        return None
    token, element = found.wait[:2]

    def go_on(resumed: Resumed) -> bool:
        run = resumed.run
        if token not in run.tokens or run.tokens[token].element != element:
            return False
        return move(run, resumed.definition.graph.nodes[element], found)

    # What ``move`` writes must not stay when it turns out that more of the instance has to be read.
    with nullcontext() if found.whole else transaction.atomic():
        resumed, moved = _move(found, ("job", job_id), go_on, now, nested=True)
        return save(resumed, now=now, by=by) if moved else None


@_again_when_overtaken
def cancel(*, instance_id: UUID, reason: str, now: datetime, by: UUID | None, undo: bool = False) -> Step:
    """End an instance before its end. With ``undo`` what can be undone is undone first. Raises `InstanceUnknown`."""
    found = store.load("instance", instance_id, whole=True)
    if found is None:
        raise InstanceUnknown
    resumed = _resume(found, now)
    resumed.run.cancel(reason=reason, undo=undo)
    return save(resumed, now=now, by=by)


@_again_when_overtaken
def move_token(*, instance_id: UUID, token: int, element: str, now: datetime, by: UUID | None) -> Step:
    """Take a token to another element of the same scope. Raises `InstanceUnknown`, `MoveRefused`."""
    found = store.load("instance", instance_id, whole=True)
    if found is None:
        raise InstanceUnknown
    resumed = _resume(found, now)
    here, target = found.tokens.get(token), resumed.definition.graph.nodes.get(element)
    if here is None or target is None:
        raise MoveRefused(why="there is no such token or element")
    if resumed.definition.graph.nodes[here.element].parent != target.parent:
        raise MoveRefused(why="the element lies in another sub-process")
    if target.kind in BOUNDARY or target.kind in STARTS or target.kind is NodeKind.EVENT_START:
        raise MoveRefused(why="a token cannot enter this element")
    if resumed.run.listens(here) or nesting.is_one_run(resumed.run, here):
        raise MoveRefused(why="this token cannot be moved on its own")
    resumed.run.move(token, element)
    return save(resumed, now=now, by=by)


def task_gone(task_id: UUID) -> TaskAlreadyDone | TaskUnknown:
    """Say why a task is not on the list: done (or cancelled), or never there."""
    row = store.execute(store.query("work.sql", "closed_task_exists"), [task_id]).fetchone()
    return TaskAlreadyDone() if row else TaskUnknown()


def _needs_all(definition: int) -> bool:
    return definitions.by_id(definition).graph.compensates


def _must_run(found: Loaded) -> None:
    if found.state != "running":
        raise InstanceSuspended


def _move(
    found: Loaded, key: tuple[str, UUID], stimulus: Callable[[Resumed], R], now: datetime, *, nested: bool = False
) -> tuple[Resumed, R]:
    """Move an instance on. When the step reaches what was not read, read everything and move it on from there."""
    resumed = _resume(found, now)
    try:
        with transaction.atomic() if nested and not found.whole else nullcontext():
            return resumed, stimulus(resumed)
    except PartlyLoadedError:
        again = store.load(*key, now=now if key[0] == "timer" else None, whole=True)
        if again is None or again.version != found.version:
            raise OvertakenError from None
        resumed = _resume(again, now)
        return resumed, stimulus(resumed)


def _resume(found: Loaded, now: datetime) -> Resumed:
    definition = definitions.by_id(found.definition_id)
    before = {n: (t.element, t.arrived_by, t.stuck) for n, t in found.tokens.items()}
    run = Run(
        definition.graph,
        tokens=found.tokens,
        next_token=found.next_token,
        variables=found.variables,
        now=now,
        host=Host(found.business_key, definition),
        scopes=found.scopes,
        whole=found.whole,
    )
    return Resumed(owner_of(found), definition, run, found.version, before, frozenset(found.scopes), found.scoped)
