"""Private: facts about two people, counted: each act on a pair gets the next version, so that of two tellings the later speaks.

Two centres may keep the two. Each writes its own side and tells the other all that it holds about the pair; nobody needs to
hear every telling, nor in order (`centres.crossing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.db.models import Q

from .events import FactTold, ToldPeriod
from .models import Pair, Person, Relation
from .place import is_one_of_several, whose
from .values import FEMALE, RelationKind, Topic, kinds_of

Maritals = dict[str, list[list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairState:
    """How far a pair is."""

    topic: Topic
    version: int
    author: str
    maritals: Maritals = field(default_factory=dict)


def known_of(topic: Topic, one: UUID, other: UUID) -> PairState | None:
    """Return the last act on a pair that this centre knows of, from either side; None when nobody counted yet.

    Each pair has two rows where both people are kept here, and one where one is.
    """
    either = Q(person_id=one, other_person_id=other) | Q(person_id=other, other_person_id=one)
    return _state(Pair.objects.filter(either, topic=topic).order_by("-version", "-author").first())


def held_of(topic: Topic, person_id: UUID, other: UUID) -> PairState | None:
    """Return how far the side of ``person_id`` is; None when nothing was counted on it yet.

    The two sides may differ although one centre keeps both: whoever moved there may have overtaken what was told of them.
    """
    return _state(Pair.objects.filter(person_id=person_id, other_person_id=other, topic=topic).first())


def _state(row: Pair | None) -> PairState | None:
    if row is None:
        return None
    return PairState(topic=Topic(row.topic), version=row.version, author=row.author, maritals=row.maritals)


def keep_state(state: PairState, *, sides: Sequence[UUID], one: UUID, other: UUID) -> None:
    """Write how far a pair is, at those of the two whom this centre keeps."""
    Pair.objects.bulk_create(
        [
            Pair(
                person_id=side,
                other_person_id=other if side == one else one,
                topic=state.topic,
                version=state.version,
                author=state.author,
                maritals=state.maritals,
            )
            for side in sides
        ],
        update_conflicts=True,
        unique_fields=["person_id", "other_person_id", "topic"],
        update_fields=["version", "author", "maritals"],
    )


def count_act(
    topic: Topic, one: UUID, other: UUID, *, sides: Sequence[UUID], maritals: Mapping[UUID, tuple[date, str]]
) -> PairState | None:
    """Give an act on a pair the next version, and keep the marital statuses that came by it.

    A register that is the only one counts nothing and returns None, unless the pair was counted before.
    """
    held = known_of(topic, one, other)
    if held is None and not is_one_of_several():
        return None
    known: Maritals = {key: [list(pair) for pair in pairs] for key, pairs in (held.maritals if held else {}).items()}
    for person_id, (since, marital) in maritals.items():
        told = [pair for pair in known.get(str(person_id), []) if pair[0] < since.isoformat()]
        known[str(person_id)] = [*told, [since.isoformat(), marital]]
    state = PairState(topic=topic, version=(held.version if held else 0) + 1, author=whose(), maritals=known)
    keep_state(state, sides=sides, one=one, other=other)
    return state


def periods_of(topic: Topic, person_id: UUID, other: UUID) -> list[Relation]:
    """Return what the register believes that another is and was to a person, under a topic."""
    rows = Relation.objects.filter(
        person_id=person_id, other_person_id=other, kind__in=kinds_of(topic), superseded_at__isnull=True
    )
    return list(rows.order_by("valid_from", "id"))


def told_of(state: PairState, *, person_id: UUID, present: UUID) -> FactTold:
    """Return what to tell the centre of ``person_id``: all that is held of ``present``, turned round."""
    rows = periods_of(state.topic, present, person_id)
    return FactTold(
        person_id=person_id,
        other_person_id=present,
        topic=state.topic.value,
        version=state.version,
        author=state.author,
        periods=tuple(
            ToldPeriod(
                kind=_turned(RelationKind(row.kind), present).value,
                since=row.valid_from,
                until=row.valid_until,
                evidence=row.evidence,
            )
            for row in rows
        ),
        maritals={
            key: tuple((date.fromisoformat(day), code) for day, code in statuses)
            for key, statuses in state.maritals.items()
        },
    )


def _turned(kind: RelationKind, present: UUID) -> RelationKind:
    """What ``present`` is to the other, when the other is ``kind`` to them."""
    if kind is RelationKind.SPOUSE:
        return RelationKind.SPOUSE
    if kind is not RelationKind.CHILD:
        return RelationKind.CHILD
    sex = Person.objects.values_list("sex", flat=True).get(pk=present)
    return RelationKind.MOTHER if sex == FEMALE else RelationKind.FATHER
