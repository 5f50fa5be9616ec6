"""What others may follow: an objection was filed, and a value was corrected."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("objections.filed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionFiled:
    """Somebody says that a value is wrong."""

    objection_id: UUID
    resource_code: str
    item_code: str


@event("objections.corrected")
@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCorrected:
    """The provider corrected a value; whoever read the wrong one is told by this room."""

    objection_id: UUID
    resource_code: str
    item_code: str


@event("objections.late")
@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionLate:
    """The provider did not answer in its term; the data authority is told."""

    objection_id: UUID
    resource_code: str
