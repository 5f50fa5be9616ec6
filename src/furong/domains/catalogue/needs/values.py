"""Needs, demands and rulings: where they stand, how urgent they are, what reads of them return. Pure.

Terms in working days, after 《政务数据共享条例》 (Order 809): a demand is answered within ten, what is promised is supplied
within twenty of the answer; ten to bring a refusal before the data authority, ten for its ruling.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from furong.domains.catalogue.views import ResourceLine, Words

REPLY_WORKING_DAYS = 10
SUPPLY_WORKING_DAYS = 20
APPEAL_WORKING_DAYS = 10
RULING_WORKING_DAYS = 10
MAX_WORDS = 1000
MOST_ELEMENTS = 20
MOST_BENEFIT = 100_000_000


class Urgency(StrEnum):
    """How soon it is needed."""

    EMERGENCY = "emergency"  # an emergency is under way
    URGENT = "urgent"  # a service stands still without it
    SOON = "soon"  # a reform or a launch has its date
    ORDINARY = "ordinary"


URGENCY_POINTS: Mapping[Urgency, int] = {
    Urgency.EMERGENCY: 40,
    Urgency.URGENT: 28,
    Urgency.SOON: 14,
    Urgency.ORDINARY: 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """Whom it would serve in a year, and how many materials each case would no longer ask for."""

    people: int = 0
    enterprises: int = 0
    cases: int = 0
    materials: int = 0

    @property
    def materials_saved(self) -> int:
        """How many materials a year would not be asked for any more."""
        return self.cases * self.materials


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """The rank of a demand, from 0 to 100, with the parts that it is the sum of."""

    urgency: int
    reach: float
    relief: float
    backing: int

    @property
    def total(self) -> float:
        """The sum of the parts."""
        return round(self.urgency + self.reach + self.relief + self.backing, 1)


def priority(*, urgency: Urgency, benefit: Benefit, others: int = 0) -> Priority:
    """Give the rank of a demand: urgency (0–40) + reach (0–40) + relief (0–10) + backing (0–10).

    Reach is ``8·log10(1 + people + 10·enterprises)`` a year, relief ``2·log10(1 + cases·materials)``, backing 5 for each other
    organisation (``others``) that demands the same element. Logarithms, so that ten times as many weigh one step more and
    nobody gains by exaggerating a little.
    """
    reach = min(40.0, 8 * math.log10(1 + benefit.people + 10 * benefit.enterprises))
    relief = min(10.0, 2 * math.log10(1 + benefit.materials_saved))
    return Priority(
        urgency=URGENCY_POINTS[urgency],
        reach=round(reach, 1),
        relief=round(relief, 1),
        backing=min(10, 5 * max(0, others)),
    )


class DemandState(StrEnum):
    """Where a demand stands."""

    FILED = "filed"
    PROMISED = "promised"
    ORDERED = "ordered"  # the data authority ordered the supply by a day
    SUPPLIED = "supplied"
    REFUSED = "refused"
    UPHELD = "upheld"  # the data authority says that it need not be supplied
    WITHDRAWN = "withdrawn"

    @property
    def is_open(self) -> bool:
        """Whether the owner still owes something."""
        return self in {DemandState.FILED, DemandState.PROMISED, DemandState.ORDERED}


class DemandAct(StrEnum):
    """What somebody does: the asking side, the owner, the data authority, or time."""

    FILE = "file"
    ASSIGN = "assign"
    SUPPLY = "supply"
    PROMISE = "promise"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    ASK_RULING = "ask_ruling"
    ESCALATE = "escalate"
    ORDER = "order"
    UPHOLD = "uphold"


_S, _A = DemandState, DemandAct
MOVES: Mapping[tuple[DemandState, DemandAct], DemandState] = {
    (_S.FILED, _A.ASSIGN): _S.FILED,
    (_S.FILED, _A.SUPPLY): _S.SUPPLIED,
    (_S.FILED, _A.PROMISE): _S.PROMISED,
    (_S.FILED, _A.REFUSE): _S.REFUSED,
    (_S.FILED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.PROMISED, _A.SUPPLY): _S.SUPPLIED,
    (_S.PROMISED, _A.WITHDRAW): _S.WITHDRAWN,
    # The owner may think better of it, also while the data authority is asked.
    (_S.REFUSED, _A.SUPPLY): _S.SUPPLIED,
    (_S.ORDERED, _A.SUPPLY): _S.SUPPLIED,
    (_S.ORDERED, _A.WITHDRAW): _S.WITHDRAWN,
    # Rulings, of what was refused or is late.
    (_S.FILED, _A.ORDER): _S.ORDERED,
    (_S.FILED, _A.UPHOLD): _S.UPHELD,
    (_S.PROMISED, _A.ORDER): _S.ORDERED,
    (_S.PROMISED, _A.UPHOLD): _S.UPHELD,
    (_S.REFUSED, _A.ORDER): _S.ORDERED,
    (_S.REFUSED, _A.UPHOLD): _S.UPHELD,
    (_S.ORDERED, _A.ORDER): _S.ORDERED,
    (_S.ORDERED, _A.UPHOLD): _S.UPHELD,
}


def after(state: DemandState, act: DemandAct) -> DemandState | None:
    """Say where an act leads, or None where it does not apply."""
    return MOVES.get((state, act))


class ShareKind(StrEnum):
    """What is brought before the data authority."""

    REQUEST = "request"
    DEMAND = "demand"


class Ground(StrEnum):
    """Why it is."""

    REFUSED = "refused"
    LATE = "late"


class Outcome(StrEnum):
    """How it ended. ``settled``: the owner acted before the ruling, or the asking side withdrew."""

    OPEN = ""
    ORDER = "order"
    UPHOLD = "uphold"
    SETTLED = "settled"


# --- what is found for a need --------------------------------------------------------------------------------------------------


class ReasonKind(StrEnum):
    """By what a resource was found, the weightiest first."""

    SOURCE = "source"  # it is the one authoritative source of an element that is needed
    ELEMENT = "element"  # it carries an element that is needed
    NAME = "name"
    ITEM = "item"
    KEYWORD = "keyword"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a resource was found: ``what`` it has (an element's, an item's or its own name), for which ``words`` of the need."""

    kind: ReasonKind
    what: Words = field(default_factory=dict)
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A resource that may carry a need, with its rank from 0 to 1 and above (elements count on top) and the reasons."""

    line: ResourceLine
    score: float
    reasons: tuple[Reason, ...]
    elements: frozenset[str] = frozenset()
    is_own: bool = False
    request_id: UUID | None = None  # what the asking organisation has going for it
    grant_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementSupply:
    """An element that a need asks for: who owns it, which resources carry it, and the demand for it where none does."""

    code: str
    name: Words
    owner: str  # department; empty where the dictionary does not know the element
    is_chosen: bool  # by the officer; else it was read out of the words
    suppliers: tuple[str, ...] = ()
    demand_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedLine:
    """A need in a list."""

    id: UUID
    number: str
    words: str
    urgency: Urgency
    benefit: Benefit
    organization_id: UUID
    stated_at: datetime
    is_open: bool
    demands: int
    demands_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedView:
    """A need with what the catalogue has for it and what was demanded."""

    line: NeedLine
    purpose: str
    legal_basis: str
    by: str
    outcome: str
    closed_at: datetime | None
    hits: tuple[Hit, ...]
    elements: tuple[ElementSupply, ...]
    demands: tuple[DemandLine, ...]
    may: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandLine:
    """A demand in a list."""

    id: UUID
    number: str
    need_id: UUID
    title: Words  # its element, or the beginning of what the need says
    words: str
    element: str
    urgency: Urgency
    benefit: Benefit
    priority: Priority
    organization_id: UUID
    provider_organization_id: UUID
    is_unowned: bool
    state: DemandState
    filed_at: datetime
    due_on: date | None
    is_late: bool
    is_escalated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act on a demand: by which post, with which words, clause and day."""

    act: DemandAct
    at: datetime
    by: str
    words: str
    clause: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandView:
    """A demand as its two sides and the data authority see it. ``may``: the acts that reader and state allow."""

    line: DemandLine
    purpose: str
    legal_basis: str
    resource_code: str
    resource_name: Words
    steps: tuple[Step, ...]
    escalation_id: UUID | None
    offers: tuple[ResourceLine, ...]
    is_asker: bool
    is_owner: bool
    is_authority: bool
    may: frozenset[DemandAct]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationLine:
    """A share before the data authority, or one that it has ruled on."""

    id: UUID
    number: str
    kind: ShareKind
    subject_id: UUID
    subject_number: str
    title: Words
    ground: Ground
    organization_id: UUID
    provider_organization_id: UUID
    raised_at: datetime
    due_on: date
    is_late: bool
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationView:
    """One of them, with what both sides wrote and the ruling."""

    line: EscalationLine
    asked_for: str
    words: str
    answer: str
    answer_clause: str
    was_due_on: date | None
    ruling: str
    clause: str
    supply_by: date | None
    ruled_at: datetime | None
    by: str
    may_rule: bool
    last_on: date | None  # the latest day that an order may give, for whoever may rule
