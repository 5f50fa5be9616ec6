"""Commands about two people: marriage, divorce, parenthood. The fact is written on both sides."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current

from .acts import begin, note, part, past, registered, tell_family
from .errors import (
    AlreadyMarried,
    CodeInvalid,
    NothingToChange,
    NotMarried,
    ParentUnfit,
)
from .ledger import (
    DATABASE,
    Ledger,
    get_person,
    spouse_of,
)
from .models import Relation
from .values import FEMALE, MALE, ChangeKind, ChangeRecorded, RelationKind


@command("population.record_marriage", database=DATABASE)
def record_marriage(
    *,
    person_id: UUID,
    spouse_person_id: UUID,
    married_on: date,
    evidence: str,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """This function will record that two people married (婚姻登记条例), on both of them.

    Raises `PersonNotFound`, `PersonDeceased`, `AlreadyMarried`, `DateInFuture`, `AccessRefused`.
    """
    one, other = (registered(key) for key in sorted((person_id, spouse_person_id)))
    begin(actor=actor, basis=basis, division_code=get_person(person_id).division_code)
    past(married_on, now=now)
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
        ledger.revise(person, facts={"marital": again}, since=married_on)
    note(one, ledger, fields=("marital", "spouse_id"))
    current().subject(other.person_id, fields=("marital", "spouse_id"))
    tell_family(person_id, spouse_person_id, RelationKind.SPOUSE, ended=False, now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)


@command("population.record_divorce", database=DATABASE)
def record_divorce(
    *,
    person_id: UUID,
    spouse_person_id: UUID,
    divorced_on: date,
    evidence: str,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """This function will record that a marriage was dissolved. Raises `NotMarried` and as `record_marriage`."""
    one, other = (registered(key) for key in sorted((person_id, spouse_person_id)))
    begin(actor=actor, basis=basis, division_code=get_person(person_id).division_code)
    past(divorced_on, now=now)
    if spouse_of(person_id) != spouse_person_id:
        raise NotMarried
    ledger = Ledger(kind=ChangeKind.DIVORCE, actor=actor, basis=basis, now=now, evidence=evidence)
    part(ledger, person_id, spouse_person_id, on=divorced_on)
    for person in (one, other):
        ledger.revise(person, facts={"marital": "40"}, since=divorced_on)
    note(one, ledger, fields=("marital", "spouse_id"))
    current().subject(other.person_id, fields=("marital", "spouse_id"))
    tell_family(person_id, spouse_person_id, RelationKind.SPOUSE, ended=True, now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=person_id)


@command("population.record_parenthood", database=DATABASE)
def record_parenthood(
    *,
    child_person_id: UUID,
    parent_person_id: UUID,
    kind: RelationKind,
    since: date | None = None,
    evidence: str,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> ChangeRecorded:
    """This function will record a mother or a father (``kind``): by birth, recognition or adoption; ``evidence`` says which
    paper.

    An earlier parent of the same kind is ended on that day. ``since`` defaults to the child's birth. Raises `ParentUnfit`,
    `PersonNotFound`, `DateInFuture`, `NothingToChange`, `AccessRefused`. 户口登记条例 art. 19.
    """
    kind = RelationKind(kind)
    if kind not in {RelationKind.MOTHER, RelationKind.FATHER}:
        raise CodeInvalid(field="kind")
    child = get_person(child_person_id, lock_row=True)
    parent = get_person(parent_person_id)
    begin(actor=actor, basis=basis, division_code=child.division_code)
    day = past(since or child.born_on, now=now)
    wanted = FEMALE if kind == RelationKind.MOTHER else MALE
    if parent.sex != wanted or parent.born_on >= child.born_on or child.person_id == parent.person_id:
        raise ParentUnfit(role=str(kind))
    held = Relation.objects.filter(person_id=child_person_id, kind=kind)
    now_held = held.filter(superseded_at__isnull=True, valid_until__isnull=True).first()
    if now_held is not None and now_held.other_person_id == parent_person_id:
        raise NothingToChange
    ledger = Ledger(kind=ChangeKind.PARENTHOOD, actor=actor, basis=basis, now=now, evidence=evidence)
    if now_held is not None:
        ledger.end(held, until=day)
        back = Relation.objects.filter(
            person_id=now_held.other_person_id, kind=RelationKind.CHILD, other_person_id=child_person_id
        )
        ledger.end(back, until=day)
    ledger.relate(
        person_id=child_person_id,
        kind=kind,
        other=parent_person_id,
        back=RelationKind.CHILD,
        since=day,
        evidence=evidence,
    )
    note(child, ledger, fields=(f"{kind}_id",))
    current().subject(parent_person_id, fields=("name",))
    tell_family(child_person_id, parent_person_id, kind, ended=False, now=now)
    return ChangeRecorded(change_id=ledger.change.id, person_id=child_person_id)
