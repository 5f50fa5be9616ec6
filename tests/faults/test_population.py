"""Centres and their province as clusters of their own, killed and cut at random while people are born, marry, move and die.

Afterwards nobody is lost and nobody is there twice: each living person is in one centre and in the directory, the province is
the union of its centres, what was acknowledged is there, and every history replays to the present. Somebody at the province asks
for people all the while, and never finds none or two. The moments are drawn from a seed; what they hit is the machine's chance.
"""

from __future__ import annotations

import json
import os
import time
from uuid import UUID

import pytest

from furong.registries.population.centres.values import TABLES
from furong.registries.population.ledger import FACTS
from tests.faults.centres import PROVINCE, Province, Trouble, journals

pytestmark = [pytest.mark.faults]
SEED = int(os.environ.get("FURONG_FAULTS_SEED", "20261123"))
ALL = ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "31")

# The order of rows does not matter, nor does where they lie.
CHECKSUM = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM public.{} t {}"
# A timeline without gap or overlap whose version of today says what the present state says.
UNTOLD = f"""
WITH line AS (
  SELECT person_id, valid_from, valid_until, facts, lag(valid_until) OVER w AS before, lead(valid_from) OVER w AS after
    FROM population_person_version WHERE superseded_at IS NULL WINDOW w AS (PARTITION BY person_id ORDER BY valid_from)
)
SELECT p.person_id FROM population_person p
 WHERE EXISTS (SELECT 1 FROM line l WHERE l.person_id = p.person_id AND l.valid_until IS DISTINCT FROM l.after)
    OR NOT EXISTS (SELECT 1 FROM line l WHERE l.person_id = p.person_id
        AND l.valid_from <= %s::date AND (l.valid_until IS NULL OR %s::date < l.valid_until)
        AND {" AND ".join(f"to_jsonb(p)->'{name}' = l.facts->'{name}'" for name in FACTS if name != "born_at")})
"""
# At each moment at which something was recorded, what was believed then was a timeline too.
NEVER_WHOLE = """
SELECT DISTINCT k.person_id FROM (SELECT DISTINCT person_id, recorded_at AS at FROM population_person_version) k
 CROSS JOIN LATERAL (
   SELECT v.valid_until, lead(v.valid_from) OVER (ORDER BY v.valid_from) AS after FROM population_person_version v
    WHERE v.person_id = k.person_id AND v.recorded_at <= k.at AND (v.superseded_at IS NULL OR v.superseded_at > k.at)
 ) believed WHERE believed.valid_until IS DISTINCT FROM believed.after
"""
IN_FORCE = "superseded_at IS NULL AND valid_until IS NULL"
# A registered person stands in the household that the present state names, at an address and with a number; nobody else does.
MISPLACED = f"""
SELECT p.person_id FROM population_person p
  LEFT JOIN population_household_member m ON m.person_id = p.person_id AND m.{IN_FORCE.replace(" AND ", " AND m.")}
  LEFT JOIN population_residence r ON r.person_id = p.person_id AND r.kind = 'permanent'
        AND r.{IN_FORCE.replace(" AND ", " AND r.")}
  LEFT JOIN population_identity_number n ON n.person_id = p.person_id AND n.{IN_FORCE.replace(" AND ", " AND n.")}
  LEFT JOIN population_household h ON h.household_id = m.household_id
 WHERE CASE WHEN p.status = 'registered'
       THEN m.household_id IS DISTINCT FROM p.household_id OR m.id IS NULL OR r.id IS NULL OR n.id IS NULL
            OR h.household_id IS NULL OR h.closed_on IS NOT NULL OR h.division_code <> p.division_code
       ELSE m.id IS NOT NULL OR r.id IS NOT NULL OR p.household_id IS NOT NULL END
"""
HEADLESS = f"""
SELECT household_id FROM population_household_member WHERE {IN_FORCE}
 GROUP BY household_id HAVING count(*) FILTER (WHERE relation = '02') <> 1
"""
ONE_SIDED = """
SELECT r.person_id, r.kind, r.other_person_id FROM provincial.population_relation r
 WHERE r.superseded_at IS NULL AND r.valid_until IS NULL AND NOT EXISTS (
   SELECT 1 FROM provincial.population_relation b WHERE b.person_id = r.other_person_id AND b.other_person_id = r.person_id
      AND b.superseded_at IS NULL AND b.valid_until IS NULL
      AND CASE r.kind WHEN 'spouse' THEN b.kind = 'spouse' WHEN 'child' THEN b.kind IN ('mother', 'father')
          ELSE b.kind = 'child' END)
"""


def verify(province: Province) -> dict[str, int]:
    """Look past the platform's code at what every cluster holds. Gives how many there are of what."""
    today = str(province.rows(PROVINCE, "SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0])
    held: dict[UUID, str] = {}
    effects: set[UUID] = set()
    steps: set[UUID] = set()
    for code in province.codes:
        for person, _status in province.rows(code, "SELECT person_id, status FROM population_person"):
            assert person not in held, f"{person} is in {held[person]} and in {code}"
            held[person] = code
        effects |= {key for (key,) in province.rows(code, "SELECT effect_id FROM population_change")}
        steps |= {key for (key,) in province.rows(code, "SELECT effect_id FROM population_move_step")}
        assert province.rows(code, UNTOLD, today, today) == [], code
        assert province.rows(code, NEVER_WHOLE) == [], code
        assert province.rows(code, MISPLACED) == [], code
        assert province.rows(code, HEADLESS) == [], code
        for table in TABLES:
            here = province.rows(code, CHECKSUM.format(table.name, ""))
            there = province.rows(PROVINCE, CHECKSUM.format(table.name, "WHERE centre = %s"), code)
            assert here == there, f"{table.name} of {code}"
    directory = dict(province.rows(PROVINCE, "SELECT person_id, centre FROM population_directory"))
    assert directory == held
    numbers = province.rows(
        PROVINCE, f"SELECT number, type, person_id FROM provincial.population_identity_number WHERE {IN_FORCE}"
    )
    directed = province.rows(PROVINCE, "SELECT number, type, person_id FROM population_number_directory")
    assert sorted(numbers) == sorted(directed)
    assert province.rows(PROVINCE, ONE_SIDED) == []
    assert province.rows(PROVINCE, "SELECT kind, person_id FROM population_conflict WHERE settled_at IS NULL") == []
    # What was acknowledged is there.
    told = journals(province.home)
    for one in told:
        assert UUID(one["ack"]) in {"change": effects, "step": steps}[one["kind"]], one
    return {"people": len(held), "acknowledged": len(told)}


def is_behind(province: Province) -> list[str]:
    """Name the centres of which the province has not confirmed everything."""
    behind = []
    for code in province.codes:
        found = province.rows(
            code,
            "SELECT active AND confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots",
            province.rows(code, "SELECT pg_current_wal_flush_lsn()")[0][0],
        )
        if found != [(True,)]:
            behind.append(code)
    return behind


def storm(
    *,
    codes: tuple[str, ...],
    people: int,
    processes: int,
    threads: int,
    events: int,
    every: tuple[float, float],
    times: int,
    most: int,
    is_short: bool = False,
) -> None:
    """The whole test, at a size: ``events`` acknowledged, each kind of trouble ``times`` times at least, ``most`` at most."""
    province = Province(codes, in_memory=is_short)
    began = time.monotonic()
    try:
        province.start(people=people)
        clock = {"start": time.monotonic() - began}
        of = processes * threads
        for number in range(processes):
            province.child(f"worker-{number}", "act", *map(str, (number, threads, -(-events // of), SEED, of)))
        province.child("keeper", "keep")
        province.child("reader", "read")
        workers = [f"worker-{number}" for number in range(processes)]
        trouble = Trouble(province, every=every, most=most, seed=SEED, workers=workers)
        # An event a second, on a machine that does other work: a storm that stands still ends, a slow one may go on.
        deadline = time.monotonic() + max(150.0, events)
        while not all(map(province.is_done, workers)):
            trouble.look()
            province.tend()
            assert time.monotonic() < deadline, {one: province.log(one) for one in workers}
            time.sleep(0.02)
        clock["storm"] = time.monotonic() - began
        province.until(lambda: province.cut, "links are mended", seconds=60)
        province.dismiss("keeper")
        ended = json.loads(province.run("drain"))
        assert ended == {"left": 0, "failed": []}
        province.until(lambda: is_behind(province), "the province is abreast", seconds=120)
        clock["quiet"] = time.monotonic() - began
        province.dismiss("reader")
        read = json.loads((province.home / "read.json").read_text())
        wrong = (province.home / "wrong.jsonl").read_text()
        assert wrong == ""
        assert read["asked"] > 50
        found = verify(province)
        assert found["acknowledged"] >= events
        print(  # noqa: T201 - the figures of the run, for whoever runs it with -s
            json.dumps(
                {**found, "trouble": trouble.made, "read": read, "until": {k: round(v) for k, v in clock.items()}}
            ),
            *(province.log(one) for one in workers),
        )
        assert min(trouble.made.values()) >= times, trouble.made
    finally:
        province.stop()


@pytest.mark.timeout(300)
def test_nobody_is_lost_or_there_twice_whatever_is_killed_or_cut() -> None:
    """A short storm over three centres for every run; `make soak` has the whole one."""
    events = int(os.environ.get("FURONG_FAULTS_EVENTS", "60"))
    storm(
        codes=("4301", "4302", "4303"),
        people=12,
        processes=1,
        threads=4,
        events=events,
        every=(0.3, 1.2),
        times=1,
        most=1,
        is_short=True,
    )


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_fourteen_centres_survive_a_hundred_thousand_events() -> None:
    storm(
        codes=tuple(f"43{one}" for one in ALL),
        people=120,
        processes=3,
        threads=4,
        events=int(os.environ.get("FURONG_SOAK_EVENTS", "100000")),
        every=(2, 8),
        times=20,
        most=100_000,
    )
