"""Steps of a process that are neither acceptance nor decision: reviews, corrections, calls."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.domains.cases import flow
from furong.domains.cases.commands.acceptance import accept_case
from furong.domains.cases.commands.deciding import approve_case, reject_case
from furong.domains.cases.commands.moving import lock_case, note, require_handler
from furong.domains.cases.errors import ActNotAllowed, TaskNotYours
from furong.domains.cases.values.states import ENDED, CaseState
from furong.domains.processes import commands as processes
from furong.domains.processes import queries as process_queries
from furong.domains.processes.errors import TaskUnknown
from furong.domains.processes.values.work import Task
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command


@command("cases.complete_step")
def complete_step(
    *,
    task_id: UUID,
    outcome: str,
    actor: Actor,
    now: datetime,
    opinion: str = "",
    basis: Basis | None = None,
    expected_version: int | None = None,
) -> None:
    """Finish any step of a case by its task: acceptance and decision as the acts they are, others as such.

    Needs the task's right over its organisation. Raises TaskNotYours for a task that is gone or no case's, ActNotAllowed while a
    special procedure or a supplement stops the case, and what the acts raise.
    """
    task = _task(task_id)
    case_id = UUID(task.business_key)
    if task.kind == flow.ACCEPTANCE:
        accept_case(case_id=case_id, actor=actor, now=now, basis=basis, expected_version=expected_version)
        return
    if task.kind == flow.DECISION:
        if outcome == "rejected":
            reject_case(
                case_id=case_id,
                reason=opinion,
                actor=actor,
                now=now,
                basis=basis,
                expected_version=expected_version,
            )
        else:
            approve_case(
                case_id=case_id,
                opinion=opinion,
                actor=actor,
                now=now,
                basis=basis,
                expected_version=expected_version,
            )
        return
    case = lock_case(case_id=case_id, expected_version=expected_version)
    require_handler(case, actor)
    if CaseState(case.state) in ENDED | {CaseState.PAUSED, CaseState.TO_SUPPLEMENT}:
        raise ActNotAllowed
    processes.complete_task(
        task_id=task_id,
        outcome=outcome,
        variables={"opinion": opinion} if opinion else {},
        actor=actor,
        now=now,
    )
    note(case.application, case, "case.step", actor=actor, now=now, params={"step": task.title, "outcome": outcome})


def _task(task_id: UUID) -> Task:
    try:
        task = process_queries.get_task(task_id=task_id)
        UUID(task.business_key)
    except (TaskUnknown, ValueError) as error:
        raise TaskNotYours from error
    if not task.is_open:
        raise TaskNotYours
    return task
