"""The object store behind a port of four functions. Local files are flushed to disk; obstore's own local writer does
not flush.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import obstore
from django.conf import settings
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, from_url

from furong.foundation.storage.errors import FileMissingError

_DIGEST = re.compile(r"[0-9a-f]{64}")
CHUNK_BYTES = 1 << 20
_AT_ONCE = 4


def path_of(digest: str) -> str:
    """Give the place of a digest in the store: two levels of folders, so that none grows past some thousands.

    Raises ValueError for anything that is not a digest.
    """
    if not _DIGEST.fullmatch(digest):
        raise ValueError("A file is named by its SHA-256 in lower-case hexadecimal.")
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def _url() -> str:
    return str(getattr(settings, "STORAGE_URL", "") or os.environ.get("FURONG_STORAGE_URL", ""))


def _folder() -> Path | None:
    """The folder of files, or None when the store is elsewhere."""
    url = _url()
    if not url:
        return Path(settings.HOME) / "files"
    return Path(url.removeprefix("file://")) if url.startswith("file://") else None


def _store() -> Any:
    folder = _folder()
    return _local(folder) if folder is not None else _remote(_url())


@lru_cache(maxsize=8)
def _local(folder: Path) -> LocalStore:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return LocalStore(str(folder))


@lru_cache(maxsize=8)
def _remote(url: str) -> Any:
    return from_url(url)


def has(digest: str) -> bool:
    """Say whether the store holds this digest."""
    try:
        obstore.head(_store(), path_of(digest))
    except (NotFoundError, FileNotFoundError):
        return False
    return True


def write(digest: str, file: IO[bytes], *, size: int) -> None:
    """Put ``file`` under its digest, durably; nothing happens when it is there with the same size."""
    path = path_of(digest)
    with contextlib.suppress(NotFoundError, FileNotFoundError):
        if obstore.head(_store(), path)["size"] == size:
            return
    folder = _folder()
    if folder is None:
        obstore.put(_store(), path, file)
    else:
        _write_local(folder / path, file)


def write_many(files: Mapping[str, bytes]) -> None:
    """Put many contents under their digests, as durably as `write` does; the folders they share are flushed once."""
    folder = _folder()
    with ThreadPoolExecutor(_AT_ONCE, "storage") as pool:
        if folder is None:
            list(pool.map(lambda one: write(one[0], io.BytesIO(one[1]), size=len(one[1])), files.items()))
            return
        places = {folder / path_of(digest): data for digest, data in files.items()}
        wanted = {place: data for place, data in places.items() if not _is_there(place, len(data))}
        list(pool.map(lambda one: _write_file(one[0], io.BytesIO(one[1])), wanted.items()))
        list(pool.map(_flush_folder, {up for place in wanted for up in list(place.parents)[:3]}))


def _is_there(place: Path, size: int) -> bool:
    try:
        return place.stat().st_size == size
    except FileNotFoundError:
        return False


def _write_local(place: Path, file: IO[bytes]) -> None:
    """Write beside, flush, rename, flush the folders: after a power cut the file is there whole, or not at all."""
    _write_file(place, file)
    for folder in (place.parent, place.parent.parent, place.parent.parent.parent):
        _flush_folder(folder)


def _write_file(place: Path, file: IO[bytes]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=_unfinished(place.name))
    try:
        with os.fdopen(handle, "wb") as out:
            while chunk := file.read(CHUNK_BYTES):
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, place)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unfinished(digest: str) -> str:
    """How the names begin of files that are being written for a digest."""
    return f".new-{digest[:16]}-"


def remove_unfinished(digest: str) -> None:
    """Throw away what a killed process had begun to write for a digest. For who keeps others from writing it meanwhile."""
    folder = _folder()
    if folder is not None:
        for left in (folder / path_of(digest)).parent.glob(f"{_unfinished(digest)}*"):
            left.unlink(missing_ok=True)


def remove(digest: str) -> None:
    """Throw a file away; nothing happens when it is not there."""
    folder = _folder()
    if folder is not None:
        (folder / path_of(digest)).unlink(missing_ok=True)
    elif has(digest):
        _store().delete(path_of(digest))


def read(digest: str) -> bytes:
    """Give all bytes. Raises `FileMissingError`."""
    try:
        return bytes(obstore.get(_store(), path_of(digest)).bytes())
    except (NotFoundError, FileNotFoundError):
        raise FileMissingError(f"The store has no file {digest}.") from None


def stream(digest: str) -> Iterator[bytes]:
    """Give the bytes in chunks. Raises `FileMissingError` at once, not at the first chunk."""
    try:
        result = obstore.get(_store(), path_of(digest))
    except (NotFoundError, FileNotFoundError):
        raise FileMissingError(f"The store has no file {digest}.") from None
    return (bytes(chunk) for chunk in result.stream(min_chunk_size=CHUNK_BYTES))
