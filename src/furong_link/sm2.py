"""SM2 signatures (GB/T 32918.2) with SM3, by OpenSSL's libcrypto or, where it is installed, by libippcp (`ippcp`), which is
several times as fast. No curve arithmetic of our own.

A signature is r ‖ s, 64 bytes, as GM/T 0009 and the profile want it; libcrypto speaks DER, which is read strictly. The
digest that is signed is SM3(Z ‖ message), and Z, which binds the distinguishing id, the curve and the public key (GB/T
32918.2 section 5.5), is hashed here once a key: so a key's contexts are kept, and a signature is one call. The id is
always set: OpenSSL before 4.0 takes an empty one by default.
"""

from __future__ import annotations

from hashlib import new as new_hash

from furong_link import ippcp
from furong_link.errors import KeyFileError
from furong_link.libcrypto import KeptKey, read_key

DISTINGUISHING_ID = b"1234567812345678"  # GM/T 0009-2012 section 10
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
# a, b and the base point of sm2p256v1 (GB/T 32918.5-2017), as they stand in Z.
_CURVE = bytes.fromhex(
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
)
# SubjectPublicKeyInfo and PKCS #8 of a key on sm2p256v1 differ from one another only in the key itself.
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_PKCS8 = bytes.fromhex("3041020100301306072a8648ce3d020106082a811ccf5501822d0427302502010104 20".replace(" ", ""))


def _start(point: bytes) -> bytes:
    """Z: what every message under this key is hashed after."""
    identity = (8 * len(DISTINGUISHING_ID)).to_bytes(2) + DISTINGUISHING_ID
    return new_hash("sm3", identity + _CURVE + point[1:]).digest()


class PublicKey:
    """An SM2 public key. ``point`` is uncompressed: 04 ‖ x ‖ y, 65 bytes. Threads may share it."""

    def __init__(self, point: bytes) -> None:
        if len(point) != 65 or point[0] != 4:
            raise KeyFileError("A public key of SM2 is an uncompressed point of 65 bytes.")
        self.point, self._start = point, _start(point)
        self._key = KeptKey(
            read_key("d2i_PUBKEY", _SPKI + point), sign=False
        )  # also where it is not used: it looks at the point
        self._fast = _Fast(point=point[1:])

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Say whether ``signature`` (r ‖ s) fits; False for whatever is out of range. About 110 µs, or 330 by libcrypto."""
        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        if not (0 < r < ORDER and 0 < s < ORDER):
            return False
        digest = new_hash("sm3", self._start + message).digest()
        fast = self._fast.take()
        if fast is None:
            return self._key.verify(digest, to_der(signature))
        try:
            return fast.verify(digest, signature)
        finally:
            self._fast.give(fast)

    @property
    def computes_beside(self) -> bool:
        """Whether other threads run while it computes, and long enough for it to be worth a thread."""
        return not self._fast.is_there


class PrivateKey:
    """An SM2 private key: an integer of 32 bytes, big-endian, from 1 to the order less two. Threads may share it."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32 or not 0 < int.from_bytes(secret) < ORDER - 1:
            raise KeyFileError("A private key of SM2 is an integer of 32 bytes within the order.")
        self.secret = secret
        self._key = KeptKey(read_key("d2i_AutoPrivateKey", _PKCS8 + secret), sign=True)
        self.point = self._key.public_der(len(_SPKI) + 65)[len(_SPKI) :]
        self._start = _start(self.point)
        self._fast = _Fast(secret=secret)

    def sign(self, message: bytes) -> bytes:
        """Give r ‖ s over ``message``. About 40 µs, or 370 by libcrypto."""
        digest = new_hash("sm3", self._start + message).digest()
        fast = self._fast.take()
        if fast is None:
            return from_der(self._key.sign(digest))
        try:
            return fast.sign(digest)
        finally:
            self._fast.give(fast)

    @property
    def computes_beside(self) -> bool:
        """As of a public key."""
        return not self._fast.is_there


class _Fast:
    """Contexts of libippcp for one key, each used by one thread at a time; none where the library is not there."""

    __slots__ = ("_idle", "_point", "_secret", "is_there")

    def __init__(self, *, point: bytes = b"", secret: bytes = b"") -> None:
        self._point, self._secret = point, secret
        self._idle: list[ippcp.Key] = []
        self.is_there = ippcp.library() is not None

    def take(self) -> ippcp.Key | None:
        lib = ippcp.library() if self.is_there else None
        if lib is None:
            return None
        try:
            return self._idle.pop()
        except IndexError:
            return ippcp.Key(lib, point=self._point, secret=self._secret)

    def give(self, key: ippcp.Key) -> None:
        self._idle.append(key)


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
