"""FEEL values as JSON: every digit, ISO texts, and nothing that JSON does not have."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.decisions import read_json, write_json
from furong.foundation.feel import compile_expression


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0.1 + 0.2", "0.3"),
        ("1/3", "0.3333333333333333333333333333333333"),
        ("10**30", "1000000000000000000000000000000"),
        ("1.10", "1.1"),
        ("100", "100"),
        ("-0", "0"),
        ("5.00", "5"),
        ("0.00000001", "0.00000001"),
        ("10**400", "1E+400"),
        ("null", "null"),
        ("true", "true"),
        ('"引\\"x"', '"引\\"x"'),
        ('date("2020-02-29")', '"2020-02-29"'),
        ('@"10:00:00+08:00"', '"10:00:00+08:00"'),
        ('@"2020-07-01T00:00:00Z"', '"2020-07-01T00:00:00Z"'),
        ('@"2020-07-01T00:00:00@Europe/Paris"', '"2020-07-01T00:00:00+02:00"'),
        ('@"PT36H"', '"P1DT12H"'),
        ('@"P14M"', '"P1Y2M"'),
        ("[1..5)", '"[1..5)"'),
        ("function(a, b) a", '"function(a, b)"'),
        ("{a b: [1, {c: null}]}", '{"a b": [1, {"c": null}]}'),
        ("[]", "[]"),
        ("{}", "{}"),
    ],
)
def test_each_value_has_its_json(text: str, written: str) -> None:
    value = compile_expression(text, known_names=("a b",)).evaluate({})
    assert write_json(value) == written
    json.loads(written)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_number_changes_on_its_way(number: Decimal) -> None:
    assert read_json(write_json(number)) == number


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers().map(Decimal),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_written_is_read_as_it_was(value: object) -> None:
    assert read_json(write_json(value)) == value


def test_half_of_a_surrogate_pair_is_escaped() -> None:
    assert write_json("a\ud83d中") == '"a\\ud83d中"'


def test_deep_values_are_written_and_deep_texts_are_refused() -> None:
    value: object = 1
    for _ in range(5_000):
        value = [value]
    assert write_json(value) == "[" * 5_000 + "1" + "]" * 5_000
    with pytest.raises(ValueError, match="deep"):
        read_json("[" * 100_000 + "]" * 100_000)


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "[1,]", "", "{", "1E" + "9" * 30, "'a'"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_json(text)
