"""Whose an element is, and who has to do with a need, a demand or an escalation. For this part of the room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from furong.domains.catalogue import models as catalogue_models
from furong.domains.catalogue.errors import ElementMissing
from furong.domains.catalogue.needs import models
from furong.domains.catalogue.needs.errors import NeedMissing
from furong.domains.catalogue.queries import get_dictionary
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The organisation that answers a demand; ``is_unowned``: it is the data authority, which finds who does."""

    organization_id: UUID
    division_code: str
    is_unowned: bool


def owner_of(*, element: str, on: date, organization_id: UUID, division_code: str) -> Owner | None:
    """Give who answers for an element: the provider of its authoritative source, else the owner that the dictionary names.

    Without an element, or where its owner has no organisation, it is the data authority nearest to who asks (``organization_id``,
    ``division_code``); None where there is none. Raises `ElementMissing` for a code that the dictionary does not have.
    """
    if element:
        known = get_dictionary(on=on).get(element)
        if known is None:
            raise ElementMissing(element=element)
        source = (
            catalogue_models.Carried.objects.filter(element=element, is_source=True)
            .values_list("resource__organization_id", "resource__division_code")
            .first()
        )
        if source is not None and source[0] is not None:
            return Owner(organization_id=source[0], division_code=source[1], is_unowned=False)
        province = organizations.list_divisions(level=Level.PROVINCE)
        body = (
            organizations.find_responsible(department=known.owner, division_code=province[0].code) if province else None
        )
        if body is not None:
            return Owner(organization_id=body.id, division_code=body.division_code, is_unowned=False)
    return authority_near(organization_id=organization_id, division_code=division_code)


def authority_near(*, organization_id: UUID, division_code: str) -> Owner | None:
    """Give the data authority that reviews most narrowly what this organisation compiles, or None."""
    for post_id in access.nearest_posts(right=REVIEW, organization_id=organization_id, division_code=division_code):
        body = organizations.find_organization(organization_id=organizations.get_post(post_id=post_id).organization_id)
        if body is not None:
            return Owner(organization_id=body.id, division_code=body.division_code, is_unowned=True)
    return None


def holds(actor: Actor, right: str, organization_id: UUID, division_code: str) -> bool:
    """Say whether the actor holds a right over this organisation."""
    return access.allows(actor=actor, right=right, organization_id=organization_id, division_code=division_code or None)


def asks(row: models.Need | models.Demand | models.Escalation, actor: Actor) -> bool:
    """Say whether the actor acts for the organisation that asks."""
    return holds(actor, EDIT, row.organization_id, row.division_code)


def owns(row: models.Demand | models.Escalation, actor: Actor) -> bool:
    """Say whether the actor acts for the organisation that answers."""
    return holds(actor, EDIT, row.provider_organization_id, row.provider_division_code)


def supervises(row: models.Demand | models.Escalation, actor: Actor) -> bool:
    """Say whether the actor is the data authority over the organisation that answers."""
    return holds(actor, REVIEW, row.provider_organization_id, row.provider_division_code)


def oversees(row: models.Need, actor: Actor) -> bool:
    """Say whether the actor is the data authority over the organisation that asks."""
    return holds(actor, REVIEW, row.organization_id, row.division_code)


def need_locked(need_id: UUID, actor: Actor) -> models.Need:
    """Give a need, locked, to those who act for the organisation that asks. Raises `NeedMissing` for everybody else."""
    row = models.Need.objects.select_for_update(no_key=True).filter(id=need_id).first()
    if row is None or not asks(row, actor):
        raise NeedMissing
    return row


def demand_locked(demand_id: UUID, actor: Actor) -> models.Demand:
    """Give a demand, locked, to its two sides and the data authority. Raises `NeedMissing` for everybody else."""
    rows = models.Demand.objects.select_related("need").select_for_update(of=("self",), no_key=True)
    row = rows.filter(id=demand_id).first()
    if row is None or not (asks(row, actor) or owns(row, actor) or supervises(row, actor)):
        raise NeedMissing
    return row
