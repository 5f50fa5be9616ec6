"""What waits to be indexed, what sources looked like when they were last followed, and what was searched for.

Private to this room.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.domains.search.store.models import Import, ImportNote, KeptOut, Page, Site

__all__ = ["BestBet", "Change", "Import", "ImportNote", "KeptOut", "Page", "Site", "Stamp", "Tally"]


class Change(models.Model):
    """A document of the index is not what the database says any more. Kept for days:

    a rebuild repeats what changed meanwhile.
    """

    key = models.CharField(max_length=200)
    at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["id"], condition=Q(applied_at__isnull=True), name="search_change_waiting"),
            models.Index(fields=["applied_at"], name="search_change_applied"),
        )


class Stamp(models.Model):
    """How a document of a source that sends no events looked when it was last followed."""

    key = models.CharField(max_length=200, primary_key=True)
    source = models.CharField(max_length=40)
    stamp = models.CharField(max_length=100)

    class Meta:
        indexes = (models.Index(fields=["source"], name="search_stamp_source"),)


class Tally(models.Model):
    """How often something was asked on a day, and what came of it. The words are rid of personal data;

    nobody's trace is kept.
    """

    day = models.DateField()
    token = models.CharField(max_length=16)
    words = models.CharField(max_length=200)
    searches = models.PositiveIntegerField(default=0)
    without_result = models.PositiveIntegerField(default=0)
    clicks = models.PositiveIntegerField(default=0)
    ranks = models.PositiveIntegerField(default=0)  # the sum of the places of what was opened; the first is 1

    class Meta:
        constraints = (models.UniqueConstraint(fields=["day", "token"], name="search_tally_once"),)


class BestBet(models.Model):
    """What an editor puts on top for a question, until a day."""

    words = models.CharField(max_length=200)
    folded = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    address = models.CharField(max_length=500)
    note = models.CharField(max_length=500, blank=True, default="")
    owner_id = models.UUIDField()  # the organisation that answers for it
    owner_label = models.TextField()
    until_on = models.DateField()  # exclusive
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["folded"], condition=Q(ended_at__isnull=True), name="search_best_bet_open"),)
