"""The steps of a move that needs a permit: request, approval, permit, departure, arrival; refusal, voiding, expiry.

A move within a county is one act, `population.commands.move_person`. Every step may carry an ``effect_id``: a repeat gives the
first outcome. A move is kept in the register of the person, so all its steps happen there; the arrival carries the person to the
register of the destination (`transfer`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from django.db import connections
from django.db.models import Exists, OuterRef, Q

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit import commands as audit
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish

from ..acts import begin, registered
from ..errors import CodeInvalid, NothingToChange
from ..events import PersonDeparted
from ..ledger import local_date
from ..membership import check_head_may_leave
from ..models import Person
from ..place import command, here
from ..values import PersonStatus
from . import checks
from .arrivals import receive_person, record_arrival
from .errors import (
    MoveNotFound,
    MoveOpen,
    NoPermitNeeded,
    PermitExpired,
)
from .models import Move
from .steps import Repeat, allowed, locked, tell_end, write_step
from .values import (
    CERTIFICATE_DAYS,
    OPEN_STATES,
    PERMIT_DAYS,
    RULES,
    MoveAct,
    MoveReason,
    MoveRecorded,
    MoveState,
    needs_permit,
    paper_number,
    until,
)

_BATCH = 500


def _running() -> int:
    with connections[here()].cursor() as cursor:
        cursor.execute("SELECT nextval('population_move_paper')")
        return int(cursor.fetchone()[0])


@command("population.request_move", of="person_id")
def request_move(
    *,
    person_id: UUID,
    household_id: UUID | None = None,
    division_code: str,
    address: str = "",
    together_with_move_id: UUID | None = None,
    reason: MoveReason,
    words: str = "",
    applicant_person_id: UUID,
    consent: str = "",
    guardian_evidence: str = "",
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> MoveRecorded:
    """Record the request of somebody to be registered in another county or city (迁入申请).

    The counter of the destination records it. ``division_code`` (12 digits) lies there; the place is an open household
    (``household_id``), an ``address`` where the arrival opens a household, or that of another request
    (``together_with_move_id``: a family moves together). ``applicant_person_id`` is the person, their spouse, a parent, a grown
    child or a member of the household; a minor's parent or guardian asks. ``consent`` names the paper in which the head of an
    unrelated household agrees, ``guardian_evidence`` that which makes somebody there the guardian. Raises `PersonNotFound`,
    `PersonDeceased`, `PersonDeregistered`, `MoveOpen`, `NoPermitNeeded`, `HouseholdNotFound`, `HouseholdNotTheirs`,
    `ApplicantUnfit`, `GuardianMissing`, `CodeInvalid`, `CentreUnreachable`, `AccessRefused`.
    """
    begin(actor=actor, basis=basis, division_code=division_code)
    reason = MoveReason(reason)
    content = {
        "request": person_id,
        "household": household_id,
        "division": division_code,
        "address": address,
        "together": together_with_move_id,
    }
    repeat = Repeat(effect_id, content)
    if (before := repeat.find()) is not None:
        return before
    person = registered(person_id)
    if not needs_permit(from_division=person.division_code, to_division=division_code):
        raise NoPermitNeeded
    if Move.objects.filter(person_id=person_id, state__in=OPEN_STATES).exists():
        raise MoveOpen
    destination = _destination(
        household_id=household_id, division_code=division_code, address=address, together=together_with_move_id
    )
    today, relatives = local_date(now), checks.relatives_of(person_id)
    checks.check_applicant(
        applicant_person_id, person=person, relatives=relatives, members=destination.members, today=today
    )
    checks.check_theirs(destination, relatives=relatives, consent=consent)
    checks.check_guardian(destination, person=person, relatives=relatives, evidence=guardian_evidence, today=today)
    move = Move(
        id=new_id(),
        person_id=person_id,
        state=MoveState.APPLIED,
        reason=reason,
        words=words.strip(),
        applicant_person_id=applicant_person_id,
        from_division=person.division_code,
        to_division=destination.division_code,
        to_household_id=destination.household_id,
        to_address=destination.address,
        opens_household=destination.opens,
        consent=consent.strip(),
        guardian_evidence=guardian_evidence.strip(),
        applied_at=now,
        changed_at=now,
    )
    move.save(force_insert=True)  # the person's row is locked: nobody else writes a move of theirs meanwhile
    write_step(move, MoveAct.REQUEST, words=words, repeat=repeat, actor=actor, now=now)
    return MoveRecorded(move_id=move.id, state=MoveState.APPLIED)


def _destination(
    *, household_id: UUID | None, division_code: str, address: str, together: UUID | None
) -> checks.Destination:
    if together is not None:
        other = Move.objects.filter(pk=together, state__in=[*OPEN_STATES, MoveState.IN]).first()
        if other is None:
            raise MoveNotFound
        if other.to_division[:6] != division_code[:6]:
            raise CodeInvalid(field="division_code")
        if other.state == MoveState.IN or not other.opens_household:
            return checks.household_at(other.to_household_id, division_code=other.to_division)
        return checks.Destination(
            household_id=other.to_household_id,
            division_code=other.to_division,
            address=other.to_address,
            opens=True,
        )
    if household_id is not None:
        found = checks.household_at(household_id, division_code=division_code)
        if found.division_code[:6] != division_code[:6]:
            raise CodeInvalid(field="division_code")
        return found
    checks.check_division(division_code, address)
    return checks.Destination(household_id=new_id(), division_code=division_code, address=address.strip(), opens=True)


def _take(
    act: MoveAct,
    *,
    move_id: UUID,
    words: str,
    effect_id: UUID | None,
    actor: Actor,
    basis: Basis,
    now: datetime,
    change: Callable[[Move, date], None] = lambda move, today: None,
) -> MoveRecorded:
    """Take a step that changes the move only."""
    repeat = Repeat(effect_id, {"act": act, "move": move_id})
    if (before := repeat.find()) is not None:
        return before
    move = locked(move_id)
    allowed(move, act, actor=actor, basis=basis)
    change(move, local_date(now))
    move.state, move.changed_at = RULES[act].to, now
    move.save()
    write_step(move, act, words=words, repeat=repeat, actor=actor, now=now)
    if move.state in {MoveState.REFUSED, MoveState.VOID}:
        tell_end(move, now=now)
    return MoveRecorded(move_id=move.id, state=MoveState(move.state))


@command("population.approve_move", of="move_id")
def approve_move(
    *, move_id: UUID, words: str = "", effect_id: UUID | None = None, actor: Actor, basis: Basis, now: datetime
) -> MoveRecorded:
    """Approve a request (审批). The person must still stand in the register, the household be open.

    Raises `MoveNotFound`, `StepNotOpen`, `PersonDeceased`, `PersonDeregistered`, `HouseholdNotFound`, `CentreUnreachable`,
    `AccessRefused`.
    """

    def check(move: Move, today: date) -> None:
        registered(move.person_id)
        if not move.opens_household:
            checks.household_at(move.to_household_id, division_code=move.to_division)

    return _take(
        MoveAct.APPROVE,
        move_id=move_id,
        words=words,
        effect_id=effect_id,
        actor=actor,
        basis=basis,
        now=now,
        change=check,
    )


@command("population.refuse_move", of="move_id")
def refuse_move(
    *, move_id: UUID, words: str, effect_id: UUID | None = None, actor: Actor, basis: Basis, now: datetime
) -> MoveRecorded:
    """Refuse a request, with the reason that the applicant reads.

    Raises `NothingToChange` (no reason), `MoveNotFound`, `StepNotOpen`, `AccessRefused`.
    """
    _want_words(words)
    return _take(MoveAct.REFUSE, move_id=move_id, words=words, effect_id=effect_id, actor=actor, basis=basis, now=now)


def _want_words(words: str) -> None:
    if not words.strip():
        raise NothingToChange("Ending a move needs its reason.", mend="Write the reason in a few words.")


@command("population.issue_move_permit", of="move_id")
def issue_move_permit(
    *, move_id: UUID, effect_id: UUID | None = None, actor: Actor, basis: Basis, now: datetime
) -> MoveRecorded:
    """Issue the permit to move (准迁证), which counts for 40 days with the day of issue.

    Raises `MoveNotFound`, `StepNotOpen`, `AccessRefused`.
    """

    def issue(move: Move, today: date) -> None:
        move.permit_number = paper_number(
            "ZQ", division=move.to_division, other=move.from_division, year=today.year, running=_running()
        )
        move.permit_until = until(today, days=PERMIT_DAYS)

    return _take(
        MoveAct.ISSUE,
        move_id=move_id,
        words="",
        effect_id=effect_id,
        actor=actor,
        basis=basis,
        now=now,
        change=issue,
    )


@command("population.record_departure", of="move_id")
def record_departure(
    *,
    move_id: UUID,
    new_head_person_id: UUID | None = None,
    valid_days: int = CERTIFICATE_DAYS,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> MoveRecorded:
    """Let a person go at the source, on the permit, and issue the certificate of the move (迁移证).

    ``valid_days`` is 1 to 30. A head who leaves members behind names the next (``new_head_person_id``); they become head when the
    person arrives. Until then the person stands in the old register. Raises `MoveNotFound`, `StepNotOpen`, `PermitExpired`,
    `PersonDeceased`, `PersonDeregistered`, `HeadWouldLeave`, `CodeInvalid`, `AccessRefused`.
    """
    if not 1 <= valid_days <= CERTIFICATE_DAYS:
        raise CodeInvalid(field="valid_days")

    def depart(move: Move, today: date) -> None:
        if move.permit_until is not None and today >= move.permit_until:
            raise PermitExpired
        registered(move.person_id)
        check_head_may_leave(move.person_id, successor=new_head_person_id)
        move.new_head_person_id = new_head_person_id
        move.departed_on = today
        move.certificate_number = paper_number(
            "QY", division=move.from_division, other=move.to_division, year=today.year, running=_running()
        )
        move.certificate_until = until(today, days=valid_days)
        publish(
            PersonDeparted(
                move_id=move.id,
                person_id=move.person_id,
                from_division=move.from_division,
                to_division=move.to_division,
                certificate_until=move.certificate_until,
            ),
            database=here(),
            now=now,
        )

    return _take(
        MoveAct.DEPART,
        move_id=move_id,
        words="",
        effect_id=effect_id,
        actor=actor,
        basis=basis,
        now=now,
        change=depart,
    )


@command("population.void_move", of="move_id")
def void_move(
    *, move_id: UUID, words: str, effect_id: UUID | None = None, actor: Actor, basis: Basis, now: datetime
) -> MoveRecorded:
    """Declare a move void at any step before the arrival, by either counter, with the reason.

    The person stays where they are registered; papers that are out count no more. Raises `NothingToChange` (no reason),
    `MoveNotFound`, `StepNotOpen`, `AccessRefused`.
    """
    _want_words(words)
    return _take(MoveAct.VOID, move_id=move_id, words=words, effect_id=effect_id, actor=actor, basis=basis, now=now)


@audit.command("population.expire_moves", database=here)
def expire_moves(*, actor: Actor, now: datetime) -> int:
    """End moves whose paper has run out, and those of people who died or left; it tells how many.

    For the timer, in each register. At most 500 at a time.
    """
    today = local_date(now)
    gone = Person.objects.filter(pk=OuterRef("person_id")).exclude(status=PersonStatus.REGISTERED)
    due = (
        Move.objects.select_for_update(skip_locked=True)
        .filter(state__in=OPEN_STATES)
        .filter(
            Q(state=MoveState.ISSUED, permit_until__lte=today)
            | Q(state=MoveState.OUT, certificate_until__lte=today)
            | Exists(gone)
        )
        .order_by("changed_at")[:_BATCH]
    )
    ended = 0
    for move in due:
        expired = (move.state == MoveState.ISSUED and move.permit_until is not None and move.permit_until <= today) or (
            move.state == MoveState.OUT and move.certificate_until is not None and move.certificate_until <= today
        )
        move.state = MoveState.EXPIRED if expired else MoveState.VOID
        move.changed_at = now
        move.save(update_fields=["state", "changed_at"])
        words = "" if expired else "The person does not stand in the register any more."
        write_step(move, MoveAct.EXPIRE if expired else MoveAct.VOID, words=words, repeat=None, actor=actor, now=now)
        tell_end(move, now=now)
        ended += 1
    return ended


__all__ = [
    "approve_move",
    "expire_moves",
    "issue_move_permit",
    "receive_person",
    "record_arrival",
    "record_departure",
    "refuse_move",
    "request_move",
    "void_move",
]
