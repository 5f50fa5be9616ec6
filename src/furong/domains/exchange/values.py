"""The exchange's words: states, causes of errors, what pages and gateways are told. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from furong.domains.exchange.nodes.values import Abroad, NodeView
from furong.foundation.access.values import register_right
from furong_link.errors import REFUSALS

OPERATE = register_right("exchange.operate", zh="运行数据交换", en="Operate the exchange")
CODE = re.compile(r"[a-z][a-z0-9-]{0,23}")
Words = Mapping[str, str]
# The bounds of the times that gateways count by, in milliseconds; the last bucket has none.
BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


class MemberState(StrEnum):
    """Whether a member takes part."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class GatewayState(StrEnum):
    """Where a gateway stands: it asked, it serves, it was shut out, it was turned down."""

    REQUESTED = "requested"
    LIVE = "live"
    REVOKED = "revoked"
    REFUSED = "refused"


class Cause(StrEnum):
    """Who can mend an error: whoever asked, the gateway's operator, or the provider behind it."""

    NONE = "none"
    CALLER = "caller"
    GATEWAY = "gateway"
    PROVIDER = "provider"


# Refused as the caller's by their status, though it is the gateway's operator who has to mend them.
_GATEWAYS_OWN = frozenset({"service_unknown"})
_CALLER_WAITS = frozenset({"file_preparing"})  # all is well: the caller asks again in a moment


def cause_of(outcome: str) -> Cause:
    """Say who can mend a message's outcome (``ok``, or the code of a refusal): the provider, the operator of
    this gateway or of the one it asked, or whoever asked.
    """
    if outcome == "ok":
        return Cause.NONE
    if outcome.startswith("provider_"):
        return Cause.PROVIDER
    status = REFUSALS.get(outcome, (400, ""))[0]
    is_gateways = outcome in _GATEWAYS_OWN or (status >= 500 and outcome not in _CALLER_WAITS)
    return Cause.GATEWAY if is_gateways else Cause.CALLER


def percentile_ms(buckets: Sequence[int], share: float) -> int | None:
    """Return the bound in milliseconds under which ``share`` (0 to 1) of the messages stayed.

    None of no messages; beyond the last bound that bound is given, which then is the least it can be.
    """
    total = sum(buckets)
    if not total:
        return None
    wanted, seen = share * total, 0
    for bound, count in zip((*BOUNDS_MS, BOUNDS_MS[-1]), buckets, strict=True):
        seen += count
        if seen >= wanted:
            return bound
    return BOUNDS_MS[-1]


def added(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """Add two counts by time, bucket by bucket."""
    return [a + b for a, b in zip(first, second, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """A key as the member's page shows it."""

    key_id: str
    system: str
    gateway: str
    algorithm: str
    fingerprint: str
    valid_from: datetime
    valid_until: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """A published service."""

    code: str
    resource_code: str
    resource_name: Words
    member: str
    gateway: str
    is_platforms: bool
    is_on: bool
    grants: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayView:
    """A gateway: where it stands and what it told last. ``warnings`` are codes that pages put into words."""

    code: str
    member: str
    member_name: Words
    authority: str
    address: str
    state: GatewayState
    key_id: str
    algorithm: str
    fingerprint: str
    software: str
    requested_at: datetime
    decided_at: datetime | None
    seen_at: datetime | None
    held_serial: int
    told_error: str
    reported_at: datetime | None
    report: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    other_keys: tuple[KeyView, ...] = ()  # while its key is renewed: the one that follows, or the one before

    @property
    def is_live(self) -> bool:
        """Whether it may serve."""
        return self.state is GatewayState.LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """A member with what it has."""

    code: str
    organization_id: UUID
    division_code: str
    name: Words
    state: MemberState
    admitted_at: datetime
    code_until: datetime | None
    gateways: tuple[GatewayView, ...] = ()
    keys: tuple[KeyView, ...] = ()
    services: tuple[ServiceView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What passed between two members in a span of time."""

    consumer: str
    provider: str
    service: str
    messages: int
    errors: int
    buckets: tuple[int, ...] = field(default=(0,) * (len(BOUNDS_MS) + 1))

    @property
    def p95_ms(self) -> int | None:
        """The bound under which nineteen of twenty stayed."""
        return percentile_ms(self.buckets, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What the operator's page shows of the last hour."""

    members: tuple[MemberView, ...]
    gateways: tuple[GatewayView, ...]
    flows: tuple[Flow, ...]
    messages: int
    per_minute: tuple[tuple[datetime, int, int], ...]  # minute, messages, errors; sixty of them
    causes: Mapping[Cause, int]
    outcomes: tuple[tuple[str, Cause, int], ...]  # refusals, the most frequent first
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None
    serial: int
    issued_at: datetime | None
    unreached: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    nodes: tuple[NodeView, ...] = ()  # those around that want a look
    abroad: tuple[Abroad, ...] = ()  # the members of other nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantLine:
    """A grant of the catalogue as the configuration carries it: who may ask which service, and under what number."""

    id: str
    consumer: str
    service: str
    number: str
    scenario: str


def sorted_counts(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up counts by name, the largest first."""
    total: dict[str, int] = {}
    for name, count in found:
        total[name] = total.get(name, 0) + count
    return dict(sorted(total.items(), key=lambda pair: (-pair[1], pair[0])))
