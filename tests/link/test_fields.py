"""Structured Fields: what is written is read back, what is not a field is refused, and the hot path agrees with the parser."""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong_link import profile
from furong_link.errors import Refusal
from furong_link.fields import FieldError, InnerList, Item, Token, parse_dictionary, serialise_dictionary

KEYS = st.from_regex(r"[a-z*][a-z0-9_\-.*]{0,8}", fullmatch=True)
BARE = st.one_of(
    st.booleans(),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(-(10**11), 10**11, places=3, allow_nan=False).map(lambda d: d.quantize(Decimal("0.001"))),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12),
    st.from_regex(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]{0,8}", fullmatch=True).map(Token),
    st.binary(max_size=12),
)
PARAMETERS = st.dictionaries(KEYS, BARE, max_size=3)
ITEMS = st.builds(Item, BARE, PARAMETERS)
MEMBERS = st.one_of(ITEMS, st.builds(InnerList, st.lists(ITEMS, max_size=3), PARAMETERS))


@given(st.dictionaries(KEYS, MEMBERS, min_size=1, max_size=4))
def test_what_is_serialised_is_read_back_and_has_one_text(members: dict[str, Item | InnerList]) -> None:
    text = serialise_dictionary(members)
    found = parse_dictionary(text)
    assert found == members
    assert serialise_dictionary(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a=1,",
        "a=1 b=2",
        "a=1, a=2",
        "A=1",
        'a="open',
        'a="bad\\n"',
        "a=:AA=:",
        "a=:AB==:",  # stray bits: a second text for the bytes of AA==
        "a=(1 2",
        "a=(1,2)",
        'a=("x""y")',
        "a=?2",
        "a=1234567890123456",
        "a=1.2345",
        "a=1.",
        "a=-",
        "a=1;b=2;b=3",
        "a=1;B",
        "a=é",
        "a=1\t\n",
        "=1",
    ],
)
def test_what_is_no_field_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        parse_dictionary(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        found = parse_dictionary(text)
    except FieldError:
        return
    assert parse_dictionary(serialise_dictionary(found)) == found


GOOD = (
    f'furong={profile.REQUEST_COMPONENTS};created=1764000000;nonce="{"a" * 22}";keyid="housing/desk/1"'
    f';alg="ed25519";tag="{profile.REQUEST_TAG}"'
)
SIGNATURE = f"furong=:{b64encode(bytes(64)).decode()}:"


def test_the_profile_reads_its_own_form() -> None:
    found = profile.read_signature({"signature-input": GOOD, "signature": SIGNATURE})
    assert (found.created, found.key_id, found.algorithm) == (1764000000, "housing/desk/1", "ed25519")
    assert found.headers() == {"signature-input": GOOD, "signature": SIGNATURE}


@given(st.data())
def test_a_changed_signature_field_is_refused_or_says_what_the_strict_parser_says(data: st.DataObject) -> None:
    text = list(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 2))] = data.draw(st.text(max_size=2))
    given_text = "".join(text)
    try:
        found = profile.read_signature({"signature-input": given_text, "signature": SIGNATURE})
    except Refusal as refusal:
        code = refusal.code
    else:
        code = ""
    assert code in ("", "signature_missing", "signature_malformed", "signature_outside_profile")
    if code:
        return
    member = parse_dictionary(given_text)["furong"]
    assert isinstance(member, InnerList)
    assert member.parameters == {
        "created": found.created,
        "nonce": found.nonce,
        "keyid": found.key_id,
        "alg": found.algorithm,
        "tag": profile.REQUEST_TAG,
    }
    assert [item.value for item in member.items] == [
        *(
            "@method",
            "@authority",
            "@request-target",
            "content-type",
            "content-digest",
            "furong-grant",
            "furong-message",
        )
    ]


@pytest.mark.parametrize(
    ("given_text", "signature", "code"),
    [
        ("", SIGNATURE, "signature_missing"),
        ("furong=(", SIGNATURE, "signature_malformed"),
        (GOOD, "furong=:AAAA:", "signature_outside_profile"),
        (GOOD, "furong=:====:", "signature_malformed"),
        (GOOD.replace("furong=", "sig1="), SIGNATURE, "signature_outside_profile"),
        (GOOD.replace('"@authority" ', ""), SIGNATURE, "signature_outside_profile"),
        (GOOD.replace(';alg="ed25519"', ""), SIGNATURE, "signature_outside_profile"),
        (GOOD.replace("ed25519", "hmac-sha256"), SIGNATURE, "signature_outside_profile"),
        (f"{GOOD}, other=()", SIGNATURE, "signature_outside_profile"),
    ],
)
def test_a_refusal_tells_malformed_from_outside_the_profile(given_text: str, signature: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        profile.read_signature({"signature-input": given_text, "signature": signature})
    assert caught.value.code == code
