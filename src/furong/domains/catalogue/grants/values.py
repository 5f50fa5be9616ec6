"""Terms of requests and grants, how they compare, where they stand, and the law's deadlines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from furong.foundation.organizations.values import prefix_of

# 《政务数据共享条例》: a reply in 1 working day to what is shared on no condition, in 10 otherwise; supply in 20 after consent.
REPLY_WORKING_DAYS = {"unconditional": 1, "conditional": 10}
SUPPLY_WORKING_DAYS = 20
MOST_DAYS = 3 * 366
MOST_QUOTA = 10_000_000
IDLE_DAYS = 180
# So many days before a grant ends, those concerned are told; a grant that is no longer than that is not announced so early.
REMIND_DAYS = (7, 30)


class RequestState(StrEnum):
    """Where a request stands."""

    SUBMITTED = "submitted"  # the provider has to reply
    TO_SUPPLEMENT = "to_supplement"  # asked once for what is missing; the clock stands still
    WITH_AUTHORITY = "with_authority"  # the provider consents, the data authority reviews
    CONSENTED = "consented"  # a grant waits for signatures and supply
    SUPPLIED = "supplied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self not in {RequestState.SUPPLIED, RequestState.REFUSED, RequestState.WITHDRAWN}


class GrantState(StrEnum):
    """Where a grant stands. Only an active one, of active forebears, is in force."""

    OFFERED = "offered"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"

    @property
    def is_over(self) -> bool:
        """Whether it never comes back."""
        return self in {GrantState.EXPIRED, GrantState.REVOKED}


class GrantAct(StrEnum):
    """What happens to a grant."""

    OFFER = "offer"
    SIGN_PROVIDER = "sign_provider"
    SIGN_GRANTEE = "sign_grantee"
    DELEGATE = "delegate"
    SUSPEND = "suspend"
    SUSPEND_UNUSED = "suspend_unused"
    RESUME = "resume"
    REVOKE = "revoke"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is asked for, or granted.

    ``items`` of the resource; ``divisions`` of the rows (empty: all); ``by_subject``: one person at a time, in a case;
    ``services`` it is for (empty: any); ``methods`` by which it passes; ``days`` from the second signature; ``daily_quota`` of
    readings (None: not counted); ``with_lower``: also for the department's organisations below; ``delegable``: may be passed on,
    narrower.
    """

    items: tuple[str, ...]
    days: int
    divisions: tuple[str, ...] = ()
    by_subject: bool = False
    services: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("interface",)
    daily_quota: int | None = None
    with_lower: bool = False
    delegable: bool = False

    def exceeds(self, wider: Terms) -> tuple[str, ...]:
        """Give the names of what goes beyond ``wider``; empty when nothing does."""
        beyond = {
            "items": not set(self.items) <= set(wider.items),
            "divisions": not _rows_within(self.divisions, wider.divisions),
            "by_subject": wider.by_subject and not self.by_subject,
            "services": bool(wider.services) and not (self.services and set(self.services) <= set(wider.services)),
            "methods": not set(self.methods) <= set(wider.methods),
            "days": self.days > wider.days,
            "daily_quota": wider.daily_quota is not None
            and (self.daily_quota is None or self.daily_quota > wider.daily_quota),
            "with_lower": self.with_lower and not wider.with_lower,
            "delegable": self.delegable and not wider.delegable,
        }
        return tuple(name for name, is_beyond in beyond.items() if is_beyond)

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON holds it."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Terms:
        """Read what `as_json` gave."""
        lists = ("items", "divisions", "services", "methods")
        given: dict[str, Any] = {name: tuple(one) if name in lists else one for name, one in value.items()}
        return cls(**given)


def _rows_within(narrow: Iterable[str], wide: Iterable[str]) -> bool:
    prefixes = tuple(prefix_of(code) for code in wide)
    if not prefixes:
        return True
    wanted = [prefix_of(code) for code in narrow]
    return bool(wanted) and all(code.startswith(prefixes) for code in wanted)


class ChangeKind(StrEnum):
    """What became of a resource since it was asked for."""

    OFFLINE = "offline"
    GONE = "gone"  # an item
    NOT_SHARED = "not_shared"  # the resource or an item
    STRICTER = "stricter"
    METHOD = "method"
    OTHER = "other"  # nothing that the request names

    @property
    def hinders(self) -> bool:
        """Whether the request cannot be consented to as it is."""
        return self is not ChangeKind.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """A finding: what changed in the resource that a request names. ``item`` is empty when it is the resource as a whole."""

    kind: ChangeKind
    item: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A request, as both sides and the data authority read it."""

    id: UUID
    number: str
    resource_code: str
    resource_name: Mapping[str, str]
    resource_version: int
    organization_id: UUID
    provider_organization_id: UUID
    scenario: str
    legal_basis: str
    sharing: str
    terms: Terms
    agreed: Terms | None
    state: RequestState
    reason: str
    question: str
    answer: str
    by: str
    submitted_at: datetime
    reply_due_on: date | None
    replied_at: datetime | None
    supply_due_on: date | None
    supplied_at: datetime | None
    grant_id: UUID | None
    process_instance_id: UUID | None
    is_requester: bool
    is_provider: bool
    is_authority: bool
    may: frozenset[str]
    changes: tuple[ResourceChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act in the life of a grant. ``key_id`` and ``signature`` (hexadecimal) when it was signed; ``is_good``: checked now."""

    act: GrantAct
    organization_id: UUID | None
    by: str
    reason: str
    at: datetime
    key_id: str = ""
    signature: str = ""
    is_good: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    """A grant with its acts and what it passed on."""

    id: UUID
    number: str
    request_id: UUID
    parent_id: UUID | None
    resource_code: str
    resource_name: Mapping[str, str]
    organization_id: UUID
    provider_organization_id: UUID
    terms: Terms
    scenario: str
    legal_basis: str
    sharing: str
    state: GrantState
    is_in_force: bool
    valid_from: date | None
    valid_until: date | None
    idle_days: int
    last_used_at: datetime | None
    entries: tuple[Entry, ...] = ()
    children: tuple[GrantView, ...] = ()
    uses: Mapping[date, int] = field(default_factory=dict)
    is_grantee: bool = False
    is_provider: bool = False
    may: frozenset[str] = frozenset()
