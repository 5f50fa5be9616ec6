"""What a log is made of on the disk besides its open file: signed heads, and closed files with a signed statement each.

``archive/FIRST.log`` holds the records, ``.leaves`` their hashes (32 bytes each), ``.heads`` the heads that were signed
meanwhile, ``.json`` the statement: which records, after which leaf, in how many bytes with which digest. The ``.log`` may be
kept elsewhere; the gateway needs only leaves and statement, and `verification` checks the file wherever it is.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from furong_link.errors import EvidenceError
from furong_link.keys import Signer, Verifier
from furong_link.tree import HASH

HEAD_CONTEXT = "furong.exchange.head.v1"
SEGMENT_CONTEXT = "furong.exchange.segment.v1"
FIRST = "0" * 64  # what the first record calls the one before it


def canonical(value: object) -> str:
    """Give the one JSON text of ``value``: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Head:
    """A signed statement that the log had exactly these leaves at this time."""

    log: str
    size: int
    root: bytes
    at: str
    key_id: str
    algorithm: str
    signature: bytes

    def signed_bytes(self) -> bytes:
        return head_bytes(log=self.log, size=self.size, root=self.root, at=self.at)

    def as_json(self) -> dict[str, object]:
        return {
            "log": self.log,
            "size": self.size,
            "root": self.root.hex(),
            "at": self.at,
            "key": self.key_id,
            "algorithm": self.algorithm,
            "signature": self.signature.hex(),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Head:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError when it is no head."""
        return cls(
            str(found["log"]),
            int(found["size"]),
            bytes.fromhex(found["root"]),
            str(found["at"]),
            str(found["key"]),
            str(found["algorithm"]),
            bytes.fromhex(found["signature"]),
        )


def head_bytes(*, log: str, size: int, root: bytes, at: str) -> bytes:
    """Give what a head's signature is over."""
    return canonical({"context": HEAD_CONTEXT, "log": log, "size": size, "root": root.hex(), "at": at}).encode()


@dataclass(slots=True, kw_only=True)
class Segment:
    """A closed file of records. ``before`` and ``last`` are the leaves before its first record and of its last."""

    folder: Path
    log: str
    first: int
    count: int
    size: int
    sha256: str
    before: str
    last: str
    since: str
    until: str
    key_id: str = ""
    algorithm: str = ""
    signature: bytes = b""
    _offsets: array[int] = field(default_factory=lambda: array("Q"))

    @property
    def end(self) -> int:
        return self.first + self.count

    @property
    def name(self) -> str:
        return f"{self.first:012d}"

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.log"

    def _facts(self) -> dict[str, object]:
        names = ("log", "first", "count", "size", "sha256", "before", "last", "since", "until")
        return {name: getattr(self, name) for name in names}

    def signed_bytes(self) -> bytes:
        return canonical({"context": SEGMENT_CONTEXT, **self._facts()}).encode()

    def statement(self, *, signer: Signer) -> bytes:
        """Sign the statement and give its file's bytes."""
        self.key_id, self.algorithm = signer.key_id, signer.algorithm
        self.signature = signer.sign(self.signed_bytes())
        more = {"key": self.key_id, "algorithm": self.algorithm, "signature": self.signature.hex()}
        return canonical(self._facts() | more).encode() + b"\n"

    @classmethod
    def read(cls, path: Path) -> Segment:
        """Read a statement's file. Raises EvidenceError when it is none."""
        try:
            found = json.loads(path.read_bytes())
            numbers = {name: int(found[name]) for name in ("first", "count", "size")}
            texts = {name: str(found[name]) for name in ("log", "sha256", "before", "last", "since", "until")}
            return cls(
                folder=path.parent,
                key_id=str(found["key"]),
                algorithm=str(found["algorithm"]),
                signature=bytes.fromhex(found["signature"]),
                **numbers,  # type: ignore[arg-type]  # whole numbers by name
                **texts,  # type: ignore[arg-type]  # texts by name
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EvidenceError(f"{path.name} is no statement of an archived file.") from error

    def is_signed_by(self, key: Verifier) -> bool:
        return self.algorithm == key.algorithm and key.verify(self.signed_bytes(), self.signature)

    def leaves(self) -> list[bytes]:
        """Give the hashes of its records. Raises EvidenceError when their file is gone or not whole."""
        try:
            data = (self.folder / f"{self.name}.leaves").read_bytes()
        except OSError as error:
            raise EvidenceError(f"The leaves of the archived records from {self.first} are gone.") from error
        return [data[at : at + HASH] for at in range(0, len(data), HASH)]

    def lines(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            yield from file

    def line(self, index: int) -> bytes:
        """Give a record's line. Raises IndexError when the file was taken away. Reads the file once, the first time."""
        try:
            if not self._offsets:
                self._offsets.append(0)
                for line in self.lines():
                    self._offsets.append(self._offsets[-1] + len(line))
            start, end = self._offsets[index - self.first], self._offsets[index - self.first + 1]
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        except OSError as error:
            raise IndexError("The record is in an archive that is kept elsewhere.") from error


def close_segment(folder: Path, segment: Segment, *, statement: bytes, leaves: bytes, head: bytes) -> None:
    """Move the open file of records into the archive. After a crash at any point `finish_rotation` does the rest.

    ``head`` is the line of the last head, with which the next file of heads begins.
    """
    segment.folder.mkdir(mode=0o700, exist_ok=True)
    write_synced(segment.folder / f"{segment.name}.leaves", leaves)
    write_synced(segment.folder / f"{segment.name}.heads", (folder / "heads.jsonl").read_bytes())
    # From here on the file counts as closed.
    write_synced(segment.folder / f"{segment.name}.json", statement)
    (folder / "records.log").rename(segment.path)
    sync_folder(segment.folder)
    write_synced(folder / "heads.jsonl", head)


def finish_rotation(folder: Path) -> list[Segment]:
    """Give the archive's segments in order, having finished what a crash left half done. Raises EvidenceError."""
    archive = folder / "archive"
    segments = [Segment.read(path) for path in sorted(archive.glob("*.json"))] if archive.exists() else []
    live = folder / "records.log"
    if segments and live.exists():
        with live.open("rb") as file:
            begins = file.readline(64).startswith(f'{{"index":{segments[-1].first},'.encode())
        if begins:
            live.rename(segments[-1].path)
            sync_folder(archive)
    return segments


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_synced(path: Path, data: str | bytes) -> None:
    """Write a file whole or not at all, durably."""
    draft = path.with_name(path.name + ".draft")
    with draft.open("wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)
