"""Messages and what became of them. Private to the room."""

from __future__ import annotations

from django.db import models


class MessageRow(models.Model):
    """A message to an account, or to a person who has none yet and will find it when they do."""

    id = models.UUIDField(primary_key=True)
    account_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    template = models.TextField()
    params = models.JSONField()
    case_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    key = models.TextField(null=True, unique=True)

    class Meta:
        db_table = "notices_message"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(account_id__isnull=False) | models.Q(person_id__isnull=False),
                name="notices_message_to_somebody",
            ),
        )
        indexes = (
            models.Index(fields=("account_id", "-created_at"), name="notices_of_account"),
            models.Index(
                fields=("person_id", "-created_at"),
                name="notices_of_person",
                condition=models.Q(account_id__isnull=True),
            ),
            models.Index(fields=("account_id",), name="notices_unread", condition=models.Q(read_at__isnull=True)),
        )


class DeliveryRow(models.Model):
    """What a channel did with a message."""

    pk = models.CompositePrimaryKey("message_id", "channel")
    message_id = models.UUIDField()
    channel = models.TextField()
    state = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "notices_delivery"


class SmsTwinRow(models.Model):
    """A short text that the twin took; the recipient is masked."""

    message_id = models.UUIDField(primary_key=True)
    recipient = models.TextField()
    text = models.TextField()
    sent_at = models.DateTimeField()

    class Meta:
        db_table = "notices_sms_twin"
