"""How an objection stands, what moves it, and what a reader of it sees. Pure.

Terms in working days: ten for the provider to correct or to answer (《政务数据共享条例》, Order 809 art. 26), ten for the one who
objected to ask for a ruling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

ANSWER_WORKING_DAYS = 10
RULING_WORKING_DAYS = 10
MAX_WORDS = 1000

Words = Mapping[str, str]


class State(StrEnum):
    """Where an objection stands."""

    FILED = "filed"
    UPHELD = "upheld"  # the data authority said that it is right; the provider still has to correct
    CORRECTED = "corrected"
    REFUSED = "refused"
    RULING_ASKED = "ruling_asked"
    CONFIRMED = "confirmed"  # the data authority said that the provider is right
    WITHDRAWN = "withdrawn"

    @property
    def is_open(self) -> bool:
        """Whether somebody has to act."""
        return self in {State.FILED, State.UPHELD, State.RULING_ASKED}

    @property
    def waits_for_provider(self) -> bool:
        """Whether the provider has to correct or to answer."""
        return self in {State.FILED, State.UPHELD}


class Act(StrEnum):
    """What somebody does. The one who objected withdraws and asks, the provider corrects or refuses, the data authority rules."""

    FILE = "file"
    CORRECT = "correct"
    REFUSE = "refuse"
    ASK_RULING = "ask_ruling"
    UPHOLD = "uphold"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"
    ESCALATE = "escalate"


MOVES: Mapping[tuple[State, Act], State] = {
    (State.FILED, Act.CORRECT): State.CORRECTED,
    (State.FILED, Act.REFUSE): State.REFUSED,
    (State.FILED, Act.WITHDRAW): State.WITHDRAWN,
    # The provider let the term pass: the data authority may rule without an answer.
    (State.FILED, Act.UPHOLD): State.UPHELD,
    (State.UPHELD, Act.CORRECT): State.CORRECTED,
    (State.REFUSED, Act.ASK_RULING): State.RULING_ASKED,
    (State.RULING_ASKED, Act.UPHOLD): State.UPHELD,
    (State.RULING_ASKED, Act.CONFIRM): State.CONFIRMED,
    (State.RULING_ASKED, Act.CORRECT): State.CORRECTED,
    (State.RULING_ASKED, Act.WITHDRAW): State.WITHDRAWN,
}


def after(state: State, act: Act) -> State | None:
    """Say where an act leads, or None where it does not apply."""
    return MOVES.get((state, act))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom or what the wrong value is about: a person of the register, or a thing by its key in the resource."""

    person_id: UUID | None = None
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementSource:
    """The item that is a data element's one authoritative source."""

    resource_code: str
    resource_name: Words
    item_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An objection in a list: nothing of the person it is about."""

    id: UUID
    resource_code: str
    resource_name: Words
    item_code: str
    item_name: Words
    state: State
    filed_at: datetime
    due_on: date | None
    is_late: bool
    provider: str
    by: str
    readers_told: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act: who did it, by post and organisation, and what they wrote."""

    act: Act
    at: datetime
    by: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The look at a person's data in which they saw that it is wrong, as *who read my data* showed it: a body, never a name."""

    at: datetime
    who: str
    purpose: str
    grant: str  # its number, when it passed over the exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An objection as one of its two sides, or the data authority, sees it."""

    line: Line
    subject: Subject
    case_id: UUID | None
    found: str
    wanted: str
    wrong_since: date | None
    steps: tuple[Step, ...]
    may: frozenset[Act]
    reading: Reading | None = None
