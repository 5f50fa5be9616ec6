"""Comparisons that were asked for. Private to the room."""

from __future__ import annotations

from django.db import models

from furong.foundation.codes.ids import new_id


class Match(models.Model):
    """A file to compare, who asked and why, how far it is, and where its answers lie."""

    id = models.UUIDField(primary_key=True, default=new_id)
    account_id = models.UUIDField()
    post_id = models.UUIDField()
    organization_id = models.UUIDField(null=True)
    division_code = models.TextField(default="")
    assurance = models.SmallIntegerField()
    post_label = models.TextField(default="")
    organization_label = models.TextField(default="")
    purpose = models.TextField()
    legal_basis = models.TextField()
    case_id = models.UUIDField(null=True)
    fields = models.JSONField(default=list)
    file_name = models.TextField()
    is_parquet = models.BooleanField(default=False)
    rows = models.BigIntegerField()
    position = models.BigIntegerField(default=0)
    state = models.TextField(default="waiting")  # values.MatchState
    given_digest = models.TextField()  # of the staged file, in storage
    result_digest = models.TextField(default="")
    counts = models.JSONField(default=dict)
    problem = models.TextField(default="")
    mend = models.TextField(default="")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        app_label = "population"
        db_table = "population_match"
        indexes = (
            models.Index(fields=["account_id", "asked_at"], name="population_match_asker"),
            models.Index(fields=["state", "expires_at"], name="population_match_state"),
        )
