"""Fees of a case: a process asks for one, waits for the message ``payment``, and goes on by how the notice ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from furong.domains.cases import flow
from furong.domains.cases.commands.moving import lock_case, note
from furong.domains.cases.errors import HandlerMisconfiguredError, PaymentUnheardError
from furong.domains.cases.handlers import Result, case_of
from furong.domains.cases.values.states import ENDED, CaseState
from furong.domains.payments import commands as payments
from furong.domains.payments import queries as payment_queries
from furong.domains.payments.events import NoticeClosedEvent
from furong.domains.payments.values import Line
from furong.domains.processes.ports import ServiceCall
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command
from furong.foundation.events.commands import subscribe
from furong.foundation.events.values import Delivery

MESSAGE = "payment"
DAYS, REMINDER_DAYS = 15, 5


def request_payment(call: ServiceCall) -> Result:
    """Ask the applicant for a fee: ``{lines: [{name, amount_fen}], days, reminder_days}``.

    Runs within the step, so that the process waits before anybody can pay. Gives ``{id, number, amount_fen, due_on}``.
    """
    case, actor, _ = case_of(call)
    given = call.variables.get("lines")
    lines = [_line(one) for one in given] if isinstance(given, list | tuple) else []
    if not lines:
        raise HandlerMisconfiguredError(f"{call.element_id} gives no lines.")
    application = case.application
    made = payments.request_fee(
        effect_id=call.effect_id,
        case_id=case.id,
        application_id=application.id,
        case_number=case.number,
        item_name=case.item_name,
        organization_id=case.organization_id,
        division_code=case.division_code,
        payer_account_id=application.applicant_account_id,
        payer_person_id=application.applicant_person_id,
        lines=lines,
        days=_days(call, "days", DAYS),
        reminder_days=_days(call, "reminder_days", REMINDER_DAYS),
        actor=actor,
        now=call.now,
    )
    note(
        application,
        case,
        "payment.requested",
        actor=actor,
        now=call.now,
        params={"number": made.number, "amount_fen": made.amount_fen, "due_on": made.due_on.isoformat()},
    )
    return {
        "id": str(made.id),
        "number": made.number,
        "amount_fen": made.amount_fen,
        "due_on": made.due_on.isoformat(),
    }


def follow() -> None:
    """Have cases follow their fees. Calling it again changes nothing."""
    subscribe(NoticeClosedEvent, on_notice_closed, name="cases.notice_closed")


def on_notice_closed(event: NoticeClosedEvent, delivery: Delivery) -> None:
    """Tell a case's process how its fee notice ended."""
    go_on(
        case_id=event.case_id,
        notice_id=event.notice_id,
        state=event.state,
        actor=Actor.system("cases"),
        now=delivery.now,
    )


@command("cases.go_on_after_payment")
def go_on(*, case_id: UUID, notice_id: UUID, state: str, actor: Actor, now: datetime) -> bool:
    """Let a case's process go on by how its fee notice ended; False for a case that has ended.

    Faults: PaymentUnheardError while the process does not wait for it (it is stopped, say); the event comes again.
    """
    case = lock_case(case_id=case_id)
    if CaseState(case.state) in ENDED:
        return False
    number = payment_queries.get_notice(notice_id=notice_id).number
    note(case.application, case, f"payment.{state}", actor=actor, now=now, params={"number": number})
    if not flow.deliver(case, MESSAGE, {"payment": {"state": state, "notice_id": str(notice_id)}}, now=now):
        raise PaymentUnheardError("The process does not wait for a payment.")
    return True


HANDLERS: Mapping[str, tuple[Callable[[ServiceCall], Result], bool]] = {"payments.request": (request_payment, True)}


def _line(given: object) -> Line:
    if not isinstance(given, Mapping):
        raise HandlerMisconfiguredError("A line of a fee has a name and an amount_fen.")
    amount = given.get("amount_fen")
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal) or amount != int(amount):
        raise HandlerMisconfiguredError("An amount is whole fen.")
    return Line(name=str(given.get("name") or ""), amount_fen=int(amount))


def _days(call: ServiceCall, name: str, default: int) -> int:
    value = call.variables.get(name)
    return default if value is None else int(str(value))
