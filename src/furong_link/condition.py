"""How a gateway is, for whoever asks it: its health in one look, and its figures for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from furong_link.configuration import Configuration
from furong_link.evidence import EvidenceLog
from furong_link.message import Settings
from furong_link.metrics import Condition, Histogram, condition_lines
from furong_link.modes import Modes
from furong_link.peers import Peers


class Measured(Protocol):
    """What is read of a gateway."""

    settings: Settings
    configuration: Configuration | None
    log: EvidenceLog
    peers: Peers
    modes: Modes
    counts: Counter[str]
    in_hand: int
    ends: dict[str, float]
    took: Histogram
    provider_took: Histogram

    @property
    def connections(self) -> Collection[Any]: ...

    @property
    def now(self) -> float: ...

    @property
    def key_id(self) -> str: ...

    def quotas(self) -> Mapping[str, int]: ...


def health_of(gateway: Measured) -> dict[str, object]:
    """Say how a gateway is: ready or why not, how old its configuration is, how long its log."""
    found, now = gateway.configuration, gateway.now
    staleness = found.staleness(now) if found else "missing"
    return {
        "gateway": gateway.settings.id,
        "ready": not gateway.log.failed and staleness not in ("missing", "expired"),
        "evidence": gateway.log.failed or "ok",
        "records": gateway.log.tree.size,
        "configuration": found.serial if found else None,
        "configuration_age_seconds": found.age_seconds(now) if found else None,
        "configuration_staleness": staleness,
    }


def metrics_of(gateway: Measured) -> str:
    """Give a gateway's figures in Prometheus's text form."""
    found, now = gateway.configuration, gateway.now
    grants = found.grants if found else {}
    quotas = {name: used / quota.calls for name, used in gateway.quotas().items() if (quota := grants[name].quota)}
    own = found.peers.get(gateway.settings.id) if found else None
    condition = Condition(
        now=now,
        counts=gateway.counts,
        in_hand=gateway.in_hand,
        connections=len(gateway.connections),
        records=gateway.log.tree.size,
        segments=len(gateway.log.segments),
        evidence_failed=bool(gateway.log.failed),
        configuration_serial=found.serial if found else None,
        configuration_age_seconds=found.age_seconds(now) if found else None,
        configuration_staleness=found.staleness(now) if found else "missing",
        keys_until={
            key.key_id: key.valid_until
            for key in (found.keys.values() if found else ())
            if key.key_id == gateway.key_id or (own and own.member and key.member == own.member)
        },
        certificates_until=gateway.ends,
        quotas_used=quotas,
        peers_down=gateway.peers.down(),
        peers_in_doubt=sorted(gateway.peers.troubles()),
    )
    lines = condition_lines(condition)
    lines += gateway.took.lines("furong_gateway_seconds", "From a whole message to its reply.")
    lines += gateway.provider_took.lines("furong_gateway_provider_seconds", "What the provider's system took of that.")
    return "\n".join([*lines, *gateway.modes.metrics(), ""])
