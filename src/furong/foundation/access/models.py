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


class SharedResource(models.Model):
    """A resource's terms as the catalogue compiled them (`terms.SharedResource`)."""

    code = models.TextField(primary_key=True)
    body = models.JSONField()

    class Meta:
        db_table = "access_shared_resource"


class CompiledGrant(models.Model):
    """A grant in force (`terms.CompiledGrant`). One that is suspended, revoked or over has no row."""

    id = models.UUIDField(primary_key=True)
    resource_code = models.TextField()
    organization_id = models.UUIDField()
    department = models.TextField(default="")  # empty unless lower organisations may use it too
    division_prefix = models.TextField(default="")
    body = models.JSONField()

    class Meta:
        db_table = "access_grant"
        indexes = (
            models.Index(fields=["resource_code", "organization_id"], name="access_grant_for"),
            models.Index(
                fields=["resource_code", "department"],
                condition=~models.Q(department=""),
                name="access_grant_below",
            ),
        )


class GrantUse(models.Model):
    """Readings under a grant on a local day; with a quota, what processes have reserved of it."""

    id = models.BigAutoField(primary_key=True)
    grant_id = models.UUIDField()
    day = models.DateField()
    calls = models.BigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "access_grant_use"
        constraints = (models.UniqueConstraint(fields=["grant_id", "day"], name="access_grant_use_day"),)


class TermsChange(models.Model):
    """One change of compiled terms: its number, and of which resource (empty: of many).

    Numbers are given in the order of commits: whoever changes terms holds the newest row's successor until the end.
    """

    number = models.BigIntegerField(primary_key=True)
    resource_codes = models.JSONField()
    stamp = models.UUIDField()  # tells the change from one of the same number in a database put back from a backup
    at = models.DateTimeField()

    class Meta:
        db_table = "access_terms_change"


class TermsEpoch(models.Model):
    """The number of the newest change, in one row that every change locks."""

    id = models.SmallIntegerField(primary_key=True)
    number = models.BigIntegerField()
    stamp = models.UUIDField()

    class Meta:
        db_table = "access_terms_epoch"


class Asked(models.Model):
    """How often an account asked a thing on a local day; blocks taken by processes count as asked."""

    pk = models.CompositePrimaryKey("actor_id", "what", "day")
    actor_id = models.UUIDField()
    what = models.TextField()
    day = models.DateField(db_index=True)
    times = models.BigIntegerField()

    class Meta:
        db_table = "access_asked"
