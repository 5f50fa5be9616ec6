"""HTTP/1.1 on the wire, as little of it as the profile needs and strictly: no chunked requests, no repeated header
fields, no folding, no bare line ends. What a second reader could read otherwise is refused, so nothing can be smuggled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from furong_link.errors import Refusal

MAX_HEAD = 16 * 1024
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_FIELDS = rb"((?:" + _TOKEN + rb":[\x20-\x7e\t]*\r\n)*)\r\n"
_REQUEST = re.compile(rb"([A-Z]{3,10}) ([\x21-\x7e]+) HTTP/1\.1\r\n" + _FIELDS)
# Providers are on the member's own network and may say more, such as names in UTF-8.
_REPLY = re.compile(
    rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [\x20-\x7e\x80-\xff]*)?\r\n((?:" + _TOKEN + rb":[^\r\n\x00]*\r\n)*)\r\n"
)
# Fields by which a reply is framed, or which its receiver must prove.
_SINGLE = frozenset(
    {
        "content-length",
        "transfer-encoding",
        "content-type",
        "content-digest",
        "furong-record",
        "signature",
        "signature-input",
    }
)
_LENGTH = re.compile(r"0|[1-9][0-9]{0,14}")
END = b"\r\n\r\n"


@dataclass(slots=True)
class RequestHead:
    method: str
    target: str
    headers: dict[str, str]
    length: int


@dataclass(slots=True)
class ReplyHead:
    status: int
    headers: dict[str, str]
    length: int  # -1: chunked
    keep_alive: bool


def read_request_head(data: bytes, *, max_content: int) -> RequestHead:
    """Read a request's head, ``data`` ending with its empty line. Refuses whatever is not in the one form."""
    found = _REQUEST.fullmatch(data)
    if not found:
        raise Refusal("malformed_request")
    headers: dict[str, str] = {}
    lines = found[3].decode("ascii").split("\r\n")
    lines.pop()
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip(" \t")
    if len(headers) < len(lines):
        raise _twice(lines)
    if "transfer-encoding" in headers:
        raise Refusal("ambiguous_length" if "content-length" in headers else "length_required")
    if "upgrade" in headers or "expect" in headers or "trailer" in headers:
        raise Refusal("malformed_request", "Upgrades, expectations and trailers are outside the profile.")
    if not headers.get("host"):
        raise Refusal("malformed_request", "Host is missing.")
    text, length = headers.get("content-length"), 0
    method = found[1].decode()
    if text is not None:
        if not _LENGTH.fullmatch(text):
            raise Refusal("ambiguous_length")
        length = int(text)
    elif method in ("POST", "PUT", "PATCH"):
        raise Refusal("length_required")
    if length > max_content:
        raise Refusal("content_too_large")
    return RequestHead(method, found[2].decode(), headers, length)


def _twice(lines: list[str]) -> Refusal:
    """Say which field is there more than once; of several, the one that is met first."""
    seen: set[str] = set()
    for line in lines:
        name = line.partition(":")[0].lower()
        if name in seen:
            break
        seen.add(name)
    return Refusal("ambiguous_length" if name == "content-length" else "malformed_request", f"{name} is there twice.")


def read_reply_head(data: bytes) -> ReplyHead:
    """Read a provider's reply head. Raises ValueError when it is none, or states two lengths."""
    found = _REPLY.fullmatch(data)
    if not found:
        raise ValueError("no reply head")
    headers: dict[str, str] = {}
    for line in found[3].decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name = name.lower()
        if name in headers and name in _SINGLE:
            raise ValueError("repeated field")
        headers[name] = value.strip(" \t")
    status = int(found[2])
    keep_alive = found[1] == b"1" and headers.get("connection", "").lower() != "close"
    coding = headers.get("transfer-encoding", "").lower()
    if coding and (coding != "chunked" or "content-length" in headers):
        raise ValueError("ambiguous length")
    if status in (204, 304):
        length = 0
    elif coding:
        length = -1
    elif _LENGTH.fullmatch(headers.get("content-length", "")):
        length = int(headers["content-length"])
    else:
        raise ValueError("no length")
    return ReplyHead(status, headers, length, keep_alive)


_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\r\n]{0,256})?\r\n")


def read_chunks(data: bytes | bytearray, start: int, *, max_content: int) -> tuple[bytes, int] | None:
    """Give the content of a chunked body that begins at ``start`` and where it ends; None while it is not whole.

    Raises ValueError when it is malformed or larger than ``max_content``.
    """
    parts: list[bytes] = []
    size, at = 0, start
    while True:
        found = _CHUNK.match(data, at)
        if not found:
            if len(data) - at > 300 or data.find(b"\n", at) >= 0:
                raise ValueError("no chunk")
            return None
        length, at = int(found[1], 16), found.end()
        size += length
        if size > max_content:
            raise ValueError("too large")
        if length == 0:
            if len(data) < at + 2:
                return None
            if data[at : at + 2] != b"\r\n":
                raise ValueError("trailers are not read")
            return b"".join(parts), at + 2
        if len(data) < at + length + 2:
            return None
        if data[at + length : at + length + 2] != b"\r\n":
            raise ValueError("no chunk end")
        parts.append(bytes(data[at : at + length]))
        at += length + 2


_REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
}


def reply_bytes(status: int, headers: dict[str, str], content: bytes, *, close: bool) -> bytes:
    """Give a reply as bytes; header values come from the gateway itself and hold no line ends."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    last = "connection: close\r\n" if close else ""
    head = f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\n{lines}content-length: {len(content)}\r\n{last}\r\n"
    return head.encode("latin-1") + content
