"""The cascade's words: levels, states, and what its page shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

Words = Mapping[str, str]


class Relation(StrEnum):
    """Where another node stands."""

    UPPER = "upper"
    LOWER = "lower"


class NodeState(StrEnum):
    """How far two nodes have come: invited by a code, joined and to be compared, in exchange, waiting for a new key, shut out."""

    INVITED = "invited"
    REQUESTED = "requested"
    LIVE = "live"
    REKEYING = "rekeying"
    REVOKED = "revoked"


class AskState(StrEnum):
    """Where a request to another node stands: proposed by a department, declined by our operator, to be carried, under way,
    given, refused.
    """

    PROPOSED = "proposed"
    DECLINED = "declined"
    NEW = "new"
    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNode:
    """This node. ``key`` is ALGORITHM:BASE64 of the operator's, ``key_since`` None while it is the first."""

    code: str
    level: str
    name: Words
    address: str
    fingerprint: str
    key: str = ""
    key_number: int = 1
    key_since: datetime | None = None
    old_until: datetime | None = None  # when the key before it ends


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """Another node as the page shows it. ``beneath``: the nodes below it, as its own document names them."""

    code: str
    relation: Relation
    state: NodeState
    level: str
    name: Words
    address: str
    fingerprint: str
    admitted_at: datetime
    seen_at: datetime | None
    given_serial: int
    held_serial: int
    taken_serial: int
    taken_issued_at: datetime | None
    age_seconds: int | None
    staleness: str  # as a configuration's: fresh, late, old, ending, expired; missing before the first
    told_error: str
    members: int
    services: int
    grants: int
    left_out: tuple[str, ...]
    certificate_days: int | None
    beneath: tuple[Mapping[str, Any], ...] = ()
    key_number: int = 1
    warnings: tuple[str, ...] = ()  # as codes that pages put into words, the gravest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Abroad:
    """Members of another node as the map of the exchange shows them: code, name, and whether the node suspended them."""

    node: str
    name: Words
    relation: Relation
    warnings: tuple[str, ...]
    members: tuple[tuple[str, Words, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A resource of another node that may be asked for."""

    node: str
    code: str
    name: Words
    provider: Words
    sharing: str
    items: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskView:
    """A request to another node, or from one."""

    id: UUID
    resource: str
    resource_name: Words
    consumer: str
    origin: str  # the node it came from; empty: a member of ours
    target: str  # the node that answers; empty: we do
    scenario: str
    legal_basis: str
    state: AskState
    number: str
    note: str
    asked_at: datetime
    answered_at: datetime | None
    by: str = ""  # the post that proposed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What a department may ask other nodes for, and what it asked. ``member``: empty while it takes no part in the exchange."""

    member: str
    entries: tuple[Entry, ...]
    asks: tuple[AskView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """All that the page of nodes shows."""

    own: OwnNode | None
    upper: NodeView | None
    lower: tuple[NodeView, ...]
    entries: tuple[Entry, ...]
    asks: tuple[AskView, ...]
