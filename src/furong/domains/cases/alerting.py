"""Who is told when nobody answers or a light turns: those who handle the case, and the supervision nearest to them.

Follows the events of `processes` and of this room; each is handled once, and a message carries the event's key.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.domains.cases import models
from furong.domains.cases.commands.moving import today
from furong.domains.cases.events import CaseTurnedLate
from furong.domains.cases.values.clock import Light
from furong.domains.processes.events import TaskEscalated
from furong.foundation.access import queries as access
from furong.foundation.events.commands import subscribe
from furong.foundation.events.values import Delivery
from furong.foundation.notices import commands as notices
from furong.foundation.notices.values import Channel
from furong.foundation.organizations import queries as organizations

HANDLE, SUPERVISE = "cases.handle", "cases.supervise"


def follow() -> None:
    """Subscribe to what staff are told about. Calling it again changes nothing."""
    subscribe(TaskEscalated, on_task_escalated, name="cases.tell_escalated")
    subscribe(CaseTurnedLate, on_turned_late, name="cases.tell_turned_late")


def on_task_escalated(event: TaskEscalated, delivery: Delivery) -> None:
    """Tell the handlers and their supervision that a step has waited too long."""
    try:
        case_id = UUID(event.business_key)
    except ValueError:
        return  # a process that is no case's
    _tell(case_id, "cases.escalated", (HANDLE, SUPERVISE), delivery)


def on_turned_late(event: CaseTurnedLate, delivery: Delivery) -> None:
    """Tell the handlers that a case is nearly due, and supervision too once it is late."""
    if event.light == Light.YELLOW.value:
        _tell(event.case_id, "cases.nearly_due", (HANDLE,), delivery)
    else:
        _tell(event.case_id, "cases.late", (HANDLE, SUPERVISE), delivery)


def _tell(case_id: UUID, template: str, rights: tuple[str, ...], delivery: Delivery) -> None:
    case = models.Case.objects.filter(id=case_id, ended_at=None).first()
    if case is None:
        return
    params = {
        "number": case.number,
        "item": dict(case.item_name),
        "due_on": case.promised_due_on.isoformat() if case.promised_due_on else "",
        "case_id": str(case.id),
    }
    for account_id in _told(case, rights, delivery.now):
        notices.send(
            account_id=account_id,
            template=template,
            params=params,
            case_id=case.id,
            channels=(Channel.IN_APP,),
            key=f"{delivery.event_id}:{account_id}",
            now=delivery.now,
        )


def _told(case: models.Case, rights: tuple[str, ...], now: datetime) -> list[UUID]:
    posts: set[UUID] = set()
    for right in rights:
        posts |= set(
            access.nearest_posts(right=right, organization_id=case.organization_id, division_code=case.division_code)
        )
    return organizations.accounts_of_posts(post_ids=posts, on=today(now))
