"""The register of stored files. Private to the room."""

from __future__ import annotations

from django.db import models


class File(models.Model):
    """One content. ``digest`` is SHA-256 in lower-case hexadecimal."""

    digest = models.TextField(primary_key=True)
    size = models.BigIntegerField()
    media_type = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "storage_file"
        constraints = (
            models.CheckConstraint(condition=models.Q(digest__regex=r"^[0-9a-f]{64}$"), name="storage_file_digest"),
            models.CheckConstraint(condition=models.Q(size__gte=0), name="storage_file_size"),
        )
