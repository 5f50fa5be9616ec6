"""Pairs of entries, what was done about them, and searches. Private to the room; kept in the province's store alone."""

from __future__ import annotations

from django.db import models

from furong.foundation.codes.ids import new_id


class Duplicate(models.Model):
    """Two entries that may be one person. ``first`` has the smaller key, so that a pair stands once."""

    id = models.UUIDField(primary_key=True, default=new_id)
    first_person_id = models.UUIDField()
    second_person_id = models.UUIDField(db_index=True)
    first_division = models.TextField(default="")
    second_division = models.TextField(default="")
    probability = models.FloatField()
    likeness = models.JSONField(default=dict)
    state = models.TextField(default="open")  # values.DuplicateState
    found_at = models.DateTimeField()
    stands_as_person_id = models.UUIDField(null=True)
    household_id = models.UUIDField(null=True)  # of the entry that went, until then
    effect_id = models.UUIDField(null=True)  # of the act that is under way, or was the last
    change_id = models.UUIDField(null=True)  # the register's change that merged
    merged_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    asked_by = models.UUIDField(null=True)  # the account that asked for a parting after later acts

    class Meta:
        app_label = "population"
        db_table = "population_duplicate"
        constraints = (
            models.UniqueConstraint(fields=["first_person_id", "second_person_id"], name="population_duplicate_once"),
            models.CheckConstraint(
                condition=models.Q(first_person_id__lt=models.F("second_person_id")), name="population_duplicate_order"
            ),
        )
        indexes = (models.Index(fields=["state", "-probability"], name="population_duplicate_desk"),)


class DuplicateStep(models.Model):
    """One thing done about a pair; only ever added."""

    id = models.UUIDField(primary_key=True, default=new_id)
    duplicate = models.ForeignKey(Duplicate, on_delete=models.PROTECT, related_name="+")
    step = models.TextField()  # values.Step
    at = models.DateTimeField()
    account_id = models.UUIDField(null=True)
    post_label = models.TextField(default="")
    organization_label = models.TextField(default="")
    reason = models.TextField(default="")
    change_id = models.UUIDField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        app_label = "population"
        db_table = "population_duplicate_step"


class DuplicateSearch(models.Model):
    """A search of the register for people who stand in it twice."""

    id = models.UUIDField(primary_key=True, default=new_id)
    state = models.TextField(default="waiting")  # values.SearchState
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    people = models.BigIntegerField(default=0)
    pairs = models.BigIntegerField(default=0)

    class Meta:
        app_label = "population"
        db_table = "population_duplicate_search"
        constraints = (
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="waiting"), name="population_duplicate_one_search"
            ),
        )
