"""Key files. A file appears whole or not at all, and when two processes make one at the same moment, both use the same."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings

from furong.foundation.signing.errors import KeyUnusableError
from furong.foundation.signing.values import ED25519, PublicKey, Signature

_lock = threading.Lock()


def folder() -> Path:
    """Give the folder of keys, made when missing, open to its owner only."""
    place = Path(settings.HOME) / "keys"
    if not place.is_dir():
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def ensure_file(path: Path, make: Callable[[], bytes], *, mode: int = 0o600) -> bytes:
    """Give the content of ``path``, made by ``make`` when it is missing; whoever comes second takes what the first made.

    The content is written and flushed under another name and linked into place, which fails when the place is taken.
    """
    try:
        return _read(path, mode)
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as out:
            os.fchmod(out.fileno(), mode)
            out.write(make())
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return _read(path, mode)


def _read(path: Path, mode: int) -> bytes:
    with path.open("rb") as file:
        found = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode == 0o600 and found & 0o077:
            raise KeyUnusableError(f"The key file {path.name} can be read by others (mode {found:o}); make it 0600.")
        return file.read()


class Ed25519Signer:
    """Ed25519 (RFC 8032) with a key in a file."""

    algorithm = ED25519

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = PublicKey(algorithm=ED25519, value=private.public_key().public_bytes_raw())
        self._key_id = self._public.key_id

    def public_key(self) -> PublicKey:
        return self._public

    def sign(self, data: bytes) -> Signature:
        return Signature(algorithm=ED25519, key_id=self._key_id, value=self._private.sign(data))


def ed25519_signer(purpose: str) -> Ed25519Signer:
    """Give the signer of ``purpose``: a plain word, which names the file."""
    return _signer(folder(), purpose)


@lru_cache(maxsize=64)
def _signer(place: Path, purpose: str) -> Ed25519Signer:
    if not purpose.replace("-", "").isalnum():
        raise ValueError("A key's purpose is a plain word.")
    with _lock:
        pem = ensure_file(place / f"{purpose}.pem", _new_ed25519)
    try:
        private = load_pem_private_key(pem, password=None)
    except ValueError as exc:
        raise KeyUnusableError(f"The key file {purpose}.pem is damaged.") from exc
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyUnusableError(f"The key file {purpose}.pem holds another kind of key.")
    signer = Ed25519Signer(private)
    ensure_file(place / f"{purpose}.pub", lambda: f"{signer.public_key().as_text()}\n".encode(), mode=0o644)
    return signer


def is_kept(purpose: str) -> bool:
    """Say whether there is a private key of ``purpose``."""
    return (folder() / f"{purpose}.pem").exists()


def retire(purpose: str) -> bool:
    """Delete the private key of ``purpose``; say whether there was one. The public half stays, under the same name."""
    if not is_kept(purpose):
        return False
    (folder() / f"{purpose}.pem").unlink()
    _signer.cache_clear()
    return True


def _new_ed25519() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def ed25519_verify(key: PublicKey, data: bytes, value: bytes) -> bool:
    """Say whether ``value`` is the key's signature over ``data``."""
    try:
        Ed25519PublicKey.from_public_bytes(key.value).verify(value, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def known_public_keys() -> dict[str, PublicKey]:
    """Give every public key of this installation by its id: ``*.pub`` in the folder, retired keys among them."""
    found: dict[str, PublicKey] = {}
    for path in sorted(folder().glob("*.pub")):
        try:
            key = PublicKey.from_text(path.read_text())
        except ValueError as exc:
            raise KeyUnusableError(f"The public key file {path.name} is damaged.") from exc
        found[key.key_id] = key
    return found
