"""The gateway's evidence: a gapless chain of records under an RFC 6962 tree with signed heads, in files of its own.

Each line of ``records.log`` is a record and its sealed detail. A record names no person: it holds the time, the parties by
their codes, grant, service, status and the salted digest of the detail. The detail (the signature bases and the caller's
signature, verbatim) is encrypted with the day's key, so that deleting the key erases it while the chain stays whole.

Group commit: what arrives while the disk works is written and synced together. Nobody is told of a record before that.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from furong_link.errors import EvidenceError
from furong_link.keys import Signer
from furong_link.tree import Tree, leaf_hash

DETAIL_CONTEXT = b"furong.exchange.detail.v1\0"
HEAD_CONTEXT = "furong.exchange.head.v1"
FIRST = "0" * 64  # what the first record calls the one before it
SALT, NONCE = 16, 12
BATCH = 512


def canonical(value: object) -> str:
    """Give the one JSON text of ``value``: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def text_of_time(at: float) -> str:
    """Give Unix seconds as UTC text with microseconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a record is in the log; its leaf is the promise that a receipt will keep."""

    index: int
    leaf: bytes


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


def detail_digest(salt: bytes, detail: bytes) -> str:
    """Give the digest that binds a record to its erasable detail."""
    return sha256(DETAIL_CONTEXT + salt + detail).hexdigest()


class DetailKeys:
    """The keys of the details, one a day (UTC), in a folder. Deleting a file erases what was sealed on that day."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, AESGCM] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def seal(self, detail: bytes, *, day: str) -> tuple[str, bytes]:
        """Give the salted digest of ``detail`` and its sealed form."""
        salt, nonce = secrets.token_bytes(SALT), secrets.token_bytes(NONCE)
        key = self._keys.get(day) or self._make(day)
        return detail_digest(salt, detail), nonce + key.encrypt(nonce, salt + detail, day.encode())

    def open(self, sealed: bytes, *, day: str) -> tuple[bytes, bytes] | None:
        """Give salt and detail; None when the day's key was deleted. Raises EvidenceError when they do not fit."""
        path = self._folder / f"{day}.key"
        if not path.exists():
            return None
        try:
            plain = AESGCM(path.read_bytes()).decrypt(sealed[:NONCE], sealed[NONCE:], day.encode())
        except (InvalidTag, ValueError) as error:
            raise EvidenceError("A sealed detail was changed.") from error
        return plain[:SALT], plain[SALT:]

    def _make(self, day: str) -> AESGCM:
        path = self._folder / f"{day}.key"
        try:
            if not path.exists():
                draft = path.with_suffix(".draft")
                with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                    file.write(AESGCM.generate_key(256))
                    file.flush()
                    os.fsync(file.fileno())
                draft.rename(path)
                _sync_folder(self._folder)
            self._keys = {day: AESGCM(path.read_bytes())}
        except (OSError, ValueError) as error:
            raise EvidenceError("The day's key cannot be made.") from error
        return self._keys[day]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(slots=True)
class _Waiting:
    facts: dict[str, object]
    sealed: bytes
    told: asyncio.Future[Recorded]


class EvidenceLog:
    """One gateway's log. Open it once; a lock keeps a second process out. All methods belong to the event loop's thread."""

    def __init__(self, folder: Path, *, signer: Signer, clock: Callable[[], float]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder, self._signer, self._clock = folder, signer, clock
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise EvidenceError("Another gateway writes this log.") from error
        self._keys = DetailKeys(folder / "details")
        self.tree = Tree()
        self.head: Head | None = None
        self._offsets = array("Q", [0])
        self._previous = FIRST
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="evidence")
        self._failed = ""
        self._handle = -1
        self._heads = -1
        self.log_id = ""

    # --- opening ---------------------------------------------------------------------------------------------

    def open(self, *, seen: Callable[[Mapping[str, Any]], None] | None = None) -> None:
        """Read the log, check its chain, cut off a last line that was never acknowledged, and go on from there.

        ``seen`` is told of every record. Costs about 10 µs a record. Raises EvidenceError when the chain does not hold
        or a signed head says more than is there.
        """
        identity = self.folder / "identity"
        if not identity.exists():
            _write_synced(identity, secrets.token_hex(16))
        self.log_id = identity.read_text().strip()
        path = self.folder / "records.log"
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._heads = os.open(self.folder / "heads.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        _sync_folder(self.folder)
        end = 0
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                text = line.partition(b"\t")[0]
                try:
                    record = json.loads(text)
                    sound = record["index"] == self.tree.size and record["previous"] == self._previous
                except (ValueError, KeyError, TypeError):
                    sound = False
                if not sound:
                    raise EvidenceError(f"The chain breaks at record {self.tree.size}; verify the log before going on.")
                leaf = leaf_hash(text)
                self.tree.append(leaf)
                self._previous = leaf.hex()
                end += len(line)
                self._offsets.append(end)
                if seen is not None:
                    seen(record)
        os.ftruncate(self._handle, end)
        self._read_last_head()

    def _read_last_head(self) -> None:
        path = self.folder / "heads.jsonl"
        whole = path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        os.ftruncate(self._heads, len(kept))
        if not kept:
            return
        try:
            head = Head.from_json(json.loads(kept.splitlines()[-1]))
        except (ValueError, KeyError, TypeError) as error:
            raise EvidenceError("The last signed head cannot be read.") from error
        if head.size > self.tree.size or self.tree.root(size=head.size) != head.root:
            raise EvidenceError("The log is not what the last signed head says: it was cut, rolled back or edited.")
        self.head = head

    # --- writing ---------------------------------------------------------------------------------------------

    @property
    def failed(self) -> str:
        """Why nothing can be written any more; empty while all is well."""
        return self._failed

    async def append(self, facts: Mapping[str, object], *, detail: bytes = b"") -> Recorded:
        """Record ``facts`` and give their place once they are durable. Raises EvidenceError when they cannot be written."""
        if self._failed:
            raise EvidenceError(self._failed)
        at = self._clock()
        found: dict[str, object] = {"at": text_of_time(at), **facts}
        sealed = b""
        if detail:
            found["detail"], sealed = self._keys.seal(detail, day=str(found["at"])[:10])
        told: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(found, sealed, told))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await told

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            index, previous = self.tree.size, self._previous
            lines, leaves = [], []
            for entry in batch:
                text = _encode({"index": index, "previous": previous, **entry.facts}).encode()
                leaf = leaf_hash(text)
                lines.append(text + b"\t" + b64encode(entry.sealed) + b"\n")
                leaves.append(leaf)
                index, previous = index + 1, leaf.hex()
            try:
                await loop.run_in_executor(self._thread, self._write_synced, b"".join(lines), self._offsets[-1])
            except OSError as error:
                fault = EvidenceError(f"The evidence cannot be written: {os.strerror(error.errno or 0)}.")
                for entry in batch:
                    if not entry.told.done():
                        entry.told.set_exception(fault)
                continue
            for entry, line, leaf in zip(batch, lines, leaves, strict=True):
                self._offsets.append(self._offsets[-1] + len(line))
                place = Recorded(self.tree.append(leaf), leaf)
                if not entry.told.done():
                    entry.told.set_result(place)
            self._previous = previous

    def _write_synced(self, data: bytes, durable: int) -> None:
        """Write and sync; on failure leave the file as it was. What failed to sync is never trusted again."""
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError:
            try:
                os.ftruncate(self._handle, durable)
            except OSError:
                self._failed = "A half-written record could not be taken back."
            raise
        try:
            os.fdatasync(self._handle)
        except OSError:
            # After a failed sync the kernel may call lost pages clean: only a restart, which reads, tells what is there.
            self._failed = "The disk did not keep what was written; the gateway must be started anew."
            raise

    async def seal(self) -> Head | None:
        """Sign a head over what is durable and keep it; the last head when nothing was added, None of an empty log."""
        size = self.tree.size
        if size == 0 or (self.head is not None and self.head.size == size):
            return self.head
        root, at = self.tree.root(size=size), text_of_time(self._clock())
        signature = self._signer.sign(head_bytes(log=self.log_id, size=size, root=root, at=at))
        head = Head(self.log_id, size, root, at, self._signer.key_id, self._signer.algorithm, signature)
        data = canonical(head.as_json()).encode() + b"\n"
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._append_head, data)
        except OSError as error:
            raise EvidenceError("The signed head cannot be written.") from error
        if self.head is None or head.size > self.head.size:
            self.head = head
        return head

    def _append_head(self, data: bytes) -> None:
        before = os.fstat(self._heads).st_size
        try:
            os.write(self._heads, data)
            os.fdatasync(self._heads)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._heads, before)
            raise

    # --- reading ---------------------------------------------------------------------------------------------

    def record_text(self, index: int) -> bytes:
        """Give a record's bytes, as its leaf covers them. Raises IndexError."""
        if not 0 <= index < self.tree.size:
            raise IndexError("There is no such record.")
        start, end = self._offsets[index], self._offsets[index + 1]
        return os.pread(self._handle, end - start, start).partition(b"\t")[0]

    def detail(self, index: int) -> bytes | None:
        """Give a record's detail; None when it has none or was erased. Raises EvidenceError when it was changed."""
        start, end = self._offsets[index], self._offsets[index + 1]
        text, _, sealed = os.pread(self._handle, end - start, start).partition(b"\t")
        record = json.loads(text)
        if "detail" not in record:
            return None
        opened = self._keys.open(b64decode(sealed.strip()), day=record["at"][:10])
        if opened is None:
            return None
        if detail_digest(*opened) != record["detail"]:
            raise EvidenceError("A detail is not the one of its record.")
        return opened[1]

    async def receipt(self, index: int) -> dict[str, object]:
        """Give an inclusion receipt: the record, its proof, and a signed head that covers it. Raises IndexError."""
        text = self.record_text(index)
        head = self.head
        if head is None or head.size <= index:
            head = await self.seal()
        if head is None or head.size <= index:
            raise IndexError("There is no such record.")
        proof = self.tree.prove_inclusion(index=index, size=head.size)
        return {
            "record": text.decode(),
            "index": index,
            "proof": [part.hex() for part in proof],
            "head": head.as_json(),
        }

    async def close(self) -> None:
        """Write what waits, sign a last head and let go of the files."""
        if self._writer is not None:
            await self._writer
        if not self._failed:
            with contextlib.suppress(EvidenceError):
                await self.seal()
        self.abandon()

    def abandon(self) -> None:
        """Let go of the files at once, as a killed process would."""
        self._thread.shutdown(wait=True)
        for handle in (self._handle, self._heads):
            if handle >= 0:
                os.close(handle)
        self._handle = self._heads = -1
        self._lock.close()


def _write_synced(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _sync_folder(path.parent)
