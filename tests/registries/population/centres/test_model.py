"""The register's commands against a short model: who lives, in which centre and household, by which name, and who heads what."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id
from furong.registries.population import commands, queries
from furong.registries.population.errors import HouseholdsApart, PersonDeceased
from furong.registries.population.moves import commands as moves
from furong.registries.population.moves import tasks
from tests.registries.population.centres.conftest import TWO, Province
from tests.registries.population.people import NOW, SYSTEM, WHY, household, person

ACT: dict[str, Any] = {"actor": SYSTEM, "basis": WHY, "now": NOW}
TODAY = date(2026, 3, 10)
NAMES = ("曾晓雅", "单石生", "欧阳野", "任远山", "谌念之")
DIVISIONS = tuple(f"{code}{end}001001" for code in TWO for end in ("02", "04"))
pick = st.integers(min_value=0, max_value=10**6)


@dataclass
class Someone:
    """What the model knows of a person."""

    name: str
    home: UUID | None  # None: dead or gone
    alive: bool = True


class Register(RuleBasedStateMachine):
    """People and households as a dictionary has them, beside the register."""

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[UUID, Someone] = {}
        self.homes: dict[UUID, str] = {}  # open households with their division
        self.heads: dict[UUID, UUID] = {}

    # --- the model ------------------------------------------------------------------------------------------------------------

    def members(self, home: UUID | None) -> list[UUID]:
        return [key for key, one in self.people.items() if home is not None and one.home == home]

    def living(self) -> list[UUID]:
        return [key for key, one in self.people.items() if one.home is not None]

    def go(self, key: UUID, home: UUID | None, successor: UUID | None = None) -> None:
        old = self.people[key].home
        self.people[key].home = home
        if old is not None and not self.members(old):
            del self.homes[old], self.heads[old]
        elif old is not None and self.heads[old] == key:
            assert successor is not None
            self.heads[old] = successor
        if home is not None:
            self.heads.setdefault(home, key)

    def follower(self, key: UUID, which: int) -> UUID | None:
        """Somebody of the household who stays when this person, its head, goes."""
        home = self.people[key].home
        others = [one for one in self.members(home) if one != key]
        return others[which % len(others)] if home is not None and self.heads[home] == key and others else None

    # --- the rules ------------------------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        for number, division in enumerate(DIVISIONS):
            self.enter(number, number, division)
            self.enter(number + 1, number, division)

    @rule(name=pick, year=pick, division=st.sampled_from(DIVISIONS))
    def enter(self, name: int, year: int, division: str) -> None:
        homes = [home for home, where in self.homes.items() if where == division]
        home = homes[year % len(homes)] if homes else household(division=division)
        born_on = date(1960 + year % 30, 1, 1)
        called = NAMES[name % len(NAMES)]
        key = person(called, sex="12"[name % 2], born_on=born_on, household=home, county=f"{division[:4]}91")
        self.homes[home] = division
        self.people[key] = Someone(name=called, home=home)
        self.heads.setdefault(home, key)

    @rule(who=pick, name=st.sampled_from(NAMES))
    def rename(self, who: int, name: str) -> None:
        key = self.any(who)
        if key is None or self.people[key].name == name:
            return
        commands.amend_person(person_id=key, facts={"name": name}, effective_on=TODAY, effect_id=new_id(), **ACT)
        self.people[key].name = name

    @precondition(lambda self: len(self.living()) > 2)
    @rule(who=pick)
    def die(self, who: int) -> None:
        key = self.any(who)
        assert key is not None
        others = [one for one in self.members(self.people[key].home) if one != key]
        eldest = min(others, key=lambda one: (self.born(one), one)) if others else None
        effect = new_id()
        for _ in range(2):  # twice is once
            commands.record_death(person_id=key, died_on=TODAY, evidence="D-1", effect_id=effect, **ACT)
        with pytest.raises(PersonDeceased):
            commands.record_death(person_id=key, died_on=TODAY, evidence="D-1", effect_id=new_id(), **ACT)
        self.people[key].alive = False
        self.go(key, None, eldest)

    @rule(who=pick, successor=pick)
    def split(self, who: int, successor: int) -> None:
        key = self.any(who)
        if key is None or len(self.members(self.people[key].home)) < 2:
            return
        home = self.people[key].home
        assert home is not None
        after = self.follower(key, successor)
        done = commands.split_household(
            household_id=home, member_ids=[key], head_person_id=key, next_head_person_id=after, split_on=TODAY,
            evidence="F-1", effect_id=new_id(), **ACT,
        )  # fmt: skip
        self.homes[done.new_household_id] = self.homes[home]
        self.go(key, done.new_household_id, after)

    @rule(one=pick, two=pick)
    def merge(self, one: int, two: int) -> None:
        homes = list(self.homes)
        old, new = homes[one % len(homes)], homes[two % len(homes)]
        if old == new or self.homes[old][:4] != self.homes[new][:4]:
            return
        given: dict[str, Any] = {"household_id": old, "into_household_id": new, "merged_on": TODAY, "evidence": "B-1"}
        if self.homes[old][:9] != self.homes[new][:9]:
            with pytest.raises(HouseholdsApart):
                commands.merge_households(**given, **ACT)
            return
        commands.merge_households(**given, effect_id=new_id(), **ACT)
        for key in sorted(self.members(old), key=lambda one: one == self.heads[old]):
            self.go(key, new)

    @rule(who=pick)
    def lead(self, who: int) -> None:
        key = self.any(who)
        if key is None or (home := self.people[key].home) is None or self.heads[home] == key:
            return
        commands.change_head(household_id=home, head_person_id=key, changed_on=TODAY, evidence="H-1", **ACT)
        self.heads[home] = key

    @rule(who=pick, to=pick, successor=pick, opens=st.booleans())
    def move(self, who: int, to: int, successor: int, opens: bool) -> None:
        """Within a county by one act, else by request, approval, permit, departure and arrival."""
        key = self.any(who)
        if key is None:
            return
        homes = [home for home in self.homes if home != self.people[key].home]
        if not homes:
            return
        target = homes[to % len(homes)]
        division, after = self.homes[target], self.follower(key, successor)
        home = self.people[key].home
        assert home is not None
        if self.homes[home][:6] == division[:6]:
            given: dict[str, Any] = {"household_id": target, "new_head_person_id": after, "reason": "work"}
            commands.move_person(person_id=key, moved_on=TODAY, effect_id=new_id(), **given, **ACT)
        else:
            place = {"address": "桃花岭 3 号"} if opens else {"household_id": target}
            asked = {"division_code": division, "reason": "work", "applicant_person_id": key, "consent": "T-1"}
            move_id = moves.request_move(person_id=key, **asked, **place, **ACT).move_id  # type: ignore[arg-type]
            moves.approve_move(move_id=move_id, **ACT)
            moves.issue_move_permit(move_id=move_id, **ACT)
            moves.record_departure(move_id=move_id, new_head_person_id=after, **ACT)
            effect = new_id()
            first = moves.record_arrival(move_id=move_id, arrived_on=TODAY, effect_id=effect, **ACT)
            assert moves.record_arrival(move_id=move_id, arrived_on=TODAY, effect_id=effect, **ACT) == first
            if opens:
                target = self.facts(key, "household_id")["household_id"]
                self.homes[target] = division
        self.go(key, target, after)

    @rule()
    def clear(self) -> None:
        tasks.keep(now=NOW, at_start=True)

    @rule(who=pick)
    def ask_for_the_dead(self, who: int) -> None:
        dead = [key for key, one in self.people.items() if not one.alive]
        if dead:
            with pytest.raises(Refusal):
                commands.move_person(
                    person_id=dead[who % len(dead)], household_id=next(iter(self.homes)), moved_on=TODAY, reason="", **ACT
                )  # fmt: skip

    # --- looking --------------------------------------------------------------------------------------------------------------

    def any(self, which: int) -> UUID | None:
        living = self.living()
        return living[which % len(living)] if living else None

    def born(self, key: UUID) -> date:
        found: date = self.facts(key, "born_on")["born_on"]
        return found

    def facts(self, key: UUID, *fields: str) -> dict[str, Any]:
        return dict(queries.get_person(person_id=key, fields=fields, actor=SYSTEM, basis=WHY, now=NOW).values)

    @invariant()
    def the_province_says_what_the_model_says(self) -> None:
        wanted = {
            key: (one.name, one.alive, one.home, None if one.home is None else self.homes[one.home][:4])
            for key, one in self.people.items()
        }
        until = time.monotonic() + 10
        while (found := self.seen()) != wanted and time.monotonic() < until:
            time.sleep(0.002)  # replication is on its way
        assert found == wanted, {k: (found.get(k), v) for k, v in wanted.items() if found.get(k) != v}
        from django.db import connections

        for code in TWO:
            with connections[f"centre_{code}"].cursor() as cursor:
                cursor.execute(
                    "SELECT household_id, person_id FROM population_household_member WHERE relation = '02' "
                    "AND superseded_at IS NULL AND valid_until IS NULL AND person_id = ANY(%s)",
                    [list(self.people)],  # those of the examples before stay in the register
                )
                assert dict(cursor.fetchall()) == {
                    home: head for home, head in self.heads.items() if self.homes[home].startswith(code)
                }

    def seen(self) -> dict[UUID, tuple[str, bool, UUID | None, str | None]]:
        from django.db import connections

        with connections["population"].cursor() as cursor:
            cursor.execute(
                "SELECT person_id, name, status <> 'deceased', household_id, "
                "CASE WHEN household_id IS NOT NULL THEN centre END FROM provincial.population_person "
                "WHERE person_id = ANY(%s)",
                [list(self.people)],
            )
            return {row[0]: tuple(row[1:]) for row in cursor.fetchall()}


def run(examples: int, steps: int) -> None:
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(
            Phase.explicit,
            Phase.reuse,
            Phase.generate,
        ),  # to shrink a trace on real databases takes longer than to read it
    )
    run_state_machine_as_test(Register, settings=profile)


def test_two_centres_do_what_a_dictionary_does(province: Province) -> None:
    run(int(os.environ.get("FURONG_MODEL_EXAMPLES", "2")), 12)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_centres_do_what_a_dictionary_does_for_long(province: Province) -> None:
    run(int(os.environ.get("FURONG_SOAK_EXAMPLES", "100")), 40)
