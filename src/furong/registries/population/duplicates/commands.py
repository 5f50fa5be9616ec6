"""Deciding about two entries: not the same, one person after all, or parted again.

The register's own acts (`deregister_person`, `restore_person`) are done where the entry is kept, under an ``effect_id`` that
stands on the pair before they begin; whoever finds a pair half way finishes the same act, which happens once. Two who decide at
once wait for the pair's row, and the second is told; two pairs that would take one entry out wait for the entry's own row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import all_rows

from ..departures import deregister_person, restore_person
from ..errors import CodeInvalid, HouseholdNotFound
from ..households import open_household
from ..ledger import local_date
from ..models import Household, Person
from ..queries import DATABASE
from ..rights import DUPLICATES
from ..values import ChangeKind, ChangeRecorded
from .errors import AnotherMustDecide, DuplicateDecided, DuplicateNotFound, FamilyWouldBeLost, ReasonMissing
from .models import Duplicate, DuplicateSearch, DuplicateStep
from .searching import FoundPair
from .values import DuplicateState, SearchState, Step

# Relatives of the entry that would go whom the other one lacks.
_LACKED = """
SELECT count(*) FROM population_relation gone WHERE gone.person_id = %s AND gone.superseded_at IS NULL
   AND gone.valid_until IS NULL AND NOT EXISTS (
     SELECT 1 FROM population_relation kept WHERE kept.person_id = %s AND kept.kind = gone.kind
        AND kept.other_person_id = gone.other_person_id AND kept.superseded_at IS NULL AND kept.valid_until IS NULL)
"""
# What was recorded of either entry after they were merged.
_LATER = """
SELECT c.kind FROM population_change c WHERE c.id <> %s AND c.id IN (
  SELECT change_id FROM population_person_version WHERE person_id = ANY(%s::uuid[]) AND recorded_at > %s
  UNION SELECT change_id FROM population_household_member WHERE person_id = ANY(%s::uuid[]) AND recorded_at > %s
  UNION SELECT change_id FROM population_relation WHERE person_id = ANY(%s::uuid[]) AND recorded_at > %s
  UNION SELECT change_id FROM population_residence WHERE person_id = ANY(%s::uuid[]) AND recorded_at > %s
  UNION SELECT change_id FROM population_identity_number WHERE person_id = ANY(%s::uuid[]) AND recorded_at > %s)
 ORDER BY c.recorded_at
"""
_LAST_HOUSEHOLD = """
SELECT household_id FROM population_household_member WHERE person_id = %s AND superseded_at IS NULL
 ORDER BY valid_until DESC NULLS FIRST LIMIT 1
"""


# --- searching ----------------------------------------------------------------------------------------------------------


@command("population.ask_duplicates", database=DATABASE)
def ask_for_search(*, actor: Actor, basis: Basis, now: datetime) -> UUID:
    """Have the register searched for people who stand in it twice, and return the search's key.

    One search at a time: while one waits, its key is returned. The caller has `tasks.start` carry it out. Raises
    ``AccessRefused``.
    """
    access.require(actor=actor, right=DUPLICATES)
    waiting = DuplicateSearch.objects.filter(state=SearchState.WAITING).first()
    search = waiting or DuplicateSearch.objects.create(asked_at=now)
    current().object("duplicate_search", search.pk)
    return search.pk


@command("population.keep_duplicates", database=DATABASE)
def keep_pairs(
    *, search_id: UUID, people: int, pairs: Sequence[FoundPair], actor: Actor, basis: Basis, now: datetime
) -> int:
    """Keep the pairs that a search found, and return how many are new; a pair known before stays as it is.

    Everybody in a new pair can see that they were compared. A search that ended before is left alone.
    """
    search = DuplicateSearch.objects.select_for_update().filter(pk=search_id, state=SearchState.WAITING).first()
    if search is None:
        return 0
    known = set(
        Duplicate.objects.filter(first_person_id__in={one.first for one in pairs}).values_list(
            "first_person_id", "second_person_id"
        )
    )
    fresh = [one for one in pairs if (one.first, one.second) not in known]
    everybody = {key for one in fresh for key in (one.first, one.second)}
    divisions = dict(Person.objects.filter(pk__in=everybody).values_list("pk", "division_code"))
    rows = [
        Duplicate(
            first_person_id=one.first,
            second_person_id=one.second,
            first_division=divisions.get(one.first, ""),
            second_division=divisions.get(one.second, ""),
            probability=one.probability,
            likeness=one.likeness,
            found_at=now,
        )
        for one in fresh
    ]
    Duplicate.objects.bulk_create(rows, batch_size=1_000)
    DuplicateStep.objects.bulk_create(
        [DuplicateStep(duplicate_id=row.pk, step=Step.FOUND.value, at=now) for row in rows], batch_size=1_000
    )
    search.state, search.people, search.pairs, search.finished_at = SearchState.DONE.value, people, len(rows), now
    search.save()
    entry = current()
    entry.object("duplicate_search", search_id)
    for key in everybody:
        entry.subject(key, fields=("name", "former_name", "born_on", "sex", "address", "mother_id", "father_id"))
    entry.detail(people=people, pairs=len(rows))
    return len(rows)


# --- deciding -----------------------------------------------------------------------------------------------------------


@command("population.set_duplicate_aside", database=DATABASE)
def set_aside(*, duplicate_id: UUID, reason: str, actor: Actor, basis: Basis, now: datetime) -> None:
    """Record that two entries are two people; no search brings the pair again.

    Raises `DuplicateNotFound`, `DuplicateDecided`, `ReasonMissing`, ``PurposeMissing``, ``AccessRefused``.
    """
    pair = _held(duplicate_id, DuplicateState.OPEN, DuplicateState.PARTED, reason=reason, actor=actor, basis=basis)
    _go(pair, DuplicateState.DIFFERENT, Step.SET_ASIDE, actor=actor, now=now, reason=reason)


def merge_people(
    *, duplicate_id: UUID, stands_as_person_id: UUID, evidence: str, actor: Actor, basis: Basis, now: datetime
) -> ChangeRecorded:
    """Take the other entry out of the register as a second one; ``stands_as_person_id`` is who stays.

    The entry that goes loses its number and its place in the household and names the one that stands; its history stays.
    Repeatable: half way it goes on. Raises `DuplicateNotFound`, `DuplicateDecided`, `FamilyWouldBeLost`, `ReasonMissing`, and as
    `deregister_person`; refused there, the pair is open again and its history has the reason.
    """
    gone, effect_id = _begin_merge(
        duplicate_id=duplicate_id,
        stands_as_person_id=stands_as_person_id,
        evidence=evidence,
        actor=actor,
        basis=basis,
        now=now,
    )
    try:
        done = deregister_person(
            person_id=gone,
            kind=ChangeKind.DUPLICATE,
            left_on=local_date(now),
            evidence=evidence,
            stands_as_person_id=stands_as_person_id,
            effect_id=effect_id,
            actor=actor,
            basis=basis,
            now=now,
        )
    except Refusal as refusal:
        _settle(
            duplicate_id=duplicate_id, effect_id=effect_id, to=DuplicateState.OPEN, step=Step.MERGE_REFUSED, change_id=None,
            reason=refusal.code, actor=actor, basis=basis, now=now,
        )  # fmt: skip
        raise
    _settle(
        duplicate_id=duplicate_id, effect_id=effect_id, to=DuplicateState.MERGED, step=Step.MERGED, change_id=done.change_id,
        reason=evidence, actor=actor, basis=basis, now=now,
    )  # fmt: skip
    return done


@command("population.begin_merge", database=DATABASE)
def _begin_merge(
    *, duplicate_id: UUID, stands_as_person_id: UUID, evidence: str, actor: Actor, basis: Basis, now: datetime
) -> tuple[UUID, UUID]:
    """Give the entry that goes and the effect to take it out by, and have nobody else decide meanwhile."""
    pair = _held(
        duplicate_id,
        DuplicateState.OPEN,
        DuplicateState.PARTED,
        DuplicateState.MERGING,
        reason=evidence,
        actor=actor,
        basis=basis,
    )
    if stands_as_person_id not in {pair.first_person_id, pair.second_person_id}:
        raise CodeInvalid(field="stands_as_person_id")
    gone = pair.second_person_id if stands_as_person_id == pair.first_person_id else pair.first_person_id
    if pair.state == DuplicateState.MERGING:
        if pair.stands_as_person_id != stands_as_person_id or pair.effect_id is None:
            raise DuplicateDecided
        return gone, pair.effect_id
    ((lacked,),) = all_rows(_LACKED, [gone, stands_as_person_id], database=DATABASE)
    if lacked:
        raise FamilyWouldBeLost(count=lacked)
    held = all_rows(_LAST_HOUSEHOLD, [gone], database=DATABASE)
    pair.stands_as_person_id, pair.effect_id = stands_as_person_id, new_id()
    pair.household_id = held[0][0] if held else None
    _go(pair, DuplicateState.MERGING, Step.MERGE_BEGUN, actor=actor, now=now, reason=evidence)
    return gone, pair.effect_id


def part_people(
    *, duplicate_id: UUID, evidence: str, actor: Actor, basis: Basis, now: datetime
) -> ChangeRecorded | None:
    """Bring the entry that went back, into the household it left, with its number; None when it is queued.

    When either entry was acted on since, nothing happens yet: the parting waits, with those acts named, until somebody else with
    the right asks for it too. Repeatable half way. Raises `DuplicateNotFound`, `DuplicateDecided`, `AnotherMustDecide`,
    `ReasonMissing`, and as `restore_person`: a household closed or a number given anew meanwhile; then the pair stays merged.
    """
    begun = _begin_parting(duplicate_id=duplicate_id, evidence=evidence, actor=actor, basis=basis, now=now)
    if begun is None:
        return None
    gone, household_id, effect_id = begun
    try:
        household_id = _home(duplicate_id, household_id, actor=actor, basis=basis, now=now)
        done = restore_person(
            person_id=gone,
            household_id=household_id,
            returned_on=local_date(now),
            evidence=evidence,
            effect_id=effect_id,
            actor=actor,
            basis=basis,
            now=now,
        )
    except Refusal as refusal:
        _settle(
            duplicate_id=duplicate_id, effect_id=effect_id, to=DuplicateState.MERGED, step=Step.PARTING_REFUSED, change_id=None,
            reason=refusal.code, actor=actor, basis=basis, now=now,
        )  # fmt: skip
        raise
    _settle(
        duplicate_id=duplicate_id, effect_id=effect_id, to=DuplicateState.PARTED, step=Step.PARTED, change_id=done.change_id,
        reason=evidence, actor=actor, basis=basis, now=now,
    )  # fmt: skip
    return done


def _home(duplicate_id: UUID, household_id: UUID, *, actor: Actor, basis: Basis, now: datetime) -> UUID:
    """Give the household to come back to; where the merger emptied and closed it, another at its address, kept on the pair."""
    pair = Duplicate.objects.get(pk=duplicate_id)
    household = Household.objects.filter(pk=household_id).first()
    if household is None or household.closed_on is None:
        return household_id
    if pair.merged_at is None or household.closed_on != local_date(pair.merged_at):
        raise HouseholdNotFound
    pair.household_id = open_household(
        division_code=household.division_code,
        address=household.address,
        kind=household.kind,
        actor=actor,
        basis=basis,
        now=now,
    )
    pair.save(update_fields=["household_id"])
    return pair.household_id


@command("population.begin_parting", database=DATABASE)
def _begin_parting(
    *, duplicate_id: UUID, evidence: str, actor: Actor, basis: Basis, now: datetime
) -> tuple[UUID, UUID, UUID] | None:
    """Give the entry to bring back, its household and the effect; None when somebody else must ask too."""
    states = (DuplicateState.MERGED, DuplicateState.PARTING_ASKED, DuplicateState.PARTING)
    pair = _held(duplicate_id, *states, reason=evidence, actor=actor, basis=basis)
    gone = pair.second_person_id if pair.stands_as_person_id == pair.first_person_id else pair.first_person_id
    if pair.household_id is None:
        raise HouseholdNotFound
    if pair.state == DuplicateState.PARTING and pair.effect_id is not None:
        return gone, pair.household_id, pair.effect_id
    if pair.state == DuplicateState.PARTING_ASKED:
        if pair.asked_by == actor.account_id:
            raise AnotherMustDecide
    elif later := _later(pair):
        pair.asked_by = actor.account_id
        _go(pair, DuplicateState.PARTING_ASKED, Step.PARTING_ASKED, actor=actor, now=now, reason=evidence, later=later)
        return None
    pair.effect_id = new_id()
    _go(pair, DuplicateState.PARTING, Step.PARTING_BEGUN, actor=actor, now=now, reason=evidence)
    return gone, pair.household_id, pair.effect_id


@command("population.decline_parting", database=DATABASE)
def decline_parting(*, duplicate_id: UUID, reason: str, actor: Actor, basis: Basis, now: datetime) -> None:
    """Leave a merged pair merged although its parting was asked for.

    Raises `DuplicateNotFound`, `DuplicateDecided`, `ReasonMissing`, ``AccessRefused``.
    """
    pair = _held(duplicate_id, DuplicateState.PARTING_ASKED, reason=reason, actor=actor, basis=basis)
    pair.asked_by = None
    _go(pair, DuplicateState.MERGED, Step.PARTING_DECLINED, actor=actor, now=now, reason=reason)


@command("population.settle_duplicate", database=DATABASE)
def _settle(
    *,
    duplicate_id: UUID,
    effect_id: UUID,
    to: DuplicateState,
    step: Step,
    change_id: UUID | None,
    reason: str,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> None:
    """Say on the pair what became of the act; whoever did it twice says it once."""
    pair = Duplicate.objects.select_for_update().get(pk=duplicate_id)
    if pair.effect_id != effect_id or pair.state not in {DuplicateState.MERGING, DuplicateState.PARTING}:
        return
    if to == DuplicateState.MERGED and change_id is not None:
        pair.change_id, pair.merged_at = change_id, now
    _go(pair, to, step, actor=actor, now=now, reason=reason, change_id=change_id)


def _held(duplicate_id: UUID, *states: DuplicateState, reason: str, actor: Actor, basis: Basis) -> Duplicate:
    """Give the pair, locked, when the actor may decide about it and it is in one of the states."""
    if not basis.is_stated:
        raise PurposeMissing
    scope = access.require(actor=actor, right=DUPLICATES).scope
    pair = Duplicate.objects.select_for_update().filter(pk=duplicate_id).first()
    if pair is None or not all(
        scope.covers(division_code=division) for division in (pair.first_division, pair.second_division)
    ):
        raise DuplicateNotFound
    if pair.state not in states:
        raise DuplicateDecided
    if not reason.strip():
        raise ReasonMissing
    return pair


def _later(pair: Duplicate) -> list[str]:
    """Name the acts on either entry since they were merged."""
    both = [pair.first_person_id, pair.second_person_id]
    found = all_rows(_LATER, [pair.change_id, *[both, pair.merged_at] * 5], database=DATABASE)
    return [kind for (kind,) in found]


def _go(
    pair: Duplicate,
    to: DuplicateState,
    step: Step,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    change_id: UUID | None = None,
    later: Sequence[str] = (),
) -> None:
    pair.state, pair.decided_at = to.value, now
    pair.save()
    DuplicateStep.objects.create(
        duplicate=pair,
        step=step.value,
        at=now,
        account_id=actor.account_id,
        post_label=actor.label,
        organization_label=actor.organization_label,
        reason=reason.strip(),
        change_id=change_id,
        detail={"later": list(later)} if later else {},
    )
    entry = current()
    entry.object("duplicate", pair.pk)
    for key in (pair.first_person_id, pair.second_person_id):
        entry.subject(key, fields=("status",))
    entry.detail(step=step.value, change_id=str(change_id) if change_id else "")
