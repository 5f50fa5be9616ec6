"""Objections and the steps they took. Private to this room."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.domains.objections.values import Act, State
from furong.foundation.codes.ids import new_id


class Objection(models.Model):
    """Somebody says that a value of an information item is wrong."""

    id = models.UUIDField(primary_key=True, default=new_id)
    resource_code = models.CharField(max_length=64)
    item_code = models.CharField(max_length=64)
    elements = (
        models.JSONField()
    )  # the data elements that the item carries, and the fields under which registers record reads
    resource_name = models.JSONField()
    item_name = models.JSONField()
    provider_id = models.UUIDField()
    provider_division = models.CharField(max_length=12)
    provider_label = models.TextField()
    person_id = models.UUIDField(null=True)
    subject_key = models.CharField(max_length=100, default="")
    case_id = models.UUIDField(null=True)
    reading = models.JSONField(null=True)  # the line of *who read my data* that it was seen in: at, who, why, grant
    found = models.TextField()  # what is wrong, in words
    wanted = models.TextField(default="")  # what would be right
    wrong_since = models.DateField(null=True)
    state = models.TextField(default=State.FILED.value)
    version = models.PositiveIntegerField(default=1)
    filed_at = models.DateTimeField()
    by_account_id = models.UUIDField(null=True)
    by_organization_id = models.UUIDField(null=True)
    by_label = models.TextField()
    due_on = models.DateField(null=True)
    escalated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    readers_told = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in State]), name="objections_state_known"
            ),
            models.CheckConstraint(
                condition=Q(person_id__isnull=False) | ~Q(subject_key=""), name="objections_about_something"
            ),
        )
        indexes = (
            models.Index(fields=["provider_id", "state", "due_on"], name="objections_to_answer"),
            models.Index(fields=["by_organization_id", "-filed_at"], name="objections_of_office"),
            models.Index(fields=["by_account_id", "-filed_at"], name="objections_of_account"),
            models.Index(fields=["resource_code", "item_code"], name="objections_of_resource"),
            models.Index(
                fields=["due_on"],
                condition=Q(state__in=["filed", "upheld"], escalated_at__isnull=True),
                name="objections_running",
            ),
        )


class Step(models.Model):
    """One act on an objection. Rows are only added."""

    objection = models.ForeignKey(Objection, on_delete=models.CASCADE, related_name="steps")
    act = models.TextField()
    at = models.DateTimeField()
    by = models.TextField()  # post and organisation, or the words for the person who objected
    words = models.TextField(default="")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(act__in=[act.value for act in Act]), name="objections_act_known"),
        )
        indexes = (models.Index(fields=["objection", "at"], name="objections_step_order"),)
