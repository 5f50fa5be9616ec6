"""The centre for gateways: the configuration, reports, enrolment, and the rows that the platform shares with no code.

Nobody signs in here by a session: a gateway signs each request with its own key, an enrolment is sealed under a one-time code,
and the rows are shown to the platform's own gateway by a token and from its own machine.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Router

from furong.domains.exchange import enrolling, issuing, renewing, reporting, shared_rows
from furong.domains.exchange.errors import EnrolmentRefused, HandoverRefused, ReportMalformed
from furong.domains.exchange.nodes.api import router as nodes
from furong.domains.exchange.shared_rows import Question
from furong.foundation.access.values import Actor

router = Router()
router.add_router("", nodes)
MAX_BODY = 4 * 1024 * 1024
_RESERVED = frozenset({"case", "item", "limit", "after"})


def _gateway(request: HttpRequest) -> str:
    return reporting.identify(
        method=request.method or "",
        target=request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()} | {"host": request.get_host()},
        content=request.body,
        now=timezone.now(),
    )


@router.get("/configuration", auth=None, response={200: dict[str, Any], 304: None}, url_name="exchange_configuration")
def configuration(request: HttpRequest) -> HttpResponse:
    """Give a live gateway the newest signed configuration; 304 when it holds it already (``If-None-Match: "NUMBER"``)."""
    gateway = _gateway(request)
    text = request.headers.get("If-None-Match", "").strip('"')
    held = int(text) if text.isdecimal() and len(text) < 18 else 0
    issuing.note_held(gateway=gateway, serial=held, now=timezone.now())
    found = issuing.newest_file(beyond=held)
    if found is None:
        return HttpResponse(status=304, headers={"ETag": f'"{held}"'})
    return HttpResponse(found[1], content_type="application/json", headers={"ETag": f'"{found[0]}"'})


@router.post("/reports", auth=None, response={204: None}, url_name="exchange_reports")
def reports(request: HttpRequest) -> HttpResponse:
    """Take a gateway's report: counts by minute, its log's signed head, its health."""
    gateway = _gateway(request)
    reporting.take_report(gateway=gateway, report=_body(request, ReportMalformed), now=timezone.now())
    return HttpResponse(status=204)


@router.post("/enrolments", auth=None, response={201: dict[str, Any]}, url_name="exchange_enrolments")
def enrolments(request: HttpRequest) -> HttpResponse:
    """Take a gateway's request to be admitted, sealed under the one-time code of its member; answer with the operator's key."""
    sent = _body(request, EnrolmentRefused)
    answer = enrolling.enrol_gateway(sent=sent, actor=Actor.system("exchange"), now=timezone.now())
    return JsonResponse(answer, status=201)


@router.post("/keys", auth=None, response={201: dict[str, Any]}, url_name="exchange_keys")
def keys(request: HttpRequest) -> HttpResponse:
    """Take a live gateway's next key, handed over by the one in force; answer with its name."""
    gateway = _gateway(request)
    sent = _body(request, HandoverRefused)
    key_id = renewing.renew_gateway_key(gateway=gateway, sent=sent, actor=Actor.system("exchange"), now=timezone.now())
    return JsonResponse({"key_id": key_id}, status=201)


@router.get("/rows/{service}/one/{key}", auth=None, response=dict[str, Any], url_name="exchange_row")
def one(request: HttpRequest, service: str, key: str) -> HttpResponse:
    """Give the platform's own gateway the rows of one thing or person, as far as the grant goes that the consumer named."""
    return _rows(request, service, key)


@router.get("/rows/{service}/rows", auth=None, response=dict[str, Any], url_name="exchange_rows")
def rows(request: HttpRequest, service: str) -> HttpResponse:
    """Give the platform's own gateway rows of a resource: ``limit``, ``after``, items as filters (``division_code=430202``)."""
    return _rows(request, service, None)


def _rows(request: HttpRequest, service: str, key: str | None) -> HttpResponse:
    headers = request.headers
    shared_rows.admit(
        token=headers.get("Authorization", "").removeprefix("Bearer "), address=request.META.get("REMOTE_ADDR", "")
    )
    given = request.GET.dict()
    case = given.get("case", "")
    question = Question(
        service=service,
        consumer=headers.get("Furong-Consumer", ""),
        grant=headers.get("Furong-Grant", ""),
        message=headers.get("Furong-Message", ""),
        key=key,
        filters={name: value for name, value in given.items() if name not in _RESERVED},
        limit=_number(given.get("limit"), 100),
        after=_number(given.get("after"), 0),
        case_id=_uuid(case),
        item_code=given.get("item", "")[:64],
    )
    found = shared_rows.read_rows(question=question, actor=Actor.system("exchange"), now=timezone.now())
    text = json.dumps({"rows": found}, ensure_ascii=False, default=_plain)
    return HttpResponse(text, content_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else default


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _body(request: HttpRequest, refusal: type[EnrolmentRefused | ReportMalformed | HandoverRefused]) -> dict[str, Any]:
    if int(request.headers.get("Content-Length") or 0) > MAX_BODY:
        raise refusal
    try:
        found = json.loads(request.body)
    except ValueError:
        raise refusal from None
    # No text of the database holds a NUL.
    if not isinstance(found, dict) or "\\u0000" in json.dumps(found):
        raise refusal
    return found
