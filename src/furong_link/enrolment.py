"""How a gateway becomes known to the centre: a code, a sealed request, a fingerprint that two people compare. Pure.

The operator gives the member a one-time code by another way than the network. Both sides make a secret from it, under which
the gateway seals its request and the centre its answer: so the centre knows that the holder of the code asks, and the gateway
that the operator's key it is given is the operator's. The request is also signed by the gateway's own key, which proves that
it holds it. Nothing is in force before the operator has compared the fingerprint and approved.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from furong_link.errors import ConfigurationError, KeyFileError
from furong_link.keys import SUITES, Signer, verifier

CONTEXT = b"furong.exchange.enrolment.v1\0"
# Base 32 without 0, 1, I and O, which are misread; sixteen of them hold 80 bits.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LENGTH = 16
GATEWAY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
AUTHORITY = re.compile(r"[a-z0-9.-]{1,253}(:\d{1,5})?")
ADDRESS = re.compile(r"https?://[a-z0-9.-]{1,253}(:\d{1,5})?")


def new_code() -> str:
    """Make a code, in groups of four."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(text[at : at + 4] for at in range(0, LENGTH, 4))


def _plain(code: str) -> str:
    text = re.sub(r"[\s-]", "", code).upper()
    if len(text) != LENGTH or any(letter not in ALPHABET for letter in text):
        raise ConfigurationError("This is no enrolment code: it has four groups of four letters and digits.")
    return text


def place_of(code: str) -> str:
    """Give what a code is found by; it tells nothing of the code. Raises ConfigurationError when it is none."""
    return sha256(CONTEXT + b"place" + _plain(code).encode()).hexdigest()[:32]


def secret_of(code: str) -> bytes:
    """Give the secret under which requests and answers are sealed. Raises ConfigurationError when it is no code."""
    return sha256(CONTEXT + b"secret" + _plain(code).encode()).digest()


def fingerprint(*, algorithm: str, public: str) -> str:
    """Give a public key's fingerprint as people read it out: eight groups of four (SHA-256, the first 16 bytes)."""
    try:
        raw = b64decode(public, validate=True)
    except Base64Error as error:
        raise KeyFileError("A public key is written in base64.") from error
    text = sha256(algorithm.encode() + b"\0" + raw).hexdigest()[:32]
    return " ".join(text[at : at + 4] for at in range(0, 32, 4))


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a gateway says of itself. ``address`` is where the centre reaches it; ``authority`` what callers sign for."""

    id: str
    authority: str
    address: str
    key_id: str
    algorithm: str
    public: str
    software: str

    def as_json(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


def seal_request(request: Request, *, code: str, signer: Signer) -> dict[str, Any]:
    """Give a request as it is sent: found by the code's place, sealed under its secret, signed by the gateway's own key."""
    text = _canonical(request.as_json())
    return {
        "place": place_of(code),
        "request": request.as_json(),
        "proof": b64encode(signer.sign(CONTEXT + b"proof" + text)).decode(),
        "seal": hmac.new(secret_of(code), b"request" + text, sha256).hexdigest(),
    }


def read_request(sent: Mapping[str, Any], *, secret: bytes) -> Request:
    """Read and check a request. Raises ConfigurationError, whichever part of it does not hold."""
    wrong = ConfigurationError("This is no request that the code sealed.")
    try:
        found = Request(**{str(name): str(value) for name, value in sent["request"].items()})
        text = _canonical(found.as_json())
        proof = b64decode(sent["proof"], validate=True)
        sealed = hmac.new(secret, b"request" + text, sha256).hexdigest()
        known = verifier(algorithm=found.algorithm, public=found.public)
    except (KeyError, TypeError, ValueError, AttributeError, KeyFileError) as error:
        raise wrong from error
    if not hmac.compare_digest(sealed, str(sent.get("seal", ""))):
        raise wrong
    if found.algorithm not in SUITES or not known.verify(CONTEXT + b"proof" + text, proof):
        raise wrong
    if not (
        GATEWAY_ID.fullmatch(found.id)
        and AUTHORITY.fullmatch(found.authority)
        and ADDRESS.fullmatch(found.address)
        and found.key_id == key_id_of(found.id)
        and len(found.software) <= 40
    ):
        raise wrong
    return found


def key_id_of(gateway: str, number: int = 1) -> str:
    """Give the name of a gateway's key."""
    return f"{gateway}/gateway/{number}"


def seal_answer(answer: Mapping[str, Any], *, secret: bytes) -> dict[str, Any]:
    """Give the centre's answer (exchange, member, the operator's key) sealed under the code's secret."""
    return {"answer": dict(answer), "seal": hmac.new(secret, b"answer" + _canonical(answer), sha256).hexdigest()}


def read_answer(sent: Mapping[str, Any], *, code: str) -> dict[str, Any]:
    """Read the centre's answer. Raises ConfigurationError when the holder of the code did not seal it."""
    answer = sent.get("answer")
    if not isinstance(answer, dict):
        raise ConfigurationError("The centre's answer is not of the form.")
    sealed = hmac.new(secret_of(code), b"answer" + _canonical(answer), sha256).hexdigest()
    if not hmac.compare_digest(sealed, str(sent.get("seal", ""))):
        raise ConfigurationError("The answer does not come from whoever made the code: is this the centre's address?")
    return answer
