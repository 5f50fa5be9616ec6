"""The arrival, which ends a move: one act within a register, between two centres a transfer that the source's commit decides."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from datetime import date, datetime
from typing import ParamSpec, TypeVar, cast
from uuid import UUID

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connections

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit import commands as audit
from furong.foundation.audit.commands import current
from furong.foundation.codes.errors import Refusal
from furong.foundation.events.commands import publish, wake

from ..acts import note, past, registered, tell_late
from ..errors import CodeInvalid
from ..events import PersonMoved
from ..kinship import HEAD, relation_to_head
from ..ledger import Effect, Ledger, family_around, local_date, lock
from ..membership import NEXT_HOUSEHOLD, join, lead, members_of, move_out
from ..models import Household, Person
from ..place import at, command, here
from ..values import ChangeKind
from . import checks, ports, resolver
from .errors import (
    ArrivalInDoubt,
    CentreUnreachable,
    CertificateExpired,
)
from .models import Move
from .steps import Repeat, allowed, locked, write_step
from .transfer import Left, Transfer, carry, clear_stale, let_go, watched
from .values import (
    MoveAct,
    MoveRecorded,
    MoveState,
)

P = ParamSpec("P")
R = TypeVar("R")

# What a connection that broke raises; anything else is a defect, and is told as one.
_CUT = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


def _finishing(function: Callable[P, R]) -> Callable[P, R]:
    """Leave no transfer of an act undecided: when the act fails, the source is asked what became of it, at once."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with watched() as flying:
            try:
                result = function(*args, **kwargs)
            except (DatabaseError, psycopg.Error, Refusal) as error:
                if flying:
                    (transfer,) = flying
                    for alias in (transfer.source, transfer.destination):
                        connections[alias].close()
                    outcome = resolver.settle(transfer.gid, destination=transfer.destination)
                    if outcome is resolver.Outcome.COMMITTED:
                        return cast("R", transfer.result)
                    if isinstance(error, _CUT) and outcome is resolver.Outcome.UNKNOWN:
                        raise ArrivalInDoubt from error
                if isinstance(error, _CUT):
                    raise CentreUnreachable from error
                raise
            for transfer in flying:
                with contextlib.suppress(*_CUT):
                    wake(database=transfer.destination)
                ports.centres.shown(transfer.destination, transfer.change_id)
            return result

    return wrapper


@_finishing
@command("population.record_arrival", of="move_id")
def record_arrival(
    *,
    move_id: UUID,
    arrived_on: date,
    effect_id: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> MoveRecorded:
    """Register a person at the destination, which cancels the old entry (迁入落户).

    What is told later than three days after it in a city, ten elsewhere, is marked late (art. 13). Within one register that is
    one transaction; between two centres the person is carried over, with their whole history, and the source's commit decides.
    ``arrived_on`` lies between the departure and today. Raises `MoveNotFound`, `StepNotOpen`, `CertificateExpired`,
    `PersonDeceased`, `PersonDeregistered`, `HouseholdNotFound`, `GuardianMissing`, `DateInFuture`, `ArrivalConflict`,
    `HouseholdBusy`, `CentreUnreachable` (nothing was changed), `ArrivalInDoubt` (settled by the resolver), `AccessRefused`.
    """
    repeat = Repeat(effect_id, {"act": MoveAct.ARRIVE, "move": move_id, "on": arrived_on})
    if (before := repeat.find()) is not None:
        return before
    move = locked(move_id)
    allowed(move, MoveAct.ARRIVE, actor=actor, basis=basis)
    today = local_date(now)
    if move.certificate_until is not None and today >= move.certificate_until:
        raise CertificateExpired
    past(arrived_on, now=now)
    if move.departed_on is not None and arrived_on < move.departed_on:
        raise CodeInvalid(field="arrived_on")
    person = registered(move.person_id)
    alias = ports.centres.alias_of(move.to_division)
    _check_arrival(move, person, today=today)
    effect = Effect.of(effect_id, {"move": move.person_id, "to": move.to_household_id, "on": arrived_on})
    ledger = Ledger(
        kind=ChangeKind.MOVE, actor=actor, basis=basis, now=now, evidence=move.certificate_number, effect=effect
    )
    tell_late(ledger, happened_on=arrived_on, division_code=move.to_division)
    move.state, move.changed_at, move.arrived_on = MoveState.IN, now, arrived_on
    move.change_id = ledger.change.id
    result = MoveRecorded(move_id=move.id, state=MoveState.IN, change_id=ledger.change.id)
    move.save()
    write_step(move, MoveAct.ARRIVE, words="", repeat=repeat, actor=actor, now=now)
    if alias == here():
        _arrive_here(ledger, move, person, on=arrived_on)
        publish(_moved(move), database=here(), now=now)
    else:
        _carry_over(ledger, move, person, alias=alias, actor=actor, basis=basis, now=now, result=result)
    note(person, ledger, fields=("household_id", "address", "division_code"))
    return result


def _check_arrival(move: Move, person: Person, *, today: date) -> None:
    """Look at the household again: it may have been closed, or emptied, since the request."""
    with checks.at_destination(move.to_division):
        opened = Household.objects.filter(pk=move.to_household_id).exists()
    if opened or not move.opens_household:
        destination = checks.household_at(move.to_household_id, division_code=move.to_division)
    else:
        destination = checks.Destination(
            household_id=move.to_household_id,
            division_code=move.to_division,
            address=move.to_address,
            opens=True,
        )
    checks.check_guardian(
        destination,
        person=person,
        relatives=checks.relatives_of(person.person_id),
        evidence=move.guardian_evidence,
        today=today,
        arriving=True,
    )


def _moved(move: Move) -> PersonMoved:
    return PersonMoved(
        person_id=move.person_id,
        household_id=move.to_household_id,
        from_division=move.from_division,
        to_division=move.to_division,
    )


def _open_household(move: Move, *, on: date) -> None:
    """Open the household that the move was to open, unless another of the family did so before."""
    lock(f"household:{move.to_household_id}")
    if Household.objects.filter(pk=move.to_household_id).exists():
        return
    with connections[here()].cursor() as cursor:
        cursor.execute(NEXT_HOUSEHOLD)
        (running,) = cursor.fetchone()
    Household.objects.create(
        household_id=move.to_household_id,
        number=f"{move.to_division[:6]}{running:08d}",
        division_code=move.to_division,
        address=move.to_address,
        opened_on=on,
    )


def _arrive_here(ledger: Ledger, move: Move, person: Person, *, on: date) -> None:
    """Both places lie in this register: one act in one transaction."""
    if move.opens_household:
        _open_household(move, on=on)
    target = Household.objects.select_for_update().get(pk=move.to_household_id)
    move_out(ledger, person, on=on, successor=move.new_head_person_id)
    join(ledger, person, target, on=on)


def _carry_over(
    ledger: Ledger,
    move: Move,
    person: Person,
    *,
    alias: str,
    actor: Actor,
    basis: Basis,
    now: datetime,
    result: MoveRecorded,
) -> None:
    """The destination is another centre's: carry the person there."""
    assert move.arrived_on is not None  # noqa: S101 - set by the caller
    on = move.arrived_on

    def prepare() -> None:
        with at(alias):
            if move.opens_household:
                _open_household(move, on=on)
            receive_person(move_id=move.id, event=_moved(move), actor=actor, basis=basis, now=now)

    def relation(head_id: UUID) -> str:
        with at(alias):
            family = family_around([person.person_id, head_id])
        return relation_to_head(person_id=person.person_id, head_id=head_id, family=family)

    transfer = Transfer(
        move_id=move.id,
        person_id=person.person_id,
        change_id=ledger.change.id,
        source=here(),
        destination=alias,
        from_division=move.from_division,
        to_division=move.to_division,
        household_id=move.to_household_id,
        day=on,
        now=now,
        relation=relation,
        prepare=prepare,
        result=result,
    )
    clear_stale(transfer)
    left = let_go(transfer)
    if left is not None:
        _close_behind(ledger, left, successor=move.new_head_person_id, on=on)
    carry(transfer)


def _close_behind(ledger: Ledger, left: Left, *, successor: UUID | None, on: date) -> None:
    """Give the household that was left its new head, or close it when nobody stays."""
    if left.others == 0:
        Household.objects.filter(pk=left.household_id).update(closed_on=on)
    elif left.relation == HEAD:
        staying = set(members_of(left.household_id).values_list("person_id", flat=True))
        if successor not in staying:  # the one named at the departure has gone since: the eldest follows
            eldest = Person.objects.filter(pk__in=staying).order_by("born_on", "person_id")
            successor = eldest.values_list("pk", flat=True)[0]
        lead(ledger, left.household_id, head_id=cast("UUID", successor), on=on)


@audit.command("population.receive_person", database=here)
def receive_person(*, move_id: UUID, event: PersonMoved, actor: Actor, basis: Basis, now: datetime) -> None:
    """Note at the destination that a person arrived, in the transaction that carries them, and tell others.

    Called by `record_arrival` only. What the source commits makes it true.
    """
    entry = current()
    entry.object("person", event.person_id)
    entry.subject(event.person_id, fields=("household_id", "address", "division_code"))
    entry.detail(move_id=str(move_id))
    publish(event, database=here(), now=now, wake=False)
