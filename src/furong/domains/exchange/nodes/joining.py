"""Joining what other nodes gave into this node's exchange: members who ask here, services and grants that are given there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from furong.domains.exchange import models
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.values import NodeState, Relation
from furong.foundation.access.terms import Party
from furong.foundation.organizations import queries as organizations
from furong_link import nodes


def live(relation: Relation) -> list[tables.Node]:
    """Give the nodes above or below that exchange with this one, by code."""
    rows = tables.Node.objects.filter(relation=relation.value, state=NodeState.LIVE.value)
    return list(rows.defer("given", "proof").order_by("code"))


def in_force(relation: Relation, *, now: datetime) -> list[tables.Node]:
    """Give those whose last document is not over: of `live`, and of those whose key was lost and not stolen."""
    states = [NodeState.LIVE.value, NodeState.REKEYING.value]
    rows = tables.Node.objects.filter(relation=relation.value, state__in=states, ends_at__gt=now)
    return [one for one in rows.defer("given", "proof").order_by("code") if one.taken]


def foreign_parties(*, now: datetime) -> dict[str, Party]:
    """Give the members of other nodes whose organisations this platform knows, as the catalogue's grants meet them: of a lower
    node those it states, of the one above those with keys, who ask here.
    """
    found: dict[str, Party] = {}
    own = set(models.Member.objects.values_list("code", flat=True))
    for relation in (Relation.LOWER, Relation.UPPER):
        for node in in_force(relation, now=now):
            keyed = nodes.members_of(node.taken)
            for one in node.taken.get("members", ()):
                if one["id"] in own or (relation is Relation.UPPER and one["id"] not in keyed):
                    continue
                organization = organizations.find_organization_by_code(code=str(one.get("organization") or "-"))
                if organization is not None:
                    party = Party(
                        organization_id=organization.id,
                        department=organization.department or "",
                        division_code=organization.division_code,
                    )
                    found.setdefault(one["id"], party)
    return found


def join(payload: Mapping[str, Any], *, now: datetime) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Join what the nodes below and above gave into this node's own payload; give the whole and what was left out."""
    whole: dict[str, Any] = dict(payload)
    left: list[str] = []
    for relation in (Relation.LOWER, Relation.UPPER):
        for node in in_force(relation, now=now):
            ends_at = node.ends_at.timestamp() if node.ends_at else 0.0
            whole, out = nodes.joined(whole, node.taken, ends_at=ends_at)
            left += [f"{node.code}/{name}" for name in out]
    return whole, tuple(left)
