"""Limits of time that the law sets and that a body promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from furong.foundation.packs.values import Int, MapOf, OneOf, Text, Texts, optional, record, required


class LimitUnit(StrEnum):
    """In what a limit is counted: working days (Administrative Licensing Law, art. 82) or natural days."""

    WORKING = "working"
    NATURAL = "natural"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit in days of a unit."""

    days: int
    unit: LimitUnit
    note: Text | None = None
    line: int = field(default=0, compare=False)

    def certainly_exceeds(self, other: Limit) -> bool:
        """Say whether this limit is later than ``other`` in every calendar: n working days last at least n natural days."""
        if self.unit == other.unit or self.unit is LimitUnit.WORKING:
            return self.days > other.days
        # natural days against working days: n working days last at least n + 2·⌊(n-1)/5⌋ natural days
        return self.days > longest_natural_days(other)

    def may_exceed(self, other: Limit) -> bool:
        """Say whether this limit is later than ``other`` in some calendar (seven days of holiday in a row)."""
        if self.unit == other.unit:
            return self.days > other.days
        if self.unit is LimitUnit.NATURAL:
            return self.days > other.days
        return longest_natural_days(self) > other.days

    def __str__(self) -> str:
        return f"{self.days} {self.unit.value}"


def longest_natural_days(limit: Limit) -> int:
    """Give how many natural days a limit may last: its weekends, and eight days of holiday per started twenty days."""
    if limit.unit is LimitUnit.NATURAL:
        return limit.days
    return limit.days + 2 * -(-limit.days // 5) + 8 * -(-limit.days // 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemClock:
    """The statutory limit of an item, and the promised one (which may not be later)."""

    statutory: Limit
    promised: Limit | None = None
    line: int = field(default=0, compare=False)

    @property
    def effective(self) -> Limit:
        """The limit that a case runs by: the promised one, unless the law has since become stricter."""
        if self.promised is None or self.promised.certainly_exceeds(self.statutory):
            return self.statutory
        return self.promised


LIMIT = MapOf(
    {
        "days": required(Int(0, 3650)),
        "unit": required(OneOf(values=tuple(LimitUnit))),
        "note": optional(Texts()),
    },
    build=lambda parsed: record(Limit)(
        type(parsed)({**parsed, "unit": LimitUnit(parsed["unit"])}, line=parsed.line, lines=parsed.lines)
    ),
)
CLOCK = MapOf({"statutory": required(LIMIT), "promised": optional(LIMIT)}, build=record(ItemClock))
