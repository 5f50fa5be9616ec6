"""HTTP on the wire and the target in it: one form each, whatever arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong_link import wire
from furong_link.decision import path_allowed, read_target
from furong_link.errors import Refusal

HEAD = b"POST /births/one HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\nX-Thing: v w\r\n\r\n"


def test_a_plain_head_is_read() -> None:
    found = wire.read_request_head(HEAD, max_content=10)
    assert (found.method, found.target, found.length) == ("POST", "/births/one", 3)
    assert found.headers == {"host": "a:1", "content-length": "3", "x-thing": "v w"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"Content-Length: 3", b"Content-Length: 3\r\nContent-Length: 3", "ambiguous_length"),
        (b"Content-Length: 3", b"Content-Length: +3", "ambiguous_length"),
        (b"Content-Length: 3", b"Content-Length: 3, 3", "ambiguous_length"),
        (b"Content-Length: 3", b"Content-Length: 03", "ambiguous_length"),
        (b"Content-Length: 3", b"Content-Length: 3\r\nTransfer-Encoding: chunked", "ambiguous_length"),
        (b"Content-Length: 3", b"Transfer-Encoding: chunked", "length_required"),
        (b"Content-Length: 3\r\n", b"", "length_required"),
        (b"Content-Length: 3", b"Content-Length: 11", "content_too_large"),
        (b"X-Thing: v", b"Host: b:1", "malformed_request"),
        (b"X-Thing: v", b"X-Thing : v", "malformed_request"),
        (b"X-Thing: v", b"X-Thing: a\r\n folded", "malformed_request"),
        (b"X-Thing: v", b"X-Thing: a\nHost: b", "malformed_request"),
        (b"X-Thing: v", b"X-Thing: a\rb", "malformed_request"),
        (b"X-Thing: v", b"X-Thing: a\0b", "malformed_request"),
        (b"X-Thing: v", b"X-Thing: \xe5", "malformed_request"),
        (b"X-Thing: v", b"Upgrade: h2c", "malformed_request"),
        (b"Host: a:1\r\n", b"", "malformed_request"),
        (b"HTTP/1.1", b"HTTP/1.0", "malformed_request"),
        (b"POST /births", b"POST  /births", "malformed_request"),
    ],
)
def test_what_two_servers_could_read_apart_is_refused(old: bytes, new: bytes, code: str) -> None:
    assert old in HEAD
    with pytest.raises(Refusal) as caught:
        wire.read_request_head(HEAD.replace(old, new), max_content=10)
    assert caught.value.code == code


@given(st.binary(max_size=120), st.integers(0, len(HEAD)), st.integers(0, 20))
def test_any_bytes_in_a_head_are_read_or_refused(data: bytes, at: int, cut: int) -> None:
    try:
        found = wire.read_request_head(HEAD[:at] + data + HEAD[at + cut :], max_content=10)
    except Refusal:
        return
    for text in (found.method, found.target, *found.headers, *found.headers.values()):
        assert not set(text) & {"\r", "\n", "\0"}


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.binary(max_size=5))
def test_a_chunked_answer_is_read_back_and_only_when_whole(parts: list[bytes], rest: bytes) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    assert wire.read_chunks(data + rest, 0, max_content=1000) == (b"".join(parts), len(data))
    for end in range(len(data)):
        assert wire.read_chunks(data[:end], 0, max_content=1000) is None


@pytest.mark.parametrize(
    "target",
    [
        "/births/../files",
        "/births/./a",
        "/births//a",
        "/births/%2e%2e/a",
        "/births/%2E%2E/a",
        "/births/a%2Fb",
        "/births/a%5Cb",
        "/births/a\\b",
        "/births/%252E",
        "/births/%00",
        "/births/%C3%28",
        "/births/a;b",
        "/births/a#b",
        "/births/%zz",
        "/births/a?q=%2",
        "//births",
        "/",
        "",
        "births/a",
        "http://other/births",
        "/../a",
        "/births/" + "a" * 5000,
    ],
)
def test_a_target_in_a_second_form_is_refused(target: str) -> None:
    with pytest.raises(Refusal, match="malformed_target"):
        read_target(target)


def test_a_target_is_decoded_once_and_forwarded_as_it_came() -> None:
    found = read_target("/births/%E5%91%A8/x?q=%2F&r=/a")
    assert (found.service, found.path, found.raw) == ("births", "/周/x", "/%E5%91%A8/x?q=%2F&r=/a")
    assert read_target("/births").raw == "/"


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("/a", "/a", True),
        ("/a/b", "/a/*", True),
        ("/a/", "/a/*", False),
        ("/a/b/c", "/a/*", False),
        ("/a/b/c", "/a/**", True),
        ("/a", "/a/**", False),
        ("/ab/c", "/a/**", False),
        ("/x", "/**", True),
    ],
)
def test_a_path_fits_whole_segments(path: str, pattern: str, fits: bool) -> None:
    assert path_allowed(path, (pattern,)) is fits
