"""Files at rest, sealed: chunk by chunk under the key of their partition, so that any piece is read without the rest.

A sealed file is its chunks one behind the other, each as nonce, ciphertext and tag. A file on its way in is a row of frames, as
its pieces came: four bytes of length, then the sealed piece. Which chunk is which, and that none is missing, the digests tell.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from furong_link.errors import Refusal
from furong_link.sealing import NONCE, TAG, PartitionKeys

MORE = NONCE + TAG  # what sealing adds to a chunk
_LENGTH = 4
ERASED = "erased"  # where a file's partition stands once its key was destroyed


def month_of(at: float) -> str:
    """Give the partition of a time in Unix seconds: its month (UTC)."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def chunks_of(pieces: Iterable[bytes], *, chunk: int) -> Iterator[bytes]:
    """Give bytes that come in pieces of any length as chunks of one length, the last as long as it is."""
    rest = bytearray()
    for piece in pieces:
        if not rest and len(piece) == chunk:
            yield piece
            continue
        rest += piece
        while len(rest) >= chunk:
            yield bytes(rest[:chunk])
            del rest[:chunk]
    if rest:
        yield bytes(rest)


def write_sealed(out: Path, chunks: Iterable[bytes], *, keys: PartitionKeys, partition: str) -> None:
    """Write chunks to a new file, sealed and synced. Raises OSError, EvidenceError."""
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            file.write(keys.seal(chunk, partition=partition))
        file.flush()
        os.fsync(file.fileno())


def sealed_size(size: int, *, chunk: int) -> int:
    """Give how long the sealed file of ``size`` bytes is."""
    return size + MORE * -(-size // chunk)


def read_chunk(handle: int, number: int, *, chunk: int, keys: PartitionKeys, partition: str) -> bytes:
    """Read and open one chunk. Refuses file_erased. Raises OSError, EvidenceError when it was changed."""
    opened = keys.open(os.pread(handle, chunk + MORE, number * (chunk + MORE)), partition=partition)
    if opened is None:
        raise Refusal("file_erased")
    return opened


def frame(content: bytes, *, keys: PartitionKeys, partition: str) -> bytes:
    """Give a piece of a file on its way in, sealed with its length before it."""
    sealed = keys.seal(content, partition=partition)
    return len(sealed).to_bytes(_LENGTH, "big") + sealed


def read_frames(path: Path, *, keys: PartitionKeys, partition: str) -> Iterator[tuple[bytes, int]]:
    """Give the pieces of a file on its way in, each with where it ends; a last one that was cut short is left out.

    Ends at the first that cannot be opened any more. Raises FileNotFoundError, EvidenceError.
    """
    end = 0
    with path.open("rb") as source:
        while len(head := source.read(_LENGTH)) == _LENGTH:
            length = int.from_bytes(head, "big")
            sealed = source.read(length)
            opened = keys.open(sealed, partition=partition) if len(sealed) == length else None
            if opened is None:
                return
            end += _LENGTH + length
            yield opened, end
