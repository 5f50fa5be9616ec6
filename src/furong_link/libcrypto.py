"""OpenSSL's libcrypto through ctypes: keys and signatures that keep their contexts. No arithmetic of our own.

Two views of one library: calls that compute for long are made without the interpreter's lock (``CDLL``), so that other
threads run meanwhile; calls of a microsecond keep it (``PyDLL``), because giving it up costs more than they do.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import byref, c_char_p, c_int, c_long, c_size_t, c_void_p
from functools import lru_cache
from typing import Any

from furong_link.errors import KeyFileError, LibcryptoError

_SHORT: tuple[tuple[str, Any, list[Any]], ...] = (
    ("EVP_PKEY_CTX_new", c_void_p, [c_void_p, c_void_p]),
    ("EVP_PKEY_CTX_free", None, [c_void_p]),
    ("EVP_PKEY_free", None, [c_void_p]),
    ("EVP_PKEY_sign_init", c_int, [c_void_p]),
    ("EVP_PKEY_verify_init", c_int, [c_void_p]),
    ("d2i_AutoPrivateKey", c_void_p, [c_void_p, c_void_p, c_long]),
    ("d2i_PUBKEY", c_void_p, [c_void_p, c_void_p, c_long]),
    ("i2d_PUBKEY", c_int, [c_void_p, c_void_p]),
    ("ERR_clear_error", None, []),
)
_LONG: tuple[tuple[str, Any, list[Any]], ...] = (
    ("EVP_PKEY_sign", c_int, [c_void_p, c_char_p, c_void_p, c_char_p, c_size_t]),
    ("EVP_PKEY_verify", c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
)


@lru_cache(maxsize=1)
def libraries() -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    """Give the library without the interpreter's lock (for long calls) and with it. Raises LibcryptoError."""
    name = ctypes.util.find_library("crypto")
    if name is None:
        raise LibcryptoError("libcrypto of OpenSSL 3 was not found here; SM2 needs it.")
    free, locked = ctypes.CDLL(name), ctypes.PyDLL(name)
    try:
        for library, functions in ((locked, _SHORT), (free, _LONG)):
            for function, result, arguments in functions:
                found = getattr(library, function)
                found.restype, found.argtypes = result, arguments
        if not hasattr(locked, "EVP_PKEY_CTX_set1_id"):
            raise AttributeError("EVP_PKEY_CTX_set1_id")
    except AttributeError as error:
        raise LibcryptoError("This libcrypto has no SM2; OpenSSL 3 or newer has.") from error
    return free, locked


def read_key(decoder: str, der: bytes) -> int:
    """Give the EVP_PKEY of ``der``, read whole by ``decoder``. Raises KeyFileError."""
    _, locked = libraries()
    start = ctypes.create_string_buffer(der, len(der))
    at = c_void_p(ctypes.addressof(start))
    key = getattr(locked, decoder)(None, byref(at), len(der))
    if not key or at.value != ctypes.addressof(start) + len(der):
        locked.ERR_clear_error()
        raise KeyFileError("This is not a key of SM2.")
    return int(key)


class KeptKey:
    """An EVP_PKEY with contexts for one operation, each of which one thread uses at a time and gives back."""

    __slots__ = ("_begin", "_idle", "_sign", "_verify", "key")

    def __init__(self, key: int, *, sign: bool) -> None:
        free, locked = libraries()
        self.key = key
        self._begin = locked.EVP_PKEY_sign_init if sign else locked.EVP_PKEY_verify_init
        self._sign, self._verify = free.EVP_PKEY_sign, free.EVP_PKEY_verify
        self._idle: list[int] = []

    def _take(self) -> int:
        try:
            return self._idle.pop()
        except IndexError:
            _, locked = libraries()
            context = locked.EVP_PKEY_CTX_new(self.key, None)
            if not context or self._begin(context) != 1:
                locked.EVP_PKEY_CTX_free(context)
                locked.ERR_clear_error()
                raise LibcryptoError("libcrypto refused to begin with SM2.") from None
            return int(context)

    def sign(self, digest: bytes) -> bytes:
        """Give the DER signature over ``digest``. Raises LibcryptoError."""
        room, length, context = ctypes.create_string_buffer(80), c_size_t(80), self._take()
        done = self._sign(context, ctypes.cast(room, c_char_p), byref(length), digest, len(digest)) == 1
        if not done:
            self._drop(context)
            raise LibcryptoError("libcrypto refused to sign.")
        self._idle.append(context)
        return room.raw[: length.value]

    def verify(self, digest: bytes, signature: bytes) -> bool:
        """Say whether the DER ``signature`` is of ``digest``."""
        context = self._take()
        if self._verify(context, signature, len(signature), digest, len(digest)) == 1:
            self._idle.append(context)
            return True
        self._drop(context)  # nothing of a failure is left for the next
        return False

    def _drop(self, context: int) -> None:
        _, locked = libraries()
        locked.EVP_PKEY_CTX_free(context)
        locked.ERR_clear_error()

    def public_der(self, size: int) -> bytes:
        """Give the SubjectPublicKeyInfo, which has ``size`` bytes. Raises LibcryptoError."""
        der = ctypes.create_string_buffer(size)
        at = c_void_p(ctypes.addressof(der))
        if libraries()[1].i2d_PUBKEY(self.key, byref(at)) != size:
            raise LibcryptoError("libcrypto gave no public key.")
        return der.raw

    def __del__(self) -> None:
        _, locked = libraries()
        for context in self._idle:
            locked.EVP_PKEY_CTX_free(context)
        locked.EVP_PKEY_free(self.key)
