"""Fee notices: asked for, reminded of, ended; and the receipts of those that were paid."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from furong.domains.payments import models, ports, queries, receipts, telling
from furong.domains.payments.commands.paying import ask_provider, paid
from furong.domains.payments.commands.refunding import refund_by_rule
from furong.domains.payments.errors import EffectReusedError, NoticeNotFound, ProviderSilentError
from furong.domains.payments.events import NoticeClosedEvent
from furong.domains.payments.numbers import number_of
from furong.domains.payments.values import Line, Notice, NoticeState, OrderState
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendars
from furong.foundation.events.commands import publish

_log = logging.getLogger(__name__)
SYSTEM = Actor.system("payments")


@command("payments.request_fee")
def request_fee(
    *,
    effect_id: UUID,
    case_id: UUID,
    application_id: UUID,
    case_number: str,
    item_name: Mapping[str, str],
    organization_id: UUID,
    division_code: str,
    payer_account_id: UUID | None,
    payer_person_id: UUID | None,
    lines: Sequence[Line],
    days: int,
    reminder_days: int,
    actor: Actor,
    now: datetime,
) -> Notice:
    """Ask for a fee: a numbered notice with its lines in fen, due after ``days`` natural days.

    The payer is told at once, and again ``reminder_days`` before the end (nought: never). The same ``effect_id`` again gives the
    first notice. Raises ValueError for lines that charge nothing; faults: EffectReusedError.
    """
    amount_fen = sum(line.amount_fen for line in lines)
    if amount_fen <= 0 or any(line.amount_fen < 0 for line in lines):
        raise ValueError("A fee notice charges something.")
    before = models.Notice.objects.filter(effect_id=effect_id).first()
    if before is not None:
        if (before.case_id, before.amount_fen) != (case_id, amount_fen):
            raise EffectReusedError("The effect was carried out before with other content.")
        current().detail(repeated=True)
        return queries.notice_of(before)
    on = calendars.current().local_date(now)
    due_on = on + timedelta(days=days)
    row = models.Notice.objects.create(
        effect_id=effect_id,
        number=number_of(organization_id=organization_id, mark="缴", year=on.year),
        case_id=case_id,
        application_id=application_id,
        case_number=case_number,
        item_name=dict(item_name),
        organization_id=organization_id,
        division_code=division_code,
        payer_account_id=payer_account_id,
        payer_person_id=payer_person_id,
        lines=[{"name": line.name, "amount_fen": line.amount_fen} for line in lines],
        amount_fen=amount_fen,
        state=NoticeState.REQUESTED.value,
        requested_at=now,
        due_on=due_on,
        remind_on=due_on - timedelta(days=reminder_days) if 0 < reminder_days < days else None,
    )
    current().object("fee_notice", row.id)
    current().detail(number=row.number, amount_fen=amount_fen, case_id=str(case_id))
    telling.tell_payer(row, "payments.requested", now=now)
    return queries.notice_of(row)


@command("payments.remind")
def remind(*, notice_id: UUID, actor: Actor, now: datetime) -> bool:
    """Remind the payer of an open notice, once; False when there is nothing to remind of."""
    row = _locked(notice_id)
    if row.state != NoticeState.REQUESTED.value or row.reminded_at is not None:
        return False
    row.reminded_at = now
    row.save(update_fields=["reminded_at"])
    telling.tell_payer(row, "payments.reminder", now=now)
    return True


@command("payments.expire_notice")
def expire_notice(*, notice_id: UUID, actor: Actor, now: datetime) -> NoticeState:
    """End a notice whose days are over, and return how it ended.

    The provider closes the open order first, so that nobody pays it afterwards; an order that turns out to be paid is booked, and
    the notice is paid and not expired. A provider that is silent is asked again later. Faults: ProviderSilentError.
    """
    row = _locked(notice_id)
    if row.state != NoticeState.REQUESTED.value or row.due_on >= calendars.current().local_date(now):
        return NoticeState(row.state)
    for order in row.orders.filter(state=OrderState.STARTED.value):
        told = ports.provider().close_order(ref=order.ref, now=now)
        if told is not None:
            paid(order.ref, told, now=now)
            return NoticeState.PAID
        order.state = OrderState.ABANDONED.value
        order.save(update_fields=["state"])
    _close(row, NoticeState.EXPIRED, now)
    telling.tell_payer(row, "payments.expired", now=now)
    return NoticeState.EXPIRED


@command("payments.end_of_case")
def end_of_case(*, case_id: UUID, granted: bool, actor: Actor, now: datetime) -> None:
    """Cancel what a case still asks for once it has ended; what was paid for nothing is to be given back."""
    for row in models.Notice.objects.select_for_update(no_key=True).filter(case_id=case_id):
        if row.state == NoticeState.REQUESTED.value:
            row.orders.filter(state=OrderState.STARTED.value).update(state=OrderState.ABANDONED.value)
            _close(row, NoticeState.CANCELLED, now)
        elif row.state == NoticeState.PAID.value and not granted:
            for order in row.orders.filter(state=OrderState.PAID.value, refunded_fen=0):
                refund_by_rule(order, "办件没有办成，费用退还。", now=now)


@command("payments.make_receipt")
def make_receipt(*, notice_id: UUID, actor: Actor, now: datetime) -> str:
    """Make the sealed receipt of a paid notice and return its file's digest. A repeat changes nothing."""
    row = _locked(notice_id)
    if row.state != NoticeState.PAID.value:
        raise NoticeNotFound
    if not row.receipt_digest:
        row.receipt_digest = receipts.render(row, now=now)
        row.save(update_fields=["receipt_digest"])
    return row.receipt_digest


def run_due(*, now: datetime, limit: int = 200) -> dict[str, int]:
    """Remind, end, and ask the provider about orders that nobody confirmed, each in a transaction of its own."""
    on = calendars.current().local_date(now)
    waiting = models.Notice.objects.filter(state=NoticeState.REQUESTED.value)
    done = {"reminded": 0, "expired": 0, "asked": 0}
    if not ports.is_bound():
        return done
    unheard = models.Order.objects.filter(state=OrderState.STARTED.value, started_at__lt=now - timedelta(minutes=10))
    for name, keys, act in (
        ("asked", list(unheard.order_by("started_at").values_list("notice_id", flat=True)[:limit]), _ask),
        (
            "reminded",
            list(waiting.filter(remind_on__lte=on, reminded_at=None).values_list("id", flat=True)[:limit]),
            _remind,
        ),
        ("expired", list(waiting.filter(due_on__lt=on).values_list("id", flat=True)[:limit]), _expire),
    ):
        for key in keys:
            try:
                done[name] += act(key, now)
            except ProviderSilentError:
                return done  # asked again at the next call
            except Exception:  # noqa: BLE001 - one notice that cannot go on holds up no other; the next call tries again
                _log.exception("payments.timer_failed", extra={"what": name, "key": str(key)})
    return done


def _ask(notice_id: UUID, now: datetime) -> bool:
    return ask_provider(notice_id=notice_id, actor=SYSTEM, now=now)


def _remind(notice_id: UUID, now: datetime) -> bool:
    return remind(notice_id=notice_id, actor=SYSTEM, now=now)


def _expire(notice_id: UUID, now: datetime) -> bool:
    return expire_notice(notice_id=notice_id, actor=SYSTEM, now=now) is NoticeState.EXPIRED


def _locked(notice_id: UUID) -> models.Notice:
    row = models.Notice.objects.select_for_update(no_key=True).filter(id=notice_id).first()
    if row is None:
        raise NoticeNotFound
    current().object("fee_notice", row.id)
    return row


def _close(row: models.Notice, state: NoticeState, now: datetime) -> None:
    row.state, row.closed_at = state.value, now
    row.save(update_fields=["state", "closed_at"])
    publish(NoticeClosedEvent(notice_id=row.id, case_id=row.case_id, state=state.value), now=now)
