"""SM2 by Intel's Cryptography Primitives Library (libippcp, Apache-2.0), where its package ``ipp-crypto`` is installed.

It signs in a tenth and verifies in a third of the time of OpenSSL's libcrypto, which has no code of its own for this curve.
Its makers state that what is secret (the key and the one-time number) is computed on in constant time; the one-time number of a
signature is drawn here from the system. No arithmetic of our own. Whether a point is a key is asked of OpenSSL (`sm2`), and
before the library is used at all it must verify the signature that GB/T 32918.5 gives as its example, and refuse another.
"""

from __future__ import annotations

import ctypes
import os
import secrets
from ctypes import byref, c_char_p, c_int, c_void_p
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from furong_link.errors import KeyFileError, LibcryptoError

CHOICE = "FURONG_LINK_SM2"  # in the environment: "openssl" has this library left alone
PACKAGE, LIBRARY = "ipp-crypto", "libippcp.so"
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_ORDER = ORDER.to_bytes(32)
_ALIGN = 64
_EPHEMERAL_KEY_ERROR = -1012
_FUNCTIONS: tuple[tuple[str, Any, list[Any]], ...] = (
    ("ippcpInit", c_int, []),
    ("ippsGFpMethod_p256sm2", c_void_p, []),
    ("ippsGFpGetSize", c_int, [c_int, c_void_p]),
    ("ippsGFpInitFixed", c_int, [c_int, c_void_p, c_void_p]),
    ("ippsGFpECGetSize", c_int, [c_void_p, c_void_p]),
    ("ippsGFpECInitStdSM2", c_int, [c_void_p, c_void_p]),
    ("ippsGFpECBindGxyTblStdSM2", c_int, [c_void_p]),
    ("ippsGFpECScratchBufferSize", c_int, [c_int, c_void_p, c_void_p]),
    ("ippsGFpECPointGetSize", c_int, [c_void_p, c_void_p]),
    ("ippsGFpECPointInit", c_int, [c_void_p, c_void_p, c_void_p, c_void_p]),
    ("ippsGFpECSetPointRegular", c_int, [c_void_p, c_void_p, c_void_p, c_void_p]),
    ("ippsBigNumGetSize", c_int, [c_int, c_void_p]),
    ("ippsBigNumInit", c_int, [c_int, c_void_p]),
    ("ippsSetOctString_BN", c_int, [c_char_p, c_int, c_void_p]),
    ("ippsGetOctString_BN", c_int, [c_void_p, c_int, c_void_p]),
    ("ippsGFpECSignSM2", c_int, [c_void_p] * 7),
    ("ippsGFpECVerifySM2", c_int, [c_void_p] * 7),
)
# GB/T 32918.5-2017 appendix A.2: the public key, SM3(Z ‖ "message digest"), and the signature.
_POINT = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
_DIGEST = bytes.fromhex("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640")
_SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


@lru_cache(maxsize=1)
def library() -> ctypes.PyDLL | None:
    """Give the library, or None where it is not installed, not wanted, or does not do what the standard says."""
    if os.environ.get(CHOICE, "") == "openssl":
        return None
    try:
        files = distribution(PACKAGE).files or ()
        path = next((str(one.locate()) for one in files if one.name == LIBRARY), None)
        found = ctypes.PyDLL(path) if path else None
    except (PackageNotFoundError, OSError):
        return None
    if found is None:
        return None
    try:
        for name, result, arguments in _FUNCTIONS:
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
        if found.ippcpInit() < 0:
            return None
        probe = Key(found, point=_POINT)
        sound = probe.verify(_DIGEST, _SIGNATURE) and not probe.verify(_DIGEST, _SIGNATURE[:-1] + b"\0")
    except (AttributeError, LibcryptoError, KeyFileError):
        return None
    return found if sound else None


class _Room:
    """Aligned memory for one of the library's structures."""

    __slots__ = ("_held", "at")

    def __init__(self, size: int) -> None:
        self._held = ctypes.create_string_buffer(size + _ALIGN)
        self.at = (ctypes.addressof(self._held) + _ALIGN - 1) // _ALIGN * _ALIGN


class Key:
    """A public key (``point``: x ‖ y) or a private one (``secret``: 32 bytes), with a context of its own.

    For one thread at a time: calls keep the interpreter's lock, because they cost less than handing it over.
    """

    __slots__ = (
        "_curve",
        "_digest",
        "_field",
        "_lib",
        "_number",
        "_out",
        "_point",
        "_r",
        "_result",
        "_s",
        "_scratch",
        "_secret",
    )

    def __init__(self, lib: ctypes.PyDLL, *, point: bytes = b"", secret: bytes = b"") -> None:
        self._lib = lib
        self._field = _Room(self._size(lib.ippsGFpGetSize, 256))
        _check(lib.ippsGFpInitFixed(256, lib.ippsGFpMethod_p256sm2(), self._field.at))
        self._curve = _Room(self._size(lib.ippsGFpECGetSize, self._field.at))
        _check(lib.ippsGFpECInitStdSM2(self._field.at, self._curve.at))
        _check(lib.ippsGFpECBindGxyTblStdSM2(self._curve.at))
        self._scratch = _Room(self._size(lib.ippsGFpECScratchBufferSize, 2, self._curve.at))
        self._digest, self._r, self._s, self._number = (self._new_number() for _ in range(4))
        self._out, self._result = ctypes.create_string_buffer(32), c_int()
        self._point: _Room | None = None
        self._secret: _Room | None = None
        if point:
            x, y = self._new_number(point[:32]), self._new_number(point[32:])
            self._point = _Room(self._size(lib.ippsGFpECPointGetSize, self._curve.at))
            _check(lib.ippsGFpECPointInit(None, None, self._point.at, self._curve.at))
            _check(lib.ippsGFpECSetPointRegular(x.at, y.at, self._point.at, self._curve.at))
        if secret:
            self._secret = self._new_number(secret)

    @staticmethod
    def _size(function: Any, *given: Any) -> int:
        found = c_int()
        _check(function(*given, byref(found)))
        return found.value

    def _new_number(self, value: bytes = b"") -> _Room:
        room = _Room(self._size(self._lib.ippsBigNumGetSize, 8))
        _check(self._lib.ippsBigNumInit(8, room.at))
        if value:
            self._set(room, value)
        return room

    def _set(self, room: _Room, value: bytes) -> None:
        _check(self._lib.ippsSetOctString_BN(value, len(value), room.at))

    def verify(self, digest: bytes, signature: bytes) -> bool:
        """Say whether ``signature`` (r ‖ s, each within the order) is of ``digest``. About 110 µs."""
        if self._point is None:
            raise TypeError("A private key verifies nothing.")
        lib = self._lib
        self._set(self._digest, _within_order(digest))
        self._set(self._r, signature[:32])
        self._set(self._s, signature[32:])
        status = lib.ippsGFpECVerifySM2(
            self._digest.at,
            self._point.at,
            self._r.at,
            self._s.at,
            byref(self._result),
            self._curve.at,
            self._scratch.at,
        )
        return status == 0 and self._result.value == 0  # ippECValid

    def sign(self, digest: bytes) -> bytes:
        """Give r ‖ s over ``digest``. About 40 µs. Raises LibcryptoError."""
        if self._secret is None:
            raise TypeError("A public key signs nothing.")
        lib, status = self._lib, _EPHEMERAL_KEY_ERROR
        self._set(self._digest, _within_order(digest))
        for _ in range(8):
            number = secrets.token_bytes(32)
            if not b"\0" * 32 < number < _ORDER:
                continue  # once in four thousand million times
            self._set(self._number, number)
            status = lib.ippsGFpECSignSM2(
                self._digest.at,
                self._secret.at,
                self._number.at,
                self._r.at,
                self._s.at,
                self._curve.at,
                self._scratch.at,
            )
            if status == 0:
                return self._get(self._r) + self._get(self._s)
        raise LibcryptoError(f"libippcp refused to sign ({status}).")

    def _get(self, room: _Room) -> bytes:
        _check(self._lib.ippsGetOctString_BN(self._out, 32, room.at))
        return self._out.raw


def _within_order(digest: bytes) -> bytes:
    """The digest as a number below the order, as the library wants it; the signature is the same."""
    return digest if digest < _ORDER else (int.from_bytes(digest) % ORDER).to_bytes(32)


def _check(status: int) -> None:
    if status != 0:
        raise LibcryptoError(f"libippcp refused ({status}).")
