"""Commands about two people: marriage, divorce, parenthood, adoption. The fact is written on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current

from .acts import act, begin, in_life, kept, note, part, past, registered, set_marital, tell_family
from .errors import (
    AdoptersUnfit,
    AlreadyMarried,
    CodeInvalid,
    HouseholdNotOfParents,
    NothingToChange,
    NotMarried,
    ParentUnfit,
)
from .ledger import (
    Ledger,
    get_person,
    spouse_of,
)
from .membership import join, members_of, move_out, open_households
from .models import Person, Relation
from .rules import check_name
from .values import FEMALE, MALE, ChangeKind, ChangeRecorded, RelationKind, years_between

_ADULT_YEARS = 18
_YOUNGEST_ADOPTER_YEARS = 30
_YEARS_APART = 40


@act(
    "population.record_marriage",
    of="person_id",
    says={"marry": ("person_id", "spouse_person_id"), "on": "married_on"},
    papers=("evidence",),
)
def record_marriage(
    *,
    person_id: UUID,
    spouse_person_id: UUID,
    married_on: date,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Record that two people married (婚姻登记条例), on both of them.

    Raises `PersonNotFound`, `PersonDeceased`, `AlreadyMarried`, `DateInFuture`, `AccessRefused`.
    """
    one, other = (registered(key, anywhere=True) for key in sorted((person_id, spouse_person_id)))
    begin(actor=actor, basis=basis, division_code=get_person(person_id).division_code)
    for person in (one, other):
        in_life(person, married_on, now=now)
    if person_id == spouse_person_id or spouse_of(one.person_id) or spouse_of(other.person_id):
        raise AlreadyMarried
    ledger = Ledger(kind=ChangeKind.MARRIAGE, actor=actor, basis=basis, now=now, evidence=evidence)
    ledger.relate(
        person_id=person_id,
        kind=RelationKind.SPOUSE,
        other=spouse_person_id,
        back=RelationKind.SPOUSE,
        since=married_on,
        evidence=evidence,
    )
    for person in (one, other):
        again = "22" if person.marital in {"30", "40"} else "21"
        set_marital(ledger, person, again, other=_spouse_in(person, one, other), since=married_on)
    note(one, ledger, fields=("marital", "spouse_id"))
    current().subject(other.person_id, fields=("marital", "spouse_id"))
    tell_family(person_id, spouse_person_id, RelationKind.SPOUSE, ended=False, now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)


def _spouse_in(person: Person, one: Person, other: Person) -> UUID:
    return other.person_id if person.person_id == one.person_id else one.person_id


@act(
    "population.record_divorce",
    of="person_id",
    says={"divorce": "person_id", "on": "divorced_on"},
    papers=("evidence",),
)
def record_divorce(
    *,
    person_id: UUID,
    spouse_person_id: UUID,
    divorced_on: date,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Record that a marriage was dissolved. Raises `NotMarried` and as `record_marriage`."""
    one, other = (registered(key, anywhere=True) for key in sorted((person_id, spouse_person_id)))
    begin(actor=actor, basis=basis, division_code=get_person(person_id).division_code)
    for person in (one, other):
        in_life(person, divorced_on, now=now)
    if spouse_of(person_id) != spouse_person_id:
        raise NotMarried
    ledger = Ledger(kind=ChangeKind.DIVORCE, actor=actor, basis=basis, now=now, evidence=evidence)
    part(ledger, person_id, spouse_person_id, on=divorced_on)
    for person in (one, other):
        set_marital(ledger, person, "40", other=_spouse_in(person, one, other), since=divorced_on)
    note(one, ledger, fields=("marital", "spouse_id"))
    current().subject(other.person_id, fields=("marital", "spouse_id"))
    tell_family(person_id, spouse_person_id, RelationKind.SPOUSE, ended=True, now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)


@act(
    "population.record_parenthood",
    of="child_person_id:person_id",
    says={"child": "child_person_id", "parent": "parent_person_id", "kind": "kind", "since": "since"},
)
def record_parenthood(
    *,
    child_person_id: UUID,
    parent_person_id: UUID,
    kind: RelationKind,
    since: date | None = None,
    evidence: str,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Record a mother or a father (``kind``): by birth, recognition or adoption; ``evidence`` says which
    paper.

    An earlier parent of the same kind is ended on that day. ``since`` defaults to the child's birth. Raises `ParentUnfit`,
    `PersonNotFound`, `DateInFuture`, `NothingToChange`, `AccessRefused`. 户口登记条例 art. 19.
    """
    kind = RelationKind(kind)
    if kind not in {RelationKind.MOTHER, RelationKind.FATHER}:
        raise CodeInvalid(field="kind")
    child = kept(child_person_id)
    parent = get_person(parent_person_id)
    begin(actor=actor, basis=basis, division_code=child.division_code)
    day = past(since or child.born_on, now=now)
    wanted = FEMALE if kind == RelationKind.MOTHER else MALE
    if parent.sex != wanted or parent.born_on >= child.born_on or child.person_id == parent.person_id:
        raise ParentUnfit(role=str(kind))
    now_held = _held(child_person_id, kind)
    if now_held is not None and now_held.other_person_id == parent_person_id:
        raise NothingToChange
    ledger = Ledger(kind=ChangeKind.PARENTHOOD, actor=actor, basis=basis, now=now, evidence=evidence)
    _set_parent(ledger, child_person_id, parent_person_id, kind, on=day, evidence=evidence)
    note(child, ledger, fields=(f"{kind}_id",))
    current().subject(parent_person_id, fields=("name",))
    tell_family(child_person_id, parent_person_id, kind, ended=False, now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=child_person_id)


def _held(child_id: UUID, kind: RelationKind) -> Relation | None:
    found: Relation | None = Relation.objects.filter(
        person_id=child_id, kind=kind, superseded_at__isnull=True, valid_until__isnull=True
    ).first()
    return found


def _end_parent(ledger: Ledger, child_id: UUID, kind: RelationKind, *, on: date) -> UUID | None:
    """End the parent of a kind, on both sides; say who it was."""
    held = _held(child_id, kind)
    if held is None:
        return None
    ledger.part(person_id=child_id, kind=kind, other=held.other_person_id, back=RelationKind.CHILD, on=on)
    return held.other_person_id


def _set_parent(
    ledger: Ledger, child_id: UUID, parent_id: UUID, kind: RelationKind, *, on: date, evidence: str
) -> None:
    """Name a parent of a kind in place of the one before."""
    _end_parent(ledger, child_id, kind, on=on)
    ledger.relate(person_id=child_id, kind=kind, other=parent_id, back=RelationKind.CHILD, since=on, evidence=evidence)


@act(
    "population.record_adoption",
    of="child_person_id:person_id",
    says={
        "adopt": "child_person_id",
        "by": ("mother_person_id", "father_person_id"),
        "on": "adopted_on",
        "name": "name",
    },
)
def record_adoption(
    *,
    child_person_id: UUID,
    mother_person_id: UUID | None = None,
    father_person_id: UUID | None = None,
    household_id: UUID,
    adopted_on: date,
    evidence: str,
    name: str | None = None,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """Record an adoption: the adopters become the parents, the earlier ones cease to be, and the child joins
    the adopters' household, with a new ``name`` when one is given (民法典 arts. 1093 to 1111; 户口登记条例 art. 19).

    ``evidence`` is the number of the adoption certificate. At least one adopter is named; one of them stands in ``household_id``.
    Raises `AdoptersUnfit` (age, minor, spouses together, forty years apart), `HouseholdNotOfParents`, `HouseholdNotFound`,
    `HeadWouldLeave`, `NothingToChange` (no certificate), `NameInvalid`, `PersonNotFound`, `PersonDeceased`,
    `PersonDeregistered`, `DateInFuture`, `AccessRefused`.
    """
    if not evidence.strip():
        raise NothingToChange("An adoption needs the number of its certificate.")
    wanted = {RelationKind.MOTHER: mother_person_id, RelationKind.FATHER: father_person_id}
    adopters = {kind: registered(one, anywhere=True) for kind, one in wanted.items() if one is not None}
    child = registered(child_person_id)
    (household,) = open_households(household_id)
    begin(actor=actor, basis=basis, division_code=household.division_code)
    past(adopted_on, now=now)
    _check_adopters(child, adopters, on=adopted_on)
    members = set(members_of(household_id).values_list("person_id", flat=True))
    if not members & {one.person_id for one in adopters.values()}:
        raise HouseholdNotOfParents
    facts = {"name": check_name(name), "former_name": child.name} if name and name != child.name else {}
    ledger = Ledger(kind=ChangeKind.ADOPTION, actor=actor, basis=basis, now=now, evidence=evidence)
    # A stepparent takes the place of one parent; the other, whom they are married to, stays.
    stays = _spouses(adopters.values())
    earlier = {
        kind: _end_parent(ledger, child_person_id, kind, on=adopted_on)
        for kind in wanted
        if (held := _held(child_person_id, kind)) is not None and held.other_person_id not in stays
    }
    for kind, adopter in adopters.items():
        ledger.relate(
            person_id=child_person_id,
            kind=kind,
            other=adopter.person_id,
            back=RelationKind.CHILD,
            since=adopted_on,
            evidence=evidence,
        )
    if facts:
        ledger.revise(child, facts=facts, since=adopted_on, until_changed=True)
    if child.household_id != household_id:
        move_out(ledger, child, on=adopted_on, successor=None)
        join(ledger, child, household, on=adopted_on)
    note(child, ledger, fields=("mother_id", "father_id", "household_id", "address", *facts))
    for person_id in [*(one.person_id for one in adopters.values()), *filter(None, earlier.values())]:
        current().subject(person_id, fields=("name",))
    for kind, before_id in earlier.items():
        if before_id is not None:
            tell_family(child_person_id, before_id, kind, ended=True, now=now)
    for kind, adopter in adopters.items():
        tell_family(child_person_id, adopter.person_id, kind, ended=False, now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=child_person_id)


def _check_adopters(child: Person, adopters: Mapping[RelationKind, Person], *, on: date) -> None:
    """Refuse what the register can see to be against the law. Raises `AdoptersUnfit`."""
    if not adopters or years_between(child.born_on, on) >= _ADULT_YEARS:
        raise AdoptersUnfit
    sexes = {RelationKind.MOTHER: FEMALE, RelationKind.FATHER: MALE}
    for kind, adopter in adopters.items():
        if adopter.sex != sexes[kind] or adopter.person_id == child.person_id:
            raise AdoptersUnfit
        if years_between(adopter.born_on, on) < _YOUNGEST_ADOPTER_YEARS:
            raise AdoptersUnfit
        other = spouse_of(adopter.person_id)
        if other is not None and other not in {one.person_id for one in adopters.values()} | _parents(child.person_id):
            raise AdoptersUnfit  # married people adopt together, or one adopts the other's child
    if len(adopters) == 1:
        (adopter,) = adopters.values()
        alone = spouse_of(adopter.person_id) is None
        apart = years_between(adopter.born_on, child.born_on)
        if alone and adopter.sex != child.sex and apart < _YEARS_APART:
            raise AdoptersUnfit


def _spouses(people: Iterable[Person]) -> set[UUID]:
    found = (spouse_of(one.person_id) for one in people)
    return {one for one in found if one is not None}


def _parents(child_id: UUID) -> set[UUID]:
    held = (_held(child_id, RelationKind.MOTHER), _held(child_id, RelationKind.FATHER))
    return {one.other_person_id for one in held if one is not None}
