"""Private: how the register's rows are written. One act is one change; every dated row names it.

Nothing here asks for rights or keeps the audit; `commands` does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.calendar import queries as calendar
from furong.foundation.calendar.timelines import Version as Span
from furong.foundation.calendar.timelines import after, on_day, revise, until_next_change
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.errors import OrganizationNotFound
from furong.foundation.packs import queries as packs

from .errors import EffectReusedError, EntityClosed, EntityNotFound, NameRulesMissingError, SubjectsExhaustedError
from .kinds import NAME_RULES
from .models import Act, Entity, Role, Subject, Version
from .names import NameRules
from .values import SUBJECTS, ActKind, EntityKind, EntityState, Officer, RoleKind, credit_code

# Whoever carries out the same effect, or asks for the same trade name, waits here for the other to finish.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 22))"

# Takes the next running number of a county and prefix; the row stays locked until the entity is registered or undone.
NEXT_SUBJECT = """
INSERT INTO legal_entities_subject AS s (series, last) VALUES (%s, 0)
ON CONFLICT (series) DO UPDATE SET last = s.last + 1 RETURNING last
"""


def local_date(at: datetime) -> date:
    """Return the local day of a moment, by the calendar in force (Django's time zone without one)."""
    if calendar.is_loaded():
        return calendar.current().local_date(at)
    return timezone.localdate(at, timezone.get_default_timezone())


def lock(key: str) -> None:
    """Hold ``key`` until the transaction ends, waiting for another holder."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [key])


def rules_on(day: date) -> NameRules:
    """Return the rules for names in force on a day. Raises `NameRulesMissingError`."""

    def make() -> NameRules | None:
        for release in packs.list_current_releases(kind=NAME_RULES, on=day):
            found: NameRules = packs.get_value(kind=NAME_RULES, digest=release.digest)
            return found
        return None

    rules = packs.derive("legal_entities.name_rules", on=day, make=make)
    if rules is None:
        raise NameRulesMissingError("The pack holds no name_rules.")
    return rules


@dataclass(frozen=True, slots=True)
class Effect:
    """What a caller asks for once and may repeat: its key (None when it is asked for once only) and what it says."""

    id: UUID | None = None
    digest: str = ""

    @classmethod
    def of(cls, effect_id: UUID | None, *content: object) -> Effect:
        """Tell a repeat from another request by the digest of ``content``."""
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
        return cls(effect_id, hashlib.sha256(text.encode()).hexdigest())

    def find(self) -> Act | None:
        """Return the act that the effect did before, after waiting for one that is being done now.

        Raises `EffectReusedError`.
        """
        if self.id is None:
            return None
        lock(f"effect:{self.id}")
        act = Act.objects.select_related("entity").filter(effect_id=self.id).first()
        if act is None:
            return None
        if act.effect_digest != self.digest:
            raise EffectReusedError("The effect was carried out before with other content.")
        current().object("legal_entity", act.entity_id)
        current().detail(repeated=True)
        return act


ONCE = Effect()


def take_credit_code(*, kind: EntityKind, county: str, prefix: str) -> str:
    """Return a credit code that nobody bears; unique also when many ask at once.

    Raises `SubjectsExhaustedError` after 923,521 entities of a county and prefix.
    """
    with connection.cursor() as cursor:
        while True:
            cursor.execute(NEXT_SUBJECT, [f"{county}:{prefix}"])
            (running,) = cursor.fetchone()
            if running >= SUBJECTS:
                raise SubjectsExhaustedError(f"County {county} has no subject number left under {prefix}.")
            code = credit_code(kind=kind, county=county, prefix=prefix, running=running)
            if not Entity.objects.filter(credit_code=code).exists():
                return code


def take_entity(*, entity_id: UUID | None = None, code: str = "", open_only: bool = True) -> Entity:
    """Return the entity's row, locked. Raises `EntityNotFound`, `EntityClosed`."""
    rows = Entity.objects.select_for_update()
    found: Entity | None = (
        rows.filter(pk=entity_id).first() if entity_id is not None else rows.filter(credit_code=code).first()
    )
    if found is None:
        raise EntityNotFound
    if open_only and not EntityState(found.state).is_registered:
        raise EntityClosed
    return found


def names_of_organization(organization_id: UUID | None) -> dict[str, str]:
    """Return an organisation's name in each language; empty for none."""
    if organization_id is None:
        return {}
    try:
        found = organizations.get_organization(organization_id=organization_id)
    except OrganizationNotFound:
        return {}
    return {"zh": found.name.zh, "en": found.name.en}


def write_act(
    entity: Entity,
    kind: ActKind,
    *,
    on: date,
    changes: Sequence[Mapping[str, object]] = (),
    reason: str = "",
    effect: Effect = ONCE,
    result: Mapping[str, Any] | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> Act:
    """Write down an act on an entity, and name the entity in the audit entry of the command."""
    act = Act(
        id=new_id(),
        entity=entity,
        kind=kind.value,
        recorded_at=now,
        effective_on=on,
        organization_id=actor.organization_id,
        post_id=actor.post_id,
        legal_basis=basis.legal_basis,
        reason=reason,
        case_id=basis.case_id,
        changes=list(changes),
        effect_id=effect.id,
        effect_digest=effect.digest,
        result=dict(result or {}),
    )
    act.save(force_insert=True)
    entry = current()
    entry.object("legal_entity", entity.id)
    entry.detail(act=kind.value, items=sorted({str(one["item"]) for one in changes}))
    return act


def facts_of(entity: Entity) -> dict[str, object]:
    """Return the registration items of an entity that have a history, as JSON keeps them."""
    return {
        "name": entity.name,
        "capital_fen": entity.capital_fen,
        "address": entity.address,
        "scope": entity.scope,
        "term_until": entity.term_until.isoformat() if entity.term_until else None,
        "state": entity.state,
        "head": entity.head_name,
    }


def first_version(entity: Entity, act: Act, *, on: date, now: datetime) -> None:
    """Begin an entity's history."""
    Version.objects.create(entity=entity, valid_from=on, recorded_at=now, act=act, facts=facts_of(entity))


def timeline_of(entity_id: UUID) -> list[tuple[Version, Span]]:
    """Return the versions that the register believes now, in order of time."""
    rows = Version.objects.filter(entity_id=entity_id, superseded_at__isnull=True).order_by("valid_from")
    return [(row, Span(valid_from=row.valid_from, valid_until=row.valid_until, facts=row.facts)) for row in rows]


def set_facts(
    entity: Entity, facts: Mapping[str, object], *, since: date, make_act: Any, now: datetime
) -> tuple[Act, list[dict[str, object]]] | None:
    """Set registration items from a day on, until the change that came after it, and write the act.

    ``make_act(changes)`` writes the act. Returns it with ``[{item, before, after}]``; None when nothing changes. The entity's row
    is not touched: the caller takes `facts_on` for the present.
    """
    held = timeline_of(entity.id)
    spans = [span for _, span in held]
    then = on_day(spans, since) or (spans[0] if spans else None)
    before = dict(then.facts) if then is not None else {}
    changes = [
        {"item": item, "before": before.get(item), "after": value}
        for item, value in facts.items()
        if before.get(item) != value
    ]
    if not changes:
        return None
    until = until_next_change(spans, fields=[str(one["item"]) for one in changes], since=since)
    revision = revise(spans, facts=facts, since=since, until=until)
    act: Act = make_act(changes)
    gone = [row.id for row, span in held if span in revision.superseded]
    Version.objects.filter(id__in=gone).update(superseded_at=now)
    Version.objects.bulk_create(
        [
            Version(
                entity=entity,
                valid_from=one.valid_from,
                valid_until=one.valid_until,
                recorded_at=now,
                act=act,
                facts=dict(one.facts),
            )
            for one in sorted(revision.added, key=lambda span: span.valid_from)
        ]
    )
    latest = after(spans, revision)[-1].facts
    _take_over(entity, latest)
    return act, changes


def _take_over(entity: Entity, facts: Mapping[str, Any]) -> None:
    """Bring the entity's present row into step with its newest version."""
    term = facts.get("term_until")
    entity.name = str(facts["name"])
    entity.capital_fen = facts["capital_fen"]
    entity.address = str(facts["address"])
    entity.scope = str(facts["scope"])
    entity.term_until = date.fromisoformat(term) if term else None
    entity.state = str(facts["state"])
    entity.head_name = str(facts["head"])


def open_roles(entity_id: UUID, kinds: Iterable[RoleKind] | None = None) -> list[Role]:
    """Return the offices and shares held now."""
    rows = Role.objects.filter(entity_id=entity_id, superseded_at__isnull=True, valid_until__isnull=True)
    if kinds is not None:
        rows = rows.filter(kind__in=[kind.value for kind in kinds])
    return list(rows.order_by("kind", "recorded_at", "id"))


def write_roles(entity: Entity, officers: Iterable[Officer], act: Act, *, since: date, now: datetime) -> None:
    """Enter people and firms into their offices."""
    Role.objects.bulk_create(
        [
            Role(
                entity=entity,
                valid_from=since,
                recorded_at=now,
                act=act,
                kind=one.kind.value,
                person_id=one.person_id,
                holder_code=one.holder_code,
                name=one.name,
                title=one.title,
                subscribed_fen=one.subscribed_fen,
                paid_fen=one.paid_fen,
                contribution=one.contribution,
                due_on=one.due_on,
            )
            for one in officers
        ]
    )


def end_roles(rows: Sequence[Role], act: Act, *, on: date, now: datetime) -> None:
    """End offices on a day: what is believed now is superseded by the same with its end.

    An office that ends on the day it began was never held, and leaves only the superseded row.
    """
    Role.objects.filter(id__in=[row.id for row in rows]).update(superseded_at=now)
    closed = []
    for row in rows:
        if row.valid_from < on:
            copy = {f.attname: getattr(row, f.attname) for f in Role._meta.concrete_fields}
            copy |= {"id": new_id(), "valid_until": on, "recorded_at": now, "superseded_at": None, "act_id": act.id}
            closed.append(Role(**copy))
    Role.objects.bulk_create(closed)


def role_as_officer(row: Role) -> Officer:
    """Return a role as its value."""
    return Officer(
        kind=RoleKind(row.kind),
        name=row.name,
        person_id=row.person_id,
        holder_code=row.holder_code,
        title=row.title,
        subscribed_fen=row.subscribed_fen,
        paid_fen=row.paid_fen,
        contribution=row.contribution,
        due_on=row.due_on,
    )


def count_subjects(series: str) -> int:
    """Return how many numbers of a series were given out."""
    last = Subject.objects.filter(series=series).values_list("last", flat=True).first()
    return 0 if last is None else last + 1
