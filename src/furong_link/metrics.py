"""What a gateway tells Prometheus: traffic, errors by whose cause, times, and what will soon want its operator's attention.

No label holds a person's data: members, services and grants are codes, and a stranger has no label of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from furong_link.errors import REFUSALS

# Upper bounds in seconds; the last bucket has none.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# A warning is given this long before a key or a certificate ends, and from this share of a quota on.
ENDS_SECONDS = 30 * 86_400
QUOTA_SHARE = 0.8


def cause_of(code: str) -> str:
    """Say whose matter a refusal is: the provider's, the provider's gateway's (peer), this gateway's, or the caller's."""
    if code.startswith("provider_"):
        return "provider"
    if code.startswith("peer_"):
        return "peer"
    return "gateway" if code in REFUSALS and REFUSALS[code][0] >= 500 else "caller"


class Histogram:
    """Counts of times by bucket, since the start."""

    __slots__ = ("_counts", "_sum")

    def __init__(self) -> None:
        self._counts, self._sum = [0] * (len(BOUNDS) + 1), 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str, help_text: str) -> list[str]:
        """Give the histogram in Prometheus's text form."""
        found, total = [f"# HELP {name} {help_text}", f"# TYPE {name} histogram"], 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._counts, strict=True):
            total += count
            found.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*found, f"{name}_sum {self._sum:.6f}", f"{name}_count {total}"]


@dataclass(slots=True, kw_only=True)
class Condition:
    """How a gateway is at one moment; times are Unix seconds, shares are from 0 to 1."""

    now: float
    counts: Mapping[str, int]
    in_hand: int
    connections: int
    records: int
    segments: int
    evidence_failed: bool
    configuration_serial: int | None
    configuration_age_seconds: int | None
    configuration_staleness: str
    keys_until: Mapping[str, float] = field(default_factory=dict)
    certificates_until: Mapping[str, float] = field(default_factory=dict)
    quotas_used: Mapping[str, float] = field(default_factory=dict)
    peers_down: Iterable[str] = ()
    peers_in_doubt: Iterable[str] = ()

    def warnings(self) -> list[tuple[str, str]]:
        """Give what wants attention, as kind and name."""
        found = []
        if self.evidence_failed:
            found.append(("evidence", ""))
        if self.configuration_staleness != "fresh":
            found.append((f"configuration_{self.configuration_staleness}", ""))
        for kind, ends in (("key_ends", self.keys_until), ("certificate_ends", self.certificates_until)):
            found += [(kind, name) for name, until in sorted(ends.items()) if until - self.now < ENDS_SECONDS]
        found += [("quota_nearly_used", name) for name, used in sorted(self.quotas_used.items()) if used >= QUOTA_SHARE]
        found += [("peer_down", name) for name in self.peers_down]
        found += [("peer_in_doubt", name) for name in self.peers_in_doubt]
        return found


def _labelled(name: str, label: str, found: Mapping[str, float], *, kind: str, help_text: str) -> list[str]:
    lines = [f'{name}{{{label}="{key}"}} {value:.15g}' for key, value in sorted(found.items())]
    return [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", *lines] if lines else []


def _gauge(name: str, value: float, help_text: str) -> list[str]:
    return [f"# HELP {name} {help_text}", f"# TYPE {name} gauge", f"{name} {value:.15g}"]


def condition_lines(found: Condition) -> list[str]:
    """Give a gateway's condition in Prometheus's text form (version 0.0.4)."""
    name = "furong_gateway_messages_total"
    lines = _labelled(name, "code", found.counts, kind="counter", help_text="Messages answered, by outcome.")
    causes: dict[str, float] = dict.fromkeys(("caller", "gateway", "provider", "peer"), 0)
    for code, count in found.counts.items():
        if code != "ok":
            causes[cause_of(code)] += count
    lines += _labelled(
        "furong_gateway_errors_total", "cause", causes, kind="counter", help_text="Messages refused, by whose cause."
    )
    lines += _gauge("furong_gateway_in_hand", found.in_hand, "Messages being worked on.")
    lines += _gauge("furong_gateway_connections", found.connections, "Open connections of callers.")
    lines += _gauge("furong_gateway_evidence_records", found.records, "Records in the log.")
    lines += _gauge("furong_gateway_evidence_segments", found.segments, "Closed files of records.")
    if found.configuration_serial is not None and found.configuration_age_seconds is not None:
        lines += _gauge("furong_gateway_configuration_serial", found.configuration_serial, "The configuration held.")
        lines += _gauge(
            "furong_gateway_configuration_age_seconds", found.configuration_age_seconds, "Since it was issued."
        )
    left = {key: until - found.now for key, until in found.keys_until.items()}
    lines += _labelled(
        "furong_gateway_key_seconds_left", "key", left, kind="gauge", help_text="Until a key's validity ends."
    )
    left = {key: until - found.now for key, until in found.certificates_until.items()}
    lines += _labelled(
        "furong_gateway_certificate_seconds_left",
        "gateway",
        left,
        kind="gauge",
        help_text="Until a gateway's certificate ends.",
    )
    lines += _labelled(
        "furong_gateway_quota_used_ratio",
        "grant",
        found.quotas_used,
        kind="gauge",
        help_text="Share of the current window's quota that is used.",
    )
    warnings = [f'furong_gateway_warning{{kind="{kind}",name="{what}"}} 1' for kind, what in found.warnings()]
    return [
        *lines,
        "# HELP furong_gateway_warning What wants the operator's attention.",
        "# TYPE furong_gateway_warning gauge",
        *warnings,
    ]
