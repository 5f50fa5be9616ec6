"""Keys, digests and signatures against the vectors of their standards."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from furong_link import ippcp, libcrypto, profile, sm2
from furong_link.errors import KeyFileError, Refusal
from furong_link.keys import Ed25519Verifier, SoftwareKey, verifier

# RFC 9421 appendix B.1.4 (test-key-ed25519) and B.2.6.
RFC_KEY = bytes.fromhex("9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5")
RFC_PUBLIC = base64.b64decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")
RFC_BASE = (
    b'"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@method": POST\n"@path": /foo\n"@authority": example.com\n'
    b'"content-type": application/json\n"content-length": 18\n'
    b'"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")'
    b';created=1618884473;keyid="test-key-ed25519"'
)
RFC_SIGNATURE = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="

# GB/T 32918.5-2017 appendix A.2.
SM2_SECRET = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
SM2_POINT = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SM2_SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
ALGORITHMS = ["ed25519", "sm2-sm3"]


def test_ed25519_gives_the_signature_of_rfc_9421() -> None:
    key = SoftwareKey(key_id="test-key-ed25519", algorithm="ed25519", secret=RFC_KEY)
    assert base64.b64decode(key.public) == RFC_PUBLIC
    assert base64.b64encode(key.sign(RFC_BASE)).decode() == RFC_SIGNATURE
    assert Ed25519Verifier(RFC_PUBLIC).verify(RFC_BASE, base64.b64decode(RFC_SIGNATURE))


def test_sm2_accepts_the_signature_of_gb_t_32918() -> None:
    assert sm2.PrivateKey(SM2_SECRET).point == SM2_POINT
    key = sm2.PublicKey(SM2_POINT)
    assert key.verify(b"message digest", SM2_SIGNATURE)
    assert not key.verify(b"message digesu", SM2_SIGNATURE)


@given(message=st.binary(max_size=200), secret=st.integers(1, sm2.ORDER - 2))
@settings(max_examples=25, deadline=None)
def test_what_either_library_signs_with_sm2_the_other_verifies(message: bytes, secret: int) -> None:
    lib = ippcp.library()
    if lib is None:
        pytest.skip("libippcp is not made for this machine")
    key = sm2.PrivateKey(secret.to_bytes(32))
    slow = libcrypto.KeptKey(libcrypto.read_key("d2i_PUBKEY", sm2._SPKI + key.point), sign=False)
    signing = libcrypto.KeptKey(libcrypto.read_key("d2i_AutoPrivateKey", sm2._PKCS8 + secret.to_bytes(32)), sign=True)
    fast, fast_signing = ippcp.Key(lib, point=key.point[1:]), ippcp.Key(lib, secret=secret.to_bytes(32))
    for digest in (
        sha256(message).digest(),
        b"\xff" * 32,
        b"\0" * 32,
        sm2.ORDER.to_bytes(32),
    ):  # the order's, and beyond it
        by_fast, by_slow = fast_signing.sign(digest), sm2.from_der(signing.sign(digest))
        assert slow.verify(digest, sm2.to_der(by_fast))
        assert fast.verify(digest, by_slow)
        assert by_fast != fast_signing.sign(digest)
        other = bytes([digest[0] ^ 1]) + digest[1:]
        assert not fast.verify(other, by_slow)
        assert not slow.verify(other, sm2.to_der(by_fast))
    with pytest.raises(TypeError):
        fast.sign(digest)
    with pytest.raises(TypeError):
        fast_signing.verify(digest, by_slow)


def test_sm2_is_openssls_where_the_other_library_is_not_wanted_or_not_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    def again() -> sm2.PrivateKey:
        ippcp.library.cache_clear()
        return sm2.PrivateKey(SM2_SECRET)

    try:
        monkeypatch.setenv(ippcp.CHOICE, "openssl")
        key = again()
        assert key.computes_beside
        assert sm2.PublicKey(SM2_POINT).verify(b"x", key.sign(b"x"))
        assert SoftwareKey(key_id="a", algorithm="sm2-sm3", secret=SM2_SECRET).sign_beside is not None
        monkeypatch.delenv(ippcp.CHOICE)
        monkeypatch.setattr(ippcp, "_SIGNATURE", SM2_SIGNATURE[:-1] + b"\1")  # what it should verify, it does not
        assert again().computes_beside
        monkeypatch.setattr(ippcp, "PACKAGE", "no-such-package")
        assert again().computes_beside
    finally:
        monkeypatch.undo()
        ippcp.library.cache_clear()


def test_the_digest_is_that_of_rfc_9530_and_of_gb_t_32905() -> None:
    digest = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    assert profile.content_digest(b'{"hello": "world"}', algorithm="ed25519") == digest
    sm3 = bytes.fromhex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
    assert profile.content_digest(b"abc", algorithm="sm2-sm3") == f"sm3=:{base64.b64encode(sm3).decode()}:"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_fits_its_message_and_key_alone(algorithm: str) -> None:
    key = SoftwareKey.generate(key_id="a", algorithm=algorithm)
    other = SoftwareKey.generate(key_id="b", algorithm=algorithm)
    signature = key.sign(b"message")
    assert len(signature) == 64
    assert key.verifier().verify(b"message", signature)
    assert not key.verifier().verify(b"messagf", signature)
    assert not other.verifier().verify(b"message", signature)
    for bad in (b"", signature[:-1], signature + b"\0", bytes(64), b"\xff" * 64):
        assert not key.verifier().verify(b"message", bad)


@given(st.binary(max_size=80))
def test_no_bytes_pass_for_der_that_are_not_its_one_form(data: bytes) -> None:
    try:
        found = sm2.from_der(data)
    except ValueError:
        return
    assert sm2.to_der(found) == data


@given(st.integers(1, sm2.ORDER - 1), st.integers(1, sm2.ORDER - 1))
def test_der_of_a_signature_is_read_back(r: int, s: int) -> None:
    raw = r.to_bytes(32) + s.to_bytes(32)
    assert sm2.from_der(sm2.to_der(raw)) == raw
    with pytest.raises(ValueError):
        sm2.from_der(sm2.to_der(raw) + b"\0")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_read_from_its_file_when_nobody_else_can_read_it(tmp_path: Path, algorithm: str) -> None:
    key = SoftwareKey.generate(key_id="housing/1", algorithm=algorithm)
    path = tmp_path / "a.key"
    key.write(path)
    assert SoftwareKey.read(path).public == key.public
    with pytest.raises(FileExistsError):
        key.write(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="others"):
        SoftwareKey.read(path)
    assert "secret" not in repr(key)


@pytest.mark.parametrize(
    ("algorithm", "public"),
    [("rsa", "AAAA"), ("ed25519", "AAAA"), ("ed25519", "!"), ("sm2-sm3", base64.b64encode(b"\4" + bytes(64)).decode())],
)
def test_what_is_no_public_key_is_refused(algorithm: str, public: str) -> None:
    with pytest.raises(KeyFileError):
        verifier(algorithm=algorithm, public=public)


REQUEST = profile.Request("GET", "a:1", "/births/list", "application/json", "sha-256=:x:", "grant", "message-1")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "part", ["method", "authority", "target", "content_type", "content_digest", "grant", "message"]
)
def test_each_covered_part_of_a_request_is_bound_by_its_signature(algorithm: str, part: str) -> None:
    key = SoftwareKey.generate(key_id="k", algorithm=algorithm)
    signed = profile.sign_request(REQUEST, signer=key, created=1764000000, nonce="n" * 22)
    profile.check_request(REQUEST, signed, verifier=key.verifier())
    values = {name: getattr(REQUEST, name) for name in REQUEST.__slots__} | {part: "other"}
    with pytest.raises(Refusal, match="signature_invalid"):
        profile.check_request(profile.Request(**values), signed, verifier=key.verifier())


@pytest.mark.parametrize("change", ["created", "nonce", "keyid"])
def test_each_parameter_is_bound_by_its_signature(change: str) -> None:
    key = SoftwareKey.generate(key_id="k")
    signed = profile.sign_request(REQUEST, signer=key, created=1764000000, nonce="n" * 22)
    text = {"created": ("1764000000", "1764000001"), "nonce": ("n" * 22, "m" * 22), "keyid": ('"k"', '"l"')}[change]
    headers = signed.headers()
    headers["signature-input"] = headers["signature-input"].replace(*text)
    with pytest.raises(Refusal, match="signature_invalid"):
        profile.check_request(REQUEST, profile.read_signature(headers), verifier=key.verifier())


def test_a_reply_fits_the_one_request_it_was_signed_for() -> None:
    key = SoftwareKey.generate(key_id="k")
    asked = [profile.sign_request(REQUEST, signer=key, created=1764000000, nonce=c * 22) for c in "ab"]
    reply = profile.Reply(200, "application/json", "sha-256=:y:", "index=1")
    signed = profile.sign_reply(reply, request=REQUEST, signed=asked[0], signer=key, created=1764000000)
    profile.check_reply(reply, signed, request=REQUEST, asked=asked[0], verifier=key.verifier())
    with pytest.raises(Refusal, match="signature_invalid"):
        profile.check_reply(reply, signed, request=REQUEST, asked=asked[1], verifier=key.verifier())
    other = profile.Reply(404, "application/json", "sha-256=:y:", "index=1")
    with pytest.raises(Refusal, match="signature_invalid"):
        profile.check_reply(other, signed, request=REQUEST, asked=asked[0], verifier=key.verifier())


def test_a_key_of_small_order_under_which_one_signature_fits_any_message_verifies_nothing() -> None:
    for point in (b"\1" + bytes(31), bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f"):
        key = verifier(algorithm="ed25519", public=base64.b64encode(point).decode())
        assert not key.verify(b"message", point + bytes(32))
        assert not key.verify(b"messagf", point + bytes(32))
