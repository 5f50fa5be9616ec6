"""Values of moves: states, acts, reasons, terms. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

PERMIT_DAYS = 40  # 准迁证
CERTIFICATE_DAYS = 30  # 迁移证, at most
COUNTY_DIGITS = 6
CITY_DIGITS = 4


class MoveState(StrEnum):
    """How far a move is."""

    APPLIED = "applied"
    APPROVED = "approved"
    ISSUED = "issued"  # the permit is out
    OUT = "out"  # the source has let go; the certificate is out
    IN = "in"
    EXPIRED = "expired"
    VOID = "void"
    REFUSED = "refused"


OPEN_STATES = (MoveState.APPLIED, MoveState.APPROVED, MoveState.ISSUED, MoveState.OUT)


class MoveReason(StrEnum):
    """Why somebody moves."""

    FAMILY = "family"  # to a spouse, parents or children (投靠)
    HOME = "home"  # owns or rents a home there
    WORK = "work"
    STUDY = "study"
    SERVICE = "service"  # back from the forces
    OTHER = "other"


class MoveAct(StrEnum):
    """What can be done to a move."""

    REQUEST = "request"
    APPROVE = "approve"
    REFUSE = "refuse"
    ISSUE = "issue"
    DEPART = "depart"
    ARRIVE = "arrive"
    VOID = "void"
    EXPIRE = "expire"


class Side(StrEnum):
    """Whose counter an act belongs to."""

    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """From which states an act leads where, and at which counter it is done; either's when ``side`` is None."""

    since: tuple[MoveState, ...]
    to: MoveState
    side: Side | None


RULES: Mapping[MoveAct, Rule] = MappingProxyType(
    {
        MoveAct.APPROVE: Rule(since=(MoveState.APPLIED,), to=MoveState.APPROVED, side=Side.DESTINATION),
        MoveAct.REFUSE: Rule(
            since=(MoveState.APPLIED, MoveState.APPROVED), to=MoveState.REFUSED, side=Side.DESTINATION
        ),
        MoveAct.ISSUE: Rule(since=(MoveState.APPROVED,), to=MoveState.ISSUED, side=Side.DESTINATION),
        MoveAct.DEPART: Rule(since=(MoveState.ISSUED,), to=MoveState.OUT, side=Side.SOURCE),
        MoveAct.ARRIVE: Rule(since=(MoveState.OUT,), to=MoveState.IN, side=Side.DESTINATION),
        MoveAct.VOID: Rule(since=OPEN_STATES, to=MoveState.VOID, side=None),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRecorded:
    """The outcome of a step; a repeat of its effect gives an equal one. ``change_id`` is the arrival's."""

    move_id: UUID
    state: MoveState
    change_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step, as it is shown."""

    act: MoveAct
    at: datetime
    by: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveView:
    """A move as a counter sees it; names come masked. ``may`` are the acts open to who asked."""

    id: UUID
    person_id: UUID
    state: MoveState
    reason: MoveReason
    name_masked: str = field(repr=False)
    number_masked: str = field(repr=False)
    from_division: str
    to_division: str
    to_address: str = field(repr=False)
    opens_household: bool
    permit_number: str
    permit_until: date | None
    certificate_number: str
    certificate_until: date | None
    departed_on: date | None
    arrived_on: date | None
    applied_at: datetime
    changed_at: datetime
    words: str = field(default="", repr=False)
    may: tuple[MoveAct, ...] = ()
    steps: tuple[StepView, ...] = ()

    @property
    def permit_last_on(self) -> date | None:
        """The last day on which the permit counts."""
        return _last(self.permit_until)

    @property
    def certificate_last_on(self) -> date | None:
        """The last day on which the certificate counts."""
        return _last(self.certificate_until)

    @property
    def runs_last_on(self) -> date | None:
        """The last day of the paper that the next step needs."""
        return {MoveState.ISSUED: self.permit_last_on, MoveState.OUT: self.certificate_last_on}.get(self.state)


def _last(until: date | None) -> date | None:
    return None if until is None else until - timedelta(days=1)


def needs_permit(*, from_division: str, to_division: str) -> bool:
    """Tell whether a move leaves the county; within one it is a single act."""
    return from_division[:COUNTY_DIGITS] != to_division[:COUNTY_DIGITS]


def until(day: date, *, days: int) -> date:
    """Return the first day on which a paper of ``day`` no longer counts."""
    return day + timedelta(days=days)


def paper_number(kind: str, *, division: str, other: str, year: int, running: int) -> str:
    """Return the number of a permit (``ZQ``) or a certificate (``QY``): county, other city, year, running."""
    return f"{kind}{division[:COUNTY_DIGITS]}{other[:CITY_DIGITS]}{year % 100:02d}{running:07d}"
