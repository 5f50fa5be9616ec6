"""Acceptance, non-acceptance and the supplement (Administrative Licensing Law art. 32)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.domains.cases import flow, models, notifying, ports
from furong.domains.cases.commands.dependents import settle_dependents
from furong.domains.cases.commands.issuing import issue
from furong.domains.cases.commands.moving import (
    calendar,
    check,
    due_after,
    end_with,
    lock_case,
    move,
    put_clock,
    read_clock,
    remedies_of,
    require_handler,
    require_own,
    rules,
    today,
)
from furong.domains.cases.errors import (
    FormNotValid,
    ReasonMissing,
    SupplementAlreadyRequested,
    SupplementEmpty,
    SupplementLapsed,
    SupplementTooLate,
)
from furong.domains.cases.values.clock import Clock, DayUnit
from furong.domains.cases.values.documents import DocumentKind
from furong.domains.cases.values.plans import Answer
from furong.domains.cases.values.states import Act, CaseState, EndReason
from furong.domains.cases.values.supplements import answers_all, is_element
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command
from furong.foundation.storage import queries as storage


@command("cases.accept_case")
def accept_case(
    *,
    case_id: UUID,
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
    expected_version: int | None = None,
) -> None:
    """Accept a case: the clock starts, the notice of acceptance is issued, the process goes on.

    Needs ``cases.handle`` over the case's organisation. Raises CaseClosed, ActNotAllowed, CaseChanged.
    """
    case = lock_case(case_id=case_id, expected_version=expected_version)
    require_handler(case, actor)
    accept(case, actor=actor, now=now)


def accept(
    case: models.Case, *, actor: Actor, now: datetime, by_act: Act = Act.ACCEPT, finish_task: bool = True
) -> None:
    """Accept a locked case, by decision or because the law deems it accepted.

    ``finish_task`` is false when the process has just finished its acceptance task itself.
    """
    check(case, by_act)
    # Deemed accepted counts from the day the materials came in (art. 32 (4)); a decision to accept from the day it is made.
    on = case.received_on if by_act is Act.DEEM_ACCEPTED and case.received_on else today(now)
    start_clock(case, on=on, now=now)
    case.accepted_at, case.accepted_on = now, on
    case.deemed_accepted = by_act is Act.DEEM_ACCEPTED
    case.acceptance_due_on = None
    move(case, by_act, actor=actor, now=now, params={"due_on": _text(case.promised_due_on)})
    issue(
        case,
        DocumentKind.ACCEPTANCE,
        actor=actor,
        now=now,
        data={
            "accepted_on": on.isoformat(),
            "deemed": case.deemed_accepted,
            "promised_due_on": _text(case.promised_due_on),
            "statutory_due_on": _text(case.statutory_due_on),
        },
    )
    notifying.case_moved(case, "accepted", now=now)
    if finish_task:
        flow.finish_acceptance(case, outcome="accepted", actor=actor, now=now)


def start_clock(case: models.Case, *, on: date, now: datetime) -> None:
    """Start the decision clock of a locked case with the limits that it pinned."""
    clock = Clock.started(
        on=on,
        promised_days=int(case.terms.get("promised_days", 0)),
        statutory_days=int(case.terms.get("statutory_days", 0)),
        unit=DayUnit(case.terms.get("unit", "working")),
        statutory_unit=DayUnit(case.terms.get("statutory_unit", "working")),
    )
    put_clock(case, clock, now=now)


@command("cases.deem_accepted")
def deem_accepted(*, case_id: UUID, actor: Actor, now: datetime) -> bool:
    """Accept a case whose days for acceptance have passed in silence; False when there is nothing to do.

    The timer calls it; it is repeatable.
    """
    case = lock_case(case_id=case_id)
    due_on = case.acceptance_due_on
    if case.state != CaseState.SUBMITTED or due_on is None or today(now) <= due_on:
        return False
    accept(case, actor=actor, now=now, by_act=Act.DEEM_ACCEPTED)
    return True


@command("cases.refuse_acceptance")
def refuse_acceptance(
    *,
    case_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    legal_basis: str = "",
    basis: Basis | None = None,
    expected_version: int | None = None,
) -> None:
    """Decide not to accept a case, with the reason and the remedies in a sealed document.

    Raises ReasonMissing without a reason, CaseClosed or ActNotAllowed.
    """
    case = lock_case(case_id=case_id, expected_version=expected_version)
    require_handler(case, actor)
    check(case, Act.REFUSE_ACCEPTANCE)
    if not reason.strip():
        raise ReasonMissing
    not_accepted(
        case,
        Act.REFUSE_ACCEPTANCE,
        EndReason.NOT_ACCEPTED,
        reason=reason,
        legal_basis=legal_basis,
        actor=actor,
        now=now,
    )


def not_accepted(
    case: models.Case,
    act: Act,
    why: EndReason,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    legal_basis: str = "",
    before_cancel: Callable[[], None] | None = None,
    cancel: bool = True,
) -> None:
    """End a locked case before acceptance: process ended, document issued, dependents told.

    ``before_cancel`` may tell the process why, so that it takes its own way to an end where it has one; ``cancel``
    is false when it is the process itself that ends the case and then ends.
    """
    end_with(case, why, text=reason)
    case.remedies = remedies_of(case, now)
    case.acceptance_due_on = None
    move(case, act, actor=actor, now=now, params={"reason": why.value})
    issue(
        case,
        DocumentKind.NON_ACCEPTANCE,
        actor=actor,
        now=now,
        data={
            "reason": reason,
            "why": why.value,
            "legal_basis": legal_basis or case.terms.get("legal_basis", ""),
            "remedies": case.remedies,
        },
    )
    if before_cancel is not None:
        before_cancel()
    if cancel:
        flow.cancel(case, why=why.value, actor=actor, now=now)
    notifying.case_moved(case, "not_accepted", now=now)
    settle_dependents(case, actor=actor, now=now)


@command("cases.request_supplement")
def request_supplement(
    *,
    case_id: UUID,
    wanted: Iterable[Mapping[str, Any]],
    reason: str,
    actor: Actor,
    now: datetime,
    basis: Basis | None = None,
    expected_version: int | None = None,
) -> date:
    """Tell the applicant, once and in full, what is missing, and stop the days for acceptance.

    ``wanted`` lists ``{"element": code or "", "what": {zh, en}, "how": {zh, en}}``. Returns the last day for the answer. Raises
    SupplementAlreadyRequested, SupplementTooLate once the case is deemed accepted, SupplementEmpty, CaseClosed, ActNotAllowed.
    """
    case = lock_case(case_id=case_id, expected_version=expected_version)
    require_handler(case, actor)
    if models.Supplement.objects.filter(case=case).exists():
        raise SupplementAlreadyRequested
    if case.state in {CaseState.ACCEPTED, CaseState.IN_PROGRESS, CaseState.PAUSED}:
        raise SupplementTooLate
    check(case, Act.REQUEST_SUPPLEMENT)
    if case.acceptance_due_on is not None and today(now) > case.acceptance_due_on:
        raise SupplementTooLate
    listed = [_wanted(w, case) for w in wanted]
    if not listed or not reason.strip():
        raise SupplementEmpty
    due_on = due_after(days=rules(now).supplement_reply_days, now=now)
    models.Supplement.objects.create(
        case=case,
        wanted=listed,
        reason=reason,
        requested_at=now,
        requested_by_account_id=actor.account_id,
        due_on=due_on,
    )
    case.acceptance_due_on = None
    move(case, Act.REQUEST_SUPPLEMENT, actor=actor, now=now, params={"due_on": due_on.isoformat()})
    issue(
        case,
        DocumentKind.SUPPLEMENT,
        actor=actor,
        now=now,
        data={"wanted": listed, "reason": reason, "due_on": due_on.isoformat()},
    )
    notifying.case_moved(case, "to_supplement", now=now)
    return due_on


def _wanted(given: Mapping[str, Any], case: models.Case) -> dict[str, Any]:
    what = {k: str(v).strip() for k, v in dict(given.get("what", {})).items() if str(v).strip()}
    element = str(given.get("element", ""))
    if not what or (element and element not in case.visible_elements):
        raise SupplementEmpty
    return {"element": element, "what": what, "how": dict(given.get("how", {}))}


@command("cases.submit_supplement")
def submit_supplement(
    *,
    case_id: UUID,
    answers: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    note_text: str = "",
) -> None:
    """Hand in what the notice asked for; the days for acceptance begin anew.

    ``answers`` maps the elements that the notice names to values; what the notice asks for in words is answered under
    `in_words` and `as_file` of its place in the notice. A file is ``{digest, name, media_type, size}`` of what the store has.
    ``note_text`` may stand for what is asked in words, and says why something cannot be handed in. Raises SupplementEmpty,
    FormNotValid when an element's value is none that the form would take, SupplementLapsed after the last day, NotYours,
    ActNotAllowed.
    """
    case = lock_case(case_id=case_id)
    require_own(case.application, actor)
    check(case, Act.SUBMIT_SUPPLEMENT)
    supplement = models.Supplement.objects.get(case=case)
    if today(now) > supplement.due_on:
        raise SupplementLapsed
    given = {k: v for k, v in answers.items() if v not in (None, "", [])}
    if not answers_all(supplement.wanted, given, note=note_text) or not all(map(_is_stored, given.values())):
        raise SupplementEmpty("Answer everything that the notice names, and nothing else.")
    _require_valid(case, given, now=now)
    label = {"zh": "您补正", "en": "Your supplement"}
    supplement.answers = {k: {"value": v, "source": "supplement", "source_label": label} for k, v in given.items()}
    if note_text.strip():
        supplement.answers[""] = {"value": note_text.strip(), "source": "supplement"}
    supplement.answered_at = now
    supplement.save()
    case.received_at, case.received_on = now, today(now)
    case.acceptance_due_on = due_after(days=rules(now).acceptance_days, now=now)
    move(case, Act.SUBMIT_SUPPLEMENT, actor=actor, now=now)
    flow.supplement_came(case, now=now)
    notifying.case_moved(case, "supplemented", now=now)


def _require_valid(case: models.Case, given: Mapping[str, Any], *, now: datetime) -> None:
    """Hold the elements handed in to the rules of the form that the application was made with."""
    application = case.application
    elements = {code: value for code, value in given.items() if is_element(code)}
    if not elements:
        return
    known: dict[str, Answer] = {}
    typed: dict[str, Any] = dict(elements)
    for code, answer in application.answers.items():
        if code in elements:
            continue
        if answer.get("source") == "applicant":
            typed[code] = answer.get("value")
        else:
            known[code] = Answer(value=answer.get("value"), source_label=answer.get("source_label") or {"zh": ""})
    checked = ports.services().check(
        digest=application.form_digest,
        item_codes=list(application.cases.order_by("ordinal").values_list("item_code", flat=True)),
        answers=typed,
        known=known,
        on=today(now),
        now=now,
    )
    problems = {code: found for code, found in checked.problems.items() if code in elements}
    if problems:
        raise FormNotValid(fields=sorted(problems), problems=problems)


def _is_stored(value: Any) -> bool:
    """Whether a value is no file, or one that the store really has: a digest alone proves nothing."""
    if not isinstance(value, Mapping) or "digest" not in value:
        return True
    return storage.find_file(str(value["digest"])) is not None


@command("cases.lapse_supplement")
def lapse_supplement(*, case_id: UUID, actor: Actor, now: datetime) -> bool:
    """End a case whose supplement did not come in time; False when there is nothing to do."""
    case = lock_case(case_id=case_id)
    supplement = models.Supplement.objects.filter(case=case).first()
    if case.state != CaseState.TO_SUPPLEMENT or supplement is None or today(now) <= supplement.due_on:
        return False
    supplement.lapsed_at = now
    supplement.save()
    not_accepted(
        case,
        Act.LAPSE_SUPPLEMENT,
        EndReason.SUPPLEMENT_LAPSED,
        reason="",
        actor=actor,
        now=now,
    )
    return True


def stop_clock(case: models.Case, *, why: str, legal_basis: str, now: datetime) -> None:
    """Stop the decision clock of a locked case today."""
    clock = read_clock(case)
    if clock is not None and clock.is_running:
        put_clock(case, clock.stopped(on=today(now), why=why, legal_basis=legal_basis), now=now)


def run_clock_on(case: models.Case, *, now: datetime) -> None:
    """Let the decision clock of a locked case run on from today."""
    clock = read_clock(case)
    if clock is not None and not clock.is_running:
        put_clock(case, clock.resumed(on=today(now)), now=now)


def used_days(case: models.Case, *, now: datetime) -> int:
    """Count the days the case has used so far."""
    clock = read_clock(case)
    return clock.used_days(on=today(now), calendar=calendar()) if clock is not None else 0


def _text(on: date | None) -> str:
    return on.isoformat() if on else ""
