"""A rehearsal: processes that run in memory, moved by the very interpreter that moves them on rows. No database, no Django.

It holds what the engine keeps in rows (open tasks, timers, subscriptions, jobs) and wakes tokens as `engine` and `waking` do: a
message goes to the one that waits longest or starts the process it starts; what nobody takes, and a service that fails, is tried
again later and becomes an incident; timers fire in order of their time. Only the outside world is not there: somebody says
what people, services and the clock do. ``scenarios`` reads that from files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from furong.domains.processes.deciding import Decisions
from furong.domains.processes.errors import BpmnError
from furong.domains.processes.interpreter import Changes, LogKind, Run, ScopeKind
from furong.domains.processes.rehearsed import (
    Instance,
    Job,
    Said,
    ServiceAnswer,
    Subscription,
    Task,
    Timer,
    Watched,
    describe,
    place,
    shown,
)
from furong.domains.processes.values.graph import Expression, Node, ProcessDefinition, ServiceRule
from furong.domains.processes.values.times import Duration
from furong.domains.processes.variables import as_json, dump
from furong.foundation.calendar.values import Calendar
from furong.foundation.feel import FeelLimitReached
from furong.foundation.packs.values.text import Text, both

# One answer may set off so many timers, messages and services; more means that they set each other off for ever.
MOST_STEPS = 100_000
_LONGEST_PAUSE = timedelta(hours=6)

Report = Callable[[Said], None]


class RehearsalError(Exception):
    """What was asked cannot happen now: no such open task, nothing that waits for the message. ``text`` says it."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text: Text = both(zh, en)


@dataclass(frozen=True, slots=True)
class _Host:
    business_key: str
    decisions: Decisions
    days: Calendar

    def decide(self, resource: str, decision: str, context: Mapping[str, object], now: datetime) -> object:
        return self.decisions.decide(resource, decision, context, now)

    def calendar(self) -> Calendar:
        return self.days


class Rehearsal:
    """Processes of one file (or of several) in memory. ``report`` learns of every event as it happens."""

    def __init__(
        self,
        definitions: Iterable[ProcessDefinition],
        *,
        now: datetime,
        calendar: Calendar,
        decisions: Decisions | None = None,
        report: Report | None = None,
    ) -> None:
        self.definitions = {one.code: one for one in definitions}
        self.now = now.astimezone(UTC)
        self.calendar = calendar
        self.decisions = decisions or Decisions({})
        self.instances: list[Instance] = []
        self.standing: dict[str, ServiceAnswer] = {}
        self.sent: list[str] = []
        self.given: dict[str, Mapping[str, object]] = {}
        self._report = report
        self._order = 0
        self._queue: deque[tuple[Instance, Job]] = deque()

    # --- what the outside world does ----------------------------------------------------------------------------------------

    def start(
        self,
        variables: Mapping[str, object],
        *,
        code: str | None = None,
        business_key: str = "rehearsal",
        element: str | None = None,
    ) -> Instance:
        """Start an instance of ``code`` (needed when there are several processes) and run until everything waits."""
        if code is None and len(self.definitions) == 1:
            code = next(iter(self.definitions))
        definition = self.definitions.get(code or "")
        if definition is None:
            names = ", ".join(self.definitions) or "–"
            raise RehearsalError(
                f"没有流程 {code or '–'}，可用的有：{names}。",
                f"There is no process {code or '–'}; there are: {names}.",
            )
        instance = self._begin(definition, business_key, variables, element)
        self._settle()
        return instance

    def complete(
        self,
        element: str,
        *,
        outcome: str = "",
        variables: Mapping[str, object] | None = None,
        token: int | None = None,
        where: Mapping[str, object] | None = None,
    ) -> None:
        """Let a person end the task that has been open longest at ``element``.

        Of a repeated activity ``where`` picks one by its item or other variables of its own, ``token`` by its number.
        """
        found = [
            (instance, task)
            for instance in self.instances
            for number, task in sorted(instance.tasks.items())
            if task.node.id == element and token in {None, number} and _fits(task.own, where)
        ]
        if not found:
            self._not_there(
                element, "待办任务", "open task", [t.node.id for i in self.instances for t in i.tasks.values()]
            )
        instance, task = found[0]
        work = task.node.work
        allowed = work.outcomes if work is not None else ()
        if allowed and outcome not in allowed:
            names = ", ".join(allowed)
            raise RehearsalError(
                f"任务 {element} 不能以 {outcome or '–'} 结束，只能是：{names}。",
                f"The task {element} cannot end with {outcome or '–'}; it may end with: {names}.",
            )
        given = dict(variables or {})
        if task.node.result and outcome:
            given[task.node.result] = outcome
        self._step(instance, lambda run: run.complete(task.token, given))
        self._settle()

    def deliver(
        self, name: str, *, correlation: str | None = None, payload: Mapping[str, object] | None = None
    ) -> None:
        """Deliver a message to the one that waits longest for it (with this key, if one is given), or start what it starts."""
        if not self._deliver(name, correlation, payload or {}):
            waiting = sorted({s.message for i in self.instances for s in i.every_subscription()})
            key = "" if correlation is None else f" ({correlation})"
            names = ", ".join(waiting) or "–"
            raise RehearsalError(
                f"没有流程在等待消息 {name}{key}，正在等待的有：{names}。",
                f"Nothing waits for the message {name}{key}; waited for are: {names}.",
            )
        self._settle()

    def serve(self, element: str, answer: ServiceAnswer, *, where: Mapping[str, object] | None = None) -> None:
        """Let the service of ``element`` answer its call that has been open longest (``where``: as in `complete`).

        Of a message that no process takes it says that somebody outside has taken it.
        """
        found = [
            (instance, job)
            for instance in self.instances
            for job in sorted(instance.every_job(), key=lambda j: j.order)
            if job.element == element and job.kind != "element" and not job.is_incident and _fits(job.own, where)
        ]
        if not found:
            self._not_there(
                element,
                "服务调用",
                "open call of a service",
                [j.element for i in self.instances for j in i.every_job() if j.kind == "handler"],
            )
        instance, job = found[0]
        if job.run_at > self.now and job.kind == "handler":
            at = self._shown(job.run_at)
            raise RehearsalError(
                f"{element} 到 {at} 才重试，请先推进时间。",
                f"{element} is tried again at {at}; advance the clock first.",
            )
        self._serve(instance, job, answer)
        self._settle()

    def known(self, element: str) -> None:
        """Refuse an element that no process has."""
        if not any(element in one.nodes for one in self.definitions.values()):
            raise RehearsalError(f"流程中没有元素 {element}。", f"The process has no element {element}.")

    def answer_always(self, element: str, answer: ServiceAnswer | None) -> None:
        """Let the service of ``element`` answer so whenever it is called; None takes that back."""
        self.known(element)
        if answer is None:
            self.standing.pop(element, None)
            return
        self.standing[element] = answer
        for instance in self.instances:
            self._queue.extend((instance, job) for job in instance.every_job() if job.element == element)
        self._settle()

    def advance_to(self, moment: datetime) -> None:
        """Move the clock; everything that falls due until then happens at its time, also what is armed meanwhile."""
        moment = moment.astimezone(UTC)
        if moment < self.now:
            raise RehearsalError(
                f"时间不能从 {self._shown(self.now)} 退回 {self._shown(moment)}。",
                f"The clock cannot go back from {self._shown(self.now)} to {self._shown(moment)}.",
            )
        for _ in range(MOST_STEPS):
            due = self._next_due(moment)
            if due is None:
                self.now = moment
                return
            instance, what = due
            if isinstance(what, Timer):
                self.now = max(self.now, what.due_at)
                self._fire(instance, what)
            else:
                self.now = max(self.now, what.run_at)
                self._queue.append((instance, what))
            self._settle()
        raise RehearsalError("定时器不断互相触发。", "Timers set each other off without end.")

    def retry(self, element: str) -> None:
        """Try again what is stuck or has failed at ``element``, as an administrator does."""
        instance, job = self._incident(element)
        if job.kind == "element" and job.token is not None:
            number = job.token
            self._step(instance, lambda run: run.retry(number))
        else:
            job.is_incident, job.attempts, job.run_at, job.reason = False, 0, self.now, ""
            self._queue.append((instance, job))
        self._settle()

    def skip(self, element: str, variables: Mapping[str, object] | None = None) -> None:
        """Go on past what could not be done at ``element``, with what it would have given."""
        instance, job = self._incident(element)
        if job.token is None:
            self._drop_job(instance, job)
        else:
            number = job.token
            self._step(instance, lambda run: run.skip(number, variables or {}))
        self._settle()

    def cancel(self, reason: str = "", *, undo: bool = True) -> None:
        """Withdraw the first instance: end it before its end; what can be undone is undone first."""
        if not self.instances or self.instances[0].ending:
            raise RehearsalError("流程已经结束。", "The process is over.")
        self._step(self.instances[0], lambda run: run.cancel(reason=reason, undo=undo))
        self._settle()

    # --- what it looks like -------------------------------------------------------------------------------------------------

    @property
    def main(self) -> Instance:
        """The instance that was started first."""
        return self.instances[0]

    @property
    def is_over(self) -> bool:
        """Whether every instance has ended."""
        return all(instance.ending for instance in self.instances)

    def incidents(self) -> list[tuple[Instance, Job]]:
        """List what is stuck or failed for good."""
        return [(i, job) for i in self.instances for job in i.every_job() if job.is_incident]

    def reached(self) -> set[str]:
        """Give every element that a token was at."""
        over = {LogKind.STARTED, LogKind.ENDED}
        return {entry[1] for instance in self.instances for entry in instance.log if entry[0] not in over}

    def state(self) -> dict[str, object]:
        """Say in one JSON object what is waited for, or that all is over and with which variables."""
        return describe(self.instances, now=self.now, zone=self.calendar.tz, several=len(self.definitions) > 1)

    def _shown(self, moment: datetime) -> str:
        return shown(moment, self.calendar.tz)

    def _tell(self, event: str, instance: Instance, element: str, token: int | None, **more: object) -> None:
        if self._report is None:
            return
        said: Said = {"event": event, "element": element} | ({} if token is None else {"token": token})
        said |= place(instance, several=len(self.definitions) > 1 or len(self.instances) > 1)
        self._report({**said, "at": self._shown(self.now), **more})

    # --- one step -----------------------------------------------------------------------------------------------------------

    def _begin(
        self, definition: ProcessDefinition, business_key: str, variables: Mapping[str, object], element: str | None
    ) -> Instance:
        instance = Instance(
            number=len(self.instances) + 1,
            definition=definition,
            business_key=business_key,
            variables=as_json(variables),
        )
        dump(instance.variables)
        self.instances.append(instance)
        self._step(instance, lambda run: run.start(element), given=dict(instance.variables))
        return instance

    def _step(
        self, instance: Instance, stimulus: Callable[[Run], object], *, given: Mapping[str, object] | None = None
    ) -> bool:
        run = Run(
            instance.definition,
            tokens=instance.tokens,
            scopes=instance.scopes,
            next_token=instance.next_token,
            variables=instance.variables,
            now=self.now,
            host=_Host(instance.business_key, self.decisions, self.calendar),
        )
        watched = None if self._report is None else Watched(run)
        if watched is not None:
            run.changes.log = watched
        if stimulus(run) is False:
            return False
        changes = run.changes
        dump(changes.variables)
        instance.variables, instance.tokens, instance.scopes = run.variables, run.tokens, run.scopes
        instance.next_token = run.next_token
        self._drop(instance, changes)
        self._open(instance, changes, run)
        instance.log += [(kind, element, arrived_by, number) for kind, element, arrived_by, number in changes.log]
        if watched is not None:
            self._tell_step(instance, watched, given or {})
            for scope in run.scopes.values():
                scope.fresh = scope.changed = False
        if run.ended and not instance.ending:
            instance.ending = run.ending
        return True

    def _tell_step(self, instance: Instance, log: Watched, given: Mapping[str, object]) -> None:
        log.variables[0] = {**given, **log.variables[0]}
        log.variables[-1] |= log.untold(None)
        for (kind, element, arrived_by, number), changed in zip(log, log.variables, strict=True):
            more: dict[str, object] = {"arrived_by": arrived_by} if arrived_by else {}
            if changed:
                more["variables"] = changed
            self._tell(kind.name.lower(), instance, element, number or None, **more)

    def _drop(self, instance: Instance, changes: Changes) -> None:
        for number in changes.left:
            instance.tasks.pop(number, None)
            instance.timers.pop(number, None)
            instance.subscriptions.pop(number, None)
        for number in {*changes.left, *changes.unstuck}:
            for job in instance.jobs.pop(number, ()):
                job.is_open = False

    def _open(self, instance: Instance, changes: Changes, run: Run) -> None:
        for task in changes.tasks:
            instance.tasks[task.token] = self._task(task.token, task.node, run)
        for timer in changes.timers:
            opened = Timer(
                order=self._next_order(),
                token=timer.token,
                element=timer.element,
                due_at=timer.due_at.astimezone(UTC),
                escalates=timer.escalates,
                repeats=timer.repeats,
            )
            instance.timers.setdefault(timer.token, []).append(opened)
        for one in changes.subscriptions:
            subscription = Subscription(
                order=self._next_order(),
                token=one.token,
                element=one.element,
                message=one.message,
                correlation=one.correlation,
            )
            instance.subscriptions.setdefault(one.token, []).append(subscription)
        for new in changes.jobs:
            node = instance.definition.nodes.get(new.element)
            given = instance.variables if new.payload is None and new.kind == "handler" else (new.payload or {})
            job = Job(
                order=self._next_order(),
                token=new.token,
                element=new.element,
                kind=new.kind,
                given=as_json(given),
                message=new.message,
                correlation=new.correlation,
                reason=new.reason,
                detail=new.detail,
                run_at=self.now,
                rule=node.service if node is not None and node.service is not None else ServiceRule(handler=""),
                own=_own(run, new.token),
                is_incident=new.kind == "element",
            )
            instance.jobs.setdefault(new.token, []).append(job)
            if job.kind == "handler":
                self.given[job.element] = job.given
            elif job.kind == "message":
                self.sent.append(job.message)
            self._queue.append((instance, job))

    def _next_order(self) -> int:
        self._order += 1
        return self._order

    def _task(self, token: int, node: Node, run: Run) -> Task:
        work = node.work
        known = run.context(run.tokens[token].scope)
        due_at: datetime | None = None
        if work is not None and work.due is not None:
            try:
                due_at = work.due.due_at(variables=known, now=self.now, calendar=lambda: self.calendar)
            except (ValueError, OverflowError) as exc:
                raise RehearsalError(
                    f"任务 {node.id} 的期限无效：{exc}。", f"The deadline of {node.id} is not valid: {exc}."
                ) from exc
        return Task(
            token=token,
            node=node,
            kind=_text(work.kind, known, self.now) if work is not None else "",
            department=_text(work.department, known, self.now) if work is not None else "",
            due_at=due_at,
            own=_own(run, token),
        )

    # --- what wakes tokens --------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Do all work that needs nobody: messages between processes, services that always answer the same."""
        for _ in range(MOST_STEPS):
            if not self._queue:
                return
            instance, job = self._queue.popleft()
            if not job.is_open or job.is_incident or job.run_at > self.now:
                continue
            if job.element in self.standing:
                self._serve(instance, job, self.standing[job.element])
            elif job.kind == "message":
                self._send(instance, job)
        raise RehearsalError("消息和服务不断互相触发。", "Messages and services set each other off without end.")

    def _send(self, instance: Instance, job: Job) -> None:
        more = {"message": job.message, "correlation": job.correlation, "payload": job.given}
        if self._deliver(job.message, job.correlation, job.given):
            self._tell("sent", instance, job.element, job.token, **more)
            self._end_job(instance, job, {})
        else:
            self._failed(instance, job, "message_unexpected", job.message)

    def _end_job(self, instance: Instance, job: Job, given: Mapping[str, object]) -> None:
        if not job.is_open:
            return  # the message it sent took it away
        if job.token is None:
            self._drop_job(instance, job)
            return
        number = job.token
        self._step(instance, lambda run: run.complete(number, given))

    def _drop_job(self, instance: Instance, job: Job) -> None:
        job.is_open = False
        instance.jobs[job.token] = [one for one in instance.jobs.get(job.token, ()) if one is not job]

    def _deliver(self, name: str, correlation: str | None, payload: Mapping[str, object]) -> bool:
        found = [
            (one.order, instance, one)
            for instance in self.instances
            for one in instance.every_subscription()
            if one.message == name and correlation in {None, one.correlation}
        ]
        if found:
            _, instance, subscription = min(found, key=lambda each: each[0])
            number, element = subscription.token, subscription.element
            mine = instance.subscriptions[number]
            mine.remove(subscription)
            given = _result(instance.definition.nodes[element], payload)
            self._step(instance, lambda run: run.fire(number, element, given))
            return True
        starts = [
            (one, node)
            for one in self.definitions.values()
            for node in (one.nodes[element] for element in one.message_starts)
            if node.message is not None and node.message.name == name
        ]
        if len({one.code for one, _ in starts}) != 1:
            return False
        definition, node = starts[0]
        key = correlation if correlation is not None else self.main.business_key if self.instances else "rehearsal"
        self._begin(definition, key, _result(node, payload), node.id)
        return True

    def _serve(self, instance: Instance, job: Job, answer: ServiceAnswer) -> None:
        if job.token is None:
            self._drop_job(instance, job)
            return
        number, node = job.token, instance.definition.nodes[job.element]
        if answer.fault:
            self._failed(instance, job, "handler_failed", answer.fault)
        elif answer.error:
            code = BpmnError(answer.error).error_code
            if not self._step(instance, lambda run: run.error(number, code, {"error_code": code})):
                job.attempts += 1
                self._is_incident(instance, job, "error_uncaught", code)
        else:
            self._end_job(instance, job, _result(node, answer.variables))

    def _failed(self, instance: Instance, job: Job, reason: str, detail: str) -> None:
        """Try again after a growing pause, as often as the diagram says; then it is an incident."""
        job.attempts += 1
        if job.attempts > job.rule.retries:
            self._is_incident(instance, job, reason, detail)
            return
        first: timedelta = _length(job.rule.backoff, self.now)
        job.run_at = self.now + min(_LONGEST_PAUSE, first * 2 ** min(job.attempts - 1, 16))
        job.reason, job.detail = reason, detail
        more = {"reason": reason, "detail": detail, "retry_at": self._shown(job.run_at)}
        self._tell("failed", instance, job.element, job.token, **more)

    def _is_incident(self, instance: Instance, job: Job, reason: str, detail: str) -> None:
        job.is_incident, job.reason, job.detail = True, reason, detail
        self._tell("incident", instance, job.element, job.token, reason=reason, detail=detail)

    def _next_due(self, until: datetime) -> tuple[Instance, Timer | Job] | None:
        found: list[tuple[datetime, int, Instance, Timer | Job]] = []
        for instance in self.instances:
            found += [(t.due_at, t.order, instance, t) for t in instance.every_timer() if t.due_at <= until]
            found += [
                (job.run_at, job.order, instance, job)
                for job in instance.every_job()
                if self.now < job.run_at <= until
                and not job.is_incident
                and (job.kind == "message" or job.element in self.standing)
            ]
        if not found:
            return None
        return min(found, key=lambda one: one[:2])[2:]

    def _fire(self, instance: Instance, timer: Timer) -> None:
        instance.timers[timer.token].remove(timer)
        if timer.escalates:
            task = instance.tasks.get(timer.token)
            if task is not None:
                task.escalated_at = self.now
                self._tell("escalated", instance, timer.element, timer.token)
            return
        due_at, repeats = timer.due_at, timer.repeats
        self._step(instance, lambda run: run.fire(timer.token, timer.element, {}, due_at=due_at, repeats=repeats))

    def _incident(self, element: str) -> tuple[Instance, Job]:
        found = [one for one in self.incidents() if one[1].element == element]
        if not found:
            self._not_there(element, "受阻的步骤", "incident", [job.element for _, job in self.incidents()])
        return min(found, key=lambda one: one[1].order)

    def _not_there(self, element: str, zh: str, en: str, there: Iterable[str]) -> NoReturn:
        names = ", ".join(sorted(set(there))) or "–"
        raise RehearsalError(
            f"{element} 没有{zh}，现有：{names}。", f"There is no {en} at {element}; there are: {names}."
        )


def _text(expression: Expression, known: Mapping[str, object], now: datetime) -> str:
    try:
        found = expression.evaluate(known, now=now)
    except FeelLimitReached:
        return ""
    return "" if found is None else str(found)


def _own(run: Run, token: int | None) -> Mapping[str, object]:
    """Give the variables of the run of a repeated activity in which a token is."""
    number = run.tokens[token].scope if token is not None and token in run.tokens else 0
    while number:
        one = run.scopes[number]
        if one.kind is ScopeKind.ONE:
            return dict(one.variables or {})
        number = one.parent
    return {}


def _fits(own: Mapping[str, object], where: Mapping[str, object] | None) -> bool:
    return all(own.get(name) == value for name, value in (where or {}).items())


def _result(node: Node, given: Mapping[str, object]) -> dict[str, object]:
    return {node.result: dict(given)} if node.result else dict(given)


def _length(duration: Duration, start: datetime) -> timedelta:
    return duration.after(start) - start
