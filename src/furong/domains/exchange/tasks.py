"""What the worker does for the exchange: it issues what changed, renews the time, and throws away what has served."""

from __future__ import annotations

from datetime import datetime

from furong.domains.exchange import issuing, reporting
from furong.domains.exchange.nodes import tasks as nodes


def keep(*, now: datetime) -> bool:
    """Issue a configuration when something changed or the last is old; say whether it did. Run each second."""
    issued = issuing.issue(now=now, cause="time")
    return issued is not None and issued.is_changed


def tidy(*, now: datetime) -> None:
    """Throw away old configurations and counts."""
    issuing.sweep(now=now)
    reporting.sweep(now=now)
    nodes.tidy(now=now)
