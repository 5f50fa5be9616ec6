"""Tables of the engine. The hot path is SQL (``sql/``); these classes exist for migrations and for reading the schema.

An instance that runs, its tokens and its waits live in small tables; what is over moves to tables partitioned by year.
A wait is a row that wakes a token: a task, a timer, a subscription or a job. What belongs to other rooms is named by
plain identifiers.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left


class Definition(models.Model):
    """A published process: immutable (a trigger refuses changes), addressed by the digest of all its files."""

    id = models.AutoField(primary_key=True)
    digest = models.CharField(max_length=64, unique=True)
    code = models.CharField(max_length=100)
    version = models.IntegerField()
    name = models.TextField()
    file = models.TextField()
    process_id = models.TextField()
    xml = models.BinaryField()
    resources = models.JSONField()  # name → text of a DMN file that goes with it
    start_messages = ArrayField(models.TextField())  # messages that start an instance
    published_at = models.DateTimeField()
    published_by = models.UUIDField(null=True)

    class Meta:
        db_table = "processes_definition"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="processes_definition_version")
        ]


class _InstanceColumns(models.Model):
    id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=100)
    version = models.IntegerField()  # counts steps
    next_token = models.IntegerField()
    business_key = models.TextField()
    organization_id = models.UUIDField(null=True)
    division_code = models.CharField(max_length=12)
    item_code = models.CharField(max_length=40)
    label = models.TextField()
    variables = models.JSONField()
    started_at = models.DateTimeField()
    started_by = models.UUIDField(null=True)

    class Meta:
        abstract = True


class Instance(_InstanceColumns):
    """A process that runs, pinned to its definition."""

    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10)  # running or suspended
    scoped = models.BooleanField(
        default=False, db_default=False
    )  # activities run inside others: it has rows in processes_scope

    class Meta:
        db_table = "processes_instance"
        indexes: ClassVar = [models.Index(fields=["business_key"], name="processes_instance_key")]


class InstanceEnded(_InstanceColumns):
    """A process that is over; partitioned by the year it ended."""

    definition_id = models.IntegerField()
    ended_at = models.DateTimeField()
    ending = models.CharField(max_length=10)
    reason = models.TextField()

    class Meta:
        db_table = "processes_instance_ended"
        managed = False


class _OfInstance(models.Model):
    """A row of a running instance; it goes when the instance ends."""

    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        abstract = True


class Token(_OfInstance):
    """Where an instance stands."""

    pk = models.CompositePrimaryKey("instance_id", "number")
    number = models.IntegerField()
    scope = models.IntegerField()
    element_id = models.TextField()
    arrived_by = models.TextField()
    stuck = models.BooleanField()

    class Meta:
        db_table = "processes_token"
        # One of ten thousand runs ends without the others being read.
        indexes: ClassVar = [models.Index(fields=["instance", "scope"], name="processes_token_scope")]


class Scope(_OfInstance):
    """What runs inside an activity: a sub-process, a called process, a run of a repeated activity, a compensation."""

    pk = models.CompositePrimaryKey("instance_id", "number")
    number = models.IntegerField()
    parent = models.IntegerField()
    path = ArrayField(models.IntegerField())  # the scopes around it, outermost first, and itself
    element_id = models.TextField()
    kind = models.SmallIntegerField()
    host = models.IntegerField()  # the token that waits for it
    done = models.BooleanField()
    data = models.JSONField()
    variables = models.JSONField(null=True)

    class Meta:
        db_table = "processes_scope"


class _TaskColumns(models.Model):
    id = models.UUIDField(primary_key=True)
    token = models.IntegerField()
    element_id = models.TextField()
    kind = models.CharField(max_length=40)
    title = models.TextField()
    department = models.CharField(max_length=40)
    organization_id = models.UUIDField(null=True)
    division_code = models.CharField(max_length=12)
    right_code = models.CharField(max_length=60)
    item_code = models.CharField(max_length=40)
    business_key = models.TextField()
    label = models.TextField()
    outcomes = ArrayField(models.TextField())
    priority = models.SmallIntegerField()
    state = models.CharField(max_length=10)
    claimed_by = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    yellow_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    # Where the task stands in a list: its deadline, or the end of time without one, so that a page's key is never null.
    rank_at = models.DateTimeField()

    class Meta:
        abstract = True


class Task(_TaskColumns):
    """One open task on somebody's work list; its id is the effect id of what is done in it."""

    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        db_table = "processes_task"
        constraints: ClassVar = [models.UniqueConstraint(fields=["instance", "token"], name="processes_task_token")]
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "rank_at", "id"], name="processes_task_organization"),
            # A county's and a city's list: equality first, so that the index gives the order too.
            models.Index(Left("division_code", 6), "rank_at", "id", name="processes_task_county"),
            # Wide lists filter many rows for few: what they filter by travels in the index, so that the table is not read.
            models.Index(
                Left("division_code", 4),
                "rank_at",
                "id",
                include=("division_code", "yellow_at", "item_code", "kind"),
                name="processes_task_city",
            ),
            models.Index(fields=["item_code", "rank_at", "id"], name="processes_task_item"),
            models.Index(fields=["rank_at", "id"], name="processes_task_rank"),
            models.Index(fields=["business_key"], name="processes_task_key"),
            models.Index(
                fields=["claimed_by", "rank_at"],
                name="processes_task_claimed",
                condition=Q(claimed_by__isnull=False),
            ),
            models.Index(
                fields=["escalated_at"], name="processes_task_escalated", condition=Q(escalated_at__isnull=False)
            ),
        ]


class TaskClosed(_TaskColumns):
    """A task that was completed or cancelled; partitioned by the year it was closed."""

    instance_id = models.UUIDField()
    closed_at = models.DateTimeField()
    closed_by = models.UUIDField(null=True)
    ending = models.CharField(max_length=10)
    outcome = models.TextField()

    class Meta:
        db_table = "processes_task_closed"
        managed = False


class TaskNote(models.Model):
    """What happened to a task between its creation and its end: claimed, released, handed over, escalated."""

    id = models.BigAutoField(primary_key=True)
    task_id = models.UUIDField()
    at = models.DateTimeField()
    verb = models.CharField(max_length=20)
    by = models.UUIDField(null=True)
    to = models.UUIDField(null=True)
    reason = models.TextField()

    class Meta:
        db_table = "processes_task_note"
        indexes: ClassVar = [models.Index(fields=["task_id"], name="processes_task_note_task")]


class Timer(_OfInstance):
    """Wakes a token at a time, or (``escalates``) marks its task."""

    id = models.UUIDField(primary_key=True)
    token = models.IntegerField()
    element_id = models.TextField()
    due_at = models.DateTimeField()
    escalates = models.BooleanField()
    repeats = models.IntegerField(null=True, default=0, db_default=0)  # how often again; null is without end

    class Meta:
        db_table = "processes_timer"
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="processes_timer_due"),
            models.Index(fields=["instance", "token"], name="processes_timer_token"),
        ]


class StartTimer(models.Model):
    """When a timer start event of the newest version of a process starts an instance next."""

    id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=100)
    definition_id = models.IntegerField()
    element_id = models.TextField()
    due_at = models.DateTimeField()
    repeats = models.IntegerField(null=True)

    class Meta:
        db_table = "processes_start_timer"
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="processes_start_timer_due"),
            models.Index(fields=["code"], name="processes_start_timer_code"),
        ]


class Subscription(_OfInstance):
    """Wakes a token when a message with this name and key comes."""

    id = models.UUIDField(primary_key=True)
    token = models.IntegerField()
    element_id = models.TextField()
    message = models.TextField()
    correlation = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "processes_subscription"
        indexes: ClassVar = [
            models.Index(fields=["correlation", "message"], name="processes_subscription_key"),
            models.Index(fields=["instance", "token"], name="processes_subscription_token"),
        ]


class Job(models.Model):
    """Work for a worker, or an incident that an administrator ends. Its id is the effect id of what a handler does.

    A message that was thrown (``token`` is null) may outlive its instance, so there is no foreign key.
    """

    id = models.UUIDField(primary_key=True)
    instance_id = models.UUIDField()
    token = models.IntegerField(null=True)
    element_id = models.TextField()
    kind = models.CharField(max_length=10)
    state = models.CharField(max_length=10)
    payload = models.JSONField(null=True)
    message = models.TextField()
    correlation = models.TextField()
    attempts = models.SmallIntegerField()
    run_at = models.DateTimeField()
    reason = models.TextField()
    detail = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "processes_job"
        indexes: ClassVar = [
            models.Index(fields=["run_at"], name="processes_job_due", condition=~Q(state="incident")),
            models.Index(fields=["created_at"], name="processes_job_incident", condition=Q(state="incident")),
            models.Index(fields=["instance_id", "token"], name="processes_job_token"),
        ]


class Log(models.Model):
    """What each token did and when: append-only, partitioned by year; heat maps and mining read it."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    instance_id = models.UUIDField()
    definition_id = models.IntegerField()
    kind = models.SmallIntegerField()
    element_id = models.TextField()
    arrived_by = models.TextField()
    token = models.IntegerField()
    by = models.UUIDField(null=True)

    class Meta:
        db_table = "processes_log"
        managed = False
