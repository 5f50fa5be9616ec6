"""This node, the nodes above and below, and requests between them. Private to the exchange; its models register them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.domains.exchange.nodes.values import AskState, NodeState, Relation
from furong.foundation.codes.ids import new_id


class OwnNode(models.Model):
    """What this node calls itself. One row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    code = models.CharField(max_length=40)
    level = models.CharField(max_length=10)
    name = models.JSONField()
    address = models.TextField()

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="exchange_own_node_one"),)


class Node(models.Model):
    """Another node: its key, what we gave it last, and what it gave us last."""

    code = models.CharField(primary_key=True, max_length=40)
    relation = models.CharField(max_length=5)
    state = models.CharField(max_length=10)
    level = models.CharField(max_length=10)
    name = models.JSONField()
    address = models.TextField(default="")
    algorithm = models.CharField(max_length=16, default="")
    public = models.TextField(default="")
    # What it handed over to that key, and until when it counts; and keys of its that never count again.
    key_number = models.PositiveIntegerField(default=1)
    before = models.TextField(default="")
    before_until = models.DateTimeField(null=True)
    spent = models.JSONField(default=list)
    # A code with which a lower node joins: what it is found by, and the secret made from it. Emptied by its use.
    code_place = models.CharField(max_length=32, default="", db_index=True)
    code_secret = models.CharField(max_length=64, default="")
    code_until = models.DateTimeField(null=True)
    admitted_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    given_serial = models.BigIntegerField(default=0)
    given_digest = models.CharField(max_length=64, default="")
    given_at = models.DateTimeField(null=True)
    given = models.BinaryField(default=b"")
    held_serial = models.BigIntegerField(default=0)  # which of ours it has taken
    told_error = models.TextField(default="")  # why a restriction could not be handed over
    taken_serial = models.BigIntegerField(default=0)
    taken_issued_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    taken_digest = models.CharField(max_length=64, default="")
    taken = models.JSONField(default=dict)
    proof = models.BinaryField(default=b"")  # the signed file itself

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(relation__in=[one.value for one in Relation]), name="exchange_node_relation"
            ),
            models.CheckConstraint(condition=Q(state__in=[one.value for one in NodeState]), name="exchange_node_state"),
            models.UniqueConstraint(
                fields=["relation"],
                condition=Q(relation=Relation.UPPER.value, state=NodeState.LIVE.value),
                name="exchange_node_one_above",
            ),
        )


class OperatorKey(models.Model):
    """A key of this node's operator. There is none while the first is in use."""

    number = models.PositiveIntegerField(primary_key=True)
    algorithm = models.CharField(max_length=16)
    public = models.TextField(unique=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)  # of one that was handed over: when it counts no more
    handover = models.JSONField(default=dict)  # by which it follows the one before; empty when that was lost


class Ask(models.Model):
    """A request for a resource of another node, on its way there or come from one, and the answer."""

    id = models.UUIDField(primary_key=True, default=new_id)
    resource = models.CharField(max_length=64)
    consumer = models.CharField(max_length=24)
    origin = models.CharField(max_length=40, default="", db_index=True)
    target = models.CharField(max_length=40, default="", db_index=True)
    items = models.JSONField(default=list)
    days = models.PositiveIntegerField()
    scenario = models.TextField()
    legal_basis = models.TextField()
    state = models.CharField(max_length=10, default=AskState.NEW.value)
    number = models.TextField(default="")
    note = models.TextField(default="")
    request_id = models.UUIDField(null=True)  # the catalogue's request that it became here
    organization_id = models.UUIDField(null=True, db_index=True)  # whose department proposed it
    division_code = models.CharField(max_length=12, default="")
    by = models.TextField(default="")
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(state__in=[one.value for one in AskState]), name="exchange_ask_state"),
        )
