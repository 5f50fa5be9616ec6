"""The tables of identity cards. Private to this room."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.foundation.codes.ids import new_id

_OPEN = ["photo_check", "ready", "ordered", "produced", "delivered"]


class Card(models.Model):
    """One card: who it is for, what stands on it, how far it is."""

    id = models.UUIDField(primary_key=True, default=new_id)
    effect_id = models.UUIDField(unique=True)
    effect_digest = models.TextField()
    person_id = models.UUIDField()
    kind = models.TextField()  # values.Kind
    reason = models.TextField()  # values.Reason
    state = models.TextField()  # values.State
    facts = models.JSONField()  # texts by the names of values.FACTS
    portrait_id = models.UUIDField(null=True)
    division_code = models.TextField()
    organization_id = models.UUIDField(null=True)  # which took the application
    applied_at = models.DateTimeField()
    due_on = models.DateField()
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    chip = models.TextField(default="")
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person_id", "kind"], condition=Q(state__in=_OPEN), name="identity_cards_one_open"
            ),
            models.UniqueConstraint(
                fields=["person_id", "kind"], condition=Q(state="valid"), name="identity_cards_one_valid"
            ),
            models.UniqueConstraint(fields=["chip"], condition=~Q(chip=""), name="identity_cards_chip"),
        )
        indexes = (
            models.Index(fields=["person_id", "-applied_at"], name="identity_cards_person"),
            models.Index(
                fields=["division_code", "state", "applied_at"], condition=Q(state__in=_OPEN), name="identity_cards_way"
            ),
            models.Index(fields=["valid_until"], condition=Q(state="valid"), name="identity_cards_expiring"),
        )


class CardEvent(models.Model):
    """One step of a card. Never changed."""

    id = models.BigAutoField(primary_key=True)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="+")
    step = models.TextField()  # values.Step
    at = models.DateTimeField()
    organization_label = models.TextField(default="")
    post_id = models.UUIDField(null=True)
    note = models.TextField(default="")

    class Meta:
        db_table = "identity_cards_event"


class Batch(models.Model):
    """An order to the factory."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.TextField(unique=True)
    ordered_at = models.DateTimeField()
    organization_id = models.UUIDField(null=True)
    division_prefix = models.TextField(default="")
    cards = models.IntegerField()

    class Meta:
        db_table = "identity_cards_batch"


class Production(models.Model):
    """One attempt to make one card; its key is what factory and platform call it by."""

    id = models.UUIDField(primary_key=True, default=new_id)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="+")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="+")
    state = models.TextField(default="ordered")  # ordered | made | defective | withdrawn
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_cards_production"
        constraints = (
            models.UniqueConstraint(
                fields=["card"], condition=Q(state__in=["ordered", "made"]), name="identity_cards_made_once"
            ),
        )


class Return(models.Model):
    """A file of the factory: taken once, by its digest."""

    id = models.UUIDField(primary_key=True, default=new_id)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="+")
    digest = models.TextField()
    taken_at = models.DateTimeField()
    rows = models.JSONField()  # [line, reference, outcome, note]

    class Meta:
        db_table = "identity_cards_return"
        constraints = (models.UniqueConstraint(fields=["batch", "digest"], name="identity_cards_return_once"),)


class Mismatch(models.Model):
    """A fact that a card shows otherwise than the register. Its key is the effect of the correction."""

    id = models.UUIDField(primary_key=True, default=new_id)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="+")
    person_id = models.UUIDField()
    division_code = models.TextField()
    fact = models.TextField()
    on_card = models.TextField()
    in_register = models.TextField()
    verdict = models.TextField(default="open")  # values.Verdict
    found_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by_post_id = models.UUIDField(null=True)
    decided_by_organization_id = models.UUIDField(null=True)
    evidence = models.TextField(default="")
    note = models.TextField(default="")  # why the register refused the correction

    class Meta:
        db_table = "identity_cards_mismatch"
        constraints = (
            models.UniqueConstraint(
                fields=["card", "fact"],
                condition=Q(verdict__in=["open", "correcting"]),
                name="identity_cards_mismatch_one",
            ),
        )
        indexes = (
            models.Index(fields=["division_code"], condition=Q(verdict="open"), name="identity_cards_mismatches"),
        )
