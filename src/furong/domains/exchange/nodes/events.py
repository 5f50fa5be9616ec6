"""What others may follow: nodes met and parted, and a request that went up was answered."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from furong.foundation.events.values import event


@event("exchange.node_live")
@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLive:
    """Another node exchanges with this one from now on."""

    code: str
    relation: str


@event("exchange.node_revoked")
@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRevoked:
    """Another node was shut out, or left."""

    code: str


@event("exchange.ask_answered")
@dataclass(frozen=True, slots=True, kw_only=True)
class AskAnswered:
    """The node above answered a request of one of our members."""

    id: UUID
    state: str
