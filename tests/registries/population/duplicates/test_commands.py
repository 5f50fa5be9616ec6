"""People registered twice: found by a search, merged once however many try, parted again, and never half."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.foundation.jobs import worker
from furong.registries.population import commands as register
from furong.registries.population.duplicates import commands, queries, tasks
from furong.registries.population.duplicates.errors import (
    AnotherMustDecide,
    DuplicateDecided,
    DuplicateNotFound,
    FamilyWouldBeLost,
    ReasonMissing,
)
from furong.registries.population.duplicates.searching import FoundPair
from furong.registries.population.duplicates.values import SEARCHING, DuplicateState, Step
from furong.registries.population.errors import HeadWouldLeave, HouseholdNotFound, PersonDeregistered
from tests.registries.population.people import NOW, SYSTEM, WHY, couple, household, person
from tests.registries.population.test_queries import get, officer, rows, trace_of

pytestmark = pytest.mark.usefixtures("database")
RIGHTS = ("population.duplicates", "population.read", "population.register")
BASIS = Basis(purpose="更正登记", legal_basis="户口登记条例 第六条")


def judge() -> Actor:
    return officer(*RIGHTS)


def deed(actor: Actor, *, now: Any = NOW, basis: Basis = BASIS) -> dict[str, Any]:
    return {"actor": actor, "basis": basis, "now": now}


def twice(name: str = "贺望山", *, other: str = "贺望珊") -> tuple[UUID, UUID]:
    """Somebody who stands in the register twice, alone in either household."""
    born = date(1971, 4, 5)
    one = person(name, sex="1", born_on=born, household=household(address="青石巷 7 号"))
    return one, person(other, sex="1", born_on=born, household=household(address="青石巷 7号"))


def keep(*pairs: tuple[UUID, UUID]) -> list[UUID]:
    """Have these pairs found; give their keys in the same order."""
    search_id = commands.ask_for_search(actor=judge(), basis=SEARCHING, now=NOW)
    found = [
        FoundPair(first=min(pair), second=max(pair), probability=0.97, likeness={"name": "sounds_equal"})
        for pair in pairs
    ]
    commands.keep_pairs(search_id=search_id, people=9, pairs=found, actor=SYSTEM, basis=SEARCHING, now=NOW)
    kept = {
        (first, second): key
        for key, first, second in rows("SELECT id, first_person_id, second_person_id FROM population_duplicate")
    }
    return [kept[min(pair), max(pair)] for pair in pairs]


def state(duplicate_id: UUID) -> DuplicateState:
    return queries.get_duplicate(duplicate_id=duplicate_id, actor=judge()).state


def steps(duplicate_id: UUID) -> list[Step]:
    return [one.step for one in queries.get_duplicate(duplicate_id=duplicate_id, actor=judge()).steps]


def test_a_search_finds_who_stands_twice_and_each_of_them_sees_it() -> None:
    one, other = twice()
    couple()
    person("贺望川", sex="1", born_on=date(1949, 9, 9), household=household())
    actor = judge()
    search_id = commands.ask_for_search(actor=actor, basis=SEARCHING, now=NOW)
    assert commands.ask_for_search(actor=actor, basis=SEARCHING, now=NOW) == search_id, "one search at a time"
    tasks.start(search_id=search_id)
    worker.run_until_idle()

    (pair,) = queries.list_duplicates(actor=actor)
    assert {pair.first_person_id, pair.second_person_id} == {one, other}
    assert (pair.likeness["name"], pair.likeness["birth"]) == ("sounds_equal", "equal")
    assert pair.likeness["household"].startswith("address")
    search = queries.last_search(actor=actor)
    assert search is not None
    assert (search.people, search.pairs) == (5, 1)
    assert trace_of(one)[0].what == "population.keep_duplicates"
    # Judged to be two, the pair does not come again; elsewhere nobody sees it.
    commands.set_aside(duplicate_id=pair.duplicate_id, reason="双胞胎", **deed(actor))
    tasks.start(search_id=commands.ask_for_search(actor=actor, basis=SEARCHING, now=NOW))
    worker.run_until_idle()
    assert queries.list_duplicates(actor=actor) == ()
    with pytest.raises(DuplicateNotFound):
        queries.get_duplicate(duplicate_id=pair.duplicate_id, actor=officer(*RIGHTS, prefix="4301"))
    with pytest.raises(AccessRefused):
        queries.list_duplicates(actor=officer("population.read"))


def test_merged_and_parted_again_everything_is_as_it_was_and_the_history_tells() -> None:
    one, other = twice()
    number = get(other, SYSTEM, "number")["number"]
    home = get(other, SYSTEM, "address")["address"]
    (key,) = keep((one, other))
    actor = judge()
    done = commands.merge_people(duplicate_id=key, stands_as_person_id=one, evidence="调查 1 号", **deed(actor))
    assert state(key) is DuplicateState.MERGED
    assert get(other, SYSTEM, "status", "household_id").values == {"status": "deregistered", "household_id": None}
    assert get(one, SYSTEM, "status")["status"] == "registered"
    assert rows("SELECT result->>'stands_as' FROM population_change WHERE id = %s", done.change_id) == [(str(one),)]
    with pytest.raises(DuplicateDecided):
        commands.merge_people(duplicate_id=key, stands_as_person_id=one, evidence="再次", **deed(actor))

    assert commands.part_people(duplicate_id=key, evidence="调查 2 号", **deed(actor, now=NOW + timedelta(hours=1)))
    assert get(other, SYSTEM, "status", "address", "number").values == {
        "status": "registered", "address": home, "number": number
    }  # fmt: skip
    assert steps(key) == [Step.FOUND, Step.MERGE_BEGUN, Step.MERGED, Step.PARTING_BEGUN, Step.PARTED]
    assert {one.post_label for one in queries.get_duplicate(duplicate_id=key, actor=actor).steps[1:]} == {"户籍民警"}


def test_two_who_merge_one_person_at_once_do_it_once() -> None:
    one, other = twice()
    third = person("贺望衫", sex="1", born_on=date(1971, 4, 5), household=household())
    first, second = keep((one, other), (third, other))

    def merge(pair: tuple[UUID, UUID]) -> str:
        try:
            commands.merge_people(duplicate_id=pair[0], stands_as_person_id=pair[1], evidence="调查", **deed(judge()))
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "merged"

    with ThreadPoolExecutor(4) as threads:
        told = sorted(threads.map(merge, [(first, one), (second, third), (first, one), (first, other)]))
    assert told.count("merged") >= 1
    assert set(told) <= {"merged", "population.duplicate_decided", PersonDeregistered.code}
    gone = rows("SELECT count(*) FROM population_change WHERE kind = 'duplicate'")
    merged = [key for key in (first, second) if state(key) is DuplicateState.MERGED]
    assert gone == [(len(merged),)]
    living = rows(
        "SELECT count(*) FROM population_person WHERE status = 'registered' AND person_id = ANY(%s)",
        [one, other, third],
    )
    assert living == [(3 - len(merged),)], "every pair says what became of it, and somebody stays"
    for key in (first, second):
        assert state(key) in {DuplicateState.MERGED, DuplicateState.OPEN}


def test_a_merger_that_stopped_half_way_is_finished_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = twice()
    (key,) = keep((one, other))

    def die(**_: object) -> None:
        raise MemoryError

    for stop in ("deregister_person", "_settle"):
        with monkeypatch.context() as dying:
            dying.setattr(commands, stop, die)
            with pytest.raises(MemoryError):
                commands.merge_people(duplicate_id=key, stands_as_person_id=one, evidence="调查", **deed(judge()))
        assert state(key) is DuplicateState.MERGING
    with pytest.raises(DuplicateDecided):
        commands.merge_people(duplicate_id=key, stands_as_person_id=other, evidence="调查", **deed(judge()))
    commands.merge_people(duplicate_id=key, stands_as_person_id=one, evidence="调查", **deed(judge()))
    assert state(key) is DuplicateState.MERGED
    assert rows("SELECT count(*) FROM population_change WHERE kind = 'duplicate'") == [(1,)]


def test_after_later_acts_a_parting_waits_for_somebody_else() -> None:
    one, other = twice()
    (key,) = keep((one, other))
    actor = judge()
    commands.merge_people(duplicate_id=key, stands_as_person_id=one, evidence="调查", **deed(actor))
    later = NOW + timedelta(days=1)
    register.amend_person(
        person_id=one, facts={"ethnicity": "15"}, effective_on=later.date(), actor=SYSTEM, basis=WHY, now=later
    )

    asked = deed(actor, now=later + timedelta(hours=1))
    assert commands.part_people(duplicate_id=key, evidence="并非一人", **asked) is None
    pair = queries.get_duplicate(duplicate_id=key, actor=actor)
    assert (pair.state, pair.steps[-1].detail) == (DuplicateState.PARTING_ASKED, {"later": ["amendment"]})
    assert get(other, SYSTEM, "status")["status"] == "deregistered"
    with pytest.raises(AnotherMustDecide):
        commands.part_people(duplicate_id=key, evidence="并非一人", **asked)
    commands.decline_parting(duplicate_id=key, reason="证据不足", **asked)
    assert state(key) is DuplicateState.MERGED

    commands.part_people(duplicate_id=key, evidence="新证据", **asked)
    assert commands.part_people(duplicate_id=key, evidence="属实", **deed(judge(), now=later + timedelta(hours=2)))
    assert get(other, SYSTEM, "status")["status"] == "registered"


def test_what_cannot_be_merged_or_parted_is_refused_with_the_reason_and_nothing_is_half_done() -> None:
    family = couple()
    double = person("曾晓娅", sex="2", born_on=date(1992, 8, 9), household=household())
    lone, second = twice()
    head, clone = twice("石观海", other="石观海")
    person("石小海", sex="1", born_on=date(2001, 1, 1), household=get(clone, SYSTEM, "household_id")["household_id"])
    married, closed, heads = keep((family.mother, double), (lone, second), (head, clone))
    said = deed(judge())
    with pytest.raises(FamilyWouldBeLost, match="1 relatives"):
        commands.merge_people(duplicate_id=married, stands_as_person_id=double, evidence="调查", **said)
    with pytest.raises(HeadWouldLeave):
        commands.merge_people(duplicate_id=heads, stands_as_person_id=head, evidence="调查", **said)
    assert steps(heads)[-1] is Step.MERGE_REFUSED
    assert (state(married), state(heads)) == (DuplicateState.OPEN, DuplicateState.OPEN)
    with pytest.raises(ReasonMissing):
        commands.set_aside(duplicate_id=married, reason=" ", **said)
    with pytest.raises(PurposeMissing):
        commands.set_aside(
            duplicate_id=married, reason="双胞胎", **deed(judge(), basis=Basis(purpose="", legal_basis=""))
        )
    with pytest.raises(AccessRefused):
        commands.set_aside(duplicate_id=married, reason="双胞胎", **deed(officer("population.read")))

    commands.merge_people(duplicate_id=closed, stands_as_person_id=lone, evidence="调查", **said)
    with connections["population"].cursor() as cursor:
        cursor.execute(
            "UPDATE population_household SET closed_on = '2026-03-20' WHERE household_id = "
            "(SELECT household_id FROM population_duplicate WHERE id = %s)", [closed]
        )  # fmt: skip
    with pytest.raises(HouseholdNotFound):
        commands.part_people(duplicate_id=closed, evidence="并非一人", **said)
    assert (state(closed), steps(closed)[-1]) == (DuplicateState.MERGED, Step.PARTING_REFUSED)
