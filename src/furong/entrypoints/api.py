"""The platform's API: each room's router under its name, one description (OpenAPI) that is committed and compared.

Sessions sign in as the pages do; a writing call carries the CSRF token. Refusals are RFC 9457 problems from the one table in
``foundation.web.problem``.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.security import APIKeyCookie

from furong import __version__
from furong.domains.cases.api import router as cases
from furong.domains.catalogue.api import router as catalogue
from furong.domains.exchange.api import router as exchange
from furong.domains.payments.api import router as payments
from furong.domains.processes.api import router as processes
from furong.domains.search.api import router as search
from furong.domains.services.api import router as services
from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.foundation.web import problem
from furong.registries.legal_entities.api import router as entities


class Session(APIKeyCookie):
    """The session of the pages. Raises `SignInNeeded` for a stranger."""

    param_name = "furong_session"

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor:
        """Give the actor of the session."""
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None or actor.account_id is None:
            raise SignInNeeded
        return actor


class Described(NinjaAPI):
    """The API with what every operation may answer in its description: a refusal is a problem of RFC 9457."""

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> OpenAPISchema:
        """Give the description."""
        found = super().get_openapi_schema(*args, **kwargs)
        found.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
        told = {
            "description": "Refused, with the reason",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for operations in found["paths"].values():
            for operation in operations.values():
                operation["responses"].setdefault("4XX", told)
        return found


_TEXT = {"type": "string"}
_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457, with a stable code.",
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": _TEXT,
        "mend": _TEXT,
        "request_id": _TEXT,
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}

api = Described(
    title="Furong",
    version=__version__,
    description="Applications, cases, services, requests for data. Times are UTC (ISO 8601), dates local; texts are {zh, en}.",
    auth=Session(csrf=True),
    urls_namespace="api",
    docs_url=None,
)
api.add_router("/services", services, tags=["services"])
api.add_router("/cases", cases, tags=["cases"])
api.add_router("/processes", processes, tags=["processes"])
api.add_router("/exchange", exchange, tags=["exchange"])
api.add_router("/catalogue", catalogue, tags=["catalogue"])
api.add_router("/entities", entities, tags=["entities"])
api.add_router("/search", search, tags=["search"])
api.add_router("/payments", payments, tags=["payments"])


@api.exception_handler(Refusal)
def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer a refusal as a problem."""
    return problem.answer(request, problem.of_refusal(refusal))


@api.exception_handler(HttpError)
def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer what the API's library itself refuses: a body that is no JSON, a missing token."""
    known = {400: problem.BAD_REQUEST, 403: problem.CSRF, 404: problem.NOT_FOUND, 413: problem.TOO_LARGE}
    return problem.answer(request, known.get(error.status_code, problem.NOT_VALID))


@api.exception_handler(Http404)
def not_there(request: HttpRequest, error: Http404) -> HttpResponse:
    """Answer a key that nobody has."""
    return problem.answer(request, problem.NOT_FOUND)


@api.exception_handler(ValidationError)
def not_valid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer a request that does not fit its schema: which parts, and why; what was sent is not repeated."""
    parts: list[dict[str, Any]] = [
        {"part": "/".join(str(p) for p in e.get("loc", ())), "reason": e.get("msg", "")} for e in error.errors
    ]
    told = problem.details(problem.NOT_VALID, request_id=getattr(request, "request_id", ""))
    return JsonResponse(
        {**told, "errors": parts}, status=problem.NOT_VALID.status, content_type="application/problem+json"
    )
