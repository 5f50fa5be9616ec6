"""What processes did, as figures: durations, counts, rework, bottlenecks. Pure; figures of many places and days add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

# Figures of others are shown from this many on, so that nobody is recognised in them.
SMALLEST_CELL = 10


class Measure(IntEnum):
    """What a row of figures counts; kept in rows, so a number never changes its meaning."""

    VISIT = 1  # a token left an element: how long it was there
    WAITING = 2  # of these, a task until somebody took it
    HANDLING = 3  # and from then on
    FLOW = 4  # a token went along a flow
    ENDED = 5  # an instance ended: how long it took
    STARTED = 6
    STUCK = 7  # a token could not go on
    ROUNDS = 8  # how often an ended instance was at an element; the bucket is the number
    LOOP = 9  # the way from an element back to itself, in instances that ended


class Ending(IntEnum):
    """How a visit or an instance ended, as the log numbers it."""

    NONE = 0
    COMPLETED = 2
    CANCELLED = 3
    PASSED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Local dates, both inclusive."""

    from_on: date
    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long something took, in seconds. The quantiles are means of their bucket, whose bounds lie a fifth apart."""

    n: int = 0
    seconds: float = 0.0
    median: float | None = None
    p90: float | None = None

    @property
    def mean(self) -> float | None:
        return self.seconds / self.n if self.n else None

    @classmethod
    def of(cls, buckets: Mapping[int, tuple[int, float]]) -> Spread:
        """Sum up buckets: number → (how many, their seconds). Bucket -1 has no duration and does not count."""
        timed = sorted((key, n, seconds) for key, (n, seconds) in buckets.items() if key >= 0 and n > 0)
        total = sum(n for _, n, _ in timed)
        if not total:
            return cls()
        return cls(
            n=total,
            seconds=sum(seconds for _, _, seconds in timed),
            median=_at(timed, total, 0.5),
            p90=_at(timed, total, 0.9),
        )


def _at(timed: Iterable[tuple[int, int, float]], total: int, share: float) -> float:
    """Give the mean of the bucket in which the value at ``share`` of the way lies."""
    seen, mean = 0, 0.0
    for _, n, seconds in timed:
        seen += n
        mean = seconds / n
        if seen >= share * total:
            break
    return mean


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementFigures:
    """One element of a diagram in a period (what was left) and now (what is there)."""

    element_id: str
    visits: int = 0  # left in the period, however
    cancelled: int = 0
    duration: Spread = field(default_factory=Spread)
    waiting: Spread = field(default_factory=Spread)  # until somebody took the task, of those that were taken
    handling: Spread = field(default_factory=Spread)
    stuck: int = 0  # times in the period
    instances: int = 0  # ended instances that were here
    repeated: int = 0  # of these, more than once
    extra_rounds: int = 0  # times that these were here again
    here: int = 0  # tokens here now
    stuck_now: int = 0
    tasks_open: int = 0
    tasks_overdue: int = 0
    tasks_claimed: int = 0
    open_seconds: float = 0.0  # ages of the open tasks, together
    oldest_at: datetime | None = None
    elsewhere: Spread = field(default_factory=Spread)  # outside the reader's scope; empty below `SMALLEST_CELL`

    @property
    def cancelled_share(self) -> float | None:
        return self.cancelled / self.visits if self.visits else None

    @property
    def repeated_share(self) -> float | None:
        return self.repeated / self.instances if self.instances else None

    @property
    def waited_seconds(self) -> float:
        """All time that passed here, until the work was taken where claims tell, and of what is open now."""
        unclaimed = self.duration.seconds - self.waiting.seconds - self.handling.seconds
        return self.waiting.seconds + max(0.0, unclaimed) + self.open_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A way from an element back to itself, as elements in order, and how often it was gone."""

    elements: tuple[str, ...]
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramFigures:
    """A diagram in a period: its elements, flows, loops, and its instances' durations."""

    elements: Mapping[str, ElementFigures]
    flows: Mapping[str, int]
    loops: tuple[Loop, ...]
    completed: Spread  # of instances that were completed in the period
    started: int
    ended: int
    cancelled: int
    measured_at: datetime | None  # when the latest day was measured; what is open is as of now
    counted: int  # open instances that were counted, the newest first
    more_open: bool  # there are more than that

    def bottlenecks(self, most: int = 5) -> list[ElementFigures]:
        """Give the elements where most time passes, those with nothing left out."""
        slow = sorted(self.elements.values(), key=lambda one: (-one.waited_seconds, one.element_id))
        return [one for one in slow if one.waited_seconds > 0][:most]

    def rework(self) -> list[ElementFigures]:
        """Give the elements at which instances were more than once, the worst first."""
        found = [one for one in self.elements.values() if one.repeated]
        return sorted(found, key=lambda one: (-one.extra_rounds, one.element_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekFigures:
    """A week from its Monday: what began and ended in it, and what of that which began is still open, by state."""

    monday: date
    started: int = 0
    completed: int = 0
    cancelled: int = 0
    running: int = 0
    suspended: int = 0
    stuck: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionFigures:
    """A process with its versions, what of it is open, and how long its instances took in a period."""

    code: str
    name: str
    digest: str  # of the newest version
    version: int
    versions: int
    published_at: datetime
    running: int = 0
    suspended: int = 0
    stuck: int = 0
    on_older: int = 0
    started: int = 0
    completed: Spread = field(default_factory=Spread)
    cancelled: int = 0

    @property
    def open(self) -> int:
        return self.running + self.suspended + self.stuck


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All processes, by code."""

    definitions: tuple[DefinitionFigures, ...]
    measured_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentLoad:
    """What waits at a department (``organization_id`` is None), or at one of its organizations."""

    department: str
    organization_id: UUID | None
    open: int
    overdue: int
    claimed: int
    mean_age_seconds: float
    oldest_at: datetime


def heat(values: Mapping[str, float], *, steps: int = 5) -> dict[str, int]:
    """Grade values for a heat map: 1 (least) to ``steps`` (most) in equal parts of the greatest; nothing for zero."""
    most = max(values.values(), default=0.0)
    if most <= 0:
        return {}
    return {key: min(steps, int(value / most * steps * 0.999999) + 1) for key, value in values.items() if value > 0}
