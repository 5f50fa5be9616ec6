"""A self-made root and the certificate that seals PDF documents (PAdES, through pyHanko).

RSA, because every reader of PDF verifies it; elliptic curves are not verified by all. Extended key usage: document
signing (RFC 9336), with the two older usages that Acrobat asks for. In production the operator puts a certificate of
a licensed authority (电子签名法 第十六条) in the same place: ``document-signer-1.pem`` with key, certificate and chain, and
``document-root.crt``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from furong.foundation.signing.errors import KeyUnusableError
from furong.foundation.signing.keys import ensure_file, folder
from furong.foundation.signing.values import DocumentSigner

ROOT_YEARS = 20
SIGNER_YEARS = 5
RENEW_BEFORE = timedelta(days=30)

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
MICROSOFT_DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12")

_lock = threading.Lock()


def document_signer() -> DocumentSigner:
    """Give the sealing key with its certificate and chain; a new one is made when the newest ends within 30 days.

    Earlier certificates stay in the folder: what they sealed verifies by the same root.
    """
    place = folder()
    now = datetime.now(UTC)
    with _lock:
        number = 1
        while True:
            signer = _signer(place, number)
            if signer.certificate.not_valid_after_utc - now > RENEW_BEFORE:
                return signer
            number += 1


@lru_cache(maxsize=64)
def _signer(place: Path, number: int) -> DocumentSigner:
    root_key, root = _root(place)
    name = f"document-signer-{number}.pem"
    pem = ensure_file(place / name, lambda: _new_signer(root_key, root))
    key, certificates = _load(pem, name)
    chain = certificates[1:]
    if not chain or chain[-1].subject != chain[-1].issuer:
        chain = (*chain, root)
    if certificates[0].public_key() != key.public_key():
        raise KeyUnusableError(f"The certificate in {name} belongs to another key.")
    return DocumentSigner(private_key=key, certificate=certificates[0], chain=chain)


def _root(place: Path) -> tuple[RSAPrivateKey | EllipticCurvePrivateKey, x509.Certificate]:
    pem = ensure_file(place / "document-root.pem", _new_root)
    key, certificates = _load(pem, "document-root.pem")
    root = certificates[0]
    ensure_file(place / "document-root.crt", lambda: root.public_bytes(Encoding.PEM), mode=0o644)
    return key, root


def _load(pem: bytes, name: str) -> tuple[RSAPrivateKey | EllipticCurvePrivateKey, tuple[x509.Certificate, ...]]:
    try:
        key = load_pem_private_key(pem, password=None)
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError as exc:
        raise KeyUnusableError(f"The key file {name} is damaged.") from exc
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise KeyUnusableError(f"The key file {name} holds a kind of key that PDF readers do not verify.")
    return key, tuple(certificates)


def _pem(key: RSAPrivateKey, certificates: Sequence[x509.Certificate]) -> bytes:
    parts = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
    return b"".join([*parts, *(one.public_bytes(Encoding.PEM) for one in certificates)])


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Furong"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(key: RSAPrivateKey, *, subject: x509.Name, issuer: x509.Name, years: int) -> x509.CertificateBuilder:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # clocks of readers differ
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * years))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_documents: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_documents,
        content_commitment=signs_documents,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs_documents,
        crl_sign=not signs_documents,
        encipher_only=False,
        decipher_only=False,
    )


def _new_root() -> bytes:
    key = generate_private_key(public_exponent=65537, key_size=3072)
    name = _name("Furong self-made document root")
    certificate = (
        _builder(key, subject=name, issuer=name, years=ROOT_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(signs_documents=False), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pem(key, [certificate])


def _new_signer(root_key: RSAPrivateKey | EllipticCurvePrivateKey, root: x509.Certificate) -> bytes:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    usages = [DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION, MICROSOFT_DOCUMENT_SIGNING]
    certificate = (
        _builder(key, subject=_name("Furong document seal"), issuer=root.subject, years=SIGNER_YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_documents=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    return _pem(key, [certificate])
