"""From the catalogue's words to the decision point's: resources and grants as `foundation.access` compiles them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.domains.catalogue import models
from furong.domains.catalogue.grants.values import GrantState, Terms
from furong.foundation.access import granting
from furong.foundation.access.terms import CompiledGrant, Party, Rank, SharedResource
from furong.foundation.calendar import queries as calendar
from furong.foundation.codes.leases import Leased
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import prefix_of

RANKS: Mapping[str, Rank] = {
    "unconditional": Rank.UNCONDITIONAL,
    "conditional": Rank.CONDITIONAL,
    "none": Rank.NONE,
}
# An organisation keeps its department; one that is new is found at once.
_parties: Leased[Party | None] = Leased(seconds=60.0, most=20_000)


def party_of(organization_id: UUID) -> Party | None:
    """Give an organisation as terms know it, or None for an unknown one. One read, none for one read in the last minute."""

    def read() -> Party | None:
        found = organizations.find_organization(organization_id=organization_id)
        if found is None:
            return None
        return Party(organization_id=found.id, department=found.department, division_code=found.division_code)

    return _parties.get(organization_id, read)


def compile_resources(codes: Iterable[str], *, now: datetime) -> int:
    """Put the terms of resources as they stand into force at the decision point; one that is gone becomes offline.

    Joins the caller's transaction. Gives how many changed. Cost: two reads for all of them.
    """
    wanted = sorted(set(codes))
    if not wanted:
        return 0
    rows = models.Resource.objects.filter(code__in=wanted).select_related("facet")
    shared: dict[str, SharedResource] = {}
    items: dict[str, dict[str, Rank]] = {}
    fields: dict[str, dict[str, str]] = {}
    for code, item, detail in models.Item.objects.filter(resource_id__in=wanted).values_list(
        "resource_id", "code", "detail"
    ):
        items.setdefault(code, {})[item] = _rank(detail)
        if detail.get("field") and detail["field"] != item:
            fields.setdefault(code, {})[str(detail["field"])] = item
    for row in rows:
        rank = RANKS[row.facet.sharing]
        shared[row.code] = SharedResource(
            code=row.code,
            organization_id=row.organization_id,
            department=row.facet.department,
            division_prefix=prefix_of(row.division_code) if row.division_code else "",
            live=row.live,
            rank=rank,
            items={item: max(rank, own) for item, own in items.get(row.code, {}).items()},
            fields=fields.get(row.code, {}),
        )
    for code in set(wanted) - set(shared):
        shared[code] = SharedResource(
            code=code, organization_id=None, department="", division_prefix="", live=False, rank=Rank.NONE, items={}
        )
    return granting.put_resources(resources=shared.values(), now=now)


def _rank(detail: Mapping[str, Any]) -> Rank:
    own = detail.get("sharing")
    return RANKS[own["type"]] if own else Rank.UNCONDITIONAL


def compile_grants(*, root: models.Grant, now: datetime) -> None:
    """Put a grant and everything passed on from it into force, or out of it, as their states say. Joins the transaction."""
    family: list[models.Grant] = []
    level = [root]
    while level:
        family += level
        level = list(models.Grant.objects.filter(parent_id__in=[one.id for one in level]))
    in_force: set[UUID] = set()
    for one in family:  # forebears come first
        forebear = one.parent_id is None or one.parent_id in in_force
        if one is root and one.parent_id is not None:
            forebear = is_in_force(models.Grant.objects.get(id=one.parent_id))
        if one.state == GrantState.ACTIVE and forebear:
            in_force.add(one.id)
    granting.put_grants(
        grants=[_compiled(one) for one in family if one.id in in_force],
        drop=[one.id for one in family if one.id not in in_force],
        now=now,
    )


def is_in_force(grant: models.Grant) -> bool:
    """Say whether a grant and all its forebears are active."""
    here: models.Grant | None = grant
    while here is not None:
        if here.state != GrantState.ACTIVE:
            return False
        here = models.Grant.objects.filter(id=here.parent_id).first() if here.parent_id else None
    return True


def _compiled(row: models.Grant) -> CompiledGrant:
    terms = Terms.of_json(row.terms)
    if row.valid_from is None or row.valid_until is None:
        raise ValueError("A grant in force has its dates.")
    return CompiledGrant(
        id=row.id,
        resource=row.resource_code,
        organization_id=row.organization_id,
        department=row.department,
        division_prefix=prefix_of(row.division_code) if row.division_code else "",
        with_lower=terms.with_lower,
        items=frozenset(terms.items),
        divisions=tuple(prefix_of(code) for code in terms.divisions),
        by_subject=terms.by_subject,
        services=frozenset(terms.services),
        methods=frozenset(terms.methods),
        rank=RANKS[row.sharing],
        valid_from=_starts(row.valid_from),
        valid_until=_starts(row.valid_until),
        daily_quota=terms.daily_quota,
    )


def _starts(day: date) -> datetime:
    return calendar.current().start_of_day(day)
