"""The decision at the door: is the grant valid now, for this member, service, method and path, and is its quota left. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from furong_link.errors import Refusal
from furong_link.masking import FieldTree, RowScope

MAX_TARGET = 4096
PROVIDER = "provider"  # what a provider's own system writes where a consumer names its grant
# RFC 3986: segments of pchar, and a query. Sub-delimiters that some servers read as parameters (;) are left out.
_TARGET = re.compile(
    r"/([A-Za-z0-9._-]{1,64})((?:/[A-Za-z0-9\-._~!$&'()*+,=:@%]+)*/?)(?:\?([A-Za-z0-9\-._~!$&'()*+,=:@%/?]*))?"
)
_PERCENT = re.compile(r"%(?![0-9A-F]{2})")
# Once decoded, a segment must not hold what another reader could take for a separator, a second encoding or an end.
_HIDDEN = re.compile(rb"[\x00-\x1f\x7f/\\%;?#]")


@dataclass(slots=True)
class Target:
    """A request's target: the service, and the path and query within it. ``path`` is decoded, ``raw`` is forwarded."""

    service: str
    path: str
    raw: str


@dataclass(frozen=True, slots=True)
class Quota:
    """So many calls in each window of so many seconds; windows begin at multiples of their length in Unix time."""

    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A provider's consent that a consumer reads something for a purpose. ``fields`` None means: as the provider answers."""

    id: str
    consumer: str
    service: str
    purpose: str
    methods: frozenset[str]
    paths: tuple[str, ...]
    fields: FieldTree | None
    rows: tuple[RowScope, ...]
    quota: Quota | None
    valid_from: float
    valid_until: float
    withdrawn: bool


def read_target(target: str) -> Target:
    """Read ``/SERVICE/path?query``, decoding the path once. Refuses every form that two readers may read apart."""
    found = _TARGET.fullmatch(target) if len(target) <= MAX_TARGET else None
    if not found or (found[3] is not None and _PERCENT.search(found[3])):
        raise Refusal("malformed_target")
    service, path = found[1], found[2] or "/"
    if _PERCENT.search(path) or service in (".", ".."):
        raise Refusal("malformed_target")
    if "%" in path or "." in path:
        parts = [unquote_to_bytes(part) for part in path.split("/")]
        if any(part in (b".", b"..") or _HIDDEN.search(part) for part in parts):
            raise Refusal("malformed_target")
        try:
            decoded = b"/".join(parts).decode("utf-8")
        except UnicodeDecodeError:
            raise Refusal("malformed_target") from None
    else:
        decoded = path
    return Target(service, decoded, target[1 + len(service) :] or "/")


def path_allowed(path: str, patterns: tuple[str, ...]) -> bool:
    """Say whether a decoded path fits a pattern: ``*`` stands for one segment, a last ``**`` for any rest."""
    return any(_fits(path, pattern) for pattern in patterns)


def _fits(path: str, pattern: str) -> bool:
    if pattern == path:
        return True
    wanted, given = pattern.split("/"), path.split("/")
    if wanted[-1] == "**":
        if len(given) < len(wanted):
            return False
        wanted, given = wanted[:-1], given[: len(wanted) - 1]
    return len(wanted) == len(given) and all(
        a == b or (a == "*" and b != "") for a, b in zip(wanted, given, strict=True)
    )


def check_grant(grant: Grant | None, *, member: str, method: str, target: Target, now: float) -> Grant:
    """Refuse unless ``grant`` lets ``member`` do this now; give it back."""
    if grant is None:
        raise Refusal("grant_unknown")
    if grant.consumer != member:
        raise Refusal("grant_of_another")
    if grant.withdrawn or not grant.valid_from <= now < grant.valid_until:
        raise Refusal("grant_not_valid")
    if grant.service != target.service:
        raise Refusal("service_not_granted")
    if method not in grant.methods:
        raise Refusal("method_not_granted")
    if not path_allowed(target.path, grant.paths):
        raise Refusal("path_not_granted")
    return grant


class QuotaBook:
    """Counts calls by grant and window. Filled again from the evidence when the gateway starts."""

    __slots__ = ("_used",)

    def __init__(self) -> None:
        self._used: dict[str, tuple[int, int]] = {}

    def take(self, grant: Grant, *, now: float) -> None:
        """Take one call of the grant's quota. Refuses when none is left, with the seconds until the next window."""
        if grant.quota is None:
            return
        used = self.used(grant, now=now)
        if used >= grant.quota.calls:
            wait = grant.quota.seconds - int(now) % grant.quota.seconds
            raise Refusal("quota_exhausted", retry_after_seconds=wait)
        self._used[grant.id] = (int(now) // grant.quota.seconds, used + 1)

    def used(self, grant: Grant, *, now: float) -> int:
        """Give how many calls of the current window are used."""
        if grant.quota is None:
            return 0
        window, used = self._used.get(grant.id, (-1, 0))
        return used if window == int(now) // grant.quota.seconds else 0
