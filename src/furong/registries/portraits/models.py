"""The portrait register's tables. Private to this room."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from furong.foundation.codes.ids import new_id


class Portrait(models.Model):
    """One picture of one person, and how it stands. Rows are never deleted by a successor."""

    id = models.UUIDField(primary_key=True, default=new_id)
    effect_id = models.UUIDField(unique=True)
    person_id = models.UUIDField()
    digest = models.TextField()  # SHA-256 of the bytes, which `foundation.storage` keeps
    size = models.IntegerField()
    width = models.SmallIntegerField()
    height = models.SmallIntegerField()
    head_share = models.FloatField()
    doubts = ArrayField(models.TextField(), default=list)  # values.Doubt
    state = models.TextField()  # values.PortraitState
    division_code = models.TextField(default="")  # where the person is registered
    organization_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    taken_on = models.DateField()
    recorded_at = models.DateTimeField()
    reviewed_by_post_id = models.UUIDField(null=True)
    reason = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person_id"], condition=Q(state="held"), name="portraits_one_held"),
            models.UniqueConstraint(fields=["person_id"], condition=Q(state="review"), name="portraits_one_in_review"),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="portraits_digest"),
        )
        indexes = (
            models.Index(fields=["person_id", "-recorded_at"], name="portraits_person"),
            models.Index(fields=["digest"], name="portraits_digest_of"),
            models.Index(fields=["division_code", "id"], condition=Q(state="review"), name="portraits_waiting"),
        )


class Intent(models.Model):
    """Bytes that are about to be put away: committed before they are, gone with the record's commit.

    What is left of it after an hour is bytes that a killed process left without a record.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.TextField(db_index=True)
    noted_at = models.DateTimeField()

    class Meta:
        db_table = "portraits_intent"


class Damaged(models.Model):
    """A record whose bytes were found gone or changed, until somebody settled it or they were whole again."""

    id = models.UUIDField(primary_key=True, default=new_id)
    portrait = models.ForeignKey(Portrait, on_delete=models.PROTECT, related_name="+", db_index=False)
    damage = models.TextField()  # values.Damage
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by_post_id = models.UUIDField(null=True)
    note = models.TextField(default="")

    class Meta:
        db_table = "portraits_damaged"
        constraints = (
            models.UniqueConstraint(fields=["portrait"], condition=Q(settled_at__isnull=True), name="portraits_damage"),
        )


class SweepState(models.Model):
    """How far the integrity sweep is; one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    after = models.UUIDField(null=True)
    looked_at = models.BigIntegerField(default=0)
    round_started_at = models.DateTimeField(null=True)
    last_round_ended_at = models.DateTimeField(null=True)
    last_round_looked_at = models.BigIntegerField(default=0)

    class Meta:
        db_table = "portraits_sweep"
