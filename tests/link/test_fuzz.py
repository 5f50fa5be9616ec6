"""Fuzzers over what strangers send: heads, signature fields, targets, replies of other gateways, chunked bodies.

Whatever arrives is read in one way or refused; nothing else is raised, and no two readings of it exist.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong_link import profile, wire
from furong_link.configuration import read_configuration
from furong_link.decision import read_target
from furong_link.errors import ConfigurationError, Refusal, UnverifiedReplyError
from furong_link.fields import FieldError, parse_dictionary, serialise_dictionary
from furong_link.keys import SoftwareKey
from furong_link.verification import check_receipt

KEY = SoftwareKey.generate(key_id="k")
REQUEST = profile.Request("GET", "a:1", "/births/x", "text/plain", "sha-256=:x:", "grant", "message-1")
SIGNED = profile.sign_request(REQUEST, signer=KEY, created=1_764_000_000, nonce="n" * 22).headers()
REPLY = profile.sign_reply(
    profile.Reply(200, "text/plain", "sha-256=:y:", "x"),
    request=REQUEST,
    signed=profile.read_signature(SIGNED),
    signer=KEY,
    created=1_764_000_000,
).headers()


def _bent(text: str) -> st.SearchStrategy[str]:
    """Texts that are nearly ``text``: parts cut out, repeated, replaced by what parsers stumble over."""
    odd = st.sampled_from(
        ["", " ", "\t", ",", ";", "=", ":", '"', "\\", "(", ")", "furong", "\r\n", "\n", "\0", "é", "%", "0", "-", "=="]
    )
    end = len(text)

    def bend(parts: tuple[int, int, str, bool]) -> str:
        start, length, put, again = parts
        cut = text[start : start + length]
        return text[:start] + (cut if again else "") + put + text[start + length :] + (cut if again else "")

    once = st.tuples(st.integers(0, end), st.integers(0, 40), odd, st.booleans()).map(bend)
    return st.one_of(once, st.tuples(once, odd).map("".join), st.text(max_size=60))


@pytest.mark.parametrize("reply", [False, True])
@given(data=st.data())
def test_signature_fields_are_read_in_one_form_or_refused(data: st.DataObject, reply: bool) -> None:
    whole = REPLY if reply else SIGNED
    given_ = data.draw(_bent(whole["signature-input"]))
    signature = data.draw(st.one_of(st.just(whole["signature"]), _bent(whole["signature"])))
    try:
        found = profile.read_signature({"signature-input": given_, "signature": signature}, reply=reply)
    except Refusal as refusal:
        assert refusal.code.startswith("signature_")  # noqa: PT017 - a refusal is one of two outcomes
        return
    # What was read says all that was written: written again it is the same, and the full parser agrees.
    assert found.headers() == {"signature-input": given_, "signature": signature}
    members = parse_dictionary(given_)
    assert list(members) == [profile.LABEL]
    assert members[profile.LABEL].parameters["keyid"] == found.key_id
    assert members[profile.LABEL].parameters["created"] == found.created


@given(st.one_of(_bent(SIGNED["signature-input"]), st.text(max_size=80)))
def test_a_structured_field_is_parsed_or_refused_and_written_again_the_same_way(text: str) -> None:
    try:
        members = parse_dictionary(text)
    except FieldError:
        return
    again = serialise_dictionary(members)
    assert parse_dictionary(again) == members


HEAD = "POST /births/one HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\nContent-Type: text/plain\r\nX-Thing: v w\r\n\r\n"
LINES = [
    "Content-Length: 3",
    "Content-Length: 5",
    "content-length : 3",
    "Content-Length: 3, 3",
    "Content-Length: 0x3",
    "Content-Length: +3",
    "Content-Length:",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding:\tchunked",
    "Transfer-Encoding: identity",
    "Transfer_Encoding: chunked",
    "TE: trailers",
    "Host: b:1",
    "X: a\r\n Content-Length: 9",
    "X: a\n\tContent-Length: 9",
    "X: a\rContent-Length: 9",
    "X: a\nTransfer-Encoding: chunked",
    "Expect: 100-continue",
    "Upgrade: h2c",
    "Trailer: x",
    ": empty",
    "X",
    "X: \x0b",
    "GET /other HTTP/1.1",
]


@given(st.lists(st.sampled_from(LINES), max_size=5), st.sampled_from(["\r\n", "\n", "\r"]), st.booleans())
def test_no_mixture_of_smuggling_lines_is_read_with_two_lengths(lines: list[str], end: str, body: bool) -> None:
    first, length = "POST /births/one HTTP/1.1\r\nHost: a:1\r\n", "Content-Length: 3\r\n" if body else ""
    data = (first + length + "".join(line + end for line in lines) + "\r\n").encode("latin-1")
    try:
        found = wire.read_request_head(data, max_content=10)
    except Refusal:
        return
    text = data.decode("latin-1").lower()
    assert text.count("content-length") == 1
    assert "transfer-encoding" not in text
    assert not any(sign in text.replace("\r\n", "") for sign in ("\r", "\n"))
    assert text.count("host:") == 1
    # Every line became one field and no field has a second reading.
    assert len(found.headers) == text.count("\r\n") - 2


@given(_bent(HEAD))
def test_a_bent_head_is_read_or_refused(text: str) -> None:
    try:
        found = wire.read_request_head(text.encode("utf-8"), max_content=10)
    except Refusal:
        return
    for part in (found.method, found.target, *found.headers, *found.headers.values()):
        assert part.isascii()
        assert not set(part) & {"\r", "\n", "\0"}
    assert 0 <= found.length <= 10


@given(st.binary(max_size=200), st.integers(0, 200))
def test_a_reply_head_of_any_bytes_is_read_or_not_believed(data: bytes, at: int) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\n"
    try:
        found = wire.read_reply_head(whole[:at] + data + whole[at:])
    except ValueError:
        return
    assert found.length >= -1


@given(st.binary(max_size=120))
def test_any_chunked_body_is_whole_half_or_malformed(data: bytes) -> None:
    try:
        found = wire.read_chunks(data, 0, max_content=100)
    except ValueError:
        return
    if found is not None:
        content, end = found
        assert len(content) <= 100
        assert end <= len(data)


@given(st.one_of(_bent("/births/%E5%91%A8/x?q=%2F&r=/a"), st.text(max_size=60)))
def test_a_target_is_read_once_or_refused(target: str) -> None:
    try:
        found = read_target(target)
    except Refusal:
        return
    assert ".." not in found.path.split("/")
    assert f"/{found.service}{found.raw}".rstrip("/") == target.rstrip("/")
    # What is decoded decodes no further: a second reader finds no other path.
    assert "%" not in found.path


RECORD = profile.write_record(log="0" * 32, index=3, leaf=bytes(32), configuration=4, stale_seconds=None)


@given(_bent(RECORD))
def test_the_place_of_a_record_is_read_in_one_form_or_not_at_all(text: str) -> None:
    try:
        found = profile.read_record(text)
    except ValueError:
        return
    again = profile.write_record(
        log=found.log,
        index=found.index,
        leaf=found.leaf,
        configuration=found.configuration,
        stale_seconds=found.stale_seconds,
    )
    assert profile.read_record(again) == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("record", "index", "proof", "head", "leaf"), JSON)))
def test_no_receipt_made_up_proves_anything(found: dict[str, Any]) -> None:
    with pytest.raises(UnverifiedReplyError):
        check_receipt(found, key=KEY.verifier())


@given(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())), st.booleans())
def test_a_configuration_of_any_bytes_is_refused_signed_or_not(data: bytes, signed: bool) -> None:
    from furong_link.configuration import CONTEXT

    file = json.dumps(
        {
            "payload": b64encode(data).decode(),
            "algorithm": "ed25519",
            "signature": b64encode(KEY.sign(CONTEXT + data)).decode(),
        }
    ).encode()
    with pytest.raises(ConfigurationError):
        read_configuration(file if signed else data, operator=KEY.verifier())
