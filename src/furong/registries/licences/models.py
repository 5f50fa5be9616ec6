"""The licence register's tables. Private to this room."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.foundation.codes.ids import new_id


class Licence(models.Model):
    """One certificate: what it says, what it was made by, and how it stands."""

    id = models.UUIDField(primary_key=True, default=new_id)
    effect_id = models.UUIDField(unique=True)
    effect_digest = models.TextField()
    type_code = models.TextField()
    type_digest = models.TextField()  # the definition it was issued by
    number = models.TextField()
    token = models.TextField(unique=True)  # of the verification page; says nothing about the holder
    data = models.JSONField()
    issuer_organization_id = models.UUIDField(null=True)
    issuer = models.JSONField()  # its name in each language, as on the day of issue
    issuer_division_code = models.TextField(default="")
    case_id = models.UUIDField(null=True, db_index=True)
    issued_at = models.DateTimeField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    pdf_digest = models.TextField()
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.TextField(default="")
    revoked_by_post_id = models.UUIDField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["type_code", "number"], name="licences_number_once"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=models.F("valid_from")),
                name="licences_validity",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True) | ~Q(revoked_reason=""), name="licences_revoked_with_reason"
            ),
        )
        indexes = (
            models.Index(fields=["pdf_digest"], name="licences_pdf"),
            models.Index(fields=["issuer_organization_id", "-issued_at"], name="licences_issuer"),
        )


class Holder(models.Model):
    """A person in whose folder a licence lies: its holder, or a guardian of a minor who holds it."""

    id = models.BigAutoField(primary_key=True)
    licence = models.ForeignKey(Licence, on_delete=models.CASCADE, related_name="holders", db_index=False)
    person_id = models.UUIDField()
    role = models.TextField()  # holder | guardian

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["licence", "person_id"], name="licences_holder_once"),
            models.UniqueConstraint(fields=["licence"], condition=Q(role="holder"), name="licences_one_holder"),
        )
        indexes = (models.Index(fields=["person_id", "licence"], name="licences_holder_person"),)


class Counter(models.Model):
    """The last number given out in a series; its row lock makes a series without gaps or doubles."""

    series = models.TextField(primary_key=True)
    last = models.BigIntegerField()

    class Meta:
        db_table = "licences_counter"


class SealedDocument(models.Model):
    """A notice or decision that this platform sealed for another room, so that its file and QR code can be checked."""

    token = models.TextField(primary_key=True)
    pdf_digest = models.TextField(unique=True)
    title = models.JSONField()
    number = models.TextField()
    issuer = models.JSONField()
    issued_on = models.DateField()
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "licences_sealed_document"
