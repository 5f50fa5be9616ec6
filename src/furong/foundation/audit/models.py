"""The log's tables, in every database. Private to the room; triggers in the first migration refuse every edit, also
the owner's.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Log(models.Model):
    """The one row that names this log, so that heads of two databases are never taken for each other; the sealer
    makes it.
    """

    log_id = models.UUIDField(primary_key=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "audit_log"


class Entry(models.Model):
    """One act, one refusal or one read. Holds no personal detail: that is in `Detail`, bound by its digest."""

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
    kind = models.TextField()  # command, read
    name = models.TextField()
    outcome = models.TextField()  # done, refused
    code = models.TextField()  # of the refusal
    actor_kind = models.TextField()
    account_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    organization_id = models.UUIDField(null=True)
    division_code = models.TextField()
    assurance = models.SmallIntegerField()
    request_id = models.TextField()
    object_kind = models.TextField()
    object_id = models.TextField()
    case_id = models.UUIDField(null=True)
    parent_id = models.UUIDField(null=True)
    detail_digest = models.BinaryField()
    # Where the sealer looks; not covered by the digest, because a restored database numbers its transactions anew.
    xid = models.BigIntegerField()
    seq = models.BigIntegerField()

    class Meta:
        db_table = "audit_entry"
        indexes = (
            models.Index(fields=("xid", "seq"), name="audit_entry_xid"),
            models.Index(fields=("case_id", "at"), name="audit_entry_case", condition=models.Q(case_id__isnull=False)),
            models.Index(fields=("object_id", "at"), name="audit_entry_object", condition=~models.Q(object_id="")),
            models.Index(fields=("at",), name="audit_entry_at"),
        )


class Detail(models.Model):
    """Purpose, objects, fields, persons: what may have to be erased by law. Only its salted digest is in the log."""

    entry_id = models.UUIDField(primary_key=True)
    salt = models.BinaryField()
    content = models.TextField()

    class Meta:
        db_table = "audit_detail"


class Subject(models.Model):
    """A person whose data an entry disclosed or changed: serves *who read my data*."""

    pk = models.CompositePrimaryKey("person_id", "at", "entry_id")
    person_id = models.UUIDField()
    at = models.DateTimeField()
    entry_id = models.UUIDField()
    fields = ArrayField(models.TextField())

    class Meta:
        db_table = "audit_subject"
        indexes = (models.Index(fields=("entry_id",), name="audit_subject_entry"),)


class Leaf(models.Model):
    """The order in which entries were sealed."""

    index = models.BigIntegerField(primary_key=True)
    entry_id = models.UUIDField(unique=True)
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_leaf"


class Node(models.Model):
    """Roots of complete subtrees of 256, 65,536, … leaves, so that proofs need few rows."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_node"


class SignedHead(models.Model):
    """A signed head, with the frontier to go on from and the transaction below which nothing is left to seal."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    peaks = ArrayField(models.BinaryField())
    at = models.DateTimeField()
    key_id = models.TextField()
    algorithm = models.TextField()
    signature = models.BinaryField()
    settled_xid = models.BigIntegerField()

    class Meta:
        db_table = "audit_head"


class SecrecyOrder(models.Model):
    """An order that reads for an investigation stay hidden from those who are read, until it ends. Kept on the platform."""

    id = models.UUIDField(primary_key=True)
    organization_id = models.UUIDField()
    account_id = models.UUIDField()  # who ordered it
    reference = models.TextField()  # the investigation's file number
    ordered_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        db_table = "audit_secrecy_order"
        indexes = (models.Index(fields=("until",), name="audit_secrecy_until"),)
