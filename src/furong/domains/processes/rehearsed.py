"""What a rehearsal holds in memory instead of rows, and how it is told as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from furong.domains.processes.interpreter import LogKind, Run, Scope, Token
from furong.domains.processes.values.graph import Node, ProcessDefinition, ServiceRule

Entry = tuple[LogKind, str, str, int]
Said = dict[str, object]


@dataclass(slots=True, kw_only=True)
class Task:
    """An open user task."""

    token: int
    node: Node
    kind: str
    department: str
    due_at: datetime | None
    own: Mapping[str, object]  # the item and the variables of its run, where the activity is repeated
    escalated_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Timer:
    order: int
    token: int
    element: str
    due_at: datetime
    escalates: bool
    repeats: int | None


@dataclass(slots=True, kw_only=True)
class Subscription:
    order: int
    token: int
    element: str
    message: str
    correlation: str


@dataclass(slots=True, kw_only=True)
class Job:
    """A service's work, a message to send, or an element that is stuck. ``is_incident``: nobody tries it again."""

    order: int
    token: int | None
    element: str
    kind: str
    given: Mapping[str, object]
    message: str
    correlation: str
    reason: str
    detail: str
    run_at: datetime
    rule: ServiceRule
    own: Mapping[str, object]
    attempts: int = 0
    is_incident: bool = False
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAnswer:
    """What a service does: it gives ``variables``, ends in the business error ``error``, or breaks (``fault``)."""

    variables: Mapping[str, object] = field(default_factory=dict)
    error: str = ""
    fault: str = ""


@dataclass(slots=True, kw_only=True)
class Instance:
    """One instance with everything that waits in it."""

    number: int
    definition: ProcessDefinition
    business_key: str
    variables: dict[str, Any]
    tokens: dict[int, Token] = field(default_factory=dict)
    scopes: dict[int, Scope] = field(default_factory=dict)
    next_token: int = 1
    tasks: dict[int, Task] = field(default_factory=dict)
    timers: dict[int, list[Timer]] = field(default_factory=dict)
    subscriptions: dict[int, list[Subscription]] = field(default_factory=dict)
    jobs: dict[int | None, list[Job]] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)
    ending: str = ""  # "completed" or "cancelled" once it is over

    def every_timer(self) -> Iterator[Timer]:
        """List the timers that are armed."""
        return (one for some in self.timers.values() for one in some)

    def every_subscription(self) -> Iterator[Subscription]:
        """List the messages that are waited for."""
        return (one for some in self.subscriptions.values() for one in some)

    def every_job(self) -> Iterator[Job]:
        """List services, messages and incidents that are open."""
        return (one for some in self.jobs.values() for one in some)

    def waiting(self) -> list[str]:
        """List the elements at which tokens wait for a person, a service, a message or a time, sorted, each as often."""
        numbers = {*self.tasks, *self.timers, *self.subscriptions, *(n for n in self.jobs if n is not None)}
        held = [self.tokens[number].element for number in sorted(numbers) if number in self.tokens]
        return sorted(held)


class Watched(list[Any]):
    """The log of a run that notes beside each entry which variables had changed by then and had not been told."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._told: dict[str, object] = {}
        self._inside = {number: dict(one.variables or {}) for number, one in run.scopes.items()}
        self.variables: list[dict[str, object]] = []

    def append(self, entry: Any) -> None:
        super().append(entry)
        self.variables.append(self.untold(self._run.tokens.get(entry[3])))

    def untold(self, token: Token | None) -> dict[str, object]:
        """Give what changed since the last entry in the instance, and inside the activities that ``token`` is in."""
        found = _changed(self._run.changes.variables, self._told)
        number = 0 if token is None else token.scope
        while number and (one := self._run.scopes.get(number)) is not None:
            if one.variables is not None and (one.fresh or one.changed):
                found |= _changed(one.variables, self._inside.setdefault(number, {}))
            number = one.parent
        return found


def _changed(values: Mapping[str, object], told: dict[str, object]) -> dict[str, object]:
    missing = object()
    found = {name: value for name, value in values.items() if told.get(name, missing) is not value}
    told.update(found)
    return found


def describe(instances: Sequence[Instance], *, now: datetime, zone: tzinfo, several: bool) -> Said:
    """Say what is waited for, or that all is over and with which variables; ``several`` processes are told apart."""
    several = several or len(instances) > 1
    if instances and all(instance.ending for instance in instances):
        said: Said = {"event": "ended", "ending": instances[0].ending, "at": shown(now, zone)}
        said["variables"] = instances[0].variables
        if len(instances) > 1:
            said["instances"] = [
                {"process": i.definition.code, "instance": i.number, "ending": i.ending, "variables": i.variables}
                for i in instances
            ]
        return said
    tasks: list[Said] = []
    timers: list[Said] = []
    messages: list[Said] = []
    jobs: list[Said] = []
    incidents: list[Said] = []
    for instance in instances:
        tasks += [_task(task, zone) | place(instance, several=several) for task in instance.tasks.values()]
        for timer in sorted(instance.every_timer(), key=lambda t: (t.due_at, t.order)):
            told = {"element": timer.element, "token": timer.token, "due_at": shown(timer.due_at, zone)}
            timers.append(told | {"escalates": timer.escalates} | place(instance, several=several))
        for one in sorted(instance.every_subscription(), key=lambda s: s.order):
            told = {"element": one.element, "token": one.token, "message": one.message}
            messages.append(told | {"correlation": one.correlation} | place(instance, several=several))
        for job in sorted(instance.every_job(), key=lambda j: j.order):
            (incidents if job.is_incident else jobs).append(_job(job, zone) | place(instance, several=several))
    state: Said = {"event": "waiting", "at": shown(now, zone), "tasks": tasks, "timers": timers}
    state |= {"messages": messages, "jobs": jobs}
    if incidents:
        state["incidents"] = incidents
    return state


def place(instance: Instance, *, several: bool) -> Said:
    """Say which process and instance, where there are several."""
    return {"process": instance.definition.code, "instance": instance.number} if several else {}


def shown(moment: datetime, zone: tzinfo) -> str:
    """Give a moment as ISO 8601 in local time."""
    return moment.astimezone(zone).isoformat()


def _task(task: Task, zone: tzinfo) -> Said:
    said: Said = {"element": task.node.id, "token": task.token, "name": task.node.name, "kind": task.kind}
    if task.department:
        said["department"] = task.department
    if task.node.work is not None and task.node.work.outcomes:
        said["outcomes"] = list(task.node.work.outcomes)
    if task.due_at is not None:
        said["due_at"] = shown(task.due_at, zone)
    if task.own:
        said["own"] = task.own
    if task.escalated_at is not None:
        said["escalated_at"] = shown(task.escalated_at, zone)
    return said


def _job(job: Job, zone: tzinfo) -> Said:
    said: Said = {"element": job.element} | ({"token": job.token} if job.token is not None else {})
    if job.kind == "handler":
        said |= {"handler": job.rule.handler, "input": job.given}
    elif job.kind == "message":
        said |= {"message": job.message, "correlation": job.correlation, "payload": job.given}
    if job.own:
        said["own"] = job.own
    if job.reason:
        said |= {"reason": job.reason, "detail": job.detail}
    if job.attempts and not job.is_incident:
        said |= {"attempts": job.attempts, "retry_at": shown(job.run_at, zone)}
    return said
