"""Needs, demands, escalations, and what sharing brought on a day. Private to the catalogue; its models register these tables."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.domains.catalogue.needs.values import DemandAct, DemandState, Ground, Outcome, ShareKind, Urgency
from furong.foundation.codes.ids import new_id


class Need(models.Model):
    """A department says in its own words what it needs, for what, how soon, and whom it would serve in a year."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.TextField(unique=True)
    organization_id = models.UUIDField()
    division_code = models.TextField(default="")
    words = models.TextField()
    elements = models.JSONField(default=list)  # codes that the officer chose
    purpose = models.TextField()
    legal_basis = models.TextField(default="")
    urgency = models.TextField()
    people = models.PositiveIntegerField(default=0)
    enterprises = models.PositiveIntegerField(default=0)
    cases = models.PositiveIntegerField(default=0)
    materials = models.PositiveIntegerField(default=0)
    by = models.TextField()  # post and organisation, never a person's name
    by_account_id = models.UUIDField(null=True)
    stated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    outcome = models.TextField(default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(urgency__in=[one.value for one in Urgency]), name="catalogue_need_urgency"
            ),
        )
        indexes = (models.Index(fields=["organization_id", "-stated_at"], name="catalogue_need_mine"),)


class Demand(models.Model):
    """What nothing supplies, asked of the owner of the element; of the data authority where nobody owns it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.TextField(unique=True)
    need = models.ForeignKey(Need, on_delete=models.PROTECT, related_name="+")
    element = models.TextField(default="")
    words = models.TextField()
    organization_id = models.UUIDField()
    division_code = models.TextField(default="")
    provider_organization_id = models.UUIDField()
    provider_division_code = models.TextField(default="")
    is_unowned = models.BooleanField(default=False)  # with the data authority, to find who answers
    weight = models.FloatField()  # urgency, reach and relief (`values.priority`); backing is counted when it is read
    state = models.TextField()
    version = models.PositiveIntegerField(default=1)
    filed_at = models.DateTimeField()
    due_on = models.DateField(null=True)
    answered_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    clause = models.TextField(default="")
    resource_code = models.TextField(default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=[one.value for one in DemandState]), name="catalogue_demand_state"
            ),
            models.UniqueConstraint(
                fields=["need", "element"],
                condition=~Q(state__in=["withdrawn", "refused", "upheld"]),
                name="catalogue_demand_once",
            ),
        )
        indexes = (
            models.Index(fields=["organization_id", "-filed_at"], name="catalogue_demand_mine"),
            models.Index(fields=["provider_organization_id", "-filed_at"], name="catalogue_demand_theirs"),
            models.Index(
                fields=["element"],
                condition=Q(state__in=["filed", "promised", "ordered"]),
                name="catalogue_demand_backing",
            ),
            models.Index(
                fields=["due_on"], condition=Q(state__in=["filed", "promised", "ordered"]), name="catalogue_demand_due"
            ),
        )


class DemandStep(models.Model):
    """One act on a demand. Rows are only added."""

    id = models.UUIDField(primary_key=True, default=new_id)
    demand = models.ForeignKey(Demand, on_delete=models.PROTECT, related_name="+")
    act = models.TextField()
    by = models.TextField()
    words = models.TextField(default="")
    clause = models.TextField(default="")
    day = models.DateField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(act__in=[one.value for one in DemandAct]), name="catalogue_demand_act"),
        )
        indexes = (models.Index(fields=["demand", "at"], name="catalogue_demand_steps"),)


class Escalation(models.Model):
    """A refused or late share before the data authority, and its ruling."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.TextField(unique=True)
    kind = models.TextField()  # what `subject_id` is
    subject_id = models.UUIDField()
    subject_number = models.TextField()
    ground = models.TextField()
    stood = (
        models.TextField()
    )  # the subject's state when it was raised: once it stands otherwise there is nothing to rule on
    was_due_on = models.DateField(null=True)
    organization_id = models.UUIDField()
    division_code = models.TextField(default="")
    provider_organization_id = models.UUIDField()
    provider_division_code = models.TextField(default="")
    words = models.TextField(default="")
    raised_by = models.TextField(default="")
    raised_at = models.DateTimeField()
    due_on = models.DateField()
    outcome = models.TextField(default="")
    ruling = models.TextField(default="")
    clause = models.TextField(default="")
    supply_by = models.DateField(null=True)
    by = models.TextField(default="")
    ruled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=[one.value for one in ShareKind]), name="catalogue_ruling_kind"
            ),
            models.CheckConstraint(
                condition=Q(ground__in=[one.value for one in Ground]), name="catalogue_ruling_ground"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=[one.value for one in Outcome]), name="catalogue_ruling_outcome"
            ),
            # What is upheld cites its clause, what is ordered has its day.
            models.CheckConstraint(condition=~Q(outcome="uphold") | ~Q(clause=""), name="catalogue_ruling_clause"),
            models.CheckConstraint(
                condition=~Q(outcome="order") | Q(supply_by__isnull=False), name="catalogue_ruling_day"
            ),
            models.UniqueConstraint(fields=["subject_id"], condition=Q(outcome=""), name="catalogue_ruling_one_open"),
        )
        indexes = (
            models.Index(fields=["due_on"], condition=Q(outcome=""), name="catalogue_ruling_open"),
            models.Index(fields=["subject_id", "-raised_at"], name="catalogue_ruling_of"),
        )


class UseDay(models.Model):
    """What reading under grants brought on a day, of a resource, of a department that provides, or of all (`figures`).

    ``people`` counts a person once for each resource and day, ``cases`` and ``enterprises`` (cases of enterprises) each case once
    in what the row is about, ``materials`` each case once for each resource.
    """

    day = models.DateField()
    kind = models.TextField()  # figures.RowKind
    code = models.TextField(default="")
    calls = models.PositiveBigIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    cases = models.PositiveIntegerField(default=0)
    enterprises = models.PositiveIntegerField(default=0)
    materials = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "code", "day"], name="catalogue_use_day_once"),)
