"""What a pair of entries is, and what became of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from furong.foundation.access.values import Basis

# Why the register is searched: one person, one place of registration.
SEARCHING = Basis(purpose="人口登记查重", legal_basis="《中华人民共和国户口登记条例》第六条")
# What of each entry stands side by side.
COMPARED = (
    "name", "former_name", "number", "sex", "born_on", "ethnicity", "native_place", "born_place", "marital", "status",
    "division_code", "address", "household_number", "household_relation", "mother_id", "father_id", "spouse_id",
)  # fmt: skip


class DuplicateState(StrEnum):
    """Where a pair is. ``merging`` and ``parting`` last while the act is done at the entry's own centre."""

    OPEN = "open"
    DIFFERENT = "different"
    MERGING = "merging"
    MERGED = "merged"
    PARTING_ASKED = "parting_asked"
    PARTING = "parting"
    PARTED = "parted"


class Step(StrEnum):
    """What was done about a pair."""

    FOUND = "found"
    SET_ASIDE = "set_aside"
    MERGE_BEGUN = "merge_begun"
    MERGED = "merged"
    MERGE_REFUSED = "merge_refused"
    PARTING_ASKED = "parting_asked"
    PARTING_DECLINED = "parting_declined"
    PARTING_BEGUN = "parting_begun"
    PARTED = "parted"
    PARTING_REFUSED = "parting_refused"


class SearchState(StrEnum):
    """Where a search of the register is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step: what, when, by whom, why; the register's change that it made."""

    step: Step
    at: datetime
    post_label: str
    organization_label: str
    reason: str
    change_id: UUID | None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRecord:
    """A pair of entries that may be one person. ``likeness`` says in which degree they agree, respect by respect."""

    duplicate_id: UUID
    first_person_id: UUID
    second_person_id: UUID
    first_division: str
    second_division: str
    probability: float
    likeness: Mapping[str, str]
    state: DuplicateState
    found_at: datetime
    stands_as_person_id: UUID | None
    decided_at: datetime | None
    asked_by: UUID | None
    steps: tuple[StepRecord, ...] = ()

    @property
    def goes_person_id(self) -> UUID | None:
        """The entry that went, or is to go."""
        if self.stands_as_person_id is None:
            return None
        return self.second_person_id if self.stands_as_person_id == self.first_person_id else self.first_person_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecord:
    """A search of the register: how many people were compared, how many new pairs came of it."""

    state: SearchState
    asked_at: datetime
    finished_at: datetime | None
    people: int
    pairs: int
