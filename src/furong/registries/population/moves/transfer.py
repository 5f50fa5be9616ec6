"""Private: carrying a person from one centre's database to another's, as a two-phase commit with a last resource.

The destination writes everything and prepares; the source's transaction, which marks the person as moved and holds the decision,
commits: that is the moment. Then the destination's prepared transaction is committed. Who crashes in between leaves a prepared
transaction, whose fate the decision row of the source tells (`resolver`). The source's rows stay locked from before the copy
until the decision, so nothing is left behind; its decision row is written first, so that whoever would fence the attempt off
waits for its end.

Nothing here asks for rights or keeps the audit; `commands` does.
"""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

import psycopg
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connections, transaction

from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import first_row

from ..errors import HouseholdNotFound
from ..kinship import HEAD
from ..models import Change, Dated, Pair, Person
from ..values import PersonStatus
from .errors import ArrivalConflict, CentreUnreachable, HouseholdBusy, TransferNestedError
from .models import TransferDecision

log = logging.getLogger("furong.population")

R = TypeVar("R")
PREFIX = "furong-move-"
# Whoever waits longer for a row of the other centre gives up: two transfers that cross would wait for each other for ever.
LOCK_TIMEOUT = "3s"
# A client that went silent in the middle must not hold the person's row: the server ends its transaction.
IDLE_TIMEOUT = "30s"


def _columns(model: type[Any]) -> tuple[str, ...]:
    # the tables have a column more, whose default says which centre they are in: it is never carried
    return tuple(one.column for one in model._meta.concrete_fields)


# What belongs to a person and goes with them: every dated fact about one person. A new such table goes along by being one.
OWNED: tuple[type[Dated], ...] = tuple(
    model for model in Dated.__subclasses__() if any(one.name == "person" for one in model._meta.concrete_fields)
)


def _table(model: type[Any]) -> str:
    return str(model._meta.db_table)


@functools.cache
def pack_statement() -> str:
    """Return the statement that gives all that belongs to a person, with the acts that wrote it, in JSON."""
    parts = []
    carried: tuple[type[Any], ...] = (Person, *OWNED, Pair)
    for model in carried:
        columns = ", ".join(f"t.{name}" for name in _columns(model))
        parts.append(
            f"'{_table(model)}', (SELECT coalesce(json_agg(x), '[]') FROM (SELECT {columns} FROM {_table(model)} t "
            "WHERE t.person_id = %(person)s) x)"
        )
    written = " UNION ".join(f"SELECT change_id FROM {_table(model)} WHERE person_id = %(person)s" for model in OWNED)
    columns = ", ".join(f"t.{name}" for name in _columns(Change))
    parts.append(
        f"'{_table(Change)}', (SELECT coalesce(json_agg(x), '[]') FROM (SELECT {columns} FROM {_table(Change)} t "
        f"WHERE t.id IN ({written} UNION SELECT %(change)s)) x)"
    )
    return f"SELECT json_build_object({', '.join(parts)})::text"


@functools.cache
def unpack_statement() -> str:
    """Return the statement that writes what `pack_statement` gave, the person as living here."""
    here = {
        "version": "t.version + 1",
        "household_id": "%(household)s::uuid",
        "division_code": "%(division)s",
        "recorded_at": "%(now)s",
        "moved_to": "''",
    }
    steps = []
    carried: tuple[type[Any], ...] = (Change, Person, *OWNED, Pair)
    for model in carried:
        table, columns = _table(model), _columns(model)
        values = (here.get(name, f"t.{name}") if model is Person else f"t.{name}" for name in columns)
        # an act that concerned others too may be known here from one of them
        again = " ON CONFLICT DO NOTHING" if model is Change else ""
        steps.append(
            f"{table}_in AS (INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            f"FROM given, json_populate_recordset(NULL::{table}, rows->'{table}') t{again})"
        )
    return f"WITH given AS MATERIALIZED (SELECT %(luggage)s::json AS rows), {', '.join(steps)} SELECT 1"


@functools.cache
def clear_statements() -> tuple[str, ...]:
    """Return the statements that delete all rows of some people, those that point at others first."""
    carried: tuple[type[Any], ...] = (*OWNED, Pair, Person)
    return tuple(f"DELETE FROM {_table(model)} WHERE person_id = ANY(%s::uuid[])" for model in carried)


_LOCK = """
SELECT version, status, (SELECT count(*) FROM (SELECT 1 FROM population_relation WHERE person_id = %s AND superseded_at IS NULL
  FOR UPDATE) held), set_config('idle_in_transaction_session_timeout', %s, true)
FROM population_person WHERE person_id = %s FOR UPDATE
"""
# Writes the decision: a second transfer of the same move waits here for the first, and is refused once that is committed. And
# ends a person's place in the household and at its address as the ledger does: what was believed is superseded, and what held
# until now is written with its end; what began later never held.
_DECIDE_AND_END = """
WITH decided AS (
  INSERT INTO population_transfer_decision (gid, move_id, verdict, decided_at) VALUES (%(gid)s, %(move)s, 'commit', %(now)s)
), member AS (
  UPDATE population_household_member SET superseded_at = %(now)s
  WHERE person_id = %(person)s AND superseded_at IS NULL AND valid_until IS NULL
  RETURNING household_id, person_id, relation, valid_from
), member_end AS (
  INSERT INTO population_household_member
    (id, household_id, person_id, relation, valid_from, valid_until, recorded_at, change_id)
  SELECT %(member_id)s, household_id, person_id, relation, valid_from, %(day)s, %(now)s, %(change)s FROM member
  WHERE valid_from < %(day)s
), home AS (
  UPDATE population_residence SET superseded_at = %(now)s
  WHERE person_id = %(person)s AND kind = 'permanent' AND superseded_at IS NULL AND valid_until IS NULL
  RETURNING person_id, kind, division_code, address, reason, valid_from
), home_end AS (
  INSERT INTO population_residence
    (id, person_id, kind, division_code, address, reason, valid_from, valid_until, recorded_at, change_id)
  SELECT %(home_id)s, person_id, kind, division_code, address, reason, valid_from, %(day)s, %(now)s, %(change)s FROM home
  WHERE valid_from < %(day)s
)
SELECT m.household_id, m.relation, (SELECT count(*) FROM population_household_member o WHERE o.household_id = m.household_id
  AND o.person_id <> m.person_id AND o.superseded_at IS NULL AND o.valid_until IS NULL) FROM member m
"""
_LEAVE_BEHIND = """
UPDATE population_person SET status = 'moved', moved_to = %s, household_id = NULL, recorded_at = %s WHERE person_id = %s
"""
_LOOK = """
SELECT h.division_code, h.address,
  (SELECT m.person_id FROM population_household_member m WHERE m.household_id = h.household_id AND m.relation = '02'
   AND m.superseded_at IS NULL AND m.valid_until IS NULL),
  (SELECT p.version FROM population_person p WHERE p.person_id = %s),
  (SELECT p.status FROM population_person p WHERE p.person_id = %s),
  set_config('lock_timeout', %s, true), set_config('idle_in_transaction_session_timeout', %s, true)
FROM population_household h WHERE h.household_id = %s AND h.closed_on IS NULL FOR NO KEY UPDATE
"""
_SETTLE = """
WITH member AS (
  INSERT INTO population_household_member (id, household_id, person_id, relation, valid_from, recorded_at, change_id)
  VALUES (%(member_id)s, %(household)s, %(person)s, %(relation)s, %(day)s, %(now)s, %(change)s)
)
INSERT INTO population_residence (id, person_id, kind, division_code, address, reason, valid_from, recorded_at, change_id)
VALUES (%(home_id)s, %(person)s, 'permanent', %(division)s, %(address)s, 'move', %(day)s, %(now)s, %(change)s) RETURNING id
"""
_PREPARED_FOR_MOVE = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE %s"


def reached(point: str) -> None:
    """Do nothing: tests of faults put in its place what raises, or cuts a connection, at ``point``."""


@dataclass(slots=True, kw_only=True)
class Transfer:
    """One attempt to carry a person. ``relation`` says what they are to the head of the household there, who is its argument."""

    move_id: UUID
    person_id: UUID
    change_id: UUID
    source: str  # alias
    destination: str  # alias
    from_division: str
    to_division: str
    household_id: UUID
    day: date
    now: datetime
    relation: Callable[[UUID], str] = lambda head_id: "97"
    prepare: Callable[[], None] | None = None  # more for the destination to write, in its transaction
    result: Any = None
    attempt: str = field(default_factory=lambda: secrets.token_hex(6))

    @property
    def gid(self) -> str:
        """The name of the prepared transaction: it says where the decision is to be found."""
        return f"{PREFIX}{self.move_id}-{self.from_division[:4]}-{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a person left: the household, what they were in it, and how many stay."""

    household_id: UUID
    relation: str
    others: int


_flying: ContextVar[list[Transfer] | None] = ContextVar("furong_population_transfers", default=None)


def let_go(transfer: Transfer) -> Left | None:
    """Lock the person at the source, write the decision, and end their place there; it tells what they left.

    The first half of `carry`: who must name a new head of the household left does so between the two. Raises
    `TransferNestedError`, `HouseholdBusy`.
    """
    source = connections[transfer.source]
    if not source.in_atomic_block or source.savepoint_ids or connections[transfer.destination].in_atomic_block:
        raise TransferNestedError("A transfer commits by itself.")
    reached("source.begun")
    found = first_row(_LOCK, [transfer.person_id, IDLE_TIMEOUT, transfer.person_id], database=transfer.source)
    if found is None or found[1] != PersonStatus.REGISTERED:
        raise HouseholdBusy  # another transfer was faster
    given = {
        "gid": transfer.gid,
        "move": transfer.move_id,
        "person": transfer.person_id,
        "now": transfer.now,
        "day": transfer.day,
        "change": transfer.change_id,
        "member_id": new_id(),
        "home_id": new_id(),
    }
    try:
        left = first_row(_DECIDE_AND_END, given, database=transfer.source)
    except IntegrityError as conflict:
        raise HouseholdBusy from conflict
    reached("source.decided")
    return None if left is None else Left(household_id=left[0], relation=left[1], others=left[2])


def carry(transfer: Transfer) -> None:
    """Prepare the person at the destination and leave the last facts at the source.

    The transaction open at the source decides: when it commits, the destination's is committed after it; when it does not,
    `finishing` or the resolver rolls the destination's back. Raises `HouseholdNotFound`, `HouseholdBusy`, `ArrivalConflict`,
    `CentreUnreachable`.
    """
    asked = {"person": transfer.person_id, "change": transfer.change_id}
    row = first_row(pack_statement(), asked, database=transfer.source)
    assert row is not None  # noqa: S101 - an aggregate gives a row
    reached("source.packed")
    flying = _flying.get()
    if flying is not None:
        flying.append(transfer)
    with _across():
        _receive(transfer, row[0])
    reached("destination.prepared")
    first_row(_LEAVE_BEHIND, [transfer.to_division, transfer.now, transfer.person_id], database=transfer.source)
    reached("source.left")
    transaction.on_commit(lambda: _finish(transfer), using=transfer.source)


def _receive(transfer: Transfer, luggage: str) -> None:
    """Write a person at the destination, and prepare."""
    there, key = transfer.destination, transfer.person_id
    with transaction.atomic(using=there):
        if transfer.prepare is not None:
            transfer.prepare()
        row = first_row(_LOOK, [key, key, LOCK_TIMEOUT, IDLE_TIMEOUT, transfer.household_id], database=there)
        if row is None:
            raise HouseholdNotFound
        division, address, head, version, status = row[:5]
        reached("destination.begun")
        if version is not None:
            _make_room(transfer, status)
        given = {"luggage": luggage, "household": transfer.household_id, "division": division, "now": transfer.now}
        first_row(unpack_statement(), given, database=there)
        reached("destination.unpacked")
        first_row(
            _SETTLE,
            {
                "member_id": new_id(),
                "home_id": new_id(),
                "household": transfer.household_id,
                "person": key,
                "relation": HEAD if head is None else transfer.relation(head),
                "division": division,
                "address": address,
                "day": transfer.day,
                "now": transfer.now,
                "change": transfer.change_id,
            },
            database=there,
        )
        reached("destination.settled")
        # From here on the transaction is the server's, not this connection's; leaving the block finds nothing to commit.
        _tell(there, "PREPARE TRANSACTION '{}'", transfer.gid)


def _make_room(transfer: Transfer, status: str) -> None:
    """Take away what the destination still keeps of somebody who left it before and now comes back."""
    if status != PersonStatus.MOVED:
        raise ArrivalConflict
    with connections[transfer.destination].cursor() as cursor:
        cursor.execute("SELECT set_config('furong.purge', 'on', true)")
        for statement in clear_statements():
            cursor.execute(statement, [[transfer.person_id]])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _finish(transfer: Transfer) -> None:
    """Commit what was prepared. The decision is made: what fails here is made good by the resolver."""
    try:
        reached("source.committed")
        _tell(transfer.destination, "COMMIT PREPARED '{}'", transfer.gid)
        reached("destination.committed")
    except (DatabaseError, psycopg.Error) as error:
        log.warning("transfer left to the resolver", extra={"gid": transfer.gid, "error": type(error).__name__})
        connections[transfer.destination].close()


def _tell(alias: str, statement: str, gid: str) -> None:
    if not set(gid) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
        raise ValueError("no name of a prepared transaction")
    first_row(statement.format(gid), [], database=alias)


@contextmanager
def _settling_conflicts() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise ArrivalConflict from error


@contextmanager
def _across() -> Iterator[None]:
    """Say what a failure of the destination means to who stands at the counter."""
    try:
        with _settling_conflicts():
            yield
    except (OperationalError, InterfaceError) as error:
        if isinstance(error.__cause__, (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)):
            raise HouseholdBusy from error
        raise CentreUnreachable from error


@contextmanager
def watched() -> Iterator[list[Transfer]]:
    """Gather the transfers that are begun inside, so that none stays undecided when the block fails."""
    flying: list[Transfer] = []
    token = _flying.set(flying)
    try:
        yield flying
    finally:
        _flying.reset(token)


def clear_stale(transfer: Transfer) -> None:
    """Roll back what former attempts at this move left prepared at the destination.

    Only under the lock of the move's row at the source: every attempt holds it until it is decided, and a committed one ends the
    move. Raises `CentreUnreachable`.
    """
    with _across(), connections[transfer.destination].cursor() as cursor:
        cursor.execute(_PREPARED_FOR_MOVE, [f"{PREFIX}{transfer.move_id}-%"])
        for (gid,) in cast("list[tuple[str]]", cursor.fetchall()):
            _tell(transfer.destination, "ROLLBACK PREPARED '{}'", gid)


__all__ = ["OWNED", "Left", "Transfer", "TransferDecision", "carry", "clear_stale", "let_go", "reached", "watched"]
