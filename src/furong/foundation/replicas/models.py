"""The beat of the platform. Private to the room."""

from __future__ import annotations

from django.db import models


class Beat(models.Model):
    """One row: the platform's own clock, as of which a copy is whole."""

    id = models.SmallIntegerField(primary_key=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "replicas_beat"
