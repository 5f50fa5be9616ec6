"""Commands about households: open, split, merge, another head (户口登记条例 arts. 5, 6, 19)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.events.commands import publish

from .acts import act, begin, past, registered
from .errors import (
    CodeInvalid,
    HeadWouldLeave,
    HouseholdsApart,
    NothingToChange,
    NotOfHousehold,
)
from .events import HouseholdChanged
from .kinship import HEAD
from .ledger import Ledger, local_date
from .membership import join, lead, members_of, move_out, new_household, open_households
from .models import Change, Household, Person
from .place import command, here
from .values import ChangeKind, HouseholdSplit


@command("population.open_household", of="division_code")
def open_household(
    *, division_code: str, address: str, kind: str = "family", actor: Actor, basis: Basis, now: datetime
) -> UUID:
    """Open an empty household at an address and return its key; its first member becomes head.

    ``division_code`` has 12 digits; ``kind`` is ``family`` or ``collective``. Raises `CodeInvalid`, `AccessRefused`.
    """
    begin(actor=actor, basis=basis, division_code=division_code)
    if kind not in {"family", "collective"}:
        raise CodeInvalid(field="kind")
    if len(division_code) != 12 or not division_code.isdigit():
        raise CodeInvalid(field="division_code")
    household = new_household(division_code=division_code, address=address, kind=kind, opened_on=local_date(now))
    current().object("household", household.household_id)
    return household.household_id


def _first_split(before: Change, household_id: UUID) -> HouseholdSplit:
    return HouseholdSplit(
        change_id=before.id, household_id=household_id, new_household_id=UUID(before.result["new_household_id"])
    )


def _first(before: Change, household_id: UUID) -> UUID:
    return before.id


@act(
    "population.split_household",
    of="household_id",
    says={"split": "household_id", "members": "member_ids", "head": "head_person_id", "on": "split_on"},
    again=_first_split,
)
def split_household(
    *,
    household_id: UUID,
    member_ids: Sequence[UUID],
    head_person_id: UUID,
    split_on: date,
    evidence: str,
    address: str = "",
    next_head_person_id: UUID | None = None,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> HouseholdSplit:
    """Move members of a household into a new one of the same division (分户) and return both keys.

    ``head_person_id`` is one of them and heads the new household; ``address`` defaults to the old one. When the old head goes
    and others stay, ``next_head_person_id`` names who follows. A repeat of ``effect_id`` gives the first result. Raises
    `HouseholdNotFound`, `NotOfHousehold`, `HeadWouldLeave`, `NothingToChange` (nobody or everybody would go), `DateInFuture`,
    `AccessRefused`.
    """
    going = sorted(set(member_ids))
    (old,) = open_households(household_id)
    begin(actor=actor, basis=basis, division_code=old.division_code)
    past(split_on, now=now)
    relations = {row.person_id: row.relation for row in members_of(household_id)}
    if not set(going) <= relations.keys() or head_person_id not in going:
        raise NotOfHousehold
    staying = relations.keys() - set(going)
    if not going or not staying:
        raise NothingToChange("A split leaves somebody behind and takes somebody along.")
    if any(relations[one] == HEAD for one in going) and next_head_person_id not in staying:
        raise HeadWouldLeave
    people = {person_id: registered(person_id) for person_id in going}
    ledger = Ledger(kind=ChangeKind.HOUSEHOLD_SPLIT, actor=actor, basis=basis, now=now, evidence=evidence)
    new = new_household(
        division_code=old.division_code, address=address or old.address, kind=old.kind, opened_on=split_on
    )
    # The head last out of the old household and first into the new one, so that each always has one.
    for person_id in sorted(going, key=lambda one: relations[one] == HEAD):
        move_out(ledger, people[person_id], on=split_on, successor=next_head_person_id)
    for person_id in sorted(going, key=lambda one: one != head_person_id):
        join(ledger, people[person_id], new, on=split_on)
    ledger.finish({"new_household_id": str(new.household_id)})
    _tell(ledger, old, people.values(), other=new.household_id, now=now)
    return HouseholdSplit(change_id=ledger.change.id, household_id=household_id, new_household_id=new.household_id)


@act(
    "population.merge_households",
    of="household_id",
    says={"merge": "household_id", "into": "into_household_id", "on": "merged_on"},
    again=_first,
)
def merge_households(
    *,
    household_id: UUID,
    into_household_id: UUID,
    merged_on: date,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> UUID:
    """Move everybody of a household into another and close it (并户); it returns the change's key.

    Both must be open and lie in one township (the first nine digits of the division); otherwise each person moves by
    `move_person`. Relations are told to the head of the household that stays. Raises `HouseholdNotFound`, `HouseholdsApart`,
    `NothingToChange` (the same household, or an empty one), `DateInFuture`, `AccessRefused`.
    """
    if household_id == into_household_id:
        raise NothingToChange
    old, target = open_households(household_id, into_household_id)
    begin(actor=actor, basis=basis, division_code=target.division_code)
    past(merged_on, now=now)
    if old.division_code[:9] != target.division_code[:9]:
        raise HouseholdsApart
    rows = sorted(members_of(household_id), key=lambda row: (row.relation == HEAD, str(row.person_id)))
    if not rows:
        raise NothingToChange
    people = [registered(row.person_id) for row in rows]
    ledger = Ledger(kind=ChangeKind.HOUSEHOLD_MERGE, actor=actor, basis=basis, now=now, evidence=evidence)
    for person in people:
        move_out(ledger, person, on=merged_on, successor=None)
        join(ledger, person, target, on=merged_on)
    _tell(ledger, old, people, other=into_household_id, now=now)
    return ledger.change.id


@act(
    "population.change_head",
    of="household_id",
    says={"head": "head_person_id", "of": "household_id", "on": "changed_on"},
    again=_first,
)
def change_head(
    *,
    household_id: UUID,
    head_person_id: UUID,
    changed_on: date,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> UUID:
    """Make another member the head of a household (变更户主) and return the change's key.

    Everybody's relation is told to the new head. Raises `HouseholdNotFound`, `NotOfHousehold`, `NothingToChange` (is it already),
    `DateInFuture`, `AccessRefused`.
    """
    (household,) = open_households(household_id)
    begin(actor=actor, basis=basis, division_code=household.division_code)
    past(changed_on, now=now)
    relations = {row.person_id: row.relation for row in members_of(household_id)}
    if head_person_id not in relations:
        raise NotOfHousehold
    if relations[head_person_id] == HEAD:
        raise NothingToChange
    people = [registered(person_id) for person_id in sorted(relations)]
    ledger = Ledger(kind=ChangeKind.HEAD_CHANGE, actor=actor, basis=basis, now=now, evidence=evidence)
    lead(ledger, household_id, head_id=head_person_id, on=changed_on)
    _tell(ledger, household, people, other=None, now=now)
    return ledger.change.id


def _tell(ledger: Ledger, household: Household, people: Iterable[Person], *, other: UUID | None, now: datetime) -> None:
    entry = current()
    entry.object("household", household.household_id)
    for person in people:
        entry.subject(person.person_id, fields=("household_id", "household_relation", "address"))
    entry.detail(change_id=str(ledger.change.id))
    publish(
        HouseholdChanged(
            household_id=household.household_id,
            kind=str(ledger.kind),
            other_household_id=other,
            division_code=household.division_code,
        ),
        database=here(),
        now=now,
    )
