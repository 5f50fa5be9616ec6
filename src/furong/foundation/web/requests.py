"""The request now being answered: its id for logs and audit, and how its page is to look."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest

from furong.foundation.web import texts

SIZES = ("normal", "large", "huge")  # huge is the kiosk's: read and touched at arm's length
SIZE_COOKIE = "furong_size"

_request_id: ContextVar[str] = ContextVar("furong_request_id", default="")


def request_id() -> str:
    """Give the id of the request now being answered on this thread; empty outside one."""
    return _request_id.get()


def set_request_id(value: str) -> None:
    """Set the id that logs carry on this thread."""
    _request_id.set(value)


def wants_json(request: HttpRequest) -> bool:
    """Say whether the caller is a program: the API's paths, or JSON asked for and no HTML."""
    accept = request.headers.get("Accept", "")
    return request.path.startswith("/api/") or ("json" in accept and "text/html" not in accept)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give every template what the frame needs (context processor)."""
    from furong.foundation.web import queries  # not at the top: logging imports this before apps are ready

    site = queries.get_site()
    size = request.COOKIES.get(SIZE_COOKIE, "")
    return {
        "lang": texts.content_language(),
        "html_lang": "zh-CN" if texts.content_language() == "zh" else "en",
        "size": size if size in SIZES else "normal",
        "actor": getattr(request, "actor", None),
        "request_id": getattr(request, "request_id", ""),
        "site": site,
        "site_name": site.name,
        "here": request.path,
    }
