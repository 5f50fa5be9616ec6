"""Names: whether one is free, which trades there are, and which are kept for somebody."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.sharing import decide_sharing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read, record_read

from ..ledger import local_date, rules_on
from ..models import Name
from ..names import Industry, NameVerdict
from ..naming import judge, names_of_places, parts_of
from ..rights import READ
from ..terms import RESOURCE, told
from ..values import EntityKind, Reservation


def check_name(
    *,
    kind: EntityKind,
    trade_name: str,
    industry: str = "",
    industry_words: str = "",
    form: str = "",
    area: str = "city",
    division_code: str,
    now: datetime,
) -> NameVerdict:
    """Tell whether a name could be registered now, and what stands against it (Order 734, art. 16).

    Anybody may ask; it keeps nothing. Arguments as of `commands.reserve_name`. Raises `FactsIncomplete` for a place, trade or
    kind that is none. 3 ms.
    """
    today = local_date(now)
    rules = rules_on(today)
    parts, area_code = parts_of(
        kind=kind,
        trade_name=trade_name,
        industry=industry,
        industry_words=industry_words,
        form=form,
        area=area,
        division_code=division_code,
        rules=rules,
    )
    return judge(parts, area=area_code, on=today, rules=rules, places=names_of_places(division_code))


def industries(*, now: datetime) -> tuple[Industry, ...]:
    """Return the trades that names tell, by the rules in force."""
    return rules_on(local_date(now)).industries


@read("legal_entities.list_reservations", database="default")
def list_reservations(*, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> tuple[Reservation, ...]:
    """Return the names that are kept for a person, newest first. Raises as ``require_person``."""
    if not basis.is_stated:
        raise PurposeMissing
    access.require_person(actor=actor, basis=basis, person_ids=[person_id], right=READ)
    rows = Name.objects.filter(
        kept_for=person_id, entity__isnull=True, ended_on__isnull=True, kept_until__gt=local_date(now)
    ).order_by("-since")
    found = tuple(Reservation(id=row.id, name=row.name, until=row.kept_until) for row in rows if row.kept_until)
    if found:  # a look without a hit discloses nothing
        decision = decide_sharing(actor=actor, resource=RESOURCE, fields=("name", "roles"), basis=basis, now=now)
        record_read(
            actor=actor,
            basis=basis,
            what="legal_entities.list_reservations",
            subjects=[person_id],
            fields=("reserved_name",),
            database="default",
            now=now,
            detail=told(decision),
        )
    return found
