"""Ends: the simple deregistration with its notice, the ordinary one, and what is done against an entity."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Assurance, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish

from .. import values
from ..errors import (
    EntityClosed,
    NoticeNotFound,
    NoticeObjected,
    NoticeOver,
    NoticeRunning,
    NotSimple,
    ReasonMissing,
)
from ..events import NoticeObjectedTo, NoticePublished
from ..ledger import ONCE, Effect, local_date, open_roles, rules_on, take_entity, write_act
from ..models import Entity, Notice, Objection
from ..rights import END, READ, REGISTER
from ..values import KINDS, ActKind, EntityKind, EntityState, RoleKind
from .changing import set_state


@command("legal_entities.publish_notice")
def publish_notice(*, entity_id: UUID, promise: bool, actor: Actor, basis: Basis, now: datetime) -> values.Notice:
    """Publish that an entity is to be deregistered in the simple procedure (Order 746, art. 33).

    ``promise``: its head promises, for all holders, that it owes nothing to creditors, staff, tax or social security. Objections
    are heard for twenty days; in the twenty after them the deregistration is applied for. For its head, and registrars.

    Raises `NotSimple` without the promise, for individual businesses (which need no notice), and where a licence was revoked or a
    branch is left; `EntityNotFound`, `EntityClosed`, `NoticeRunning`, ``AccessRefused``, ``PurposeMissing``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    entity = take_entity(entity_id=entity_id)
    _require_own(entity, actor)
    if EntityState(entity.state) not in {EntityState.ACTIVE, EntityState.DORMANT}:
        raise NotSimple
    facts = KINDS[EntityKind(entity.kind)]
    if not promise or not facts.is_market or not facts.needs_notice or _has_branches(entity):
        raise NotSimple
    running = entity.notices.filter(state="open").first()
    if running is not None:
        raise NoticeRunning(ends_on=running.ends_on.isoformat())
    today = local_date(now)
    rules = rules_on(today)
    row = Notice.objects.create(
        id=new_id(),
        entity=entity,
        published_on=today,
        ends_on=today + timedelta(days=rules.notice_days),
        apply_by=today + timedelta(days=rules.notice_days + rules.apply_days),
    )
    write_act(entity, ActKind.NOTICE, on=today, actor=actor, basis=basis, now=now)
    publish(
        NoticePublished(entity_id=entity.id, credit_code=entity.credit_code, ends_on=row.ends_on.isoformat()), now=now
    )
    return as_notice(row)


@command("legal_entities.withdraw_notice")
def withdraw_notice(*, entity_id: UUID, actor: Actor, basis: Basis, now: datetime) -> None:
    """Take a running notice back: the entity goes on. For its head, and registrars.

    Raises `NoticeNotFound`, `EntityNotFound`, `EntityClosed`, ``AccessRefused``, ``PurposeMissing``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    entity = take_entity(entity_id=entity_id)
    _require_own(entity, actor)
    row = entity.notices.filter(state="open").first()
    if row is None:
        raise NoticeNotFound
    row.state = "withdrawn"
    row.save(update_fields=["state"])
    current().object("legal_entity", entity.id)


@command("legal_entities.object_to_notice")
def object_to_notice(*, entity_id: UUID, reason: str, actor: Actor, basis: Basis, now: datetime) -> None:
    """Raise an objection to a simple deregistration, which ends the procedure (Order 746, art. 33).

    For departments (a post that may read the register) and for verified residents who are concerned. Raises `NoticeNotFound`,
    `NoticeOver`, `ReasonMissing`, `EntityNotFound`, `EntityClosed`, ``AccessRefused``, ``AssuranceTooLow``, ``PurposeMissing``.
    """
    if not basis.is_stated:
        raise PurposeMissing
    if actor.is_resident:
        access.require_assurance(actor=actor, level=Assurance.VERIFIED)
    else:
        access.require(actor=actor, right=READ)
    if not reason.strip():
        raise ReasonMissing
    entity = take_entity(entity_id=entity_id)
    row = entity.notices.filter(state="open").first()
    if row is None:
        raise NoticeNotFound
    today = local_date(now)
    if today > row.ends_on:
        raise NoticeOver
    Objection.objects.create(
        id=new_id(),
        notice=row,
        raised_at=now,
        organization_id=actor.organization_id,
        person_id=actor.person_id if actor.is_resident else None,
        reason=reason.strip(),
    )
    row.state = "objected"
    row.save(update_fields=["state"])
    write_act(entity, ActKind.OBJECTED, on=today, actor=actor, basis=basis, now=now)
    publish(NoticeObjectedTo(entity_id=entity.id, credit_code=entity.credit_code), now=now)


@command("legal_entities.deregister")
def deregister(
    *,
    entity_id: UUID,
    simple: bool,
    reason: str = "",
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> None:
    """Deregister an entity: it is no more, its offices end, and its name is nobody's for a year.

    In the ``simple`` procedure its notice must have run out without objection and not longer than twenty days ago; individual
    businesses and branches need none. Otherwise ``reason`` names the report of its liquidation (公司法 art. 239). The same
    ``effect_id`` again does nothing.

    Raises `NoticeNotFound`, `NoticeRunning`, `NoticeObjected`, `NoticeOver`, `NotSimple`, `ReasonMissing`, `EntityNotFound`,
    `EntityClosed`, ``AccessRefused``, ``PurposeMissing``. Order 746, art. 31 to 33.
    """
    effect = Effect.of(effect_id, "deregister", entity_id, simple, reason)
    if effect.find() is not None:
        return
    entity = take_entity(entity_id=entity_id)
    allowed = [EntityState.ACTIVE, EntityState.DORMANT]
    notice = None
    if simple:
        notice = _notice_run_out(entity, now=now)
    else:
        allowed.append(EntityState.REVOKED)
        if not reason.strip():
            raise ReasonMissing
    if _has_branches(entity):
        raise NotSimple
    set_state(
        entity_id,
        EntityState.DEREGISTERED,
        ActKind.DEREGISTERED,
        allowed=allowed,
        right=REGISTER,
        reason=reason,
        effect=effect,
        actor=actor,
        basis=basis,
        now=now,
    )
    if notice is not None:
        notice.state = "done"
        notice.save(update_fields=["state"])


@command("legal_entities.revoke")
def revoke(*, entity_id: UUID, reason: str, actor: Actor, basis: Basis, now: datetime) -> None:
    """Record that an entity's business licence was revoked by a penalty. It has still to be wound up.

    A running notice of deregistration ends. Raises `ReasonMissing`, `EntityNotFound`, `EntityClosed`, `NothingChanged`,
    ``AccessRefused``, ``PurposeMissing``. Order 746, art. 43 to 49; 公司法 art. 260.
    """
    _against(entity_id, EntityState.REVOKED, ActKind.REVOKED, reason=reason, actor=actor, basis=basis, now=now)


@command("legal_entities.annul")
def annul(*, entity_id: UUID, reason: str, actor: Actor, basis: Basis, now: datetime) -> None:
    """Annul a registration that was obtained by false papers: the entity was never rightly registered.

    Raises as `revoke`. Order 746, art. 40 and 41.
    """
    _against(entity_id, EntityState.ANNULLED, ActKind.ANNULLED, reason=reason, actor=actor, basis=basis, now=now)


def as_notice(row: Notice) -> values.Notice:
    """Private: a notice as its value."""
    return values.Notice(
        published_on=row.published_on,
        ends_on=row.ends_on,
        apply_by=row.apply_by,
        state=row.state,
        objections=row.objections.count(),
    )


def _against(
    entity_id: UUID,
    state: EntityState,
    kind: ActKind,
    *,
    reason: str,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> None:
    if not reason.strip() or not basis.legal_basis.strip():
        raise ReasonMissing
    allowed = [EntityState.ACTIVE, EntityState.DORMANT]
    if state is EntityState.ANNULLED:
        allowed.append(EntityState.REVOKED)
    entity = set_state(
        entity_id,
        state,
        kind,
        allowed=allowed,
        right=END,
        reason=reason,
        effect=ONCE,
        actor=actor,
        basis=basis,
        now=now,
    )
    entity.notices.filter(state="open").update(state="withdrawn")


def _require_own(entity: Entity, actor: Actor) -> None:
    """Registrars, and whoever leads the entity or acts for it."""
    if not actor.is_resident:
        access.require(
            actor=actor, right=REGISTER, organization_id=entity.registrar_id, division_code=entity.division_code
        )
        return
    access.require_assurance(actor=actor, level=Assurance.VERIFIED)
    heads = [role.person_id for role in open_roles(entity.id, (RoleKind.HEAD,))]
    acts = actor.principal is not None and actor.principal.kind == "enterprise" and actor.principal.id == entity.id
    if actor.person_id not in heads and not acts:
        raise AccessRefused


def _has_branches(entity: Entity) -> bool:
    return entity.branches.exclude(state__in=[EntityState.DEREGISTERED, EntityState.ANNULLED]).exists()


def _notice_run_out(entity: Entity, *, now: datetime) -> Notice | None:
    facts = KINDS[EntityKind(entity.kind)]
    if entity.state == EntityState.REVOKED or not facts.is_market:
        raise NotSimple
    if not EntityState(entity.state).is_registered:
        raise EntityClosed
    if not facts.needs_notice:
        return None
    row: Notice | None = entity.notices.order_by("-published_on", "-id").first()
    if row is None or row.state in {"withdrawn", "done"}:
        raise NoticeNotFound
    if row.state == "objected":
        raise NoticeObjected
    today = local_date(now)
    if today <= row.ends_on:
        raise NoticeRunning(ends_on=row.ends_on.isoformat())
    if today > row.apply_by:
        raise NoticeOver
    return row
