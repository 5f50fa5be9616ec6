"""Making the documents that other nodes are given: what of this node's exchange concerns them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from furong.domains.catalogue.errors import ResourceMissing
from furong.domains.exchange import models, shared_rows
from furong.domains.exchange.compiling import METHOD
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.joining import live
from furong.domains.exchange.nodes.values import AskState, Relation
from furong.foundation.organizations import queries as organizations
from furong_link import nodes

RENEW_SECONDS = 120
_SHARED = ("unconditional", "conditional")
NOT_CARRIED = (AskState.PROPOSED.value, AskState.DECLINED.value)


def make(node: tables.Node, payload: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Give the parts of the document for a node, of this node's joined ``payload``: the same both ways.

    Upward all members of this side are stated, downward those alone who asked there.
    """
    named = _names()
    own = set(models.Member.objects.values_list("code", flat=True))
    theirs = nodes.members_of(node.taken or {}) - own
    asked = tables.Ask.objects.filter(target=node.code).exclude(state__in=NOT_CARRIED).order_by("id")
    if node.relation == Relation.LOWER.value:
        stated = {one.consumer for one in asked if one.state != AskState.REFUSED.value} - theirs
    else:
        stated = {one["id"] for one in payload["members"]} - theirs
    parts = nodes.merged(nodes.stating(payload, members=stated), nodes.concerning(payload, members=theirs))
    parts["catalogue"] = _catalogue(node)
    parts["answers"] = [
        {"id": str(one.id), "state": one.state, "number": one.number, "note": one.note}
        for one in tables.Ask.objects.filter(origin=node.code).exclude(state=AskState.NEW.value).order_by("id")
    ]
    parts["requests"] = [
        {
            "id": str(one.id),
            "resource": one.resource,
            "consumer": one.consumer,
            "items": one.items,
            "days": one.days,
            "scenario": one.scenario,
            "legal_basis": one.legal_basis,
        }
        for one in asked
    ]
    parts["members"] = [{**one, **named.get(one["id"], {})} for one in parts["members"]]
    parts["nodes"] = _tree(node)
    return parts


def _names() -> dict[str, dict[str, Any]]:
    """What other nodes are told of members beside their codes: names, divisions, credit codes. Organisations, never persons."""
    found: dict[str, dict[str, Any]] = {}
    for node in (*live(Relation.LOWER), *live(Relation.UPPER)):
        for one in (node.taken or {}).get("members", ()):
            found[one["id"]] = {name: one[name] for name in ("name", "division", "organization") if name in one}
    for member in models.Member.objects.all():
        organization = organizations.find_organization(organization_id=member.organization_id)
        found[member.code] = {
            "name": member.name,
            "division": member.division_code,
            "organization": organization.code if organization else "",
        }
    return found


def _tree(node: tables.Node) -> list[dict[str, Any]]:
    """This node, and those on its side of ``node``: towards the top for one below, downward for one above."""
    own = tables.OwnNode.objects.filter(id=1).first()
    if own is None:
        return []
    found = [{"code": own.code, "level": own.level, "name": own.name, "above": "", "address": own.address}]
    for other in live(Relation.UPPER) if node.relation == Relation.LOWER.value else live(Relation.LOWER):
        if other.relation == Relation.UPPER.value:
            found[0]["above"] = other.code
            found += (other.taken or {}).get("nodes", [])
        else:
            mine = [dict(one) for one in (other.taken or {}).get("nodes", ())] or [
                {"code": other.code, "level": other.level, "name": other.name}
            ]
            mine[0]["above"] = own.code
            found += mine
    return found


def _catalogue(recipient: tables.Node) -> list[dict[str, Any]]:
    """What may be asked for here: the resources of services that are shared, and what the other nodes around offer."""
    found: dict[str, dict[str, Any]] = {}
    own = tables.OwnNode.objects.filter(id=1).first()
    for service in models.Service.objects.filter(is_on=True).select_related("member").order_by("code"):
        try:
            view = shared_rows.resource_view(service.resource_code)
        except ResourceMissing:
            continue
        is_asked = METHOD in (view.detail["sharing"].get("methods") or ())
        if view.is_live and view.line.sharing in _SHARED and is_asked:
            found.setdefault(
                service.resource_code,
                {
                    "code": service.resource_code,
                    "node": own.code if own else "",
                    "name": dict(view.line.name),
                    "provider": dict(service.member.name),
                    "sharing": view.line.sharing,
                    "items": [{"code": one.code, "name": dict(one.name)} for one in view.items],
                },
            )
    for node in around():
        if node.code != recipient.code:
            for one in entries_of(node):
                found.setdefault(one["code"], one)
    return list(found.values())


def around() -> list[tables.Node]:
    """Give the nodes around in the order in which a resource of one name is looked for: the one above, then those below."""
    return [*live(Relation.UPPER), *live(Relation.LOWER)]


def entries_of(node: tables.Node) -> list[dict[str, Any]]:
    """Give what another node offers, as far as it is written in the form of an entry."""
    return [
        one
        for one in (node.taken or {}).get("catalogue", ())
        if isinstance(one.get("code"), str)
        and isinstance(one.get("name"), dict)
        and isinstance(one.get("items"), list)
        and all(isinstance(item, dict) and isinstance(item.get("code"), str) for item in one["items"])
    ]


def renew(node: tables.Node, payload: Mapping[str, Any], *, now: datetime) -> tables.Node:
    """Make the node's next document when it says something new or the last is two minutes old; give the node."""
    from furong.domains.exchange.issuing import OperatorKey, handovers

    parts, key = make(node, payload, now=now), OperatorKey()
    digest = nodes.digest_of({**parts, "key": key.number})
    with transaction.atomic():
        row = tables.Node.objects.select_for_update(no_key=True).get(code=node.code)
        own = tables.OwnNode.objects.get(id=1)
        is_new = row.given_digest != digest
        if not is_new and row.given_at is not None and now - row.given_at < timedelta(seconds=RENEW_SECONDS):
            return row
        row.given_serial += 1
        row.given_digest, row.given_at = digest, now
        row.given = nodes.sign_document(
            parts,
            sender=own.code,
            recipient=row.code,
            serial=row.given_serial,
            issued_at=now,
            signer=key,
            handovers=handovers(now=now),
        )
        row.save(update_fields=["given_serial", "given_digest", "given_at", "given"])
    return row


def names_in(rows: Iterable[tables.Node]) -> dict[str, Mapping[str, Any]]:
    """Give the resources that nodes offer, by code."""
    return {one["code"]: one for node in rows for one in entries_of(node)}


def way_to(resource: str, *, but: str) -> str:
    """Give the node that offers a resource, the one above first, or nothing; never the one that asks, ``but``."""
    rows = (node for node in around() if node.code != but)
    return next((node.code for node in rows if resource in names_in([node])), "")
