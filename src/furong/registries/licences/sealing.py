"""Seals on documents: PAdES baseline signatures by pyHanko, with the platform's document certificate.

A seal certifies the document (no change is permitted after it), so that any PDF reader shows whether it was altered. The
address of the verification page stands in the signature as contact, where a check of an altered file still finds it.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from asn1crypto import keys as asn1_keys  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from furong.foundation.signing import queries as signing
from furong.foundation.signing.values import DocumentSigner

from .errors import FileNotReadable, SealingError

FIELD = "Seal"
# Room for the signature with its chain of certificates; a measured seal needs some 7,000.
_RESERVED_HEX_DIGITS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class SealCheck:
    """What the signatures of a file say. ``intact``: sealed by this platform and nothing added or changed since."""

    has_seal: bool
    intact: bool


class _HeldKeySigner(signers.SimpleSigner):
    """A signer that keeps its key parsed: pyHanko's own parses the key anew for each signature, 36 ms of RSA checks."""

    def __init__(self, held: DocumentSigner) -> None:
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple(_asn1(one) for one in held.chain)
        key = held.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        super().__init__(
            signing_cert=_asn1(held.certificate),
            signing_key=asn1_keys.PrivateKeyInfo.load(key),
            cert_registry=registry,
        )
        self._held = held.private_key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if digest_algorithm != "sha256":
            raise SealingError("Seals are made with SHA-256.")
        if isinstance(self._held, RSAPrivateKey):
            return self._held.sign(data, PKCS1v15(), SHA256())
        return self._held.sign(data, ECDSA(SHA256()))


@lru_cache(maxsize=8)
def _signer(certificate_digest: bytes) -> signers.SimpleSigner:
    return _HeldKeySigner(signing.document_signer())


def _asn1(certificate: Any) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _fingerprint(held: DocumentSigner) -> bytes:
    return held.certificate.fingerprint(SHA256())


def seal(pdf: bytes, *, reason: str, location: str = "", contact: str = "") -> bytes:
    """Return ``pdf`` with a certifying PAdES signature over all of it.

    ``reason`` names what was sealed, ``contact`` the address of the verification page. Raises `SealingError`. About 8 ms.
    """
    signer = _signer(_fingerprint(signing.document_signer()))
    meta = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        reason=reason or None,
        location=location or None,
        contact_info=contact or None,
    )
    try:
        out = signers.PdfSigner(meta, signer=signer).sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf)), bytes_reserved=_RESERVED_HEX_DIGITS
        )
    except (SigningError, PdfError) as exc:
        raise SealingError(f"The document could not be sealed: {type(exc).__name__}.") from exc
    return bytes(out.getvalue())


def check_seal(pdf: bytes) -> SealCheck:
    """Tell whether a file bears a seal of this platform and whether it is as it was sealed.

    Only the platform's own root is trusted. Raises `FileNotReadable` for what is no PDF. About 20 ms.
    """
    if b"%PDF-" not in pdf[:1024]:
        raise FileNotReadable
    root = signing.document_signer().root
    context = ValidationContext(trust_roots=[_asn1(root)], allow_fetching=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a damaged file makes the reader warn; the answer says it
            found = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures
            if not found:
                return SealCheck(has_seal=False, intact=False)
            statuses = [validate_pdf_signature(one, signer_validation_context=context) for one in found]
    except Exception:  # noqa: BLE001 - whatever a damaged or hostile file does to the reader, it is not intact
        return SealCheck(has_seal=b"/ByteRange" in pdf, intact=False)
    whole = all(
        status.intact and status.valid and status.trusted and status.coverage == SignatureCoverageLevel.ENTIRE_FILE
        for status in statuses
    )
    return SealCheck(has_seal=True, intact=whole)


def bears_our_seal(pdf: bytes) -> bool:
    """Tell whether a seal of this platform is in the file, be it broken: our certificate stands in it."""
    certificate = signing.document_signer().certificate.public_bytes(Encoding.DER).hex().encode()
    return certificate in pdf.lower()


_CONTACT = re.compile(rb"/ContactInfo\s*\(((?:[^()\\]|\\.)*)\)")
_OCTAL = re.compile(rb"\\([0-7]{3})")
_TOKEN = re.compile(rb"/verify/([A-Za-z0-9_-]{22})(?![A-Za-z0-9_-])")


def find_token(pdf: bytes) -> str:
    """Return the token of the verification address in a file's seal, or nothing; works on damaged files."""
    for contact in _CONTACT.finditer(pdf):
        plain = _OCTAL.sub(lambda m: bytes([int(m.group(1), 8) & 0xFF]), contact.group(1))
        if found := _TOKEN.search(plain):
            return found.group(1).decode()
    return ""
