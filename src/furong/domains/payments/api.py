"""Where a provider of payments tells what happened; known by its signature, not by an account."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from furong.domains.payments import commands
from furong.foundation.access.values import Actor

router = Router(auth=None)


class Heard(Schema):
    """Whether the message told something new; a repeat is answered like the first."""

    booked: bool


@router.post("/messages", response=Heard, url_name="payment_message")
def payment_message(request: HttpRequest) -> Heard:
    """Take a provider's message: canonical JSON, with the signature of exactly these bytes in ``Furong-Signature`` (base64)."""
    booked = commands.hear(
        body=request.body,
        signature=request.headers.get("Furong-Signature", "").encode("ascii", "replace"),
        actor=Actor.system("payments.provider"),
        now=timezone.now(),
    )
    return Heard(booked=booked)
