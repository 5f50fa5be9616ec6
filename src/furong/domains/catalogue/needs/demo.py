"""Needs of a demo: stated and answered by the same commands as any others, in the name of the organisations concerned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from furong.domains.catalogue.needs import answering, models, ruling, stating
from furong.domains.catalogue.needs.values import Benefit, ShareKind, Urgency
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Organization


def load_needs(*, spec: Mapping[str, Any], actor: Actor, now: datetime) -> int:
    """State what a pack's ``demo/needs.yaml`` lists, with what became of it; gives how many are new.

    Each entry names ``department`` and ``division`` of who asks, ``words``, ``purpose``, ``legal_basis``, ``urgency`` and
    ``benefit``; ``demand`` files a demand for what nobody supplies, ``assign`` names the department that answers it, ``refuse``
    and ``appeal`` bring it before the data authority. Repeatable: a need that was stated already is left alone.
    """
    made = 0
    for entry in spec["needs"]:
        body = organizations.get_responsible(department=entry["department"], division_code=str(entry["division"]))
        if models.Need.objects.filter(organization_id=body.id, words=entry["words"]).exists():
            continue
        asks = _acting(actor, body)
        need_id = stating.state_need(
            words=entry["words"],
            purpose=entry["purpose"],
            legal_basis=entry.get("legal_basis", ""),
            elements=entry.get("elements", ()),
            urgency=Urgency(entry.get("urgency", "ordinary")),
            benefit=Benefit(**entry.get("benefit", {})),
            actor=asks,
            now=now,
        )
        made += 1
        if "demand" in entry:
            _demand(entry, need_id, asks, now=now)
    return made


def _demand(entry: Mapping[str, Any], need_id: Any, asks: Actor, *, now: datetime) -> None:
    demand = models.Demand.objects.filter(need_id=need_id).first()
    demand_id = (
        demand.id
        if demand is not None
        else stating.file_demand(need_id=need_id, element="", words=entry["demand"], actor=asks, now=now)
    )
    if "assign" in entry:
        authority = replace(_acting(asks, _owner(demand_id)), label="目录审核员")
        answering.assign_demand(demand_id=demand_id, department=entry["assign"], words="", actor=authority, now=now)
    if "refuse" in entry:
        owner = _acting(asks, _owner(demand_id))
        answering.refuse_demand(demand_id=demand_id, actor=owner, now=now, **entry["refuse"])
    if "appeal" in entry:
        ruling.ask_ruling(kind=ShareKind.DEMAND, subject_id=demand_id, words=entry["appeal"], actor=asks, now=now)


def _owner(demand_id: Any) -> Organization:
    """Who has to answer now."""
    return organizations.get_organization(
        organization_id=models.Demand.objects.get(id=demand_id).provider_organization_id
    )


def _acting(actor: Actor, body: Organization) -> Actor:
    return replace(actor, label="数据专员", organization_id=body.id, organization_label=body.name.zh)
