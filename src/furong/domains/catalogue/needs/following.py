"""Reads for those who follow demands from outside, such as a search: which changed, many at once, and who may know of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Sum

from furong.domains.catalogue.needs import models, telling
from furong.domains.catalogue.needs.reading import _within
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.domains.catalogue.views import Words
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandFacts:
    """What is said in a demand, and between whom: the organisation that asks, and the one that answers."""

    id: UUID
    number: str
    title: Words
    words: str
    purpose: str
    filed_at: datetime
    organization_id: UUID
    division_code: str
    provider_organization_id: UUID
    provider_division_code: str


def last_change() -> tuple[int, int]:
    """Return how many demands there are and the sum of their versions: the same means no change."""
    found = models.Demand.objects.aggregate(count=Count("id"), versions=Sum("version"))
    return found["count"], found["versions"] or 0


def list_stamps() -> dict[UUID, str]:
    """Return every demand with a text that changes when it does. One read of three columns."""
    rows = models.Demand.objects.values_list("id", "version", "provider_organization_id")
    return {row: f"{version}/{provider}" for row, version, provider in rows}


def list_demands(*, demand_ids: Iterable[UUID], now: datetime) -> list[DemandFacts]:
    """Return these demands, whoever asks: for an index that knows who may find them."""
    rows = models.Demand.objects.select_related("need").filter(id__in=list(demand_ids))
    return [
        DemandFacts(
            id=row.id,
            number=row.number,
            title=telling.called(row, now=now),
            words="\n".join(dict.fromkeys(one for one in (row.words, row.need.words) if one)),
            purpose=row.need.purpose,
            filed_at=row.filed_at,
            organization_id=row.organization_id,
            division_code=row.division_code,
            provider_organization_id=row.provider_organization_id,
            provider_division_code=row.provider_division_code,
        )
        for row in rows
    ]


def list_visible(*, demand_ids: Collection[UUID], actor: Actor) -> set[UUID]:
    """Return those of these demands that the actor may read: as a side, or as the data authority above."""
    if not actor.is_staff or not demand_ids:
        return set()
    edits, reviews = access.scope(actor=actor, right=EDIT), access.scope(actor=actor, right=REVIEW)
    may = _within(edits, "") | _within(edits, "provider_") | _within(reviews, "provider_")
    return set(models.Demand.objects.filter(may, id__in=demand_ids).values_list("id", flat=True))
