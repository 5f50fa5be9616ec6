"""Which grants a change of a resource would touch, for whoever is about to make it."""

from __future__ import annotations

from collections.abc import Iterable

from furong.domains.catalogue import models
from furong.domains.catalogue.grants.values import GrantState
from furong.domains.catalogue.ports import Affected
from furong.foundation.organizations import queries as organizations
from furong.foundation.packs.values import both


def touched_grants(*, resource_code: str, items: Iterable[str], whole: bool) -> list[Affected]:
    """Give the grants, not over yet, that name one of ``items``; all of the resource's when ``whole``."""
    wanted = set(items)
    over = [one.value for one in GrantState if one.is_over]
    rows = models.Grant.objects.filter(resource_code=resource_code).exclude(state__in=over).order_by("number")
    found = [row for row in rows if whole or wanted & set(row.terms["items"])]
    names = organizations.labels_of_organizations(organization_ids={row.organization_id for row in found})
    made = []
    for row in found:
        name = names.get(row.organization_id)
        zh, en = (name.zh, name.en or name.zh) if name is not None else (row.number, row.number)
        made.append(Affected(kind="grant", code=row.number, name=both(f"{row.number} {zh}", f"{row.number} {en}")))
    return made
