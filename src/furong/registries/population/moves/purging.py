"""Clears from a register the rows of people whom another centre keeps, once the province's directory speaks of that one."""

from __future__ import annotations

from datetime import datetime

from django.db import connections

from furong.foundation.access.values import Actor
from furong.foundation.audit import commands as audit
from furong.foundation.audit.commands import current

from ..models import Person
from ..place import here
from ..values import PersonStatus
from . import ports
from .transfer import clear_statements
from .values import CITY_DIGITS

_BATCH = 500
# A number is given out once for ever, also by a centre that cannot ask who carries it now.
_KEEP_NUMBERS = """
INSERT INTO population_number_gone (number)
SELECT DISTINCT number FROM population_identity_number WHERE person_id = ANY(%s::uuid[]) ON CONFLICT DO NOTHING
"""


@audit.command("population.purge_moved", database=here)
def purge_moved(*, actor: Actor, now: datetime) -> int:
    """Delete the rows of people who moved to another centre and whom the directory finds there; it tells how
    many people.

    For the timer, in each register; at most 500 at a time, the longest gone first. The acts that wrote the rows stay, and so do
    the move, its steps and the decision. Where the directory does not answer nothing is deleted.
    """
    rows = (
        Person.objects.select_for_update(skip_locked=True)
        .filter(status=PersonStatus.MOVED)
        .order_by("recorded_at")[:_BATCH]
    )
    there = [
        row.person_id
        for row in rows
        if ports.centres.is_directed(row.person_id, row.moved_to[:CITY_DIGITS], row.version + 1)
    ]
    if there:
        with connections[here()].cursor() as cursor:
            cursor.execute("SELECT set_config('furong.purge', 'on', true)")
            cursor.execute(_KEEP_NUMBERS, [there])
            for statement in clear_statements():
                cursor.execute(statement, [there])
            cursor.execute("SELECT set_config('furong.purge', 'off', true)")
    current().detail(people=len(there))
    return len(there)


def has_moved() -> bool:
    """Tell whether the register keeps rows of anybody who moved away."""
    return Person.objects.filter(status=PersonStatus.MOVED).exists()
