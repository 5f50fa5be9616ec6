"""Facts that a register outside owed when the application was handed in: asked for again, and what follows from them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.domains.cases import models, ports
from furong.domains.cases.commands.moving import lock_case, note, today
from furong.domains.cases.errors import TwinUnavailableError
from furong.domains.cases.events import CaseMoved
from furong.domains.cases.silence import listening
from furong.domains.cases.values.states import CaseState
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis, Principal
from furong.foundation.audit.commands import command
from furong.foundation.events.commands import publish
from furong.foundation.organizations import queries as organizations

# Until a body has accepted a case, another may still be the right one.
_NOT_ACCEPTED = frozenset({CaseState.WAITING_PREREQUISITES.value, CaseState.SUBMITTED.value})


@command("cases.complete_facts")
def complete_facts(*, case_id: UUID, actor: Actor, now: datetime) -> bool:
    """Ask registers again for what they owed at submission; False when nothing was owed. Repeatable.

    What comes in takes the place of what the applicant stated for want of it, and a case that is not accepted yet goes to the
    body that is responsible by it. Raises TwinUnavailableError while a register is still silent, so that the caller asks again.
    """
    case = lock_case(case_id=case_id)
    if not case.application.awaited:
        return False
    ask_again(case.application, actor=actor, now=now)
    if case.application.awaited:
        raise TwinUnavailableError("A register that owes facts of this application does not answer.")
    return True


def ask_again(application: models.Application, *, actor: Actor, now: datetime) -> None:
    """Fill in what registers now hold of a locked application's awaited facts, as far as they answer."""
    awaited = list(application.awaited or ())
    if not awaited:
        return
    cases = list(models.Case.objects.select_for_update(no_key=True).filter(application=application).order_by("ordinal"))
    with listening() as unheard:
        known = ports.services().prefill(
            life_event_code=application.life_event_code,
            item_codes=[c.item_code for c in cases],
            answers={code: a.get("value") for code, a in application.answers.items()},
            actor=_applicant(application),
            basis=Basis(purpose="application", legal_basis="国务院令第716号第十条"),
            on=today(now),
            now=now,
        )
    application.answers |= {code: known[code].to_json() for code in awaited if code in known}
    application.awaited = [code for code in awaited if code in unheard and code not in known] or None
    application.save(update_fields=["answers", "awaited"])
    note(application, None, "application.completed", actor=actor, now=now, params={"elements": len(awaited)})
    for case in cases:
        case.application = application
        once_for = case.terms.get("once_for", "")
        if once_for and not case.matter:
            case.matter = str((application.answers.get(once_for) or {}).get("value") or "")[:200]
            case.save(update_fields=["matter"])
        if case.state in _NOT_ACCEPTED:
            _hand_to_the_right_body(case, actor=actor, now=now)


def _hand_to_the_right_body(case: models.Case, *, actor: Actor, now: datetime) -> None:
    found = ports.services().responsible(
        item_code=case.item_code,
        department=case.department,
        division_code=case.application.division_code,
        answers={code: a.get("value") for code, a in case.application.answers.items()},
        on=today(now),
    )
    if found is None or found[0] == case.organization_id:
        return
    case.organization_id, case.division_code = found
    case.version += 1
    case.save(update_fields=["organization_id", "division_code", "version"])
    name = organizations.get_organization(organization_id=case.organization_id).name
    note(
        case.application,
        case,
        "case.handed_on",
        actor=actor,
        now=now,
        params={"organization": {"zh": name.zh, "en": name.en}},
    )
    publish(
        CaseMoved(
            case_id=case.id,
            application_id=case.application_id,
            item_code=case.item_code,
            organization_id=case.organization_id,
            division_code=case.division_code,
            act="hand_on",
            before=case.state,
            after=case.state,
            version=case.version,
        ),
        now=now,
    )


def _applicant(application: models.Application) -> Actor:
    """Whoever applied, in whose name the registers are asked as they were at submission."""
    principal = None
    if application.mandate_id is not None:
        principal = Principal(
            kind="enterprise" if application.principal_kind == "enterprise" else "person",
            id=application.principal_id,
            mandate_id=application.mandate_id,
        )
    return Actor(
        kind=ActorKind.RESIDENT,
        account_id=application.applicant_account_id,
        person_id=application.applicant_person_id,
        assurance=Assurance.VERIFIED,
        principal=principal,
    )
