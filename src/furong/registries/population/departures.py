"""Commands about people who leave the register alive, come back, go missing or are found (户口登记条例 arts. 10, 13, 20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.events.commands import publish

from .acts import act, begin, in_life, kept, note, past, registered, tell_late
from .errors import CodeInvalid, DateInFuture, NothingToChange, NumberTaken, PersonRegistered
from .events import PersonLeft, PersonMissing, PersonReturned
from .ledger import Ledger, is_registered, local_date
from .membership import check_head_may_leave, join, leave, open_households
from .models import IdentityNumber, Person, Residence
from .place import here
from .values import DEPARTURES, ChangeKind, ChangeRecorded, PersonStatus


@act("population.deregister_person", of="person_id", says={"leave": "person_id", "kind": "kind", "on": "left_on"})
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
    """Take a living person out of the register: settled abroad, in military service, or entered twice.

    ``kind`` is one of `values.DEPARTURES`; `record_enlistment` and `record_emigration` ask for the papers of the first two.
    Household and residences end on ``left_on``; a head who leaves members behind names the next one. An identity number stays the
    person's, so that it comes back with them; a second entry (``duplicate``) loses its number and names the entry that stands
    (``stands_as_person_id``), which must be registered. Raises `PersonNotFound`, `PersonDeceased`, `PersonDeregistered`,
    `HeadWouldLeave`, `NothingToChange` (no evidence), `CodeInvalid`, `DateInFuture`, `AccessRefused`.
    """
    kind = ChangeKind(kind)
    if kind not in DEPARTURES or (kind == ChangeKind.DUPLICATE) != (stands_as_person_id is not None):
        raise CodeInvalid(field="kind")
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
    detail = {"stands_as": str(stands_as_person_id)} if stands_as_person_id else {}
    leaving = Leaving(person=person, kind=kind, on=left_on, evidence=evidence, detail=detail)
    return take_out(leaving, successor=new_head_person_id, actor=actor, basis=basis, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Who leaves the register alive, why, when and on what evidence; ``detail`` is kept with the act.

    ``on`` may lie some weeks ahead: the law wants it told before somebody leaves, and they leave the register when it is told.
    """

    person: Person
    kind: ChangeKind
    on: date
    ahead: timedelta = timedelta(0)
    evidence: str
    detail: Mapping[str, str] = field(default_factory=dict)


def take_out(leaving: Leaving, *, successor: UUID | None, actor: Actor, basis: Basis, now: datetime) -> ChangeRecorded:
    """End somebody's place in the register; for the commands about those who leave it."""
    person, kind = leaving.person, leaving.kind
    begin(actor=actor, basis=basis, division_code=person.division_code)
    in_life(person, leaving.on, now=now + leaving.ahead)
    on = min(leaving.on, local_date(now))
    check_head_may_leave(person.person_id, successor=successor)
    ledger = Ledger(kind=kind, actor=actor, basis=basis, now=now, evidence=leaving.evidence)
    ledger.revise(person, facts={"status": PersonStatus.DEREGISTERED.value}, since=on)
    leave(ledger, person, on=on, successor=successor)
    ledger.end(Residence.objects.filter(person_id=person.person_id), until=on)
    if kind == ChangeKind.DUPLICATE:
        ledger.end(IdentityNumber.objects.filter(person_id=person.person_id), until=on)
    ledger.touch(person, household_id=None)
    if leaving.detail:
        ledger.finish(leaving.detail)
    late = tell_late(ledger, happened_on=leaving.on, division_code=person.division_code)
    note(person, ledger, fields=("status", "household_id", "address"), kind=str(kind), **leaving.detail)
    publish(
        PersonLeft(person_id=person.person_id, kind=str(kind), left_on=on, from_division=person.division_code),
        database=here(),
        now=now,
    )
    return ChangeRecorded(change_id=ledger.change.id, person_id=person.person_id, is_late=late)


@act(
    "population.restore_person",
    of="person_id",
    says={"restore": "person_id", "to": "household_id", "on": "returned_on"},
)
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
    """Put a person back into the register and into a household (恢复户口): back from abroad or from service,
    or alive although recorded as dead.

    The number that was theirs is theirs again; a marriage that ended with a recorded death does not come back by itself
    (民法典 art. 51). Raises `PersonNotFound`, `PersonRegistered`, `HouseholdNotFound`, `NumberTaken`, `NothingToChange` (no
    evidence), `DateInFuture`, `AccessRefused`.
    """
    if not evidence.strip():
        raise NothingToChange("A return needs its evidence.", mend="Name the document that proves it.")
    return bring_back(
        kept(person_id),
        household_id=household_id,
        on=returned_on,
        evidence=evidence,
        kind=ChangeKind.RETURN,
        actor=actor,
        basis=basis,
        now=now,
    )


def bring_back(
    person: Person,
    *,
    household_id: UUID,
    on: date,
    evidence: str,
    kind: ChangeKind,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Put somebody back into the register; for the commands about those who return."""
    (household,) = open_households(household_id)
    begin(actor=actor, basis=basis, division_code=household.division_code)
    if is_registered(person):
        raise PersonRegistered
    past(on, now=now)
    ledger = Ledger(kind=kind, actor=actor, basis=basis, now=now, evidence=evidence)
    facts = {"status": PersonStatus.REGISTERED.value, "died_on": None, "missing_since": None}
    ledger.revise(person, facts=facts, since=on)
    _give_back_number(ledger, person.person_id, on=on)
    join(ledger, person, household, on=on)
    late = tell_late(ledger, happened_on=on, division_code=household.division_code)
    note(person, ledger, fields=("status", "household_id", "address", "number"))
    publish(
        PersonReturned(person_id=person.person_id, household_id=household_id, division_code=household.division_code),
        database=here(),
        now=now,
    )
    return ChangeRecorded(change_id=ledger.change.id, person_id=person.person_id, is_late=late)


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


@act(
    "population.record_missing",
    of="person_id",
    says={"missing": "person_id", "since": "missing_since"},
    papers=("evidence",),
)
def record_missing(
    *,
    person_id: UUID,
    missing_since: date,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Note that a person is missing since a day; they keep household and residence (民法典 art. 40).

    ``evidence`` names the report. Raises `PaperMissing`, `PersonNotFound`, `PersonDeceased`, `PersonDeregistered`,
    `NothingToChange` (noted before), `DateInFuture`, `AccessRefused`.
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


@act("population.record_found", of="person_id", says={"found": "person_id", "on": "found_on"}, papers=("evidence",))
def record_found(
    *,
    person_id: UUID,
    found_on: date,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Note that a missing person was found alive; a death is recorded by `record_death`.

    Raises `PaperMissing`, `PersonNotFound`, `PersonDeceased`, `PersonDeregistered`, `NothingToChange` (not missing),
    `DateInFuture` (before they went missing, too), `AccessRefused`.
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
