"""Private: who stands in which household, and how that is written. `households`, `changes` and `departures` share it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db import connections

from furong.foundation.codes.ids import new_id

from .errors import HeadWouldLeave, HouseholdNotFound
from .kinship import HEAD, relation_to_head
from .ledger import Ledger, family_around
from .models import Household, HouseholdMember, Person, Residence
from .place import here, wrote
from .values import ResidenceKind

# Household numbers: the county's division code and a running number.
NEXT_HOUSEHOLD = "SELECT nextval('population_household_number')"


def members_of(household_id: UUID) -> Any:
    """Return the rows of those who stand in a household now."""
    return HouseholdMember.objects.filter(
        household_id=household_id, superseded_at__isnull=True, valid_until__isnull=True
    )


def place_of(person_id: UUID) -> HouseholdMember | None:
    """Return the row that says in which household a person stands, if in any."""
    found: HouseholdMember | None = HouseholdMember.objects.filter(
        person_id=person_id, superseded_at__isnull=True, valid_until__isnull=True
    ).first()
    return found


def open_households(*household_ids: UUID) -> list[Household]:
    """Return open households, locked in a steady order. Raises `HouseholdNotFound` when one is not open."""
    found = {
        one.household_id: one
        for one in Household.objects.select_for_update()
        .filter(pk__in=household_ids, closed_on__isnull=True)
        .order_by("household_id")
    }
    try:
        return [found[one] for one in household_ids]
    except KeyError:
        raise HouseholdNotFound from None


def new_household(*, division_code: str, address: str, kind: str, opened_on: date) -> Household:
    """Write an empty household with the next number of its county."""
    with connections[here()].cursor() as cursor:
        cursor.execute(NEXT_HOUSEHOLD)
        (running,) = cursor.fetchone()
    household = Household(
        household_id=new_id(),
        number=f"{division_code[:6]}{running:08d}",
        kind=kind,
        division_code=division_code,
        address=address.strip(),
        opened_on=opened_on,
    )
    household.save(force_insert=True)
    wrote("household", household.household_id)
    return household


def check_head_may_leave(person_id: UUID, *, successor: UUID | None) -> None:
    """Refuse when a head would leave members behind without naming the next. Raises `HeadWouldLeave`."""
    mine = place_of(person_id)
    if mine is None or mine.relation != HEAD:
        return
    staying = set(members_of(mine.household_id).exclude(person_id=person_id).values_list("person_id", flat=True))
    if staying and successor not in staying:
        raise HeadWouldLeave


def leave(ledger: Ledger, person: Person, *, on: date, successor: UUID | None) -> None:
    """Take the person out of their household; name a new head when they were it; close it when empty."""
    mine = place_of(person.person_id)
    if mine is None:
        return
    household = Household.objects.select_for_update().get(pk=mine.household_id)
    ledger.end(HouseholdMember.objects.filter(pk=mine.pk), until=on)
    others = list(members_of(household.household_id).select_for_update())
    if not others:
        household.closed_on = on
        household.save(update_fields=["closed_on"])
        return
    if mine.relation != HEAD:
        return
    ids = [row.person_id for row in others]
    if successor is not None and successor in ids:
        head_id = successor
    else:
        head_id = Person.objects.filter(pk__in=ids).order_by("born_on", "person_id").values_list("pk", flat=True)[0]
    lead(ledger, household.household_id, head_id=head_id, on=on)


def lead(ledger: Ledger, household_id: UUID, *, head_id: UUID, on: date) -> None:
    """Make somebody head and tell everybody's relation to them anew."""
    members = list(members_of(household_id).select_for_update())
    family = family_around([head_id, *(row.person_id for row in members)])
    told = {row.person_id: relation_to_head(person_id=row.person_id, head_id=head_id, family=family) for row in members}
    changed = [row for row in members if told[row.person_id] != row.relation]
    ledger.end(HouseholdMember.objects.filter(pk__in=[row.pk for row in changed]), until=on)
    for row in changed:
        ledger.open(
            HouseholdMember,
            since=max(on, row.valid_from),
            household_id=household_id,
            person_id=row.person_id,
            relation=told[row.person_id],
        )


def join(ledger: Ledger, person: Person, household: Household, *, on: date) -> None:
    """Put a person into a household and at its address; the first member of an empty one becomes its head."""
    head = members_of(household.household_id).filter(relation=HEAD).first()
    relation = HEAD
    if head is not None:
        family = family_around([person.person_id, head.person_id])
        relation = relation_to_head(person_id=person.person_id, head_id=head.person_id, family=family)
    ledger.settle(
        person=person,
        household_id=household.household_id,
        relation=relation,
        division_code=household.division_code,
        address=household.address,
        since=on,
    )


def move_out(ledger: Ledger, person: Person, *, on: date, successor: UUID | None) -> None:
    """Take a person out of household and permanent residence."""
    leave(ledger, person, on=on, successor=successor)
    ledger.end(Residence.objects.filter(person_id=person.person_id, kind=ResidenceKind.PERMANENT), until=on)
