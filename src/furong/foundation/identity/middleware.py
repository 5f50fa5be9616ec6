"""Who asks, for every request; and a stranger's way to the sign-in page and back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from furong.foundation.access.errors import AssuranceTooLow, SignInNeeded
from furong.foundation.access.values import Actor
from furong.foundation.identity import keeping
from furong.foundation.identity.queries import actor_of, signed_in_of_request
from furong.foundation.identity.sign_in import address_of


class ActorMiddleware:
    """Sets ``request.actor`` and ``request.signed_in``. A request without a session's cookie costs no read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.cookie = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Find out who asks and pass the request on."""
        request_id = str(getattr(request, "request_id", ""))
        found = signed_in_of_request(request) if self.cookie in request.COOKIES else None
        request.signed_in = found  # type: ignore[attr-defined]
        request.actor = (  # type: ignore[attr-defined]
            Actor.anonymous(request_id=request_id) if found is None else actor_of(found, request_id=request_id)
        )
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Lead a person who must sign in, or confirm their name, there and back to the same page; programs get the problem."""
        if not isinstance(exception, SignInNeeded | AssuranceTooLow) or _is_program(request):
            return None
        name = "identity:sign_in" if isinstance(exception, SignInNeeded) else "identity:real_name"
        if isinstance(exception, AssuranceTooLow) and not request.actor.is_resident:  # type: ignore[attr-defined]
            return None
        if isinstance(exception, SignInNeeded):
            keeping.keep(request=request, address=address_of(request))
        response = HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': way_back(request)})}")
        response["Cache-Control"] = "no-store"
        return response


def way_back(request: HttpRequest) -> str:
    """Give the path to return to: this page, or for a form that was sent the page it was sent from (drafts are on the server)."""
    if request.method in {"GET", "HEAD"}:
        return str(request.get_full_path())
    came = urlsplit(request.META.get("HTTP_REFERER", ""))
    if came.netloc == request.get_host():
        return str(came.path) + (f"?{came.query}" if came.query else "")
    return str(request.path)


def _is_program(request: HttpRequest) -> bool:
    accept = request.headers.get("Accept", "")
    return bool(request.path.startswith("/api/") or ("json" in accept and "text/html" not in accept))
