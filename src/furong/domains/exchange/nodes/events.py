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
    """Another node answered a request of one of our members."""

    id: UUID
    state: str


@event("exchange.operator_key_changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKeyChanged:
    """This node's operator signs with another key from now on; a lost one handed nothing over."""

    number: int
    is_lost: bool


@event("exchange.node_key_taken")
@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeyTaken:
    """Another node's key counts no more; it waits for a new one."""

    code: str
    is_stolen: bool


@event("exchange.ask_proposed")
@dataclass(frozen=True, slots=True, kw_only=True)
class AskProposed:
    """A department proposed a request to another node; the exchange's operator decides whether it is carried."""

    id: UUID


@event("exchange.ask_declined")
@dataclass(frozen=True, slots=True, kw_only=True)
class AskDeclined:
    """The exchange's operator carries a department's request to no other node."""

    id: UUID
