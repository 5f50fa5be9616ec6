"""Keys of jobs deferred once. The jobs themselves are procrastinate's."""

from __future__ import annotations

from django.db import models


class Deferred(models.Model):
    """A key under which a job was deferred: a second one under the same key is not."""

    key = models.TextField(primary_key=True)
    job = models.TextField()
    job_id = models.BigIntegerField()
    deferred_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "jobs_deferred"
