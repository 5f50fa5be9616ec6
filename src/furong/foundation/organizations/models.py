"""Tables of divisions, organisations, posts and appointments; private to the room."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from furong.foundation.codes.ids import new_id


class Division(models.Model):
    """An administrative division in one period of its life; a renamed or recoded division is a new row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=12)
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=200, blank=True, default="")
    name_pinyin = models.CharField(max_length=300, blank=True, default="")
    level = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=30, blank=True, default="")
    parent_code = models.CharField(max_length=12, blank=True, default="")
    # What the codes of everything inside begin with: "43" for 430000, the code itself below county level.
    prefix = models.CharField(max_length=12)
    predecessor_code = models.CharField(max_length=12, blank=True, default="")
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        """One row in force per code."""

        constraints = (
            models.UniqueConstraint(fields=["code"], condition=Q(valid_until__isnull=True), name="division_in_force"),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="division_period",
            ),
        )
        indexes = (
            models.Index(fields=["code"], name="division_code"),
            models.Index(fields=["parent_code"], name="division_parent"),
        )


class DivisionChange(models.Model):
    """One change of divisions: a renaming, a new code, a merger, an abolition."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    year = models.PositiveSmallIntegerField()
    effective_on = models.DateField(null=True, blank=True)
    kind = models.CharField(max_length=20)
    level = models.PositiveSmallIntegerField()
    old_code = models.CharField(max_length=12, blank=True, default="")
    old_name = models.CharField(max_length=100, blank=True, default="")
    new_code = models.CharField(max_length=12, blank=True, default="")
    new_name = models.CharField(max_length=100, blank=True, default="")
    document = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        """Looked up by the old code and by the new one."""

        indexes = (
            models.Index(fields=["old_code", "year"], name="division_change_old"),
            models.Index(fields=["new_code", "year"], name="division_change_new"),
        )


class Department(models.Model):
    """A line of government that exists at several levels, such as police or medical insurance."""

    code = models.CharField(primary_key=True, max_length=40)
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=200, blank=True, default="")
    sort = models.PositiveSmallIntegerField(default=0)


class Organization(models.Model):
    """An organ, a public institution or another body that acts on the platform."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=18, unique=True)
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=200, blank=True, default="")
    name_pinyin = models.CharField(max_length=300, blank=True, default="")
    short_zh = models.CharField(max_length=60, blank=True, default="")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="organizations")
    division_code = models.CharField(max_length=12)
    level = models.PositiveSmallIntegerField()
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    # Which pattern or named entry of the pack made it; empty for those an administrator made.
    pack_key = models.CharField(max_length=80, blank=True, default="")
    address = models.CharField(max_length=200, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    established_on = models.DateField(null=True, blank=True)
    abolished_on = models.DateField(null=True, blank=True)
    changed_at = models.DateTimeField()
    # Set when an administrator has changed what the pack said: the next import leaves the row alone and says so.
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Found by department and place, listed by place."""

        constraints = (
            models.UniqueConstraint(fields=["pack_key"], condition=~Q(pack_key=""), name="organization_pack_key"),
        )
        indexes = (
            models.Index(fields=["department", "division_code"], name="organization_responsible"),
            models.Index(fields=["division_code"], name="organization_division"),
        )


class Unit(models.Model):
    """A part of an organisation: a section, an office, a window."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="units")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=200, blank=True, default="")
    sort = models.PositiveSmallIntegerField(default=0)
    closed_on = models.DateField(null=True, blank=True)

    class Meta:
        """An organisation has one open unit of a name under one parent."""

        constraints = (
            models.UniqueConstraint(
                fields=["organization", "parent", "name_zh"],
                condition=Q(closed_on__isnull=True),
                nulls_distinct=False,
                name="unit_name",
            ),
        )


class PostTemplate(models.Model):
    """A kind of post that a department has at some levels, with the rights it gives; pack content."""

    code = models.CharField(primary_key=True, max_length=80)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="post_templates")
    title_zh = models.CharField(max_length=100)
    title_en = models.CharField(max_length=200, blank=True, default="")
    levels = models.JSONField(default=list)
    rights = models.JSONField(default=list)


class Post(models.Model):
    """A seat in an organisation that gives rights to whoever is appointed to it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="posts")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="posts")
    title_zh = models.CharField(max_length=100)
    title_en = models.CharField(max_length=200, blank=True, default="")
    template_code = models.CharField(max_length=80, blank=True, default="")
    # [{"right": "cases.handle", "reach": "organization"}, …]; compiled into access at each change.
    rights = models.JSONField(default=list)
    closed_on = models.DateField(null=True, blank=True)
    changed_at = models.DateTimeField()


class Appointment(models.Model):
    """An account in a post for a period; the account is identity's, kept by its identifier."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account_id = models.UUIDField()
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="appointments")
    is_main = models.BooleanField(default=True)
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Nobody sits twice in one post, and a period does not run backwards."""

        constraints = (
            models.UniqueConstraint(
                fields=["account_id", "post"],
                condition=Q(ended_at__isnull=True),
                name="appointment_open",
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")),
                name="appointment_period",
            ),
        )
        indexes = (models.Index(fields=["account_id"], name="appointment_account"),)
