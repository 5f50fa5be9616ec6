"""SM2 signatures (GB/T 32918.2) with SM3, by OpenSSL's libcrypto through ctypes. No curve arithmetic of our own.

A signature is r ‖ s, 64 bytes, as GM/T 0009 and the profile want it; libcrypto speaks DER, which is read strictly. The
distinguishing id is always set: OpenSSL before 4.0 takes an empty one by default.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import byref, c_char_p, c_int, c_long, c_size_t, c_void_p
from functools import lru_cache

from furong_link.errors import KeyFileError, LibcryptoError

DISTINGUISHING_ID = b"1234567812345678"  # GM/T 0009-2012 section 10
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
# SubjectPublicKeyInfo and PKCS #8 of a key on sm2p256v1 differ from one another only in the key itself.
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_PKCS8 = bytes.fromhex("3041020100301306072a8648ce3d020106082a811ccf5501822d0427302502010104 20".replace(" ", ""))


@lru_cache(maxsize=1)
def _libcrypto() -> ctypes.CDLL:
    name = ctypes.util.find_library("crypto")
    if name is None:
        raise LibcryptoError("libcrypto of OpenSSL 3 was not found here; SM2 needs it.")
    library = ctypes.CDLL(name)
    try:
        for function, result, arguments in (
            ("EVP_sm3", c_void_p, []),
            ("EVP_MD_CTX_new", c_void_p, []),
            ("EVP_MD_CTX_free", None, [c_void_p]),
            ("EVP_PKEY_CTX_new", c_void_p, [c_void_p, c_void_p]),
            ("EVP_PKEY_CTX_free", None, [c_void_p]),
            ("EVP_PKEY_free", None, [c_void_p]),
            ("EVP_PKEY_CTX_set1_id", c_int, [c_void_p, c_char_p, c_int]),
            ("EVP_MD_CTX_set_pkey_ctx", None, [c_void_p, c_void_p]),
            ("EVP_DigestSignInit", c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
            ("EVP_DigestSign", c_int, [c_void_p, c_char_p, c_void_p, c_char_p, c_size_t]),
            ("EVP_DigestVerifyInit", c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
            ("EVP_DigestVerify", c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
            ("d2i_AutoPrivateKey", c_void_p, [c_void_p, c_void_p, c_long]),
            ("d2i_PUBKEY", c_void_p, [c_void_p, c_void_p, c_long]),
            ("i2d_PUBKEY", c_int, [c_void_p, c_void_p]),
            ("ERR_clear_error", None, []),
        ):
            found = getattr(library, function)
            found.restype, found.argtypes = result, arguments
    except AttributeError as error:
        raise LibcryptoError("This libcrypto has no SM2; OpenSSL 3 or newer has.") from error
    return library


def _read(decoder: str, der: bytes) -> int:
    library = _libcrypto()
    start = ctypes.create_string_buffer(der, len(der))
    at = c_void_p(ctypes.addressof(start))
    key = getattr(library, decoder)(None, byref(at), len(der))
    if not key or at.value != ctypes.addressof(start) + len(der):
        library.ERR_clear_error()
        raise KeyFileError("This is not a key of SM2.")
    return int(key)


class _Context:
    """A digest context bound to a key and the distinguishing id, for one operation."""

    def __init__(self, key: int, *, sign: bool) -> None:
        library = self.library = _libcrypto()
        self.digest = library.EVP_MD_CTX_new()
        self.pkey = library.EVP_PKEY_CTX_new(key, None)
        library.EVP_MD_CTX_set_pkey_ctx(self.digest, self.pkey)
        begin = library.EVP_DigestSignInit if sign else library.EVP_DigestVerifyInit
        if (
            library.EVP_PKEY_CTX_set1_id(self.pkey, DISTINGUISHING_ID, len(DISTINGUISHING_ID)) != 1
            or begin(self.digest, None, library.EVP_sm3(), None, key) != 1
        ):
            self.close()
            library.ERR_clear_error()
            raise LibcryptoError("libcrypto refused to begin with SM2.")

    def close(self) -> None:
        self.library.EVP_MD_CTX_free(self.digest)
        self.library.EVP_PKEY_CTX_free(self.pkey)

    def __enter__(self) -> _Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class PublicKey:
    """An SM2 public key. ``point`` is uncompressed: 04 ‖ x ‖ y, 65 bytes."""

    def __init__(self, point: bytes) -> None:
        if len(point) != 65 or point[0] != 4:
            raise KeyFileError("A public key of SM2 is an uncompressed point of 65 bytes.")
        self.point = point
        self._key = _read("d2i_PUBKEY", _SPKI + point)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Say whether ``signature`` (r ‖ s) fits; False for whatever is out of range. About 330 µs."""
        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        if not (0 < r < ORDER and 0 < s < ORDER):
            return False
        der = to_der(signature)
        with _Context(self._key, sign=False) as context:
            fits: bool = context.library.EVP_DigestVerify(context.digest, der, len(der), message, len(message)) == 1
            if not fits:
                context.library.ERR_clear_error()
            return fits

    def __del__(self) -> None:
        if getattr(self, "_key", 0):
            _libcrypto().EVP_PKEY_free(self._key)


class PrivateKey:
    """An SM2 private key: an integer of 32 bytes, big-endian, from 1 to the order less two."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32 or not 0 < int.from_bytes(secret) < ORDER - 1:
            raise KeyFileError("A private key of SM2 is an integer of 32 bytes within the order.")
        self.secret = secret
        self._key = _read("d2i_AutoPrivateKey", _PKCS8 + secret)
        der = ctypes.create_string_buffer(len(_SPKI) + 65)
        at = c_void_p(ctypes.addressof(der))
        if _libcrypto().i2d_PUBKEY(self._key, byref(at)) != len(der):
            raise LibcryptoError("libcrypto gave no public key.")
        self.point = der.raw[len(_SPKI) :]

    def sign(self, message: bytes) -> bytes:
        """Give r ‖ s over ``message``. About 370 µs."""
        with _Context(self._key, sign=True) as context:
            room = ctypes.create_string_buffer(80)
            length = c_size_t(80)
            if context.library.EVP_DigestSign(context.digest, room, byref(length), message, len(message)) != 1:
                context.library.ERR_clear_error()
                raise LibcryptoError("libcrypto refused to sign.")
            return from_der(room.raw[: length.value])

    def __del__(self) -> None:
        if getattr(self, "_key", 0):
            _libcrypto().EVP_PKEY_free(self._key)


def to_der(signature: bytes) -> bytes:
    """Give the DER of r ‖ s."""
    parts = b""
    for half in (signature[:32], signature[32:]):
        number = half.lstrip(b"\0") or b"\0"
        if number[0] & 0x80:
            number = b"\0" + number
        parts += bytes((2, len(number))) + number
    return bytes((0x30, len(parts))) + parts


def from_der(der: bytes) -> bytes:
    """Give r ‖ s of a DER signature. Raises ValueError for trailing bytes, other forms and values out of range."""
    if len(der) < 8 or der[0] != 0x30 or der[1] != len(der) - 2:
        raise ValueError("This is not the DER of a signature.")
    at, found = 2, b""
    for _ in range(2):
        if at + 2 > len(der) or der[at] != 2:
            raise ValueError("This is not the DER of a signature.")
        number = der[at + 2 : at + 2 + der[at + 1]]
        at += 2 + der[at + 1]
        if not 0 < int.from_bytes(number) < ORDER:
            raise ValueError("A value of the signature is out of range.")
        found += int.from_bytes(number).to_bytes(32)
    if at != len(der) or to_der(found) != der:
        raise ValueError("This is not the one DER of a signature.")
    return found
