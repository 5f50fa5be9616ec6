"""What happened to legal entities, for others to follow; of people their identifiers alone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("legal_entities.entity_registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRegistered:
    """An entity was set up and has its credit code."""

    entity_id: UUID
    credit_code: str
    kind: str
    division_code: str
    case_id: UUID | None


@event("legal_entities.entity_changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntityChanged:
    """Registration items of an entity changed; ``items`` names them."""

    entity_id: UUID
    credit_code: str
    items: tuple[str, ...]
    case_id: UUID | None


@event("legal_entities.state_changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntityStateChanged:
    """An entity went dormant, came back, lost its licence, was annulled or deregistered."""

    entity_id: UUID
    credit_code: str
    state: str
    act: str


@event("legal_entities.notice_published")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePublished:
    """A notice of simple deregistration was published; tax, social security and creditors may object."""

    entity_id: UUID
    credit_code: str
    ends_on: str


@event("legal_entities.notice_objected")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeObjectedTo:
    """Somebody concerned objected to a simple deregistration."""

    entity_id: UUID
    credit_code: str
