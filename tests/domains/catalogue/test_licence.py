"""The licence of a pack's open data: read, checked, and claimed only when it is right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from furong.domains.catalogue.licence import check_licence, licence_of
from furong.foundation.packs.reading import read_pack
from furong.foundation.packs.values import Frame
from tests.conftest import PACK

GIVEN = {
    "code": "CC-BY-4.0",
    "name": {"zh": "署名", "en": "Attribution"},
    "url": "https://example.org/licence",
    "conforms": True,
}


@pytest.fixture(scope="module")
def frame() -> Frame:
    return read_pack(PACK).frame


def with_licence(frame: Frame, licence: Any) -> Frame:
    return replace(frame, settings={**frame.settings, "opendata": {"licence": licence}})


def test_a_pack_names_its_licence(frame: Frame) -> None:
    found = licence_of(with_licence(frame, GIVEN))
    assert found is not None
    assert (found.code, found.name["zh"], found.url, found.conforms) == ("CC-BY-4.0", "署名", GIVEN["url"], True)
    assert list(check_licence(with_licence(frame, GIVEN), "pack.toml")) == []


def test_a_pack_without_one_claims_none(frame: Frame) -> None:
    bare = replace(frame, settings={})
    assert licence_of(bare) is None
    assert list(check_licence(bare, "pack.toml")) == []


def test_the_licence_of_hunan_is_right(frame: Frame) -> None:
    assert list(check_licence(frame, "pack.toml")) == []
    assert licence_of(frame) is not None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code", "CC BY"),
        ("code", None),
        ("name", {"en": "Attribution"}),
        ("name", "署名"),
        ("name", {"zh": "署名", "fr": "Attribution"}),
        ("url", "javascript:alert(1)"),
        ("url", "/licence"),
        ("conforms", "yes"),
        ("author", "x"),
    ],
)
def test_what_is_wrong_is_named_and_then_no_licence_is_claimed(frame: Frame, key: str, value: Any) -> None:
    wrong = with_licence(frame, {**GIVEN, key: value})
    (finding,) = check_licence(wrong, "pack.toml")
    assert (finding.rule, finding.element, finding.is_error) == ("opendata.licence", f"opendata.licence.{key}", True)
    assert licence_of(wrong) is None


def test_a_licence_that_is_no_table_is_named(frame: Frame) -> None:
    (finding,) = check_licence(with_licence(frame, "CC-BY-4.0"), "pack.toml")
    assert finding.element == "opendata.licence"
