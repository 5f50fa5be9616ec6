"""Tasks for programs: the work list of the actor's posts, and taking, giving back and finishing a step."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from furong.domains.processes import commands, queries
from furong.domains.processes.api.asking import actor_of, page_key, page_size, told
from furong.domains.processes.values import TaskFilters
from furong.foundation.access.queries import require, scope
from furong.foundation.access.values import RIGHTS, Scope

router = Router()


class TaskOut(Schema):
    """An open step of a process. Nothing in it is personal."""

    id: UUID
    business_key: str
    label: str
    title: str
    kind: str
    item_code: str
    department: str
    organization_id: UUID | None
    division_code: str
    outcomes: list[str]
    claimed_by: UUID | None
    created_at: datetime
    due_at: datetime | None
    yellow_at: datetime | None
    escalated_at: datetime | None


class TaskPageOut(Schema):
    """A page of the work list; ``after`` asks for the next one and is empty on the last."""

    tasks: list[TaskOut]
    after: str


class Completion(Schema):
    """How a step ends, and the variables it sets."""

    outcome: str = ""
    variables: dict[str, Any] = {}  # noqa: RUF012 - a pydantic model copies its defaults


class HandOver(Schema):
    """To whom, and why."""

    to_account_id: UUID
    reason: str = Field(max_length=500)


class Release(Schema):
    """Why; a supervisor who gives back a colleague's step must say it."""

    reason: str = Field(default="", max_length=500)


@router.get("/tasks", response=TaskPageOut, summary="List the open steps within the actor's posts")
def tasks(
    request: HttpRequest, right: str = "cases.handle", after: str = "", kind: str = "", item: str = "", limit: int = 50
) -> dict[str, Any]:
    """List open steps, those due first at the top."""
    actor = actor_of(request)
    found = queries.work_list(
        # A right that there is not, nobody holds.
        scope=scope(actor=actor, right=right) if right in RIGHTS else Scope(),
        now=timezone.now(),
        filters=TaskFilters(kind=kind, item_code=item),
        page_size=page_size(limit),
        after=page_key(after),
    )
    return {"tasks": list(found.tasks), "after": told(found.following)}


@router.get("/tasks/{task_id}", response=TaskOut, summary="Give one step")
def task(request: HttpRequest, task_id: UUID) -> Any:
    """Give one step that lies within the actor's posts."""
    found = queries.get_task(task_id=task_id)
    require(
        actor=actor_of(request),
        right=found.right_code or commands.DEFAULT_RIGHT,
        organization_id=found.organization_id,
        division_code=found.division_code or None,
    )
    return found


@router.post("/tasks/{task_id}/claim", response={204: None}, summary="Take a step")
def claim(request: HttpRequest, task_id: UUID) -> Status[None]:
    """Take a step into one's own hands."""
    commands.claim_task(task_id=task_id, actor=actor_of(request), now=timezone.now())
    return Status(204, None)


@router.post("/tasks/{task_id}/release", response={204: None}, summary="Give a step back")
def release(request: HttpRequest, task_id: UUID, why: Release | None = None) -> Status[None]:
    """Give a step back to the list."""
    commands.release_task(
        task_id=task_id, reason=why.reason if why else "", actor=actor_of(request), now=timezone.now()
    )
    return Status(204, None)


@router.post("/tasks/{task_id}/hand-over", response={204: None}, summary="Hand a step over")
def hand_over(request: HttpRequest, task_id: UUID, to: HandOver) -> Status[None]:
    """Hand a step over to a colleague of the organisation that has it, with the reason."""
    commands.hand_over_task(
        task_id=task_id,
        to_account_id=to.to_account_id,
        reason=to.reason,
        actor=actor_of(request),
        now=timezone.now(),
    )
    return Status(204, None)


@router.post("/tasks/{task_id}/complete", response={204: None}, summary="Finish a step")
def complete(request: HttpRequest, task_id: UUID, completion: Completion) -> Status[None]:
    """Finish a step with an outcome; the process runs on."""
    commands.complete_task(
        task_id=task_id,
        outcome=completion.outcome,
        variables=completion.variables,
        actor=actor_of(request),
        now=timezone.now(),
    )
    return Status(204, None)
