"""Signing and checking."""

from __future__ import annotations

from furong.foundation.signing import keys
from furong.foundation.signing.errors import KeyUnknownError
from furong.foundation.signing.values import ED25519, DocumentSigner, PublicKey, Signature


def sign(data: bytes, *, purpose: str = "platform") -> Signature:
    """Sign ``data`` with the key of ``purpose`` (``platform``, ``audit``, …), made at first use.

    Callers put a context of their own in front of what they sign, so that no signature serves for another purpose. 60 µs.
    """
    return keys.ed25519_signer(purpose).sign(data)


def public_key(*, purpose: str = "platform") -> PublicKey:
    """Give the public key of ``purpose``."""
    return keys.ed25519_signer(purpose).public_key()


def is_kept(*, purpose: str) -> bool:
    """Say whether the private key of ``purpose`` is here. Makes none."""
    return keys.is_kept(purpose)


def find_public_key(*, key_id: str) -> PublicKey | None:
    """Give the public key that signatures call ``key_id``: present keys and retired ones, or None."""
    return keys.known_public_keys().get(key_id)


def verify(data: bytes, signature: Signature, *, key: PublicKey | None = None) -> bool:
    """Say whether ``signature`` over ``data`` is good under ``key``, or under the key of ours that it names.

    Raises `KeyUnknownError` when no key is given and the named one is not here.
    """
    if key is None:
        key = find_public_key(key_id=signature.key_id)
        if key is None:
            raise KeyUnknownError(f"The key {signature.key_id} is not among the keys of this installation.")
    if key.key_id != signature.key_id or key.algorithm != signature.algorithm or key.algorithm != ED25519:
        return False
    return keys.ed25519_verify(key, data, signature.value)


def document_signer() -> DocumentSigner:
    """Give the key, certificate and chain that seal PDF documents, made at first use."""
    from furong.foundation.signing import certificates

    return certificates.document_signer()


document_certificate = document_signer
