"""Pages and answers of the frame itself: preferences, health, metrics, static files, and what Django calls on errors."""

from __future__ import annotations

import hmac
import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from furong.foundation.web import health, metrics, problem, requests, static_files

_YEAR_SECONDS = 365 * 24 * 3600


def _back(request: HttpRequest) -> str:
    wanted = request.GET.get("next") or ""
    if not wanted:
        # The referrer policy is same-origin: this is our own page or nothing.
        parts = urlsplit(request.headers.get("Referer", ""))
        wanted = parts.path + (f"?{parts.query}" if parts.query else "") if parts.netloc == request.get_host() else "/"
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if safe else "/"


def _remember(request: HttpRequest, cookie: str, value: str) -> HttpResponse:
    response = HttpResponseRedirect(_back(request))
    response.set_cookie(
        cookie, value, max_age=_YEAR_SECONDS, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
    )
    return response


@require_safe
def language(request: HttpRequest, code: str) -> HttpResponse:
    """Remember the reader's language and go back to the page they came from."""
    if code not in dict(settings.LANGUAGES):
        raise Http404
    return _remember(request, settings.LANGUAGE_COOKIE_NAME, code)


@require_safe
def size(request: HttpRequest, code: str) -> HttpResponse:
    """Remember the reader's text size and go back to the page they came from."""
    if code not in requests.SIZES:
        raise Http404
    return _remember(request, requests.SIZE_COOKIE, code)


def _is_loopback(request: HttpRequest) -> bool:
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR") or request.META.get("HTTP_FORWARDED")
    return not forwarded and request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"}


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say whether this machine can serve: databases, migrations, worker. 200 or 503."""
    found = health.look()
    return JsonResponse(found, status=200 if found["status"] == "ok" else 503)


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Give the figures for Prometheus, to this machine or to who holds the token."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not (_is_loopback(request) or (token and hmac.compare_digest(given.encode(), token.encode()))):
        raise Http404
    return HttpResponse(metrics.exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")


@require_safe
def static(request: HttpRequest, path: str) -> Any:
    """Serve a static file where no server in front does it (tests, one-process runs)."""
    return static_files.serve(request, path)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem.answer(request, problem.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem.answer(request, problem.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem.answer(request, problem.NOT_FOUND)


def broken(request: HttpRequest) -> HttpResponse:
    # Django calls this while it handles the error, wherever below or in the middleware that was raised.
    return problem.answer(request, problem.of_failure(sys.exc_info()[1]))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problem.answer(request, problem.CSRF)
