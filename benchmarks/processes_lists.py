"""What a work list asks of the database over a million open cases."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from benchmarks.processes_ground import NOW
from benchmarks.processes_load import ORGANIZATIONS


def work_lists(count: int, asked: int) -> dict[str, list[float]]:
    """Time what a work list asks for: a first page, a page further down, a city's page, the counts for the lights."""
    from furong.domains.processes import queries
    from furong.domains.processes.values import Light, TaskFilters
    from furong.foundation.access.values import Scope

    chance = random.Random(7)
    found: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = call()
        found.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        return result

    def organization() -> UUID:
        return UUID(hashlib.md5(f"o{chance.randrange(ORGANIZATIONS)}".encode(), usedforsecurity=False).hexdigest())

    for turn in range(asked + 5):
        office = Scope(organization_ids=frozenset({organization()}))
        city_code = f"43{1 + chance.randrange(14):02}"
        county = Scope(division_prefixes=(f"{city_code}{1 + chance.randrange(9):02}",))
        city = Scope(division_prefixes=(city_code,))
        province = Scope(everything=True)
        narrow = TaskFilters(item_code="item-7", light=Light.YELLOW)
        page = timed("a department's first page", partial(queries.work_list, scope=office, now=NOW))
        if count >= 100_000 and not page.tasks:
            raise RuntimeError("the work list is empty")
        timed("its next page", partial(queries.work_list, scope=office, now=NOW, after=page.following))
        timed("its counts for the lights", partial(queries.count_tasks, scope=office, now=NOW))
        timed("a county's page", partial(queries.work_list, scope=county, now=NOW))
        timed("a city's page", partial(queries.work_list, scope=city, now=NOW))
        timed("a city's page, one item, yellow", partial(queries.work_list, scope=city, now=NOW, filters=narrow))
        timed("a city's counts for the lights", partial(queries.count_tasks, scope=city, now=NOW))
        mixed = Scope(organization_ids=frozenset({organization(), organization()}), division_prefixes=("430204",))
        timed("two departments' and a county's page", partial(queries.work_list, scope=mixed, now=NOW))
        timed("the province's page", partial(queries.work_list, scope=province, now=NOW))
        if turn < 5:
            found.clear()
    return found
