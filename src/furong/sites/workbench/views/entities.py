"""The register of legal entities: looked up for a stated purpose, with its people, their shares and every act."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access.values import Actor
from furong.foundation.web.texts import text
from furong.registries.legal_entities import queries as entities
from furong.registries.legal_entities.errors import EntityNotFound
from furong.registries.legal_entities.values import (
    ACTS,
    KINDS,
    ROLES,
    STATES,
    EntityKind,
    EntityState,
    PublicEntity,
    RoleKind,
    RoleRecord,
)
from furong.sites.workbench.desk import page
from furong.sites.workbench.enquiries import Enquiry, seal, unseal
from furong.sites.workbench.forms_entities import EntitySearchForm
from furong.sites.workbench.forms_registers import LEGAL_BASES
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.registers import answer, purpose_of

ENTITY = "entity"
TONES = {EntityState.ACTIVE: "ok", EntityState.DORMANT: "wait", EntityState.REVOKED: "over"}


def _rank(one: RoleRecord) -> int:
    return list(RoleKind).index(one.kind)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs("legal_entities.read")
def entity_search(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Find entities of one's reach for a stated purpose; nobody in them is named."""
    now = timezone.now()
    form = EntitySearchForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "legal_bases": LEGAL_BASES, "lines": None}
    if request.method == "POST":
        basis = purpose_of(form, actor, now, what="legal_entities.search_entities", database="default")
        if basis is not None and form.is_valid():
            given = form.cleaned_data
            found = entities.search_entities(
                text=given["text"],
                kind=EntityKind(given["kind"]) if given["kind"] else None,
                state=EntityState(given["state"]) if given["state"] else None,
                actor=actor,
                basis=basis,
                now=now,
            )
            context["basis"] = basis
            context["lines"] = [
                {
                    "line": line,
                    "kind": KINDS[line.kind].name,
                    "state": (text(STATES[line.state]), TONES.get(line.state, "over")),
                    "token": seal(
                        Enquiry(kind=ENTITY, object_id=line.id, title=line.name, basis=basis), actor=actor, now=now
                    ),
                }
                for line in found
            ]
    return answer(page(request, actor, "registers/entities", "entities", **context), form)


@require_safe
@needs("legal_entities.read")
def entity(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Show one entity with its people and its acts; who stands in it sees that they were read."""
    now = timezone.now()
    enquiry = unseal(token, kind=ENTITY, actor=actor, now=now)
    known = entities.held_by(entity_ids=[enquiry.object_id]).get(enquiry.object_id)
    if known is None:
        raise EntityNotFound
    record = entities.get_entity(code=known[0], actor=actor, basis=enquiry.basis, now=now)
    shown = record.public
    return page(
        request,
        actor,
        "registers/entity",
        "entities",
        enquiry=enquiry,
        basis=enquiry.basis,
        entity=shown,
        state=(text(STATES[shown.state]), TONES.get(shown.state, "over")),
        rows=_rows(shown),
        held=[_role(one, shown) for one in sorted(record.roles, key=_rank) if one.until is None],
        ended=[_role(one, shown) for one in record.roles if one.until is not None],
        acts=[
            {
                "name": ACTS[one.kind],
                "act": one,
                "changes": [
                    (change.label, _shown(change.item, change.before), _shown(change.item, change.after))
                    for change in one.changes
                    if change.item != "state"
                ],
            }
            for one in record.acts
        ],
    )


def _rows(found: PublicEntity) -> list[dict[str, Any]]:
    rows: list[tuple[str, Any]] = [
        (_("Unified social credit code"), found.credit_code),
        (_("Kind of entity"), text(KINDS[found.kind].name)),
        (_("Registered capital"), _shown("capital_fen", found.capital_fen)),
        (_("Established"), found.established_on.isoformat()),
        (_("Ended on"), found.ended_on.isoformat() if found.ended_on else ""),
        (_("Registered office"), found.address),
        (_("Scope of business"), found.scope),
        (_("Term"), found.term_until.isoformat() if found.term_until else ""),
        (_("Registered by"), text(found.registrar)),
        (_("A branch of"), found.parent_name),
    ]
    return [{"term": term, "value": value} for term, value in rows if value]


def _role(one: RoleRecord, found: PublicEntity) -> dict[str, Any]:
    return {
        "name": one.name,
        "office": text(found.head_label if one.kind is RoleKind.HEAD else ROLES[one.kind]),
        "share": _shown("capital_fen", one.subscribed_fen),
        "paid": _shown("capital_fen", one.paid_fen),
        "since": one.since,
        "until": one.until,
    }


def _shown(item: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if item == "capital_fen":
        return _("%(yuan)s yuan") % {"yuan": f"{int(value) // 100:,}"}
    return str(value)
