"""Reads of the cascade, for its operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from furong.domains.catalogue.sight import EDIT
from furong.domains.exchange import issuing, models
from furong.domains.exchange.compiling import compile_configuration, names_of
from furong.domains.exchange.nodes import documents
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.errors import NodeNotFound
from furong.domains.exchange.nodes.joining import in_force
from furong.domains.exchange.nodes.values import (
    Abroad,
    AskState,
    AskView,
    Cascade,
    Entry,
    NodeState,
    NodeView,
    Offered,
    OwnNode,
    Relation,
)
from furong.domains.exchange.values import OPERATE
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong_link.certificates import certificates_end
from furong_link.configuration import LATE_SECONDS, MAX_STALE_SECONDS, OLD_SECONDS, check_payload
from furong_link.enrolment import fingerprint
from furong_link.errors import ConfigurationError

MOST_ASKS = 100
CERTIFICATE_DAYS = 30


def get_cascade(*, actor: Actor, now: datetime) -> Cascade:
    """Return this node, the nodes around it with how they are, what may be asked for above, and what was.

    Raises ``AccessRefused``. Cost: one configuration compiled and some small reads.
    """
    access.require(actor=actor, right=OPERATE)
    left_out = compile_configuration(now=now).left_out
    rows = list(tables.Node.objects.exclude(state=NodeState.REVOKED.value).defer("given", "proof").order_by("code"))
    views = [_view(row, left_out, now) for row in rows]
    offered = _offered()
    return Cascade(
        own=get_own(),
        upper=next((one for one in views if one.relation is Relation.UPPER), None),
        lower=tuple(one for one in views if one.relation is Relation.LOWER),
        entries=_entries(offered),
        asks=_asks(tables.Ask.objects.all(), offered),
    )


def get_offered(*, actor: Actor) -> Offered:
    """Return what other nodes offer, for the steward of a department, and what that department asked for.

    Raises ``AccessRefused``. Cost: some small reads.
    """
    access.require(actor=actor, right=EDIT)
    offered = _offered()
    if actor.organization_id is None:
        return Offered(member="", entries=_entries(offered), asks=())
    member = models.Member.objects.filter(organization_id=actor.organization_id).values_list("code", flat=True).first()
    own = tables.Ask.objects.filter(organization_id=actor.organization_id)
    return Offered(member=member or "", entries=_entries(offered), asks=_asks(own, offered))


def list_troubled(*, now: datetime) -> tuple[NodeView, ...]:
    """Return the nodes around that the operator should look at, by code. Cost: one read."""
    rows = tables.Node.objects.filter(state__in=[NodeState.LIVE.value, NodeState.REKEYING.value]).defer(
        "given", "proof"
    )
    views = (_view(row, (), now) for row in rows.order_by("code"))
    return tuple(one for one in views if one.warnings)


def list_foreign(*, now: datetime) -> tuple[dict[str, str], tuple[Abroad, ...]]:
    """Return who answers other nodes' services, by service, and the members of each node, the one above first.

    A member whom two nodes name is listed with the first. Cost: one read for each side.
    """
    providers: dict[str, str] = {}
    found: list[Abroad] = []
    known = set(models.Member.objects.values_list("code", flat=True))
    for relation in Relation:
        for node in in_force(relation, now=now):
            providers |= {one["id"]: one["provider"] for one in node.taken.get("services", ())}
            theirs = [one for one in node.taken.get("members", ()) if one["id"] not in known]
            known |= {one["id"] for one in theirs}
            view = _view(node, (), now)
            found.append(
                Abroad(
                    node=node.code,
                    name=node.name,
                    relation=relation,
                    warnings=view.warnings,
                    members=tuple(
                        (
                            one["id"],
                            name if isinstance(name := one.get("name"), dict) else {},
                            bool(one.get("suspended")),
                        )
                        for one in sorted(theirs, key=lambda one: str(one["id"]))
                    ),
                )
            )
    return providers, tuple(found)


def _offered() -> dict[str, tuple[str, dict[str, Any]]]:
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for node in documents.around():
        for one in documents.entries_of(node):
            found.setdefault(one["code"], (node.code, one))
    return found


def _entries(offered: Mapping[str, tuple[str, Mapping[str, Any]]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            node=node,
            code=code,
            name=one["name"],
            provider=one.get("provider") or {},
            sharing=str(one.get("sharing", "")),
            items=tuple(one["items"]),
        )
        for code, (node, one) in sorted(offered.items())
    )


def _asks(rows: QuerySet[tables.Ask], offered: Mapping[str, tuple[str, Mapping[str, Any]]]) -> tuple[AskView, ...]:
    asks = list(rows.order_by("-asked_at", "id")[:MOST_ASKS])
    names = names_of(one.resource for one in asks)
    return tuple(
        AskView(
            id=one.id,
            resource=one.resource,
            resource_name=offered[one.resource][1]["name"]
            if one.resource in offered
            else names.get(one.resource, {"zh": one.resource}),
            consumer=one.consumer,
            origin=one.origin,
            target=one.target,
            scenario=one.scenario,
            legal_basis=one.legal_basis,
            state=AskState(one.state),
            number=one.number,
            note=one.note,
            asked_at=one.asked_at,
            answered_at=one.answered_at,
            by=one.by,
        )
        for one in asks
    )


def get_own() -> OwnNode | None:
    """Return what this node is called, or None before it was named."""
    row = tables.OwnNode.objects.filter(id=1).first()
    if row is None:
        return None
    key = issuing.OperatorKey()
    kept = {one.number: one for one in tables.OperatorKey.objects.filter(number__gte=key.number - 1)}
    before = kept.get(key.number - 1)
    return OwnNode(
        code=row.code,
        level=row.level,
        name=row.name,
        address=row.address,
        fingerprint=fingerprint(algorithm=key.algorithm, public=key.public),
        key=f"{key.algorithm}:{key.public}",
        key_number=key.number,
        key_since=kept[key.number].since if key.number in kept and key.number > 1 else None,
        old_until=before.until if before is not None else None,
    )


def get_node(*, node: str, actor: Actor, now: datetime) -> NodeView:
    """Return another node. Raises `NodeNotFound`, ``AccessRefused``."""
    access.require(actor=actor, right=OPERATE)
    row = tables.Node.objects.filter(code=node).first()
    if row is None:
        raise NodeNotFound
    return _view(row, compile_configuration(now=now).left_out, now)


def _view(row: tables.Node, left_out: tuple[str, ...], now: datetime) -> NodeView:
    taken = row.taken or {}
    age = int((now - row.taken_issued_at).total_seconds()) if row.taken_issued_at else None
    return NodeView(
        code=row.code,
        relation=Relation(row.relation),
        state=NodeState(row.state),
        level=row.level,
        name=row.name,
        address=row.address,
        fingerprint=fingerprint(algorithm=row.algorithm, public=row.public) if row.public else "",
        admitted_at=row.admitted_at,
        seen_at=row.seen_at,
        given_serial=row.given_serial,
        held_serial=row.held_serial,
        taken_serial=row.taken_serial,
        taken_issued_at=row.taken_issued_at,
        age_seconds=age,
        staleness=_staleness(age, taken),
        told_error=row.told_error,
        members=len(taken.get("members", ())),
        services=len(taken.get("services", ())),
        grants=len(taken.get("grants", ())),
        left_out=tuple(one.partition("/")[2] for one in left_out if one.startswith(f"{row.code}/")),
        certificate_days=_certificate_days(taken, now),
        beneath=tuple(taken.get("nodes", ())),
        key_number=row.key_number,
        warnings=tuple(_warnings(row, age, taken, now)),
    )


def _warnings(row: tables.Node, age: int | None, taken: dict[str, object], now: datetime) -> Iterator[str]:
    """What of a node the operator should look at, as codes that pages put into words. Documents are due every two minutes."""
    if row.state == NodeState.REKEYING.value:
        yield "node_rekeying"
    if row.state != NodeState.LIVE.value:
        return
    staleness = _staleness(age, taken)
    if staleness == "missing":
        since = row.decided_at or row.admitted_at
        if (now - since).total_seconds() > LATE_SECONDS:
            yield "node_missing"
    elif staleness != "fresh":
        yield f"node_{staleness}"
    if row.told_error:
        yield "node_unreached"
    days = _certificate_days(taken, now)
    if days is not None and days < CERTIFICATE_DAYS:
        yield "node_certificate"


def _staleness(age: int | None, taken: dict[str, object]) -> str:
    if age is None:
        return "missing"
    limit = int(str(taken.get("max_stale_seconds", MAX_STALE_SECONDS)))
    if age > limit:
        return "expired"
    if age > 0.75 * limit:
        return "ending"
    return "old" if age > OLD_SECONDS else "late" if age > LATE_SECONDS else "fresh"


def _certificate_days(taken: dict[str, object], now: datetime) -> int | None:
    """For how many days the first certificate of its gateways is still good; None when it named none."""
    if not taken:
        return None
    try:
        ends = certificates_end(check_payload(taken), own=None)
    except ConfigurationError:
        return None
    return min((int((datetime.fromtimestamp(at, UTC) - now).days) for at in ends.values()), default=None)
