"""The catalogue's index for reading, and how resources stand. Private to this room.

Definitions are releases of `foundation.packs`; ``catalogue_resource``, ``catalogue_item`` and ``catalogue_carried`` are made from
them in the import's transaction and can be made anew at any time, but for the states, which are kept here only.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q, Value

from furong.domains.catalogue.needs import models as needs_models  # noqa: F401 - registers the tables of that part
from furong.foundation.codes.ids import new_id


class Tokens(models.Field):  # type: ignore[type-arg]  # Django's field takes no parameters when it runs
    """A column of search tokens (``tsvector`` without positions); written and searched by SQL."""

    def db_type(self, connection: Any) -> str:
        return "tsvector"


class Facet(models.Model):
    """One combination of what lists are narrowed by, so that counting many resources groups by one small number."""

    id = models.AutoField(primary_key=True)
    class_kind = models.TextField()
    class_item = models.TextField()
    department = models.TextField()
    sharing = models.TextField()
    openness = models.TextField()
    cycle = models.TextField()
    format_kind = models.TextField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["class_kind", "class_item", "department", "sharing", "openness", "cycle", "format_kind"],
                name="catalogue_facet_once",
            ),
        )


class Resource(models.Model):
    """A resource as it is in force, and where it stands."""

    code = models.CharField(primary_key=True, max_length=64)
    stamp = models.CharField(max_length=64)  # of all that the index was made from
    digest = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    number = models.TextField(db_index=True)
    name_zh = models.TextField()
    name_en = models.TextField(default="")
    name_pinyin = models.TextField()
    facet = models.ForeignKey(Facet, on_delete=models.PROTECT, related_name="+")
    organization_id = models.UUIDField(null=True)
    division_code = models.TextField(default="")
    published_on = models.DateField(null=True)
    items = models.PositiveIntegerField()  # all of them; those that staff, and everybody, may see:
    items_staff = models.PositiveIntegerField()
    items_public = models.PositiveIntegerField()
    audience = models.SmallIntegerField()  # states.Audience
    detail = models.JSONField()
    publish_state = models.TextField()
    online_state = models.TextField()
    live = models.BooleanField(default=False)
    pending_digest = models.CharField(max_length=64, default="")
    pending_from = models.CharField(max_length=64, default="")  # the digest that the pending change began from
    reason = models.TextField(default="")
    review_due_on = models.DateField(null=True)
    update_due_on = models.DateField(null=True)
    is_update_extended = models.BooleanField(default=False)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(live=False)
                | (
                    Q(publish_state__in=["published", "change_auditing", "change_rejected"])
                    & Q(online_state__in=["online", "down_auditing"])
                ),
                name="catalogue_live_is_published",
            ),
        )
        indexes = (
            models.Index(fields=["name_pinyin", "code"], name="catalogue_resource_sort"),
            models.Index(fields=["organization_id"], name="catalogue_resource_owner"),
            models.Index(
                fields=["review_due_on"], condition=Q(review_due_on__isnull=False), name="catalogue_resource_review"
            ),
        )


class Hit(models.Model):
    """What a search reads of a resource, and no more: the words, who may find by them, and what hits are counted by.

    A very common word hits every resource, so rows are narrow, with what has a fixed size first. A trigger keeps the columns as
    the resource has them (migration 0005), whoever writes there; only ``tokens`` are its own.
    """

    facet = models.ForeignKey(Facet, on_delete=models.PROTECT, related_name="+", db_index=False)
    name_length = models.SmallIntegerField()  # in characters
    audience = models.SmallIntegerField()
    live = models.BooleanField()
    organization_id = models.UUIDField(null=True)
    division_code = models.TextField()
    resource = models.OneToOneField(
        Resource, primary_key=True, on_delete=models.CASCADE, related_name="+", db_column="code"
    )
    tokens = Tokens()
    # PostgreSQL moves a long value out of line only from rows of 2 kB on. These blanks, kept in some thirty bytes, make every row
    # that long, so that words never lie between what hits are counted by.
    blanks = models.TextField(db_default=Value(" " * 2000))

    class Meta:
        db_table = "catalogue_hit"
        # A page of a word that very many names hold is the beginning of this index.
        indexes = (models.Index(fields=["name_length", "resource"], name="catalogue_hit_shortest"),)


class Item(models.Model):
    """An information item of a resource in force."""

    id = models.BigAutoField(primary_key=True)
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="+", db_index=False)
    position = models.PositiveIntegerField()
    code = models.TextField()
    name_zh = models.TextField()
    name_en = models.TextField(default="")
    type = models.CharField(max_length=1)
    length = models.PositiveIntegerField(null=True)
    audience = models.SmallIntegerField()
    detail = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["resource", "position"], name="catalogue_item_place"),)


class Carried(models.Model):
    """An element that an item carries; ``is_source`` when it is the element's one authoritative source."""

    id = models.BigAutoField(primary_key=True)
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="+")
    element = models.TextField()
    item_code = models.TextField()
    is_source = models.BooleanField()
    audience = models.SmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["element"], condition=Q(is_source=True), name="catalogue_one_source"),
        )
        indexes = (models.Index(fields=["element", "resource"], name="catalogue_carried_element"),)


class Review(models.Model):
    """One act on a resource: who moved it, from where to where, and why. Rows are only added."""

    id = models.UUIDField(primary_key=True, default=new_id)
    code = models.CharField(max_length=64)
    act = models.TextField()
    publish_state = models.TextField()
    online_state = models.TextField()
    digest = models.CharField(max_length=64, default="")
    reason = models.TextField(default="")
    by = models.TextField()  # post and organisation, never a person's name
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["code", "-at"], name="catalogue_review_of"),)


class HarvestSource(models.Model):
    """A catalogue elsewhere whose datasets are shown here, and how its last harvest went."""

    code = models.CharField(primary_key=True, max_length=40)
    kind = models.TextField()  # harvest.values.SourceKind
    url = models.TextField()
    title_zh = models.TextField()
    title_en = models.TextField(default="")
    every_hours = models.PositiveIntegerField(default=24)
    due_at = models.DateTimeField()
    state = models.TextField(default="new")  # new, good, failed
    finding = models.TextField(default="")  # the code of what stopped the last harvest
    harvested_at = models.DateTimeField(null=True)  # the last that was published
    datasets = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=["dcat", "ckan"]), name="catalogue_harvest_kind"),
            models.CheckConstraint(condition=Q(state__in=["new", "good", "failed"]), name="catalogue_harvest_state"),
        )
        indexes = (models.Index(fields=["due_at"], name="catalogue_harvest_due"),)


class HarvestRun(models.Model):
    """One harvest: what was seen and changed, and what was found wrong. Rows are only added."""

    id = models.UUIDField(primary_key=True, default=new_id)
    source = models.ForeignKey(HarvestSource, on_delete=models.CASCADE, related_name="+", db_index=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    state = models.TextField()
    seen = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list)

    class Meta:
        indexes = (models.Index(fields=["source", "-began_at"], name="catalogue_harvest_runs"),)


class Harvested(models.Model):
    """A dataset of another catalogue, as its last good harvest gave it. Public, as its source is."""

    name = models.CharField(primary_key=True, max_length=100)
    source = models.ForeignKey(HarvestSource, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    name_zh = models.TextField()
    name_en = models.TextField(default="")
    name_pinyin = models.TextField()
    cycle = models.TextField(default="")
    modified_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    tags = models.JSONField(default=list)
    formats = models.JSONField(default=list)
    tokens = Tokens()
    detail = models.JSONField()

    class Meta:
        indexes = (models.Index(fields=["name_pinyin", "name"], name="catalogue_harvested_sort"),)


class Request(models.Model):
    """An organisation asks for items of a resource."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.TextField(unique=True)
    resource_code = models.CharField(max_length=64)
    resource_digest = models.CharField(max_length=64)
    resource_version = models.PositiveIntegerField()
    organization_id = models.UUIDField()
    division_code = models.TextField(default="")
    provider_organization_id = models.UUIDField()
    provider_division_code = models.TextField(default="")
    scenario = models.TextField()
    legal_basis = models.TextField()
    sharing = models.TextField()  # the narrowest class among what is asked for, when it was asked
    terms = models.JSONField()  # grants.values.Terms
    agreed = models.JSONField(null=True)  # what the provider consents to
    state = models.TextField()
    reason = models.TextField(default="")
    question = models.TextField(default="")  # asked once
    answer = models.TextField(default="")
    by = models.TextField()  # post and organisation, never a person's name
    submitted_at = models.DateTimeField()
    reply_due_on = models.DateField(null=True)
    replied_at = models.DateTimeField(null=True)
    supply_due_on = models.DateField(null=True)
    supplied_at = models.DateTimeField(null=True)
    process_instance_id = models.UUIDField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization_id", "resource_code"],
                condition=Q(state__in=["submitted", "to_supplement", "with_authority"]),
                name="catalogue_request_one_open",
            ),
        )
        indexes = (
            models.Index(fields=["organization_id", "-submitted_at"], name="catalogue_request_mine"),
            models.Index(fields=["provider_organization_id", "-submitted_at"], name="catalogue_request_theirs"),
        )


class Grant(models.Model):
    """What an organisation may read of a resource, on which terms, until when."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.TextField(unique=True)
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="+")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, related_name="+", null=True)
    resource_code = models.CharField(max_length=64)
    resource_digest = models.CharField(max_length=64)
    organization_id = models.UUIDField()
    division_code = models.TextField(default="")
    department = models.TextField(default="")
    provider_organization_id = models.UUIDField()
    provider_division_code = models.TextField(default="")
    terms = models.JSONField()
    sharing = models.TextField()
    state = models.TextField()
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    idle_days = models.PositiveIntegerField()
    since = (
        models.DateTimeField()
    )  # from here the time without use counts: its beginning, or when it was last seen used
    offered_at = models.DateTimeField()
    reminded_days = models.PositiveSmallIntegerField(null=True)  # the latest of REMIND_DAYS that was announced

    class Meta:
        indexes = (
            models.Index(fields=["organization_id", "-offered_at"], name="catalogue_grant_mine"),
            models.Index(fields=["provider_organization_id", "-offered_at"], name="catalogue_grant_theirs"),
            models.Index(fields=["resource_code", "state"], name="catalogue_grant_of"),
            models.Index(
                fields=["valid_until"], condition=Q(state__in=["active", "suspended"]), name="catalogue_grant_end"
            ),
        )


class GrantEntry(models.Model):
    """One act on a grant, with the signature where it is one. Rows are only added."""

    id = models.UUIDField(primary_key=True, default=new_id)
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="+")
    act = models.TextField()
    organization_id = models.UUIDField(null=True)
    by = models.TextField()
    reason = models.TextField(default="")
    at = models.DateTimeField()
    key_id = models.TextField(default="")
    signature = models.TextField(default="")

    class Meta:
        indexes = (models.Index(fields=["grant", "at"], name="catalogue_grant_acts"),)


class Quality(models.Model):
    """What was measured of a resource's rows on a day, from those that passed (`quality`). Shares from 0 to 1."""

    resource_code = models.CharField(max_length=64)
    measured_on = models.DateField()
    rows = models.PositiveIntegerField()
    completeness = models.FloatField(null=True)
    validity = models.FloatField(null=True)
    uniqueness = models.FloatField(null=True)
    timeliness = models.FloatField(null=True)
    items = models.JSONField()
    passed = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["resource_code", "measured_on"], name="catalogue_quality_day"),)
