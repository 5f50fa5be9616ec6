"""What happens around every request, kept light: each of these costs a few microseconds.

Order matters and is written in the settings. No personal data and no query string reaches a log line: a request is logged by its
route's pattern, not by its path.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils import translation
from django.utils.cache import patch_vary_headers

from furong.foundation.audit.commands import reads_collected
from furong.foundation.codes.errors import Fault, Refusal
from furong.foundation.codes.ids import new_id
from furong.foundation.web import metrics, problem, requests

GetResponse = Callable[[HttpRequest], HttpResponseBase]

log = logging.getLogger("furong.web")
# No text of a database holds one, and no form of ours sends one.
_NUL = re.compile(r"%00|\x00")
_GIVEN_ID = re.compile(r"[0-9a-zA-Z-]{8,64}")
_LANGUAGES = frozenset(code for code, _ in settings.LANGUAGES)


class RequestMiddleware:
    """Names, times, counts and logs each request. Stands first."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "") if settings.BEHIND_PROXY else ""
        identifier = given if _GIVEN_ID.fullmatch(given) else str(new_id())
        request.request_id = identifier  # type: ignore[attr-defined]
        requests.set_request_id(identifier)
        started, cpu = time.perf_counter(), time.thread_time()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = identifier
            seconds = time.perf_counter() - started
            match = request.resolver_match
            route = match.route if match else ""
            metrics.observe(
                method=request.method or "",
                route=match.view_name if match else "",
                status=response.status_code,
                seconds=seconds,
            )
            # Where this process serves style sheets itself, they would drown the rest.
            log.log(
                logging.DEBUG if route.startswith("static/") else logging.INFO,
                "request",
                extra={
                    "method": request.method,
                    "route": route,
                    "status": response.status_code,
                    "ms": round(seconds * 1000, 1),
                    "cpu_ms": round((time.thread_time() - cpu) * 1000, 1),
                },
            )
            return response
        finally:
            requests.set_request_id("")


class HeadersMiddleware:
    """Adds the headers that Django's own security middleware and django-csp do not set."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Permissions-Policy"] = settings.PERMISSIONS_POLICY
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)  # for browsers before frame-ancestors
        # Pages hold people's data: no shared cache keeps one, and the back button of a hall's terminal shows nothing.
        if "Cache-Control" not in response:
            response["Cache-Control"] = (
                "no-store" if response.get("Content-Type", "").startswith("text/html") else "private"
            )
        return response


class LanguageMiddleware:
    """Speaks the language that the reader's cookie names; Chinese otherwise."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in _LANGUAGES else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", "zh-CN" if language == "zh-hans" else language)
        patch_vary_headers(response, ("Cookie",))
        return response


class ProblemMiddleware:
    """Turns a refusal into its page or its problem details, and a fault into one that says what is kept."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.REQUEST_MAX_BYTES:
            _drain(request, int(length))
            return problem.answer(request, problem.TOO_LARGE)
        if _NUL.search(request.META.get("QUERY_STRING", "")) or "\0" in request.path:
            return problem.answer(request, problem.BAD_REQUEST)
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            told = problem.answer(request, problem.METHOD)
            told["Allow"] = response["Allow"]
            return told
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refusal):
            log.info("refused", extra={"code": exception.code})
            return problem.answer(request, problem.of_refusal(exception))
        if isinstance(exception, RequestDataTooBig | TooManyFilesSent):
            return problem.answer(request, problem.TOO_LARGE)
        if isinstance(exception, Fault):
            log.error("fault", exc_info=exception, extra={"code": exception.code})
            return problem.answer(request, problem.of_fault(exception))
        return None


def _drain(request: HttpRequest, length: int, most: int = 256 * 1024 * 1024) -> None:
    # A browser shows "connection reset" instead of our page when we answer and hang up before it has sent everything.
    left = min(length, most)
    while left > 0:
        block = request.read(min(left, 1 << 20))
        if not block:
            break
        left -= len(block)


class ReadsMiddleware:
    """Commits the audit entries of what was read about people before the answer leaves.

    When they cannot be written, the answer does not leave either.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with reads_collected():
            return self.get_response(request)
