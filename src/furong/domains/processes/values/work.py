"""What queries return: tasks, pages, counts, the state of a diagram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Light(StrEnum):
    """How a task stands against its clock, as the supervision of deadlines shows it."""

    NONE = "none"  # no deadline
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One open task. ``id`` is the effect id of what is done in it. Nothing in it is personal."""

    id: UUID
    instance_id: UUID
    element_id: str
    kind: str
    title: str
    department: str
    organization_id: UUID | None
    division_code: str
    right_code: str
    item_code: str
    business_key: str
    label: str
    outcomes: tuple[str, ...]
    priority: int
    claimed_by: UUID | None
    claimed_at: datetime | None
    created_at: datetime
    due_at: datetime | None
    yellow_at: datetime | None
    escalated_at: datetime | None
    closed_at: datetime | None = None
    closed_by: UUID | None = None
    ending: str = ""  # "completed" or "cancelled" once closed
    outcome: str = ""

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    def light(self, now: datetime) -> Light:
        """Say how the task stands against its clock at ``now`` (for a closed one: when it was closed)."""
        at = self.closed_at or now
        if self.due_at is None:
            return Light.NONE
        if at >= self.due_at:
            return Light.RED
        return Light.YELLOW if self.yellow_at is not None and at >= self.yellow_at else Light.GREEN


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilters:
    """What a work list may be narrowed to; empty values do not narrow."""

    kind: str = ""
    right_codes: frozenset[str] = frozenset()
    item_code: str = ""
    organization_id: UUID | None = None
    division_prefix: str = ""
    claimed_by: UUID | None = None
    unclaimed: bool = False
    business_key: str = ""
    escalated: bool = False
    light: Light | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageKey:
    """Where a page begins: after this task. It travels in a link as `text`."""

    rank_at: datetime
    id: UUID

    def text(self) -> str:
        return f"{self.rank_at.isoformat()}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> PageKey:
        """Read a key from a link; raises ValueError when it is none."""
        moment, _, key = text.partition("_")
        rank_at = datetime.fromisoformat(moment)
        if rank_at.tzinfo is None:
            raise ValueError("a page's key has no time zone")
        return cls(rank_at=rank_at, id=UUID(key))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    tasks: tuple[Task, ...]
    following: PageKey | None  # None on the last page


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCounts:
    """Counts for the lights over a work list; each is exact up to ``most``, and ``most`` stands for that many or more."""

    overdue: int
    yellow: int
    due_today: int
    escalated: int
    running: int
    most: int


class ElementState(StrEnum):
    RUNNING = "running"
    LATE = "late"
    STUCK = "stuck"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramState:
    """A diagram with what is done, running and late, for drawing. ``times`` counts how often each element was entered."""

    xml: bytes
    has_drawing: bool
    definition_code: str
    version: int
    ending: str  # "" while it runs
    elements: Mapping[str, ElementState]
    times: Mapping[str, int]
    flows: frozenset[str]  # flows along which a token went


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    id: UUID
    definition_code: str
    definition_version: int
    definition_digest: str
    business_key: str
    organization_id: UUID | None
    division_code: str
    variables: Mapping[str, object]
    started_at: datetime
    ended_at: datetime | None
    ending: str
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something could not go on. ``reason`` is a code, ``detail`` names element and error type, never a person's data."""

    id: UUID
    instance_id: UUID
    business_key: str
    definition_code: str
    element_id: str
    kind: str
    reason: str
    detail: str
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionInfo:
    digest: str
    code: str
    version: int
    name: str
    file: str
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionText:
    """A published version as people read it. ``elements`` are (id, name, tag) of its flow nodes, ``decisions`` DMN texts."""

    digest: str
    code: str
    version: int
    name: str
    file: str
    xml: bytes
    has_drawing: bool
    elements: tuple[tuple[str, str, str], ...]
    decisions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    at: datetime
    kind: int
    element_id: str
    arrived_by: str
    token: int
    by: UUID | None
