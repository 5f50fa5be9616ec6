"""What the clock does: bytes without a record are thrown away; every record's bytes are read and compared, round after round."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import all_rows
from furong.foundation.storage import commands as storage
from furong.foundation.storage import queries as stored
from furong.foundation.storage.errors import FileDamagedError, FileMissingError

from .commands import LOCK, damaged_ids
from .models import Damaged, Portrait, SweepState
from .values import Damage

DATABASE = "default"
INTENTS_LAST = timedelta(hours=1)  # longer than any command runs
ROUND_EVERY = timedelta(days=30)
_SYSTEM = Actor.system("portraits")
_AT_ONCE = 8

_OLD = """
SELECT digest FROM portraits_intent GROUP BY digest HAVING max(noted_at) < %s ORDER BY min(id) LIMIT %s
"""
_STILL_OLD = "SELECT 1 FROM portraits_intent WHERE digest = %s HAVING max(noted_at) < %s"


def throw_away_leavings(*, now: datetime, after: timedelta = INTENTS_LAST, limit: int = 500) -> int:
    """Throw away bytes that a killed process put away without a record, and return how many.

    Each digest is locked as a writer locks it, so that nobody puts away the same bytes meanwhile.
    """
    thrown = 0
    for (digest,) in all_rows(_OLD, [now - after, limit]):
        with transaction.atomic():
            all_rows(LOCK, [[digest]])
            if not all_rows(_STILL_OLD, [digest, now - after]):
                continue
            storage.discard_unfinished(digest)
            if stored.find_file(digest) is None and stored.exists(digest):
                storage.discard(digest)
                thrown += 1
            all_rows("DELETE FROM portraits_intent WHERE digest = %s RETURNING 1", [digest])
    return thrown


def sweep(*, now: datetime, most: int = 2000) -> int:
    """Read and compare the bytes of the next ``most`` records, and return how many it looked at.

    A record whose bytes are gone or changed becomes a task, once. A store that does not answer ends the sweep, which goes on
    from here: an outage is no loss. Some 2,000 a second from a local disk.
    """
    with transaction.atomic():
        state = SweepState.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if state is None:
            if SweepState.objects.filter(pk=1).exists():
                return 0  # another worker sweeps
            state = SweepState.objects.create(pk=1)
        if state.round_started_at is None:
            if state.last_round_ended_at is not None and now - state.last_round_ended_at < ROUND_EVERY:
                return 0
            state.round_started_at, state.looked_at, state.after = now, 0, None
        wanted = Portrait.objects.exclude(state="refused").order_by("id").only("id", "person_id", "digest")
        found = list((wanted.filter(pk__gt=state.after) if state.after else wanted)[:most])
        with ThreadPoolExecutor(_AT_ONCE, "portraits") as pool:
            damages = list(pool.map(_damage, [one.digest for one in found]))
        known = damaged_ids(one.pk for one, damage in zip(found, damages, strict=True) if damage is not None)
        for one, damage in zip(found, damages, strict=True):
            if damage is not None and one.pk not in known:
                report_damage(portrait_id=one.pk, person_id=one.person_id, damage=damage, actor=_SYSTEM, now=now)
        state.looked_at += len(found)
        state.after = found[-1].pk if found else state.after
        if len(found) < most:
            state.last_round_ended_at, state.last_round_looked_at = now, state.looked_at
            state.round_started_at = state.after = None
        state.save()
    return len(found)


def _damage(digest: str) -> Damage | None:
    try:
        stored.get(digest)
    except FileMissingError:
        return Damage.GONE
    except FileDamagedError:
        return Damage.CHANGED
    return None


@command("portraits.report_damage", database=DATABASE)
def report_damage(*, portrait_id: UUID, person_id: UUID, damage: Damage, actor: Actor, now: datetime) -> None:
    """Make a task of a record whose bytes are gone or changed."""
    Damaged.objects.create(id=new_id(), portrait_id=portrait_id, damage=damage.value, found_at=now)
    current().object("portrait", portrait_id)
    current().subject(person_id, fields=("portrait",))
    current().detail(damage=damage.value)


def tend(*, now: datetime) -> None:
    """Do a minute's share of both. For the worker's loop."""
    throw_away_leavings(now=now)
    sweep(now=now)
