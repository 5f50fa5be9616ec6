"""Sites, their pages, and how imports went. Private to this room."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.domains.search.store.values import MAX_ADDRESS, Kind
from furong.foundation.codes.ids import new_id


class Site(models.Model):
    """A site whose pages are kept."""

    code = models.CharField(max_length=63, primary_key=True)
    name = models.TextField()
    base_address = models.CharField(max_length=MAX_ADDRESS, default="")
    department = models.TextField(default="")  # who runs it, as readers know it
    division_code = models.CharField(max_length=12, default="")

    class Meta:
        app_label = "search"
        db_table = "search_site"


class Page(models.Model):
    """A page of a site, or a document that one links to: what it says, not its file."""

    id = models.UUIDField(primary_key=True, default=new_id)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    path = models.TextField()  # in the source it was imported from
    address = models.CharField(max_length=MAX_ADDRESS)
    kind = models.CharField(max_length=16)
    media_type = models.CharField(max_length=100)
    title = models.TextField()
    headings = models.JSONField(default=list)
    summary = models.TextField(default="")
    body = models.TextField()
    language = models.CharField(max_length=16)
    department = models.TextField(default="")
    author = models.TextField(default="")
    column = models.TextField(default="")
    keywords = models.JSONField(default=list)
    numbers = models.JSONField(default=list)
    published_on = models.DateField(null=True)
    modified_on = models.DateField(null=True)
    charset = models.CharField(max_length=40, default="")
    digest = models.CharField(max_length=64)  # of the file and of what the manifest says of it
    size = models.BigIntegerField()
    imported_at = models.DateTimeField()
    seen_in = models.UUIDField()  # the import that saw it last; without an index, so that seeing a page again is cheap

    class Meta:
        app_label = "search"
        db_table = "search_page"
        constraints = (
            models.UniqueConstraint(fields=["site", "path"], name="search_page_path_once"),
            models.UniqueConstraint(fields=["address"], name="search_page_address_once"),
            models.CheckConstraint(condition=Q(kind__in=[one.value for one in Kind]), name="search_page_kind_known"),
        )


class KeptOut(models.Model):
    """An address that an editor removed: no import takes it in again until it is let in."""

    address = models.CharField(max_length=MAX_ADDRESS, primary_key=True)
    site_code = models.CharField(max_length=63)  # stays when the site is removed
    title = models.TextField(default="")
    why = models.TextField()
    by = models.TextField()  # post and organisation, never a person's name
    at = models.DateTimeField()

    class Meta:
        app_label = "search"
        db_table = "search_kept_out"
        indexes = (models.Index(fields=["site_code", "-at"], name="search_kept_out_of_site"),)


class Import(models.Model):
    """A run of `furong search import` over a site."""

    id = models.UUIDField(primary_key=True, default=new_id)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+")
    source = models.TextField()  # the name of the folder or archive, without its place on the disk
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    finding = models.TextField(default="")  # the code of what stopped it
    files = models.PositiveBigIntegerField(default=0)
    added = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    same = models.PositiveBigIntegerField(default=0)
    removed = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    noted = models.PositiveBigIntegerField(default=0)

    class Meta:
        app_label = "search"
        db_table = "search_import"
        indexes = (models.Index(fields=["site", "-began_at"], name="search_import_of_site"),)


class ImportNote(models.Model):
    """A file that did not become a page, or what of a page was not believed. The newest import of a site keeps its notes."""

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="notes")
    path = models.TextField()
    reason = models.CharField(max_length=32)
    detail = models.TextField(default="")

    class Meta:
        app_label = "search"
        db_table = "search_import_note"
        indexes = (models.Index(fields=["run", "reason"], name="search_import_note_reason"),)
