"""Changing keys between nodes: an operator's key hands over to its next; a lost or stolen one is replaced by a code."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from furong.domains.exchange import issuing, models
from furong.domains.exchange.nodes import carrying
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.commands import CODE_DAYS, get_own_row, get_row, own_joining
from furong.domains.exchange.nodes.errors import EnrolmentRefused, GraceNotValid, NodeAwayError, NodeNotFound
from furong.domains.exchange.nodes.events import NodeKeyTaken, OperatorKeyChanged
from furong.domains.exchange.nodes.joining import live
from furong.domains.exchange.nodes.values import NodeState, Relation
from furong.domains.exchange.values import OPERATE
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.events.commands import publish
from furong.foundation.signing import commands as signing
from furong.foundation.signing import queries as keys_kept
from furong_link import enrolment, nodes
from furong_link.centre import CentreError
from furong_link.errors import ConfigurationError
from furong_link.handover import FOLLOWED_SECONDS, MOST_GRACE_DAYS, KeyName, hand_over

EXCHANGE = Actor.system("exchange")


@command("exchange.rotate_operator_key")
def rotate_operator_key(*, grace_days: int, actor: Actor, now: datetime, is_lost: bool = False) -> int:
    """Make this node's operator a new key and use it at once; give its number.

    The old key hands over to the new one, and counts beside it for ``grace_days`` (0 to 30; 0 when it was stolen). Gateways and
    nodes follow with the next file they are given. With ``is_lost`` nothing is handed over: gateways go on with what they hold,
    for a day at most, until their members name the new key (``furong-gateway operator``), and the nodes around exchange keys
    anew by a code. Returns once every gateway and node that can be reached knows. Raises `GraceNotValid`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    if not 0 <= grace_days <= MOST_GRACE_DAYS:
        raise GraceNotValid(most=MOST_GRACE_DAYS)
    models.Issue.objects.get_or_create(id=1)
    models.Issue.objects.select_for_update().get(id=1)  # one at a time
    number = issuing.key_number()
    until = now if is_lost else now + timedelta(days=grace_days)
    old, new = issuing.OperatorKey(number), issuing.OperatorKey(number + 1)
    names = KeyName(old.algorithm, "" if is_lost else old.public), KeyName(new.algorithm, new.public)
    issuing.note_first_key(now=now)
    tables.OperatorKey.objects.filter(number=number).update(until=until)
    tables.OperatorKey.objects.create(
        number=number + 1,
        algorithm=new.algorithm,
        public=new.public,
        since=now,
        handover={} if is_lost else hand_over(number=number + 1, old=old, new=new, names=names, at=now, until=until),
    )
    publish(OperatorKeyChanged(number=number + 1, is_lost=is_lost), now=now)
    current().object("exchange_operator_key", str(number + 1))
    current().detail(grace_days=grace_days, lost=is_lost)
    issuing.mark_changed()
    issued = issuing.issue(now=now, restricts=True, cause="operator_key", anew=True)
    if issued is not None:
        transaction.on_commit(lambda: issuing.hand_over(issued, now=timezone.now()) and None)
    return number + 1


def retire(*, now: datetime) -> int:
    """Destroy the private halves of keys that count no more and that no file hands over from; say how many."""
    gone = tables.OperatorKey.objects.filter(until__lt=now - timedelta(seconds=FOLLOWED_SECONDS)).order_by("number")
    kept = [one.number for one in gone if keys_kept.is_kept(purpose=issuing.purpose_of(one.number))]
    for number in kept:
        destroy_operator_key(number=number, actor=EXCHANGE, now=now)
    return len(kept)


@command("exchange.destroy_operator_key")
def destroy_operator_key(*, number: int, actor: Actor, now: datetime) -> None:
    """Destroy the private half of one of this node's operator's keys, which counts no more.

    What it signed is still checked by its public half. Raises ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    if number == issuing.key_number():
        raise NodeNotFound  # the key in force
    current().object("exchange_operator_key", str(number))
    transaction.on_commit(lambda: signing.retire(purpose=issuing.purpose_of(number)) and None)


@command("exchange.revoke_node_key")
def revoke_node_key(*, node: str, is_stolen: bool, actor: Actor, now: datetime) -> str:
    """Take another node's key away, and give the one-time code by which it names a new one.

    From the next message on nothing counts that the old key signs. What the node said stays in force until its last document
    ends, a day at most; with ``is_stolen`` it is out of force at once. Members, requests and grants stay known. Of the node above
    the same is done by `rejoin_upper`. Returns once gateways and nodes know. Raises `NodeNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = get_row(node, NodeState.LIVE, NodeState.REKEYING)
    if row.relation != Relation.LOWER.value:
        raise NodeNotFound
    text = enrolment.new_code()
    spent = [*row.spent, *([row.public] if row.public and row.public not in row.spent else [])]
    row.spent, row.public, row.before, row.before_until = spent, "", "", None
    row.state = NodeState.REKEYING.value
    row.code_place, row.code_secret = enrolment.place_of(text), enrolment.secret_of(text).hex()
    row.code_until = now + timedelta(days=CODE_DAYS)
    if is_stolen:
        row.taken, row.taken_digest, row.ends_at = {}, "", None
    row.save()
    publish(NodeKeyTaken(code=row.code, is_stolen=is_stolen), now=now)
    current().object("exchange_node", row.code)
    current().detail(stolen=is_stolen)
    issuing.mark_changed()
    issued = issuing.issue(now=now, restricts=True, cause="nodes")
    if issued is not None:
        transaction.on_commit(lambda: issuing.hand_over(issued, now=timezone.now()) and None)
    return text


@command("exchange.rejoin_upper")
def rejoin_upper(*, code: str, actor: Actor, now: datetime) -> str:
    """Exchange keys anew with the node above, by the code that its operator gave; give that node's code.

    Needed when one of the two keys was lost. Documents pass again once the operator above has compared this node's fingerprint.
    Raises `NodeNotFound`, `EnrolmentRefused`, `NodeAwayError`, ``AccessRefused``. Cost: one question to the other node.
    """
    access.require(actor=actor, right=OPERATE)
    own = get_own_row()
    upper = next(iter(live(Relation.UPPER)), None)
    if upper is None:
        raise NodeNotFound
    try:
        sent = nodes.seal_joining(own_joining(own), code=code, signer=issuing.OperatorKey())
        with carrying.connect(upper.address, own.code) as other:
            found = other.ask("POST", nodes.JOININGS, json.dumps(sent).encode())
        if found.status != 201:
            raise EnrolmentRefused
        answer = enrolment.read_answer(json.loads(found.content), code=code)
        key = KeyName.of(f"{answer.get('algorithm')}:{answer.get('public')}")
    except CentreError as error:
        raise NodeAwayError("The node above does not answer.") from error
    except (ConfigurationError, ValueError, AttributeError) as error:
        raise EnrolmentRefused from error
    if answer.get("node") != upper.code:
        raise EnrolmentRefused
    row = get_row(upper.code, NodeState.LIVE)
    if key.public != row.public:
        row.spent = [*row.spent, row.public]
        row.before, row.before_until = "", None
    row.algorithm, row.public = key.algorithm, key.public
    row.key_number = int(answer["number"]) if str(answer.get("number", "")).isdecimal() else 1
    row.given_digest = ""  # it is told anew
    row.save(update_fields=["algorithm", "public", "key_number", "before", "before_until", "spent", "given_digest"])
    current().object("exchange_node", row.code)
    issuing.mark_changed()
    return row.code
