"""What somebody had typed on a page when their sign-in ran out: kept for half an hour, and given back once with that page.

It is kept encrypted in the browser's session, which nobody is signed in to yet, and comes back only to the very page that it was
sent to: that page itself decides whether the one who signed in then may open it. Files are not kept.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from furong.foundation.identity import throttle
from furong.foundation.identity.errors import TooManyAttempts

KEPT = "typed"  # in the session's data
SECONDS = 30 * 60
MOST_BYTES = 32 * 1024
_NOT_KEPT = frozenset({"csrfmiddlewaretoken", "_version", "version", "leave"})

View = Callable[..., HttpResponse]


def keeps_typed(view: View) -> View:
    """Let a page give back what was typed on it before a sign-in ran out, as ``request.typed``; None when there is nothing.

    For pages whose address names what they are about, and which show it to nobody else. Never for pages that take passwords.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        typed, had_files = _take(request) if request.method == "GET" else (None, False)
        request.typed, request.typed_files = typed, had_files  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    wrapper.keeps_typed = True  # type: ignore[attr-defined]
    return wrapper


def typed_of(request: HttpRequest) -> MultiValueDict[str, str] | None:
    """Give what was typed on this page before, or None."""
    found: MultiValueDict[str, str] | None = getattr(request, "typed", None)
    return found


def keep(*, request: HttpRequest, address: str) -> bool:
    """Keep the form that was sent without a sign-in, and tell whether it did.

    Too much, or too often from one network ``address``, is not kept.
    """
    match = request.resolver_match
    if request.method != "POST" or match is None or not getattr(match.func, "keeps_typed", False):
        return False
    told = {
        "path": request.path,
        "form": [(name, values) for name, values in request.POST.lists() if name not in _NOT_KEPT],
        "files": bool(request.FILES),
    }
    text = json.dumps(told, ensure_ascii=False).encode()
    if len(text) > MOST_BYTES:
        return False
    now = timezone.now()
    try:
        throttle.count(now=now, kept_address=address)
    except TooManyAttempts:
        return False
    request.session[KEPT] = _fernet(settings.SECRET_KEY).encrypt_at_time(text, int(now.timestamp())).decode()
    return True


def _take(request: HttpRequest) -> tuple[MultiValueDict[str, str] | None, bool]:
    if getattr(request, "signed_in", None) is None or KEPT not in request.session:
        return None, False
    try:
        text = _fernet(settings.SECRET_KEY).decrypt_at_time(
            request.session[KEPT].encode(), SECONDS, int(timezone.now().timestamp())
        )
        told = json.loads(text)
    except (InvalidToken, ValueError):
        del request.session[KEPT]
        return None, False
    if told["path"] != request.path:
        return None, False
    del request.session[KEPT]
    typed = QueryDict(mutable=True)
    for name, values in told["form"]:
        typed.setlist(name, values)
    return typed, bool(told["files"])


@lru_cache(maxsize=2)
def _fernet(secret: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"furong.identity.typed")
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))
