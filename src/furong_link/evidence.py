"""The gateway's evidence: a gapless chain of records under an RFC 6962 tree with signed heads, in files of its own.

Each line of ``records.log`` is a record and its sealed detail. A record names no person: it holds the time, the parties by
their codes, grant, service, status and the salted digest of the detail. The detail (the signature bases and the caller's
signature, verbatim) is encrypted with the day's key, so that deleting the key erases it while the chain stays whole.

Group commit: what arrives while the disk works is written and synced together. Nobody is told of a record before that.
Replies are signed while the disk works: their places are known by then, and they are handed out only after the sync.

A file that has grown large, or old, is closed and goes to ``archive/`` (`archive`); the chain and the tree go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
from array import array
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from hashlib import sha256
from math import floor
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from furong_link.archive import FIRST, Segment, canonical, close_segment, finish_rotation, head_bytes, sync_folder
from furong_link.archive import Head as Head
from furong_link.archive import write_synced as write_synced
from furong_link.beside import Beside
from furong_link.compact import compact
from furong_link.errors import EvidenceError
from furong_link.keys import Signer
from furong_link.tree import Tree, leaf_hash

DETAIL_CONTEXT = b"furong.exchange.detail.v1\0"
SALT, NONCE = 16, 12
BATCH = 512
SEGMENT_BYTES = 512 * 1024 * 1024


RANDOM = 128  # messages for which random bytes are drawn at once

_encode = compact(ascii_only=True, allow_nan=False)


def text_of_time(at: float) -> str:
    """Give Unix seconds as UTC text with microseconds."""
    whole = floor(at)
    micro = round((at - whole) * 1_000_000)
    if micro == 1_000_000:
        whole, micro = whole + 1, 0
    return f"{_text_of_second(whole)}.{micro:06d}Z"


@lru_cache(maxsize=8)
def _text_of_second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).isoformat()[:19]


@dataclass(slots=True)
class Recorded:
    """Where a record is in the log; its leaf is the promise that a receipt will keep.

    ``signature`` is over what the caller of `EvidenceLog.append` made of the place, when it asked for one.
    """

    index: int
    leaf: bytes
    signature: bytes = b""


def detail_digest(salt: bytes, detail: bytes) -> str:
    """Give the digest that binds a record to its erasable detail."""
    return sha256(DETAIL_CONTEXT + salt + detail).hexdigest()


class DetailKeys:
    """The keys of the details, one a day (UTC), in a folder. Deleting a file erases what was sealed on that day."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, AESGCM] = {}
        self._random, self._used = b"", 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def seal(self, detail: bytes, *, day: str) -> tuple[str, bytes]:
        """Give the salted digest of ``detail`` and its sealed form."""
        at = self._used
        if at == len(self._random):
            # One call of the system for many messages; no byte is used twice.
            self._random, at = secrets.token_bytes(RANDOM * (SALT + NONCE)), 0
        self._used = at + SALT + NONCE
        salt, nonce = self._random[at : at + SALT], self._random[at + SALT : at + SALT + NONCE]
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
                sync_folder(self._folder)
            self._keys = {day: AESGCM(path.read_bytes())}
        except (OSError, ValueError) as error:
            raise EvidenceError("The day's key cannot be made.") from error
        return self._keys[day]


@dataclass(slots=True)
class _Waiting:
    body: str
    sealed: bytes
    told: asyncio.Future[Recorded]
    base: Callable[[Recorded], bytes] | None
    signer: Signer | None


def _hand_out(told: asyncio.Future[Recorded], place: Recorded, signature: asyncio.Future[bytes]) -> None:
    """Tell of a place that is durable, now that its signature is made, or of what failed."""
    error = signature.exception()
    if told.done():
        return
    if error is not None:
        told.set_exception(error)
    else:
        place.signature = signature.result()
        told.set_result(place)


def _forget(signature: asyncio.Future[bytes]) -> None:
    """Take note of what a signature came to that nobody waits for any more."""
    signature.exception()


class EvidenceLog:
    """One gateway's log. Open it once; a lock keeps a second process out. All methods belong to the event loop's thread."""

    def __init__(
        self,
        folder: Path,
        *,
        signer: Signer,
        clock: Callable[[], float],
        beside: Beside | None = None,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder, self._signer, self._clock, self._beside = folder, signer, clock, beside
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise EvidenceError("Another gateway writes this log.") from error
        self._keys = DetailKeys(folder / "details")
        self.tree = Tree()
        self.head: Head | None = None
        self.segments: list[Segment] = []
        self._segment_bytes = segment_bytes
        self._first = 0  # the index of the first record in records.log
        self._first_leaf, self._first_at, self._last_at = FIRST, "", ""
        self._hash = sha256()
        self._offsets = array("Q", [0])
        self._previous = FIRST
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="evidence")
        self._failed = ""
        self._handle = self._heads = -1  # written to by the thread
        self._reading = -1  # read by the loop
        self.log_id = ""

    # --- opening ---------------------------------------------------------------------------------------------

    def open(self, *, seen: Callable[[Mapping[str, Any]], None] | None = None, since: float = 0.0) -> None:
        """Read the log, check its chain, cut off a last line that was never acknowledged, and go on from there.

        ``seen`` is told of every record of the open file, and of archived ones if their file holds any from ``since``
        (Unix seconds) on; of older files only the leaves are read. Costs about 10 µs a record. Raises EvidenceError when
        the chain does not hold or a signed head says more than is there.
        """
        identity = self.folder / "identity"
        if not identity.exists():
            write_synced(identity, secrets.token_hex(16))
        self.log_id = identity.read_text().strip()
        self._read_archive(seen, text_of_time(since))
        path = self.folder / "records.log"
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._heads = os.open(self.folder / "heads.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        sync_folder(self.folder)
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
                self._last_at = record["at"]
                self._first_at = self._first_at or self._last_at
                self._hash.update(line)
                end += len(line)
                self._offsets.append(end)
                if seen is not None:
                    seen(record)
        os.ftruncate(self._handle, end)
        self._reading = os.dup(self._handle)
        self._read_last_head()

    def _read_archive(self, seen: Callable[[Mapping[str, Any]], None] | None, since: str) -> None:
        self.segments = finish_rotation(self.folder)
        for segment in self.segments:
            if segment.first != self.tree.size or segment.before != self._previous:
                raise EvidenceError(f"The archive does not go on at record {self.tree.size}.")
            for leaf in segment.leaves():
                self.tree.append(leaf)
            self._previous = segment.last
            if self.tree.size != segment.end or self.tree.leaf(segment.end - 1).hex() != segment.last:
                raise EvidenceError(f"The leaves of the archived records from {segment.first} are not theirs.")
            if seen is not None and segment.until >= since and segment.path.exists():
                for line in segment.lines():
                    seen(json.loads(line.partition(b"\t")[0]))
        self._first, self._first_leaf = self.tree.size, self._previous

    def _read_last_head(self) -> None:
        path = self.folder / "heads.jsonl"
        whole = path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        os.ftruncate(self._heads, len(kept))
        if not kept:
            if self.segments:
                raise EvidenceError("The signed heads are gone.")
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

    def sign_by(self, signer: Signer) -> None:
        """Have heads and archived files signed by another key of the gateway from now on."""
        self._signer = signer

    async def append(
        self,
        facts: Mapping[str, object],
        *,
        detail: bytes = b"",
        base: Callable[[Recorded], bytes] | None = None,
        signer: Signer | None = None,
    ) -> Recorded:
        """Record ``facts`` and give their place once they are durable. Raises EvidenceError when they cannot be written.

        ``base`` gives what ``signer`` shall sign, now that the place is known; it is called before the record is durable,
        and the signature is handed out after. What signing raises is raised here, and the record stands.
        """
        if self._failed:
            raise EvidenceError(self._failed)
        at = text_of_time(self._clock())
        sealed = b""
        if detail:
            digest, sealed = self._keys.seal(detail, day=at[:10])
            body = f'"at":"{at}","detail":"{digest}"'
        else:
            body = f'"at":"{at}"'
        if facts:
            body += "," + _encode(facts)[1:-1]
        told: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(body, sealed, told, base, signer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await told

    async def _write(self) -> None:
        while self._waiting:
            async with self._turn:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                signing = await self._write_batch(batch)
            if signing:
                # Threads have enough to do: what arrives meanwhile shares one write and one sync.
                await asyncio.wait(signing)

    async def _write_batch(self, batch: list[_Waiting]) -> list[asyncio.Future[Any]]:
        """Write, sync and tell; give the signatures that threads still make, of which the callers are told one by one."""
        index, previous = self.tree.size, self._previous
        lines: list[bytes] = []
        places: list[Recorded] = []
        for entry in batch:
            text = f'{{"index":{index},"previous":"{previous}",{entry.body}}}'.encode()
            leaf = leaf_hash(text)
            lines.append(text + b"\t" + b2a_base64(entry.sealed))
            places.append(Recorded(index, leaf))
            index, previous = index + 1, leaf.hex()
        data = b"".join(lines)
        written = asyncio.get_running_loop().run_in_executor(self._thread, self._write_synced, data, self._offsets[-1])
        # The disk works now; what follows costs no time of its own.
        signatures = [
            self._sign(entry, place, alone=len(batch) < 2) for entry, place in zip(batch, places, strict=True)
        ]
        try:
            await written
        except OSError as error:
            fault = EvidenceError(f"The evidence cannot be written: {os.strerror(error.errno or 0)}.")
            for entry, signature in zip(batch, signatures, strict=True):
                if not entry.told.done():
                    entry.told.set_exception(fault)
                if isinstance(signature, asyncio.Future):
                    signature.add_done_callback(_forget)
            return []
        self._hash.update(data)
        for entry, line, place, signature in zip(batch, lines, places, signatures, strict=True):
            self._offsets.append(self._offsets[-1] + len(line))
            self.tree.append(place.leaf)
            if isinstance(signature, asyncio.Future):
                signature.add_done_callback(partial(_hand_out, entry.told, place))
            elif entry.told.done():
                continue
            elif isinstance(signature, Exception):
                entry.told.set_exception(signature)
            else:
                place.signature = signature
                entry.told.set_result(place)
        self._previous, self._last_at = previous, batch[-1].body[6:33]
        self._first_at = self._first_at or batch[0].body[6:33]
        return [one for one in signatures if isinstance(one, asyncio.Future) and not one.done()]

    def _sign(self, entry: _Waiting, place: Recorded, *, alone: bool) -> bytes | Exception | asyncio.Future[Any]:
        """Give the signature that the entry asks for, or what failed; of what a thread beside the loop signs, the future."""
        if entry.base is None or entry.signer is None or entry.told.done():
            return b""
        try:
            base = entry.base(place)
            beside = getattr(entry.signer, "sign_beside", None)
            if beside is None or self._beside is None or (alone and not self._beside.busy):
                return entry.signer.sign(base)
            return self._beside.call(beside, base)
        except Exception as error:  # noqa: BLE001 - told to whoever asked for the signature
            return error

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

    async def rotate(self, *, force: bool = False) -> bool:
        """Close the file of records when it is large, or began on an earlier day (UTC), and begin a new one; say whether.

        The closed file goes to ``archive/`` with its leaves, its heads and a signed statement. Raises EvidenceError.
        """
        size = self._offsets[-1]
        late = bool(self._first_at) and self._first_at[:10] < text_of_time(self._clock())[:10]
        if self._failed or not size or not (force or late or size >= self._segment_bytes):
            return False
        async with self._turn:
            head = await self.seal()
            if head is None or head.size != self.tree.size:
                return False
            segment = Segment(
                folder=self.folder / "archive",
                log=self.log_id,
                first=self._first,
                count=self.tree.size - self._first,
                size=self._offsets[-1],
                sha256=self._hash.hexdigest(),
                before=self._first_leaf,
                last=self._previous,
                since=self._first_at,
                until=self._last_at,
            )
            statement = segment.statement(signer=self._signer)
            leaves = self.tree.leaves(self._first, self.tree.size)
            line = canonical(head.as_json()).encode() + b"\n"
            try:
                await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._close_segment, segment, statement, leaves, line
                )
            except OSError as error:
                self._failed = "The file of records could not be closed; the gateway must be started anew."
                raise EvidenceError(self._failed) from error
            # Until here records are read where they stood: for readers, file and first index change together.
            os.close(self._reading)
            self._reading = os.dup(self._handle)
            self.segments.append(segment)
            self._first, self._first_leaf = self.tree.size, self._previous
            self._first_at, self._hash, self._offsets = "", sha256(), array("Q", [0])
        return True

    def _close_segment(self, segment: Segment, statement: bytes, leaves: bytes, head: bytes) -> None:
        close_segment(self.folder, segment, statement=statement, leaves=leaves, head=head)
        for handle in (self._handle, self._heads):
            os.close(handle)
        self._handle = os.open(self.folder / "records.log", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._heads = os.open(self.folder / "heads.jsonl", os.O_RDWR | os.O_APPEND, 0o600)
        sync_folder(self.folder)

    async def seal(self) -> Head | None:
        """Sign a head over what is durable and keep it; the last head when nothing was added, None of an empty log."""
        size = self.tree.size
        if size == 0 or (self.head is not None and self.head.size == size):
            return self.head
        root, at, signer = self.tree.root(size=size), text_of_time(self._clock()), self._signer
        signature = signer.sign(head_bytes(log=self.log_id, size=size, root=root, at=at))
        head = Head(self.log_id, size, root, at, signer.key_id, signer.algorithm, signature)
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

    def _line(self, index: int) -> bytes:
        if not 0 <= index < self.tree.size:
            raise IndexError("There is no such record.")
        if index >= self._first:
            start, end = self._offsets[index - self._first], self._offsets[index - self._first + 1]
            return os.pread(self._reading, end - start, start)
        segment = next(found for found in self.segments if index < found.end)
        return segment.line(index)

    def record_text(self, index: int) -> bytes:
        """Give a record's bytes, as its leaf covers them. Raises IndexError, also when its archive was taken away."""
        return self._line(index).partition(b"\t")[0]

    def detail(self, index: int) -> bytes | None:
        """Give a record's detail; None when it has none or was erased. Raises EvidenceError when it was changed."""
        text, _, sealed = self._line(index).partition(b"\t")
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
        for handle in (self._handle, self._heads, self._reading):
            if handle >= 0:
                os.close(handle)
        self._handle = self._heads = self._reading = -1
        self._lock.close()
