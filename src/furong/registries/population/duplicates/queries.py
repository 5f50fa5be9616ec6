"""Pairs as the review desk sees them. What is said of the people is read by the register's own queries, with a purpose."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Scope

from ..rights import DUPLICATES
from .errors import DuplicateNotFound
from .models import Duplicate, DuplicateSearch, DuplicateStep
from .values import DuplicateRecord, DuplicateState, SearchRecord, SearchState, Step, StepRecord


def list_duplicates(
    *, actor: Actor, states: Iterable[DuplicateState] = (DuplicateState.OPEN,), limit: int = 50, offset: int = 0
) -> tuple[DuplicateRecord, ...]:
    """Return pairs of the actor's divisions, the likeliest first, naming nobody. Raises ``AccessRefused``."""
    scope = access.require(actor=actor, right=DUPLICATES).scope
    found = _within(scope).filter(state__in=list(states)).order_by("-probability", "pk")
    return tuple(_record(one) for one in found[offset : offset + limit])


def count_duplicates(*, actor: Actor) -> dict[DuplicateState, int]:
    """Return how many pairs of the actor's divisions are in each state. Raises ``AccessRefused``."""
    scope = access.require(actor=actor, right=DUPLICATES).scope
    found = dict(_within(scope).values_list("state").annotate(Count("pk")))
    return {state: found.get(state.value, 0) for state in DuplicateState}


def get_duplicate(*, duplicate_id: UUID, actor: Actor) -> DuplicateRecord:
    """Return a pair with everything done about it. Raises `DuplicateNotFound`, ``AccessRefused``."""
    scope = access.require(actor=actor, right=DUPLICATES).scope
    found = _within(scope).filter(pk=duplicate_id).first()
    if found is None:
        raise DuplicateNotFound
    steps = DuplicateStep.objects.filter(duplicate=found).order_by("at", "id")
    return _record(found, tuple(_step(one) for one in steps))


def last_search(*, actor: Actor) -> SearchRecord | None:
    """Return the search that was asked for last, or None. Raises ``AccessRefused``."""
    access.require(actor=actor, right=DUPLICATES)
    found = DuplicateSearch.objects.order_by("-asked_at").first()
    if found is None:
        return None
    return SearchRecord(
        state=SearchState(found.state),
        asked_at=found.asked_at,
        finished_at=found.finished_at,
        people=found.people,
        pairs=found.pairs,
    )


def _within(scope: Scope) -> QuerySet[Duplicate]:
    """The pairs of which both entries are in the scope."""
    if scope.everything:
        return Duplicate.objects.all()
    first = second = Q(pk__in=[])
    for prefix in scope.division_prefixes:
        first |= Q(first_division__startswith=prefix)
        second |= Q(second_division__startswith=prefix)
    return Duplicate.objects.filter(first & second)


def _record(pair: Duplicate, steps: tuple[StepRecord, ...] = ()) -> DuplicateRecord:
    return DuplicateRecord(
        duplicate_id=pair.pk,
        first_person_id=pair.first_person_id,
        second_person_id=pair.second_person_id,
        first_division=pair.first_division,
        second_division=pair.second_division,
        probability=pair.probability,
        likeness=dict(pair.likeness),
        state=DuplicateState(pair.state),
        found_at=pair.found_at,
        stands_as_person_id=pair.stands_as_person_id,
        decided_at=pair.decided_at,
        asked_by=pair.asked_by,
        steps=steps,
    )


def _step(row: DuplicateStep) -> StepRecord:
    return StepRecord(
        step=Step(row.step),
        at=row.at,
        post_label=row.post_label,
        organization_label=row.organization_label,
        reason=row.reason,
        change_id=row.change_id,
        detail=dict(row.detail),
    )
