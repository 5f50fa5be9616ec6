"""Erasing: the key of a partition is destroyed, and the erasure itself goes on record. The log verifies before and after.

``bodies`` are contents of questions and answers, ``details`` what a record's digest covers (signature, digests, and with them
the bodies), ``files`` those of a service in batch mode, ``events`` those of a service in subscribe mode. The gateway may run
meanwhile: it notices within a second, and writes what was erased into its log; one that does not run writes it when it starts.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from furong_link.archive import write_synced
from furong_link.batch_store import Store
from furong_link.bodies import FOLDER, Bodies, end_of
from furong_link.errors import ConfigurationError
from furong_link.evidence import EvidenceLog
from furong_link.keys import SUITES
from furong_link.sealing import PartitionKeys, sync_folder

logger = logging.getLogger("furong_link")
KINDS = ("bodies", "details", "files", "events")
_BY_SERVICE = ("files", "events")


def erase(
    folder: Path, *, what: str, partition: str, reason: str, now: float, service: str = "", algorithm: str = "ed25519"
) -> int:
    """Destroy a partition's key (a day or a month in UTC, as the kind is kept) and leave a note for the log.

    Gives how many keys and files are gone. Raises ConfigurationError when there is nothing to erase, when a reason is missing, or
    when details of a day are asked for that is not over.
    """
    if what not in KINDS or bool(service) != (what in _BY_SERVICE) or "/" in service or service.startswith("."):
        raise ConfigurationError("Erase bodies or details, or files or events of a service.")
    if not reason.strip():
        raise ConfigurationError("Say why, in a few words: it goes on record.")
    try:
        over = end_of(partition)
    except ValueError as error:
        raise ConfigurationError("A partition is a day (2026-11-23) or a month (2026-11).") from error
    gone = 0
    if what == "details":
        if over.timestamp() > now:
            raise ConfigurationError("The details of a day are erased when it is over: the gateway still writes them.")
        gone = _unlink(folder / "evidence" / "details", partition)
    elif what == "files":
        place = folder / "batch" / service
        if place.exists():
            store = Store(place, algorithm=SUITES[algorithm].digest)
            try:
                gone = int(store.keys.has(partition)) + store.erase(partition)
            finally:
                store.close()
    else:
        place = folder / "evidence" / FOLDER if what == "bodies" else folder / "events" / service / "keys"
        gone = int(place.exists() and PartitionKeys(place).erase(partition))
    if not gone:
        raise ConfigurationError(f"There is nothing of {partition} to erase.")
    note = {
        "kind": "erased",
        "what": what,
        "partition": partition,
        "service": service,
        "reason": reason.strip()[:200],
        "count": gone,
        "asked_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
    }
    notes = folder / "evidence" / "erasures"
    notes.mkdir(mode=0o700, exist_ok=True)
    write_synced(notes / f"{int(now)}-{secrets.token_hex(4)}.json", json.dumps(note, ensure_ascii=False))
    sync_folder(notes)
    return gone


def _unlink(folder: Path, partition: str) -> int:
    found = [path for path in (folder / f"{partition}.key", folder / f"{partition}.sm4") if path.exists()]
    for path in found:
        path.unlink()
    if found:
        sync_folder(folder)
    return len(found)


def pending(folder: Path) -> list[tuple[Path, Mapping[str, Any]]]:
    """Give the erasures that are not on record yet, the earliest first."""
    notes = folder / "evidence" / "erasures"
    return [(path, json.loads(path.read_text())) for path in sorted(notes.glob("*.json"))] if notes.exists() else []


def recorded(path: Path) -> None:
    """Take note that an erasure is on record now. A crash before this records it twice, which harms nothing."""
    path.rename(path.with_suffix(".recorded"))


async def tend(folder: Path, bodies: Bodies, log: EvidenceLog, *, now: float) -> None:
    """Destroy the keys of contents that were kept long enough, and record what was erased, by whomever. For the gateway.

    Raises EvidenceError when it cannot be recorded.
    """
    try:
        for partition in bodies.due(now):
            erase(folder, what="bodies", partition=partition, reason="kept long enough", now=now)
        for path, note in pending(folder):
            await log.append(note)
            recorded(path)
    except (OSError, ValueError, ConfigurationError):
        logger.exception("What is due to be erased was not.")
