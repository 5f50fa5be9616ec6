"""Writes of objections: filing, answering, asking for a ruling, ruling."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.domains.objections import models, queries, telling
from furong.domains.objections.errors import (
    AlreadyObjected,
    ItemUnknown,
    NobodyAnswers,
    ObjectionMoved,
    ObjectionNotFound,
    SubjectNotYours,
    WordsNeeded,
    WrongSinceLater,
)
from furong.domains.objections.events import ObjectionFiled, ObjectionLate, ValueCorrected
from furong.domains.objections.values import (
    ANSWER_WORKING_DAYS,
    MAX_WORDS,
    RULING_WORKING_DAYS,
    Act,
    State,
    Subject,
    after,
)
from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, SignInNeeded
from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendars
from furong.foundation.events.commands import publish
from furong.foundation.organizations import queries as organizations

SYSTEM = Actor.system("objections")


@command("objections.file")
def file_objection(
    *,
    resource_code: str,
    item_code: str,
    subject: Subject,
    found: str,
    wanted: str,
    actor: Actor,
    now: datetime,
    case_id: UUID | None = None,
    entry_id: UUID | None = None,
) -> UUID:
    """Say that a value of an information item is wrong, and give the objection's id.

    ``entry_id``: the line of *who read my data* in which the person saw it; the provider is shown who read it, when and why.
    Staff object to any item that they may see; a resident to what is held of themself or of the person they act for. The
    provider has ten working days (Order 809 art. 26). Raises ResourceMissing, ItemUnknown, NobodyAnswers, SubjectNotYours,
    AlreadyObjected, WordsNeeded, SignInNeeded, AssuranceTooLow.
    """
    _may_object(actor, subject)
    words = _words(found)
    # A resident objects to their own data, of which they know that it exists whatever the resource's audience is.
    seen_by = SYSTEM if actor.is_resident else actor
    view = catalogue.get_resource(actor=seen_by, code=resource_code)
    item = next((one for one in view.items if one.code == item_code), None)
    if item is None:
        raise ItemUnknown
    reading = queries.find_reading(entry_id=entry_id, subject=subject)
    provider = organizations.find_organization(organization_id=view.organization_id) if view.organization_id else None
    if provider is None:
        raise NobodyAnswers
    same = models.Objection.objects.filter(
        resource_code=resource_code,
        item_code=item_code,
        person_id=subject.person_id,
        subject_key=subject.key,
        by_account_id=actor.account_id,
        closed_at=None,
    )
    if same.exists():
        raise AlreadyObjected
    row = models.Objection(
        resource_code=resource_code,
        item_code=item_code,
        elements=_read_as(item.elements, item_code, now),
        resource_name=dict(view.line.name),
        item_name=dict(item.name),
        provider_id=provider.id,
        provider_division=provider.division_code,
        provider_label=provider.name.zh,
        person_id=subject.person_id,
        subject_key=subject.key,
        case_id=case_id,
        reading={
            "at": reading.at.isoformat(),
            "who": reading.who,
            "purpose": reading.purpose,
            "grant": reading.grant,
        }
        if reading
        else None,
        found=words,
        wanted=wanted.strip()[:MAX_WORDS],
        filed_at=now,
        by_account_id=actor.account_id,
        by_organization_id=actor.organization_id,
        by_label=_by(actor),
        due_on=_term(now, ANSWER_WORKING_DAYS),
    )
    row.save(force_insert=True)
    _note(row, Act.FILE, words, actor=actor, now=now)
    if subject.person_id is not None:
        current().subject(subject.person_id, fields=row.elements)
    publish(ObjectionFiled(objection_id=row.id, resource_code=resource_code, item_code=item_code), now=now)
    telling.tell_provider(row, "objections.filed", now=now)
    return row.id


@command("objections.correct")
def correct(*, objection_id: UUID, words: str, wrong_since: date | None, actor: Actor, now: datetime) -> int:
    """Record that the provider corrected the value, and give how many readers of the wrong one were told.

    ``words`` say what was done; ``wrong_since`` is the local day from which the value was wrong, None when nobody knows: then
    everybody who ever read it is told. Raises WordsNeeded, WrongSinceLater, ObjectionMoved, ObjectionNotFound, AccessRefused.
    """
    row = _locked(objection_id)
    _require(row, actor, EDIT)
    if wrong_since is not None and wrong_since > calendars.current().local_date(row.filed_at):
        raise WrongSinceLater
    _move(row, Act.CORRECT, _words(words), actor=actor, now=now)
    row.wrong_since, row.due_on, row.closed_at = wrong_since, None, now
    row.readers_told = telling.tell_readers(row, now=now)
    row.save()
    telling.tell_objector(row, "objections.corrected", now=now)
    publish(ValueCorrected(objection_id=row.id, resource_code=row.resource_code, item_code=row.item_code), now=now)
    current().detail(readers_told=row.readers_told)
    return row.readers_told


@command("objections.refuse")
def refuse(*, objection_id: UUID, words: str, actor: Actor, now: datetime) -> None:
    """Answer that the value is right, and why. Whoever objected may ask for a ruling within ten working days.

    Raises WordsNeeded, ObjectionMoved, ObjectionNotFound, AccessRefused.
    """
    row = _locked(objection_id)
    _require(row, actor, EDIT)
    _move(row, Act.REFUSE, _words(words), actor=actor, now=now)
    row.due_on, row.closed_at = _term(now, RULING_WORKING_DAYS), now
    row.save()
    telling.tell_objector(row, "objections.refused", now=now)


@command("objections.ask_ruling")
def ask_ruling(*, objection_id: UUID, words: str, actor: Actor, now: datetime) -> None:
    """Bring a refused objection before the data authority.

    Raises WordsNeeded, ObjectionMoved (also after the ten working days), ObjectionNotFound.
    """
    row = _own(objection_id, actor)
    if row.due_on is not None and calendars.current().local_date(now) > row.due_on:
        raise ObjectionMoved
    _move(row, Act.ASK_RULING, _words(words), actor=actor, now=now)
    row.due_on, row.closed_at = _term(now, RULING_WORKING_DAYS), None
    row.save()
    telling.tell_authority(row, now=now)


@command("objections.rule")
def rule(*, objection_id: UUID, upheld: bool, words: str, actor: Actor, now: datetime) -> None:
    """Decide for the data authority: the provider corrects within ten working days, or the value stands.

    Raises WordsNeeded, ObjectionMoved, ObjectionNotFound, AccessRefused.
    """
    row = _locked(objection_id)
    _require(row, actor, REVIEW)
    if State(row.state) is State.FILED and row.escalated_at is None:
        raise ObjectionMoved  # the provider still has time
    _move(row, Act.UPHOLD if upheld else Act.CONFIRM, _words(words), actor=actor, now=now)
    row.escalated_at = None
    row.due_on, row.closed_at = (_term(now, ANSWER_WORKING_DAYS), None) if upheld else (None, now)
    row.save()
    telling.tell_objector(row, "objections.ruled", now=now)
    telling.tell_provider(row, "objections.ruled", now=now)


@command("objections.withdraw")
def withdraw(*, objection_id: UUID, actor: Actor, now: datetime) -> None:
    """Take an open objection back. Raises ObjectionMoved, ObjectionNotFound."""
    row = _own(objection_id, actor)
    _move(row, Act.WITHDRAW, "", actor=actor, now=now)
    row.due_on, row.closed_at = None, now
    row.save()


@command("objections.escalate_late")
def escalate_late(*, now: datetime, actor: Actor = SYSTEM, limit: int = 100) -> int:
    """Bring objections whose provider let its term pass before the data authority; give how many.

    One range of an index; each is told once.
    """
    today = calendars.current().local_date(now)
    rows = models.Objection.objects.select_for_update(skip_locked=True).filter(
        state__in=[State.FILED.value, State.UPHELD.value], escalated_at=None, due_on__lt=today
    )
    late = list(rows.order_by("due_on")[:limit])
    for row in late:
        row.escalated_at, row.version = now, row.version + 1
        row.save(update_fields=["escalated_at", "version"])
        _note(row, Act.ESCALATE, "", actor=actor, now=now)
        publish(ObjectionLate(objection_id=row.id, resource_code=row.resource_code), now=now)
        telling.tell_authority(row, now=now)
    return len(late)


# --- how ----------------------------------------------------------------------------------------------------------------


def _may_object(actor: Actor, subject: Subject) -> None:
    if actor.kind is ActorKind.ANONYMOUS:
        raise SignInNeeded
    if actor.is_staff and actor.post_id is None:
        raise AccessRefused
    if not actor.is_resident:
        return
    access.require_assurance(actor=actor, level=Assurance.VERIFIED)
    own = {actor.person_id}
    if actor.principal is not None:
        own = {actor.principal.id} if actor.principal.kind == "person" else set()
    if subject.person_id is None or subject.person_id not in own:
        raise SubjectNotYours


def _read_as(elements: tuple[str, ...], item_code: str, now: datetime) -> list[str]:
    """Under which names registers and forms record that somebody read the item."""
    dictionary = catalogue.get_dictionary(on=calendars.current().local_date(now))
    fields = {dictionary[code].source.field for code in elements if code in dictionary}
    return sorted({*elements, *fields, item_code} - {""})


def _locked(objection_id: UUID) -> models.Objection:
    row = models.Objection.objects.select_for_update(no_key=True).filter(id=objection_id).first()
    if row is None:
        raise ObjectionNotFound
    return row


def _own(objection_id: UUID, actor: Actor) -> models.Objection:
    row = _locked(objection_id)
    mine = actor.account_id is not None and row.by_account_id == actor.account_id
    office = actor.is_staff and row.by_organization_id is not None and row.by_organization_id == actor.organization_id
    if not (mine or office):
        raise ObjectionNotFound
    return row


def _require(row: models.Objection, actor: Actor, right: str) -> None:
    if not access.allows(
        actor=actor, right=right, organization_id=row.provider_id, division_code=row.provider_division
    ):
        raise ObjectionNotFound if not actor.is_staff else AccessRefused


def _words(words: str) -> str:
    found = words.strip()[:MAX_WORDS]
    if not found:
        raise WordsNeeded
    return found


def _term(now: datetime, days: int) -> date:
    calendar = calendars.current()
    return calendar.add_working_days(calendar.local_date(now), days)


def _move(row: models.Objection, act: Act, words: str, *, actor: Actor, now: datetime) -> None:
    state = after(State(row.state), act)
    if state is None:
        raise ObjectionMoved
    row.state, row.version = state.value, row.version + 1
    _note(row, act, words, actor=actor, now=now)


def _note(row: models.Objection, act: Act, words: str, *, actor: Actor, now: datetime) -> None:
    models.Step.objects.create(objection=row, act=act.value, at=now, by=_by(actor), words=words)
    current().object("objection", row.id)
    current().detail(act=act.value, state=row.state, resource=row.resource_code, item=row.item_code)


def _by(actor: Actor) -> str:
    """Post and organisation; nothing for a person, whom the page calls the one concerned."""
    if not actor.is_staff:
        return ""
    return " · ".join(part for part in (actor.organization_label, actor.label) if part)[:200]
