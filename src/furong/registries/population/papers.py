"""Acts on a person's own application, each with the papers that the law names: another name, service in the forces and the way
back, settling abroad (户口登记条例 arts. 10, 11, 13, 18).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.events.commands import publish

from .acts import act, begin, in_life, kept, note, registered
from .departures import Leaving, bring_back, take_out
from .errors import (
    ApplicantNotEntitled,
    CodeInvalid,
    ConsentMissing,
    NothingToChange,
    NotInService,
    SurnameUnfounded,
    TooYoungToServe,
)
from .events import PersonAmended
from .ledger import Ledger, get_person, local_date
from .models import Person, PersonVersion, Relation
from .naming import surname_of
from .place import here
from .rules import check_name
from .values import ChangeKind, ChangeRecorded, PersonStatus, RelationKind, years_between

_MAJORITY_YEARS = 18  # 民法典 art. 17
_SAY_YEARS = 8  # 民法典 arts. 19, 35: from eight on a child's own will counts
_SERVICE_YEARS = 17  # 兵役法: with their own consent from 17 on
_AHEAD = timedelta(days=90)  # how long before leaving somebody may tell of it
_PARENTS = (RelationKind.MOTHER, RelationKind.FATHER)


@act(
    "population.change_name",
    of="person_id",
    says={"name": "name", "person": "person_id", "on": "changed_on"},
    papers=("evidence", "reason"),
)
def change_name(
    *,
    person_id: UUID,
    name: str,
    applicant_person_id: UUID,
    reason: str,
    evidence: str,
    changed_on: date | None = None,
    other_parent_consent: str = "",
    guardian_evidence: str = "",
    child_agrees: bool = False,
    surname_ground: str = "",
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Give a person another name on application; the old one stays as former name (户口登记条例 art. 18).

    Who is of age applies for themself; for a minor a parent does, or a guardian whom ``guardian_evidence`` names, with the
    consent of the other parent where one is known and living (``other_parent_consent``, a reference) and of the child from eight
    years on (``child_agrees``; 民法典 arts. 19, 35). A surname is the father's, the mother's, or the one held; another needs its
    ground (``surname_ground``; 民法典 art. 1015). ``evidence`` names the application. ``changed_on`` (today) is the day from
    which it holds. Raises `ApplicantNotEntitled`, `ConsentMissing`, `SurnameUnfounded`, `NameInvalid`, `PaperMissing`,
    `NothingToChange` (the name held), `PersonNotFound`, `PersonDeceased`, `PersonDeregistered`, `DateInFuture`, `AccessRefused`.
    """
    wanted, person = check_name(name), registered(person_id)
    begin(actor=actor, basis=basis, division_code=person.division_code)
    day = in_life(person, changed_on or local_date(now), now=now)
    if wanted == person.name:
        raise NothingToChange
    parents = _parents_of(person_id)
    _check_applicant(
        person,
        applicant_person_id,
        parents,
        on=day,
        consent=other_parent_consent,
        guardian=guardian_evidence,
        child_agrees=child_agrees,
    )
    held = {surname_of(person.name), *(surname_of(one.name) for one in parents.values())}
    if surname_of(wanted) not in held and not surname_ground.strip():
        raise SurnameUnfounded
    ledger = Ledger(kind=ChangeKind.NAME_CHANGE, actor=actor, basis=basis, now=now, evidence=evidence)
    ledger.revise(person, facts={"name": wanted, "former_name": person.name}, since=day, until_changed=True)
    ledger.finish(
        {
            "reason": reason.strip(),
            "applicant": str(applicant_person_id),
            "other_parent_consent": other_parent_consent.strip(),
            "guardian_evidence": guardian_evidence.strip(),
            "surname_ground": surname_ground.strip(),
        }
    )
    note(person, ledger, fields=("name", "former_name"), applicant=str(applicant_person_id))
    publish(
        PersonAmended(
            person_id=person_id,
            kind=ChangeKind.NAME_CHANGE.value,
            fields=("former_name", "name"),
            version=person.version,
        ),
        database=here(),
        now=now,
    )
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)


def _parents_of(person_id: UUID) -> dict[UUID, Person]:
    keys = Relation.objects.filter(
        person_id=person_id, kind__in=_PARENTS, superseded_at__isnull=True, valid_until__isnull=True
    ).values_list("other_person_id", flat=True)
    return {key: get_person(key) for key in keys}


def _check_applicant(
    person: Person,
    applicant: UUID,
    parents: dict[UUID, Person],
    *,
    on: date,
    consent: str,
    guardian: str,
    child_agrees: bool,
) -> None:
    """Refuse who may not ask for this person's other name. Raises `ApplicantNotEntitled`, `ConsentMissing`."""
    age = years_between(person.born_on, on)
    if age >= _MAJORITY_YEARS:
        if applicant != person.person_id:
            raise ApplicantNotEntitled
        return
    if applicant not in parents and not guardian.strip():
        raise ApplicantNotEntitled
    others = [one for key, one in parents.items() if key != applicant and one.status != PersonStatus.DECEASED]
    if others and not consent.strip() and not guardian.strip():
        raise ConsentMissing(mend="Ask the other parent to consent to the name, then record it.")
    if age >= _SAY_YEARS and not child_agrees:
        raise ConsentMissing(
            "A child of eight years or more has not agreed to the name.", mend="Ask the child, and note the answer."
        )


@act(
    "population.record_enlistment",
    of="person_id",
    says={"enlist": "person_id", "on": "enters_on"},
    papers=("notice_number",),
)
def record_enlistment(
    *,
    person_id: UUID,
    notice_number: str,
    enters_on: date,
    new_head_person_id: UUID | None = None,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Take somebody who enters military service out of the register (参军入伍, 户口登记条例 art. 11).

    ``notice_number`` is that of the notice of enlistment (应征公民入伍通知书); no certificate of a move is given, the number
    stays theirs. The law wants it before ``enters_on``, which may lie three months ahead; later it is marked late. A head who
    leaves members behind names the next one. Raises `TooYoungToServe`, `PaperMissing`, `HeadWouldLeave`, `PersonNotFound`,
    `PersonDeceased`, `PersonDeregistered`, `DateInFuture`, `AccessRefused`.
    """
    person = registered(person_id)
    if years_between(person.born_on, enters_on) < _SERVICE_YEARS:
        raise TooYoungToServe
    return take_out(
        Leaving(person=person, kind=ChangeKind.ENLISTMENT, on=enters_on, evidence=notice_number, ahead=_AHEAD),
        successor=new_head_person_id,
        actor=actor,
        basis=basis,
        now=now,
    )


@act(
    "population.record_discharge",
    of="person_id",
    says={"discharge": "person_id", "to": "household_id", "on": "arrived_on"},
    papers=("certificate_number",),
)
def record_discharge(
    *,
    person_id: UUID,
    certificate_number: str,
    household_id: UUID,
    arrived_on: date,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Register somebody whom the forces discharged (退役落户, 户口登记条例 art. 13).

    ``certificate_number`` is of the paper of the county's service organ or of a regiment or above. Within three days of the
    arrival in a city, ten elsewhere; later it is marked late. Raises `NotInService` (they left otherwise, or never),
    `PaperMissing`, `HouseholdNotFound`, `NumberTaken`, `PersonNotFound`, `DateInFuture`, `AccessRefused`.
    """
    person = kept(person_id)
    last = (
        PersonVersion.objects.filter(person_id=person_id, superseded_at__isnull=True, facts__status="deregistered")
        .order_by("-valid_from")
        .first()
    )
    if person.status != PersonStatus.DEREGISTERED or last is None or last.kind != ChangeKind.ENLISTMENT:
        raise NotInService
    return bring_back(
        person,
        household_id=household_id,
        on=arrived_on,
        evidence=certificate_number,
        kind=ChangeKind.DISCHARGE,
        actor=actor,
        basis=basis,
        now=now,
    )


@act(
    "population.record_emigration",
    of="person_id",
    says={"emigrate": "person_id", "to": "country", "on": "leaves_on"},
    papers=("paper_number",),
)
def record_emigration(
    *,
    person_id: UUID,
    country: str,
    paper_number: str,
    leaves_on: date,
    new_head_person_id: UUID | None = None,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Take somebody who settles abroad out of the register (出国定居, 户口登记条例 art. 10).

    ``country`` is the code of the country (GB/T 2659, three letters); ``paper_number`` that of the paper which shows the right to
    settle there. The law wants it before ``leaves_on``, which may lie three months ahead; later it is marked late. Raises as
    `record_enlistment`, and `CodeInvalid`.
    """
    if len(country) != 3 or not country.isascii() or not country.isalpha():
        raise CodeInvalid(field="country")
    person = registered(person_id)
    current().detail(country=country.upper())
    return take_out(
        Leaving(
            person=person,
            kind=ChangeKind.EMIGRATION,
            on=leaves_on,
            ahead=_AHEAD,
            evidence=paper_number,
            detail={"country": country.upper()},
        ),
        successor=new_head_person_id,
        actor=actor,
        basis=basis,
        now=now,
    )
