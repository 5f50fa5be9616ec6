"""Writes. One function is one transaction, one audit entry, its news.

Staff need the task's right over its organization and division. `start_process`, `deliver_message` and `cancel_process` ask for
no right of their own: the room that owns the business key (a case, a document) decides who may, in its own command.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from furong.domains.processes import definitions, engine, publishing
from furong.domains.processes.errors import (
    DefinitionUnknown,
    HandOverRefused,
    IncidentUnknown,
    MessageUnexpected,
    ReasonMissing,
    TaskClaimedByAnother,
    TaskNotClaimed,
)
from furong.domains.processes.interpreter import Run
from furong.domains.processes.intervening import (
    Migration,
    migrate_instance,
    migrate_instances,
    move_token,
    plan_migration,
    resume_process,
    suspend_process,
)
from furong.domains.processes.news import tell
from furong.domains.processes.ports import wiring
from furong.domains.processes.store import Loaded, execute, query
from furong.domains.processes.values.graph import Node
from furong.domains.processes.waking import deliver, run_due_jobs, run_due_timers, run_job
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.queries import require
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current

__all__ = [
    "Migration",
    "cancel_process",
    "change_deadline",
    "claim_task",
    "complete_task",
    "deliver_message",
    "hand_over_task",
    "migrate_instance",
    "migrate_instances",
    "move_token",
    "plan_migration",
    "publish_definition",
    "release_task",
    "resume_process",
    "retry_incident",
    "run_due_jobs",
    "run_due_timers",
    "run_job",
    "skip_incident",
    "start_process",
    "suspend_process",
    "terminate_process",
]

# A user task that names no right of its own.
DEFAULT_RIGHT = "cases.handle"


@command("processes.publish_definition")
def publish_definition(
    *,
    xml: bytes,
    file: str,
    code: str,
    actor: Actor,
    now: datetime,
    resources: Mapping[str, bytes] | None = None,
    process_id: str | None = None,
    basis: Basis | None = None,
) -> str:
    """Check a BPMN file and publish it as the next version of ``code``; gives the digest that instances are pinned to.

    ``resources`` maps the name before ``#`` in ``furong:decision`` to the bytes of a DMN file. The same content again gives the
    version that is there. Raises `DefinitionRefused` with every finding, `AccessRefused`.
    """
    require(actor=actor, right="definitions.publish")
    published = publishing.publish(
        xml=xml, file=file, code=code, resources=resources, process_id=process_id, by=actor.account_id, now=now
    )
    current().object("process_definition", published.digest)
    current().detail(code=code, version=published.version)
    return published.digest


@command("processes.start_process")
def start_process(
    *,
    business_key: str,
    variables: Mapping[str, object],
    actor: Actor,
    now: datetime,
    definition_digest: str = "",
    code: str = "",
    organization_id: UUID | None = None,
    division_code: str = "",
    item_code: str = "",
    label: str = "",
    basis: Basis | None = None,
) -> UUID:
    """Start a process, by digest (pinned) or by code (the newest version), and run it to its first waits.

    ``organization_id`` and ``division_code`` say who owns it; ``label`` is what a work list shows and may hold no personal data.
    Variables are JSON values. Gives the instance's id. Raises `DefinitionUnknown`, `VariablesRefused`. Two statements.
    """
    if not definition_digest and not code:
        raise DefinitionUnknown
    definition = definitions.by_digest(definition_digest) if definition_digest else definitions.latest(code)
    step = engine.start(
        definition=definition,
        business_key=business_key,
        variables=variables,
        organization_id=organization_id,
        division_code=division_code,
        item_code=item_code,
        label=label,
        by=actor.account_id,
        now=now,
    )
    current().object("process_instance", step.instance_id)
    current().detail(code=definition.code, business_key=business_key)
    tell(step, now=now)
    return step.instance_id


@command("processes.complete_task")
def complete_task(
    *,
    task_id: UUID,
    actor: Actor,
    now: datetime,
    outcome: str = "",
    variables: Mapping[str, object] | None = None,
    basis: Basis | None = None,
) -> None:
    """Complete an open task that is the actor's own or nobody's, and run the process on.

    Raises `TaskAlreadyDone`, `TaskClaimedByAnother`, `TaskUnknown`, `OutcomeUnknown`, `VariablesRefused`, `AccessRefused`.
    """
    step = engine.complete_task(
        task_id=task_id,
        outcome=outcome,
        variables=variables or {},
        by=actor.account_id,
        authorize=partial(_authorize, actor),
        now=now,
    )
    current().object("process_task", task_id)
    current().detail(business_key=step.business_key, outcome=outcome)
    tell(step, now=now)


def _authorize(actor: Actor, organization_id: UUID | None, division_code: str, right: str) -> None:
    require(
        actor=actor,
        right=right or DEFAULT_RIGHT,
        organization_id=organization_id,
        division_code=division_code or None,
    )


def _lock_task(task_id: UUID, actor: Actor) -> tuple[UUID | None, UUID | None]:
    """Lock an open task that ``actor`` may work on; give who has claimed it and which organization has it."""
    row = execute(query("work.sql", "lock_task"), [task_id]).fetchone()
    if row is None:
        raise engine.task_gone(task_id)
    claimed_by, organization_id, division_code, right = row[:4]
    _authorize(actor, organization_id, division_code, right)
    current().object("process_task", task_id)
    current().detail(business_key=row[5])
    return claimed_by, organization_id


def _put(task_id: UUID, verb: str, *, owner: UUID | None, actor: Actor, reason: str, now: datetime) -> None:
    execute(
        query("work.sql", "claim"),
        {
            "id": task_id,
            "state": "claimed" if owner else "open",
            "owner": owner,
            "claimed_at": now if owner else None,
            "now": now,
            "verb": verb,
            "by": actor.account_id,
            "reason": reason,
        },
    )


@command("processes.claim_task")
def claim_task(*, task_id: UUID, actor: Actor, now: datetime, basis: Basis | None = None) -> None:
    """Take a task into one's own hands; claiming one's own again is fine.

    Raises `TaskClaimedByAnother`, `TaskAlreadyDone`, `TaskUnknown`, `AccessRefused`.
    """
    claimed_by, _ = _lock_task(task_id, actor)
    if actor.account_id is None:
        raise TaskNotClaimed
    if claimed_by == actor.account_id:
        return
    if claimed_by is not None:
        raise TaskClaimedByAnother
    _put(task_id, "claimed", owner=actor.account_id, actor=actor, reason="", now=now)


@command("processes.release_task")
def release_task(*, task_id: UUID, actor: Actor, now: datetime, reason: str = "", basis: Basis | None = None) -> None:
    """Put one's own task back on the list. A supervisor may put back another's, with a reason.

    Raises `TaskNotClaimed`, `TaskClaimedByAnother`, `ReasonMissing`, `TaskAlreadyDone`, `TaskUnknown`, `AccessRefused`.
    """
    claimed_by, organization_id = _lock_task(task_id, actor)
    if claimed_by is None:
        raise TaskNotClaimed
    _own_or_supervised(claimed_by, organization_id, actor, reason)
    _put(task_id, "released", owner=None, actor=actor, reason=reason.strip(), now=now)


@command("processes.hand_over_task")
def hand_over_task(
    *,
    task_id: UUID,
    to_account_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
) -> None:
    """Give a task to a colleague of the organization that has it, with a reason.

    One's own task, a task nobody has, or (as supervisor) another's. Raises `ReasonMissing`, `HandOverRefused`,
    `TaskClaimedByAnother`, `TaskAlreadyDone`, `TaskUnknown`, `AccessRefused`.
    """
    claimed_by, organization_id = _lock_task(task_id, actor)
    if not reason.strip():
        raise ReasonMissing
    if claimed_by is not None:
        _own_or_supervised(claimed_by, organization_id, actor, reason)
    if not wiring().works_for(to_account_id, organization_id):
        raise HandOverRefused
    current().detail(to=str(to_account_id))
    _put(task_id, "handed_over", owner=to_account_id, actor=actor, reason=reason.strip(), now=now)


def _own_or_supervised(claimed_by: UUID, organization_id: UUID | None, actor: Actor, reason: str) -> None:
    if claimed_by == actor.account_id:
        return
    try:
        require(actor=actor, right="cases.supervise", organization_id=organization_id)
    except AccessRefused as exc:
        raise TaskClaimedByAnother from exc
    if not reason.strip():
        raise ReasonMissing


@command("processes.change_deadline")
def change_deadline(
    *,
    task_id: UUID,
    due_at: datetime | None,
    yellow_at: datetime | None,
    reason: str,
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
) -> None:
    """Move a task's deadline, as when a clock is stopped or extended; the room that owns the clock decides who may.

    Raises `TaskUnknown`, `TaskAlreadyDone`, `ReasonMissing`.
    """
    if not reason.strip():
        raise ReasonMissing
    row = execute(
        query("work.sql", "change_deadline"),
        {
            "id": task_id,
            "due_at": due_at,
            "yellow_at": yellow_at,
            "now": now,
            "by": actor.account_id,
            "reason": reason.strip(),
        },
    ).fetchone()
    if row is None:
        raise engine.task_gone(task_id)
    current().object("process_task", task_id)
    current().detail(due_at=due_at.isoformat() if due_at else "", reason=reason.strip())


@command("processes.deliver_message")
def deliver_message(
    *,
    name: str,
    correlation: str,
    payload: Mapping[str, object],
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
) -> UUID:
    """Deliver a message to the one process that waits longest for ``name`` with this key, or start one that it starts.

    Gives the instance's id. Raises `MessageUnexpected` when nothing waits: the caller keeps the message or drops it.
    """
    step = deliver(name=name, correlation=correlation, payload=payload, by=actor.account_id, now=now)
    if step is None:
        raise MessageUnexpected(name=name)
    current().object("process_instance", step.instance_id)
    current().detail(message=name, business_key=step.business_key)
    tell(step, now=now)
    return step.instance_id


@command("processes.cancel_process")
def cancel_process(
    *, instance_id: UUID, reason: str, actor: Actor, now: datetime, undo: bool = True, basis: Basis | None = None
) -> None:
    """End a process before its end; everything it waits for is cancelled.

    What was done and has a compensation is undone first, last first (unless ``undo`` is False); until that is over the process
    still runs. Raises `InstanceUnknown`, `ReasonMissing`.
    """
    if not reason.strip():
        raise ReasonMissing
    step = engine.cancel(instance_id=instance_id, reason=reason.strip(), by=actor.account_id, now=now, undo=undo)
    current().object("process_instance", instance_id)
    current().detail(reason=reason.strip(), business_key=step.business_key)
    tell(step, now=now)


@command("processes.terminate_process")
def terminate_process(
    *, instance_id: UUID, reason: str, actor: Actor, now: datetime, basis: Basis | None = None
) -> None:
    """End a process as administrator of processes. Raises `AccessRefused`, `InstanceUnknown`, `ReasonMissing`."""
    require(actor=actor, right="processes.administer")
    cancel_process(instance_id=instance_id, reason=reason, actor=actor, now=now)


def _lock_incident(incident_id: UUID, reason: str, actor: Actor) -> tuple[Any, ...]:
    row = execute(query("waking.sql", "lock_job"), [incident_id]).fetchone()
    if row is None or row[1] != "incident":
        raise IncidentUnknown
    require(actor=actor, right="processes.administer", organization_id=row[4], division_code=row[5] or None)
    if not reason.strip():
        raise ReasonMissing
    current().object("process_incident", incident_id)
    current().detail(reason=reason.strip(), business_key=row[6] or "")
    return tuple(row)


@command("processes.retry_incident")
def retry_incident(*, incident_id: UUID, reason: str, actor: Actor, now: datetime, basis: Basis | None = None) -> None:
    """Try again what could not go on, after its cause was mended.

    Work of a handler is queued afresh under the same effect id; a stuck element is entered again at once.
    Raises `IncidentUnknown`, `ReasonMissing`, `AccessRefused`.
    """
    row = _lock_incident(incident_id, reason, actor)
    if row[0] != "element":
        execute(query("waking.sql", "job_due_again"), [now, incident_id])
        defer = wiring().defer
        if defer is not None:
            defer(incident_id)
        return

    def again(run: Run, node: Node, found: Loaded) -> bool:
        run.retry(found.wait[0])
        return True

    step = engine.with_job(job_id=incident_id, move=again, by=actor.account_id, now=now)
    if step is None:
        raise IncidentUnknown
    tell(step, now=now)


@command("processes.skip_incident")
def skip_incident(
    *,
    incident_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    variables: Mapping[str, object] | None = None,
    basis: Basis | None = None,
) -> None:
    """Go on past what could not be done, with the variables it would have given; the reason stays in the audit.

    Raises `IncidentUnknown`, `ReasonMissing`, `AccessRefused`.
    """
    row = _lock_incident(incident_id, reason, actor)
    if row[2] is None:  # a thrown message that nobody takes: no token waits for it
        execute(query("waking.sql", "drop_job"), [incident_id])
        return

    def past(run: Run, node: Node, found: Loaded) -> bool:
        run.skip(found.wait[0], variables or {})
        return True

    step = engine.with_job(job_id=incident_id, move=past, by=actor.account_id, now=now)
    if step is None:
        raise IncidentUnknown
    tell(step, now=now)
