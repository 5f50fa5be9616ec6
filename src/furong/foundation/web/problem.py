"""The one table from refusal codes to HTTP, and how a problem is told: to programs as RFC 9457, to people as a page.

A page says three things: what happened, what is kept, what to do now. Rooms below know codes and no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.db import DataError, InterfaceError
from django.db import OperationalError as DatabaseAway
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from furong.foundation.codes.errors import Fault, Refusal
from furong.foundation.web.requests import wants_json

# Codes are matched whole, then by their last part ("cases.draft.not_found"), then by its ending ("unit_not_found"). What no
# rule names is 409: the request was understood and conflicts with how things are.
STATUS: dict[str, int] = {
    "access.sign_in_needed": 401,
    "access.refused": 403,
    "access.assurance_too_low": 403,
    "access.purpose_missing": 403,
    "identity.not_your_post": 403,
    "identity.second_factor_needed": 403,
    "organizations.right_beyond_own": 403,
    "catalogue.element_missing": 404,
    "exchange.document_refused": 403,
    "exchange.enrolment_refused": 403,
    "exchange.gateway_refused": 403,
    "exchange.rows_refused": 403,
    "catalogue.request_missing": 404,
    "catalogue.resource_missing": 404,
    "packs.definition_missing": 404,
    "search.gone": 404,
    "search.nothing_asked": 422,
    "search.away": 503,
    "search.page_missing": 404,
    "search.site_missing": 404,
    "search.import_missing": 404,
    "services.form_missing": 404,
    "services.item_missing": 404,
    "services.life_event_missing": 404,
    "storage.too_large": 413,
    "storage.not_what_it_says": 415,
    "licences.file_not_readable": 415,
    "identity.too_many_attempts": 429,
    "access.too_many_asked": 429,
    "organizations.right_unknown": 422,
    "organizations.template_unknown": 422,
    "processes.outcome_unknown": 422,
    "population.arrival_in_doubt": 503,
    "population.centre_unreachable": 503,
    "replicas.too_old": 503,
    "replicas.only_on_platform": 403,
    "not_found": 404,
    "unknown": 404,
    "workbench.gone": 410,
    "portraits.link_over": 410,
    "not_valid": 422,
}
_ENDINGS = (
    ("_not_found", 404),
    ("_unknown", 404),
    ("_not_valid", 422),
    ("_invalid", 422),
    ("_missing", 422),
    ("_incomplete", 422),
    ("_refused", 422),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is told. ``title``, ``detail``, ``kept`` and ``mend`` are message ids with ``params``; ``code`` is stable."""

    status: int
    code: str
    title: str
    detail: str = ""
    kept: str = ""
    mend: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    def told(self, message: str) -> str:
        """Give ``message`` in the reader's language with its parameters filled in."""
        if not message:
            return ""
        words = _(message)
        return words % self.params if self.params else words


_KEPT_ALL = gettext_noop("Nothing was changed. What you had saved is still there.")

BAD_REQUEST = Problem(
    status=400,
    code="web.bad_request",
    title=gettext_noop("This request could not be read"),
    detail=gettext_noop("Something on the way changed it, or the address was typed by hand."),
    kept=_KEPT_ALL,
    mend=gettext_noop("Go back, load the page again and try once more."),
)
SIGN_IN = Problem(
    status=401,
    code="access.sign_in_needed",
    title=gettext_noop("Please sign in first"),
    detail=gettext_noop("This page is yours alone, so we need to know that it is you."),
    kept=gettext_noop("Your drafts are kept and wait for you after you sign in."),
)
FORBIDDEN = Problem(
    status=403,
    code="access.refused",
    title=gettext_noop("You may not open this page"),
    detail=gettext_noop("It belongs to someone else, or your post does not carry the right for it."),
    kept=_KEPT_ALL,
    mend=gettext_noop("If you think you should have access, ask the administrator of your organisation."),
)
CSRF = Problem(
    status=403,
    code="web.form_expired",
    title=gettext_noop("This form has expired"),
    detail=gettext_noop("You signed in or out in another window, or the page was open for a very long time."),
    kept=gettext_noop(
        "The steps you saved before are kept in your draft. Only what you typed on this one page was not sent."
    ),
    mend=gettext_noop("Go back, load the page again and send it once more."),
)
NOT_FOUND = Problem(
    status=404,
    code="web.not_found",
    title=gettext_noop("There is no such page"),
    detail=gettext_noop("The address may be mistyped, or the page has moved."),
    kept=_KEPT_ALL,
    mend=gettext_noop("Search for what you need, or start from the home page."),
)
METHOD = Problem(
    status=405,
    code="web.method_not_allowed",
    title=gettext_noop("This page is not opened this way"),
    detail=gettext_noop(
        "What stands here is done by a button on a page, not by opening its address; or the other way round."
    ),
    kept=_KEPT_ALL,
    mend=gettext_noop("Go back to the page you came from, or start from the home page."),
)
TOO_LARGE = Problem(
    status=413,
    code="web.too_large",
    title=gettext_noop("What you sent is too large"),
    detail=gettext_noop("One file may have at most 10 MB, and one page at most 60 MB."),
    kept=gettext_noop("The steps you saved before are kept in your draft. The files of this page were not taken."),
    mend=gettext_noop("Take the photo again at a lower resolution, or scan in black and white, and upload again."),
)
TOO_MANY = Problem(
    status=429,
    code="web.too_many",
    title=gettext_noop("Too many requests"),
    detail=gettext_noop("So that everyone is served, we answer only so many requests in a short time."),
    kept=_KEPT_ALL,
    mend=gettext_noop("Wait a minute and try again."),
)
NOT_VALID = Problem(
    status=422,
    code="web.not_valid",
    title=gettext_noop("What you sent does not fit"),
    detail=gettext_noop("Some parts are missing or of another kind than described."),
    kept=_KEPT_ALL,
    mend=gettext_noop("Compare it with the description of the API and send it again."),
)
BROKEN = Problem(
    status=500,
    code="web.broken",
    title=gettext_noop("Something broke on our side"),
    detail=gettext_noop(
        "It is not your mistake. It has been recorded under the number below, and someone will look into it."
    ),
    kept=gettext_noop("Everything that was confirmed to you stands. Your drafts are kept."),
    mend=gettext_noop("Try again in a few minutes. An application sent twice counts once."),
)
UNAVAILABLE = Problem(
    status=503,
    code="web.unavailable",
    title=gettext_noop("We cannot reach our records right now"),
    detail=gettext_noop(
        "It is not your mistake. The service is being restored and usually answers again within a minute."
    ),
    kept=gettext_noop("Everything that was confirmed to you stands. The steps you saved are in your draft."),
    mend=gettext_noop("Wait a moment and send this page again. An application sent twice counts once."),
)
# What a database that is away looks like: to Django's connections, and to those of our own.
_DATABASE_AWAY = (DatabaseAway, InterfaceError, psycopg.OperationalError)


def of_failure(error: BaseException | None) -> Problem:
    """Give the problem of an error that nobody foresaw.

    A database that does not answer is told apart from what is broken, and both from values that no database takes (a NUL, half
    of a surrogate pair, a number beyond its type): those no form of ours sends.
    """
    if isinstance(error, _DATABASE_AWAY):
        return UNAVAILABLE
    return BAD_REQUEST if isinstance(error, DataError) else BROKEN


def status_of(code: str) -> int:
    """Give the HTTP status of a refusal's ``code``; 409 when the table does not name it."""
    last = code.rpartition(".")[2]
    found = STATUS.get(code) or STATUS.get(last)
    return found or next((status for ending, status in _ENDINGS if last.endswith(ending)), 409)


def of_refusal(refusal: Refusal) -> Problem:
    """Give the problem that tells ``refusal``: its own words, under the title of its status."""
    status = status_of(refusal.code)
    base = {401: SIGN_IN, 403: FORBIDDEN, 404: NOT_FOUND, 413: TOO_LARGE, 429: TOO_MANY}.get(status)
    title = base.title if base else gettext_noop("This cannot be done as things stand")
    return Problem(
        status=status,
        code=refusal.code,
        title=title,
        detail=refusal.text,
        kept=base.kept if base else _KEPT_ALL,
        mend=refusal.advice or (base.mend if base else ""),
        params=dict(refusal.params),
    )


def of_fault(fault: Fault) -> Problem:
    """Give the problem that tells a fault: never its text, which is the operator's."""
    return replace(BROKEN, code=fault.code)


def details(problem: Problem, *, request_id: str = "") -> dict[str, Any]:
    """Give the members of a problem details object (RFC 9457 §3.1), with ``code``, ``mend`` and ``request_id`` added."""
    told: dict[str, Any] = {
        "type": f"urn:furong:problem:{problem.code}",
        "title": problem.told(problem.title),
        "status": problem.status,
        "detail": problem.told(problem.detail),
        "code": problem.code,
    }
    if problem.mend:
        told["mend"] = problem.told(problem.mend)
    if request_id:
        told["request_id"] = request_id
    return told


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Tell ``problem`` to whoever asked: a page to a person, problem details to a program."""
    identifier = getattr(request, "request_id", "")
    if wants_json(request):
        response: HttpResponse = JsonResponse(
            details(problem, request_id=identifier),
            status=problem.status,
            content_type="application/problem+json",
            json_dumps_params={"ensure_ascii": False},
        )
    elif problem.status == 401 and request.method in {"GET", "HEAD"}:
        # A link was followed: sign in and come back. A form that was sent gets the page instead, which says what is kept.
        response = HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}")
    else:
        response = render(request, "furong/problem.jinja", {"problem": problem}, status=problem.status, using="furong")
    if problem.status in {429, 503}:
        response["Retry-After"] = "60" if problem.status == 429 else "10"
    return response
