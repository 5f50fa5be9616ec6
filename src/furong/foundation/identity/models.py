"""Tables of accounts, sessions, mandates and throttles; private to the room."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q

from furong.foundation.codes.ids import new_id


class AccountManager(BaseUserManager["Account"]):
    """Finds accounts by username; commands create them."""


class Account(AbstractBaseUser):
    """Somebody who can sign in: a resident (who may also act for an enterprise) or a member of staff."""

    class Kind(models.TextChoices):
        """Residents and staff have separate accounts, also when they are the same person."""

        RESIDENT = "resident"
        STAFF = "staff"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    display_name = models.CharField(max_length=100, blank=True, default="")
    person_id = models.UUIDField(null=True, blank=True)
    # access.values.Assurance: 0 none, 1 registered, 2 verified, 3 in person.
    assurance = models.PositiveSmallIntegerField(default=1)
    assured_at = models.DateTimeField(null=True, blank=True)
    phone = models.CharField(max_length=20, blank=True, default="")
    language = models.CharField(max_length=10, blank=True, default="")
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    # Raised with each new password: sessions that signed in with the old one end.
    credentials_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[AccountManager] = AccountManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        """A person has at most one account of each kind."""

        constraints = (
            models.UniqueConstraint(
                fields=["person_id", "kind"],
                condition=Q(person_id__isnull=False) & Q(is_active=True),
                name="account_person",
            ),
        )

    def set_password(self, raw_password: str | None) -> None:
        """Store a new password and end the sessions that the old one opened (with the save that follows)."""
        super().set_password(raw_password)
        self.credentials_version += 1

    @property
    def is_staff(self) -> bool:
        """Whether the account belongs to a member of staff."""
        return self.kind == self.Kind.STAFF

    def __str__(self) -> str:
        return f"account {self.pk}"


class Mandate(models.Model):
    """Leave to act for a person or an enterprise: recorded, dated, revocable."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    principal_kind = models.CharField(max_length=12)
    principal_id = models.UUIDField()
    principal_label = models.CharField(max_length=100)
    agent = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="mandates")
    powers = models.JSONField(default=list)
    basis = models.CharField(max_length=30)
    basis_reference = models.CharField(max_length=200, blank=True, default="")
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)
    granted_by = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, blank=True, related_name="granted_mandates"
    )
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        """One standing mandate per agent, principal and basis."""

        constraints = (
            models.UniqueConstraint(
                fields=["agent", "principal_kind", "principal_id", "basis"],
                condition=Q(revoked_at__isnull=True),
                name="mandate_standing",
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")), name="mandate_period"
            ),
            models.CheckConstraint(condition=Q(principal_kind__in=["person", "enterprise"]), name="mandate_principal"),
        )
        indexes = (models.Index(fields=["principal_id"], name="mandate_principal_id"),)


class Session(models.Model):
    """A signed-in browser. The cookie holds the key; the row holds only its SHA-256, so a copy of the table opens nothing."""

    digest = models.CharField(primary_key=True, max_length=64)
    id = models.UUIDField(default=new_id, editable=False, unique=True)
    data = models.JSONField(default=dict)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="sessions")
    credentials_version = models.PositiveIntegerField(default=0)
    post_id = models.UUIDField(null=True, blank=True)
    mandate = models.ForeignKey(Mandate, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    label = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        """Listed per account, swept by expiry."""

        indexes = (models.Index(fields=["expires_at"], name="session_expiry"),)


class Throttle(models.Model):
    """Failures of one kind for one key, an HMAC of a username or a network address."""

    key = models.CharField(primary_key=True, max_length=80)
    failures = models.PositiveIntegerField(default=0)
    window_started_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Swept by age."""

        indexes = (models.Index(fields=["window_started_at"], name="throttle_age"),)


class CounterAccount(models.Model):
    """An account of a city's counter as that city's node may know it; replication carries the rows of one city there.

    What a node does not need stays away: no person, no phone, no second factor but a time-based one, sealed for that node alone.
    """

    pk = models.CompositePrimaryKey("centre", "account_id")
    centre = models.TextField()
    account_id = models.UUIDField()
    username = models.TextField()
    password = models.TextField()
    display_name = models.TextField()
    language = models.TextField(default="")
    is_active = models.BooleanField()
    must_change_password = models.BooleanField()
    credentials_version = models.IntegerField()
    created_at = models.DateTimeField()
    factor = models.TextField(default="")
    factor_source = models.TextField(default="")  # digest of what was sealed: when it changes it is sealed anew

    class Meta:
        db_table = "identity_counter_account"
