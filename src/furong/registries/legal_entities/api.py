"""The register for programs: what anybody may know of an entity, and whether a name is free."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from furong.foundation.access.values import Actor

from . import queries
from .values import KINDS, STATES, EntityKind, PublicEntity

router = Router(auth=None)
Text = dict[str, str]


class EntityOut(Schema):
    """An entity in a list."""

    credit_code: str
    name: str
    kind: str
    state: str
    division_code: str
    established_on: date


class ChangeOut(Schema):
    """One registration item that changed."""

    on: date
    item: str
    before: str
    after: str


class PublicOut(Schema):
    """What anybody may know of an entity (企业信息公示暂行条例, art. 6). Amounts are fen."""

    credit_code: str
    name: str
    kind: str
    kind_name: Text
    state: str
    state_name: Text
    head: str
    head_label: Text
    capital_fen: int | None
    established_on: date
    ended_on: date | None
    address: str
    scope: str
    term_until: date | None
    registrar: Text
    parent_code: str
    branches: list[str]
    changes: list[ChangeOut]
    notice_until: date | None


class FindingOut(Schema):
    """What stands against a name, and where the law says so."""

    problem: str
    refuses: bool
    message: Text
    clause: Text
    other: str


class NameOut(Schema):
    """Whether a name may be registered now. It keeps nothing."""

    name: str
    is_free: bool
    findings: list[FindingOut]


@router.get("", response=list[EntityOut], summary="Find entities by credit code or the beginning of a name")
def entities(request: HttpRequest, text: str = "") -> list[dict[str, Any]]:
    """Find entities whose code, name or trade name begins with a text of two characters or more; twenty at most."""
    return [
        {
            "credit_code": one.credit_code,
            "name": one.name,
            "kind": one.kind.value,
            "state": one.state.value,
            "division_code": one.division_code,
            "established_on": one.established_on,
        }
        for one in queries.find_public(text=text)
    ]


@router.get("/names/check", response=NameOut, summary="Check whether a name can be registered")
def name_check(
    request: HttpRequest,
    kind: EntityKind,
    trade_name: str,
    division: str,
    industry: str = "",
    industry_words: str = "",
    form: str = "",
    area: str = "city",
) -> dict[str, Any]:
    """Tell what stands against a name put together of place, trade name, trade and form (Order 734)."""
    verdict = queries.check_name(
        kind=kind,
        trade_name=trade_name[:60],
        industry=industry,
        industry_words=industry_words[:60],
        form=form[:30],
        area=area,
        division_code=division,
        now=timezone.now(),
    )
    return {
        "name": verdict.name,
        "is_free": verdict.is_free,
        "findings": [
            {
                "problem": one.problem.value,
                "refuses": one.refuses,
                "message": one.message.as_dict(),
                "clause": one.clause.as_dict(),
                "other": one.other,
            }
            for one in verdict.findings
        ],
    }


@router.get("/{code}", response=PublicOut, summary="Give what anybody may know of an entity")
def entity(request: HttpRequest, code: str) -> dict[str, Any]:
    """Give an entity by its unified social credit code. Who leads it is told that it was looked at."""
    actor = getattr(request, "actor", None) or Actor.anonymous()
    found: PublicEntity = queries.get_public(code=code, actor=actor, now=timezone.now())
    names = (
        "credit_code",
        "name",
        "head",
        "capital_fen",
        "established_on",
        "ended_on",
        "address",
        "scope",
        "term_until",
    )
    return {
        **{name: getattr(found, name) for name in names},
        "kind": found.kind.value,
        "kind_name": KINDS[found.kind].name.as_dict(),
        "state": found.state.value,
        "state_name": STATES[found.state].as_dict(),
        "head_label": found.head_label.as_dict(),
        "registrar": found.registrar.as_dict(),
        "parent_code": found.parent_code,
        "branches": [code for code, _ in found.branches],
        "changes": [{"on": c.on, "item": c.item, "before": c.before, "after": c.after} for c in found.changes],
        "notice_until": found.notice.ends_on if found.notice and found.notice.state == "open" else None,
    }
