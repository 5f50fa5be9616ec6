"""A provider's data sets at its gateway: versions, files named by their digest, chunks with a checksum each.

A file is never changed once it is published; what is read is checked against its chunk's digest before it leaves. Files
lie sealed under the key of the month of their publication (`batch_sealing`), and what a grant's terms left of one under the
same key: with the key they are erased, and their digests stay. The catalogue is one SQLite file, so that the gateway and
``furong-gateway publish`` may use the folder at the same time.
All functions block; the gateway calls them in a thread.
"""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import new as new_hash
from pathlib import Path

from furong_link.batch_sealing import (
    ERASED,
    chunks_of,
    frame,
    month_of,
    read_chunk,
    read_frames,
    sealed_size,
    write_sealed,
)
from furong_link.errors import EvidenceError, Refusal
from furong_link.sealing import PartitionKeys, cipher_of, sync_folder

CHUNK = 8 * 1024 * 1024
FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
HASHES = {"sha-256": "sha256", "sm3": "sm3"}

_TABLES = """
CREATE TABLE IF NOT EXISTS file (
    digest TEXT PRIMARY KEY, size INTEGER NOT NULL, chunks BLOB NOT NULL, rows INTEGER,
    partition TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS version (
    dataset TEXT NOT NULL, version INTEGER NOT NULL, format TEXT NOT NULL,
    base INTEGER NOT NULL DEFAULT 0,
    digest TEXT NOT NULL REFERENCES file, published_at REAL NOT NULL,
    PRIMARY KEY (dataset, version, format, base)
) STRICT;
CREATE TABLE IF NOT EXISTS filtered (
    source TEXT NOT NULL REFERENCES file, terms TEXT NOT NULL, digest TEXT NOT NULL REFERENCES file,
    PRIMARY KEY (source, terms)
) STRICT;
CREATE TABLE IF NOT EXISTS transfer (
    id TEXT PRIMARY KEY, grant_id TEXT NOT NULL, dataset TEXT NOT NULL, version INTEGER NOT NULL, format TEXT NOT NULL,
    base INTEGER NOT NULL, digest TEXT NOT NULL REFERENCES file, terms TEXT NOT NULL, opened_at REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS upload (
    id TEXT PRIMARY KEY, dataset TEXT NOT NULL, version INTEGER NOT NULL, format TEXT NOT NULL, base INTEGER NOT NULL,
    digest TEXT NOT NULL, size INTEGER NOT NULL, opened_at REAL NOT NULL, partition TEXT NOT NULL DEFAULT '',
    UNIQUE (dataset, version, format, base)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What a file is: a version of a data set in a format, whole (``base`` 0) or as the delta from version ``base``."""

    dataset: str
    version: int
    format: str
    base: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """A file of the store. ``chunks`` are the digests of its chunks, one behind the other; ``rows`` None if not counted.

    ``partition``: whose key it is sealed under; empty for one from before files were sealed.
    """

    digest: str
    size: int
    chunks: bytes
    rows: int | None
    partition: str = ""

    def field(self, algorithm: str) -> str:
        """Give its digest as a field of RFC 9530."""
        return f"{algorithm}=:{b64encode(bytes.fromhex(self.digest)).decode()}:"


@dataclass(frozen=True, slots=True)
class Published:
    """One published file."""

    place: Place
    digest: str
    size: int
    rows: int | None
    published_at: float


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer that a consumer opened: it stays with the file it began with."""

    id: str
    grant_id: str
    place: Place
    digest: str
    terms: str
    opened_at: float


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in."""

    id: str
    place: Place
    digest: str
    size: int
    partition: str


@contextmanager
def refusing_full_disk() -> Iterator[None]:
    """Turn a full disk into the refusal no_room."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise Refusal("no_room") from None
        raise
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise Refusal("no_room") from None
        raise


class Store:
    """The files and the catalogue of one service. ``algorithm`` names the digest, sha-256 or sm3, and so the cipher."""

    def __init__(self, folder: Path, *, algorithm: str = "sha-256", clock: Callable[[], float] = time.time) -> None:
        self.folder, self.algorithm, self._clock = folder, algorithm, clock
        for name in ("files", "work"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._found = sqlite3.connect(
            folder / "catalogue.db", isolation_level=None, check_same_thread=False, timeout=30
        )
        self._found.execute("PRAGMA journal_mode=WAL")
        self._found.execute("PRAGMA synchronous=FULL")
        self._found.execute("PRAGMA foreign_keys=ON")
        self._found.executescript(_TABLES)
        for table in ("file", "upload"):
            names = {row[1] for row in self._found.execute(f"PRAGMA table_info({table})")}
            if "partition" not in names:  # made before files were sealed
                self._found.execute(f"ALTER TABLE {table} ADD COLUMN partition TEXT NOT NULL DEFAULT ''")
        self.keys = PartitionKeys(folder / "keys", cipher=cipher_of("sm2-sm3" if algorithm == "sm3" else "ed25519"))
        self._hashes: dict[str, tuple[int, _Hashes]] = {}

    def close(self) -> None:
        with self._lock:
            self._found.close()

    # --- reading ---------------------------------------------------------------------------------------------

    def versions(self, dataset: str) -> list[Published]:
        """Give everything published of a data set, the newest version first."""
        with self._lock:
            rows = self._found.execute(
                "SELECT version, format, base, digest, size, rows, published_at FROM version JOIN file USING (digest)"
                " WHERE dataset = ? ORDER BY version DESC, format, base",
                (dataset,),
            ).fetchall()
        return [Published(Place(dataset, row[0], row[1], row[2]), *row[3:]) for row in rows]

    def find(self, place: Place) -> File | None:
        """Give the file of a place; None when nothing was published there."""
        with self._lock:
            row = self._found.execute(
                "SELECT digest FROM version WHERE dataset = ? AND version = ? AND format = ? AND base = ?",
                (place.dataset, place.version, place.format, place.base),
            ).fetchone()
        return self.file(row[0]) if row else None

    def latest(self, dataset: str, format_: str) -> int | None:
        """Give the newest version of a data set that is there whole in this format."""
        with self._lock:
            row = self._found.execute(
                "SELECT max(version) FROM version WHERE dataset = ? AND format = ? AND base = 0", (dataset, format_)
            ).fetchone()
        return None if row[0] is None else int(row[0])

    def file(self, digest: str) -> File:
        """Give a file by its digest. Raises KeyError."""
        with self._lock:
            row = self._found.execute(
                "SELECT digest, size, chunks, rows, partition FROM file WHERE digest = ?", (digest,)
            ).fetchone()
        if row is None:
            raise KeyError(digest)
        return File(*row)

    def path(self, digest: str) -> Path:
        return self.folder / "files" / digest

    def read(self, file: File, *, offset: int, length: int) -> tuple[bytes, str]:
        """Give bytes of a file and their digest in hexadecimal, each chunk they touch checked first.

        Refuses with file_changed when what is on the disk is not what was published.
        """
        first, last = offset // CHUNK, (offset + length - 1) // CHUNK
        if file.partition == ERASED:
            raise Refusal("file_erased")
        try:
            with self.path(file.digest).open("rb", buffering=0) as source:
                if os.fstat(source.fileno()).st_size != self._length(file):
                    raise Refusal("file_changed")
                parts = []
                digest = ""
                for number in range(first, last + 1):
                    part = self._chunk(source.fileno(), file, number)
                    found = new_hash(HASHES[self.algorithm], part).digest()
                    if found != file.chunks[number * 32 : number * 32 + 32]:
                        raise Refusal("file_changed")
                    parts.append(part)
                    digest = found.hex()
        except (OSError, EvidenceError):
            raise Refusal("file_changed") from None
        start = offset - first * CHUNK
        if len(parts) == 1 and start == 0 and len(parts[0]) == length:
            return parts[0], digest
        data = b"".join(parts)[start : start + length]
        return data, new_hash(HASHES[self.algorithm], data).hexdigest()

    def _length(self, file: File) -> int:
        return sealed_size(file.size, chunk=CHUNK) if file.partition else file.size

    def _chunk(self, handle: int, file: File, number: int) -> bytes:
        if not file.partition:
            return os.pread(handle, CHUNK, number * CHUNK)
        return read_chunk(handle, number, chunk=CHUNK, keys=self.keys, partition=file.partition)

    @contextmanager
    def in_clear(self, file: File) -> Iterator[Path]:
        """Give a path at which the file can be read by another process, for as long as it is needed.

        Refuses file_erased and file_changed.
        """
        if not file.partition:
            yield self.path(file.digest)
            return
        draft = self.folder / "work" / f"clear-{secrets.token_hex(8)}"
        try:
            with (
                refusing_full_disk(),
                os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
            ):
                for offset in range(0, file.size, CHUNK):
                    out.write(self.read(file, offset=offset, length=min(CHUNK, file.size - offset))[0])
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete what a crash left in clear. For the gateway, when it starts."""
        for name in ("clear-*", "terms-*"):
            for path in (self.folder / "work").glob(name):
                path.unlink(missing_ok=True)

    # --- erasing ---------------------------------------------------------------------------------------------

    def erase(self, partition: str) -> int:
        """Destroy a partition's key and the files it sealed; give how many. Their digests stay in the catalogue."""
        with self._lock:
            self.keys.erase(partition)
            rows = self._found.execute("SELECT digest FROM file WHERE partition = ?", (partition,)).fetchall()
            self._found.execute("UPDATE file SET partition = ? WHERE partition = ?", (ERASED, partition))
            for (digest,) in rows:
                self.path(digest).unlink(missing_ok=True)
            for (id_,) in self._found.execute("SELECT id FROM upload WHERE partition = ?", (partition,)).fetchall():
                self._drop_upload(id_)
        sync_folder(self.folder / "files")
        return len(rows)

    # --- publishing ------------------------------------------------------------------------------------------

    def add_file(self, path: Path, *, rows: int | None = None, partition: str = "") -> File:
        """Take a file into the store, read once and sealed; the one given is deleted. Refuses no_room."""
        file = self._take(_pieces(path), rows=rows, partition=partition)
        path.unlink()
        return file

    def _take(self, pieces: Iterable[bytes], *, rows: int | None = None, partition: str = "") -> File:
        hashes, partition = _Hashes(self.algorithm), partition or month_of(self._clock())
        draft = self.folder / "work" / f"sealed-{secrets.token_hex(8)}"

        def counted() -> Iterator[bytes]:
            for chunk in chunks_of(pieces, chunk=CHUNK):
                hashes.add(chunk)
                yield chunk

        try:
            with refusing_full_disk():
                write_sealed(draft, counted(), keys=self.keys, partition=partition)
                return self._keep(draft, hashes, rows, partition)
        finally:
            draft.unlink(missing_ok=True)

    def _keep(self, draft: Path, hashes: _Hashes, rows: int | None, partition: str) -> File:
        file = File(hashes.whole.hexdigest(), hashes.size, hashes.chunks(), rows, partition)
        with self._lock:
            row = self._found.execute("SELECT partition FROM file WHERE digest = ?", (file.digest,)).fetchone()
            if row is not None and row[0] != ERASED and self.path(file.digest).exists():
                return self.file(file.digest)  # the same bytes are here, under the key that they have
            draft.chmod(0o400)
            draft.replace(self.path(file.digest))
            sync_folder(self.folder / "files")
            self._found.execute(
                "INSERT INTO file (digest, size, chunks, rows, partition) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (digest) DO UPDATE SET partition = excluded.partition",
                (file.digest, file.size, file.chunks, file.rows, file.partition),
            )
        return file

    def publish(self, place: Place, file: File, *, now: float) -> bool:
        """Publish a file of the store; False when it is published there already. Refuses another one at that place."""
        with self._lock, refusing_full_disk():
            known = self.find(place)
            if known is not None:
                if known.digest != file.digest:
                    raise Refusal("version_exists")
                return False
            self._found.execute(
                "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?)",
                (place.dataset, place.version, place.format, place.base, file.digest, now),
            )
            return True

    def publish_copy(self, place: Place, source: Path, *, now: float) -> File:
        """Copy a file into the store and publish it. Refuses what is not in its format, and no_room."""
        check_format(source, place.format)
        file = self._take(_pieces(source))
        self.publish(place, file, now=now)
        return file

    # --- uploads ---------------------------------------------------------------------------------------------

    def open_upload(self, place: Place, *, digest: str, size: int, now: float) -> tuple[Upload, int]:
        """Open an upload, or go on with the one of the same file; gives it and how many bytes are there.

        An upload of another file for the same place begins anew.
        """
        with self._lock, refusing_full_disk():
            row = self._found.execute(
                "SELECT id, digest, size, partition FROM upload WHERE dataset = ? AND version = ? AND format = ? AND base = ?",
                (place.dataset, place.version, place.format, place.base),
            ).fetchone()
            if row is not None and ((row[1], row[2]) != (digest, size) or not row[3]):
                self._drop_upload(row[0])
                row = None
            if row is None:
                upload = Upload(secrets.token_hex(16), place, digest, size, month_of(now))
                self._found.execute(
                    "INSERT INTO upload (id, dataset, version, format, base, digest, size, opened_at, partition)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        upload.id,
                        place.dataset,
                        place.version,
                        place.format,
                        place.base,
                        digest,
                        size,
                        now,
                        upload.partition,
                    ),
                )
            else:
                upload = Upload(row[0], place, digest, size, row[3])
            return upload, self._received(upload)

    def upload(self, id_: str, place: Place) -> Upload:
        """Give an open upload. Refuses transfer_unknown."""
        with self._lock:
            row = self._found.execute(
                "SELECT digest, size, partition FROM upload"
                " WHERE id = ? AND dataset = ? AND version = ? AND format = ? AND base = ?",
                (id_, place.dataset, place.version, place.format, place.base),
            ).fetchone()
        if row is None:
            raise Refusal("transfer_unknown")
        return Upload(id_, place, *row)

    def _work(self, upload: Upload) -> Path:
        return self.folder / "work" / upload.id

    def _received(self, upload: Upload) -> int:
        """How many bytes are there; after a restart they are read again, so that the whole's digest can be told."""
        if upload.id not in self._hashes:
            hashes, end = _Hashes(self.algorithm), 0
            with suppress(FileNotFoundError):
                for part, end in self._frames(upload):  # noqa: B007 - where the last whole one ends
                    hashes.add(part)
                os.truncate(self._work(upload), end)
            self._hashes[upload.id] = (hashes.size, hashes)
        return self._hashes[upload.id][0]

    def _frames(self, upload: Upload) -> Iterator[tuple[bytes, int]]:
        return read_frames(self._work(upload), keys=self.keys, partition=upload.partition)

    def add_chunk(self, upload: Upload, *, offset: int, content: bytes) -> int:
        """Add bytes at the end of an upload; gives how many are there. Refuses another offset, more than the file's
        size, and no_room.
        """
        with self._lock, refusing_full_disk():
            received = self._received(upload)
            if offset != received:
                raise Refusal("wrong_offset", f"The next byte is {received}.")
            if received + len(content) > upload.size:
                raise Refusal("content_too_large", "The file is larger than was said.")
            if not content:
                return received
            sealed = frame(content, keys=self.keys, partition=upload.partition)
            with self._work(upload).open("ab") as out:
                before = out.tell()
                try:
                    out.write(sealed)
                    out.flush()
                except OSError:
                    with suppress(OSError):
                        out.truncate(before)
                    del self._hashes[upload.id]
                    raise
            hashes = self._hashes[upload.id][1]
            hashes.add(content)
            self._hashes[upload.id] = (hashes.size, hashes)
            return hashes.size

    def finish_upload(self, upload: Upload, *, now: float) -> File:
        """Publish a whole upload. Refuses one that is not whole, not what its digest says, or not in its format."""
        with self._lock, refusing_full_disk():
            if self._received(upload) != upload.size:
                raise Refusal("wrong_offset", f"The next byte is {self._received(upload)}.")
            hashes = self._hashes[upload.id][1]
            try:
                if hashes.whole.hexdigest() != upload.digest:
                    raise Refusal("digest_mismatch", "The whole file is not what its digest says.")
                self._check_frames(upload)
            except Refusal:
                self._drop_upload(upload.id)
                raise
            file = self._take((part for part, _ in self._frames(upload)), partition=upload.partition)
            if file.digest != upload.digest:
                raise Refusal("file_changed")
            try:
                self.publish(upload.place, file, now=now)
            finally:
                self._drop_upload(upload.id)
            return file

    def _check_frames(self, upload: Upload) -> None:
        """Refuse what is not in its format, by how it begins and ends."""
        first, last = bytearray(), b""
        with suppress(FileNotFoundError):
            for part, _ in self._frames(upload):
                if len(first) < 1024 * 1024:
                    first += part
                last = (last + part)[-4:]
        check_ends(bytes(first[: 1024 * 1024]), last, upload.size, upload.place.format)

    def _drop_upload(self, id_: str) -> None:
        self._found.execute("DELETE FROM upload WHERE id = ?", (id_,))
        self._hashes.pop(id_, None)
        (self.folder / "work" / id_).unlink(missing_ok=True)

    # --- transfers and filtered files ------------------------------------------------------------------------

    def filtered(self, source: File, terms: str) -> File | None:
        """Give what a grant's terms leave of a file; None while it was not made."""
        with self._lock:
            row = self._found.execute(
                "SELECT digest FROM filtered WHERE source = ? AND terms = ?", (source.digest, terms)
            ).fetchone()
        return self.file(row[0]) if row else None

    def keep_filtered(self, source: File, terms: str, draft: Path, *, rows: int) -> File:
        """Take a filtered file into the store."""
        file = self.add_file(draft, rows=rows, partition=source.partition)
        with self._lock:
            self._found.execute("INSERT OR REPLACE INTO filtered VALUES (?, ?, ?)", (source.digest, terms, file.digest))
        return file

    def open_transfer(self, transfer: Transfer) -> None:
        """Remember a transfer; those older than 30 days are forgotten."""
        place = transfer.place
        with self._lock, refusing_full_disk():
            self._found.execute("DELETE FROM transfer WHERE opened_at < ?", (transfer.opened_at - 30 * 86_400,))
            self._found.execute(
                "INSERT INTO transfer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    transfer.id,
                    transfer.grant_id,
                    place.dataset,
                    place.version,
                    place.format,
                    place.base,
                    transfer.digest,
                    transfer.terms,
                    transfer.opened_at,
                ),
            )

    def transfer(self, id_: str) -> Transfer:
        """Give a transfer. Refuses transfer_unknown."""
        with self._lock:
            row = self._found.execute("SELECT * FROM transfer WHERE id = ?", (id_,)).fetchone()
        if row is None:
            raise Refusal("transfer_unknown")
        return Transfer(row[0], row[1], Place(*row[2:6]), *row[6:])


class _Hashes:
    """The digest of a file and of its chunks, as its bytes arrive in pieces of any length."""

    def __init__(self, algorithm: str) -> None:
        self._name = HASHES[algorithm]
        self.whole = new_hash(self._name)
        self._chunk, self._in_chunk = new_hash(self._name), 0
        self._done = bytearray()
        self.size = 0

    def add(self, data: bytes) -> None:
        self.whole.update(data)
        self.size += len(data)
        rest = memoryview(data)
        while rest:
            part = rest[: CHUNK - self._in_chunk]
            self._chunk.update(part)
            self._in_chunk += len(part)
            rest = rest[len(part) :]
            if self._in_chunk == CHUNK:
                self._done += self._chunk.digest()
                self._chunk, self._in_chunk = new_hash(self._name), 0

    def chunks(self) -> bytes:
        return bytes(self._done) + (self._chunk.digest() if self._in_chunk else b"")


def check_format(path: Path, format_: str) -> None:
    """Refuse a file that is not in its format: a Parquet file has its mark at both ends, a CSV file a header in UTF-8."""
    with path.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        first = source.read(1024 * 1024)
        source.seek(max(0, size - 4))
        check_ends(first, source.read(4), size, format_)


def check_ends(first: bytes, last: bytes, size: int, format_: str) -> None:
    """Refuse what is not in its format by its first bytes (up to 1 MiB), its last four and its size."""
    if format_ == "parquet":
        if size < 12 or not first.startswith(b"PAR1") or last != b"PAR1":
            raise Refusal("file_malformed", "This is no Parquet file.")
        return
    try:
        text = first.partition(b"\n")[0].decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise Refusal("file_malformed", "A CSV file is in UTF-8.") from None
    if not text or "\0" in text:
        raise Refusal("file_malformed", "A CSV file begins with the names of its columns.")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while part := source.read(CHUNK):
            yield part
