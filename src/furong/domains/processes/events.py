"""What others may follow. Facts of single tasks go to listeners in the same transaction (`ports`), not through the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("processes.process_ended")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnded:
    instance_id: UUID
    business_key: str
    definition_code: str
    ending: str


@event("processes.task_escalated")
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEscalated:
    """A department did not answer in time; its supervisors should see the task."""

    task_id: UUID
    instance_id: UUID
    business_key: str
    organization_id: UUID | None
    division_code: str


@event("processes.incident_raised")
@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRaised:
    incident_id: UUID
    instance_id: UUID
    business_key: str
    definition_code: str
