"""Terms of sharing as the catalogue compiles them: resources, grants, and the pure decision over them.

A *resource* has a provider and items, each shared on some terms; a *grant* lets an organisation read some of the items, of some
rows, for a time. `weigh` says whether one grant covers one reading, and which limit it meets first when it does not. No I/O, no
clock. The words are those of 《政务数据共享条例》 (Order 809): share on no condition, on condition, not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Literal
from uuid import UUID


class Rank(IntEnum):
    """How narrowly something is shared. What a grant was given under, and what is in force now, compare by it."""

    UNCONDITIONAL = 0
    CONDITIONAL = 1
    NONE = 2


class Limit(StrEnum):
    """Where a grant ends. In the order in which a reading gets further, so that the nearest grant explains a refusal."""

    NOT_YET = "not_yet"
    EXPIRED = "expired"
    METHOD = "method"
    SERVICE = "service"
    ITEM = "item"
    STRICTER = "stricter"
    SUBJECT = "subject"
    ROW = "row"
    QUOTA = "quota"


_ORDER = {limit: place for place, limit in enumerate(Limit)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation as terms know it: itself, its department, and the rows of which divisions are near it."""

    organization_id: UUID
    department: str
    division_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedResource:
    """A resource as decisions need it. ``items`` give the rank of each item, ``fields`` a register's own names of items."""

    code: str
    organization_id: UUID | None
    department: str
    division_prefix: str
    live: bool
    rank: Rank
    items: Mapping[str, Rank]
    fields: Mapping[str, str] = field(default_factory=dict)

    def is_provided_by(self, party: Party) -> bool:
        """Say whether an organisation is on the provider's side: the provider, or one of its department below it."""
        if party.organization_id == self.organization_id:
            return True
        return (
            bool(self.department)
            and party.department == self.department
            and party.division_code.startswith(self.division_prefix)
        )

    def item_of(self, name: str) -> str | None:
        """Give the item that a field of the register is published as, or None when it is not published."""
        found = self.fields.get(name, name)
        return found if found in self.items else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledGrant:
    """A grant that is in force but for its dates.

    It is for ``organization_id``, and with ``with_lower`` also for the organisations of ``department`` in divisions whose codes
    begin with ``division_prefix``. ``divisions`` empty: all rows; ``services`` empty: for any. ``rank``: how narrowly its items
    were shared when it was signed. ``by_subject``: one person at a time, for a case or a task.
    """

    id: UUID
    resource: str
    organization_id: UUID
    department: str = ""
    division_prefix: str = ""
    with_lower: bool = False
    items: frozenset[str]
    divisions: tuple[str, ...] = ()
    by_subject: bool = False
    services: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset({"interface"})
    rank: Rank = Rank.UNCONDITIONAL
    valid_from: datetime
    valid_until: datetime
    daily_quota: int | None = None

    def is_for(self, party: Party) -> bool:
        """Say whether an organisation may use it."""
        return party.organization_id == self.organization_id or (
            self.with_lower
            and bool(self.department)
            and party.department == self.department
            and party.division_code.startswith(self.division_prefix)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What somebody wants to read: items, the divisions of the rows (None: not known yet, so the grant's scope applies)."""

    items: frozenset[str]
    now: datetime
    divisions: frozenset[str] | None = None
    method: str = "interface"
    service: str = ""
    is_for_case: bool = False
    subjects: int = 1


def weigh(grant: CompiledGrant, reading: Reading, resource: SharedResource) -> Limit | None:
    """Give the limit that a reading meets in a grant, or None when the grant covers it. Its quota is counted elsewhere."""
    if reading.now < grant.valid_from:
        return Limit.NOT_YET
    if reading.now >= grant.valid_until:
        return Limit.EXPIRED
    if reading.method not in grant.methods:
        return Limit.METHOD
    if grant.services and reading.service not in grant.services:
        return Limit.SERVICE
    if not reading.items <= grant.items:
        return Limit.ITEM
    rank = grant.rank
    if resource.rank > rank or any(resource.items[item] > rank for item in reading.items):
        return Limit.STRICTER
    if grant.by_subject and (not reading.is_for_case or reading.subjects > 1):
        return Limit.SUBJECT
    if grant.divisions and reading.divisions is not None:
        for division in reading.divisions:
            if not division.startswith(grant.divisions):
                return Limit.ROW
    return None


def nearest(limits: Iterable[Limit]) -> Limit | None:
    """Give the limit that a reading met last, so that the reader is told what alone is missing; None of none."""
    return max(limits, key=_ORDER.__getitem__, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingDecision:
    """A yes, on which ground, and within what.

    ``provider``: the reader's own side; ``grant``: by ``grant_id``; ``unlisted``: the catalogue has no such resource, so no terms
    bind it; ``person``: a resident, whom other rules admit; ``system``: the platform's own work in nobody's name.
    ``divisions``: prefixes of the rows' divisions, empty for all. ``quota_left``: readings left today, None without a quota.
    """

    ground: Literal["provider", "grant", "unlisted", "person", "system"]
    resource: str
    grant_id: UUID | None = None
    items: frozenset[str] = frozenset()
    divisions: tuple[str, ...] = ()
    by_subject: bool = False
    quota_left: int | None = None

    def trace(self) -> dict[str, object]:
        """Give what the audit entry of the reading names."""
        found: dict[str, object] = {"resource": self.resource, "ground": self.ground}
        if self.grant_id is not None:
            found["grant"] = str(self.grant_id)
            found["items"] = sorted(self.items)
        return found

    def admits(self, division_code: str) -> bool:
        """Say whether a row of this division is inside."""
        return not self.divisions or division_code.startswith(self.divisions)

    def sql(self, *, division_column: str) -> tuple[str, list[str]]:
        """Give a WHERE condition and its parameters, the same as `admits`; ``TRUE`` when all rows are inside."""
        if not self.divisions:
            return "TRUE", []
        parts = [f"starts_with({division_column}, %s)" for _ in self.divisions]
        return f"({' OR '.join(parts)})", list(self.divisions)


def read_resource(code: str, body: Mapping[str, Any]) -> SharedResource:
    """Read a resource's terms as JSON holds them."""
    return SharedResource(
        code=code,
        organization_id=UUID(body["organization_id"]) if body["organization_id"] else None,
        department=body["department"],
        division_prefix=body["division_prefix"],
        live=body["live"],
        rank=Rank(body["rank"]),
        items={item: Rank(rank) for item, rank in body["items"].items()},
        fields=body["fields"],
    )


def read_grant(grant_id: UUID, code: str, organization_id: UUID, body: Mapping[str, Any]) -> CompiledGrant:
    """Read a grant as JSON holds it."""
    return CompiledGrant(
        id=grant_id,
        resource=code,
        organization_id=organization_id,
        department=body["department"],
        division_prefix=body["division_prefix"],
        with_lower=body["with_lower"],
        items=frozenset(body["items"]),
        divisions=tuple(body["divisions"]),
        by_subject=body["by_subject"],
        services=frozenset(body["services"]),
        methods=frozenset(body["methods"]),
        rank=Rank(body["rank"]),
        valid_from=datetime.fromisoformat(body["valid_from"]),
        valid_until=datetime.fromisoformat(body["valid_until"]),
        daily_quota=body["daily_quota"],
    )
