"""Putting files away."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import IO

from django.db import connection
from django.utils.translation import gettext_lazy

from furong.foundation.storage import store
from furong.foundation.storage.errors import EmptyFile, NotWhatItSays, TooLarge
from furong.foundation.storage.values import (
    DOCX,
    HEAD_BYTES,
    OFD,
    PPTX,
    XLSX,
    ZIP,
    StoredFile,
    kind_name,
    sniff,
    sniff_archive,
)

CHUNK_BYTES = 1 << 20
MEMORY_BYTES = 2 << 20
DEFAULT_LIMIT_BYTES = 50 << 20

_ZIPPED = frozenset({ZIP, DOCX, XLSX, PPTX, OFD})


def put(
    data: bytes | IO[bytes] | Iterable[bytes],
    media_type: str = "",
    *,
    accept: Collection[str] = (),
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
    now: datetime | None = None,
) -> StoredFile:
    """Store a file durably and give its digest, size and kind. The same content twice is one file.

    ``data`` is bytes, a file open for reading, or chunks; it is streamed, and larger ones never lie in memory whole.
    ``media_type`` is what the file claims to be: when it names a kind that can be recognised, the content must be
    that. ``accept`` lists the kinds that may come in. The bytes are flushed to disk before this returns; the row in
    PostgreSQL joins the caller's transaction; bytes whose row was rolled
    back stay, named by nothing.
    Raises `TooLarge` as soon as the limit is passed, `EmptyFile`, `NotWhatItSays`.
    """
    with closing(_spool(data, limit_bytes=limit_bytes)) as taken:
        found = taken.kind()
        _check_kind(found, claimed=media_type, accept=accept)
        kept = media_type if media_type and found not in accept and not _recognised(media_type) else found
        stored = StoredFile(digest=taken.digest, size=taken.size, media_type=kept)
        store.write(stored.digest, taken.file, size=taken.size)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO storage_file (digest, size, media_type, created_at) VALUES (%s, %s, %s, %s)
            ON CONFLICT (digest) DO NOTHING
            """,
            [stored.digest, stored.size, stored.media_type, now or datetime.now(UTC)],
        )
    return stored


def put_many(contents: Sequence[bytes], media_type: str, *, now: datetime) -> list[StoredFile]:
    """Store many contents that the caller has checked, as durably as `put` does, and give what they are, in their order.

    All bytes are flushed to disk before this returns; the rows in PostgreSQL join the caller's transaction.
    """
    files = [
        StoredFile(digest=hashlib.sha256(data).hexdigest(), size=len(data), media_type=media_type) for data in contents
    ]
    store.write_many({file.digest: data for file, data in zip(files, contents, strict=True)})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO storage_file (digest, size, media_type, created_at)
            SELECT digest, size, %s, %s FROM unnest(%s::text[], %s::bigint[]) AS f (digest, size) ORDER BY digest
            ON CONFLICT (digest) DO NOTHING
            """,
            [media_type, now, [file.digest for file in files], [file.size for file in files]],
        )
    return files


def discard(digest: str) -> None:
    """Throw a file away for good, with what is registered about it.

    Only for a content that its owner made unique: the same content put away twice is one file.
    """
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM storage_file WHERE digest = %s", [digest])
    store.remove(digest)


def discard_unfinished(digest: str) -> None:
    """Throw away what a killed process had begun to write for a digest, and leave what is whole.

    For an owner who keeps others from putting the same content away meanwhile.
    """
    store.remove_unfinished(digest)


class _Taken:
    def __init__(self, file: IO[bytes], digest: str, size: int, head: bytes) -> None:
        self.file, self.digest, self.size, self.head = file, digest, size, head

    def kind(self) -> str:
        found = sniff(self.head)
        if found in _ZIPPED:
            self.file.seek(0)
            found = sniff_archive(self.file)  # type: ignore[arg-type]
            self.file.seek(0)
        return found

    def close(self) -> None:
        self.file.close()


def _spool(data: bytes | IO[bytes] | Iterable[bytes], *, limit_bytes: int) -> _Taken:
    """Read everything once, counting and hashing; keep small files in memory and larger ones in a temporary file."""
    digest, size, head = hashlib.sha256(), 0, b""
    file = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115 - closed by _Taken
    try:
        for chunk in _chunks(data):
            size += len(chunk)
            if size > limit_bytes:
                raise TooLarge(limit_mb=max(1, limit_bytes >> 20))
            digest.update(chunk)
            if len(head) < HEAD_BYTES:
                head += chunk[: HEAD_BYTES - len(head)]
            file.write(chunk)
        if size == 0:
            raise EmptyFile
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _Taken(file, digest.hexdigest(), size, head)


def _chunks(data: bytes | IO[bytes] | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(data, bytes | bytearray | memoryview):
        data = io.BytesIO(data)
    if hasattr(data, "read"):
        while chunk := data.read(CHUNK_BYTES):
            yield chunk
    else:
        yield from data


def _recognised(media_type: str) -> bool:
    from furong.foundation.storage.values import KIND_NAMES, UNKNOWN

    return media_type in KIND_NAMES and media_type != UNKNOWN


def _check_kind(found: str, *, claimed: str, accept: Collection[str]) -> None:
    if accept and found not in accept:
        expected = claimed if claimed in accept else next(iter(sorted(accept)))
        raise NotWhatItSays(expected=gettext_lazy(kind_name(expected)), found=gettext_lazy(kind_name(found)))
    if claimed and _recognised(claimed) and found != claimed:
        raise NotWhatItSays(expected=gettext_lazy(kind_name(claimed)), found=gettext_lazy(kind_name(found)))
