"""How often one account may ask each query of the register (个人信息保护法, art. 51: no more than the duty needs).

An operator sets other numbers by ``POPULATION_PACES``: the query's name, times a minute, times a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.conf import settings

from furong.foundation.access.pace import Pace, keep_pace
from furong.foundation.access.values import Actor

# One person at a time, within a case: a page shows several people. Whatever is not named here goes at this pace.
USUAL = (600, 20_000)
PACES: Mapping[str, tuple[int, int]] = {
    "population.person_exists": (120, 5_000),
    "population.find_by_number": (120, 5_000),
    "population.get_by_number": (120, 5_000),
    "population.search_people": (60, 2_000),
    "population.list_at_address": (30, 1_000),
    "population.request_match": (4, 20),
}


def keep(*, actor: Actor, what: str, now: datetime) -> None:
    """Count that ``actor`` asks ``what``. Raises ``TooManyAsked`` when that was too often; see `keep_pace`."""
    if not actor.is_system:
        set_here: Mapping[str, tuple[int, int]] = getattr(settings, "POPULATION_PACES", {})
        keep_pace(actor=actor, what=what, pace=_pace(*(set_here.get(what) or PACES.get(what, USUAL))), now=now)


@lru_cache(maxsize=64)
def _pace(per_minute: int, per_day: int) -> Pace:
    return Pace(per_minute=per_minute, per_day=per_day)
