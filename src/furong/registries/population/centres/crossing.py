"""Facts about two people whom two centres keep: each centre writes its own side, and tells the other (`events.FactTold`).

What is told is all that a centre holds about the two, with the count of acts on them: the later telling speaks, whichever comes
first, and one that is lost is made good by the next. `pairs` sees to it that there is a next.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.events.commands import publish, subscribe
from furong.foundation.events.values import Delivery

from ..acts import kept, note
from ..events import FactsCrossed, FactTold
from ..ledger import Effect, Ledger
from ..models import Person, Relation
from ..pairs import PairState, held_of, keep_state, periods_of, told_of
from ..place import PROVINCE, command, here
from ..values import ChangeKind, PersonStatus, RelationKind, Topic
from . import pairs

_SINGLE = frozenset({RelationKind.SPOUSE, RelationKind.MOTHER, RelationKind.FATHER})
ACTOR = Actor.system("population centres")
WHY = Basis(purpose="a fact about two people is kept on both sides", legal_basis="户口登记条例 第十九条")


def follow() -> None:
    """Have what one centre tells recorded at the other, and looked at afterwards. Repeatable."""
    subscribe(FactTold, _take, name="population.take_fact", database=PROVINCE)
    subscribe(FactTold, _watch, name="population.watch_pair", database=PROVINCE)
    subscribe(FactsCrossed, _compare, name="population.compare_pair", database=PROVINCE)


def _take(fact: FactTold, delivery: Delivery) -> None:
    if fact.version:
        take_fact(
            person_id=fact.person_id, fact=fact, effect_id=delivery.event_id, actor=ACTOR, basis=WHY, now=delivery.now
        )


def _watch(fact: FactTold, delivery: Delivery) -> None:
    pairs.watch(fact.person_id, fact.other_person_id, now=delivery.now)


def _compare(crossed: FactsCrossed, delivery: Delivery) -> None:
    pairs.report("facts_crossed", crossed.person_id, crossed.other_person_id)


@command("population.take_fact", of="person_id")
def take_fact(
    *, person_id: UUID, fact: FactTold, effect_id: UUID, actor: Actor, basis: Basis, now: datetime
) -> UUID | None:
    """Record, at the centre that keeps a person, what another centre holds about them and somebody there.

    Repeatable by ``effect_id``. An earlier telling than one that was heard changes nothing. Of two acts that crossed each other
    the same one speaks at both centres, and a person is asked (`FactsCrossed`). What cannot be, because the person died or is
    married to somebody else, is left for a person too. Returns the change's key, None when nothing was written. Raises
    `RegisteredElsewhere` while the person is on the move, so that it is told again later.
    """
    topic, other = Topic(fact.topic), fact.other_person_id
    effect = Effect.of(
        effect_id, {"fact": person_id, "other": other, "topic": topic, "version": fact.version, "author": fact.author}
    )
    if (before := effect.find("person", person_id)) is not None:
        return before.id
    person = kept(person_id)
    current().object("person", person_id)
    held, rows = held_of(topic, person_id, other), periods_of(topic, person_id, other)
    if held is not None and held.version == fact.version and held.author != fact.author and _differs(fact, rows):
        publish(FactsCrossed(person_id=person_id, other_person_id=other, topic=topic.value), database=here(), now=now)
    if held is not None and (fact.version, fact.author) <= (held.version, held.author):
        current().detail(earlier=True)
        return None
    if _cannot_be(fact, person):
        current().detail(cannot_be=True)
        return None
    ledger = Ledger(
        kind=_kind_of(fact, topic),
        actor=actor,
        basis=basis,
        now=now,
        evidence=fact.periods[-1].evidence if fact.periods else "",
        effect=effect,
    )
    _write_periods(ledger, person_id, fact, rows)
    _write_maritals(ledger, person, fact.maritals.get(str(person_id), ()))
    maritals = {key: [[day.isoformat(), code] for day, code in statuses] for key, statuses in fact.maritals.items()}
    state = PairState(topic=topic, version=fact.version, author=fact.author, maritals=maritals)
    keep_state(state, sides=[person_id], one=person_id, other=other)
    note(person, ledger, fields=("spouse_id", "marital") if topic is Topic.SPOUSE else ("family",), told=True)
    return ledger.change.id


def _said(fact: FactTold) -> set[tuple[str, date, date | None]]:
    return {(one.kind, one.since, one.until) for one in fact.periods}


def _differs(fact: FactTold, rows: list[Relation]) -> bool:
    return _said(fact) != {(row.kind, row.valid_from, row.valid_until) for row in rows}


def _kind_of(fact: FactTold, topic: Topic) -> ChangeKind:
    if topic is Topic.PARENT:
        return ChangeKind.PARENTHOOD
    if any(one.until is None for one in fact.periods):
        return ChangeKind.MARRIAGE
    statuses = fact.maritals.get(str(fact.person_id), ())
    last = statuses[-1][1] if statuses else ""
    return ChangeKind.AMENDMENT if last == "30" else ChangeKind.DIVORCE  # widowed, or divorced


def _cannot_be(fact: FactTold, person: Person) -> bool:
    """Say whether what is told contradicts what this centre holds: a spouse of the dead, a second spouse, mother or father."""
    still = [RelationKind(one.kind) for one in fact.periods if one.until is None]
    if not still:
        return False
    if person.status == PersonStatus.DECEASED and RelationKind.SPOUSE in still:
        return True
    others = Relation.objects.filter(
        person_id=person.person_id,
        kind__in=[kind for kind in still if kind in _SINGLE],
        superseded_at__isnull=True,
        valid_until__isnull=True,
    )
    return others.exclude(other_person_id=fact.other_person_id).exists()


def _write_periods(ledger: Ledger, person_id: UUID, fact: FactTold, rows: list[Relation]) -> None:
    """Have this side say what the other says; what agrees stays as it is."""
    ledger.after(max((row.recorded_at for row in rows), default=None))
    said = _said(fact)
    for row in rows:
        if (row.kind, row.valid_from, row.valid_until) not in said:
            ledger.supersede(row)
    held = {(row.kind, row.valid_from, row.valid_until) for row in rows}
    for one in fact.periods:
        if (one.kind, one.since, one.until) not in held:
            ledger.open(
                Relation,
                since=one.since,
                valid_until=one.until,
                person_id=person_id,
                kind=one.kind,
                other_person_id=fact.other_person_id,
                evidence=one.evidence,
            )


def _write_maritals(ledger: Ledger, person: Person, maritals: tuple[tuple[date, str], ...]) -> None:
    """Set the statuses that came by these acts, each until the next; the last until the status changed otherwise."""
    for index, (since, code) in enumerate(maritals):
        until = maritals[index + 1][0] if index + 1 < len(maritals) else None
        if until is None or until > since:
            ledger.revise(person, facts={"marital": code}, since=since, until=until, until_changed=until is None)


@command("population.tell_again", of="person_id")
def tell_again(
    *, person_id: UUID, other_person_id: UUID, topic: Topic, actor: Actor, basis: Basis, now: datetime
) -> bool:
    """Have the centre of a person tell once more what it holds about them and somebody else.

    Returns False when nobody counted acts on the two there: then nobody can say which side is later. Raises `PersonNotFound`,
    `RegisteredElsewhere`.
    """
    person = kept(person_id)
    state = held_of(topic, person_id, other_person_id)
    current().object("person", person.person_id)
    if state is None:
        return False
    publish(told_of(state, person_id=other_person_id, present=person_id), database=here(), now=now)
    return True
