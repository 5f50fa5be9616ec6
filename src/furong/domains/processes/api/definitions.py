"""Published processes: their versions, their files, and publishing a new one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from furong.domains.processes import commands, intervening, overseeing, queries
from furong.domains.processes.api.asking import actor_of, page_size
from furong.domains.processes.errors import DefinitionRefused, PageKeyInvalid
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.queries import allows
from furong.foundation.access.values import Actor
from furong.foundation.web import problem

router = Router()
SEEN_BY = ("definitions.publish", *overseeing.SEEN_BY)


class DefinitionOut(Schema):
    """A published version."""

    digest: str
    code: str
    version: int
    name: str
    file: str
    published_at: datetime


class DefinitionPageOut(Schema):
    """A page of versions; ``after`` asks for the next one and is empty on the last."""

    definitions: list[DefinitionOut]
    after: str


class ElementOut(Schema):
    """An element of the diagram."""

    id: str
    name: str
    tag: str


class DefinitionDetailOut(Schema):
    """A version with its elements."""

    digest: str
    code: str
    version: int
    name: str
    file: str
    has_drawing: bool
    elements: list[ElementOut]
    decisions: list[str]


class PublicationIn(Schema):
    """A BPMN file, and the DMN files it names: name before ``#`` → text."""

    code: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    xml: str = Field(max_length=2_000_000)
    file: str = Field(default="process.bpmn", max_length=200)
    process_id: str = Field(default="", max_length=200)
    resources: dict[str, str] = Field(default_factory=dict)


class PublishedOut(Schema):
    """What instances are pinned to."""

    digest: str


class MigrationIn(Schema):
    """To which version, which elements are called otherwise there (old → new), and whether it is only a dry run."""

    to_digest: str = Field(min_length=1, max_length=64)
    nodes: dict[str, str] = Field(default_factory=dict)
    dry_run: bool = True
    leave_stuck: bool = False
    reason: str = Field(default="", max_length=500)


class HindranceOut(Schema):
    """What hinders instances at an element, and how many."""

    element_id: str
    reason: str
    n: int


class MigrationOut(Schema):
    """The instances that were taken along (in a dry run: that could be), and what hinders the others."""

    dry_run: bool
    instances: list[UUID]
    stuck: int
    hindrances: list[HindranceOut]
    more: bool


def _look(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if not any(allows(actor=actor, right=right) for right in SEEN_BY):
        raise AccessRefused
    return actor


@router.get("/definitions", response=DefinitionPageOut, summary="List published processes")
def process_definitions(request: HttpRequest, code: str = "", after: str = "", limit: int = 50) -> dict[str, Any]:
    """List the versions by code, the newest of each first."""
    _look(request)
    key: tuple[str, int] | None = None
    if after:
        name, _, version = after.rpartition("@")
        if not name or not version.isdecimal() or len(version) > 9:
            raise PageKeyInvalid
        key = name, int(version)
    found = overseeing.list_definitions(code=code, page_size=page_size(limit), after=key)
    following = f"{found.following[0]}@{found.following[1]}" if found.following else ""
    return {"definitions": list(found.definitions), "after": following}


@router.get("/definitions/{digest}", response=DefinitionDetailOut, summary="Give a version of a process")
def process_definition(request: HttpRequest, digest: str) -> dict[str, Any]:
    """Give a version with its elements."""
    _look(request)
    found = queries.get_definition(digest=digest)
    return {
        "digest": found.digest,
        "code": found.code,
        "version": found.version,
        "name": found.name,
        "file": found.file,
        "has_drawing": found.has_drawing,
        "elements": [{"id": key, "name": name, "tag": tag} for key, name, tag in found.elements],
        "decisions": sorted(found.decisions),
    }


@router.get(
    "/definitions/{digest}/xml",
    summary="Give the BPMN file of a version",
    openapi_extra={"responses": {200: {"description": "BPMN 2.0 XML", "content": {"application/xml": {}}}}},
)
def process_definition_xml(request: HttpRequest, digest: str) -> HttpResponse:
    """Give the file as it was published."""
    _look(request)
    answer = HttpResponse(queries.get_definition(digest=digest).xml, content_type="application/xml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{digest[:12]}.bpmn"'
    return answer


@router.post("/definitions", response={201: PublishedOut}, summary="Publish a process")
def process_publication(request: HttpRequest, publication: PublicationIn) -> Any:
    """Check a file and publish it as the next version; the same content again gives the version that is there.

    A file that cannot run is answered with every finding: file, line, element, rule, mend.
    """
    try:
        digest = commands.publish_definition(
            xml=publication.xml.encode(),
            file=publication.file,
            code=publication.code,
            process_id=publication.process_id or None,
            resources={name: text.encode() for name, text in publication.resources.items()},
            actor=actor_of(request),
            now=timezone.now(),
        )
    except DefinitionRefused as refusal:
        return _refused(request, refusal)
    return Status(201, {"digest": digest})


@router.post("/definitions/{digest}/migrations", response=MigrationOut, summary="Take instances to another version")
def process_migration(request: HttpRequest, digest: str, migration: MigrationIn) -> dict[str, Any]:
    """Take the running instances of a version to another, up to 1,000 at a time; by default a dry run that changes nothing.

    In earnest nothing is changed when one would be stuck, unless ``leave_stuck`` leaves those as they are.
    """
    actor = actor_of(request)
    if migration.dry_run:
        found = intervening.plan_migration(
            from_digest=digest, to_digest=migration.to_digest, nodes=migration.nodes, actor=actor
        )
    else:
        found = intervening.migrate_instances(
            from_digest=digest,
            to_digest=migration.to_digest,
            nodes=migration.nodes,
            reason=migration.reason,
            leave_stuck=migration.leave_stuck,
            actor=actor,
            now=timezone.now(),
        )
    return {
        "dry_run": migration.dry_run,
        "instances": list(found.ready),
        "stuck": len(found.stuck),
        "hindrances": [
            {"element_id": element, "reason": reason, "n": n} for (element, reason), n in sorted(found.reasons.items())
        ],
        "more": found.more,
    }


def _refused(request: HttpRequest, refusal: DefinitionRefused) -> HttpResponse:
    told = problem.of_refusal(refusal)
    findings = [
        {
            "file": one.file,
            "line": one.line,
            "element": one.element,
            "rule": one.rule,
            "severity": str(one.severity),
            "message": one.message.as_dict(),
            "mend": one.mend.as_dict(),
        }
        for one in refusal.findings
    ]
    return JsonResponse(
        {**problem.details(told, request_id=getattr(request, "request_id", "")), "findings": findings},
        status=told.status,
        content_type="application/problem+json",
    )
