"""Tasks for programs: the work list of the actor's posts, and taking, giving back and finishing a step."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from furong.domains.processes import commands, queries
from furong.domains.processes.errors import PageKeyInvalid
from furong.domains.processes.values import PageKey, TaskFilters
from furong.foundation.access.queries import require, scope
from furong.foundation.access.values import Actor

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


def _actor(request: HttpRequest) -> Actor:
    return cast(Actor, request.auth)  # type: ignore[attr-defined]  # ninja puts the session's actor there


@router.get("/tasks", response=TaskPageOut, summary="List the open steps within the actor's posts")
def tasks(
    request: HttpRequest, right: str = "cases.handle", after: str = "", kind: str = "", item: str = "", limit: int = 50
) -> dict[str, Any]:
    """List open steps, those due first at the top."""
    actor = _actor(request)
    try:
        key = PageKey.parse(after) if after else None
    except ValueError as exc:
        raise PageKeyInvalid from exc
    found = queries.work_list(
        scope=scope(actor=actor, right=right),
        now=timezone.now(),
        filters=TaskFilters(kind=kind, item_code=item),
        page_size=max(1, min(limit, 200)),
        after=key,
    )
    return {"tasks": list(found.tasks), "after": found.following.text() if found.following else ""}


@router.get("/tasks/{task_id}", response=TaskOut, summary="Give one step")
def task(request: HttpRequest, task_id: UUID) -> Any:
    """Give one step that lies within the actor's posts."""
    found = queries.get_task(task_id=task_id)
    require(
        actor=_actor(request),
        right=found.right_code or commands.DEFAULT_RIGHT,
        organization_id=found.organization_id,
        division_code=found.division_code or None,
    )
    return found


@router.post("/tasks/{task_id}/claim", response={204: None}, summary="Take a step")
def claim(request: HttpRequest, task_id: UUID) -> tuple[int, None]:
    """Take a step into one's own hands."""
    commands.claim_task(task_id=task_id, actor=_actor(request), now=timezone.now())
    return 204, None


@router.post("/tasks/{task_id}/release", response={204: None}, summary="Give a step back")
def release(request: HttpRequest, task_id: UUID) -> tuple[int, None]:
    """Give a step back to the list."""
    commands.release_task(task_id=task_id, actor=_actor(request), now=timezone.now())
    return 204, None


@router.post("/tasks/{task_id}/complete", response={204: None}, summary="Finish a step")
def complete(request: HttpRequest, task_id: UUID, completion: Completion) -> tuple[int, None]:
    """Finish a step with an outcome; the process runs on."""
    commands.complete_task(
        task_id=task_id,
        outcome=completion.outcome,
        variables=completion.variables,
        actor=_actor(request),
        now=timezone.now(),
    )
    return 204, None
