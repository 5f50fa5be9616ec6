"""Certificates by which gateways know one another on TLS: made here, named in the signed configuration, signed by nobody else."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from furong_link.configuration import Configuration
from furong_link.errors import ConfigurationError
from furong_link.message import PeerDoor

VALID_DAYS = 825


def make_certificate(
    certificate: Path, key: Path, *, name: str, valid_from: datetime | None = None, valid_days: int = VALID_DAYS
) -> bytes:
    """Make a key (P-256) and its certificate, as PEM files, and give the certificate as DER.

    ``name`` is the gateway's code. Raises FileExistsError rather than replace a key.
    """
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = valid_from or datetime.now(UTC) - timedelta(minutes=5)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=valid_days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return made.public_bytes(serialization.Encoding.DER)


def read_certificate(path: Path) -> tuple[bytes, float]:
    """Give a certificate (PEM) as DER, and until when it is valid in Unix seconds. Raises ConfigurationError."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name} is no certificate.") from error
    return found.public_bytes(serialization.Encoding.DER), found.not_valid_after_utc.timestamp()


def certificates_end(configuration: Configuration, *, own: PeerDoor | None) -> dict[str, float]:
    """Give when the last certificate of each gateway ends (Unix seconds); under ``shown``, this one's own file."""
    found = {}
    for peer in configuration.peers.values():
        ends = []
        for certificate in peer.certificates:
            with contextlib.suppress(ValueError):
                ends.append(x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp())
        if ends:
            found[peer.id] = max(ends)
    if own is not None:
        with contextlib.suppress(ConfigurationError):
            found["shown"] = read_certificate(own.certificate)[1]
    return found
