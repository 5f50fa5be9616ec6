"""Who takes part in the exchange, what was issued to gateways, and what they reported. Private to this room."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.domains.exchange.nodes import models as nodes_models  # noqa: F401 - registers the tables of that part
from furong.domains.exchange.values import GatewayState, MemberState
from furong.foundation.codes.ids import new_id


class Member(models.Model):
    """An organisation that takes part."""

    code = models.CharField(primary_key=True, max_length=24)
    organization_id = models.UUIDField(unique=True)
    division_code = models.CharField(max_length=12)
    name = models.JSONField()
    state = models.TextField(default=MemberState.ACTIVE.value)
    admitted_at = models.DateTimeField()
    # A code for enrolling a gateway: what it is found by, and the secret made from it. Emptied by its use.
    code_place = models.CharField(max_length=32, default="", db_index=True)
    code_secret = models.CharField(max_length=64, default="")
    code_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in MemberState]), name="exchange_member_state"
            ),
        )


class Gateway(models.Model):
    """A member's gateway: how it was enrolled, where it is, what it holds, and its last report."""

    code = models.CharField(primary_key=True, max_length=40)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="gateways")
    authority = models.TextField()
    address = models.TextField()
    state = models.TextField(default=GatewayState.REQUESTED.value)
    key_id = models.CharField(max_length=128, unique=True)
    algorithm = models.CharField(max_length=16)
    public = models.TextField()
    software = models.TextField(default="")
    # Where other gateways meet it, and by which certificates (DER in base64, the newest first, two while one is replaced).
    peer_address = models.TextField(default="")
    peer_certificates = models.JSONField(default=list)
    requested_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    held_serial = models.BigIntegerField(default=0)
    held_at = models.DateTimeField(null=True)
    told_serial = models.BigIntegerField(default=0)  # the newest restricting configuration that was handed to it
    told_error = models.TextField(default="")  # why it could not be handed over; empty once it holds it
    reported_at = models.DateTimeField(null=True)
    report = models.JSONField(default=dict)
    boot = models.TextField(default="")
    number = models.BigIntegerField(default=0)
    head_size = models.BigIntegerField(default=0)
    head_finding = models.TextField(default="")  # a log that shrank or changed

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in GatewayState]), name="exchange_gateway_state"
            ),
        )


class Key(models.Model):
    """A public key of a member's system or gateway."""

    key_id = models.CharField(primary_key=True, max_length=128)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="keys")
    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT, related_name="keys", null=True)
    system = models.CharField(max_length=24, default="")
    algorithm = models.CharField(max_length=16)
    public = models.TextField(unique=True)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    handover = models.JSONField(null=True)  # of a gateway's renewed key: signed by the key before it and by this one


class Service(models.Model):
    """A resource of the catalogue published through a gateway."""

    code = models.CharField(primary_key=True, max_length=40)
    resource_code = models.CharField(max_length=64, db_index=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="services")
    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT, related_name="services")
    rows_at = models.TextField(default="rows")
    is_platforms = models.BooleanField(default=False)  # the platform serves the rows itself
    is_on = models.BooleanField(default=True)
    published_at = models.DateTimeField()


class Configuration(models.Model):
    """One issued configuration. Rows are only added; old ones that only refreshed the time are thrown away."""

    serial = models.BigIntegerField(primary_key=True)
    issued_at = models.DateTimeField()
    digest = models.CharField(max_length=64)  # of what it says, without serial and time
    restricts = models.BooleanField(default=False)
    cause = models.TextField(default="")
    counts = models.JSONField()
    file = models.BinaryField()


class Issue(models.Model):
    """The one row that everybody who issues locks: the newest serial, and the terms it was compiled from."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    serial = models.BigIntegerField(default=0)
    terms = models.BigIntegerField(default=-1)
    changed = models.BigIntegerField(default=0)  # counts changes of members, keys, gateways and services
    compiled = models.BigIntegerField(default=-1)  # the count of the newest serial


class Traffic(models.Model):
    """Messages of a minute through a gateway, by consumer, service and outcome."""

    id = models.BigAutoField(primary_key=True)
    gateway = models.CharField(max_length=40)
    minute = models.DateTimeField()
    consumer = models.CharField(max_length=24, default="")
    service = models.CharField(max_length=40, default="")
    outcome = models.CharField(max_length=40)  # ok, or the code of the refusal
    messages = models.BigIntegerField()
    buckets = models.JSONField()  # messages by time taken, as values.BOUNDS_MS

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["minute", "gateway", "consumer", "service", "outcome"], name="exchange_traffic_once"
            ),
        )


class LogHead(models.Model):
    """A signed head of a gateway's log as it was reported: kept outside the gateway, it shows a log that was rolled back."""

    id = models.UUIDField(primary_key=True, default=new_id)
    gateway = models.CharField(max_length=40)
    log = models.TextField()
    size = models.BigIntegerField()
    root = models.CharField(max_length=64)
    at = models.TextField()
    head = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["gateway", "log", "size"], name="exchange_head_once"),)
