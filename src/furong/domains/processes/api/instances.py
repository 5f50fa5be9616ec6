"""Instances: how they stand, what they did, and starting, cancelling and acting on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from furong.domains.processes import administering, intervening, overseeing
from furong.domains.processes.api.asking import actor_of, page_key, page_size, request_key, told
from furong.domains.processes.errors import ProcessNotNamed
from furong.domains.processes.interpreter import LogKind
from furong.domains.processes.values.overseeing import InstanceLine, InstanceState, InstanceView
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Basis
from furong.foundation.audit.commands import record_read

router = Router()
# What a program gives as its reason for reading variables, when it gives none of its own.
PURPOSE = "administration"


class InstanceOut(Schema):
    """An instance in a list. Nothing in it is personal."""

    id: UUID
    definition_code: str
    definition_version: int
    definition_digest: str
    business_key: str
    organization_id: UUID | None
    division_code: str
    item_code: str
    label: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    waits_at: list[str]


class InstancePageOut(Schema):
    """A page of instances; ``after`` asks for the next one and is empty on the last."""

    instances: list[InstanceOut]
    after: str


class TokenOut(Schema):
    """Where a token stands, and what it waits for: a task, a timer, a message, a worker, or an administrator."""

    number: int
    element_id: str
    task_id: UUID | None
    since: datetime | None
    due_at: datetime | None
    timer_at: datetime | None
    message: str
    incident_id: UUID | None


class InstanceDetailOut(Schema):
    """An instance as it stands."""

    id: UUID
    definition_code: str
    definition_version: int
    definition_digest: str
    business_key: str
    organization_id: UUID | None
    division_code: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    reason: str
    tokens: list[TokenOut]
    incidents: list[UUID]


class LogOut(Schema):
    """A line of the event log: what a token did and when."""

    id: int
    at: datetime
    kind: str
    element_id: str
    arrived_by: str
    token: int


class LogPageOut(Schema):
    """A page of the log, oldest first; ``after`` asks for the next one and is empty on the last."""

    lines: list[LogOut]
    after: str


class VariablesOut(Schema):
    """The variables of an instance."""

    variables: dict[str, Any]


class StartIn(Schema):
    """What to start: the newest version of ``code``, or ``definition_digest``; whose it is; with which variables."""

    code: str = Field(default="", max_length=100)
    definition_digest: str = Field(default="", max_length=64)
    business_key: str = Field(min_length=1, max_length=200)
    organization_id: UUID | None = None
    division_code: str = Field(default="", max_length=12)
    item_code: str = Field(default="", max_length=40)
    label: str = Field(default="", max_length=200)
    variables: dict[str, Any] = Field(default_factory=dict)


class StartedOut(Schema):
    """The instance; ``repeated``: it was started before under this key."""

    id: UUID
    repeated: bool


class ReasonIn(Schema):
    """Why."""

    reason: str = Field(max_length=500)


class MoveIn(Schema):
    """Which token, and to which element of the same part of the diagram."""

    token: int = Field(ge=1, le=2_147_483_647)
    element: str = Field(min_length=1, max_length=200)
    reason: str = Field(max_length=500)


@router.get("/instances", response=InstancePageOut, summary="List instances")
def process_instances(
    request: HttpRequest,
    state: Literal["running", "suspended", "stuck", "completed", "cancelled"] = "running",
    code: str = "",
    digest: str = "",
    business_key: str = "",
    ended_from: datetime | None = None,
    after: str = "",
    limit: int = 50,
) -> dict[str, Any]:
    """List the instances in one state that the actor administers or supervises, the newest first.

    Those that are over are listed of one process (``code`` or ``digest``) or of one ``business_key``.
    """
    actor = actor_of(request)
    seen = overseeing.seen_by(actor=actor)
    if seen.is_empty:
        raise AccessRefused
    wanted = InstanceState(state)
    if not wanted.is_open and not (code or digest or business_key):
        raise ProcessNotNamed
    found = overseeing.list_instances(
        scope=seen,
        state=wanted,
        code=code,
        digest=digest,
        business_key=business_key,
        ended_from=ended_from,
        page_size=page_size(limit),
        after=page_key(after),
    )
    return {"instances": [_line(one) for one in found.instances], "after": told(found.following)}


def _line(one: InstanceLine) -> dict[str, Any]:
    names = (name for name in InstanceOut.model_fields if name not in {"state", "waits_at"})
    return {name: getattr(one, name) for name in names} | {"state": one.state.value, "waits_at": list(one.waits_at)}


@router.get("/instances/{instance_id}", response=InstanceDetailOut, summary="Give an instance")
def process_instance(request: HttpRequest, instance_id: UUID) -> dict[str, Any]:
    """Give an instance as it stands: where its tokens are and what they wait for."""
    overseeing.require_sight(actor=actor_of(request), instance_id=instance_id)
    return _view(overseeing.instance_view(instance_id=instance_id))


def _view(one: InstanceView) -> dict[str, Any]:
    names = (name for name in InstanceDetailOut.model_fields if name not in {"state", "tokens", "incidents"})
    return {name: getattr(one, name) for name in names} | {
        "state": one.state.value,
        "tokens": [{name: getattr(token, name) for name in TokenOut.model_fields} for token in one.tokens],
        "incidents": [incident.id for incident in one.incidents],
    }


@router.get("/instances/{instance_id}/variables", response=VariablesOut, summary="Give an instance's variables")
def process_variables(request: HttpRequest, instance_id: UUID, purpose: str = "") -> dict[str, Any]:
    """Give the variables. They may be personal: only for who administers the instance, and each read is recorded."""
    actor = actor_of(request)
    overseeing.require_administration(actor=actor, instance_id=instance_id)
    found = overseeing.variables_of(instance_id=instance_id)
    record_read(
        actor=actor,
        basis=Basis(purpose=purpose.strip()[:200] or PURPOSE),
        what="processes.variables_of",
        subjects=[],
        fields=sorted(found),
        database="default",
        now=timezone.now(),
        object=("process_instance", instance_id),
    )
    return {"variables": found}


@router.get("/instances/{instance_id}/log", response=LogPageOut, summary="Give an instance's event log")
def process_log(request: HttpRequest, instance_id: UUID, after: int = 0, limit: int = 200) -> dict[str, Any]:
    """Give what the instance's tokens did, oldest first."""
    overseeing.require_sight(actor=actor_of(request), instance_id=instance_id)
    size = page_size(limit)
    found = overseeing.read_log(instance_id=instance_id, after=max(0, after), limit=size + 1)
    lines = [
        {
            "id": line.id,
            "at": line.entry.at,
            "kind": LogKind(line.entry.kind).name.lower(),
            "element_id": line.entry.element_id,
            "arrived_by": line.entry.arrived_by,
            "token": line.entry.token,
        }
        for line in found[:size]
    ]
    return {"lines": lines, "after": str(found[size - 1].id) if len(found) > size else ""}


@router.post("/instances", response={201: StartedOut, 200: StartedOut}, summary="Start a process")
def process_start(request: HttpRequest, response: HttpResponse, start: StartIn) -> Status[dict[str, Any]]:
    """Start a process for an organisation that the actor administers.

    With an ``Idempotency-Key`` the same request is done once however often it is sent: again, the answer is 200 and the same id.
    """
    instance_id, repeated = administering.start_on_request(
        **start.model_dump(), request_key=request_key(request), actor=actor_of(request), now=timezone.now()
    )
    response["Location"] = reverse("api:process_instance", kwargs={"instance_id": instance_id})
    return Status(200 if repeated else 201, {"id": instance_id, "repeated": repeated})


@router.post("/instances/{instance_id}/cancellation", response={204: None}, summary="Cancel an instance")
def process_cancellation(request: HttpRequest, instance_id: UUID, why: ReasonIn) -> Status[None]:
    """End an instance before its end; what it waits for is cancelled. Cancelled again, it is not there any more (404)."""
    administering.cancel_on_request(
        instance_id=instance_id, reason=why.reason, actor=actor_of(request), now=timezone.now()
    )
    return Status(204, None)


@router.post("/instances/{instance_id}/suspension", response={204: None}, summary="Suspend an instance")
def process_suspension(request: HttpRequest, instance_id: UUID, why: ReasonIn) -> Status[None]:
    """Hold an instance: its tasks cannot be completed, its timers and jobs wait. Holding a held one changes nothing."""
    intervening.suspend_process(instance_id=instance_id, reason=why.reason, actor=actor_of(request), now=timezone.now())
    return Status(204, None)


@router.post("/instances/{instance_id}/resumption", response={204: None}, summary="Resume an instance")
def process_resumption(request: HttpRequest, instance_id: UUID, why: ReasonIn) -> Status[None]:
    """Let a held instance go on; what fell due meanwhile happens now."""
    intervening.resume_process(instance_id=instance_id, reason=why.reason, actor=actor_of(request), now=timezone.now())
    return Status(204, None)


@router.post("/instances/{instance_id}/moves", response={204: None}, summary="Move a token")
def process_move(request: HttpRequest, instance_id: UUID, move: MoveIn) -> Status[None]:
    """Take a token to another element; what it waited for is cancelled."""
    intervening.move_token(
        instance_id=instance_id,
        token=move.token,
        element=move.element,
        reason=move.reason,
        actor=actor_of(request),
        now=timezone.now(),
    )
    return Status(204, None)
