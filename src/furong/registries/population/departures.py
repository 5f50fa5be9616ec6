"""Commands about people who leave the register alive, come back, go missing or are found (户口登记条例 arts. 10, 13, 20)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.events.commands import publish

from .acts import begin, in_life, kept, note, past, registered
from .errors import CodeInvalid, DateInFuture, NothingToChange, NumberTaken, PersonRegistered
from .events import PersonLeft, PersonMissing, PersonReturned
from .ledger import Effect, Ledger, is_registered
from .membership import check_head_may_leave, join, leave, open_households
from .models import IdentityNumber, Residence
from .place import command, here
from .values import DEPARTURES, ChangeKind, ChangeRecorded, PersonStatus


@command("population.deregister_person", of="person_id")
def deregister_person(
    *,
    person_id: UUID,
    kind: ChangeKind,
    left_on: date,
    evidence: str,
    new_head_person_id: UUID | None = None,
    stands_as_person_id: UUID | None = None,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """This function will take a living person out of the register: settled abroad, in military service, or entered twice.

    ``kind`` is one of `values.DEPARTURES`. Household and residences end on ``left_on``; a head who leaves members behind names
    the next one. An identity number stays the person's, so that it comes back with them; a second entry (``duplicate``) loses
    its number and names the entry that stands (``stands_as_person_id``), which must be registered. Raises `PersonNotFound`,
    `PersonDeceased`, `PersonDeregistered`, `HeadWouldLeave`, `NothingToChange` (no evidence), `CodeInvalid`, `DateInFuture`,
    `AccessRefused`.
    """
    kind = ChangeKind(kind)
    if kind not in DEPARTURES or (kind == ChangeKind.DUPLICATE) != (stands_as_person_id is not None):
        raise CodeInvalid(field="kind")
    effect = Effect.of(effect_id, {"leave": person_id, "kind": kind, "on": left_on})
    if (before := effect.find("person", person_id)) is not None:
        return ChangeRecorded(change_id=before.id, person_id=person_id)
    if not evidence.strip():
        raise NothingToChange("Leaving the register needs its evidence.", mend="Name the document that proves it.")
    if stands_as_person_id is not None:
        if stands_as_person_id == person_id:
            raise CodeInvalid(field="stands_as_person_id")
        first, second = sorted((person_id, stands_as_person_id))
        held = {one: registered(one, anywhere=one != person_id) for one in (first, second)}
        person = held[person_id]
    else:
        person = registered(person_id)
    begin(actor=actor, basis=basis, division_code=person.division_code)
    in_life(person, left_on, now=now)
    check_head_may_leave(person_id, successor=new_head_person_id)
    ledger = Ledger(kind=kind, actor=actor, basis=basis, now=now, evidence=evidence, effect=effect)
    ledger.revise(person, facts={"status": PersonStatus.DEREGISTERED.value}, since=left_on)
    leave(ledger, person, on=left_on, successor=new_head_person_id)
    ledger.end(Residence.objects.filter(person_id=person_id), until=left_on)
    if kind == ChangeKind.DUPLICATE:
        ledger.end(IdentityNumber.objects.filter(person_id=person_id), until=left_on)
    ledger.touch(person, household_id=None)
    detail = {"stands_as": str(stands_as_person_id)} if stands_as_person_id else {}
    note(person, ledger, fields=("status", "household_id", "address"), kind=str(kind), **detail)
    publish(
        PersonLeft(person_id=person_id, kind=str(kind), left_on=left_on, from_division=person.division_code),
        database=here(),
        now=now,
    )
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)


@command("population.restore_person", of="person_id")
def restore_person(
    *,
    person_id: UUID,
    household_id: UUID,
    returned_on: date,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """This function will put a person back into the register and into a household (恢复户口): back from abroad or from service,
    or alive although recorded as dead.

    The number that was theirs is theirs again; a marriage that ended with a recorded death does not come back by itself
    (民法典 art. 51). Raises `PersonNotFound`, `PersonRegistered`, `HouseholdNotFound`, `NumberTaken`, `NothingToChange` (no
    evidence), `DateInFuture`, `AccessRefused`.
    """
    effect = Effect.of(effect_id, {"restore": person_id, "to": household_id, "on": returned_on})
    if (before := effect.find("person", person_id)) is not None:
        return ChangeRecorded(change_id=before.id, person_id=person_id)
    if not evidence.strip():
        raise NothingToChange("A return needs its evidence.", mend="Name the document that proves it.")
    person = kept(person_id)
    (household,) = open_households(household_id)
    begin(actor=actor, basis=basis, division_code=household.division_code)
    if is_registered(person):
        raise PersonRegistered
    past(returned_on, now=now)
    ledger = Ledger(kind=ChangeKind.RETURN, actor=actor, basis=basis, now=now, evidence=evidence, effect=effect)
    facts = {"status": PersonStatus.REGISTERED.value, "died_on": None, "missing_since": None}
    ledger.revise(person, facts=facts, since=returned_on)
    _give_back_number(ledger, person_id, on=returned_on)
    join(ledger, person, household, on=returned_on)
    note(person, ledger, fields=("status", "household_id", "address", "number"))
    publish(
        PersonReturned(person_id=person_id, household_id=household_id, division_code=household.division_code),
        database=here(),
        now=now,
    )
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)


def _give_back_number(ledger: Ledger, person_id: UUID, *, on: date) -> None:
    """Open the last number of each type again, where it was ended."""
    known = IdentityNumber.objects.filter(person_id=person_id, superseded_at__isnull=True)
    held = set(known.filter(valid_until__isnull=True).values_list("type", flat=True))
    for row in known.filter(valid_until__isnull=False).order_by("-valid_until"):
        if row.type in held:
            continue
        held.add(row.type)
        others = IdentityNumber.objects.filter(
            number=row.number, superseded_at__isnull=True, valid_until__isnull=True
        ).exclude(person_id=person_id)
        if others.exists():
            raise NumberTaken
        ledger.open(IdentityNumber, since=on, person_id=person_id, type=row.type, number=row.number)


@command("population.record_missing", of="person_id")
def record_missing(
    *,
    person_id: UUID,
    missing_since: date,
    evidence: str,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """This function will note that a person is missing since a day; they keep household and residence (民法典 art. 40).

    Raises `PersonNotFound`, `PersonDeceased`, `PersonDeregistered`, `NothingToChange` (noted before), `DateInFuture`,
    `AccessRefused`.
    """
    person = registered(person_id)
    begin(actor=actor, basis=basis, division_code=person.division_code)
    in_life(person, missing_since, now=now)
    if person.missing_since is not None:
        raise NothingToChange
    ledger = Ledger(kind=ChangeKind.MISSING, actor=actor, basis=basis, now=now, evidence=evidence)
    ledger.revise(person, facts={"missing_since": missing_since}, since=missing_since)
    note(person, ledger, fields=("missing_since",))
    publish(PersonMissing(person_id=person_id, found=False), database=here(), now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)


@command("population.record_found", of="person_id")
def record_found(
    *, person_id: UUID, found_on: date, evidence: str, actor: Actor, basis: Basis, now: datetime
) -> ChangeRecorded:
    """This function will note that a missing person was found alive; a death is recorded by `record_death`.

    Raises `PersonNotFound`, `PersonDeceased`, `PersonDeregistered`, `NothingToChange` (not missing), `DateInFuture` (before they
    went missing, too), `AccessRefused`.
    """
    person = registered(person_id)
    begin(actor=actor, basis=basis, division_code=person.division_code)
    past(found_on, now=now)
    if person.missing_since is None:
        raise NothingToChange
    if found_on < person.missing_since:
        raise DateInFuture("The date lies before the day since which the person is missing.")
    ledger = Ledger(kind=ChangeKind.FOUND, actor=actor, basis=basis, now=now, evidence=evidence)
    ledger.revise(person, facts={"missing_since": None}, since=found_on)
    note(person, ledger, fields=("missing_since",))
    publish(PersonMissing(person_id=person_id, found=True), database=here(), now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)
