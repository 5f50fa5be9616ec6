"""What is offered, for programs: life events and service items, open to everybody."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from furong.domains.services import queries

router = Router(auth=None)
Text = dict[str, str]


class LifeEventLine(Schema):
    """A life event in the list."""

    code: str
    name: Text
    summary: Text
    stage: str
    audience: str
    items: list[str]


class ItemOut(Schema):
    """A service item as the implementation list of a division has it."""

    code: str
    name: Text
    summary: Text
    type: str
    department: str
    basic_code: str
    edition: str
    promised_days: int | None
    statutory_days: int | None
    inputs: list[str]
    outputs: list[str]


@router.get("/life-events", response=list[LifeEventLine], summary="List the life events in force")
def life_events(request: HttpRequest) -> list[dict[str, Any]]:
    """List the life events in force today, in the order of a life."""
    return [
        {
            "code": event.code,
            "name": event.name.as_dict(),
            "summary": event.summary.as_dict(),
            "stage": str(event.stage),
            "audience": str(event.audience),
            "items": list(event.item_codes()),
        }
        for event in queries.list_life_events(on=timezone.localdate())
    ]


@router.get("/items/{code}", response=ItemOut, summary="Give a service item, as a division handles it")
def item(request: HttpRequest, code: str, division: str = "") -> dict[str, Any]:
    """Give a service item with the overrides of a division."""
    found = queries.get_item(code=code, division_code=division, on=timezone.localdate()).item
    clock = found.clock
    return {
        "code": found.code,
        "name": found.name.as_dict(),
        "summary": found.summary.as_dict() if found.summary else {},
        "type": found.type,
        "department": found.department,
        "basic_code": found.basic_code,
        "edition": found.edition,
        "promised_days": clock.promised.days if clock and clock.promised else None,
        "statutory_days": clock.statutory.days if clock and clock.statutory else None,
        "inputs": [str(e) for e in found.inputs],
        "outputs": [str(e) for e in found.outputs],
    }
