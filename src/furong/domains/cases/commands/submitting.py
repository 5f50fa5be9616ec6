"""Submission: one draft becomes one application with a case per item, however often it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from furong.domains.bookings import commands as bookings
from furong.domains.bookings import queries as booking_queries
from furong.domains.cases import models, notifying, ports
from furong.domains.cases.commands.dependents import want_start
from furong.domains.cases.commands.drafting import KEPT_ASIDE, carried_over, lock_draft
from furong.domains.cases.commands.moving import is_own, note, rules, today
from furong.domains.cases.commands.receiving import people_asked, receive, request_consents
from furong.domains.cases.errors import (
    AlreadyAppliedFor,
    FormChanged,
    FormNotValid,
    ItemNotOffered,
    ItemNotPartOfEvent,
    NotForPrincipal,
)
from furong.domains.cases.events import ApplicationSubmitted
from furong.domains.cases.numbers import application_number
from furong.domains.cases.silence import listening
from furong.domains.cases.values.plans import Answer, ApplicationPlan, ItemPlan
from furong.domains.cases.values.states import FAILED, CaseState
from furong.domains.cases.values.views import Submitted
from furong.foundation.access.errors import AccessRefused, AssuranceTooLow
from furong.foundation.access.queries import require_assurance
from furong.foundation.access.values import Actor, Assurance, Basis
from furong.foundation.audit import commands as audit
from furong.foundation.audit.commands import command
from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import first_row
from furong.foundation.events.commands import publish
from furong.foundation.identity.queries import holds_power
from furong.foundation.identity.values import Power


@command("cases.submit_application")
def submit_application(*, draft_id: UUID, actor: Actor, now: datetime) -> Submitted:
    """Hand in a draft: one application, one case per item, its number, its first notice.

    The draft is the idempotency key: sent twice, at once or after a lost reply, it is one application, and the second
    caller gets the first one's answer. Items without prerequisites are received today. Raises DraftNotFound,
    FormChanged when the form's version changed or an answer still needs checking, FormNotValid with the fields
    concerned, AlreadyAppliedFor, ItemNotOffered, NobodyResponsible, AssuranceTooLow, BookingNeeded when an item wants a time at
    an office and none is kept. About 25 statements.
    """
    draft = lock_draft(draft_id=draft_id, actor=actor)
    before = models.Application.objects.filter(draft_id=draft_id).first()
    if before is not None:
        audit.current().detail(repeated=True)
        return Submitted(application_id=before.id, number=before.number, repeated=True)
    require_assurance(actor=actor, level=Assurance.VERIFIED)
    if not holds_power(actor=actor, power=Power.APPLY, now=now):
        raise AccessRefused
    services, on = ports.services(), today(now)
    kind = actor.principal.kind if actor.principal is not None else "person"
    if not services.serves(
        life_event_code=draft.life_event_code, item_codes=draft.item_codes, kind=kind, on=on
    ) or draft.person_id != (actor.principal.id if actor.principal is not None else actor.person_id):
        # The draft was begun for somebody else than the one they act for now.
        raise NotForPrincipal
    digest = services.form_digest(life_event_code=draft.life_event_code, item_codes=draft.item_codes, on=on)
    if draft.to_check:
        raise FormChanged
    if digest != draft.form_digest:
        # A new version that asks nothing else (a process was published, say) is no concern of the applicant's.
        carried, _ = carried_over(draft, digest, on)
        if carried.to_check:
            raise FormChanged
        draft.form_digest = digest
    typed = {k: v for k, v in draft.answers.items() if k != KEPT_ASIDE}
    with listening() as unheard:
        known = services.prefill(
            life_event_code=draft.life_event_code,
            item_codes=draft.item_codes,
            answers=typed,
            actor=actor,
            basis=Basis(purpose="application", legal_basis="国务院令第716号第十条"),
            on=on,
            now=now,
        )
    checked = services.check(digest=digest, item_codes=draft.item_codes, answers=typed, known=known, on=on, now=now)
    if checked.problems:
        raise FormNotValid(fields=sorted(checked.problems), problems=dict(checked.problems))
    answers = {code: Answer(value=value) for code, value in checked.by_element.items()} | dict(known)
    plan = services.plan(
        life_event_code=draft.life_event_code,
        item_codes=draft.item_codes,
        division_code=draft.division_code,
        answers={k: a.value for k, a in answers.items()},
        on=on,
    )
    _check_plan(plan)
    _check_matters(plan, answers, actor=actor)
    application = _create(draft, plan, answers, awaited=sorted(unheard - set(known)), actor=actor, now=now)
    if booking_queries.items_wanting(item_codes=[item.code for item in plan.items], on=on):
        cases = dict(models.Case.objects.filter(application=application).values_list("item_code", "id"))
        bookings.take(draft_id=draft_id, application_id=application.id, cases=cases, actor=actor, now=now)
    draft.submitted_at = now
    # What was handed in lives in the application; the draft keeps no second copy.
    draft.answers = {}
    draft.save()
    return Submitted(application_id=application.id, number=application.number, repeated=False)


def _check_plan(plan: ApplicationPlan) -> None:
    if not plan.items:
        raise ItemNotOffered
    codes = [i.code for i in plan.items]
    if len(set(codes)) != len(codes) or any(set(i.requires) - set(codes) for i in plan.items):
        raise ItemNotPartOfEvent


# Whoever applies for the same matters at the same time waits here for the other to finish; in the order given, so that two
# never wait for each other crosswise.
_LOCK_MATTERS = "SELECT pg_advisory_xact_lock(hashtextextended(key, 22)) FROM unnest(%s::text[]) AS key"

_STANDING = """
SELECT array_agg(c.id) FROM unnest(%s::text[], %s::text[]) AS m(item_code, matter)
  JOIN cases_case c ON c.item_code = m.item_code AND c.matter = m.matter AND c.matter <> ''
 WHERE c.state <> ALL(%s)
"""


def _matter(item: ItemPlan, answers: Mapping[str, Answer]) -> str:
    """What tells this matter from others of its kind; empty when the item has no such element, or nobody knows its value yet."""
    answer = answers.get(item.once_for) if item.once_for else None
    return str(answer.value)[:200] if answer is not None and answer.value is not None else ""


def _check_matters(plan: ApplicationPlan, answers: Mapping[str, Answer], *, actor: Actor) -> None:
    """Refuse what was applied for before and stands. A matter that nobody knows yet is caught where the process learns of it."""
    matters = sorted((i.code, matter) for i in plan.items if (matter := _matter(i, answers)))
    if not matters:
        return
    first_row(_LOCK_MATTERS, [[f"{code}:{matter}" for code, matter in matters]])
    codes, values = zip(*matters, strict=True)
    row = first_row(_STANDING, [list(codes), list(values), [s.value for s in FAILED]])
    if row is None or row[0] is None:
        return
    rows = models.Case.objects.filter(id__in=row[0]).select_related("application")
    found = {case.item_code: case for case in rows.order_by("id")}
    own = next((c.application for c in found.values() if is_own(c.application, actor)), None)
    raise AlreadyAppliedFor(
        names=[dict(i.name) for i in plan.items if i.code in found],
        application_id=own.id if own is not None else None,
        number=own.number if own is not None else "",
    )


def _create(
    draft: models.Draft,
    plan: ApplicationPlan,
    answers: dict[str, Answer],
    *,
    awaited: list[str],
    actor: Actor,
    now: datetime,
) -> models.Application:
    on, current = today(now), rules(now)
    principal, person_id = actor.principal, actor.person_id
    if person_id is None:
        raise AssuranceTooLow
    application = models.Application(
        id=new_id(),
        draft_id=draft.id,
        life_event_code=plan.life_event_code,
        title=dict(plan.title),
        applicant_account_id=draft.account_id,
        applicant_person_id=actor.person_id,
        principal_kind=principal.kind if principal is not None else "person",
        principal_id=principal.id if principal is not None else person_id,
        mandate_id=principal.mandate_id if principal is not None else None,
        division_code=draft.division_code,
        submitted_at=now,
        submitted_on=on,
        form_digest=draft.form_digest,
        answers={code: a.to_json() for code, a in answers.items()},
        awaited=awaited or None,
    )
    # The day's counter is locked until this transaction commits, so it is asked for as late as possible.
    application.number = application_number(
        division_code=draft.division_code, on=on, digits=current.number_division_digits
    )
    application.save(force_insert=True)
    cases = models.Case.objects.bulk_create(
        [_case(application, item, place, _matter(item, answers)) for place, item in enumerate(plan.items, 1)]
    )
    record = audit.current()
    record.object("application", application.id)
    if application.applicant_person_id is not None:
        record.subject(application.applicant_person_id, fields=["application"])
    record.detail(number=application.number, items=[c.item_code for c in cases])
    by_source: dict[str, int] = {}
    for a in answers.values():
        origin = a.source if a.source == "applicant" else str(dict(a.source_label).get("zh") or a.source)
        by_source[origin] = by_source.get(origin, 0) + 1
    typed = by_source.pop("applicant", 0)
    note(
        application,
        None,
        "application.submitted",
        actor=actor,
        now=now,
        params={"typed": typed, "filled": sum(by_source.values()), "sources": len(by_source)},
    )
    publish(
        ApplicationSubmitted(
            application_id=application.id,
            number=application.number,
            life_event_code=application.life_event_code,
            division_code=application.division_code,
            case_ids=tuple(c.id for c in cases),
        ),
        now=now,
    )
    for case in cases:
        case.application = application
        request_consents(case, actor=actor, now=now)
        if not case.requires:
            if not people_asked(case):
                receive(case, actor=actor, now=now)
            want_start(case)
    notifying.application_submitted(application, now=now)
    return application


def _case(application: models.Application, item: ItemPlan, place: int, matter: str) -> models.Case:
    return models.Case(
        id=new_id(),
        application=application,
        ordinal=place,
        number=f"{application.number}-{place}",
        item_code=item.code,
        item_name=dict(item.name),
        result_name=dict(item.result_name),
        state=CaseState.WAITING_PREREQUISITES.value,
        closure_digest=item.closure_digest,
        process_digest=item.process_digest,
        terms=item.terms(),
        requires=list(item.requires),
        visible_elements=sorted(item.visible_elements),
        department=item.department,
        organization_id=item.organization_id,
        division_code=item.division_code,
        matter=matter,
    )
