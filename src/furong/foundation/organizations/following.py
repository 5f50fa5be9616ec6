"""Reads for those who follow the organisations from outside, such as a search: which changed, and many at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from furong.foundation.organizations import models
from furong.foundation.organizations.queries import _organization
from furong.foundation.organizations.values import Level, Organization


def list_ids_and_changes() -> dict[UUID, datetime]:
    """Return every open organisation with the time of its last change. One read of two columns."""
    return dict(models.Organization.objects.filter(abolished_on=None).values_list("id", "changed_at"))


def last_change() -> tuple[int, datetime | None]:
    """Return how many organisations there are, and when one changed last: the same means no change."""
    rows = models.Organization.objects.order_by("-changed_at").values_list("changed_at", flat=True)
    return models.Organization.objects.filter(abolished_on=None).count(), rows.first()


def find_organizations(*, organization_ids: Iterable[UUID]) -> dict[UUID, Organization]:
    """Return those organisations that are open, by identifier. One read."""
    rows = models.Organization.objects.filter(id__in=list(organization_ids), abolished_on=None)
    return {row.id: _organization(row) for row in rows}


def list_of_department(*, department: str, within: str = "") -> list[Organization]:
    """Return the open organisations of a kind of department, from the top down by division. One read.

    ``within``: only those of divisions whose code begins so.
    """
    rows = models.Organization.objects.filter(department_id=department, abolished_on=None)
    if within:
        rows = rows.filter(division_code__startswith=within)
    return [_organization(row) for row in rows.order_by("level", "division_code", "id")]


def count_by_department_and_level() -> dict[tuple[str, Level], int]:
    """Count the open organisations of each kind of department at each level. One read."""
    rows = models.Organization.objects.filter(abolished_on=None).values_list("department_id", "level")
    return {(department, Level(level)): count for department, level, count in rows.annotate(count=Count("id"))}
