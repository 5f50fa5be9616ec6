"""Writes of the cascade: this node's name, nodes admitted and joined, shut out and left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from furong.domains.exchange import issuing
from furong.domains.exchange.errors import FingerprintDiffers
from furong.domains.exchange.nodes import carrying
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.errors import (
    EnrolmentRefused,
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
    """Say what this node is called, on which level it stands, and where other nodes reach its platform.

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
    """Invite a lower node and give the one-time code with which it joins; again for one that has not joined.

    The code is good for seven days; it is told here and kept nowhere. Raises `NodeUnnamed`, `NodeNotValid`, `NodeKnown`,
    ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    own = get_own_row()
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
    """Take a lower node's request, sealed under its code, and answer with this node's key under the same seal.

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
    waiting = (NodeState.INVITED.value, NodeState.REQUESTED.value, NodeState.REKEYING.value)
    if (asked.node, asked.level) != (row.code, row.level) or row.state not in waiting or asked.public in row.spent:
        raise EnrolmentRefused
    if row.state != NodeState.INVITED.value and row.public not in ("", asked.public):
        raise EnrolmentRefused
    if row.state == NodeState.INVITED.value:
        row.state = NodeState.REQUESTED.value
    row.address, row.key_number = asked.address, int(asked.number)
    row.algorithm, row.public = asked.algorithm, asked.public
    row.save(update_fields=["state", "address", "algorithm", "public", "key_number"])
    current().object("exchange_node", row.code)
    own, key = get_own_row(), issuing.OperatorKey()
    return enrolment.seal_answer(
        {
            "node": own.code,
            "level": own.level,
            "zh": own.name["zh"],
            "en": own.name.get("en", ""),
            "algorithm": key.algorithm,
            "public": key.public,
            "number": key.number,
        },
        secret=secret,
    )


@command("exchange.approve_node")
def approve_node(*, node: str, fingerprint: str, actor: Actor, now: datetime) -> None:
    """Let a lower node exchange, after its key's fingerprint was compared with its operator.

    Raises `FingerprintDiffers`, `NodeNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = get_row(node, NodeState.REQUESTED, NodeState.REKEYING)
    if not row.public:
        raise NodeNotFound  # it has not named a new key yet
    said = "".join(fingerprint.split()).lower()
    whole = enrolment.fingerprint(algorithm=row.algorithm, public=row.public).replace(" ", "")
    if len(said) < 8 or not whole.startswith(said):
        raise FingerprintDiffers
    row.state, row.decided_at, row.code_place, row.code_secret = NodeState.LIVE.value, now, "", ""
    row.given_digest = ""  # it is told anew
    row.save(update_fields=["state", "decided_at", "code_place", "code_secret", "given_digest"])
    publish(NodeLive(code=row.code, relation=row.relation), now=now)
    current().object("exchange_node", row.code)
    issuing.mark_changed()


@command("exchange.revoke_node")
def revoke_node(*, node: str, actor: Actor, now: datetime) -> None:
    """Shut a lower node out, or leave the one above: what it gave is out of force from the next message on.

    Returns once every gateway and node that can be reached knows. Raises `NodeNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = get_row(node, NodeState.LIVE, NodeState.REKEYING, NodeState.REQUESTED, NodeState.INVITED)
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
    """Ask the node at ``address`` to be admitted below it, with the code of its operator; give its code.

    Documents are pulled as soon as its operator has compared this node's fingerprint. Raises `NodeUnnamed`, `NodeKnown`,
    `NodeNotValid`, `EnrolmentRefused`, `NodeAwayError`, ``AccessRefused``. Cost: one question to the other node.
    """
    access.require(actor=actor, right=OPERATE)
    own = get_own_row()
    if not nodes.ADDRESS.fullmatch(address):
        raise NodeNotValid
    if live(Relation.UPPER):
        raise NodeKnown
    try:
        sent = nodes.seal_joining(own_joining(own), code=code, signer=issuing.OperatorKey())
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
            "key_number": int(answer["number"]) if str(answer.get("number", "")).isdecimal() else 1,
            "before": "",
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


def get_own_row() -> tables.OwnNode:
    """Give what this node is called. Raises `NodeUnnamed`."""
    row = tables.OwnNode.objects.filter(id=1).first()
    if row is None:
        raise NodeUnnamed
    return row


def own_joining(own: tables.OwnNode) -> nodes.Joining:
    """Give what this node says of itself to the one above."""
    key = issuing.OperatorKey()
    return nodes.Joining(
        node=own.code,
        level=own.level,
        zh=own.name["zh"],
        en=own.name.get("en", ""),
        address=own.address,
        algorithm=key.algorithm,
        public=key.public,
        number=str(key.number),
    )


def get_row(code: str, *states: NodeState) -> tables.Node:
    """Give another node in one of ``states``, locked. Raises `NodeNotFound`."""
    row = tables.Node.objects.select_for_update().filter(code=code, state__in=[one.value for one in states]).first()
    if row is None:
        raise NodeNotFound
    return row
