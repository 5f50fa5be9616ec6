"""Commands about one person: entry, amendment, correction, death, moves, stays."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connections

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.codes.errors import IdentityNumberRefused
from furong.foundation.codes.identity_numbers import parse_identity_number
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish

from .acts import act, begin, in_life, kept, note, part, past, registered, repeated, set_marital, tell_late
from .errors import (
    Busy,
    CodeInvalid,
    DateInFuture,
    FieldNotChangeable,
    NotAtThisCounter,
    NothingToChange,
    NumberInvalid,
    NumberTaken,
    PersonDeceased,
)
from .events import PersonAmended, PersonDied, PersonEntered, PersonMoved
from .kinship import HEAD
from .ledger import (
    NUMBER_IS_TAKEN,
    Effect,
    Ledger,
    get_person,
    is_registered,
    lock,
    spouse_of,
)
from .membership import check_head_may_leave, join, leave, members_of, move_out, open_households
from .models import Change, IdentityNumber, Person, Residence
from .moves.errors import MoveOpen, PermitNeeded
from .moves.models import Move
from .moves.values import OPEN_STATES, needs_permit
from .place import carries_number, command, here
from .rules import check_code, check_name
from .values import ChangeKind, ChangeRecorded, PersonStatus, ResidenceKind, Topic

# What the world can change about a person, and what only the register can have got wrong (户口登记条例 arts. 17, 18).
AMENDABLE = frozenset({"name", "former_name", "ethnicity", "native_division_code", "marital"})
CORRECTABLE = AMENDABLE | {"sex", "born_on", "born_at", "born_place", "born_division_code"}
_CODED = {"sex": "sex", "ethnicity": "ethnic_group", "marital": "marital_status"}


@command("population.register_person", of="household_id")
def register_person(
    *,
    name: str,
    sex: str,
    ethnicity: str,
    born_on: date,
    number: str | None,
    number_type: str = "111",
    household_id: UUID,
    marital: str = "90",
    born_division_code: str = "",
    native_division_code: str = "",
    allow_reserved: bool = False,
    evidence: str = "",
    person_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> UUID:
    """Enter a person other than by birth (from abroad, from service, missed before) and return the key.

    ``number`` may be None; type 111 is checked by GB 11643. ``allow_reserved`` admits the numbers of invented people and is for
    demo data and tests. Raises `NumberInvalid`, `NumberTaken`, `HouseholdNotFound`, `CodeInvalid`, `NameInvalid`.
    """
    (household,) = open_households(household_id)
    begin(actor=actor, basis=basis, division_code=household.division_code)
    past(born_on, now=now)
    checked = _check_number(number, number_type, allow_reserved=allow_reserved)
    ledger = Ledger(kind=ChangeKind.ENTRY, actor=actor, basis=basis, now=now, evidence=evidence)
    person = Person(
        person_id=person_id or new_id(),
        name=check_name(name),
        sex=check_code("sex", sex, field="sex"),
        ethnicity=check_code("ethnic_group", ethnicity, field="ethnicity"),
        born_on=born_on,
        marital=check_code("marital_status", marital, field="marital"),
        born_division_code=born_division_code,
        native_division_code=native_division_code,
        status=PersonStatus.REGISTERED,
        division_code=household.division_code,
        household_id=household_id,
    )
    ledger.enter(person, since=born_on)
    if checked is not None:
        ledger.open(IdentityNumber, since=born_on, person_id=person.person_id, type=number_type, number=checked)
    head = members_of(household_id).filter(relation=HEAD).first()
    ledger.settle(
        person=person,
        household_id=household_id,
        relation="97" if head is not None else HEAD,
        division_code=household.division_code,
        address=household.address,
        since=ledger.today,
    )
    note(person, ledger, fields=("name", "number", "household_id"))
    publish(
        PersonEntered(person_id=person.person_id, division_code=person.division_code),
        database=here(),
        now=now,
    )
    return person.person_id


def _check_number(number: str | None, number_type: str, *, allow_reserved: bool) -> str | None:
    if number is None:
        return None
    text = number.strip().upper()
    if number_type == "111":
        try:
            text = parse_identity_number(text, allow_reserved=allow_reserved).number_18
        except IdentityNumberRefused as refusal:
            raise NumberInvalid from refusal
    lock(f"number:{text}")
    with connections[here()].cursor() as cursor:
        cursor.execute(NUMBER_IS_TAKEN, [text])
        if cursor.fetchone() is not None:
            raise NumberTaken
    if carries_number(text, number_type):  # in another city; while the province is away, it finds out later
        raise NumberTaken
    return text


def _checked_facts(facts: Mapping[str, Any], allowed: frozenset[str], *, now: datetime) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for field, value in facts.items():
        if field not in allowed:
            raise FieldNotChangeable(field=field)
        if field == "name":
            checked[field] = check_name(str(value))
        elif field in _CODED:
            checked[field] = check_code(_CODED[field], str(value), field=field)
        elif field == "born_on":
            if not isinstance(value, date) or isinstance(value, datetime):
                raise CodeInvalid(field=field)
            checked[field] = past(value, now=now)
        elif field == "born_at":
            if not isinstance(value, datetime) or value.tzinfo is None or value > now:
                raise CodeInvalid(field=field)
            checked[field] = value
        else:
            checked[field] = str(value).strip()
    if not checked:
        raise NothingToChange
    return checked


@command("population.amend_person", of="person_id")
def amend_person(
    *,
    person_id: UUID,
    facts: Mapping[str, Any],
    effective_on: date,
    evidence: str = "",
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Record that facts about a person changed on a day: a new name, a new ethnic group (变更).

    ``facts`` names fields of `AMENDABLE`. A new name keeps the old one as former name unless ``facts`` says otherwise. What held
    before ``effective_on`` stays as it was; recorded late, it holds until the change that came after it. Raises
    `PersonNotFound`, `PersonDeceased`, `FieldNotChangeable`, `NothingToChange`, `DateInFuture`, `AccessRefused`.
    """
    return _revise(
        ChangeKind.AMENDMENT,
        person_id=person_id,
        facts=facts,
        since=effective_on,
        until=None,
        evidence=evidence,
        effect_id=effect_id,
        actor=actor,
        basis=basis,
        now=now,
    )


@command("population.correct_person", of="person_id")
def correct_person(
    *,
    person_id: UUID,
    facts: Mapping[str, Any],
    since: date | None = None,
    until: date | None = None,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Record that the register was wrong (更正): from ``since`` (default: always) until ``until``.

    What was believed before stays readable with the time at which it was given up; nothing is deleted. ``evidence`` says what
    proves it and may not be empty. Raises as `amend_person`, and `NothingToChange` without evidence.
    """
    if not evidence.strip():
        raise NothingToChange("A correction needs its evidence.", mend="Name the document that proves it.")
    return _revise(
        ChangeKind.CORRECTION,
        person_id=person_id,
        facts=facts,
        since=since or date.min,
        until=until,
        evidence=evidence,
        effect_id=effect_id,
        actor=actor,
        basis=basis,
        now=now,
    )


def _revise(
    kind: ChangeKind,
    *,
    person_id: UUID,
    facts: Mapping[str, Any],
    since: date,
    until: date | None,
    evidence: str,
    effect_id: UUID | None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    allowed = AMENDABLE if kind == ChangeKind.AMENDMENT else CORRECTABLE
    checked = _checked_facts(facts, allowed, now=now)
    effect = Effect.of(effect_id, {"kind": kind, "person": person_id, "facts": checked, "since": since, "until": until})
    if (before := effect.find("person", person_id)) is not None:
        return repeated(before, person_id)
    person = kept(person_id)
    begin(actor=actor, basis=basis, division_code=person.division_code)
    if kind == ChangeKind.AMENDMENT:
        if not is_registered(person):
            raise PersonDeceased
        past(since, now=now)
        if "name" in checked and "former_name" not in checked and checked["name"] != person.name:
            checked["former_name"] = person.name
    ledger = Ledger(kind=kind, actor=actor, basis=basis, now=now, evidence=evidence, effect=effect)
    late = kind == ChangeKind.AMENDMENT
    if not ledger.revise(person, facts=checked, since=since, until=until, until_changed=late):
        raise NothingToChange
    fields = tuple(sorted(checked))
    note(person, ledger, fields=fields, kind=kind)
    publish(
        PersonAmended(person_id=person_id, kind=kind, fields=fields, version=person.version),
        database=here(),
        now=now,
    )
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)


@act(
    "population.record_death",
    of="person_id",
    says={"death": "person_id", "died_on": "died_on"},
    papers=("evidence",),
)
def record_death(
    *,
    person_id: UUID,
    died_on: date,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Record a death: the person leaves household and residence, and a marriage ends (户口登记条例 art. 8).

    When the head of a household dies the spouse becomes head, else the eldest member, and the others' relations are told anew.
    ``evidence`` names the certificate of death; told later than a month after, it is marked late. Raises `PersonNotFound`,
    `PersonDeceased` (already recorded), `PaperMissing`, `DateInFuture`, `Busy`, `AccessRefused`.
    """
    widowed = spouse_of(person_id)
    # In the order of their keys, as those lock who write about two people: none of them waits for the other for ever.
    survivor = _lock_both(person_id, widowed)
    person = registered(person_id)
    if spouse_of(person_id) != widowed:
        raise Busy  # somebody recorded a marriage or its end meanwhile
    begin(actor=actor, basis=basis, division_code=person.division_code)
    in_life(person, died_on, now=now)
    ledger = Ledger(kind=ChangeKind.DEATH, actor=actor, basis=basis, now=now, evidence=evidence)
    ledger.revise(person, facts={"status": PersonStatus.DECEASED.value, "died_on": died_on}, since=died_on)
    household_id = person.household_id
    leave(ledger, person, on=died_on, successor=widowed)
    ledger.end(IdentityNumber.objects.filter(person_id=person_id), until=died_on)
    ledger.end(Residence.objects.filter(person_id=person_id), until=died_on)
    ledger.touch(person, household_id=None)
    if widowed is not None:
        part(ledger, person_id, widowed, on=died_on)
        ledger.touched_pair(Topic.SPOUSE, person_id, widowed, maritals={widowed: (died_on, "30")})
        if survivor is not None:
            set_marital(ledger, survivor, "30", other=person_id, since=died_on)
        current().subject(widowed, fields=("marital",))
    late = tell_late(ledger, happened_on=died_on, division_code=person.division_code)
    note(person, ledger, fields=("status", "died_on"), household_id=str(household_id))
    publish(PersonDied(person_id=person_id, died_on=died_on), database=here(), now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id, is_late=late)


def _lock_both(person_id: UUID, spouse_id: UUID | None) -> Person | None:
    """Lock the rows of a person and their spouse; give the spouse's, None at a counter that does not keep them."""
    survivor = None
    for one in sorted(filter(None, (person_id, spouse_id))):
        with suppress(NotAtThisCounter) if one == spouse_id else nullcontext():
            row = get_person(one, lock_row=True)
            survivor = row if one == spouse_id else survivor
    return survivor


@act("population.move_person", of="person_id", says={"move": "person_id", "to": "household_id", "on": "moved_on"})
def move_person(
    *,
    person_id: UUID,
    household_id: UUID,
    moved_on: date,
    reason: str,
    new_head_person_id: UUID | None = None,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Move a person's permanent residence into another household of the same county (户口登记条例 art. 10,
    13).

    Across counties and cities a move needs its permit (`moves.commands`). The first member of an empty household becomes its
    head. A head who leaves members behind must name the next one (``new_head_person_id``). A household left empty is closed.
    Raises `PersonNotFound`, `PersonDeceased`, `HouseholdNotFound`, `HeadWouldLeave`, `NothingToChange` (already there),
    `PermitNeeded`, `MoveOpen`, `DateInFuture`, `AccessRefused`.
    """
    person = registered(person_id)
    (target,) = open_households(household_id)
    begin(actor=actor, basis=basis, division_code=target.division_code)
    past(moved_on, now=now)
    if person.household_id == household_id:
        raise NothingToChange
    if needs_permit(from_division=person.division_code, to_division=target.division_code):
        raise PermitNeeded
    if Move.objects.filter(person_id=person_id, state__in=OPEN_STATES).exists():
        raise MoveOpen
    check_head_may_leave(person_id, successor=new_head_person_id)
    ledger = Ledger(kind=ChangeKind.MOVE, actor=actor, basis=basis, now=now, evidence=reason)
    from_division = person.division_code
    move_out(ledger, person, on=moved_on, successor=new_head_person_id)
    join(ledger, person, target, on=moved_on)
    late = tell_late(ledger, happened_on=moved_on, division_code=target.division_code)
    note(person, ledger, fields=("household_id", "address", "division_code"))
    publish(
        PersonMoved(
            person_id=person_id,
            household_id=household_id,
            from_division=from_division,
            to_division=target.division_code,
        ),
        database=here(),
        now=now,
    )
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id, is_late=late)


def _first_stay(before: Change, person_id: UUID) -> UUID:
    return UUID(before.result["stay_id"])


@act(
    "population.record_temporary_stay",
    of="person_id",
    says={"stay": "person_id", "at": ("division_code", "address"), "since": "since"},
    again=_first_stay,
)
def record_temporary_stay(
    *,
    person_id: UUID,
    division_code: str,
    address: str,
    since: date,
    reason: str = "",
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> UUID:
    """Record that a person stays away from their permanent residence and return the stay's key.

    户口登记条例 art. 15 (three days or more). Raises `PersonNotFound`, `PersonDeceased`, `PersonDeregistered`, `CodeInvalid`,
    `DateInFuture`, `AccessRefused`.
    """
    begin(actor=actor, basis=basis, division_code=division_code)
    if len(division_code) != 12 or not division_code.isdigit():
        raise CodeInvalid(field="division_code")
    if not address.strip():
        raise CodeInvalid(field="address")
    person = registered(person_id)
    since = in_life(person, since, now=now)
    ledger = Ledger(kind=ChangeKind.TEMPORARY_STAY, actor=actor, basis=basis, now=now, evidence=reason)
    row = ledger.open(
        Residence,
        since=since,
        person_id=person_id,
        kind=ResidenceKind.TEMPORARY,
        division_code=division_code,
        address=address.strip(),
        reason=reason,
    )
    ledger.finish({"stay_id": str(row.id)})
    tell_late(ledger, happened_on=since)
    note(person, ledger, fields=("address",))
    return row.id


@act(
    "population.end_temporary_stay",
    of="stay_id",
    says={"end_stay": "stay_id", "on": "ended_on"},
    again=lambda before, stay_id: None,
)
def end_temporary_stay(
    *, stay_id: UUID, ended_on: date, effect_id: UUID | None = None, actor: Actor, basis: Basis, now: datetime
) -> None:
    """End a temporary stay.

    Raises `NothingToChange` when it is not open, `DateInFuture` (before it began, too), `AccessRefused`.
    """
    stay = Residence.objects.filter(
        pk=stay_id, kind=ResidenceKind.TEMPORARY, superseded_at__isnull=True, valid_until__isnull=True
    ).first()
    if stay is None:
        raise NothingToChange
    begin(actor=actor, basis=basis, division_code=stay.division_code)
    if past(ended_on, now=now) < stay.valid_from:
        raise DateInFuture("The date lies before the day on which the stay began.")
    person = kept(stay.person_id)
    ledger = Ledger(kind=ChangeKind.TEMPORARY_STAY, actor=actor, basis=basis, now=now)
    ledger.end(Residence.objects.filter(pk=stay_id), until=ended_on)
    note(person, ledger, fields=("address",))
