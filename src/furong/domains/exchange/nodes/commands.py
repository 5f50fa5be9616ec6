"""Writes of the cascade: this node's name, nodes admitted and joined, shut out and left, and requests that go up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from furong.domains.exchange import issuing, models
from furong.domains.exchange.errors import FingerprintDiffers, MemberNotFound
from furong.domains.exchange.nodes import carrying, documents
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.errors import (
    AskRefused,
    EnrolmentRefused,
    EntryNotFound,
    NodeAwayError,
    NodeKnown,
    NodeNotFound,
    NodeNotValid,
    NodeUnnamed,
)
from furong.domains.exchange.nodes.events import NodeLive, NodeRevoked
from furong.domains.exchange.nodes.joining import live
from furong.domains.exchange.nodes.values import NodeState, Relation
from furong.domains.exchange.values import OPERATE
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.events.commands import publish
from furong_link import enrolment, nodes
from furong_link.centre import CentreError
from furong_link.errors import ConfigurationError

CODE_DAYS = 7
MOST_DAYS = 3 * 366


@command("exchange.name_node")
def name_node(*, code: str, level: str, zh: str, en: str, address: str, actor: Actor, now: datetime) -> None:
    """This function will say what this node is called, on which level it stands, and where other nodes reach its platform.

    The code cannot change once another node knows it. Raises `NodeNotValid`, `NodeKnown`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    if not nodes.NODE.fullmatch(code) or level not in nodes.LEVELS or not nodes.ADDRESS.fullmatch(address) or not zh:
        raise NodeNotValid
    known = tables.OwnNode.objects.select_for_update().filter(id=1).first()
    if known is not None and (known.code, known.level) != (code, level) and tables.Node.objects.exists():
        raise NodeKnown
    tables.OwnNode.objects.update_or_create(
        id=1, defaults={"code": code, "level": level, "name": {"zh": zh, "en": en}, "address": address}
    )
    current().object("exchange_node", code)


@command("exchange.admit_node")
def admit_node(*, code: str, level: str, zh: str, en: str, actor: Actor, now: datetime) -> str:
    """This function will invite a lower node and give the one-time code with which it joins; again for one that has not joined.

    The code is good for seven days; it is told here and kept nowhere. Raises `NodeUnnamed`, `NodeNotValid`, `NodeKnown`,
    ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    own = _own()
    if not nodes.NODE.fullmatch(code) or not zh or not nodes.is_below(level, own.level) or code == own.code:
        raise NodeNotValid
    row = tables.Node.objects.select_for_update().filter(code=code).first()
    if row is not None and (row.state, row.relation) != (NodeState.INVITED.value, Relation.LOWER.value):
        raise NodeKnown
    text = enrolment.new_code()
    tables.Node.objects.update_or_create(
        code=code,
        defaults={
            "relation": Relation.LOWER.value,
            "state": NodeState.INVITED.value,
            "level": level,
            "name": {"zh": zh, "en": en},
            "admitted_at": now,
            "code_place": enrolment.place_of(text),
            "code_secret": enrolment.secret_of(text).hex(),
            "code_until": now + timedelta(days=CODE_DAYS),
        },
    )
    current().object("exchange_node", code)
    return text


@command("exchange.take_joining")
def take_joining(*, sent: Mapping[str, Any], actor: Actor, now: datetime) -> dict[str, Any]:
    """This function will take a lower node's request, sealed under its code, and answer with this node's key under the same seal.

    It waits then for the operator, who compares the fingerprint. The same request may come again. Raises `EnrolmentRefused`.
    """
    row = (
        tables.Node.objects.select_for_update()
        .filter(code_place=str(sent.get("place", "")), code_until__gt=now)
        .exclude(code_place="")
        .first()
    )
    if row is None:
        raise EnrolmentRefused
    secret = bytes.fromhex(row.code_secret)
    try:
        asked = nodes.read_joining(sent, secret=secret)
    except ConfigurationError as error:
        raise EnrolmentRefused from error
    if (asked.node, asked.level) != (row.code, row.level) or row.state not in (
        NodeState.INVITED.value,
        NodeState.REQUESTED.value,
    ):
        raise EnrolmentRefused
    if row.state == NodeState.REQUESTED.value and row.public != asked.public:
        raise EnrolmentRefused
    row.state, row.address = NodeState.REQUESTED.value, asked.address
    row.algorithm, row.public = asked.algorithm, asked.public
    row.save(update_fields=["state", "address", "algorithm", "public"])
    current().object("exchange_node", row.code)
    own = _own()
    return enrolment.seal_answer(
        {
            "node": own.code,
            "level": own.level,
            "zh": own.name["zh"],
            "en": own.name.get("en", ""),
            "algorithm": issuing.OperatorKey.algorithm,
            "public": issuing.operator_public(),
        },
        secret=secret,
    )


@command("exchange.approve_node")
def approve_node(*, node: str, fingerprint: str, actor: Actor, now: datetime) -> None:
    """This function will let a lower node exchange, after its key's fingerprint was compared with its operator.

    Raises `FingerprintDiffers`, `NodeNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _node(node, NodeState.REQUESTED)
    said = "".join(fingerprint.split()).lower()
    whole = enrolment.fingerprint(algorithm=row.algorithm, public=row.public).replace(" ", "")
    if len(said) < 8 or not whole.startswith(said):
        raise FingerprintDiffers
    row.state, row.decided_at, row.code_place, row.code_secret = NodeState.LIVE.value, now, "", ""
    row.save(update_fields=["state", "decided_at", "code_place", "code_secret"])
    publish(NodeLive(code=row.code, relation=row.relation), now=now)
    current().object("exchange_node", row.code)
    issuing.mark_changed()


@command("exchange.revoke_node")
def revoke_node(*, node: str, actor: Actor, now: datetime) -> None:
    """This function will shut a lower node out, or leave the one above: what it gave is out of force from the next message on.

    Returns once every gateway and node that can be reached knows. Raises `NodeNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _node(node, NodeState.LIVE, NodeState.REQUESTED, NodeState.INVITED)
    row.state, row.decided_at, row.code_place, row.code_secret = NodeState.REVOKED.value, now, "", ""
    row.save(update_fields=["state", "decided_at", "code_place", "code_secret"])
    publish(NodeRevoked(code=row.code), now=now)
    current().object("exchange_node", row.code)
    issuing.mark_changed()
    issued = issuing.issue(now=now, restricts=True, cause="nodes")
    if issued is not None:
        transaction.on_commit(lambda: issuing.hand_over(issued, now=timezone.now()) and None)


@command("exchange.join_upper")
def join_upper(*, address: str, code: str, actor: Actor, now: datetime) -> str:
    """This function will ask the node at ``address`` to be admitted below it, with the code of its operator; give its code.

    Documents are pulled as soon as its operator has compared this node's fingerprint. Raises `NodeUnnamed`, `NodeKnown`,
    `NodeNotValid`, `EnrolmentRefused`, `NodeAwayError`, ``AccessRefused``. Cost: one question to the other node.
    """
    access.require(actor=actor, right=OPERATE)
    own = _own()
    if not nodes.ADDRESS.fullmatch(address):
        raise NodeNotValid
    if live(Relation.UPPER):
        raise NodeKnown
    joining = nodes.Joining(
        node=own.code,
        level=own.level,
        zh=own.name["zh"],
        en=own.name.get("en", ""),
        address=own.address,
        algorithm=issuing.OperatorKey.algorithm,
        public=issuing.operator_public(),
    )
    try:
        sent = nodes.seal_joining(joining, code=code, signer=issuing.OperatorKey())
        with carrying.connect(address, own.code) as other:
            found = other.ask("POST", nodes.JOININGS, json.dumps(sent).encode())
        if found.status != 201:
            raise EnrolmentRefused
        answer = enrolment.read_answer(json.loads(found.content), code=code)
    except CentreError as error:
        raise NodeAwayError("The node above does not answer.") from error
    except (ConfigurationError, ValueError, AttributeError) as error:
        raise EnrolmentRefused from error
    upper, level = str(answer.get("node", "")), str(answer.get("level", ""))
    if not nodes.NODE.fullmatch(upper) or not nodes.is_below(own.level, level):
        raise NodeNotValid
    known = tables.Node.objects.filter(code=upper).first()
    if known is not None and (known.state, known.relation) != (NodeState.REVOKED.value, Relation.UPPER.value):
        raise NodeKnown
    tables.Node.objects.update_or_create(
        code=upper,
        defaults={
            "relation": Relation.UPPER.value,
            "state": NodeState.LIVE.value,
            "level": level,
            "name": {"zh": str(answer.get("zh", upper)), "en": str(answer.get("en", ""))},
            "address": address,
            "algorithm": str(answer.get("algorithm", "")),
            "public": str(answer.get("public", "")),
            "admitted_at": now,
            "decided_at": now,
            "taken": {},
            "taken_digest": "",
        },
    )
    publish(NodeLive(code=upper, relation=Relation.UPPER.value), now=now)
    current().object("exchange_node", upper)
    issuing.mark_changed()
    return upper


@command("exchange.ask_above")
def ask_above(
    *,
    resource: str,
    consumer: str,
    items: Sequence[str],
    days: int,
    scenario: str,
    legal_basis: str,
    actor: Actor,
    now: datetime,
) -> UUID:
    """This function will ask the node above, for a member of ours, for items of a resource that it offers; give the request.

    It is carried within seconds; its state and grant come back. Raises `EntryNotFound`, `AskRefused`, `MemberNotFound`,
    ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    if not models.Member.objects.filter(code=consumer).exists():
        raise MemberNotFound
    if not scenario.strip() or not legal_basis.strip() or not 1 <= days <= MOST_DAYS:
        raise AskRefused
    for node in live(Relation.UPPER):
        entry = next((one for one in documents.entries_of(node) if one["code"] == resource), None)
        if entry is None or not items or not set(items) <= {one["code"] for one in entry["items"]}:
            continue
        row = tables.Ask.objects.create(
            resource=resource,
            consumer=consumer,
            target=node.code,
            items=sorted(set(items)),
            days=days,
            scenario=scenario.strip()[:500],
            legal_basis=legal_basis.strip()[:500],
            asked_at=now,
        )
        current().object("exchange_ask", row.id)
        issuing.mark_changed()
        return row.id
    raise EntryNotFound


def _own() -> tables.OwnNode:
    row = tables.OwnNode.objects.filter(id=1).first()
    if row is None:
        raise NodeUnnamed
    return row


def _node(code: str, *states: NodeState) -> tables.Node:
    row = tables.Node.objects.select_for_update().filter(code=code, state__in=[one.value for one in states]).first()
    if row is None:
        raise NodeNotFound
    return row
