"""How far each centre is, as the province sees it: for an operator's page, for ``furong population status``, and for readers who
must know how old an answer is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import connections
from django.utils import timezone

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.leases import Leased
from furong.foundation.codes.statements import all_rows, first_row
from furong.foundation.events.connections import connect
from furong.foundation.notices import commands as notices
from furong.foundation.notices.templates import register_template
from furong.foundation.organizations import queries as organizations

from .. import rights
from ..errors import NothingToChange
from ..place import PROVINCE
from . import pairs
from .directory import centres, is_divided, statements
from .values import Centre, CentreStatus, Conflict

log = logging.getLogger("furong.population")

# A live link is heard of within its keep-alive; past this a reader is told how old the answer is.
STALE = timedelta(seconds=60)
BEHIND_BYTES = 1024 * 1024
# Two links may bring two rows in either order; what still stands after this is a conflict.
SETTLES = timedelta(seconds=30)
CONFLICT = "population.conflict_found"
register_template(
    CONFLICT,
    title={"zh": "两市登记不一致，待核对", "en": "Two centres contradict each other"},
    body={
        "zh": "{found_on} 发现两市登记不能同时成立，请在“市级中心”页面核对并记录处理结果。",
        "en": "On {found_on} two centres were found to say what cannot both be true. Compare them on the page City centres.",
    },
)
_stale: Leased[dict[str, datetime]] = Leased(seconds=2.0)


def list_centres(*, actor: Actor, now: datetime) -> tuple[CentreStatus, ...]:
    """Return how far each centre is. A centre that does not answer in two seconds is told as such.

    Raises ``AccessRefused``. One statement at each centre, three at the province.
    """
    access.require(actor=actor, right=rights.CENTRES)
    with connect(PROVINCE) as province:
        text = statements("province")
        links = {row[0].removeprefix("furong_"): row for row in province.execute(text["subscriptions"], []).fetchall()}
        seen = dict(province.execute(text["seen"], []).fetchall())
        people = dict(province.execute(text["counted"], []).fetchall())
    return tuple(_status(one, links.get(one.code), seen.get(one.code), people.get(one.code), now) for one in centres())


def _status(
    centre: Centre, link: Sequence[Any] | None, seen: datetime | None, people: int | None, now: datetime
) -> CentreStatus:
    slot = _slot(centre)
    behind, kept, wal = (slot[4], slot[3], slot[2] or "") if slot else (None, None, "")
    errors = int(link[4]) + int(link[5]) if link else 0
    heard = max((at for at in (seen, link[3] if link else None) if at is not None), default=None)
    if link is None:
        state = "apart"
    elif not link[1] or wal in {"lost", "unreserved"}:
        state = "failing"
    elif slot is None or heard is None or now - heard > STALE:
        state = "silent"
    elif not link[2]:
        state = "failing"
    elif (behind or 0) > BEHIND_BYTES or not link[6]:
        state = "catching_up"
    else:
        state = "live"
    return CentreStatus(
        code=centre.code,
        state=state,
        seen_at=heard,
        behind_bytes=behind,
        kept_bytes=kept,
        wal_status=wal,
        apply_errors=errors,
        people=people or 0,
    )


def _slot(centre: Centre) -> tuple[Any, ...] | None:
    try:
        with connect(centre.alias, patience_seconds=2) as there:
            return there.execute(statements("centre")["slot"], [centre.slot]).fetchone()
    except psycopg.OperationalError:
        return None


def keep(*, now: datetime) -> None:
    """Note which centres were heard of, settle what was only the order of two links, and look at pairs.

    For the worker, every few seconds. Does nothing without centres.
    """
    if not is_divided():
        return
    with connect(PROVINCE) as province:
        text = statements("province")
        for name, _enabled, runs, heard, apply_errors, sync_errors, _ready in province.execute(
            text["subscriptions"], []
        ).fetchall():
            if runs and heard is not None:
                province.execute(text["see"], [name.removeprefix("furong_"), heard, apply_errors + sync_errors])
        settled = province.execute(text["settle_passed"], {"now": now, "before": now - SETTLES}).rowcount
        if settled:
            log.info("conflicts passed", extra={"count": settled})
        new = province.execute(text["tell_conflicts"], {"now": now, "before": now - SETTLES}).fetchall()
    for conflict_id, _kind in new:
        _ask_somebody(conflict_id, now=now)
    pairs.keep(now=now)


def _ask_somebody(conflict_id: int, *, now: datetime) -> None:
    """Tell those who watch the centres that a conflict waits for a person; they find it on the centres' page."""
    for account_id in {one for _, one in organizations.accounts_with_rights(rights=[rights.CENTRES])}:
        notices.send(
            template=CONFLICT,
            params={"found_on": timezone.localdate(now).isoformat()},
            account_id=account_id,
            key=f"population.conflict:{conflict_id}:{account_id}",
            now=now,
        )


def list_stale(*, now: datetime) -> dict[str, datetime]:
    """Return the centres from which nothing was heard lately, and when the last was: how old answers are.

    Empty without centres. At most two seconds old itself.
    """
    if not is_divided():
        return {}
    seen = _stale.get("", lambda: dict(all_rows(statements("province")["seen"], [], database=PROVINCE)))
    return {code: at for code, at in sorted(seen.items()) if now - at > STALE}


def list_conflicts(*, actor: Actor, limit: int = 100) -> tuple[Conflict, ...]:
    """Return what two centres say that cannot both be true, oldest first. Raises ``AccessRefused``."""
    access.require(actor=actor, right=rights.CENTRES)
    rows = all_rows(statements("province")["conflicts"], [limit], database=PROVINCE)
    names = ("id", "kind", "person_id", "other_person_id", "centre", "other_centre", "found_at")
    return tuple(Conflict(**dict(zip(names, row, strict=True))) for row in rows)


@command("population.settle_conflict", database=PROVINCE)
def settle_conflict(*, conflict_id: int, note: str, actor: Actor, basis: Basis, now: datetime) -> None:
    """Note how a conflict was settled, by correcting one of the entries at its centre.

    Raises ``AccessRefused``, `NothingToChange` without a note or when it is settled.
    """
    access.require(actor=actor, right=rights.CENTRES)
    text = statements("province")
    found = first_row(text["conflict"], [conflict_id], database=PROVINCE)
    if found is None or not note.strip():
        raise NothingToChange("A conflict is settled once, with a note that says how.")
    with connections[PROVINCE].cursor() as cursor:
        cursor.execute(text["settle"], [now, note.strip(), conflict_id])
    entry = current()
    entry.object("population_conflict", str(conflict_id))
    people: list[UUID] = list(dict.fromkeys(found))
    for one in people:
        entry.subject(one, fields=("number",))
