"""Facts of the room that others follow: notices, search, indicators. Identifiers and codes only, no personal data."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("cases.application_submitted")
@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSubmitted:
    """An application was made with one case per item."""

    application_id: UUID
    number: str
    life_event_code: str
    division_code: str
    case_ids: tuple[UUID, ...]


@event("cases.case_moved")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMoved:
    """A case went from one state to another by one act."""

    case_id: UUID
    application_id: UUID
    item_code: str
    organization_id: UUID
    division_code: str
    act: str
    before: str
    after: str
    version: int


@event("cases.case_ended")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEnded:
    """A case has ended, completed or otherwise."""

    case_id: UUID
    application_id: UUID
    item_code: str
    organization_id: UUID
    division_code: str
    state: str
    end_reason: str
    in_time: bool | None


@event("cases.application_finished")
@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFinished:
    """The last open case of an application has ended."""

    application_id: UUID
    number: str
    state: str


@event("cases.case_rated")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRated:
    """The applicant has rated how they were served."""

    case_id: UUID
    organization_id: UUID
    division_code: str
    level: int


@event("cases.task_overdue")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTurnedLate:
    """A case's light has turned yellow, red or overdue."""

    case_id: UUID
    organization_id: UUID
    division_code: str
    light: str
