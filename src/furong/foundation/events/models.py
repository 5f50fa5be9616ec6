"""Outbox, inbox and failed deliveries, in every database. Private to the room."""

from __future__ import annotations

from django.db import models


class Outbox(models.Model):
    """Events of this database. ``dispatched_at`` is set once every handler has it or has a failed delivery of its own."""

    id = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()
    name = models.TextField()
    payload = models.JSONField()
    occurred_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "events_outbox"
        indexes = (
            models.Index(fields=("seq",), name="events_outbox_waiting", condition=models.Q(dispatched_at__isnull=True)),
            models.Index(fields=("dispatched_at",), name="events_outbox_dispatched"),
        )


class Failed(models.Model):
    """A delivery to one handler that failed: tried again at ``next_at``; a dead letter once ``dead_at`` is set."""

    pk = models.CompositePrimaryKey("event_id", "handler")
    event_id = models.UUIDField()
    handler = models.TextField()
    attempts = models.IntegerField()
    next_at = models.DateTimeField()
    last_error = models.TextField()
    dead_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "events_failed"
        indexes = (
            models.Index(fields=("next_at",), name="events_failed_due", condition=models.Q(dead_at__isnull=True)),
        )


class Inbox(models.Model):
    """What a handler of this database has handled; written in the transaction of the handler's effect."""

    pk = models.CompositePrimaryKey("source", "event_id", "handler")
    source = models.TextField()
    event_id = models.UUIDField()
    handler = models.TextField()
    handled_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "events_inbox"
