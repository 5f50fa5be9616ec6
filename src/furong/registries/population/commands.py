"""Writes to the population register: one function is one transaction, one change, one audit entry and its events.

Every command takes who asks (``actor``), why (``basis``) and ``now``. Those with an ``effect_id`` may be repeated: the second
time they change nothing and return what the first did. Other changes than births are in `changes`, `departures`,
`families` and `households`, re-exported here.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish

from .changes import (
    amend_person,
    correct_person,
    end_temporary_stay,
    move_person,
    record_death,
    record_temporary_stay,
    register_person,
)
from .departures import deregister_person, record_found, record_missing, restore_person
from .errors import (
    BirthRecordMissing,
    ChildAlreadyRegistered,
    ConsentMissing,
    DateInFuture,
    EffectReusedError,
    EthnicityNotOfParents,
    HouseholdNotFound,
    HouseholdNotOfParents,
    ParentUnfit,
    PersonDeceased,
)
from .events import PersonBorn
from .families import record_adoption, record_divorce, record_marriage, record_parenthood
from .households import change_head, merge_households, open_household, split_household
from .kinship import HEAD, Family, Kin, relation_to_head
from .ledger import (
    Effect,
    Ledger,
    digest_of,
    family_around,
    get_person,
    local_date,
    lock,
    numbers_of,
    spouse_of,
    take_number,
)
from .models import BirthRegistration, Household, HouseholdMember, IdentityNumber, Person
from .papers import change_name, record_discharge, record_emigration, record_enlistment
from .place import command, here
from .rules import check_code, check_name, check_sex_of_child
from .values import (
    FEMALE,
    MALE,
    BirthRegistered,
    ChangeKind,
    NewChild,
    PersonStatus,
    RelationKind,
    county_for_number,
    is_late_birth,
    years_between,
)

__all__ = [
    "amend_person",
    "change_head",
    "change_name",
    "correct_person",
    "deregister_person",
    "end_temporary_stay",
    "merge_households",
    "move_person",
    "open_household",
    "record_adoption",
    "record_death",
    "record_discharge",
    "record_divorce",
    "record_emigration",
    "record_enlistment",
    "record_found",
    "record_marriage",
    "record_missing",
    "record_parenthood",
    "record_temporary_stay",
    "register_birth",
    "register_person",
    "restore_person",
    "split_household",
]

_YOUNGEST_PARENT_YEARS = 12
_OLDEST_MOTHER_YEARS = 65


@command("population.register_birth", of="household_id")
def register_birth(
    *,
    effect_id: UUID,
    child: NewChild,
    birth_record_number: str,
    mother_person_id: UUID,
    father_person_id: UUID | None = None,
    household_id: UUID,
    consent_reference: str = "",
    late_note: str = "",
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> BirthRegistered:
    """Register a birth and give the child an identity number, a household and an address.

    ``birth_record_number`` is the number of the birth certificate; it registers one child. The household must be open and have a
    parent among its members. ``consent_reference`` names the recorded consent of the other parent; it is required when a father
    is named and the register does not hold the two as married. A registration later than a month after the birth is flagged,
    with ``late_note``. The same ``effect_id`` again returns the first result and changes nothing, also when both run at once.

    Raises `PersonNotFound`, `PersonDeceased` (mother, before the birth), `ParentUnfit`, `HouseholdNotFound`,
    `HouseholdNotOfParents`, `BirthRecordMissing`, `ChildAlreadyRegistered`, `ConsentMissing`, `EthnicityNotOfParents`,
    `DateInFuture`, `NameInvalid`, `CodeInvalid`, `AccessRefused`. Faults: `EffectReusedError`, `NumbersExhaustedError`. About 20
    statements, 10 ms. 户口登记条例 art. 7; GB 11643; GB/T 4761.
    """
    if not basis.is_stated:
        raise PurposeMissing
    record_number = birth_record_number.strip().upper()
    digest = digest_of(
        {
            "child": [child.name, child.sex, child.born_at.timestamp(), child.ethnicity],
            "record": record_number,
            "mother": mother_person_id,
            "father": father_person_id,
            "household": household_id,
        }
    )
    lock(f"effect:{effect_id}")
    before = BirthRegistration.objects.filter(effect_id=effect_id).first()
    if before is not None:
        if before.effect_digest != digest:
            raise EffectReusedError("The effect was carried out before with other content.")
        current().object("birth_registration", before.id)
        current().detail(repeated=True)
        return _from_result(before.result, registered_on=local_date(before.registered_at))

    lock(f"birth_record:{record_number}")
    if not record_number:
        raise BirthRecordMissing
    if BirthRegistration.objects.filter(birth_record_number=record_number).exists():
        raise ChildAlreadyRegistered

    household = Household.objects.select_for_update().filter(pk=household_id, closed_on__isnull=True).first()
    if household is None:
        raise HouseholdNotFound
    access.require(actor=actor, right="population.register", division_code=household.division_code)

    born_on = local_date(child.born_at)
    today = local_date(now)
    if child.born_at > now:
        raise DateInFuture
    name = check_name(child.name)
    check_sex_of_child(child.sex)
    check_code("ethnic_group", child.ethnicity, field="ethnicity")
    mother = get_person(mother_person_id)
    father = get_person(father_person_id) if father_person_id is not None else None
    _check_parents(mother=mother, father=father, child=child)
    members = HouseholdMember.objects.filter(
        household_id=household_id, superseded_at__isnull=True, valid_until__isnull=True
    )
    relations = {row.person_id: row.relation for row in members}
    if not ({mother_person_id, father_person_id} & set(relations)):
        raise HouseholdNotOfParents
    if father is not None and not consent_reference.strip() and spouse_of(mother.person_id) != father.person_id:
        raise ConsentMissing

    parents_numbers = numbers_of(mother.person_id) + (numbers_of(father.person_id) if father else ())
    number = take_number(
        county=county_for_number(household_division=household.division_code, parents_numbers=parents_numbers),
        born_on=born_on,
        is_male=child.sex == MALE,
    )
    late = is_late_birth(born_on=born_on, registered_on=today)
    ledger = Ledger(
        kind=ChangeKind.BIRTH,
        actor=actor,
        basis=basis,
        now=now,
        evidence=f"birth_record:{record_number}",
        effect=Effect(effect_id, digest),
    )
    person = Person(
        person_id=new_id(),
        name=name,
        sex=child.sex,
        ethnicity=child.ethnicity,
        born_on=born_on,
        born_at=child.born_at,
        born_division_code=child.born_division_code,
        born_place=child.born_place.strip(),
        native_division_code=child.native_division_code or (father or mother).native_division_code,
        marital="10",
        status=PersonStatus.REGISTERED,
        division_code=household.division_code,
        household_id=household_id,
    )
    ledger.enter(person, since=born_on)
    ledger.open(IdentityNumber, since=born_on, person_id=person.person_id, type="111", number=number)
    for parent, kind in ((mother, RelationKind.MOTHER), (father, RelationKind.FATHER)):
        if parent is not None:
            ledger.relate(
                person_id=person.person_id,
                kind=kind,
                other=parent.person_id,
                back=RelationKind.CHILD,
                since=born_on,
                evidence="birth_certificate",
            )
    relation = _relation_of_child(person, mother, father, relations)
    ledger.settle(
        person=person,
        household_id=household_id,
        relation=relation,
        division_code=household.division_code,
        address=household.address,
        since=today,
    )
    outcome = BirthRegistered(
        registration_id=new_id(),
        person_id=person.person_id,
        number=number,
        household_id=household_id,
        household_relation=relation,
        division_code=household.division_code,
        is_late=late,
        registered_on=today,
    )
    result = _to_result(outcome)
    BirthRegistration(
        id=outcome.registration_id,
        effect_id=effect_id,
        effect_digest=digest,
        birth_record_number=record_number,
        child=person,
        mother_person_id=mother_person_id,
        father_person_id=father_person_id,
        household=household,
        born_at=child.born_at,
        born_on=born_on,
        is_late=late,
        late_note=late_note.strip() if late else "",
        consent_reference=consent_reference.strip(),
        case_id=basis.case_id,
        change=ledger.change,
        registered_at=now,
        result=result,
    ).save(force_insert=True)
    ledger.tell_others()
    ledger.finish({"registration_id": str(outcome.registration_id), "person_id": str(person.person_id)})

    entry = current()
    entry.object("birth_registration", outcome.registration_id)
    for subject in (person, mother, father):
        if subject is not None:
            entry.subject(subject.person_id, fields=("name", "number", "household_id", "address"))
    entry.detail(is_late=late, household_id=str(household_id), consent=bool(consent_reference.strip()))
    publish(
        PersonBorn(
            person_id=person.person_id,
            registration_id=outcome.registration_id,
            effect_id=effect_id,
            household_id=household_id,
            division_code=household.division_code,
            mother_person_id=mother_person_id,
            father_person_id=father_person_id,
            is_late=late,
        ),
        database=here(),
        now=now,
    )
    return outcome


def _check_parents(*, mother: Person, father: Person | None, child: NewChild) -> None:
    born_on = local_date(child.born_at)
    # A mother may die giving birth; she must have lived on that day.
    if mother.status == PersonStatus.DECEASED and (mother.died_on is None or mother.died_on < born_on):
        raise PersonDeceased
    if mother.status == PersonStatus.DEREGISTERED or mother.sex != FEMALE:
        raise ParentUnfit(role="mother")
    if not _YOUNGEST_PARENT_YEARS <= years_between(mother.born_on, born_on) <= _OLDEST_MOTHER_YEARS:
        raise ParentUnfit(role="mother")
    ethnicities = {mother.ethnicity}
    if father is not None:
        if father.sex != MALE or father.person_id == mother.person_id:
            raise ParentUnfit(role="father")
        if years_between(father.born_on, born_on) < _YOUNGEST_PARENT_YEARS:
            raise ParentUnfit(role="father")
        ethnicities.add(father.ethnicity)
    if child.ethnicity not in ethnicities:
        raise EthnicityNotOfParents


def _relation_of_child(person: Person, mother: Person, father: Person | None, relations: dict[UUID, str]) -> str:
    head_id = next((member for member, relation in relations.items() if relation == HEAD), None)
    if head_id is None:
        return "97"
    around = family_around([head_id, mother.person_id, *([father.person_id] if father else [])])
    me = Kin(person_id=person.person_id, sex=person.sex, born_on=person.born_on)
    family = Family(
        people={**around.people, person.person_id: me},
        mother={**around.mother, person.person_id: mother.person_id},
        father={**around.father, **({person.person_id: father.person_id} if father else {})},
        spouse=around.spouse,
    )
    return relation_to_head(person_id=person.person_id, head_id=head_id, family=family)


def _to_result(outcome: BirthRegistered) -> dict[str, object]:
    return {
        "registration_id": str(outcome.registration_id),
        "person_id": str(outcome.person_id),
        "number": outcome.number,
        "household_id": str(outcome.household_id),
        "household_relation": outcome.household_relation,
        "division_code": outcome.division_code,
        "is_late": outcome.is_late,
    }


def _from_result(result: dict[str, object], *, registered_on: date) -> BirthRegistered:
    return BirthRegistered(
        registration_id=UUID(str(result["registration_id"])),
        person_id=UUID(str(result["person_id"])),
        number=str(result["number"]),
        household_id=UUID(str(result["household_id"])),
        household_relation=str(result["household_relation"]),
        division_code=str(result["division_code"]),
        is_late=bool(result["is_late"]),
        registered_on=registered_on,
    )
