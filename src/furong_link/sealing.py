"""Contents sealed under a key of their partition, so that deleting one file erases them while their digests stay.

A partition is a day (UTC) unless the caller says otherwise. The cipher is AES-256-GCM, or SM4-GCM (GB/T 32907 in the
mode of GB/T 36624) where the library has it; a partition keeps the cipher it began with.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from furong_link.errors import EvidenceError

NONCE, TAG = 12, 16
CIPHERS = ("aes-256-gcm", "sm4-gcm")
_PARTITION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}")
LOOK_SECONDS = 1.0
_KEPT = 8  # keys held open: what is written is of today, what is read mostly of the last days


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes: ...


class _Aes:
    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        return self._aead.encrypt(nonce, data, associated)

    def decrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        return self._aead.decrypt(nonce, data, associated)


class _Sm4:
    def __init__(self, key: bytes) -> None:
        self._key = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        work = Cipher(self._key, modes.GCM(nonce)).encryptor()
        work.authenticate_additional_data(associated)
        return work.update(data) + work.finalize() + work.tag

    def decrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        if len(data) < TAG:
            raise InvalidTag
        work = Cipher(self._key, modes.GCM(nonce, data[-TAG:])).decryptor()
        work.authenticate_additional_data(associated)
        return work.update(data[:-TAG]) + work.finalize()


def sm4_is_here() -> bool:
    """Say whether this machine's library seals with SM4-GCM."""
    try:
        _Sm4(bytes(16)).encrypt(bytes(NONCE), b"", b"")
    except UnsupportedAlgorithm:
        return False
    return True


def cipher_of(algorithm: str) -> str:
    """Give the cipher that belongs to a signature suite: SM4-GCM to SM2 where it is here, AES-256-GCM otherwise."""
    return "sm4-gcm" if algorithm == "sm2-sm3" and sm4_is_here() else "aes-256-gcm"


class PartitionKeys:
    """The keys of the partitions, a file each in one folder, for their owner alone."""

    def __init__(self, folder: Path, *, cipher: str = "aes-256-gcm") -> None:
        if cipher not in CIPHERS:
            raise ValueError(f"{cipher} is no cipher of the profile.")
        self._folder, self._cipher = folder, cipher
        self._open: OrderedDict[str, _Aead] = OrderedDict()
        self._looked: dict[str, float] = {}
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def seal(self, content: bytes, *, partition: str) -> bytes:
        """Give ``content`` sealed under the partition's key, which is made when there is none.

        Raises EvidenceError when the key cannot be made.
        """
        with self._lock:
            key = self._find(partition) or self._make(partition)
        nonce = secrets.token_bytes(NONCE)
        return nonce + key.encrypt(nonce, content, partition.encode())

    def open(self, sealed: bytes, *, partition: str) -> bytes | None:
        """Give the content; None when the partition was erased. Raises EvidenceError when it was changed."""
        with self._lock:
            key = self._find(partition)
        if key is None:
            return None
        try:
            return key.decrypt(sealed[:NONCE], sealed[NONCE:], partition.encode())
        except (InvalidTag, ValueError) as error:
            raise EvidenceError("A sealed content was changed.") from error

    def has(self, partition: str) -> bool:
        """Say whether a partition has a key: one that never had, or was erased, has none."""
        return any(path.exists() for path in self._paths(partition).values())

    def erase(self, partition: str) -> bool:
        """Delete the partition's key: what it sealed can never be read again. False when there was none."""
        with self._lock:
            self._open.pop(partition, None)
        found = [path for path in self._paths(partition).values() if path.exists()]
        for path in found:
            path.unlink()
        if found:
            sync_folder(self._folder)
        return bool(found)

    def partitions(self) -> list[str]:
        """Give the partitions that have a key, in the order of their names."""
        return sorted({path.stem for path in self._folder.iterdir() if path.suffix in (".key", ".sm4")})

    def _paths(self, partition: str) -> dict[str, Path]:
        if not _PARTITION.fullmatch(partition):
            raise ValueError("A partition is named by letters, digits, dots and hyphens.")
        return {
            "aes-256-gcm": self._folder / f"{partition}.key",
            "sm4-gcm": self._folder / f"{partition}.sm4",
        }

    def _find(self, partition: str) -> _Aead | None:
        key = self._open.get(partition)
        if key is not None:
            # An erased partition is erased for this process too within a second, whoever deleted the file.
            now = time.monotonic()
            if now - self._looked.get(partition, 0.0) < LOOK_SECONDS:
                return key
            if any(path.exists() for path in self._paths(partition).values()):
                self._looked[partition] = now
                return key
            del self._open[partition]
            return None
        paths = self._paths(partition)
        for cipher, path in paths.items():
            try:
                raw = path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise EvidenceError("A partition's key cannot be read.") from error
            return self._keep(partition, cipher, raw)
        return None

    def _keep(self, partition: str, cipher: str, raw: bytes) -> _Aead:
        try:
            key: _Aead = _Aes(raw) if cipher == "aes-256-gcm" else _Sm4(raw)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise EvidenceError("A partition's key is none, or of a cipher that is not here.") from error
        self._open[partition] = key
        while len(self._open) > _KEPT:
            gone, _ = self._open.popitem(last=False)
            self._looked.pop(gone, None)
        return key

    def _make(self, partition: str) -> _Aead:
        raw = AESGCM.generate_key(256) if self._cipher == "aes-256-gcm" else secrets.token_bytes(16)
        path = self._paths(partition)[self._cipher]
        try:
            draft = path.with_name(f"{secrets.token_hex(8)}.draft")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # never over a key that another process made meanwhile
            except FileExistsError:
                raw = path.read_bytes()
            finally:
                draft.unlink()
            sync_folder(self._folder)
        except OSError as error:
            raise EvidenceError("A partition's key cannot be made.") from error
        return self._keep(partition, self._cipher, raw)


def sync_folder(folder: Path) -> None:
    """Make names in ``folder`` durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
