"""Frozen values of divisions, organisations, posts and appointments, and the rules that need no database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

from furong.foundation.calendar import queries as calendar

T = TypeVar("T")


class Level(IntEnum):
    """Levels of government, numbered as in implementation codes (GB/T 39554.1)."""

    STATE = 1
    PROVINCE = 2
    CITY = 3
    COUNTY = 4
    TOWN = 5
    VILLAGE = 6


class Reach(StrEnum):
    """Over what a post's right extends."""

    ORGANIZATION = "organization"  # what the post's own organisation owns
    SUBTREE = "subtree"  # that, and what the organisations below it own
    DIVISION = "division"  # everything in the organisation's division, of whatever department
    EVERYWHERE = "everywhere"  # everything on the platform


REACH_NAMES: Mapping[Reach, tuple[str, str]] = {
    Reach.ORGANIZATION: ("本机构", "Own organisation"),
    Reach.SUBTREE: ("本机构及下级机构", "Own organisation and those below"),
    Reach.DIVISION: ("本行政区域", "The whole division"),
    Reach.EVERYWHERE: ("全平台", "The whole platform"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One right of a post and its reach; `commands` compile it into ``access``."""

    right: str
    reach: Reach = Reach.ORGANIZATION

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Grant:
        """Read a stored or written grant. Raises ``ValueError`` for an unknown reach and ``KeyError`` without a right."""
        return cls(right=str(given["right"]), reach=Reach(given.get("reach", Reach.ORGANIZATION)))

    def as_dict(self) -> dict[str, str]:
        """Give the grant as it is stored."""
        return {"right": self.right, "reach": self.reach.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name in Chinese and, where known, in English."""

    zh: str
    en: str = ""

    def pick(self, language: str = "zh") -> str:
        """Give the name in ``language`` (``zh``, ``zh-hans``, ``en`` …), the Chinese one where the other is missing."""
        return self.en if language.startswith("en") and self.en else self.zh

    def __str__(self) -> str:
        return self.zh


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """An administrative division in one period; ``valid_until`` is exclusive, None where unknown or open."""

    code: str
    name: Name
    level: Level
    kind: str
    parent_code: str
    prefix: str
    predecessor_code: str
    valid_from: date | None
    valid_until: date | None

    @property
    def in_force(self) -> bool:
        """Whether the division exists still."""
        return self.valid_until is None


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionChange:
    """One change in the life of a division; a missing side is an empty code."""

    year: int
    effective_on: date | None
    kind: str
    level: Level
    old_code: str
    old_name: str
    new_code: str
    new_name: str
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A line of government."""

    code: str
    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """An organisation; ``code`` is its unified social credit code (GB 32100)."""

    id: UUID
    code: str
    name: Name
    short_zh: str
    department: str
    division_code: str
    level: Level
    parent_id: UUID | None
    address: str
    phone: str
    established_on: date | None
    abolished_on: date | None

    @property
    def is_open(self) -> bool:
        """Whether the organisation has not been abolished."""
        return self.abolished_on is None

    @property
    def label(self) -> str:
        """The short name where there is one, else the name."""
        return self.short_zh or self.name.zh


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A part of an organisation."""

    id: UUID
    organization_id: UUID
    parent_id: UUID | None
    name: Name
    closed_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostTemplate:
    """A kind of post that a pack proposes for a department."""

    code: str
    department: str
    title: Name
    levels: tuple[int, ...]
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A seat that gives rights; ``holders`` counts those appointed to it today."""

    id: UUID
    organization_id: UUID
    unit_id: UUID | None
    title: Name
    template_code: str
    grants: tuple[Grant, ...]
    closed_on: date | None
    holders: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An account in a post; ``until_on`` is exclusive."""

    id: UUID
    account_id: UUID
    post_id: UUID
    is_main: bool
    from_on: date
    until_on: date | None
    reason: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A post that an account may act in now, with what is shown of it."""

    post_id: UUID
    title: Name
    organization_id: UUID
    organization: Name
    division_code: str
    is_main: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list: ``total`` counts all pages' rows."""

    items: tuple[T, ...]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


def prefix_of(code: str) -> str:
    """Give what the codes of everything inside a division begin with.

    GB/T 2260 fills six digits up with zeros: 430000 holds 43…, 430200 holds 4302…, 430202 holds 430202…. Longer codes
    (GB/T 10114) and codes of other schemes are their own prefix.
    """
    found = re.fullmatch(r"(\d{2})(\d{2})(\d{2})", code)
    if not found:
        return code
    parts = list(found.groups())
    while len(parts) > 1 and parts[-1] == "00":
        parts.pop()
    return "".join(parts)


def today(now: datetime) -> date:
    """Give the local date at ``now``: in the time zone of the calendar in force, in ``now``'s own without one."""
    return calendar.current().local_date(now) if calendar.is_loaded() else now.date()
