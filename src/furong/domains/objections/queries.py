"""Reads of objections: what is to answer, what one's office or oneself filed, and one with its steps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.domains.objections import models
from furong.domains.objections.errors import ObjectionNotFound, SubjectNotYours
from furong.domains.objections.values import Act, ElementSource, Line, Reading, State, Step, Subject, View, after
from furong.foundation.access import queries as access
from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor, Basis, Scope
from furong.foundation.audit import queries as audit
from furong.foundation.audit.commands import record_read
from furong.foundation.calendar import queries as calendars
from furong.registries.population import queries as population
from furong.registries.population.errors import PersonNotFound

_OPEN = [state.value for state in State if state.is_open]
_PROVIDERS_ACTS, _AUTHORITYS_ACTS = {Act.CORRECT, Act.REFUSE}, {Act.UPHOLD, Act.CONFIRM}
_OBJECTORS_ACTS = {Act.WITHDRAW, Act.ASK_RULING}
_BASIS = Basis(purpose="objection", legal_basis="国务院令第809号第二十六条")
_KNOWN_BY = ("name", "number")


def list_to_answer(*, actor: Actor, now: datetime, limit: int = 100) -> list[Line]:
    """Return the open objections that the actor answers or rules on, those due first at the top."""
    rows = models.Objection.objects.filter(state__in=_OPEN).filter(_handled(actor)).order_by("due_on", "id")[:limit]
    return [_line(row, now) for row in rows]


def list_filed(*, actor: Actor, now: datetime, limit: int = 100) -> list[Line]:
    """Return what the actor or their office objected to, newest first. Raises ``SignInNeeded``."""
    rows = models.Objection.objects.filter(_filed(actor)).order_by("-filed_at")[:limit]
    return [_line(row, now) for row in rows]


def list_of_resource(*, actor: Actor, resource_code: str, now: datetime, limit: int = 50) -> list[Line]:
    """Return the objections to a resource as far as the actor may see them, newest first."""
    rows = _visible(actor).filter(resource_code=resource_code).order_by("-filed_at")[:limit]
    return [_line(row, now) for row in rows]


def sources_of(*, elements: Iterable[str]) -> dict[str, ElementSource]:
    """Return, by element, the item that is its one authoritative source; others are left out. One read."""
    return {
        one.element: ElementSource(
            resource_code=one.resource.code, resource_name=one.resource.name, item_code=one.item_code
        )
        for one in catalogue.list_suppliers(actor=Actor.system("objections"), elements=elements)
        if one.is_source
    }


def find_reading(*, entry_id: UUID | None, subject: Subject) -> Reading | None:
    """Return a line of *who read my data* of an objection's subject, None when none was chosen.

    Raises SubjectNotYours when the line is not about this person.
    """
    if entry_id is None:
        return None
    person_id = subject.person_id
    found = audit.list_reads_of_person(person_id=person_id, entry_id=entry_id, limit=1) if person_id else []
    if not found:
        raise SubjectNotYours
    (one,) = found
    # Of a look for somebody else's affair the person is told the body alone, and so is the provider.
    purpose = "" if one.is_of_other else one.purpose
    return Reading(at=one.at, who=one.organization_label, purpose=purpose, grant=one.grant)


def count_to_answer(*, actor: Actor) -> int:
    """Count the open objections that the actor answers or rules on."""
    return models.Objection.objects.filter(state__in=_OPEN).filter(_handled(actor)).count()


def get_objection(*, objection_id: UUID, actor: Actor, now: datetime) -> View:
    """Return an objection with its steps to its two sides and the data authority.

    Staff who see whom it is about leave a trace that the person reads. Raises ObjectionNotFound.
    """
    row = _visible(actor).filter(id=objection_id).first()
    if row is None:
        raise ObjectionNotFound
    if row.person_id is not None and actor.is_staff:
        record_read(
            actor=actor,
            basis=_BASIS,
            what="objections.get_objection",
            subjects=[row.person_id],
            fields=["objection"],  # not the value itself: whoever answers need not be told that it was wrong
            database="default",
            now=now,
            object=("objection", row.id),
        )
    return View(
        line=_line(row, now),
        subject=Subject(person_id=row.person_id, key=row.subject_key),
        case_id=row.case_id,
        found=row.found,
        wanted=row.wanted,
        wrong_since=row.wrong_since,
        steps=tuple(
            Step(act=Act(one.act), at=one.at, by=one.by, words=one.words) for one in row.steps.order_by("at", "id")
        ),
        may=_may(row, actor, now),
        reading=Reading(**{**row.reading, "at": datetime.fromisoformat(row.reading["at"])}) if row.reading else None,
    )


def person_concerned(*, view: View, actor: Actor, now: datetime) -> dict[str, str]:
    """Return name and number of the person that an objection is about, to the provider who has to find them.

    Empty for everybody else, for a thing, and for a person whom the register does not know. The person sees that the
    provider's officer read it.
    """
    person_id = view.subject.person_id
    if person_id is None or not view.may & _PROVIDERS_ACTS:
        return {}
    try:
        held = population.get_person(
            person_id=person_id, fields=_KNOWN_BY, actor=Actor.system("objections"), basis=_BASIS, now=now
        )
    except PersonNotFound:
        return {}
    record_read(
        actor=actor,
        basis=_BASIS,
        what="objections.person_concerned",
        subjects=[person_id],
        fields=_KNOWN_BY,
        database="default",
        now=now,
        object=("objection", view.line.id),
    )
    return {field: str(held.values[field]) for field in _KNOWN_BY}


# --- how ----------------------------------------------------------------------------------------------------------------


def _scope(actor: Actor, right: str) -> Scope:
    return access.scope(actor=actor, right=right)


def _handled(actor: Actor) -> Q:
    """The rows whose provider the actor compiles or reviews resources for."""
    found = Q(pk__in=[])
    for right in (EDIT, REVIEW):
        scope = _scope(actor, right)
        if scope.is_empty:
            continue
        if scope.everything:
            return Q(pk__isnull=False)
        found |= Q(provider_id__in=scope.organization_ids)
        for prefix in scope.division_prefixes:
            found |= Q(provider_division__startswith=prefix)
        for organization_id, prefix in scope.narrowed:
            found |= Q(provider_id=organization_id, provider_division__startswith=prefix)
    return found


def _filed(actor: Actor) -> Q:
    if actor.account_id is None:
        raise SignInNeeded
    own = Q(by_account_id=actor.account_id)
    if actor.is_staff and actor.organization_id is not None:
        own |= Q(by_organization_id=actor.organization_id)
    return own


def _visible(actor: Actor) -> QuerySet[models.Objection]:
    if actor.is_system:
        return models.Objection.objects.all()
    return models.Objection.objects.filter(_handled(actor) | _filed(actor))


def _line(row: models.Objection, now: datetime) -> Line:
    state = State(row.state)
    late = state.waits_for_provider and row.due_on is not None and row.due_on < calendars.current().local_date(now)
    return Line(
        id=row.id,
        resource_code=row.resource_code,
        resource_name=row.resource_name,
        item_code=row.item_code,
        item_name=row.item_name,
        state=state,
        filed_at=row.filed_at,
        due_on=row.due_on,
        is_late=late,
        provider=row.provider_label,
        by=row.by_label,
        readers_told=row.readers_told,
    )


def _may(row: models.Objection, actor: Actor, now: datetime) -> frozenset[Act]:
    state, found = State(row.state), set[Act]()

    def holds(right: str) -> bool:
        scope = _scope(actor, right)
        return scope.covers(organization_id=row.provider_id, division_code=row.provider_division)

    if actor.is_staff and holds(EDIT):
        found |= _PROVIDERS_ACTS
    if actor.is_staff and holds(REVIEW):
        found |= _AUTHORITYS_ACTS if state is not State.FILED or row.escalated_at is not None else set()
    own = row.by_account_id == actor.account_id or (
        actor.is_staff and row.by_organization_id is not None and row.by_organization_id == actor.organization_id
    )
    if own:
        found |= _OBJECTORS_ACTS
    if row.due_on is not None and row.due_on < calendars.current().local_date(now):
        found -= {Act.ASK_RULING}
    return frozenset(act for act in found if after(state, act) is not None)
