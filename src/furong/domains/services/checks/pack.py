"""The cross-check of services over a whole pack."""

from __future__ import annotations

from collections.abc import Iterable

from furong.foundation.packs.values import Finding, Pack


def check_services(pack: Pack) -> Iterable[Finding]:
    """Find what only the whole pack shows: questions that a register answers, unknown elements, needs that go round."""
    return ()
