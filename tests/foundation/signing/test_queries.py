from __future__ import annotations

import multiprocessing
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.conf import settings

from furong.foundation.signing import certificates, keys, queries
from furong.foundation.signing.errors import KeyUnknownError, KeyUnusableError
from furong.foundation.signing.values import PublicKey, Signature


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "HOME", tmp_path)
    return tmp_path


def test_what_is_signed_verifies_and_nothing_else_does() -> None:
    signature = queries.sign(b"text")
    assert queries.verify(b"text", signature)
    assert not queries.verify(b"texT", signature)
    assert not queries.verify(b"text", Signature(algorithm="ed25519", key_id=signature.key_id, value=bytes(64)))
    assert not queries.verify(b"text", Signature(algorithm="sm2", key_id=signature.key_id, value=signature.value))


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert queries.public_key(purpose="audit") != queries.public_key()
    signature = queries.sign(b"text", purpose="audit")
    assert not queries.verify(b"text", signature, key=queries.public_key())
    assert queries.verify(b"text", signature, key=queries.public_key(purpose="audit"))


def test_a_signature_of_a_key_that_is_not_here_is_a_fault_not_a_no() -> None:
    with pytest.raises(KeyUnknownError):
        queries.verify(b"text", Signature(algorithm="ed25519", key_id="ed25519:00", value=bytes(64)))


def test_a_key_survives_the_process_and_a_retired_one_still_verifies(home: Path) -> None:
    signature = queries.sign(b"text")
    keys._signer.cache_clear()
    assert queries.public_key().key_id == signature.key_id
    (home / "keys" / "platform.pem").unlink()
    (home / "keys" / "platform.pub").rename(home / "keys" / "platform-2026.pub")
    keys._signer.cache_clear()
    assert queries.public_key().key_id != signature.key_id
    assert queries.verify(b"text", signature)


def test_a_public_key_comes_back_from_its_text() -> None:
    key = queries.public_key()
    assert PublicKey.from_text(key.as_text() + "\n") == key
    for text in ("sm2:00", "ed25519:00", "ed25519:zz", ""):
        with pytest.raises(ValueError, match=r".*"):
            PublicKey.from_text(text)


def test_key_files_are_their_owners_only(home: Path) -> None:
    queries.sign(b"text")
    queries.document_signer()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home / "keys").iterdir()}
    assert modes == {
        "platform.pem": 0o600,
        "platform.pub": 0o644,
        "document-root.pem": 0o600,
        "document-root.crt": 0o644,
        "document-signer-1.pem": 0o600,
    }
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700


def test_a_key_that_others_can_read_or_that_is_damaged_is_not_used(home: Path) -> None:
    queries.sign(b"text")
    path = home / "keys" / "platform.pem"
    path.chmod(0o640)
    keys._signer.cache_clear()
    with pytest.raises(KeyUnusableError, match="0600"):
        queries.sign(b"text")
    path.chmod(0o600)
    path.write_text("nothing")
    with pytest.raises(KeyUnusableError, match="damaged"):
        queries.sign(b"text")


@pytest.mark.parametrize("purpose", ["../x", "a/b", "", "a b"])
def test_a_purpose_that_is_no_plain_word_names_no_file(purpose: str) -> None:
    with pytest.raises(ValueError, match="plain word"):
        queries.sign(b"", purpose=purpose)


def _make(home: str, barrier: object, out: object) -> None:
    settings.HOME = Path(home)
    barrier.wait()  # type: ignore[attr-defined]
    out.put(queries.public_key(purpose="raced").key_id)  # type: ignore[attr-defined]


def test_processes_that_race_for_a_first_key_use_the_same(home: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, out = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_make, args=(str(home), barrier, out)) for _ in range(4)]
    for process in processes:
        process.start()
    found = {out.get(timeout=30) for _ in processes}
    for process in processes:
        process.join(30)
    assert found == {queries.public_key(purpose="raced").key_id}
    assert [path.name for path in (home / "keys").glob(".new-*")] == []


def test_the_document_certificate_is_issued_by_the_root_for_signing_documents() -> None:
    signer = queries.document_signer()
    certificate, root = signer.certificate, signer.root
    certificate.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.content_commitment, usage.value.key_cert_sign) == (
        True,
        True,
        False,
    )
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {certificates.DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION} <= set(extended)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    value = signer.private_key.sign(b"text", padding.PKCS1v15(), SHA256())  # type: ignore[call-arg, arg-type]
    certificate.public_key().verify(value, b"text", padding.PKCS1v15(), SHA256())  # type: ignore[union-attr, call-arg, arg-type]


def test_the_certificate_is_renewed_under_the_same_root_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    first = queries.document_signer()
    assert queries.document_signer() == first

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(days=365 * certificates.SIGNER_YEARS - 10)

    monkeypatch.setattr(certificates, "datetime", Later)
    second = queries.document_signer()
    assert second.certificate.serial_number != first.certificate.serial_number
    assert second.root == first.root
