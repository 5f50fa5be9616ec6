"""Codes, sealed requests and answers, fingerprints: what fits, and what does not whichever part is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong_link.enrolment import (
    ALPHABET,
    Request,
    fingerprint,
    key_id_of,
    new_code,
    place_of,
    read_answer,
    read_request,
    seal_answer,
    seal_request,
    secret_of,
)
from furong_link.errors import ConfigurationError
from furong_link.keys import SoftwareKey


def request_of(key: SoftwareKey) -> Request:
    return Request(
        id="clinic-1",
        authority="clinic.example:8601",
        address="https://clinic.example:8601",
        key_id=key.key_id,
        algorithm=key.algorithm,
        public=key.public,
        software="tests",
    )


@pytest.mark.parametrize("algorithm", ["ed25519", "sm2-sm3"])
def test_a_request_is_read_under_the_code_that_sealed_it_in_both_suites(algorithm: str) -> None:
    key, code = SoftwareKey.generate(key_id=key_id_of("clinic-1"), algorithm=algorithm), new_code()
    sent = seal_request(request_of(key), code=code.lower().replace("-", " "), signer=key)
    assert sent["place"] == place_of(code)
    assert read_request(sent, secret=secret_of(code)) == request_of(key)
    with pytest.raises(ConfigurationError):
        read_request(sent, secret=secret_of(new_code()))


@pytest.mark.parametrize("name", ["id", "authority", "address", "key_id", "public", "algorithm", "software"])
def test_a_request_with_any_part_changed_is_refused(name: str) -> None:
    key, code = SoftwareKey.generate(key_id=key_id_of("clinic-1")), new_code()
    sent = seal_request(request_of(key), code=code, signer=key)
    other = SoftwareKey.generate(key_id="x")
    changed = {"public": other.public, "algorithm": "sm2-sm3"}.get(name, "other-1")
    for given_ in ({**sent, "request": {**sent["request"], name: changed}}, {**sent, "request": {}}, {}):
        with pytest.raises(ConfigurationError):
            read_request(given_, secret=secret_of(code))
    # Sealed by somebody with the code, but not signed by the key that it names.
    with pytest.raises(ConfigurationError):
        read_request(seal_request(replace(request_of(key)), code=code, signer=other), secret=secret_of(code))


def test_an_answer_is_believed_only_from_the_holder_of_the_code() -> None:
    code = new_code()
    answer = {"exchange": "x", "operator": {"public": "y"}}
    assert read_answer(seal_answer(answer, secret=secret_of(code)), code=code) == answer
    for sent in (seal_answer(answer, secret=secret_of(new_code())), {"answer": answer}, {}):
        with pytest.raises(ConfigurationError):
            read_answer(sent, code=code)


@given(st.text(max_size=30))
def test_what_is_no_code_is_refused_and_codes_are_read_as_people_write_them(text: str) -> None:
    letters = "".join(one for one in text.upper() if one not in " -\t\n\r\f\v")
    if len(letters) == 16 and set(letters) <= set(ALPHABET):
        return
    with pytest.raises(ConfigurationError):
        secret_of(text)


def test_a_fingerprint_is_of_the_key_and_its_algorithm() -> None:
    key = SoftwareKey.generate(key_id="x")
    found = fingerprint(algorithm=key.algorithm, public=key.public)
    assert [len(group) for group in found.split(" ")] == [4] * 8
    assert found != fingerprint(algorithm="sm2-sm3", public=key.public)
    assert found != fingerprint(algorithm=key.algorithm, public=SoftwareKey.generate(key_id="x").public)
