"""What others may follow: a gateway began to serve, and one that could not be told of a restriction."""

from __future__ import annotations

from dataclasses import dataclass

from furong.foundation.events.values import event


@event("exchange.gateway_live")
@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLive:
    """The operator approved a gateway: it is in the configuration."""

    code: str
    member: str


@event("exchange.member_suspended")
@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSuspended:
    """A member was shut out for now: every gateway that can be reached refuses its systems."""

    code: str
