"""Incidents: what could not go on, and trying it again or going past it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from furong.domains.processes import commands, overseeing
from furong.domains.processes.api.asking import actor_of, page_key, page_size, told
from furong.domains.processes.errors import IncidentUnknown
from furong.foundation.access.queries import require

router = Router()
RIGHT = "processes.administer"


class IncidentOut(Schema):
    """What could not go on. ``reason`` is a code; nothing in it is personal."""

    id: UUID
    instance_id: UUID
    business_key: str
    definition_code: str
    element_id: str
    kind: str
    reason: str
    detail: str
    attempts: int
    created_at: datetime


class IncidentPageOut(Schema):
    """A page of incidents; ``after`` asks for the next one and is empty on the last."""

    incidents: list[IncidentOut]
    after: str


class CauseOut(Schema):
    """Incidents of the same kind at the same element."""

    definition_code: str
    element_id: str
    kind: str
    reason: str
    detail: str
    n: int
    instances: int
    oldest_at: datetime
    newest_at: datetime


class RetryIn(Schema):
    """Why it will succeed now."""

    reason: str = Field(max_length=500)


class SkipIn(Schema):
    """Why it is passed over, and the variables that it would have given."""

    reason: str = Field(max_length=500)
    variables: dict[str, Any] = Field(default_factory=dict)


@router.get("/incidents", response=IncidentPageOut, summary="List incidents")
def process_incidents(
    request: HttpRequest, code: str = "", instance_id: UUID | None = None, after: str = "", limit: int = 50
) -> dict[str, Any]:
    """List what could not go on in the instances that the actor administers, oldest first."""
    found = overseeing.list_incidents(
        scope=require(actor=actor_of(request), right=RIGHT).scope,
        code=code,
        instance_id=instance_id,
        page_size=page_size(limit),
        after=page_key(after),
    )
    return {"incidents": list(found.incidents), "after": told(found.following)}


@router.get("/incident-causes", response=list[CauseOut], summary="List what caused incidents")
def process_incident_causes(request: HttpRequest) -> Any:
    """List the causes of open incidents, the most frequent first."""
    return overseeing.list_causes(scope=require(actor=actor_of(request), right=RIGHT).scope)


@router.get("/incidents/{incident_id}", response=IncidentOut, summary="Give an incident")
def process_incident(request: HttpRequest, incident_id: UUID) -> Any:
    """Give an incident of an instance that the actor administers."""
    scope = require(actor=actor_of(request), right=RIGHT).scope
    found = overseeing.list_incidents(scope=scope, incident_id=incident_id).incidents
    if not found:
        raise IncidentUnknown
    return found[0]


@router.post("/incidents/{incident_id}/retry", response={204: None}, summary="Try again what failed")
def process_incident_retry(request: HttpRequest, incident_id: UUID, why: RetryIn) -> Status[None]:
    """Try again, under the same effect id. Sent again after it succeeded, the incident is not there any more (404)."""
    commands.retry_incident(incident_id=incident_id, reason=why.reason, actor=actor_of(request), now=timezone.now())
    return Status(204, None)


@router.post("/incidents/{incident_id}/skip", response={204: None}, summary="Go past what failed")
def process_incident_skip(request: HttpRequest, incident_id: UUID, why: SkipIn) -> Status[None]:
    """Go on as if it were done, with the variables that it would have given; the reason stays in the audit."""
    commands.skip_incident(
        incident_id=incident_id,
        reason=why.reason,
        variables=why.variables,
        actor=actor_of(request),
        now=timezone.now(),
    )
    return Status(204, None)
