"""Between nodes over HTTP: joining by a code, pulling a document, taking one that is pushed. All of it is signed."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Router

from furong.domains.exchange import reporting
from furong.domains.exchange.errors import EnrolmentRefused
from furong.domains.exchange.nodes import carrying, commands
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.errors import DocumentRefused
from furong.domains.exchange.nodes.values import NodeState, Relation
from furong.foundation.access.values import Actor
from furong_link import nodes

router = Router()
MAX_DOCUMENT = 16 * 1024 * 1024


@router.post("/nodes/joinings", auth=None, response={201: dict[str, Any]}, url_name="exchange_node_joinings")
def joinings(request: HttpRequest) -> HttpResponse:
    """Take a lower node's request to be admitted, sealed under its one-time code; answer with this node's key."""
    try:
        sent = json.loads(request.body)
    except ValueError:
        raise EnrolmentRefused from None
    if not isinstance(sent, dict) or "\\u0000" in json.dumps(sent):
        raise EnrolmentRefused
    answer = commands.take_joining(sent=sent, actor=Actor.system("exchange"), now=timezone.now())
    return JsonResponse(answer, status=201)


@router.get("/nodes/document", auth=None, response={200: dict[str, Any], 304: None}, url_name="exchange_node_document")
def document(request: HttpRequest) -> HttpResponse:
    """Give a lower node what concerns it, signed; 304 when it holds it already (``If-None-Match: "NUMBER"``)."""
    now = timezone.now()
    node = _node(request)
    text = request.headers.get("If-None-Match", "").strip('"')
    held = int(text) if text.isdecimal() and len(text) < 18 else 0
    found = carrying.give(node, held=held, now=now)
    if found is None:
        return HttpResponse(status=304, headers={"ETag": f'"{held}"'})
    return HttpResponse(found[1], content_type="application/json", headers={"ETag": f'"{found[0]}"'})


@router.put("/nodes/document", auth=None, response=dict[str, Any], url_name="exchange_node_document_put")
def take(request: HttpRequest) -> HttpResponse:
    """Take a document that a node above or below pushes; answered once every gateway that can be reached knows."""
    now = timezone.now()
    # Read past the limit of forms: a node with many members states more.
    file = request.read(MAX_DOCUMENT + 1)
    if len(file) > MAX_DOCUMENT:
        raise DocumentRefused
    _, is_new = carrying.take_document(file=file, actor=Actor.system("exchange"), now=now)
    unreached = carrying.hand_on(now=now) if is_new else ()
    return JsonResponse({"unreached": list(unreached)})


def _node(request: HttpRequest) -> tables.Node:
    """Give the live lower node whose key signed the request."""

    def find(key_id: str) -> tuple[str, str, str] | None:
        row = tables.Node.objects.filter(
            code=key_id.partition("/")[0], relation=Relation.LOWER.value, state=NodeState.LIVE.value
        ).first()
        number = nodes.number_of(key_id, row.code) if row is not None else None
        if row is None or number is None:
            return None
        if number == row.key_number:
            return row.code, row.algorithm, row.public
        # A key that was handed over: until its grace is over.
        algorithm, _, public = row.before.partition(":")
        fits = public and number < row.key_number and row.before_until is not None and timezone.now() < row.before_until
        return (row.code, algorithm, public) if fits else None

    code = reporting.identify_by(
        find,
        method=request.method or "",
        target=request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()} | {"host": request.get_host()},
        content=request.body,
        now=timezone.now(),
    )
    row = tables.Node.objects.filter(code=code).first()
    if row is None:
        raise DocumentRefused
    return row
