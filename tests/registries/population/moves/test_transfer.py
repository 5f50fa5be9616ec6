"""A person between two centres: the whole history arrives, one centre keeps them, whatever breaks in between."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import OperationalError, connections

from furong.foundation.codes.ids import new_id
from furong.registries.population import place
from furong.registries.population.moves import commands as moves
from furong.registries.population.moves import ports, resolver, tasks, transfer
from furong.registries.population.moves.errors import (
    ArrivalConflict,
    CentreUnreachable,
    HouseholdBusy,
    StepNotOpen,
)
from tests.registries.population.moves.conftest import CENTRES, DESTINATION, SOURCE
from tests.registries.population.moves.movers import (
    ACT,
    CHANGSHA,
    arrive,
    ask,
    household_there,
    live_in,
    request,
    until_departure,
)
from tests.registries.population.people import NOW, birth, couple, household, person

pytestmark = pytest.mark.usefixtures("two_centres")
OWNED = ("person_version", "identity_number", "household_member", "relation", "residence")
HISTORY = "SELECT to_jsonb(t) FROM population_{} t WHERE person_id = %s ORDER BY id"


def rows_of(alias: str, person_id: UUID) -> dict[str, list[Any]]:
    return {table: [row[0] for row in ask(alias, HISTORY.format(table), person_id)] for table in OWNED}


def a_move(name: str = "曾伯安", **given: Any) -> tuple[UUID, UUID]:
    mover = person(name, sex="1", born_on=date(1962, 2, 2), household=household())
    return mover, until_departure(request(mover, **given))


def test_the_whole_history_arrives_and_the_source_keeps_its_last_facts() -> None:
    family = couple()
    baby = birth(family, record="B430299000001").person_id
    home = household_there()
    with place.at(DESTINATION):
        head = person("谌石生", sex="1", born_on=date(1960, 1, 1), household=home, county="430191")
    move = until_departure(request(family.father, household_id=home, consent="T-1"), new_head_person_id=family.mother)
    effect = new_id()
    outcome = arrive(move, effect_id=effect)
    assert arrive(move, effect_id=effect) == outcome
    assert live_in(family.father) == [DESTINATION]
    behind, there = rows_of(SOURCE, family.father), rows_of(DESTINATION, family.father)
    for table in OWNED:
        assert behind[table]
        assert all(row in there[table] for row in behind[table]), table
    assert [len(there[table]) - len(behind[table]) for table in OWNED] == [0, 0, 1, 0, 1]
    ((status, moved_to, version),) = ask(
        SOURCE, "SELECT status, moved_to, version FROM population_person WHERE person_id = %s", family.father
    )
    assert (status, moved_to) == ("moved", CHANGSHA)
    ((now, home_now, place_now),) = ask(
        DESTINATION,
        "SELECT version, household_id, division_code FROM population_person WHERE person_id = %s",
        family.father,
    )
    assert (now, home_now, place_now) == (version + 1, home, CHANGSHA)
    in_force = "superseded_at IS NULL AND valid_until IS NULL"
    members = f"SELECT person_id, relation FROM population_household_member WHERE household_id = %s AND {in_force}"
    assert dict(ask(SOURCE, members, family.household)) == {family.mother: "02", baby: "32"}
    assert dict(ask(DESTINATION, members, home)) == {head: "02", family.father: "97"}
    # every act that wrote a row is known where the row is, and each side tells its own log
    unknown = "SELECT count(*) FROM population_{} WHERE change_id NOT IN (SELECT id FROM population_change)"
    assert all(ask(DESTINATION, unknown.format(table)) == [(0,)] for table in OWNED)
    entries = "SELECT count(*) FROM audit_entry WHERE name = %s AND outcome = 'done'"
    assert ask(SOURCE, entries, "population.record_arrival") == [(2,)]
    assert ask(DESTINATION, entries, "population.receive_person") == [(1,)]
    told = "SELECT count(*) FROM events_outbox WHERE name = 'population.person_moved'"
    assert (ask(SOURCE, told), ask(DESTINATION, told)) == ([(0,)], [(1,)])


def test_a_family_moves_to_one_new_household_and_one_of_them_comes_back() -> None:
    family = couple()
    baby = birth(family, record="B430299000002").person_id
    first = request(family.mother)
    given = {"together_with_move_id": first, "applicant_person_id": family.mother}
    follow = until_departure(request(baby, **given))
    until_departure(first)
    arrive(first)
    arrive(follow)
    assert live_in(family.mother) == live_in(baby) == [DESTINATION]
    members = "SELECT person_id, relation FROM population_household_member WHERE household_id = %s"
    ((home,),) = ask(DESTINATION, "SELECT household_id FROM population_household")
    there = dict(ask(DESTINATION, f"{members} AND superseded_at IS NULL", home))
    assert there == {family.mother: "02", baby: "32"}
    with place.at(DESTINATION):  # the source still keeps what she left, which makes room for her return
        back = request(family.mother, household_id=family.household, division_code="430202001001")
        arrive(until_departure(back, new_head_person_id=baby))
    assert live_in(family.mother) == [SOURCE]
    assert ask(SOURCE, "SELECT version FROM population_person WHERE person_id = %s", family.mother) == [(4,)]


def test_what_left_is_cleared_once_the_directory_speaks_of_the_other_centre() -> None:
    family = couple()
    baby = birth(family, record="B430299000003").person_id
    mover = request(family.mother)
    arrive(until_departure(mover))
    arrive(until_departure(request(baby, together_with_move_id=mover, applicant_person_id=family.mother)))
    asked = []

    def directed(person_id: UUID, centre: str, version: int) -> bool:
        asked.append((person_id, centre, version))
        return person_id == baby

    tasks.keep(now=NOW)
    assert ask(SOURCE, "SELECT count(*) FROM population_person WHERE status = 'moved'") == [(2,)]
    ports.centres.is_directed = directed
    assert tasks.keep(now=NOW, at_start=True) == 1
    assert (baby, "4301", 2) in asked
    assert rows_of(SOURCE, baby) == {table: [] for table in OWNED}
    assert ask(SOURCE, "SELECT person_id FROM population_person WHERE status = 'moved'") == [(family.mother,)]
    assert ask(SOURCE, "SELECT count(*) FROM population_birth_registration") == [(1,)]
    with pytest.raises(Exception, match="history is kept"):
        ask(SOURCE, "DELETE FROM population_residence WHERE person_id = %s RETURNING 1", family.mother)


def test_who_stands_at_the_destination_already_is_not_registered_twice() -> None:
    mover, move = a_move()
    with place.at(DESTINATION):
        person("曾伯安", sex="1", born_on=date(1962, 2, 2), household=household_there())
    ((number,),) = ask(SOURCE, "SELECT number FROM population_identity_number WHERE person_id = %s", mover)
    with connections[DESTINATION].cursor() as cursor:
        cursor.execute("ALTER TABLE population_identity_number DISABLE TRIGGER ALL")
        cursor.execute("UPDATE population_identity_number SET number = %s", [number])
    with pytest.raises(ArrivalConflict):
        arrive(move)
    assert live_in(mover) == [SOURCE]
    with place.at(SOURCE):
        assert resolver.resolve(destinations=CENTRES) == resolver.Resolved()


# --- faults ---------------------------------------------------------------------------------------------------------------

POINTS = (
    "source.begun", "source.decided", "source.packed", "destination.begun", "destination.unpacked",
    "destination.settled", "destination.prepared", "source.left", "source.committed", "destination.committed",
)  # fmt: skip
DECIDED = POINTS[-2:]


IN_DOUBT = "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"


class Crash(BaseException):
    """The process ends here: nobody catches it."""


def crash_at(monkeypatch: pytest.MonkeyPatch, point: str, deed: Any) -> None:
    seen = []

    def reached(name: str) -> None:
        if name == point and not seen:
            seen.append(name)
            deed()

    monkeypatch.setattr(transfer, "reached", reached)


def drop_connections() -> None:
    """What the servers see of a process that ended: its connections are gone."""
    for alias in CENTRES:
        raw = connections[alias].connection
        if raw is not None:
            raw.close()
        connections[alias].in_atomic_block = False
        connections[alias].savepoint_ids = []
        connections[alias].needs_rollback = False
        connections[alias].run_on_commit = []
        connections[alias].close()


def test_a_process_that_ends_anywhere_leaves_the_person_in_one_centre(monkeypatch: pytest.MonkeyPatch) -> None:
    for point in POINTS:
        mover, move = a_move()

        def end() -> None:
            for alias in CENTRES:
                raw = connections[alias].connection
                if raw is not None:
                    raw.close()
            raise Crash

        crash_at(monkeypatch, point, end)
        with pytest.raises((Crash, psycopg.Error, OperationalError)):
            arrive(move)
        drop_connections()
        assert len(live_in(mover)) <= 1, point
        resolver.resolve(destinations=CENTRES)
        assert live_in(mover) == [DESTINATION if point in DECIDED else SOURCE], point
        assert ask(DESTINATION, IN_DOUBT) == [(0,)], point
        if point in DECIDED:
            with pytest.raises(StepNotOpen):
                arrive(move)
        else:
            arrive(move)
        assert live_in(mover) == [DESTINATION], point


@pytest.mark.parametrize("alias", CENTRES)
def test_a_connection_that_breaks_anywhere_gives_a_clear_outcome(monkeypatch: pytest.MonkeyPatch, alias: str) -> None:
    for point in POINTS:
        mover, move = a_move()
        crash_at(monkeypatch, point, lambda: _terminate(connections[alias].connection))
        effect = new_id()
        try:
            outcome = arrive(move, effect_id=effect)
        except CentreUnreachable:
            assert live_in(mover) == [SOURCE], point
            outcome = arrive(move, effect_id=effect)
        for one in CENTRES:  # as at the end of a request: a connection that broke is made anew
            connections[one].close()
        resolver.resolve(destinations=CENTRES)
        assert outcome.state == "in"
        assert live_in(mover) == [DESTINATION], point
        assert arrive(move, effect_id=effect) == outcome


def _terminate(raw: Any) -> None:
    """The server ends a session of ours, as in a restart."""
    if raw is None or raw.closed:
        return
    pid = raw.info.backend_pid
    with connections["population"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_late_source_cannot_commit_what_was_fenced_off(monkeypatch: pytest.MonkeyPatch) -> None:
    mover, move = a_move()
    seen: list[Any] = []

    def fence() -> None:
        # while the source is at work the resolver waits for it, and leaves it alone
        seen.append(resolver.resolve(destinations=CENTRES))

    crash_at(monkeypatch, "destination.prepared", fence)
    assert arrive(move).state == "in"
    assert seen == [resolver.Resolved(unknown=1)]
    assert live_in(mover) == [DESTINATION]
    gid = f"{transfer.PREFIX}{new_id()}-4302-ab"
    assert resolver.settle(gid, destination=DESTINATION) is resolver.Outcome.ROLLED_BACK
    assert ask(SOURCE, "SELECT verdict FROM population_transfer_decision WHERE gid = %s", gid) == [("abort",)]


def test_two_transfers_of_one_person_at_once_end_with_one_arrival() -> None:
    mover, move = a_move()
    outcomes: list[object] = []

    def go() -> None:
        try:
            with place.at(SOURCE):
                outcomes.append(arrive(move))
        except (StepNotOpen, HouseholdBusy) as refusal:
            outcomes.append(refusal.code)
        finally:
            for alias in (*CENTRES, "population", "default"):
                connections[alias].close()

    both = [threading.Thread(target=go) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(type(one).__name__ for one in outcomes) == ["MoveRecorded", "str"]
    assert live_in(mover) == [DESTINATION]


def test_a_household_that_is_locked_at_the_destination_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    home = household_there()
    mover, move = a_move(household_id=home)
    monkeypatch.setattr(transfer, "LOCK_TIMEOUT", "50ms")
    params = connections[DESTINATION].get_connection_params()
    wanted = {name: params[name] for name in ("host", "port", "dbname", "user", "password")}
    with psycopg.connect(**wanted) as other:
        other.execute("SELECT 1 FROM population_household WHERE household_id = %s FOR UPDATE", [home])
        with pytest.raises(HouseholdBusy):
            arrive(move)
    arrive(move)
    assert live_in(mover) == [DESTINATION]


def test_a_centre_that_is_away_is_told_and_nothing_is_changed() -> None:
    mover, move = a_move()
    connections[DESTINATION].close()
    away = connections[DESTINATION].settings_dict
    port, away["PORT"] = away["PORT"], "1"
    try:
        with pytest.raises(CentreUnreachable):
            arrive(move)
        with pytest.raises(CentreUnreachable):
            moves.request_move(
                person_id=person("曾仲安", sex="1", born_on=date(1963, 2, 2), household=household()),
                household_id=new_id(),
                division_code=CHANGSHA,
                reason="home",
                applicant_person_id=mover,
                **ACT,
            )
        assert tasks.keep(now=NOW) == 0
    finally:
        connections[DESTINATION].close()
        away["PORT"] = port
    assert live_in(mover) == [SOURCE]
    arrive(move)
    assert live_in(mover) == [DESTINATION]
