"""The cross-check of services over a whole pack."""

from __future__ import annotations

from furong.domains.services.checks.ask_once import check_ask_once
from furong.domains.services.checks.events import check_life_events
from furong.domains.services.checks.flows import check_flows
from furong.domains.services.checks.forms import check_forms
from furong.domains.services.checks.items import check_items
from furong.domains.services.checks.lists import check_lists
from furong.domains.services.checks.scenarios import check_scenarios
from furong.domains.services.checks.scope import Scope
from furong.domains.services.checks.shapes import check_clusters, check_shapes
from furong.foundation.packs.values import Finding, Pack


def check_services(pack: Pack) -> list[Finding]:
    """Find what only the whole pack shows: questions that a register answers, unknown elements, needs that go round."""
    scope = Scope(pack)
    for check in (
        check_shapes,
        check_clusters,
        check_ask_once,
        check_forms,
        check_items,
        check_lists,
        check_life_events,
        check_flows,
        check_scenarios,
    ):
        check(scope)
    return scope.findings
