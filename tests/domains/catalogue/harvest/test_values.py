"""What a source sends is cleaned: texts, addresses, formats, moments; and which addresses may be opened."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.catalogue.harvest.fetching import is_allowed
from furong.domains.catalogue.harvest.values import (
    STOPS,
    Dataset,
    clean,
    clean_format,
    clean_url,
    in_languages,
    moment,
    name_of,
    stop,
)


@given(st.text(max_size=400))
def test_a_cleaned_text_holds_no_control_character_and_no_tag(text: str) -> None:
    found = clean(text, 100)
    assert len(found) <= 100
    assert found.isprintable()
    assert found == clean(found, 100) or "<" in found


def test_a_text_loses_tags_and_marks_of_direction() -> None:
    assert clean("<b>学校</b>\u202e\n名录\x00", 50) == "学校 名录"
    assert clean(None, 10) == clean({"a": 1}, 10) == ""


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "file:///etc/passwd", "http://", "http://user:pw@host/", "ftp://host/", "http://a b/",
     "//host/x", "http://host\\@evil/", "x" * 3000, None, 7, "http://[::1"],
)  # fmt: skip
def test_an_address_that_is_none_is_left_out(url: object) -> None:
    assert clean_url(url) == ""


def test_an_address_that_is_one_stays_as_it_is() -> None:
    assert clean_url("https://data.example.org/a?b=c#d") == "https://data.example.org/a?b=c#d"


@pytest.mark.parametrize(
    ("given_", "found"),
    [
        ("http://publications.europa.eu/resource/authority/file-type/CSV", "CSV"),
        ("text/csv", "CSV"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"),
        ("application/geo+json", "GEOJSON"),
        ("<script>", ""),
        ("", ""),
    ],
)
def test_a_format_is_known_by_its_short_name(given_: str, found: str) -> None:
    assert clean_format(given_) == found


def test_texts_without_a_language_are_told_by_their_characters() -> None:
    assert in_languages({"": "学校"}) == {"zh": "学校"}
    assert in_languages({"": "Schools"}) == {"en": "Schools"}
    assert in_languages({"zh-CN": "学校", "en": "Schools", "fr": "Écoles"}) == {"zh": "学校", "en": "Schools"}
    assert in_languages({"fr": "Écoles"}) == {"en": "Écoles"}


@given(st.one_of(st.text(max_size=50), st.integers(), st.dates(), st.datetimes(), st.none()))
def test_a_moment_is_aware_or_none(value: object) -> None:
    found = moment(value)
    assert found is None or (found.tzinfo is UTC and 1900 <= found.year <= 2200)


def test_moments_are_read_as_iso_writes_them() -> None:
    assert moment("2026-01-02T03:04:05Z") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert moment("yesterday") is None


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_opened_in_any_disguise(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_opened(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address), ())


def test_a_network_that_the_operator_names_is_opened_and_no_other() -> None:
    allowed = (ipaddress.ip_network("10.20.0.0/16"),)
    assert is_allowed(ipaddress.ip_address("10.20.3.4"), allowed)
    assert not is_allowed(ipaddress.ip_address("10.21.3.4"), allowed)


def test_every_stop_says_what_it_is_and_what_to_do() -> None:
    for code in STOPS:
        finding = stop(code, "x" * 500)
        assert finding.message.pick("zh")
        assert finding.mend is not None
        assert len(finding.place) == 200


def test_a_name_belongs_to_source_and_identifier() -> None:
    assert name_of("a", "1") == name_of("a", "1")
    assert len({name_of("a", "1"), name_of("b", "1"), name_of("a", "2")}) == 3


def test_a_digest_changes_with_all_that_is_shown() -> None:
    one = Dataset(identifier="1", title={"zh": "甲"})
    assert one.digest() == Dataset(identifier="1", title={"zh": "甲"}).digest()
    assert one.digest() != Dataset(identifier="1", title={"zh": "甲"}, tags=("乙",)).digest()
