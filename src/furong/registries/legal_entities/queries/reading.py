"""Entities: as anybody may see them, as staff may, and those in which a person has a part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.sharing import decide_sharing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read, record_read
from furong.foundation.organizations import queries as organizations
from furong.foundation.packs.values import Text

from ..commands.ending import as_notice
from ..errors import EntityNotFound
from ..models import Act, Entity, Role, Version
from ..names import name_key
from ..rights import READ
from ..terms import ITEMS, PEOPLE, RESOURCE, told
from ..values import (
    FACTS,
    KINDS,
    ActKind,
    ActRecord,
    EntityKind,
    EntityLine,
    EntityRecord,
    EntityState,
    PublicChange,
    PublicEntity,
    Represented,
    RoleKind,
    RoleRecord,
)

DATABASE = "default"
_PUBLIC = Basis(purpose="企业信息公示 Public information on entities", legal_basis="《企业信息公示暂行条例》第六条")
_LAST = "\U0010ffff"  # sorts after every character, in collation C


@read("legal_entities.get_public", database=DATABASE)
def get_public(*, code: str, actor: Actor, now: datetime) -> PublicEntity:
    """Return what anybody may know of an entity, by its credit code (《企业信息公示暂行条例》, art. 6).

    Its head is named, as the law publishes it, and finds the look among the reads of their data. Raises `EntityNotFound`.
    Four statements.
    """
    row = _by_code(code)
    if row.head_person_id is not None:
        record_read(
            actor=actor,
            basis=_PUBLIC,
            what="legal_entities.get_public",
            subjects=[row.head_person_id],
            fields=("name", "head"),
            database=DATABASE,
            now=now,
            object=("legal_entity", row.id),
        )
    return _public(row)


_FIND = """
SELECT id, credit_code, name, kind, state, division_code, established_on FROM legal_entities_entity e
 WHERE credit_code = %(key)s OR name_key >= %(key)s AND name_key < %(after)s
    OR id IN (SELECT entity_id FROM legal_entities_name
               WHERE trade_key >= %(key)s AND trade_key < %(after)s AND ended_on IS NULL)
 ORDER BY (name_key = %(key)s) DESC, (state IN ('active', 'dormant')) DESC, name_key LIMIT %(limit)s
"""


def find_public(*, text: str, limit: int = 20) -> tuple[EntityLine, ...]:
    """Return entities with a credit code, or whose name or trade name begins with two characters or more.

    Nobody is named. Empty for less. Those that are exactly so named come first, then those still registered. One statement.
    """
    key = name_key(text)[:100]
    if len(key) < 2:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"key": key, "after": key + _LAST, "limit": max(1, min(limit, 100))})
        return tuple(_line(row) for row in cursor.fetchall())


_SEARCH = """
SELECT id, credit_code, name, kind, state, division_code, established_on FROM legal_entities_entity e
 WHERE {scope} AND (%(key)s = '' OR credit_code = %(key)s OR name_key >= %(key)s AND name_key < %(after)s
        OR id IN (SELECT entity_id FROM legal_entities_name
                   WHERE trade_key >= %(key)s AND trade_key < %(after)s AND ended_on IS NULL))
   AND (%(kind)s = '' OR kind = %(kind)s) AND (%(state)s = '' OR state = %(state)s)
 ORDER BY name_key, id LIMIT %(limit)s
"""


@read("legal_entities.search_entities", database=DATABASE)
def search_entities(
    *,
    text: str = "",
    kind: EntityKind | None = None,
    state: EntityState | None = None,
    limit: int = 50,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> tuple[EntityLine, ...]:
    """Return entities of the asker's reach by name, code, kind and state, in order of name.

    For staff with ``legal_entities.read``; nobody in them is named. Raises ``PurposeMissing``, ``AccessRefused``,
    ``SharingRefused``. One statement.
    """
    if not basis.is_stated:
        raise PurposeMissing
    access.require(actor=actor, right=READ)
    decision = decide_sharing(
        actor=actor, resource=RESOURCE, fields=ITEMS, basis=basis, now=now, divisions=None, subjects=0
    )
    within, places = decision.sql(division_column="division_code")
    scope = access.scope(actor=actor, right=READ)
    condition, params = scope.sql(organization_column="registrar_id", division_column="division_code")
    condition = f"{condition} AND {within}"
    named = {f"s{number}": value for number, value in enumerate([*params, *places])}
    for key in named:
        condition = condition.replace("%s", f"%({key})s", 1)
    key = name_key(text)[:100]
    with connection.cursor() as cursor:
        cursor.execute(
            _SEARCH.format(scope=condition),
            {
                **named,
                "key": key,
                "after": key + _LAST,
                "kind": kind.value if kind else "",
                "state": state.value if state else "",
                "limit": max(1, min(limit, 200)),
            },
        )
        return tuple(_line(row) for row in cursor.fetchall())


@read("legal_entities.get_entity", database=DATABASE)
def get_entity(*, code: str, actor: Actor, basis: Basis, now: datetime) -> EntityRecord:
    """Return an entity with its people, their shares, and every act on it, to staff with a purpose.

    Who is shown in it is recorded as read. For staff with ``legal_entities.read`` over its division or registrar, as the terms of
    the resource allow; its head and who acts for it see it too. Raises `EntityNotFound`, ``PurposeMissing``, ``AccessRefused``,
    ``SharingRefused``. Six statements.
    """
    if not basis.is_stated:
        raise PurposeMissing
    row = _by_code(code)
    if actor.is_resident:
        acts = actor.principal is not None and actor.principal.kind == "enterprise" and actor.principal.id == row.id
        related = frozenset({row.head_person_id} if acts and row.head_person_id else ())
        access.require_person(
            actor=actor, basis=basis, person_ids=[row.head_person_id or row.id], right=READ, related=related
        )
    else:
        access.require(actor=actor, right=READ, organization_id=row.registrar_id, division_code=row.division_code)
    roles = list(
        Role.objects.filter(entity=row, superseded_at__isnull=True).order_by("valid_until", "kind", "valid_from", "id")
    )
    subjects = sorted({role.person_id for role in roles if role.person_id is not None})
    decision = decide_sharing(
        actor=actor,
        resource=RESOURCE,
        fields=(*ITEMS, *PEOPLE),
        basis=basis,
        now=now,
        divisions={row.division_code},
        subjects=len(subjects),
        owners={row.registrar_id} if row.registrar_id else (),
    )
    record_read(
        actor=actor,
        basis=basis,
        what="legal_entities.get_entity",
        subjects=subjects,
        fields=("name", "roles", "contributions"),
        database=DATABASE,
        now=now,
        object=("legal_entity", row.id),
        detail=told(decision),
    )
    return EntityRecord(
        id=row.id,
        public=_public(row),
        roles=tuple(_role(role) for role in roles if role.valid_until is None)
        + tuple(_role(role) for role in roles if role.valid_until is not None),
        acts=tuple(_acts(row)),
    )


def state_on(*, code: str, on: date, known_at: datetime | None = None) -> Mapping[str, object]:
    """Return the registration items of an entity on a day, as it was believed at ``known_at`` or is now.

    Empty when it had none then. Of people the head's registered name alone. Raises `EntityNotFound`. Two statements.
    """
    row = _by_code(code)
    rows = Version.objects.filter(entity=row, valid_from__lte=on).exclude(valid_until__lte=on)
    if known_at is None:
        rows = rows.filter(superseded_at__isnull=True)
    else:
        rows = rows.filter(recorded_at__lte=known_at).exclude(superseded_at__lte=known_at)
    found = rows.order_by("-recorded_at").first()
    return dict(found.facts) if found is not None else {}


@read("legal_entities.list_of_person", database=DATABASE)
def list_of_person(
    *, person_id: UUID, actor: Actor, basis: Basis, now: datetime
) -> tuple[tuple[EntityLine, tuple[RoleKind, ...]], ...]:
    """Return the entities in which a person has an office or a share today, with which.

    A resident asks about themself; staff need ``legal_entities.read`` and a purpose. The read is recorded. Raises
    ``PurposeMissing``, ``AccessRefused``, ``AssuranceTooLow``. One statement.
    """
    access.require_person(actor=actor, basis=basis, person_ids=[person_id], right=READ)
    rows = (
        Role.objects.filter(person_id=person_id, superseded_at__isnull=True, valid_until__isnull=True)
        .select_related("entity")
        .order_by("entity__name_key", "kind")
    )
    found: dict[UUID, tuple[EntityLine, list[RoleKind]]] = {}
    for role in rows:
        found.setdefault(role.entity_id, (_as_line(role.entity), []))[1].append(RoleKind(role.kind))
    if found:  # a look without a hit discloses nothing
        decision = decide_sharing(
            actor=actor,
            resource=RESOURCE,
            fields=(*ITEMS, *PEOPLE),
            basis=basis,
            now=now,
            divisions={line.division_code for line, _ in found.values()},
        )
        record_read(
            actor=actor,
            basis=basis,
            what="legal_entities.list_of_person",
            subjects=[person_id],
            fields=("roles",),
            database=DATABASE,
            now=now,
            detail=told(decision),
        )
    return tuple((line, tuple(kinds)) for line, kinds in found.values())


def find_represented(*, code: str) -> Represented | None:
    """Return who represents an entity that is registered, by credit code, for acting in its name; None else.

    For the sign-in alone, which answers whether somebody may act; it shows nobody. One statement.
    """
    row = Entity.objects.filter(credit_code=code.strip().upper()).first()
    if row is None or row.head_person_id is None or not EntityState(row.state).is_registered:
        return None
    return Represented(entity_id=row.id, credit_code=row.credit_code, name=row.name, person_id=row.head_person_id)


def held_by(*, entity_ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    """Return credit code and name of entities, for labels. One statement."""
    rows = Entity.objects.filter(id__in=list(entity_ids)).values_list("id", "credit_code", "name")
    return {key: (code, name) for key, code, name in rows}


def _by_code(code: str) -> Entity:
    row = Entity.objects.select_related("parent").filter(credit_code=code.strip().upper()[:18]).first()
    if row is None:
        raise EntityNotFound
    return row


def _public(row: Entity) -> PublicEntity:
    kind = EntityKind(row.kind)
    notice = row.notices.order_by("-published_on", "-id").first()
    branches = row.branches.exclude(state__in=["deregistered", "annulled"]).order_by("name_key")
    changes = [
        one
        for act in Act.objects.filter(entity=row, kind=ActKind.CHANGED.value).order_by("-effective_on", "-recorded_at")
        for one in _changes(act)
        if one.item in FACTS
    ]
    return PublicEntity(
        credit_code=row.credit_code,
        name=row.name,
        kind=kind,
        state=EntityState(row.state),
        head=row.head_name,
        head_label=KINDS[kind].head,
        capital_fen=row.capital_fen,
        established_on=row.established_on,
        ended_on=row.ended_on,
        address=row.address,
        scope=row.scope,
        term_until=row.term_until,
        registrar=Text.of(row.registrar or {"zh": "", "en": ""}),
        division_code=row.division_code,
        parent_code=row.parent.credit_code if row.parent else "",
        parent_name=row.parent.name if row.parent else "",
        branches=tuple((one.credit_code, one.name) for one in branches[:200]),
        changes=tuple(changes[:200]),
        notice=as_notice(notice) if notice is not None and notice.state != "withdrawn" else None,
    )


def _changes(act: Act) -> list[PublicChange]:
    return [
        PublicChange(
            on=act.effective_on, item=str(one["item"]), before=_words(one["before"]), after=_words(one["after"])
        )
        for one in act.changes
    ]


def _words(value: object) -> str:
    return "" if value is None else str(value)


def _acts(row: Entity) -> list[ActRecord]:
    rows = list(Act.objects.filter(entity=row).order_by("-recorded_at", "-id"))
    labels = organizations.labels_of_organizations(
        organization_ids={one.organization_id for one in rows if one.organization_id is not None}
    )
    return [
        ActRecord(
            kind=ActKind(one.kind),
            recorded_at=one.recorded_at,
            effective_on=one.effective_on,
            organization=Text.of({"zh": labels[one.organization_id].zh, "en": labels[one.organization_id].en})
            if one.organization_id in labels
            else None,
            legal_basis=one.legal_basis,
            reason=one.reason,
            case_id=one.case_id,
            changes=tuple(_changes(one)),
        )
        for one in rows
    ]


def _role(row: Role) -> RoleRecord:
    return RoleRecord(
        kind=RoleKind(row.kind),
        name=row.name,
        person_id=row.person_id,
        holder_code=row.holder_code,
        title=row.title,
        subscribed_fen=row.subscribed_fen,
        paid_fen=row.paid_fen,
        contribution=row.contribution,
        due_on=row.due_on,
        since=row.valid_from,
        until=row.valid_until,
    )


def _line(row: tuple[UUID, str, str, str, str, str, date]) -> EntityLine:
    key, code, name, kind, state, division, established = row
    return EntityLine(
        id=key,
        credit_code=code,
        name=name,
        kind=EntityKind(kind),
        state=EntityState(state),
        division_code=division,
        established_on=established,
    )


def _as_line(row: Entity) -> EntityLine:
    return _line((row.id, row.credit_code, row.name, row.kind, row.state, row.division_code, row.established_on))
