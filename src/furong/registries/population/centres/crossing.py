"""Facts about two people whom two centres keep: each centre writes its own side, and tells the other (`events.FactTold`)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.events.commands import subscribe
from furong.foundation.events.values import Delivery

from ..acts import note
from ..errors import RegisteredElsewhere
from ..events import FactTold
from ..ledger import Effect, Ledger, get_person, is_elsewhere
from ..models import Relation
from ..place import PROVINCE, command
from ..values import ChangeKind, RelationKind

_KINDS = {
    RelationKind.SPOUSE: (ChangeKind.MARRIAGE, ChangeKind.DIVORCE),
    RelationKind.MOTHER: (ChangeKind.PARENTHOOD, ChangeKind.PARENTHOOD),
    RelationKind.FATHER: (ChangeKind.PARENTHOOD, ChangeKind.PARENTHOOD),
    RelationKind.CHILD: (ChangeKind.PARENTHOOD, ChangeKind.PARENTHOOD),
}
_SINGLE = frozenset({RelationKind.SPOUSE, RelationKind.MOTHER, RelationKind.FATHER})
_ACTOR = Actor.system("population centres")
_WHY = Basis(purpose="a fact about two people is kept on both sides", legal_basis="户口登记条例 第十九条")


def follow() -> None:
    """This function will have what one centre tells recorded at the other. Calling it again changes nothing."""
    subscribe(FactTold, _take, name="population.take_fact", database=PROVINCE)


def _take(fact: FactTold, delivery: Delivery) -> None:
    take_fact(
        person_id=fact.person_id, fact=fact, effect_id=delivery.event_id, actor=_ACTOR, basis=_WHY, now=delivery.now
    )


@command("population.take_fact", of="person_id")
def take_fact(
    *, person_id: UUID, fact: FactTold, effect_id: UUID, actor: Actor, basis: Basis, now: datetime
) -> UUID | None:
    """This function will record, at the centre that keeps a person, what another centre recorded about them and somebody there.

    Repeatable by ``effect_id``. What holds already, or contradicts a fact of the same kind that came later, is left as it is: the
    province's check of both sides finds what does not agree. Returns the change's key, None when nothing was to be written.
    Raises `RegisteredElsewhere` while the person is on the move, so that it is told again later.
    """
    kind = RelationKind(fact.kind) if fact.kind else None
    effect = Effect.of(
        effect_id, {"fact": person_id, "kind": fact.kind, "other": fact.other_person_id, "since": fact.since}
    )
    if (before := effect.find("person", person_id)) is not None:
        return before.id
    person = get_person(person_id, lock_row=True)
    if is_elsewhere(person):
        raise RegisteredElsewhere
    acts = _KINDS[kind] if kind is not None else (ChangeKind.AMENDMENT, ChangeKind.AMENDMENT)
    ledger = Ledger(kind=acts[fact.ended], actor=actor, basis=basis, now=now, evidence=fact.evidence, effect=effect)
    if kind is not None:
        rows = Relation.objects.filter(
            person_id=person_id, kind=kind, superseded_at__isnull=True, valid_until__isnull=True
        )
        same = rows.filter(other_person_id=fact.other_person_id)
        if fact.ended:
            ledger.end(same, until=fact.since)
        elif not (rows if kind in _SINGLE else same).exists():
            ledger.open(
                Relation,
                since=fact.since,
                person_id=person_id,
                kind=kind,
                other_person_id=fact.other_person_id,
                evidence=fact.evidence,
            )
    if fact.marital and person.marital != fact.marital:
        ledger.revise(person, facts={"marital": fact.marital}, since=fact.since)
    note(person, ledger, fields=(f"{fact.kind or 'marital'}",), told=True)
    return ledger.change.id
