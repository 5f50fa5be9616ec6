"""Private: who may ask for a move, and into which household. Each check reads; none writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.db import InterfaceError, OperationalError

from ..errors import CodeInvalid, HouseholdNotFound
from ..ledger import local_date
from ..membership import members_of
from ..models import Household, Person, Relation
from ..place import at
from ..values import RelationKind, years_between
from . import ports
from .errors import ApplicantUnfit, CentreUnreachable, GuardianMissing, HouseholdNotTheirs
from .models import Move
from .values import OPEN_STATES, MoveState

MAJORITY_YEARS = 18  # 民法典 art. 17
_PARENTS = (RelationKind.MOTHER, RelationKind.FATHER)
COLLECTIVE = "collective"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where somebody will be registered; ``members`` stand there already."""

    household_id: UUID
    division_code: str
    address: str = field(repr=False)
    opens: bool
    kind: str = "family"
    members: frozenset[UUID] = frozenset()


@contextmanager
def at_destination(division_code: str) -> Iterator[str]:
    """Have what runs inside happen in the register of a division. Raises `CentreUnreachable`."""
    alias = ports.centres.alias_of(division_code)
    with at(alias):
        try:
            yield alias
        except (OperationalError, InterfaceError) as error:
            raise CentreUnreachable from error


def household_at(household_id: UUID, *, division_code: str) -> Destination:
    """Return an open household of another register with its members. Raises `HouseholdNotFound`."""
    with at_destination(division_code):
        row = Household.objects.filter(pk=household_id, closed_on__isnull=True).first()
        if row is None:
            raise HouseholdNotFound
        members = frozenset(members_of(household_id).values_list("person_id", flat=True))
    return Destination(
        household_id=household_id,
        division_code=row.division_code,
        address=row.address,
        opens=False,
        kind=row.kind,
        members=members,
    )


def check_division(division_code: str, address: str) -> None:
    """Refuse an address without its division of twelve digits. Raises `CodeInvalid`."""
    if len(division_code) != 12 or not division_code.isdigit():
        raise CodeInvalid(field="division_code")
    if not address.strip():
        raise CodeInvalid(field="address")


def is_minor(person: Person, *, on: date) -> bool:
    """Tell whether somebody is a minor on a day."""
    return years_between(person.born_on, on) < MAJORITY_YEARS


def relatives_of(person_id: UUID) -> dict[UUID, str]:
    """Return parents, children and spouse of a person, with what each is to them."""
    rows = Relation.objects.filter(person_id=person_id, superseded_at__isnull=True, valid_until__isnull=True)
    return dict(rows.values_list("other_person_id", "kind"))


def check_applicant(
    applicant_person_id: UUID, *, person: Person, relatives: dict[UUID, str], members: frozenset[UUID], today: date
) -> None:
    """Refuse an applicant who is neither the person, nor near to them, nor of the household.

    A minor does not ask for themself; for a minor a parent or a member of the household asks. Raises `ApplicantUnfit`,
    `GuardianMissing`.
    """
    if is_minor(person, on=today):
        if applicant_person_id == person.person_id:
            raise GuardianMissing("A minor's move is asked for by a parent or guardian.")
        allowed = {key for key, kind in relatives.items() if kind in _PARENTS} | members
    else:
        allowed = {person.person_id} | relatives.keys() | members
    if applicant_person_id not in allowed:
        raise ApplicantUnfit


def check_theirs(destination: Destination, *, relatives: dict[UUID, str], consent: str) -> None:
    """Refuse a family's household in which nobody is near to the person, without its head's consent.

    Raises `HouseholdNotTheirs`.
    """
    if destination.kind == COLLECTIVE or consent.strip() or not destination.members:
        return
    if not destination.members & relatives.keys():
        raise HouseholdNotTheirs


def check_guardian(
    destination: Destination,
    *,
    person: Person,
    relatives: dict[UUID, str],
    evidence: str,
    today: date,
    arriving: bool = False,
) -> None:
    """Refuse a minor who would stand without a parent or guardian at the destination.

    A parent stands there, or is on the way to the same household (``arriving``: is there now); or a paper names the guardian; or
    the household is a school's. Raises `GuardianMissing`.
    """
    if not is_minor(person, on=today) or evidence.strip() or destination.kind == COLLECTIVE:
        return
    parents = {key for key, kind in relatives.items() if kind in _PARENTS}
    if parents & destination.members:
        return
    coming = Move.objects.filter(person_id__in=parents, to_household_id=destination.household_id)
    if not arriving and coming.filter(state__in=[*OPEN_STATES, MoveState.IN]).exists():
        return
    raise GuardianMissing


__all__ = [
    "Destination",
    "at_destination",
    "check_applicant",
    "check_division",
    "check_guardian",
    "check_theirs",
    "household_at",
    "is_minor",
    "local_date",
    "relatives_of",
]
