"""The exchange's one profile of RFC 9421 (message signatures) and RFC 9530 (digests): pure, no I/O, no clock.

A request covers method, authority, target, content type, digest, grant and message id; its parameters carry time, nonce,
key and algorithm. A reply covers status, content type, digest and its record in the gateway's log, and of the request it
answers the method, the target, the digest and the signature, so a reply fits one request and no other.

There is one signature a message, labelled ``furong``, in one serialisation. The hot path matches exactly that; what does
not match is parsed in full to say which of the two it is: malformed, or outside the profile.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass

from furong_link.errors import Refusal
from furong_link.fields import FieldError, InnerList, Item, parse_dictionary
from furong_link.keys import SUITES, Signer, Verifier

LABEL = "furong"
JSON = "application/json"
REQUEST_TAG = "furong-exchange-v1"
REPLY_TAG = "furong-exchange-reply-v1"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
SKEW_SECONDS = 60

REQUEST_COMPONENTS = (
    '("@method" "@authority" "@request-target" "content-type" "content-digest" "furong-grant" "furong-message")'
)
REPLY_COMPONENTS = (
    '("@status" "content-type" "content-digest" "furong-record" "@method";req "@request-target";req'
    ' "content-digest";req "signature";req;key="furong")'
)
KEY_ID = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}"
_REQUEST_INPUT = re.compile(
    re.escape(f"{LABEL}={REQUEST_COMPONENTS}")
    + r';created=([1-9][0-9]{9});nonce="([A-Za-z0-9_-]{22})";keyid="('
    + KEY_ID
    + r')";alg="(ed25519|sm2-sm3)";tag="'
    + REQUEST_TAG
    + '"'
)
_REPLY_INPUT = re.compile(
    re.escape(f"{LABEL}={REPLY_COMPONENTS}")
    + r';created=([1-9][0-9]{9});keyid="('
    + KEY_ID
    + r')";alg="(ed25519|sm2-sm3)";tag="'
    + REPLY_TAG
    + '"'
)
_SIGNATURE = re.compile(LABEL + r"=:([A-Za-z0-9+/]{85}[AQgw]==):")
_DIGEST = re.compile(r"(sha-256|sm3)=:([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=):")
# A field value inside a signature base: visible ASCII with single inner spaces, so that it has one form on every hop.
VALUE = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
GRANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MESSAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}")


# Values that nobody changes. Not frozen: a frozen one costs three times as much to make, and a message makes many.
@dataclass(slots=True)
class Request:
    """What a request's signature covers, as it is on the wire."""

    method: str
    authority: str
    target: str
    content_type: str
    content_digest: str
    grant: str
    message: str

    def base(self, parameters: str) -> bytes:
        """Give the signature base (RFC 9421 section 2.5) with ``parameters`` as the value of @signature-params."""
        return (
            f'"@method": {self.method}\n"@authority": {self.authority}\n"@request-target": {self.target}\n'
            f'"content-type": {self.content_type}\n"content-digest": {self.content_digest}\n'
            f'"furong-grant": {self.grant}\n"furong-message": {self.message}\n"@signature-params": {parameters}'
        ).encode("ascii")


@dataclass(slots=True)
class Reply:
    """What a reply's signature covers of the reply itself."""

    status: int
    content_type: str
    content_digest: str
    record: str

    def base(self, parameters: str, *, request: Request, signature: str) -> bytes:
        """Give the signature base; ``signature`` is the request's, in base64."""
        return (
            f'"@status": {self.status}\n"content-type": {self.content_type}\n"content-digest": {self.content_digest}\n'
            f'"furong-record": {self.record}\n"@method";req: {request.method}\n"@request-target";req: {request.target}\n'
            f'"content-digest";req: {request.content_digest}\n"signature";req;key="furong": :{signature}:\n'
            f'"@signature-params": {parameters}'
        ).encode("ascii")


@dataclass(slots=True)
class Signed:
    """The two signature fields, read: ``parameters`` verbatim, ``signature`` in base64. A reply has no nonce."""

    parameters: str
    created: int
    nonce: str
    key_id: str
    algorithm: str
    signature: str

    def headers(self) -> dict[str, str]:
        return {"signature-input": f"{LABEL}={self.parameters}", "signature": f"{LABEL}=:{self.signature}:"}


def content_digest(content: bytes, *, algorithm: str) -> str:
    """Give the Content-Digest of ``content`` in the digest that belongs to the signature's algorithm."""
    if not content:
        return _EMPTY[algorithm]
    suite = SUITES[algorithm]
    return f"{suite.digest}=:{_base64(suite.hash(content))}:"


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")


_EMPTY = {suite.algorithm: f"{suite.digest}=:{_base64(suite.hash(b''))}:" for suite in SUITES.values()}


def check_digest(field: str, content: bytes, *, algorithm: str) -> None:
    """Refuse a digest that is malformed, of another suite, or not of this content."""
    if not field:
        raise Refusal("digest_missing")
    if field == content_digest(content, algorithm=algorithm):
        return
    found = _DIGEST.fullmatch(field)
    if not found or found[1] != SUITES[algorithm].digest:
        raise Refusal("digest_malformed")
    raise Refusal("digest_mismatch")


def read_signature(headers: Mapping[str, str], *, reply: bool = False) -> Signed:
    """Read the two signature fields of a message. Refuses what is missing, malformed, or outside the profile."""
    given, signature = headers.get("signature-input", ""), headers.get("signature", "")
    if not given or not signature:
        raise Refusal("signature_missing")
    found = (_REPLY_INPUT if reply else _REQUEST_INPUT).fullmatch(given)
    value = _SIGNATURE.fullmatch(signature)
    if not found or not value:
        raise _why(given, signature, reply=reply)
    if reply:
        created, key_id, algorithm = found.groups()
        nonce = ""
    else:
        created, nonce, key_id, algorithm = found.groups()
    return Signed(given[len(LABEL) + 1 :], int(created), nonce, key_id, algorithm, value[1])


def _why(given: str, signature: str, *, reply: bool) -> Refusal:
    """Say why fields that the profile's one form does not match are refused: the slow path, with the strict parser."""
    try:
        inputs, values = parse_dictionary(given), parse_dictionary(signature)
    except FieldError as error:
        return Refusal("signature_malformed", str(error))
    for what, members in (("Signature-Input", inputs), ("Signature", values)):
        if list(members) != [LABEL]:
            return Refusal("signature_outside_profile", f"{what} has one member, {LABEL}.")
    value, member = values[LABEL], inputs[LABEL]
    if not isinstance(value, Item) or not isinstance(value.value, bytes) or len(value.value) != 64 or value.parameters:
        return Refusal("signature_outside_profile", "A signature is 64 bytes.")
    if not isinstance(member, InnerList):
        return Refusal("signature_outside_profile", "Signature-Input is a list of components.")
    order = ["created", "keyid", "alg", "tag"] if reply else ["created", "nonce", "keyid", "alg", "tag"]
    if list(member.parameters) != order:
        return Refusal("signature_outside_profile", f"The parameters are {', '.join(order)}, in this order.")
    return Refusal(
        "signature_outside_profile", "Components, their order, the values or their form differ from the profile."
    )


def check_values(request: Request) -> None:
    """Refuse values that could not stand in one line of a signature base in one form."""
    if request.method not in METHODS:
        raise Refusal("method_not_allowed")
    if not request.grant:
        raise Refusal("grant_missing")
    if not GRANT.fullmatch(request.grant):
        raise Refusal("grant_unknown")
    if not MESSAGE.fullmatch(request.message):
        raise Refusal("malformed_request", "Furong-Message is an id of 8 to 64 letters, digits and hyphens.")
    kind = request.content_type
    if kind != JSON and (not VALUE.fullmatch(kind) or len(kind) > 128):
        raise Refusal("malformed_request", "Content-Type is there, once, on every message.")


def begin_request(request: Request, *, signer: Signer, created: int, nonce: str) -> tuple[str, bytes]:
    """Give the parameters and the signature base of a request, to be signed by ``signer``."""
    parameters = (
        f'{REQUEST_COMPONENTS};created={created};nonce="{nonce}";keyid="{signer.key_id}"'
        f';alg="{signer.algorithm}";tag="{REQUEST_TAG}"'
    )
    return parameters, request.base(parameters)


def signed_as(parameters: str, *, signer: Signer, signature: bytes, created: int = 0, nonce: str = "") -> Signed:
    """Give the signature fields of what ``signer`` signed under ``parameters``."""
    return Signed(parameters, created, nonce, signer.key_id, signer.algorithm, _base64(signature))


def sign_request(request: Request, *, signer: Signer, created: int, nonce: str) -> Signed:
    """Sign a request. ``created`` is in Unix seconds, ``nonce`` 22 characters of base64url (16 random bytes)."""
    parameters, base = begin_request(request, signer=signer, created=created, nonce=nonce)
    return signed_as(parameters, signer=signer, signature=signer.sign(base), created=created, nonce=nonce)


def begin_reply(reply: Reply, *, request: Request, signed: Signed, signer: Signer, created: int) -> tuple[str, bytes]:
    """Give the parameters and the signature base of a reply to ``request``, which was ``signed``."""
    parameters = (
        f'{REPLY_COMPONENTS};created={created};keyid="{signer.key_id}";alg="{signer.algorithm}";tag="{REPLY_TAG}"'
    )
    return parameters, reply.base(parameters, request=request, signature=signed.signature)


def sign_reply(reply: Reply, *, request: Request, signed: Signed, signer: Signer, created: int) -> Signed:
    """Sign a reply to ``request``, which was ``signed``."""
    parameters, base = begin_reply(reply, request=request, signed=signed, signer=signer, created=created)
    return signed_as(parameters, signer=signer, signature=signer.sign(base), created=created)


@dataclass(frozen=True, slots=True)
class Record:
    """Where a gateway recorded an exchange. ``stale_seconds`` is None while its configuration was fresh."""

    log: str
    index: int
    leaf: bytes
    configuration: int | None
    stale_seconds: int | None


_RECORD = re.compile(
    r'log="([0-9a-f]{32})", index=(0|[1-9][0-9]{0,14}), leaf="([0-9a-f]{64})"'
    r"(?:, configuration=([0-9]{1,15}))?(?:, stale=([0-9]{1,15}))?"
)


def write_record(*, log: str, index: int, leaf: bytes, configuration: int | None, stale_seconds: int | None) -> str:
    """Give the Furong-Record field."""
    text = f'log="{log}", index={index}, leaf="{leaf.hex()}"'
    if configuration is not None:
        text += f", configuration={configuration}"
        if stale_seconds is not None:
            text += f", stale={stale_seconds}"
    return text


def read_record(field: str) -> Record:
    """Read a Furong-Record field in its one form. Raises ValueError."""
    found = _RECORD.fullmatch(field)
    if not found:
        raise ValueError("The reply does not say where it was recorded.")
    log, index, leaf, serial, stale = found.groups()
    return Record(log, int(index), bytes.fromhex(leaf), int(serial) if serial else None, int(stale) if stale else None)


def check_time(created: int, *, now: float, skew_seconds: int = SKEW_SECONDS) -> None:
    """Refuse a time further than ``skew_seconds`` from ``now``, before or after."""
    if not now - skew_seconds <= created <= now + skew_seconds:
        raise Refusal("clock_skewed")


def check_request(request: Request, signed: Signed, *, verifier: Verifier) -> None:
    """Refuse a request whose signature does not fit. Costs one verification: 53 µs for Ed25519, 300 for SM2."""
    if not verifier.verify(*begin_check(request, signed, verifier=verifier)):
        raise Refusal("signature_invalid")


def begin_check(request: Request, signed: Signed, *, verifier: Verifier) -> tuple[bytes, bytes]:
    """Give the signature base and the signature that ``verifier`` shall check; refuses another algorithm than its own."""
    if verifier.algorithm != signed.algorithm:
        raise Refusal("algorithm_mismatch")
    return request.base(signed.parameters), a2b_base64(signed.signature)


def begin_check_reply(
    reply: Reply, signed: Signed, *, request: Request, asked: Signed, verifier: Verifier
) -> tuple[bytes, bytes]:
    """As `begin_check`, for a reply to ``request``, which was signed as ``asked``."""
    if verifier.algorithm != signed.algorithm:
        raise Refusal("algorithm_mismatch")
    return reply.base(signed.parameters, request=request, signature=asked.signature), a2b_base64(signed.signature)


def check_reply(reply: Reply, signed: Signed, *, request: Request, asked: Signed, verifier: Verifier) -> None:
    """Refuse a reply whose signature does not fit it and the request it should answer."""
    if not verifier.verify(*begin_check_reply(reply, signed, request=request, asked=asked, verifier=verifier)):
        raise Refusal("signature_invalid")
