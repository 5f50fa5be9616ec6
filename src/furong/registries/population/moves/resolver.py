"""Ends what a crash left in doubt between two centres: at start, by the clock, and when a transfer fails.

A transaction prepared at a destination names the centre that decides. Its decision row there says commit; where there is none,
one that says abort is written first, so that a source which comes late cannot commit any more.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString

import psycopg
from django.db import DatabaseError
from psycopg import sql

from furong.foundation.events.connections import connect

from . import ports
from .transfer import PREFIX

log = logging.getLogger("furong.population")

_IN_DOUBT = """
SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE %s
  AND prepared <= clock_timestamp() - %s * interval '1 second' ORDER BY prepared LIMIT 1000
"""
_FENCE = """
INSERT INTO population_transfer_decision (gid, move_id, verdict, decided_at) VALUES (%s, %s::uuid, 'abort', clock_timestamp())
ON CONFLICT (gid) DO NOTHING
"""
_VERDICT = "SELECT verdict FROM population_transfer_decision WHERE gid = %s"


class Outcome(StrEnum):
    """What became of a transaction in doubt."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"  # one of the two does not answer, or the transfer is still at work


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """How many transactions came to which end."""

    committed: int = 0
    rolled_back: int = 0
    unknown: int = 0


def resolve(*, destinations: Sequence[str], older_than_seconds: float = 0.0) -> Resolved:
    """End the transactions in doubt at these databases, and tell how many came to which end.

    What cannot be decided now is left for the next time. ``older_than_seconds`` leaves those alone that are still at work; it is
    no matter of safety. Costs a connection to each destination, and one to the source of each transaction found.
    """
    counts = dict.fromkeys(Outcome, 0)
    for destination in destinations:
        try:
            with connect(destination) as there:
                found = there.execute(_IN_DOUBT, [f"{PREFIX}%", older_than_seconds]).fetchall()
        except (DatabaseError, psycopg.Error) as error:
            log.warning("destination does not answer", extra={"alias": destination, "error": type(error).__name__})
            continue
        for (gid,) in found:
            counts[settle(gid, destination=destination)] += 1
    return Resolved(
        committed=counts[Outcome.COMMITTED],
        rolled_back=counts[Outcome.ROLLED_BACK],
        unknown=counts[Outcome.UNKNOWN],
    )


def settle(gid: str, *, destination: str) -> Outcome:
    """End one transaction as its source decided, fencing it off where it did not decide. Never raises."""
    try:
        move_id, source_code, _ = gid.removeprefix(PREFIX).rsplit("-", 2)
        verdict = _verdict(gid, move_id=move_id, source=ports.centres.alias_of(source_code))
        if verdict is None:
            return Outcome.UNKNOWN
        statement: LiteralString = "COMMIT PREPARED" if verdict == "commit" else "ROLLBACK PREPARED"
        # None of that name: somebody else ended it the same way, or it was never prepared.
        with connect(destination) as there, contextlib.suppress(psycopg.errors.UndefinedObject):
            there.execute(sql.SQL("{} {}").format(sql.SQL(statement), sql.Literal(gid)))
    except Exception as error:  # noqa: BLE001 - a resolver goes on to the next; what failed is told
        log.warning("transfer in doubt", extra={"gid": gid, "error": type(error).__name__})
        return Outcome.UNKNOWN
    log.info("transfer resolved", extra={"gid": gid, "verdict": verdict})
    return Outcome.COMMITTED if verdict == "commit" else Outcome.ROLLED_BACK


def _verdict(gid: str, *, move_id: str, source: str) -> str | None:
    """Ask the source for its decision, and write one where there is none; None while the source is still at it."""
    with connect(source) as there:
        there.execute("SET lock_timeout = '2s'")
        try:
            there.execute(_FENCE, [gid, move_id])
        except psycopg.errors.LockNotAvailable:
            return None
        row = there.execute(_VERDICT, [gid]).fetchone()
    return None if row is None else str(row[0])
