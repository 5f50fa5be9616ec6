"""Facts about two people in two cities: what is late, lost, doubled or out of order, both sides come to say the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from furong.foundation.codes.ids import new_id
from furong.foundation.events.values import from_json
from furong.registries.population import commands, place
from furong.registries.population.acts import part, set_marital
from furong.registries.population.centres import crossing, directory, pairs, watching
from furong.registries.population.events import FactTold
from furong.registries.population.ledger import Ledger, get_person
from furong.registries.population.models import Person
from furong.registries.population.values import ChangeKind, RelationKind, Topic
from tests.registries.population.centres.conftest import Province
from tests.registries.population.centres.test_centres import (
    CHANGSHA,
    ZHUZHOU,
    cut,
    facts,
    tell_each_other,
    wait_for,
)
from tests.registries.population.moves.conftest import CENTRES, DESTINATION, SOURCE, centres
from tests.registries.population.moves.movers import arrive, request, until_departure
from tests.registries.population.people import NOW, SYSTEM, WHY, household, person

FIRST = date(2000, 1, 1)
ACT = {"actor": SYSTEM, "basis": WHY, "now": NOW}


@pytest.fixture
def apart(database: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two centres that know of each other, without a province between them."""
    with centres():
        monkeypatch.setattr(place.routes, "find", lambda kind, value: SOURCE)
        yield


def told(alias: str) -> list[FactTold]:
    """What a centre told and nobody has heard yet."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT payload FROM events_outbox WHERE name = 'population.fact_told' ORDER BY occurred_at, id")
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute("DELETE FROM events_outbox")
    import json

    return [from_json(FactTold, one if isinstance(one, dict) else json.loads(one)) for one in found]


def periods(alias: str, person_id: UUID) -> list[tuple[object, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT kind, valid_from, valid_until FROM population_relation WHERE person_id = %s AND superseded_at IS NULL "
            "ORDER BY valid_from",
            [person_id],
        )
        return list(cursor.fetchall())


class Couple:
    """Two people in two centres, and what is on its way between them."""

    def __init__(self) -> None:
        self.keys: dict[str, UUID] = {}
        for alias, division, sex in ((SOURCE, ZHUZHOU, "2"), (DESTINATION, CHANGSHA, "1")):
            with place.at(alias):
                home = household(division=division)
                self.keys[alias] = person("曾晓雅", sex=sex, born_on=date(1970, 1, 1), household=home)
        self.day = FIRST
        self.waiting: list[FactTold] = []
        self.acts = 0
        self.crossed = False  # somebody acted without knowing of the act before

    def act(self, alias: str) -> None:
        """Marry, or divorce when this centre takes them for married."""
        self.day += timedelta(days=1)
        one, other = self.keys[alias], self.keys[CENTRES[1 - CENTRES.index(alias)]]
        is_married = any(until is None for *_, until in periods(alias, one))
        with place.at(alias), transaction.atomic(using=alias):
            kind = ChangeKind.DIVORCE if is_married else ChangeKind.MARRIAGE
            ledger = Ledger(kind=kind, evidence="J-1", **ACT)
            absent = Person(person_id=other)
            absent._state.db = "population"
            if is_married:
                part(ledger, one, other, on=self.day)
            else:
                spouse = RelationKind.SPOUSE
                ledger.relate(person_id=one, kind=spouse, other=other, back=spouse, since=self.day, evidence="J-1")
            for each, whom in ((get_person(one), other), (absent, one)):
                set_marital(ledger, each, "40" if is_married else "21", other=whom, since=self.day)
            ledger.tell_others()
        news = told(alias)
        self.acts += 1
        self.crossed |= news[-1].version != self.acts
        self.waiting += news

    def hear(self, fact: FactTold) -> None:
        alias = next(name for name, key in self.keys.items() if key == fact.person_id)
        with place.at(alias):
            crossing.take_fact(person_id=fact.person_id, fact=fact, effect_id=new_id(), **ACT)
        told(alias)

    def marital(self, alias: str) -> list[tuple[str, str]]:
        """Since when which marital status."""
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT valid_from::text, facts->>'marital' FROM population_person_version WHERE person_id = %s "
                "AND superseded_at IS NULL ORDER BY valid_from",
                [self.keys[alias]],
            )
            found = cursor.fetchall()
        return [one for n, one in enumerate(found) if n and one[1] != found[n - 1][1]]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(CENTRES), st.integers(0, 5), st.booleans()), max_size=5), st.randoms())
def test_both_sides_come_to_say_the_same_in_whatever_order_they_hear_of_it(
    apart: None, steps: list[tuple[str, int, bool]], chance: object
) -> None:
    couple = Couple()
    for alias, heard, lost in steps:
        couple.act(alias)
        chance.shuffle(couple.waiting)  # type: ignore[attr-defined]
        for fact in couple.waiting[:heard]:
            couple.hear(fact)
            couple.hear(fact)  # told twice, it is recorded once
        del couple.waiting[: heard + lost]
    for fact in couple.waiting:
        couple.hear(fact)
    again: list[FactTold] = []
    for alias in CENTRES:
        with place.at(alias):
            other = couple.keys[CENTRES[1 - CENTRES.index(alias)]]
            crossing.tell_again(person_id=couple.keys[alias], other_person_id=other, topic=Topic.SPOUSE, **ACT)
        again += told(alias)
    for fact in again:
        couple.hear(fact)
    one, other = (periods(alias, couple.keys[alias]) for alias in CENTRES)
    assert one == other
    if not couple.crossed:  # each act knew of all before it: nothing is missing
        assert len(one) == (len(steps) + 1) // 2
        assert couple.marital(SOURCE) == couple.marital(DESTINATION)
        assert len(couple.marital(SOURCE)) == len(steps)


def test_a_divorce_that_is_heard_before_its_marriage_leaves_no_side_alone(apart: None) -> None:
    couple = Couple()
    couple.act(SOURCE)
    couple.act(SOURCE)
    marriage, divorce = couple.waiting
    couple.hear(divorce)
    couple.hear(marriage)
    ended = [("spouse", FIRST + timedelta(days=1), FIRST + timedelta(days=2))]
    assert periods(SOURCE, couple.keys[SOURCE]) == periods(DESTINATION, couple.keys[DESTINATION]) == ended
    assert couple.marital(DESTINATION) == [("2000-01-02", "21"), ("2000-01-03", "40")]


def test_who_moves_to_their_spouse_and_overtakes_what_was_told_leaves_no_side_alone(province: Province) -> None:
    crossing.follow()
    wife = person("曾晓雅", sex="2", born_on=date(1992, 8, 9), household=household(division=ZHUZHOU))
    there = household(division=CHANGSHA)
    husband = person("单石生", sex="1", born_on=date(1990, 5, 4), household=there, county="430191")
    commands.record_marriage(
        person_id=wife, spouse_person_id=husband, married_on=date(2018, 10, 1), evidence="J-1", **ACT
    )
    arrive(until_departure(request(wife, address="五一大道 1 号")))
    wait_for(lambda: directory.centre_of_person(wife) == "4301")
    assert facts(husband, "spouse_id")["spouse_id"] is None, "nobody told them yet"
    tell_each_other()
    wait_for(lambda: facts(husband, "spouse_id", "marital") == {"spouse_id": wife, "marital": "21"})
    assert facts(wife, "spouse_id")["spouse_id"] == husband
    assert pairs.topics_that_differ(wife, husband) == ()


def test_what_was_lost_is_told_again_and_what_cannot_be_is_a_persons_to_settle(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossing.follow()
    homes = [household(division=ZHUZHOU), household(division=CHANGSHA)]
    wife = person("曾晓雅", sex="2", born_on=date(1992, 8, 9), household=homes[0])
    husband = person("单石生", sex="1", born_on=date(1990, 5, 4), household=homes[1], county="430191")
    sister = person("曾晓云", sex="2", born_on=date(1994, 8, 9), household=homes[0])

    def marry(one: UUID, other: UUID) -> None:
        commands.record_marriage(
            person_id=one, spouse_person_id=other, married_on=date(2018, 10, 1), evidence="J-1", **ACT
        )

    marry(wife, husband)
    with connections["centre_4302"].cursor() as cursor:  # the telling is lost
        cursor.execute("DELETE FROM events_outbox")
    later = NOW + timedelta(days=1)
    monkeypatch.setattr(pairs, "_HOUR", 10)
    assert pairs.watch_all(now=later + timedelta(hours=3)) == 0, "not at this hour"
    assert pairs.watch_all(now=later) == 1
    watching.keep(now=later)
    assert pairs.count_waiting() == 1
    tell_each_other()
    wait_for(lambda: facts(husband, "spouse_id", "marital") == {"spouse_id": wife, "marital": "21"})
    watching.keep(now=later + timedelta(minutes=2))
    assert pairs.count_waiting() == 0
    assert not watching.list_conflicts(actor=SYSTEM)

    commands.record_divorce(
        person_id=wife, spouse_person_id=husband, divorced_on=date(2020, 1, 1), evidence="L-1", **ACT
    )
    tell_each_other()
    wait_for(lambda: facts(husband, "spouse_id")["spouse_id"] is None)
    # Two cities, one man: while the link is cut, each marries him to another.
    third = person("龙一", sex="2", born_on=date(1993, 1, 1), household=homes[1], county="430191")
    with cut("4301"):
        marry(husband, third)
        marry(sister, husband)
    tell_each_other()
    wait_for(lambda: facts(husband, "spouse_id")["spouse_id"] == third)
    today = datetime.now(UTC)  # of the worker, which told it
    for minutes in range(1, 12):
        watching.keep(now=today + timedelta(minutes=minutes))
        tell_each_other()
    (conflict,) = watching.list_conflicts(actor=SYSTEM)
    assert (conflict.kind, {conflict.person_id, conflict.other_person_id}) == ("one_sided", {sister, husband})
    assert {conflict.centre, conflict.other_centre} == {"4301", "4302"}
    # It is settled by what corrects it, without a word.
    commands.record_divorce(
        person_id=sister, spouse_person_id=husband, divorced_on=date(2018, 10, 1), evidence="L-2", **ACT
    )
    wait_for(lambda: facts(sister, "spouse_id")["spouse_id"] is None)
    watching.keep(now=conflict.found_at + timedelta(minutes=5))
    assert not watching.list_conflicts(actor=SYSTEM)
