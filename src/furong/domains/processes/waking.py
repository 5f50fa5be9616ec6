"""Waking: due timers, jobs and messages. Any number of workers may run these at once; for each row one wins.

A worker that dies loses nothing: a timer stays due, and a job is taken again when its lease runs out, under the same effect id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from furong.domains.processes import definitions, engine
from furong.domains.processes.engine import Step
from furong.domains.processes.errors import BpmnError, HandlerUnknownError, InstanceSuspended, MessageUnexpected
from furong.domains.processes.events import IncidentRaised
from furong.domains.processes.interpreter import Run
from furong.domains.processes.news import tell, tell_escalated
from furong.domains.processes.ports import Handler, ServiceCall, handler
from furong.domains.processes.store import Loaded, execute, query
from furong.domains.processes.values.graph import Node, ServiceRule
from furong.domains.processes.variables import load
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.errors import Refusal
from furong.foundation.events.commands import publish

_log = logging.getLogger(__name__)

# How long a handler may take before another worker tries the same effect again. Short, because a handler that runs twice has its
# effect once, while a case of a worker that was killed stands still for as long.
LEASE = timedelta(seconds=30)
_POSTPONED = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)


class _NothingHereError(Exception):
    """Another worker was first. It takes the transaction back and leaves no audit entry."""


# --- timers -----------------------------------------------------------------------------------------------------------------


def run_due_timers(*, now: datetime, limit: int = 100) -> int:
    """Fire up to ``limit`` timers that are due, each in its own transaction; gives how many this worker fired.

    Must not be called inside a transaction. A timer that fails is tried again a minute later and holds up no other.
    """
    actor = Actor.system("processes.timers")
    fired = 0
    for (timer_id,) in execute(query("waking.sql", "due_timers"), [now, limit]).fetchall():
        try:
            _fire_timer(timer_id=timer_id, actor=actor, now=now)
            fired += 1
        except _NothingHereError:
            continue
        except Exception as exc:  # noqa: BLE001 - one broken instance must not stop everybody's timers
            _log.error("processes: timer %s failed: %s", timer_id, type(exc).__name__)
            execute(query("waking.sql", "postpone_timer"), [now + _POSTPONED, timer_id])
    return fired + _run_start_timers(now, limit - fired)


def _run_start_timers(now: datetime, limit: int) -> int:
    """Start the processes whose start event's time has come, each in its own transaction."""
    actor = Actor.system("processes.timers")
    started = 0
    while started < limit:
        try:
            _start_by_time(actor=actor, now=now)
        except _NothingHereError:
            break
        started += 1
    return started


@command("processes.start_by_time")
def _start_by_time(*, actor: Actor, now: datetime) -> None:
    row = execute(query("waking.sql", "due_start_timers"), [now]).fetchone()
    if row is None:
        raise _NothingHereError
    timer_id, definition_id, element, due_at, repeats = row
    definition = definitions.by_id(definition_id)
    following = definitions.next_start(definition, element, due_at=due_at, repeats=repeats, now=now)
    if following is None:
        execute(query("waking.sql", "drop_start_timer"), [timer_id])
    else:
        execute(query("waking.sql", "start_timer_again"), [*following, timer_id])
    step = engine.start(
        definition=definition,
        business_key=f"{definition.code}:{due_at.isoformat(timespec='seconds')}",
        variables={},
        element=element,
        now=now,
    )
    current().object("process_instance", step.instance_id)
    current().detail(code=definition.code, due_at=due_at.isoformat())
    tell(step, now=now)


@command("processes.fire_timer")
def _fire_timer(*, timer_id: UUID, actor: Actor, now: datetime) -> None:
    step, escalated = engine.fire_timer(timer_id=timer_id, now=now)
    if escalated is not None:
        current().object("process_task", escalated.task_id)
        tell_escalated(escalated, now=now)
        return
    if step is None:
        raise _NothingHereError
    current().object("process_instance", step.instance_id)
    tell(step, now=now)


# --- messages ---------------------------------------------------------------------------------------------------------------


def deliver(
    *, name: str, correlation: str, payload: Mapping[str, object], by: UUID | None, now: datetime
) -> Step | None:
    """Wake the token that waits longest for the message, or start the process it starts; None when there is neither."""
    # One that was just served may listen again under another id, so what was there and is gone is looked for once more.
    for _ in range(3):
        waiting = execute(query("waking.sql", "subscriptions"), [correlation, name]).fetchall()
        for (subscription,) in waiting:
            step = engine.deliver(subscription_id=subscription, payload=payload, by=by, now=now)
            if step is not None:
                return step
        if not waiting:
            break
    found = execute(query("waking.sql", "start_by_message"), [name]).fetchall()
    if len(found) != 1:
        return None
    definition = definitions.by_id(found[0][0])
    nodes = definition.graph.nodes
    element = next(n for n in definition.graph.message_starts if (m := nodes[n].message) and m.name == name)
    result = nodes[element].result
    return engine.start(
        definition=definition,
        business_key=correlation,
        variables={result: dict(payload)} if result else payload,
        element=element,
        by=by,
        now=now,
    )


# --- jobs -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A job in this worker's hands until its lease runs out."""

    id: UUID
    kind: str
    token: int | None
    element: str
    payload: Mapping[str, Any] | None
    attempts: int
    message: str
    correlation: str
    instance_id: UUID
    definition_id: int | None
    business_key: str
    organization_id: UUID | None
    division_code: str
    variables: Mapping[str, Any]

    @property
    def rule(self) -> ServiceRule:
        node = definitions.by_id(self.definition_id).graph.nodes.get(self.element) if self.definition_id else None
        return node.service if node is not None and node.service is not None else ServiceRule(handler="")

    @property
    def call_code(self) -> str:
        return definitions.by_id(self.definition_id).code if self.definition_id else ""


def run_due_jobs(*, now: datetime, limit: int = 100) -> int:
    """Run up to ``limit`` jobs that are due; gives how many this worker took. Must not be called inside a transaction.

    Jobs usually come to a worker at once (`ports.defer_jobs`); this finds retries, and what a worker that died left.
    """
    taken = 0
    for (job_id,) in execute(query("waking.sql", "due_jobs"), [now, limit]).fetchall():
        taken += run_job(job_id=job_id, now=now)
    return taken


def run_job(*, job_id: UUID, now: datetime) -> bool:
    """Do the work of one job: call the handler or send the message, then let the token go on.

    Gives False when another worker has it or nothing is left to do. A fault is retried after a growing pause and becomes an
    incident after the last try; a refusal becomes one at once. The handler runs outside every transaction, unless it was
    registered as ``within_step``. Must not be called inside a transaction.
    """
    job = _claim(job_id, now)
    if job is None:
        return False
    actor = Actor.system("processes.jobs")
    try:
        if job.kind == "message":
            _send_message(job=job, actor=actor, now=now)
        else:
            _call_handler(job, actor, now)
    except _NothingHereError:
        return False
    except Exception as exc:  # noqa: BLE001 - whatever a handler raises is kept as an incident, not lost in a log
        _failed(job, exc, actor, now)
    return True


def _claim(job_id: UUID, now: datetime) -> _Claimed | None:
    with transaction.atomic():
        row = execute(query("waking.sql", "claim_job"), {"id": job_id, "now": now, "until": now + LEASE}).fetchone()
    if row is None:
        return None
    (
        kind,
        token,
        element,
        payload,
        attempts,
        message,
        correlation,
        instance,
        definition,
        key,
        organization,
        division,
        known,
    ) = row
    return _Claimed(
        job_id,
        kind,
        token,
        element,
        load(payload) if payload else None,
        attempts,
        message,
        correlation,
        instance,
        definition,
        key or "",
        organization,
        division or "",
        load(known) if known else {},
    )


def _call_handler(job: _Claimed, actor: Actor, now: datetime) -> None:
    function, within_step = handler(job.rule.handler)
    call = ServiceCall(
        effect_id=job.id,
        instance_id=job.instance_id,
        business_key=job.business_key,
        definition_code=job.call_code,
        element_id=job.element,
        variables=job.variables if job.payload is None else job.payload,
        organization_id=job.organization_id,
        division_code=job.division_code,
        now=now,
    )
    if within_step:
        _complete_service_task(job=job, function=function, call=call, actor=actor, now=now)
        return
    try:
        given = function(call) or {}
    except BpmnError as exc:
        _end_in_error(job=job, error_code=exc.error_code, actor=actor, now=now)
        return
    _complete_service_task(job=job, given=given, actor=actor, now=now)


@command("processes.complete_service_task")
def _complete_service_task(
    *,
    job: _Claimed,
    actor: Actor,
    now: datetime,
    given: Mapping[str, object] | None = None,
    function: Handler | None = None,
    call: ServiceCall | None = None,
) -> None:
    failed: list[str] = []

    def done(run: Run, node: Node, found: Loaded) -> bool:
        result = given or {}
        if function is not None and call is not None:
            try:
                with transaction.atomic():
                    result = function(call) or {}
            except BpmnError as exc:
                failed.append(exc.error_code)
                return run.error(found.wait[0], exc.error_code, {"error_code": exc.error_code})
        run.complete(found.wait[0], {node.result: dict(result)} if node.result else result)
        return True

    step = engine.with_job(job_id=job.id, move=done, now=now)
    if step is None and failed:
        raise BpmnError(failed[0])
    _end_job(step, job, now)


@command("processes.end_in_error")
def _end_in_error(*, job: _Claimed, error_code: str, actor: Actor, now: datetime) -> None:
    caught = []

    def caught_by(run: Run, node: Node, found: Loaded) -> bool:
        caught.append(run.error(found.wait[0], error_code, {"error_code": error_code}))
        return caught[0]

    step = engine.with_job(job_id=job.id, move=caught_by, now=now)
    if step is None and caught:
        raise BpmnError(error_code)
    _end_job(step, job, now)


def _end_job(step: Step | None, job: _Claimed, now: datetime) -> None:
    if step is None:  # the token went elsewhere meanwhile: a boundary event or the end of the process took the job away
        raise _NothingHereError
    current().object("process_instance", step.instance_id)
    current().detail(element=job.element, business_key=step.business_key)
    tell(step, now=now)


@command("processes.send_message")
def _send_message(*, job: _Claimed, actor: Actor, now: datetime) -> None:
    if job.token is None and execute(query("waking.sql", "drop_job"), [job.id]).fetchone() is None:
        raise _NothingHereError
    received = deliver(name=job.message, correlation=job.correlation, payload=job.payload or {}, by=None, now=now)
    if received is None:
        raise MessageUnexpected(name=job.message)
    current().object("process_instance", received.instance_id)
    current().detail(message=job.message)
    tell(received, now=now)
    if job.token is not None:

        def sent(run: Run, node: Node, found: Loaded) -> bool:
            run.complete(found.wait[0], {})
            return True

        _end_job(engine.with_job(job_id=job.id, move=sent, now=now), job, now)


def _failed(job: _Claimed, exc: Exception, actor: Actor, now: datetime) -> None:
    """Keep what went wrong: by type and code, never by message, which may name a person."""
    reason = "handler_failed"
    detail = f"{type(exc).__module__}.{type(exc).__qualname__} {getattr(exc, 'code', '')}".strip()
    rule = job.rule
    final = job.attempts > rule.retries
    if isinstance(exc, BpmnError):
        reason, detail, final = "error_uncaught", exc.error_code, True
    elif isinstance(exc, MessageUnexpected):
        reason, detail = "message_unexpected", job.message
    elif isinstance(exc, InstanceSuspended):
        reason, detail, final = "receiver_suspended", job.message, False
    elif isinstance(exc, Refusal | HandlerUnknownError):
        reason, final = ("refused" if isinstance(exc, Refusal) else "handler_unknown"), True
    _log.warning("processes: job %s at %s: %s (%s)", job.id, job.element, reason, detail)
    if final:
        _raise_incident(job=job, reason=reason, detail=detail, actor=actor, now=now)
        return
    pause = min(_LONGEST_PAUSE, (rule.backoff.after(now) - now) * 2 ** min(job.attempts - 1, 16))
    with transaction.atomic():
        execute(
            query("waking.sql", "retry_job_later"),
            {"id": job.id, "run_at": now + pause, "reason": reason, "detail": detail},
        )


@command("processes.raise_incident")
def _raise_incident(*, job: _Claimed, reason: str, detail: str, actor: Actor, now: datetime) -> None:
    row = execute(query("waking.sql", "job_is_incident"), {"id": job.id, "reason": reason, "detail": detail}).fetchone()
    if row is None:
        return
    current().object("process_incident", job.id)
    current().detail(reason=reason, detail=detail)
    publish(
        IncidentRaised(
            incident_id=job.id,
            instance_id=job.instance_id,
            business_key=job.business_key,
            definition_code=job.call_code,
        ),
        now=now,
    )
