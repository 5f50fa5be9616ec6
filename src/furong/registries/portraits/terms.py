"""The catalogue's terms over portraits. No resource publishes them, so that nobody but the register's own department sees one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from furong.foundation.access import queries as access
from furong.foundation.access.sharing import decide_sharing
from furong.foundation.access.values import Actor, Basis

from .models import Portrait
from .rights import VIEW

RESOURCE, ITEM = "population_persons", "portrait"


def allow(portraits: Iterable[Portrait], *, actor: Actor, basis: Basis, now: datetime) -> None:
    """Let staff with the right over each person's division see these portraits, and a person their own.

    Raises ``PurposeMissing``, ``AccessRefused``, ``AssuranceTooLow``, ``SharingRefused``.
    """
    found = list(portraits)
    for division in sorted({one.division_code for one in found}):
        people = [one.person_id for one in found if one.division_code == division]
        access.require_person(actor=actor, basis=basis, person_ids=people, right=VIEW, division_code=division)
    decide_sharing(
        actor=actor,
        resource=RESOURCE,
        fields=(ITEM,),
        basis=basis,
        now=now,
        divisions={one.division_code for one in found},
        subjects=len({one.person_id for one in found}),
    )
