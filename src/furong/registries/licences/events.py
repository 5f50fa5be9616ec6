"""What happened to licences, for others to follow; never their content."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("licences.licence_issued")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceIssued:
    """A licence was issued and lies in its holder's folder."""

    licence_id: UUID
    type_code: str
    holder_person_id: UUID
    guardian_person_ids: tuple[UUID, ...]
    case_id: UUID | None
    effect_id: UUID
    issuer_organization_id: UUID | None


@event("licences.licence_revoked")
@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceRevoked:
    """A licence was revoked; from now on every check says so."""

    licence_id: UUID
    type_code: str
    holder_person_id: UUID
    case_id: UUID | None
    replaced_by: UUID | None
