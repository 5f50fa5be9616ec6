"""Refunds: asked for by one person, approved by another, carried out by a job; by rule where somebody paid for nothing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.domains.payments import models, ports, telling
from furong.domains.payments.errors import NoticeNotFound, ReasonNeeded, RefundNotYours, RefundTooMuch
from furong.domains.payments.events import Refunded
from furong.domains.payments.values import OrderState, RefundState
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendars
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish
from furong.foundation.jobs.commands import defer

MOST_WORDS = 500


@command("payments.request_refund")
def request_refund(*, notice_id: UUID, amount_fen: int, reason: str, actor: Actor, now: datetime) -> UUID:
    """Ask for money of a paid notice to be given back, and return the refund's key.

    Needs ``cases.handle`` over the organisation. Raises NoticeNotFound, RefundTooMuch, ReasonNeeded, AccessRefused.
    """
    notice = models.Notice.objects.select_for_update(no_key=True).filter(id=notice_id).first()
    if notice is None:
        raise NoticeNotFound
    access.require(
        actor=actor, right="cases.handle", organization_id=notice.organization_id, division_code=notice.division_code
    )
    if not reason.strip():
        raise ReasonNeeded
    order = (
        models.Order.objects.select_for_update(no_key=True).filter(notice=notice, state=OrderState.PAID.value).first()
    )
    if order is None or amount_fen <= 0 or order.refunded_fen + amount_fen > order.amount_fen:
        raise RefundTooMuch
    # What is asked for is set aside at once, so that no two refunds give the same money back.
    order.refunded_fen += amount_fen
    order.save(update_fields=["refunded_fen"])
    row = models.Refund.objects.create(
        id=new_id(),
        order=order,
        amount_fen=amount_fen,
        reason=reason.strip()[:MOST_WORDS],
        state=RefundState.REQUESTED.value,
        requested_at=now,
        requested_by=actor.account_id,
    )
    current().object("refund", row.id)
    current().detail(amount_fen=amount_fen, notice=notice.number)
    return row.id


@command("payments.approve_refund")
def approve_refund(*, refund_id: UUID, actor: Actor, now: datetime) -> None:
    """Approve a refund, which a job then carries out. Needs ``cases.decide`` over the organisation.

    Raises NoticeNotFound, RefundNotYours, AccessRefused.
    """
    row = models.Refund.objects.select_for_update(of=("self",), no_key=True).filter(id=refund_id).first()
    if row is None or row.approved_at is not None:
        raise NoticeNotFound
    notice = row.order.notice
    access.require(
        actor=actor, right="cases.decide", organization_id=notice.organization_id, division_code=notice.division_code
    )
    if row.requested_by is not None and row.requested_by == actor.account_id:
        raise RefundNotYours
    row.approved_by, row.approved_at = actor.account_id, now
    row.save()
    current().object("refund", row.id)
    _carry_out_later(row)


@command("payments.carry_out_refund")
def carry_out_refund(*, refund_id: UUID, actor: Actor, now: datetime) -> bool:
    """Give approved money back, once, and tell the payer. Faults: ProviderSilentError; the job tries again."""
    row = models.Refund.objects.select_for_update(of=("self",), no_key=True).filter(id=refund_id).first()
    if row is None or row.approved_at is None:
        raise NoticeNotFound
    current().object("refund", row.id)
    if row.state == RefundState.DONE.value:
        return False
    on = calendars.current().local_date(now)
    ports.provider().refund(ref=row.id.hex, order_ref=row.order_id, amount_fen=row.amount_fen, on=on)
    row.state, row.done_at, row.done_on = RefundState.DONE.value, now, on
    row.save()
    notice = row.order.notice
    telling.tell_payer(notice, "payments.refunded", now=now, amount_fen=row.amount_fen, key=str(row.id))
    publish(Refunded(refund_id=row.id, notice_id=notice.id, case_id=notice.case_id, amount_fen=row.amount_fen), now=now)
    return True


def refund_by_rule(order: models.Order, reason: str, *, now: datetime) -> None:
    """Give all of a locked order back without asking anybody: it was paid for nothing. Part of a command."""
    left = order.amount_fen - order.refunded_fen
    if left <= 0:
        return
    order.refunded_fen = order.amount_fen
    order.save(update_fields=["refunded_fen"])
    row = models.Refund.objects.create(
        id=new_id(),
        order=order,
        amount_fen=left,
        reason=reason,
        state=RefundState.REQUESTED.value,
        requested_at=now,
        approved_at=now,
    )
    _carry_out_later(row)


def _carry_out_later(row: models.Refund) -> None:
    defer("payments.carry_out_refund", key=f"payments.refund:{row.id}", refund_id=str(row.id))
