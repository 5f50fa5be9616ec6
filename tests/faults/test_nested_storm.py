"""Worker and PostgreSQL are killed while nested processes run: each ends as one that nothing disturbed."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from tests.faults.house import House
from tests.faults.nested import CODE

pytestmark = [pytest.mark.faults, pytest.mark.soak]

# What happens in each instance: completed or passed at once, never cancelled, never twice.
EXPECTED = Counter(
    s=1, sub=3, s1=3, pause=3, name=3, p1=3, hear=3, rest=3, e1=3, pre=3, send=3, e2=3, soon=1, e3=1, call=1, e=1
) + Counter({"call/s5": 1, "call/t5": 1, "call/e5": 1})


@pytest.mark.timeout(900)
def test_nested_processes_survive_kills_of_worker_and_database() -> None:
    instances, kills, dice = 40, 8, random.Random(20261123)
    house = House()
    try:
        house.start()
        house.run("-m", "tests.faults.nested", str(instances))
        for number in range(kills):
            until = time.monotonic() + dice.uniform(0.5, 3)
            while time.monotonic() < until:
                house.tend()
                time.sleep(0.05)
            assert house.kill("postgres" if number % 2 else "worker")
        house.until(
            lambda: house.count("SELECT count(*) FROM processes_instance WHERE code = %s", [CODE]) == 0,
            "all nested processes end",
            seconds=400,
        )
        assert house.rows(
            "SELECT ending, count(*) FROM processes_instance_ended WHERE code = %s GROUP BY 1", [CODE]
        ) == [("completed", instances)]
        for variables, instance in house.rows(
            "SELECT variables -> 'all', id FROM processes_instance_ended WHERE code = %s", [CODE]
        ):
            assert variables == [10, 20, 30]
            log = house.rows("SELECT kind, element_id FROM processes_log WHERE instance_id = %s", [instance])
            assert Counter(element for kind, element in log if kind in {2, 4}) == EXPECTED
            assert [element for kind, element in log if kind in {3, 5}] == []
        for table in ("instance", "token", "scope", "task", "timer", "subscription", "job"):
            assert house.rows(f"SELECT * FROM processes_{table}") == [], table
    finally:
        house.stop()
