"""Opens addresses that others wrote, safely: no private network, no endless answer, no bomb, no wandering off.

The host's name is resolved once, every address it has is looked at, and the connection goes to one of those that were looked
at, so that a name that changes meanwhile (DNS rebinding) leads nowhere else. Each redirect is looked at anew.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from django.conf import settings

from furong import __version__
from furong.domains.catalogue.harvest.errors import HarvestStoppedError
from furong.domains.catalogue.harvest.values import MAX_PAGE_BYTES, clean_url

MAX_REDIRECTS = 3
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
_CHUNK = 64 * 1024
_REDIRECTS = {301, 302, 303, 307, 308}
_GONE = {404, 410}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer: where it came from in the end, its media type and its bytes."""

    url: str
    media_type: str
    body: bytes


def networks() -> tuple[Network, ...]:
    """Give the private networks that may be harvested (``FURONG_HARVEST_NETWORKS``)."""
    return tuple(ipaddress.ip_network(one.strip()) for one in settings.HARVEST_NETWORKS if one.strip())


def is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    """Say whether an address may be opened: public ones, and those of the networks that the operator names.

    An IPv4 address inside an IPv6 one (mapped, 6to4, Teredo, NAT64) is looked at as what it is.
    """
    if any(address.version == one.version and address in one for one in allowed):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_allowed(inner, allowed)
    return address.is_global and not address.is_multicast


def fetch(url: str, *, accept: str, deadline: float, most: int = MAX_PAGE_BYTES) -> Fetched:
    """Read an address until ``deadline`` (of ``time.monotonic``) at the latest. Raises `HarvestStoppedError`."""
    deadline = min(deadline, time.monotonic() + ANSWER_SECONDS)
    allowed = networks()
    for _step in range(MAX_REDIRECTS + 1):
        if not clean_url(url):
            raise HarvestStoppedError("address")
        answer = _once(url, accept=accept, deadline=deadline, most=most, allowed=allowed)
        if isinstance(answer, Fetched):
            return answer
        if urlsplit(url).scheme == "https" and urlsplit(answer).scheme == "http":
            raise HarvestStoppedError("redirects")
        url = answer
    raise HarvestStoppedError("redirects")


def _once(url: str, *, accept: str, deadline: float, most: int, allowed: Sequence[Network]) -> Fetched | str:
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").encode("idna").decode() if ":" not in (parts.hostname or "") else parts.hostname
    except (ValueError, UnicodeError):
        raise HarvestStoppedError("address") from None
    place = _resolved(str(host), port, allowed)
    connection = http.client.HTTPConnection(str(host), port, timeout=CONNECT_SECONDS)
    try:
        raw = socket.create_connection((str(place), port), timeout=min(CONNECT_SECONDS, _left(deadline)))
        if parts.scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=str(host))
        else:
            connection.sock = raw
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "User-Agent": f"Furong/{__version__} (+{settings.PUBLIC_URL})",
            "Accept": accept,
            "Accept-Encoding": "identity",
            "Connection": "close",
            "Host": parts.netloc,
        }
        connection.request("GET", _ascii(target), headers=headers)
        answer = connection.getresponse()
        if answer.status in _REDIRECTS:
            return urljoin(url, answer.headers.get("Location", ""))
        if answer.status in _GONE:
            raise HarvestStoppedError("gone", str(answer.status))
        if answer.status != 200:
            raise HarvestStoppedError("status", str(answer.status))
        body = _unpacked(_read(answer, deadline, most), answer.headers.get("Content-Encoding", ""), most)
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Fetched(url=url, media_type=media_type, body=body)
    except TimeoutError:
        raise HarvestStoppedError("slow") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise HarvestStoppedError("unreachable", type(error).__name__) from None
    finally:
        connection.close()


def _resolved(host: str, port: int, allowed: Sequence[Network]) -> Address:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise HarvestStoppedError("unknown_host") from None
    places = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not places:
        raise HarvestStoppedError("unknown_host")
    if not all(is_allowed(place, allowed) for place in places):
        raise HarvestStoppedError("private")
    return places[0]


def _ascii(target: str) -> str:
    return quote(target, safe="/?&=%:;,@!$'()*+~#[]-._")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise HarvestStoppedError("slow")
    return left


def _read(answer: http.client.HTTPResponse, deadline: float, most: int) -> bytes:
    length = answer.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > most:
        raise HarvestStoppedError("too_large")
    found = bytearray()
    while True:
        _left(deadline)  # a trickle ends too
        block = answer.read1(_CHUNK)
        if not block:
            break
        found += block
        if len(found) > most:
            raise HarvestStoppedError("too_large")
    if length.isdigit() and len(found) < int(length):
        raise HarvestStoppedError("unreachable", "cut off")
    return bytes(found)


def _unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """Unpack what was packed against our wish, no further than ``most`` bytes."""
    kind = encoding.strip().lower()
    if kind in {"", "identity"}:
        return body
    if kind not in {"gzip", "x-gzip", "deflate"}:
        raise HarvestStoppedError("encoding")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        found = unpacker.decompress(body, most + 1)
    except zlib.error:
        raise HarvestStoppedError("encoding") from None
    if len(found) > most or not unpacker.eof:
        raise HarvestStoppedError("encoding")
    return found
