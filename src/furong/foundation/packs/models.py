"""Tables of packs. Definitions and releases are only ever added; triggers refuse changes."""

from __future__ import annotations

from django.db import models

from furong.foundation.codes.ids import new_id


class Definition(models.Model):
    """Bytes of a definition, addressed by their SHA-256."""

    digest = models.CharField(primary_key=True, max_length=64)
    media_type = models.CharField(max_length=100)
    content = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "pack_definition"


class Release(models.Model):
    """A version of a definition; without a digest it was withdrawn from its day on."""

    id = models.UUIDField(primary_key=True, default=new_id)
    kind = models.CharField(max_length=40)
    code = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    digest = models.ForeignKey(Definition, on_delete=models.PROTECT, null=True, db_column="digest", related_name="+")
    in_force_from = models.DateField()
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=200)
    origin = models.CharField(max_length=20)
    pack = models.CharField(max_length=64)
    path = models.CharField(max_length=300)

    class Meta:
        db_table = "pack_release"
        constraints = (
            models.UniqueConstraint(fields=("kind", "code", "version"), name="pack_release_version"),
            models.CheckConstraint(condition=models.Q(origin__in=("pack", "workbench")), name="pack_release_origin"),
        )
        indexes = (models.Index(fields=("kind", "code", "-in_force_from", "-version"), name="pack_release_current"),)


class Sync(models.Model):
    """Which release the pack's file and the database last agreed on; what differs from both is drift."""

    kind = models.CharField(max_length=40)
    code = models.CharField(max_length=64)
    pack = models.CharField(max_length=64)
    path = models.CharField(max_length=300)
    digest = models.CharField(max_length=64, blank=True)
    synced_at = models.DateTimeField()

    class Meta:
        db_table = "pack_sync"
        constraints = (models.UniqueConstraint(fields=("kind", "code"), name="pack_sync_definition"),)
