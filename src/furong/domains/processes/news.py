"""Telling what a step did: listeners in the same transaction, events through the outbox, jobs to a worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from furong.domains.processes.engine import Step
from furong.domains.processes.events import IncidentRaised, ProcessEnded, TaskEscalated
from furong.domains.processes.ports import ProcessFact, TaskFact, wiring
from furong.foundation.events.commands import publish

F = TypeVar("F")


def tell(step: Step, *, now: datetime) -> None:
    """Call the listeners of everything that ``step`` did, in order: completed, cancelled, created, ended."""
    known = wiring()
    _call(known.on_task_completed, step.completed)
    _call(known.on_task_cancelled, step.cancelled)
    _call(known.on_task_created, step.created)
    if known.defer is not None:
        for job in step.jobs:
            known.defer(job)
    for incident in step.incidents:
        publish(
            IncidentRaised(
                incident_id=incident,
                instance_id=step.instance_id,
                business_key=step.business_key,
                definition_code=step.definition.code,
            ),
            now=now,
        )
    if step.ending:
        fact = ProcessFact(
            instance_id=step.instance_id,
            business_key=step.business_key,
            definition_code=step.definition.code,
            ending=step.ending,
            variables=step.variables,
            now=now,
        )
        _call(known.on_process_ended, [fact])
        publish(
            ProcessEnded(
                instance_id=step.instance_id,
                business_key=step.business_key,
                definition_code=step.definition.code,
                ending=step.ending,
            ),
            now=now,
        )


def tell_escalated(fact: TaskFact, *, now: datetime) -> None:
    """Say that nobody answered a task in time."""
    _call(wiring().on_task_escalated, [fact])
    publish(
        TaskEscalated(
            task_id=fact.task_id,
            instance_id=fact.instance_id,
            business_key=fact.business_key,
            organization_id=fact.organization_id,
            division_code=fact.division_code,
        ),
        now=now,
    )


def _call(listeners: Sequence[Callable[[F], None]], facts: Sequence[F]) -> None:
    for fact in facts:
        for listener in listeners:
            listener(fact)
