"""What `organizations` compiled: the rights of each post. Private to the room."""

from __future__ import annotations

from django.db import models


class PostRights(models.Model):
    """All rights of one post in one row, so that a change is one write and a decision one read."""

    post_id = models.UUIDField(primary_key=True)
    rights = models.JSONField()
    version = models.BigIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "access_post_rights"
