"""Signatures and their port."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

ED25519 = "ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature, with what is needed to check it."""

    algorithm: str
    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key: raw bytes, and the id that signatures name it by."""

    algorithm: str
    value: bytes

    @property
    def key_id(self) -> str:
        return key_id_of(self.algorithm, self.value)

    def as_text(self) -> str:
        """Give one line for a file or a web page: ``ed25519:<hex>``."""
        return f"{self.algorithm}:{self.value.hex()}"

    @classmethod
    def from_text(cls, text: str) -> PublicKey:
        """Read what `as_text` wrote. Raises ValueError for anything else."""
        algorithm, _, value = text.strip().partition(":")
        if algorithm != ED25519:
            raise ValueError(f"The algorithm {algorithm!r} is not known here.")
        raw = bytes.fromhex(value)
        if len(raw) != 32:
            raise ValueError("An Ed25519 public key has 32 bytes.")
        return cls(algorithm=algorithm, value=raw)


def key_id_of(algorithm: str, public: bytes) -> str:
    """Give a key's id: its algorithm and the first 16 bytes of the SHA-256 of its public bytes."""
    return f"{algorithm}:{hashlib.sha256(public).hexdigest()[:32]}"


class Signer(Protocol):
    """The port that each algorithm implements."""

    algorithm: str

    def public_key(self) -> PublicKey: ...

    def sign(self, data: bytes) -> Signature: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSigner:
    """The key that seals documents, its certificate, and the chain up to and with the self-made root."""

    private_key: EllipticCurvePrivateKey | RSAPrivateKey
    certificate: Certificate
    chain: tuple[Certificate, ...]  # issuers, nearest first; the last is the root

    @property
    def root(self) -> Certificate:
        return self.chain[-1]
