"""What others may follow: a resource came into force, went online or went offline."""

from __future__ import annotations

from dataclasses import dataclass

from furong.foundation.events.values import event


@event("catalogue.resource_published")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePublished:
    """The data authority approved a resource, or a change of it: ``version`` is in force."""

    code: str
    version: int


@event("catalogue.resource_online")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceOnline:
    code: str


@event("catalogue.resource_offline")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceOffline:
    code: str


@event("catalogue.grant_in_force")
@dataclass(frozen=True, slots=True, kw_only=True)
class GrantInForce:
    """A grant may be used: signed by both sides, or resumed. ``id`` is the grant's."""

    id: str
    resource_code: str


@event("catalogue.grant_out_of_force")
@dataclass(frozen=True, slots=True, kw_only=True)
class GrantOutOfForce:
    """A grant may not be used any more, for now or for good: ``state`` says which, ``act`` what made it so (`GrantAct`)."""

    id: str
    resource_code: str
    state: str
    act: str = ""


@event("catalogue.grant_nearly_over")
@dataclass(frozen=True, slots=True, kw_only=True)
class GrantNearlyOver:
    """A grant in force ends in ``days`` days. Said once for each of `grants.values.REMIND_DAYS`."""

    id: str
    resource_code: str
    days: int
