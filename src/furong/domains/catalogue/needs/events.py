"""What others may follow: a demand was filed or answered, a share came before the data authority, a ruling was given."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("catalogue.demand_filed")
@dataclass(frozen=True, slots=True, kw_only=True)
class DemandFiled:
    """A department needs what nobody supplies. ``element`` is empty where it could not name one."""

    demand_id: UUID
    element: str


@event("catalogue.demand_answered")
@dataclass(frozen=True, slots=True, kw_only=True)
class DemandAnswered:
    """The owner answered: ``state`` says how (`DemandState`), ``resource_code`` by what it is supplied."""

    demand_id: UUID
    state: str
    resource_code: str = ""


@event("catalogue.share_escalated")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShareEscalated:
    """A refused or late share is before the data authority. ``kind``: request or demand."""

    escalation_id: UUID
    kind: str
    subject_id: UUID
    ground: str


@event("catalogue.ruling_given")
@dataclass(frozen=True, slots=True, kw_only=True)
class RulingGiven:
    """The data authority ruled: ``outcome`` is order or uphold."""

    escalation_id: UUID
    kind: str
    subject_id: UUID
    outcome: str
