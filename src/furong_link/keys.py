"""Keys of members and gateways: the port that an HSM can stand behind, and the two suites of the profile.

A suite fixes the signature and the digest together: Ed25519 with SHA-256, or SM2 with SM3.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import new as new_hash
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from furong_link import sm2
from furong_link.errors import KeyFileError


class Signer(Protocol):
    """What signs: a key in this process, or a module that keeps it (an HSM). ``sign`` gives the 64 raw bytes.

    One that also has ``sign_beside(message)`` may be called so by another thread, while the event loop goes on.
    """

    @property
    def key_id(self) -> str: ...
    @property
    def algorithm(self) -> str: ...
    def sign(self, message: bytes) -> bytes: ...


class Verifier(Protocol):
    """What checks signatures of one key. With ``verify_beside`` it may be called by another thread, as a Signer."""

    @property
    def algorithm(self) -> str: ...
    def verify(self, message: bytes, signature: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Suite:
    """A signature with its digest. ``algorithm`` is the alg parameter of RFC 9421, ``digest`` the key of RFC 9530."""

    algorithm: str
    digest: str
    hash: Callable[[bytes], bytes]


def _sha256(data: bytes) -> bytes:
    return sha256(data).digest()


def _sm3(data: bytes) -> bytes:
    return new_hash("sm3", data).digest()


# "sm2-sm3" and "sm3" are not in IANA's registries: they are names that the members agree on.
SUITES = {"ed25519": Suite("ed25519", "sha-256", _sha256), "sm2-sm3": Suite("sm2-sm3", "sm3", _sm3)}


class Ed25519Verifier:
    """Checks signatures of Ed25519 with libsodium, which needs half of OpenSSL's time.

    It also refuses what RFC 8032 leaves open: keys and points of small order, under which one signature fits any message.
    """

    algorithm = "ed25519"
    __slots__ = ("_public",)

    def __init__(self, public: bytes) -> None:
        if len(public) != 32:
            raise KeyFileError("A public key of Ed25519 has 32 bytes.")
        self._public = public

    def verify(self, message: bytes, signature: bytes) -> bool:
        if len(signature) != 64:
            return False
        try:
            crypto_sign_open(signature + message, self._public)
        except BadSignatureError:
            return False
        return True


class Sm2Verifier:
    algorithm = "sm2-sm3"
    __slots__ = ("_key", "verify_beside")

    def __init__(self, public: bytes) -> None:
        self._key = sm2.PublicKey(public)
        self.verify_beside = self._key.verify if self._key.computes_beside else None

    def verify(self, message: bytes, signature: bytes) -> bool:
        return self._key.verify(message, signature)


def verifier(*, algorithm: str, public: str) -> Verifier:
    """Give the verifier of a public key in base64, as configurations carry it. Raises KeyFileError."""
    try:
        raw = base64.b64decode(public, validate=True)
    except binascii.Error as error:
        raise KeyFileError("A public key is written in base64.") from error
    if algorithm == "ed25519":
        return Ed25519Verifier(raw)
    if algorithm == "sm2-sm3":
        return Sm2Verifier(raw)
    raise KeyFileError(f"{algorithm} is no algorithm of the profile.")


class SoftwareKey:
    """A private key in this process's memory. In a file it is 32 bytes in base64 after the algorithm's name."""

    __slots__ = ("_secret", "_sign", "algorithm", "key_id", "public", "sign_beside")

    def __init__(self, *, key_id: str, algorithm: str, secret: bytes) -> None:
        if algorithm not in SUITES or len(secret) != 32:
            raise KeyFileError("A key has an algorithm of the profile and 32 bytes.")
        self.key_id, self.algorithm, self._secret = key_id, algorithm, secret
        self._sign: Callable[[bytes], bytes]
        self.sign_beside: Callable[[bytes], bytes] | None
        if algorithm == "ed25519":
            raw, pair = crypto_sign_seed_keypair(secret)
            self._sign = lambda message: crypto_sign(message, pair)[:64]
            # Signed in 20 µs, which is less than another thread costs.
            self.sign_beside = None
        else:
            other = sm2.PrivateKey(secret)
            self._sign, raw = other.sign, other.point
            self.sign_beside = other.sign if other.computes_beside else None
        self.public = base64.b64encode(raw).decode()

    def __repr__(self) -> str:
        return f"SoftwareKey({self.key_id!r}, {self.algorithm!r})"

    @classmethod
    def generate(cls, *, key_id: str, algorithm: str = "ed25519") -> SoftwareKey:
        """Make a new key."""
        while True:
            secret = secrets.token_bytes(32)
            if algorithm != "sm2-sm3" or 0 < int.from_bytes(secret) < sm2.ORDER - 1:
                return cls(key_id=key_id, algorithm=algorithm, secret=secret)

    @classmethod
    def read(cls, path: Path) -> SoftwareKey:
        """Read a key's file. Raises KeyFileError when it is readable by others, or no key."""
        try:
            if path.stat().st_mode & 0o077:
                raise KeyFileError(f"{path.name} can be read by others; chmod 600 it.")
            algorithm, key_id, text = path.read_text(encoding="ascii").split()
            return cls(key_id=key_id, algorithm=algorithm, secret=base64.b64decode(text, validate=True))
        except (OSError, ValueError) as error:
            raise KeyFileError(f"{path.name} is no key: {type(error).__name__}.") from error

    def write(self, path: Path) -> None:
        """Write the key for its owner alone. Raises FileExistsError rather than replace one."""
        text = f"{self.algorithm} {self.key_id} {base64.b64encode(self._secret).decode()}\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def sign(self, message: bytes) -> bytes:
        return self._sign(message)

    def verifier(self) -> Verifier:
        return verifier(algorithm=self.algorithm, public=self.public)
