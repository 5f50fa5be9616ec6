"""The sealer gathers committed entries into the Merkle log and signs its head.

Nothing is passed over. An entry carries the number of its transaction; each round looks at every visible entry from
the oldest transaction that was still running in the last round, and takes those without a leaf. What was in flight
then is found now, and a transaction that stays open for hours holds nobody else's entries up. Sealers in several
processes take turns by an advisory lock; one that is killed leaves either a whole round or nothing.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings

from furong.foundation.audit.recording import own_connection
from furong.foundation.audit.values import ENTRY_COLUMNS, Frontier, Head, entry_digest, head_bytes, leaf_hash
from furong.foundation.codes.ids import new_id
from furong.foundation.signing import queries as signing

logger = logging.getLogger("furong.audit")

LOCK = 0x4655524F4E470001  # "FURONG" and a number
BATCH = 10_000
NODE_LEVELS = 8  # roots of subtrees of 2^8, 2^16, … leaves are kept
PURPOSE = "audit"

HEAD_COLUMNS = "size, root, peaks, at, key_id, algorithm, signature, settled_xid"


@dataclass(frozen=True, slots=True)
class _State:
    log_id: UUID
    frontier: Frontier
    at: datetime | None
    settled_xid: int


def seal_once(database: str = "default", *, now: datetime | None = None, limit: int = BATCH) -> int:
    """Seal the entries of ``database`` that are committed and not sealed, up to ``limit``, under one new head; give how many.

    Gives 0 when there is nothing to seal, or when another sealer is at it. About 0.1 ms an entry.
    """
    with own_connection(database) as connection:
        return _seal(connection, database, now=now, limit=limit)


def run(database: str, stop: threading.Event, *, interval_seconds: float = 1.0) -> None:
    """Seal every second until ``stop`` is set. Raises when the database goes away; `jobs.loops` starts it again."""
    with own_connection(database) as connection:
        while not stop.is_set():
            if _seal(connection, database, now=None, limit=BATCH) < BATCH:
                stop.wait(interval_seconds)


def run_many(databases: Sequence[str], stop: threading.Event, *, interval_seconds: float = 1.0) -> None:
    """Seal many quiet databases in turn in one thread, every second, until ``stop`` is set. One that is away is left for ten."""
    away: dict[str, float] = {}
    with ExitStack() as all_held:
        held: dict[str, Any] = {}
        while not stop.is_set():
            for database in databases:
                if time.monotonic() < away.get(database, 0.0) or stop.is_set():
                    continue
                try:
                    if database not in held:
                        held[database] = all_held.enter_context(own_connection(database))
                    while _seal(held[database], database, now=None, limit=BATCH) == BATCH:
                        pass
                except psycopg.OperationalError as error:
                    logger.warning("sealing waits", extra={"database": database, "error": type(error).__name__})
                    held.pop(database, None)
                    away[database] = time.monotonic() + 10.0
            stop.wait(interval_seconds)


def _seal(connection: psycopg.Connection[Any], database: str, *, now: datetime | None, limit: int) -> int:
    with connection.transaction():
        if not connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK]).fetchone()[0]:  # type: ignore[index]
            return 0
        state = _state(connection)
        found = connection.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() AS s"
        ).fetchone()
        assert found is not None  # noqa: S101 - a SELECT without FROM of a table has a row
        oldest_running, next_xid = found
        # A database restored into another cluster: its entries carry numbers from the old one, so look at everything once.
        restored = state.settled_xid > next_xid
        entries = _unsealed(connection, state.settled_xid, restored=restored, limit=limit)
        if not entries:
            return 0
        if len(entries) < limit:
            settled = oldest_running
        else:
            settled = state.settled_xid if restored else min(oldest_running, entries[-1][-1])
        head = _append(connection, state, entries, settled=settled, now=now or datetime.now(UTC))
    _witness(connection, database, head)
    return len(entries)


def _state(connection: psycopg.Connection[Any]) -> _State:
    connection.execute(
        "INSERT INTO audit_log (log_id, created_at) VALUES (%s, now()) ON CONFLICT DO NOTHING", [new_id()]
    )
    log = connection.execute("SELECT log_id FROM audit_log").fetchone()
    assert log is not None  # noqa: S101 - written above if it was not there
    row = connection.execute(f"SELECT {HEAD_COLUMNS} FROM audit_head ORDER BY size DESC LIMIT 1").fetchone()
    if row is None:
        return _State(log[0], Frontier(), None, 0)
    return _State(log[0], Frontier(row[0], [bytes(peak) for peak in row[2]]), row[3], row[7])


def _unsealed(
    connection: psycopg.Connection[Any], settled: int, *, restored: bool, limit: int
) -> list[tuple[Any, ...]]:
    condition = (
        "TRUE" if restored else "e.xid >= %(settled)s AND e.xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    )
    return connection.execute(
        f"""
        SELECT {", ".join(f"e.{column}" for column in ENTRY_COLUMNS)}, e.xid FROM audit_entry e
        WHERE {condition} AND NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.entry_id = e.id)
        ORDER BY e.xid, e.seq LIMIT %(limit)s
        """,
        {"settled": settled, "limit": limit},
    ).fetchall()


def columns_of(row: Sequence[Any]) -> dict[str, object]:
    """Give the columns of an entry as its digest takes them, from a row in the order of `ENTRY_COLUMNS`."""
    columns = dict(zip(ENTRY_COLUMNS, row, strict=True))
    columns["detail_digest"] = bytes(columns["detail_digest"]).hex()
    return columns


def _append(
    connection: psycopg.Connection[Any],
    state: _State,
    entries: Sequence[tuple[Any, ...]],
    *,
    settled: int,
    now: datetime,
) -> Head:
    frontier = state.frontier
    nodes: list[tuple[int, int, bytes]] = []

    def completed(level: int, index: int, value: bytes) -> None:
        if level % NODE_LEVELS == 0:
            nodes.append((level, index, value))

    with connection.cursor() as cursor:
        with cursor.copy("COPY audit_leaf (index, entry_id, hash) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "uuid", "bytea"])
            for row in entries:
                leaf = leaf_hash(entry_digest(columns_of(row[:-1])))
                copy.write_row((frontier.append(leaf, completed=completed), row[0], leaf))
        if nodes:
            cursor.executemany("INSERT INTO audit_node (level, index, hash) VALUES (%s, %s, %s)", nodes)
    at = max(now, state.at) if state.at is not None else now
    root = frontier.root()
    signature = signing.sign(head_bytes(log_id=state.log_id, size=frontier.size, root=root, at=at), purpose=PURPOSE)
    head = Head(
        log_id=state.log_id,
        size=frontier.size,
        root=root,
        at=at,
        key_id=signature.key_id,
        algorithm=signature.algorithm,
        signature=signature.value,
    )
    connection.execute(
        f"INSERT INTO audit_head ({HEAD_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [head.size, root, frontier.peaks, at, head.key_id, head.algorithm, head.signature, settled],
    )
    return head


# --- the witness: the last head, kept outside the database ---------------------------------------------------


def witness_folder() -> Path:
    """Give the folder where this machine keeps the last head of each database's log."""
    return Path(settings.HOME) / "audit"


def witness_name(connection: psycopg.Connection[Any], database: str) -> str:
    """Give the name of a database's witness: its alias, its cluster and its number there, so that a new database has
    a new one.
    """
    row = connection.execute(
        """
        SELECT s.system_identifier, d.oid FROM pg_control_system() AS s, pg_database d
        WHERE d.datname = current_database()
        """
    ).fetchone()
    assert row is not None  # noqa: S101 - the current database is there
    return f"{database}-{row[0]}-{row[1]}"


def witnessed_heads(connection: psycopg.Connection[Any], database: str) -> list[Head]:
    """Give the heads that this machine has seen of the log: the last one, and any that the log later contradicted."""
    name = witness_name(connection, database)
    return [
        Head.from_json(json.loads(path.read_text()))
        for path in sorted(witness_folder().glob(f"{name}.*"))
        if path.suffix in {".head", ".lost"}
    ]


def _witness(connection: psycopg.Connection[Any], database: str, head: Head) -> None:
    """Keep the new head; if the log contradicts the one kept so far, keep that too, and say so loudly."""
    place = witness_folder() / f"{witness_name(connection, database)}.head"
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if place.exists():
        kept = Head.from_json(json.loads(place.read_text()))
        if kept.log_id == head.log_id and kept.size >= head.size and kept.at >= head.at:
            if kept.size > head.size and _root_at(connection, kept.size) == kept.root:
                return  # another sealer was quicker
            if kept.size == head.size and kept.root == head.root:
                return
        if kept.log_id != head.log_id or _root_at(connection, kept.size) != kept.root:
            logger.critical(
                "the audit log contradicts a head seen before: it was rolled back or replaced",
                extra={"database": database, "log": str(kept.log_id), "size": kept.size},
            )
            os.replace(place, place.with_suffix(f".{kept.size}-{kept.root.hex()[:8]}.lost"))
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".new-")
    with os.fdopen(handle, "w") as out:
        json.dump(head.as_json(), out)
    os.replace(name, place)


def _root_at(connection: psycopg.Connection[Any], size: int) -> bytes | None:
    row = connection.execute("SELECT root FROM audit_head WHERE size = %s", [size]).fetchone()
    return None if row is None else bytes(row[0])
