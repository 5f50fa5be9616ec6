"""`kill -9` of the web server, the worker and PostgreSQL at random moments, while newborns are applied for under load.

What a mother was told she has handed in must finish exactly once: one child in the register, one set of certificates, nothing
left over, and an audit log that verifies. The moments are drawn from a seed; which request they hit is the machine's chance.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.filling import child_of
from tests.faults.house import House
from tests.faults.people import OFFICERS, Acknowledged, Office, apply, consent

pytestmark = [pytest.mark.faults]
SEED = int(os.environ.get("FURONG_FAULTS_SEED", "20261122"))
VICTIMS = ("web", "web-worker", "worker", "postgres")


class Killer:
    """Kills each victim ``times`` times, at random moments, from ``every[0]`` to ``every[1]`` seconds after the last."""

    def __init__(self, house: House, every: tuple[float, float], times: int, seed: int) -> None:
        self.house, self.every, self.times, self.dice = house, every, times, random.Random(seed)
        self.killed: dict[str, int] = dict.fromkeys(VICTIMS, 0)
        self.next_at = time.monotonic() + self.dice.uniform(*every)

    def look(self) -> None:
        """Kill when the moment has come; every victim has had its turn before one comes again."""
        if time.monotonic() < self.next_at:
            return
        fewest = min(self.killed.values())
        if fewest >= self.times:
            return
        victim = self.dice.choice([v for v, times in self.killed.items() if times == fewest])
        if self.house.kill(victim):
            self.killed[victim] += 1
            self.next_at = time.monotonic() + self.dice.uniform(*self.every)


def run(house: House, *, couples: int, killer: Killer, at_once: int, seconds: float) -> list[Acknowledged]:
    """Have every couple apply and every officer work while the killer is about; give what was acknowledged."""
    office = Office(house.address, house.rows)
    repeated = 0
    officers = [
        threading.Thread(target=office.work, args=(name,), name=f"officer-{name}")
        for name in sorted(set(OFFICERS.values()))
    ]
    began = time.monotonic()
    with (
        ThreadPoolExecutor(at_once, "mother") as mothers,
        ThreadPoolExecutor(max(2, at_once // 2), "father") as fathers,
    ):
        for thread in officers:
            thread.start()
        applying = {mothers.submit(apply, house.address, n): n for n in range(couples)}
        asked: dict[Future[tuple[Acknowledged, int]], Future[int]] = {}
        try:
            while not office.troubles:
                killer.look()
                house.tend()
                for future, number in applying.items():
                    if future.done() and future not in asked:
                        future.result()  # raises when the mother could not hand in
                        asked[future] = fathers.submit(consent, house.address, number, asked_within_seconds=seconds)
                for one in asked.values():
                    if one.done():
                        one.result()  # raises when the father could not consent: the run would wait in vain
                if len(asked) == couples and all(f.done() for f in asked.values()) and _is_over(house):
                    break
                assert time.monotonic() - began < seconds, f"not over after {seconds:.0f} s: {_left(house)}"
                time.sleep(0.05)
        finally:
            office.home_time.set()
            mothers.shutdown(wait=False, cancel_futures=True)
            fathers.shutdown(wait=False, cancel_futures=True)
            for thread in officers:
                while thread.is_alive():
                    house.tend()
                    thread.join(0.2)
        assert not office.troubles, office.troubles
        repeated += sum(f.result()[1] for f in applying) + sum(f.result() for f in asked.values())
    print(  # noqa: T201 - the figures of the run, for whoever runs it with -s
        json.dumps(
            {
                "applications": couples,
                "kills": killer.killed,
                "requests_sent_again": repeated + office.repeated,
                "steps_taken": office.taken,
                "seconds": round(time.monotonic() - began, 1),
            }
        )
    )
    return [future.result()[0] for future in applying]


def _is_over(house: House) -> bool:
    try:
        return not _left(house)
    except Exception as exc:
        if "psycopg" in type(exc).__module__:
            return False  # the server is being started again
        raise


def _left(house: House) -> dict[str, int]:
    """What still has to happen, by kind."""
    found = {
        "cases": house.count("SELECT count(*) FROM cases_case WHERE state NOT IN ('completed', 'abnormal_end')"),
        "documents": house.count("SELECT count(*) FROM cases_document WHERE served_at IS NULL"),
        "processes": house.count(
            "SELECT count(*) FROM processes_instance WHERE business_key IN (SELECT id::text FROM cases_case)"
        ),
        "jobs": house.count("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"),
        "events": house.count("SELECT count(*) FROM events_outbox WHERE dispatched_at IS NULL"),
        "people's events": house.count(
            "SELECT count(*) FROM events_outbox WHERE dispatched_at IS NULL", database="furong_population"
        ),
    }
    return {name: count for name, count in found.items() if count}


def verify(house: House, acknowledged: list[Acknowledged]) -> None:
    """Every acknowledged application finished exactly once, and nothing is left over anywhere."""
    assert len({a.application_id for a in acknowledged}) == len(acknowledged)
    applications = dict(house.rows("SELECT id, draft_id FROM cases_application"))
    assert applications == {a.application_id: a.draft_id for a in acknowledged}
    for one in acknowledged:
        cases = dict(
            house.rows("SELECT item_code, state FROM cases_case WHERE application_id = %s", [one.application_id])
        )
        assert cases == dict.fromkeys(one.items, "completed")
    # One certificate for each case, each in somebody's folder.
    issued = house.rows(
        "SELECT c.id, count(l.id), count(l.revoked_at) FROM cases_case c LEFT JOIN licences_licence l ON l.case_id = c.id "
        "GROUP BY c.id"
    )
    assert {(count, revoked) for _, count, revoked in issued} == {(1, 0)}
    assert house.count("SELECT count(*) FROM licences_licence") == sum(len(a.items) for a in acknowledged)
    # One child for each application, in one household, with one number.
    for one in acknowledged:
        children = house.rows(
            "SELECT p.person_id, (SELECT count(*) FROM population_identity_number n WHERE n.person_id = p.person_id), "
            "(SELECT count(*) FROM population_household_member m WHERE m.person_id = p.person_id AND m.valid_until IS NULL) "
            "FROM population_person p JOIN population_birth_registration b ON b.child_id = p.person_id WHERE p.name = %s",
            [child_of(one.couple)],
            database="furong_population",
        )
        assert len(children) == 1, f"{one}: {len(children)} children"
        assert children[0][1:] == (1, 1)
    births = house.count("SELECT count(*) FROM population_birth_registration", database="furong_population")
    assert births == len(acknowledged)
    # Letters: each made, sealed and served, none twice.
    twice = "SELECT case_id, kind, count(*) FROM cases_document GROUP BY 1, 2 HAVING count(*) > 1"
    assert house.rows(twice) == []
    # Nothing failed for good, nothing waits.
    assert house.rows("SELECT task_name, attempts FROM procrastinate_jobs WHERE status = 'failed'") == []
    assert house.rows("SELECT id, element_id, reason, detail FROM processes_job") == []
    for database in ("furong", "furong_population"):
        assert house.rows("SELECT handler, attempts, last_error FROM events_failed", database=database) == []
    # The logs hold: every entry sealed, every head signed.
    house.until(
        lambda: (
            "not sealed yet" in (told := house.run("-m", "furong.entrypoints.cli", "audit", "verify"))
            and told.count(" 0 not sealed yet") == 2
        ),
        "everything is sealed",
        seconds=60,
    )
    told = house.run("-m", "furong.entrypoints.cli", "audit", "verify")
    assert told.count(": sound;") == 2, told


def storm(*, couples: int, every: tuple[float, float], times: int, at_once: int, seconds: float) -> None:
    """The whole test, at a size."""
    house = House()
    try:
        house.start(couples=max(couples, 16))  # the house that other tests copy too
        killer = Killer(house, every, times, SEED)
        acknowledged = run(house, couples=couples, killer=killer, at_once=at_once, seconds=seconds)
        assert killer.killed == dict.fromkeys(VICTIMS, times), killer.killed
        verify(house, acknowledged)
        noise = Path(house.home / "web.log").read_text() + Path(house.home / "worker.log").read_text()
        assert child_of(1) not in noise, "a name is in a log"
    finally:
        house.stop()


@pytest.mark.timeout(600)
def test_every_acknowledged_application_finishes_once_whatever_is_killed() -> None:
    """A small storm for every run; `make soak` has the whole one."""
    couples = int(os.environ.get("FURONG_FAULTS_APPLICATIONS", "5"))
    storm(couples=couples, every=(1.5, 4), times=1, at_once=6, seconds=540)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_newborns_survive_the_storm() -> None:
    storm(couples=200, every=(5, 15), times=12, at_once=12, seconds=3300)
