"""Getting files back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.db import connection

from furong.foundation.storage import store
from furong.foundation.storage.errors import FileDamagedError, FileMissingError
from furong.foundation.storage.values import StoredFile


def get(digest: str) -> bytes:
    """Give a file's bytes, checked against the digest. Raises `FileMissingError` or `FileDamagedError`."""
    data = store.read(digest)
    if hashlib.sha256(data).hexdigest() != digest:
        raise FileDamagedError(f"The stored file {digest} does not match its digest.")
    return data


def open_stream(digest: str) -> Iterator[bytes]:
    """Give a file's bytes in chunks, for an answer that streams; raises before the first chunk when it is missing.

    Raises `FileDamagedError` after the last chunk when the content did not match, so that the transfer breaks off.
    """
    return _checked(digest, store.stream(digest))


def _checked(digest: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    seen = hashlib.sha256()
    for chunk in chunks:
        seen.update(chunk)
        yield chunk
    if seen.hexdigest() != digest:
        raise FileDamagedError(f"The stored file {digest} does not match its digest.")


def exists(digest: str) -> bool:
    """Say whether the store has a file of this digest."""
    return store.has(digest)


def find_file(digest: str) -> StoredFile | None:
    """Give what is registered about a file, or None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest, size, media_type FROM storage_file WHERE digest = %s", [digest])
        row = cursor.fetchone()
    return None if row is None else StoredFile(digest=row[0], size=row[1], media_type=row[2])


def get_file(digest: str) -> StoredFile:
    """Give what is registered about a file. Raises `FileMissingError`."""
    found = find_file(digest)
    if found is None:
        raise FileMissingError(f"No file {digest} is registered.")
    return found
