"""What a card is, how it goes from an application to its last day, how long it holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

# The facts that a card shows (居民身份证法, art. 3), in its order.
FACTS = ("name", "sex", "ethnicity", "born_on", "address", "number")
# Those that the register changes by a correction; address and number have acts of their own.
CORRECTABLE = frozenset({"name", "sex", "ethnicity", "born_on"})
ISSUED_WITHIN = timedelta(days=60)  # art. 12
RENEWABLE_BEFORE = timedelta(days=90)
TEMPORARY_DAYS = 90  # 临时居民身份证管理办法
MOST_IN_BATCH = 2000


class Kind(StrEnum):
    """Which card."""

    REGULAR = "regular"
    TEMPORARY = "temporary"


class Reason(StrEnum):
    """Why a card is asked for."""

    FIRST = "first"
    EXPIRY = "expiry"
    LOSS = "loss"
    DAMAGE = "damage"
    CHANGE = "change"  # a name or another fact changed
    ERROR = "error"  # the card is wrong
    TEMPORARY = "temporary"  # meanwhile


class State(StrEnum):
    """How far a card is, or how it ended."""

    PHOTO_CHECK = "photo_check"
    READY = "ready"  # to be ordered
    ORDERED = "ordered"
    PRODUCED = "produced"
    DELIVERED = "delivered"  # at the counter, to be collected
    VALID = "valid"
    EXPIRED = "expired"
    LOST = "lost"
    REPLACED = "replaced"
    CANCELLED = "cancelled"
    REJECTED = "rejected"  # its portrait was refused


OPEN = (State.PHOTO_CHECK, State.READY, State.ORDERED, State.PRODUCED, State.DELIVERED)


class Step(StrEnum):
    """What happened to a card."""

    APPLIED = "applied"
    PHOTO_ACCEPTED = "photo_accepted"
    PHOTO_REFUSED = "photo_refused"
    ORDERED = "ordered"
    PRODUCED = "produced"
    DEFECTIVE = "defective"
    ORDER_WITHDRAWN = "order_withdrawn"
    DELIVERED = "delivered"
    COLLECTED = "collected"
    LOSS_REPORTED = "loss_reported"
    REPLACED = "replaced"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CARD_WRONG = "card_wrong"


class Outcome(StrEnum):
    """What became of one row of the factory's file."""

    MADE = "made"
    DEFECTIVE = "defective"
    UNKNOWN = "unknown"  # nobody ordered such a card
    OTHER_BATCH = "other_batch"
    DOUBLED = "doubled"  # an earlier row of the file speaks of it
    TOLD_BEFORE = "told_before"  # an earlier file did
    WITHDRAWN = "withdrawn"  # ordered anew since: this one is to be destroyed
    CHIP_TAKEN = "chip_taken"  # another card carries this chip
    UNREADABLE = "unreadable"


class Verdict(StrEnum):
    """How a difference between a card and the register stands."""

    OPEN = "open"
    CORRECTING = "correcting"  # decided: the register is wrong; its correction is on the way
    CORRECTED = "corrected"
    CARD_WRONG = "card_wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a card shows of its holder, as the register says it, and where they are registered."""

    name: str = field(repr=False)
    sex: str
    ethnicity: str
    born_on: date
    address: str = field(repr=False)
    number: str = field(repr=False)
    division_code: str
    is_registered: bool

    def shown(self) -> dict[str, str]:
        """Give the facts as texts, by name."""
        return {name: str(getattr(self, name) or "") for name in FACTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A person's portrait, as this room needs it."""

    portrait_id: UUID
    waits: bool  # for somebody's eye


@dataclass(frozen=True, slots=True, kw_only=True)
class CardStep:
    """One line of a card's history."""

    step: Step
    at: datetime
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRecord:
    """A card with its history. ``facts`` as they stand on it, texts."""

    card_id: UUID
    person_id: UUID
    kind: Kind
    reason: Reason
    state: State
    facts: Mapping[str, str] = field(repr=False)
    portrait_id: UUID | None
    division_code: str
    applied_at: datetime
    due_on: date
    valid_from: date | None
    valid_until: date | None  # exclusive; None without limit, once valid_from is known
    chip: str
    history: tuple[CardStep, ...] = ()
    open_mismatches: int = 0

    @property
    def is_open(self) -> bool:
        """Say whether it is on its way to its holder."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLine:
    """A card of a list: masked."""

    card_id: UUID
    person_id: UUID
    name_masked: str
    kind: Kind
    reason: Reason
    state: State
    applied_at: datetime
    due_on: date
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """An order to the factory: how many cards, and how they stand."""

    batch_id: UUID
    number: str
    ordered_at: datetime
    cards: int
    made: int
    defective: int
    withdrawn: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRow:
    """What became of one row of a file of the factory."""

    line: int
    reference: str
    outcome: Outcome
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRecord:
    """A file of the factory, taken once."""

    return_id: UUID
    taken_at: datetime
    rows: tuple[ReturnRow, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MismatchRecord:
    """A difference between a card and the register: a task."""

    mismatch_id: UUID
    card_id: UUID
    person_id: UUID
    fact: str
    on_card: str = field(repr=False)
    in_register: str = field(repr=False)
    verdict: Verdict
    found_at: datetime
    note: str = ""

    @property
    def is_correctable(self) -> bool:
        """Say whether the register changes this fact by a correction."""
        return self.fact in CORRECTABLE


def valid_years(age: int) -> int | None:
    """Return for how many years a card holds that is made at this age; None without limit (art. 5)."""
    if age < 16:
        return 5
    if age < 26:
        return 10
    return 20 if age < 46 else None


def years_later(day: date, years: int) -> date:
    """Return the same day so many years later; for 29 February the day after, in a year without one."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def validity(*, kind: Kind, born_on: date, made_on: date) -> date | None:
    """Return the first day on which a card does not hold any more; None without limit."""
    if kind is Kind.TEMPORARY:
        return made_on + timedelta(days=TEMPORARY_DAYS)
    age = made_on.year - born_on.year - ((made_on.month, made_on.day) < (born_on.month, born_on.day))
    years = valid_years(age)
    return None if years is None else years_later(made_on, years)
