"""What administrators look through: instances and where they stand, incidents and what caused them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from furong.domains.processes.values.work import DefinitionInfo, Incident, LogEntry, PageKey


class InstanceState(StrEnum):
    RUNNING = "running"
    SUSPENDED = "suspended"
    STUCK = "stuck"  # an incident holds it
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        return self in {InstanceState.RUNNING, InstanceState.SUSPENDED, InstanceState.STUCK}


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceLine:
    """An instance in a list. ``waits_at``: up to four elements where tokens stand."""

    id: UUID
    definition_code: str
    definition_version: int
    definition_digest: str
    business_key: str
    organization_id: UUID | None
    division_code: str
    item_code: str
    label: str
    state: InstanceState
    started_at: datetime
    ended_at: datetime | None
    reason: str
    waits_at: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePage:
    instances: tuple[InstanceLine, ...]
    following: PageKey | None  # None on the last page


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """Where a token stands, and what it waits for there."""

    number: int
    element_id: str
    task_id: UUID | None
    title: str
    department: str
    organization_id: UUID | None
    claimed_by: UUID | None
    since: datetime | None
    due_at: datetime | None
    timer_at: datetime | None
    message: str
    incident_id: UUID | None
    works: bool  # a worker has it in hand or will have


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of the log with its key."""

    id: int
    entry: LogEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """One instance: how it stands and where. Its variables are asked for apart."""

    id: UUID
    definition_code: str
    definition_version: int
    definition_digest: str
    definition_name: str
    business_key: str
    organization_id: UUID | None
    division_code: str
    state: InstanceState
    started_at: datetime
    ended_at: datetime | None
    reason: str
    tokens: tuple[TokenLine, ...]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    incidents: tuple[Incident, ...]
    following: PageKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCause:
    """Incidents of the same kind at the same element of the same process."""

    definition_code: str
    element_id: str
    kind: str
    reason: str
    detail: str
    n: int
    instances: int
    oldest_at: datetime
    newest_at: datetime
    element_name: str = ""

    @property
    def key(self) -> str:
        """Give a short name for it, for addresses and forms; the same cause has the same."""
        parts = "\x1f".join((self.definition_code, self.element_id, self.kind, self.reason, self.detail))
        return hashlib.sha256(parts.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionPage:
    definitions: tuple[DefinitionInfo, ...]
    following: tuple[str, int] | None  # code and version of the last one


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """What became of incidents that were acted on together. ``refused``: codes of refusals and how many each."""

    done: int
    refused: tuple[tuple[str, int], ...]
    left: int  # of the same cause, not tried this time
