"""Messages from outside for processes that wait for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from furong.domains.processes import administering
from furong.domains.processes.api.asking import actor_of, request_key

router = Router()


class MessageIn(Schema):
    """A message: its name in the diagram, the key of the one it is for, and what it says."""

    name: str = Field(min_length=1, max_length=200)
    correlation: str = Field(min_length=1, max_length=200)
    payload: dict[str, Any] = Field(default_factory=dict)


class DeliveredOut(Schema):
    """The instance that took the message; ``repeated``: it was delivered before under this key."""

    instance_id: UUID
    repeated: bool


@router.post("/messages", response=DeliveredOut, summary="Deliver a message")
def process_message(request: HttpRequest, message: MessageIn) -> dict[str, Any]:
    """Deliver a message to the one instance that waits longest for it, or start the process that it starts.

    409 when nothing waits for it that the actor administers. With an ``Idempotency-Key`` it is delivered once.
    """
    instance_id, repeated = administering.deliver_on_request(
        name=message.name,
        correlation=message.correlation,
        payload=message.payload,
        request_key=request_key(request),
        actor=actor_of(request),
        now=timezone.now(),
    )
    return {"instance_id": instance_id, "repeated": repeated}
