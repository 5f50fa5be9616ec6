"""What the worker does between nodes."""

from __future__ import annotations

from datetime import datetime

from furong.domains.exchange import issuing
from furong.domains.exchange.nodes import carrying, keys
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.values import NodeState


def keep(*, now: datetime) -> bool:
    """Pull from the node above, settle what was asked from below, and give news; say whether there was any.

    Run every two seconds; nothing is asked while this node meets no other.
    """
    if not tables.Node.objects.filter(state=NodeState.LIVE.value).exists():
        return False
    is_new = carrying.pull(now=now)
    if carrying.settle_asks(now=now):
        issuing.mark_changed()
    carrying.begin(now=now)()
    return is_new


def tidy(*, now: datetime) -> None:
    """Destroy keys of this node's operator that have served."""
    keys.retire(now=now)
