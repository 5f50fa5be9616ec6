"""What every part of this API reads from a request: who asks, where a page begins, under which key."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from furong.domains.processes.errors import PageKeyInvalid, RequestKeyInvalid
from furong.domains.processes.values import PageKey
from furong.foundation.access.values import Actor

MOST_KEY = 200


def actor_of(request: HttpRequest) -> Actor:
    """Give who asks."""
    return cast(Actor, request.auth)  # type: ignore[attr-defined]  # ninja puts the session's actor there


def page_key(after: str) -> PageKey | None:
    """Read where a page begins. Raises `PageKeyInvalid`."""
    if not after:
        return None
    try:
        return PageKey.parse(after)
    except ValueError as exc:
        raise PageKeyInvalid from exc


def page_size(limit: int) -> int:
    """Give how many a page holds: 1 to 200."""
    return max(1, min(limit, 200))


def told(key: PageKey | None) -> str:
    """Give a page's key as the answer tells it."""
    return key.text() if key is not None else ""


def request_key(request: HttpRequest) -> str:
    """Read the key under which a request is done once; empty when none is given. Raises `RequestKeyInvalid`."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > MOST_KEY or not key.isprintable():
        raise RequestKeyInvalid
    return key
