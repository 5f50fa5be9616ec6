"""The modes beside query: what a gateway serves itself, under the same door, records and signatures.

A mode stands where a provider's system stands for queries. `serve` answers a consumer whose grant was just checked, and
`provide` the service's own provider, who speaks at ``/.furong/provide/SERVICE/…`` under the word ``provider`` instead of
a grant. What a mode writes into ``Asked.facts`` goes into the record.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Protocol

from furong_link import profile
from furong_link.configuration import Configuration, Key, Service
from furong_link.decision import PROVIDER, Grant, QuotaBook, Target, check_grant
from furong_link.errors import Refusal
from furong_link.evidence import EvidenceLog
from furong_link.handover import MOST_SENT, SENT
from furong_link.keys import Signer
from furong_link.upstream import UpstreamReply

OWN_SERVICE = ".furong"
PROVIDE = "/provide/"


@dataclass(frozen=True, slots=True)
class Asked:
    """One verified message for a mode: from a consumer under ``grant``, or from the provider (``grant`` None)."""

    request: profile.Request
    target: Target
    key: Key
    service: Service
    grant: Grant | None
    content: bytes
    facts: dict[str, object]

    @property
    def granted(self) -> Grant:
        """The grant of a consumer's message."""
        if self.grant is None:
            raise TypeError("A provider's own message has no grant.")
        return self.grant


@dataclass(slots=True)
class Host:
    """What a mode may use of its gateway. ``signer`` is another one once the gateway's key was renewed."""

    gateway: str
    authority: str
    folder: Path
    signer: Signer
    clock: Callable[[], float]
    log: EvidenceLog
    quotas: QuotaBook
    configuration: Callable[[], Configuration | None]
    handovers: Callable[[], list[Any]] = list

    def handover(self) -> dict[str, str]:
        """Give the field by which a subscriber, who holds an earlier key of this gateway, follows to the one that signs."""
        found = self.handovers()
        return {SENT: b64encode(json.dumps(found[-MOST_SENT:]).encode()).decode()} if found else {}

    def count(self, asked: Asked) -> None:
        """Take one call of the grant's quota and have the record say so. Refuses when none is left."""
        self.quotas.take(asked.granted, now=self.clock())
        asked.facts["counted"] = True

    def check_again(self, asked: Asked) -> Grant:
        """Refuse what a configuration that arrived since the message began no longer allows; give the grant in force."""
        found, now = self.configuration(), self.clock()
        if found is None or found.staleness(now) == "expired":
            raise Refusal("configuration_expired")
        key = found.keys.get(asked.key.key_id)
        if key is None and asked.key.valid_until == inf:
            key = asked.key  # one of the member's own systems, which only this gateway knows
        if key is None or not key.is_valid(now):
            raise Refusal("key_not_valid")
        if key.member in found.suspended:
            raise Refusal("member_suspended")
        return check_grant(
            found.grants.get(asked.granted.id),
            member=key.member,
            method=asked.request.method,
            target=asked.target,
            now=now,
        )


class Mode(Protocol):
    """What serves one service in another mode than query."""

    async def start(self, host: Host) -> None:
        """Open files and start tasks. Raises LinkError or OSError."""
        ...

    async def serve(self, asked: Asked) -> UpstreamReply: ...

    async def provide(self, asked: Asked) -> UpstreamReply: ...

    async def stop(self) -> None:
        """Let go of what waits and close."""
        ...

    def metrics(self) -> Mapping[str, float]:
        """Give figures by name, as Prometheus reads them."""
        ...


class Modes:
    """The modes of one gateway, by service."""

    def __init__(self, found: Mapping[str, Mode]) -> None:
        self._found = dict(found)
        self._started: list[Mode] = []

    def get(self, service: str) -> Mode | None:
        return self._found.get(service)

    async def start(self, host: Host) -> None:
        for mode in self._found.values():
            await mode.start(host)
            self._started.append(mode)

    async def stop(self) -> None:
        while self._started:
            await self._started.pop().stop()

    async def provide(
        self, configuration: Configuration, *, target: Target, asked: Callable[[Target, Service], Asked], gateway: str
    ) -> UpstreamReply:
        """Serve the provider's own message at ``/.furong/provide/SERVICE/…``; refuses everybody else's."""
        name, slash, rest = target.path.removeprefix(PROVIDE).partition("/")
        service, mode = configuration.services.get(name), self._found.get(name)
        if not target.path.startswith(PROVIDE) or service is None or mode is None or service.gateway != gateway:
            raise Refusal("service_unknown")
        found = asked(Target(name, slash + rest, target.raw), service)
        if found.key.member != service.provider or found.request.grant != PROVIDER:
            raise Refusal("not_the_provider")
        return await mode.provide(found)

    def metrics(self) -> list[str]:
        """Give every mode's figures in Prometheus's text form."""
        return [
            f'furong_gateway_{name}{{service="{service}"}} {value}'
            for service, mode in sorted(self._found.items())
            for name, value in mode.metrics().items()
        ]
