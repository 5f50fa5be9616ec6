"""Paying: an order is opened at the provider, and what the provider says of it is heard, once."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from furong.domains.payments import models, ports, telling
from furong.domains.payments.commands.refunding import refund_by_rule
from furong.domains.payments.errors import MessageRefused, NoticeClosed, NoticeNotFound
from furong.domains.payments.events import NoticeClosedEvent
from furong.domains.payments.numbers import number_of
from furong.domains.payments.values import FRESH, PAID, NoticeState, OrderState, PaidOrder, read_message
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendars
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish
from furong.foundation.jobs.commands import defer

MOST_BYTES = 4096


@command("payments.start_order")
def start_order(*, notice_id: UUID, actor: Actor, now: datetime) -> str:
    """Open an order for an open notice and return where the payer is sent; an open one is taken up again.

    The caller has made sure that the notice is the actor's to pay. Raises NoticeNotFound, NoticeClosed; faults:
    ProviderSilentError.
    """
    row = models.Notice.objects.select_for_update(no_key=True).filter(id=notice_id).first()
    if row is None:
        raise NoticeNotFound
    current().object("fee_notice", row.id)
    if row.state != NoticeState.REQUESTED.value or row.due_on < calendars.current().local_date(now):
        raise NoticeClosed
    provider = ports.provider()
    order = row.orders.filter(state=OrderState.STARTED.value, provider=provider.name).first()
    if order is None:
        row.orders.filter(state=OrderState.STARTED.value).update(state=OrderState.ABANDONED.value)
        order = models.Order.objects.create(
            ref=new_id().hex,
            notice=row,
            provider=provider.name,
            amount_fen=row.amount_fen,
            state=OrderState.STARTED.value,
            started_at=now,
        )
    provider.open_order(ref=order.ref, amount_fen=order.amount_fen, now=now)
    return provider.pay_address(ref=order.ref)


@command("payments.hear")
def hear(*, body: bytes, signature: bytes, actor: Actor, now: datetime) -> bool:
    """Hear a provider's signed message; False when what it tells was booked before.

    ``signature`` is base64 over the bytes as they came. Raises MessageRefused for a message that is not the provider's, not
    fresh, told before under the same nonce, of an unknown order, or of another amount: nothing is booked then.
    """
    message = read_message(body) if len(body) <= MOST_BYTES else None
    provider = ports.provider()
    try:
        signed = b64decode(signature, validate=True)
    except (NotBase64, ValueError):
        raise MessageRefused from None
    if message is None or message.provider != provider.name or not provider.has_signed(body=body, signature=signed):
        raise MessageRefused
    if abs(now - message.signed_at) > FRESH:
        raise MessageRefused
    try:
        with transaction.atomic():
            models.Heard.objects.create(
                provider=message.provider, nonce=message.nonce, event_id=message.event_id, heard_at=now
            )
    except IntegrityError:
        raise MessageRefused from None
    order = models.Order.objects.filter(ref=message.order_ref, provider=message.provider).first()
    if order is None or order.amount_fen != message.amount_fen:
        raise MessageRefused
    current().detail(event=message.event_id)
    if message.kind != PAID:
        return False  # refunds are carried out from here; the statement of the day compares them
    return paid(order.ref, PaidOrder(provider_ref=message.provider_ref, on=message.on), now=now)


@command("payments.ask_provider")
def ask_provider(*, notice_id: UUID, actor: Actor, now: datetime) -> bool:
    """Ask the provider about a notice's open order and book it if it was paid; tells whether it was.

    For messages that never came. Faults: ProviderSilentError.
    """
    order = models.Order.objects.filter(notice_id=notice_id, state=OrderState.STARTED.value).first()
    if order is None:
        return False
    told = ports.provider().ask(ref=order.ref)
    return told is not None and paid(order.ref, told, now=now)


def paid(ref: str, told: PaidOrder, *, now: datetime) -> bool:
    """Book an order as paid, once; what is paid twice, or after the notice has ended, is given back. Part of a command."""
    notice_id = models.Order.objects.values_list("notice_id", flat=True).get(ref=ref)
    notice = models.Notice.objects.select_for_update(no_key=True).get(id=notice_id)
    order = models.Order.objects.select_for_update(no_key=True).get(ref=ref)
    if order.state in {OrderState.PAID.value, OrderState.SURPLUS.value}:
        return False
    on = calendars.current().local_date(now)
    order.paid_at, order.paid_on, order.provider_ref = now, told.on, told.provider_ref
    if notice.state != NoticeState.REQUESTED.value:
        order.state = OrderState.SURPLUS.value
        order.save()
        refund_by_rule(order, "重复缴费或者缴费通知已经终止，费用退还。", now=now)
        return True
    order.state = OrderState.PAID.value
    order.save()
    notice.state, notice.closed_at = NoticeState.PAID.value, now
    notice.receipt_number = number_of(organization_id=notice.organization_id, mark="收", year=on.year)
    notice.receipt_on = on
    notice.save()
    current().object("fee_notice", notice.id)
    current().detail(paid_fen=order.amount_fen, receipt=notice.receipt_number)
    defer("payments.make_receipt", key=f"payments.receipt:{notice.id}", notice_id=str(notice.id))
    telling.tell_payer(notice, "payments.paid", now=now)
    publish(NoticeClosedEvent(notice_id=notice.id, case_id=notice.case_id, state=NoticeState.PAID.value), now=now)
    return True
