"""Checking a log: the database's own, or an export, for which the file and the public key are enough."""

from __future__ import annotations

import contextlib
import gzip
import hmac
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import psycopg
from django.conf import settings

from furong.foundation.audit.errors import ExportDamagedError
from furong.foundation.audit.recording import own_connection
from furong.foundation.audit.sealer import columns_of, witnessed_heads
from furong.foundation.audit.values import (
    ENTRY_COLUMNS,
    Finding,
    Frontier,
    Head,
    Verdict,
    canonical_text,
    detail_digest,
    entry_digest,
    leaf_hash,
    subjects_digest,
)
from furong.foundation.signing import queries as signing
from furong.foundation.signing.values import PublicKey, Signature

MOST_FINDINGS = 100
ERASURE = "audit.erase_details"
FORMAT = "furong-audit-export"

KeyFinder = Callable[[str], PublicKey | None]


class Checker:
    """Takes leaves and heads in order and collects what is wrong. One pass, memory for the frontier and the erased
    details only.
    """

    def __init__(self, *, log_id: UUID | None, find_key: KeyFinder, earlier: list[Head]) -> None:
        self.log_id = log_id
        self.find_key = find_key
        self.frontier = Frontier()
        self.heads = 0
        self.last_head: Head | None = None
        self.findings: list[Finding] = []
        self.more = 0
        self.missing_details: dict[UUID, int] = {}
        self.erased: set[UUID] = set()
        self._seen_before = sorted(earlier, key=lambda head: head.size)
        self._diverged = False
        for head in earlier:
            self._check_signature(head, note="the earlier head")
            if log_id is not None and head.log_id != log_id:
                self.find("the earlier head belongs to another log", note=str(head.log_id))

    def find(self, problem: str, *, index: int | None = None, entry_id: UUID | None = None, note: str = "") -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(problem=problem, index=index, entry_id=entry_id, note=note))
        else:
            self.more += 1

    def leaf(
        self,
        index: int,
        leaf: bytes,
        columns: Mapping[str, object] | None,
        *,
        detail: tuple[bytes, str] | None = None,
        entry_id: UUID | None = None,
    ) -> dict[str, Any] | None:
        """Check one leaf against its entry and the entry's detail; give the detail's content when it is there and right."""
        if index != self.frontier.size:
            self.find("leaves are missing or out of order", index=index, note=f"{self.frontier.size} was expected")
        content: dict[str, Any] | None = None
        if columns is None:
            self.find("an entry was deleted", index=index, entry_id=entry_id)
        elif not hmac.compare_digest(leaf_hash(entry_digest(columns)), leaf):
            self.find("an entry was changed", index=index, entry_id=entry_id)
        elif detail is not None:
            content = self._detail(columns, detail, index=index, entry_id=entry_id)
        self.frontier.append(leaf)
        self._compare_earlier()
        return content

    def _detail(
        self, columns: Mapping[str, object], detail: tuple[bytes, str], *, index: int | None, entry_id: UUID | None
    ) -> dict[str, Any] | None:
        salt, text = detail
        if detail_digest(salt=salt, content=text).hex() != columns["detail_digest"]:
            self.find("the detail of an entry was changed", index=index, entry_id=entry_id)
            return None
        content: dict[str, Any] = json.loads(text)
        if columns["name"] == ERASURE and columns["outcome"] == "done":
            self.erased.update(UUID(one) for one in content.get("detail", {}).get("entries", ()))
        return content

    def head(self, head: Head) -> None:
        """Check a head against the leaves so far."""
        self.heads += 1
        self._check_signature(head)
        if self.log_id is not None and head.log_id != self.log_id:
            self.find("a head belongs to another log", index=head.size)
        if self.last_head is not None and (head.size <= self.last_head.size or head.at < self.last_head.at):
            self.find("heads are out of order", index=head.size)
        self.last_head = head
        if head.size != self.frontier.size:
            self.find(
                "a head speaks of leaves that are not there", index=head.size, note=f"{self.frontier.size} are there"
            )
        elif head.root != self.frontier.root() and not self._diverged:
            self._diverged = True  # every later head differs too; the first says where to look
            self.find("leaves were changed, inserted, deleted or reordered before this head", index=head.size)

    def _check_signature(self, head: Head, *, note: str = "") -> None:
        key = self.find_key(head.key_id)
        if key is None:
            self.find("a head is signed with a key that is not known", index=head.size, note=head.key_id)
            return
        signature = Signature(algorithm=head.algorithm, key_id=head.key_id, value=head.signature)
        if not signing.verify(head.signed_bytes(), signature, key=key):
            self.find("the signature of a head is wrong", index=head.size, note=note)

    def _compare_earlier(self) -> None:
        while self._seen_before and self._seen_before[0].size <= self.frontier.size:
            head = self._seen_before.pop(0)
            if head.size == self.frontier.size and head.root != self.frontier.root():
                self.find("the log contradicts the earlier head", index=head.size)

    def verdict(self, *, unsealed: int = 0) -> Verdict:
        """Close the check."""
        for head in self._seen_before:
            self.find(
                "the log was cut off or rolled back",
                index=head.size,
                note=f"the earlier head has {head.size} leaves, the log {self.frontier.size}",
            )
        sealed_to = self.last_head.size if self.last_head is not None else 0
        if self.frontier.size > sealed_to:
            self.find("leaves follow the last head", index=sealed_to)
        for entry_id, index in self.missing_details.items():
            if entry_id not in self.erased:
                self.find("the detail of an entry was deleted without an erasure", index=index, entry_id=entry_id)
        return Verdict(
            log_id=self.log_id,
            size=self.frontier.size,
            heads=self.heads,
            unsealed=unsealed,
            erased=len(self.missing_details.keys() & self.erased),
            findings=tuple(self.findings),
            more_findings=self.more,
            last_head=self.last_head,
        )


def _key_finder(public_key: PublicKey | str | None) -> KeyFinder:
    if public_key is None:
        return lambda key_id: signing.find_public_key(key_id=key_id)
    key = PublicKey.from_text(public_key) if isinstance(public_key, str) else public_key
    return lambda key_id: key if key.key_id == key_id else None


# --- the database --------------------------------------------------------------------------------------------

_LEAVES = f"""
SELECT l.index, l.entry_id, l.hash, d.salt, d.content,
    (SELECT json_object_agg(s.person_id, s.fields) FROM audit_subject s WHERE s.entry_id = l.entry_id) AS subjects,
    {", ".join(f"e.{column}" for column in ENTRY_COLUMNS)}
FROM audit_leaf l
LEFT JOIN audit_entry e ON e.id = l.entry_id
LEFT JOIN audit_detail d ON d.entry_id = l.entry_id
ORDER BY l.index
"""


def verify_database(
    alias: str = "default", *, public_key: PublicKey | str | None = None, earlier: Head | None = None
) -> Verdict:
    """Check the whole log of a database: entries, details, who-was-read rows, leaves, heads and signatures, in one snapshot.

    Compares with the heads that this machine has witnessed, and with ``earlier`` when given. Without ``public_key`` the
    installation's own public keys count. Cost: reads everything, about 0.1 ms an entry.
    """
    with own_connection(alias, autocommit=False) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        log = connection.execute("SELECT log_id FROM audit_log").fetchone()
        seen = witnessed_heads(connection, alias)
        checker = Checker(
            log_id=log[0] if log else None,
            find_key=_key_finder(public_key),
            earlier=[*seen, earlier] if earlier is not None else seen,
        )
        if log is None and connection.execute("SELECT 1 FROM audit_head LIMIT 1").fetchone():
            checker.find("the log's own identity was deleted")
        heads = _heads(connection)
        head = next(heads, None)
        with connection.cursor(name="furong_audit_leaves") as cursor:
            cursor.itersize = 2000
            cursor.execute(_LEAVES)
            for index, entry_id, leaf, salt, content, subjects, *columns in cursor:
                _check_row(checker, index, entry_id, bytes(leaf), columns, salt, content, subjects)
                while head is not None and head.size <= checker.frontier.size:
                    checker.head(head)
                    head = next(heads, None)
        while head is not None:
            checker.head(head)
            head = next(heads, None)
        unsealed = _check_unsealed(connection, checker)
        return checker.verdict(unsealed=unsealed)


def _check_row(
    checker: Checker,
    index: int,
    entry_id: UUID,
    leaf: bytes,
    columns: list[Any],
    salt: bytes | None,
    text: str | None,
    subjects: Mapping[str, list[str]] | None,
) -> None:
    entry = columns_of(columns) if columns[0] is not None else None
    detail = (bytes(salt), text) if salt is not None and text is not None else None
    content = checker.leaf(index, leaf, entry, detail=detail, entry_id=entry_id)
    if entry is not None and detail is None:
        checker.missing_details[entry_id] = index
    told = {person: sorted(fields) for person, fields in (subjects or {}).items()}
    many = content.get("subjects_digest") if content is not None else None
    if content is not None and (told != content.get("subjects", {}) if many is None else subjects_digest(told) != many):
        checker.find("the persons concerned by an entry were changed", index=index, entry_id=entry_id)
    elif detail is None and told:
        checker.find("an erased entry still names persons", index=index, entry_id=entry_id)


def _heads(connection: psycopg.Connection[Any]) -> Iterator[Head]:
    log = connection.execute("SELECT log_id FROM audit_log").fetchone()
    with connection.cursor(name="furong_audit_heads") as cursor:
        cursor.itersize = 2000
        cursor.execute("SELECT size, root, at, key_id, algorithm, signature FROM audit_head ORDER BY size")
        for size, root, at, key_id, algorithm, signature in cursor:
            yield Head(
                log_id=log[0] if log else UUID(int=0),
                size=size,
                root=bytes(root),
                at=at,
                key_id=key_id,
                algorithm=algorithm,
                signature=bytes(signature),
            )


def _check_unsealed(connection: psycopg.Connection[Any], checker: Checker) -> int:
    """Count what waits for the sealer; an entry that no sealer will ever look at again was put in behind its back."""
    row = connection.execute(
        "SELECT settled_xid, pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM audit_head"
        " ORDER BY size DESC LIMIT 1"
    ).fetchone()
    settled = row[0] if row and row[0] <= row[1] else 0  # a restored database numbers its transactions anew
    unsealed = 0
    for entry_id, xid in connection.execute(
        """
        SELECT e.id, e.xid FROM audit_entry e
        WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.entry_id = e.id) ORDER BY e.xid
        """
    ):
        if xid < settled:
            checker.find("an entry was inserted behind the sealer", entry_id=entry_id)
        else:
            unsealed += 1
    for table in ("audit_detail", "audit_subject"):
        for (entry_id,) in connection.execute(
            f"SELECT DISTINCT entry_id FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM audit_entry e WHERE e.id = t.entry_id)"
        ):
            checker.find("a detail belongs to no entry", entry_id=entry_id, note=table)
    return unsealed


def verify_all(*, public_key: PublicKey | str | None = None) -> dict[str, Verdict]:
    """Check the log of every database; give the verdicts by alias."""
    return {alias: verify_database(alias, public_key=public_key) for alias in settings.DATABASES}


# --- files ---------------------------------------------------------------------------------------------------


def _open(path: Path, mode: str) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, mode + "t", encoding="utf-8")  # type: ignore[return-value]
    return path.open(mode, encoding="utf-8")


def export_log(
    path: Path | str,
    *,
    alias: str = "default",
    with_details: bool = False,
    now: datetime | None = None,
) -> int:
    """Write the sealed log of a database to a file of JSON lines (compressed when it ends in ``.gz``); give the number of leaves.

    ``with_details`` adds the salted details, which are personal data: such a file is to be kept like the register itself.
    """
    place = Path(path)
    count = 0
    with own_connection(alias, autocommit=False) as connection, _open(place, "w") as out:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        log = connection.execute("SELECT log_id FROM audit_log").fetchone()
        first = {
            "format": FORMAT,
            "version": 1,
            "log": log[0] if log else None,
            "database": alias,
            "exported_at": now or datetime.now(UTC),
            "key": signing.public_key(purpose="audit").as_text(),
        }
        out.write(canonical_text(first) + "\n")
        heads = _heads(connection)
        head = next(heads, None)
        written_heads = 0
        with connection.cursor(name="furong_audit_export") as cursor:
            cursor.itersize = 2000
            cursor.execute(_LEAVES)
            for index, entry_id, leaf, salt, content, _subjects, *columns in cursor:
                line: dict[str, object] = {
                    "leaf": index,
                    "hash": bytes(leaf).hex(),
                    "id": entry_id,
                    "entry": columns_of(columns) if columns[0] is not None else None,
                }
                if with_details and salt is not None:
                    line["salt"], line["detail"] = bytes(salt).hex(), content
                out.write(canonical_text(line) + "\n")
                count += 1
                while head is not None and head.size <= count:
                    out.write(canonical_text({"head": head.as_json()}) + "\n")
                    written_heads += 1
                    head = next(heads, None)
        while head is not None:
            out.write(canonical_text({"head": head.as_json()}) + "\n")
            written_heads += 1
            head = next(heads, None)
        out.write(canonical_text({"end": {"leaves": count, "heads": written_heads}}) + "\n")
    return count


def verify_file(path: Path | str, *, public_key: PublicKey | str | None = None, earlier: Head | None = None) -> Verdict:
    """Check an export: the file and the public key are enough, no database is asked.

    ``public_key`` is ``ed25519:<hex>`` or a `PublicKey`; without it the installation's own public keys count, never
    the key that the file names. ``earlier`` is a head kept from before: a log that was rolled back or rewritten since
    does not fit it.
    Raises `ExportDamagedError` when the file is not an export or breaks off.
    """
    with contextlib.closing(_lines(Path(path))) as lines:
        first = next(lines, None)
        if first is None or first.get("format") != FORMAT or first.get("version") != 1:
            raise ExportDamagedError("This file is not an export of an audit log.")
        checker = Checker(
            log_id=UUID(first["log"]) if first.get("log") else None,
            find_key=_key_finder(public_key),
            earlier=[earlier] if earlier is not None else [],
        )
        leaves = 0
        for line in lines:
            try:
                if "leaf" in line:
                    leaves += 1
                    _check_line(checker, line)
                elif "head" in line:
                    checker.head(Head.from_json(line["head"]))
                elif "end" in line:
                    if line["end"] != {"leaves": leaves, "heads": checker.heads}:
                        checker.find("lines were added to the file or taken from it")
                    if next(lines, None) is not None:
                        raise ExportDamagedError("The file goes on after its end.")
                    return checker.verdict()
                else:
                    raise ExportDamagedError("The file holds a line of an unknown kind.")
            except (KeyError, TypeError, ValueError, AttributeError) as exc:
                raise ExportDamagedError(f"Line {leaves + checker.heads + 1} of the export cannot be read.") from exc
    raise ExportDamagedError("The file breaks off before its end.")


def _lines(path: Path) -> Generator[dict[str, Any], None, None]:
    try:
        with _open(path, "r") as file:
            for line in file:
                found = json.loads(line)
                if not isinstance(found, dict):
                    raise ExportDamagedError("The file holds a line of an unknown kind.")
                yield found
    except (ValueError, EOFError, gzip.BadGzipFile) as exc:
        raise ExportDamagedError("The file is damaged or breaks off.") from exc


def _check_line(checker: Checker, line: Mapping[str, Any]) -> None:
    columns = line["entry"]
    detail = (bytes.fromhex(line["salt"]), line["detail"]) if "detail" in line else None
    entry_id = UUID(line["id"])
    if columns is not None and columns["id"] != line["id"]:
        checker.find("an entry was exchanged for another", index=line["leaf"], entry_id=entry_id)
    checker.leaf(line["leaf"], bytes.fromhex(line["hash"]), columns, detail=detail, entry_id=entry_id)


def read_head(path: Path | str) -> Head:
    """Read a head that was kept from before, as JSON. Raises `ExportDamagedError`."""
    try:
        return Head.from_json(json.loads(Path(path).read_text()))
    except (KeyError, TypeError, ValueError) as exc:
        raise ExportDamagedError("This file holds no head of an audit log.") from exc
