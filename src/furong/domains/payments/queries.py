"""Reads of payments. Who may read is decided by the room that owns the case, or by a right over the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Q, Sum

from furong.domains.payments import models
from furong.domains.payments.errors import NoticeNotFound
from furong.domains.payments.values import Difference, Line, Notice, NoticeState, OrderState, RefundState
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, register_right

RECONCILE = register_right("payments.reconcile", zh="核对缴费", en="Reconcile payments")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """A refund that waits or was done."""

    id: UUID
    notice_number: str
    case_number: str
    case_id: UUID
    amount_fen: int
    reason: str
    state: RefundState
    requested_at: datetime
    requested_by: UUID | None
    approved_by: UUID | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """A day that was compared."""

    id: UUID
    provider: str
    on: date
    orders: int
    ours_fen: int
    theirs_fen: int
    open_differences: int
    differences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceLine:
    """What differed, and how it was settled."""

    id: UUID
    on: date
    kind: Difference
    order_ref: str
    case_number: str
    ours_fen: int
    theirs_fen: int
    settled_at: datetime | None
    words: str


def list_of_application(*, application_id: UUID) -> tuple[Notice, ...]:
    """List an application's notices, latest first. The caller has let its reader in."""
    rows = models.Notice.objects.filter(application_id=application_id).order_by("-requested_at")
    return tuple(notice_of(row) for row in rows)


def list_of_case(*, case_id: UUID) -> tuple[Notice, ...]:
    """List a case's notices, latest first. The caller has let its reader in."""
    return tuple(notice_of(row) for row in models.Notice.objects.filter(case_id=case_id).order_by("-requested_at"))


def list_for_staff(*, case_id: UUID, actor: Actor) -> tuple[Notice, ...]:
    """Return a case's notices for staff, latest first; none when it has asked for no fee.

    Needs ``cases.handle`` over the organisation. Raises AccessRefused.
    """
    rows = list(models.Notice.objects.filter(case_id=case_id).order_by("-requested_at"))
    for row in rows:
        access.require(
            actor=actor, right="cases.handle", organization_id=row.organization_id, division_code=row.division_code
        )
    return tuple(notice_of(row) for row in rows)


def get_notice(*, notice_id: UUID) -> Notice:
    """Return a notice; the caller lets its reader in by its application. Raises NoticeNotFound."""
    row = models.Notice.objects.filter(id=notice_id).first()
    if row is None:
        raise NoticeNotFound
    return notice_of(row)


def find_notice_of_order(*, ref: str) -> Notice | None:
    """Return the notice that an order pays, None for an unknown order."""
    row = models.Order.objects.select_related("notice").filter(ref=ref).first()
    return notice_of(row.notice) if row is not None else None


def list_refunds(*, actor: Actor, open_only: bool = False, limit: int = 200) -> tuple[RefundLine, ...]:
    """List the refunds of the actor's organisation, waiting ones first. Raises AccessRefused."""
    access.require(
        actor=actor, right="cases.handle", organization_id=actor.organization_id, division_code=actor.division_code
    )
    if actor.organization_id is None:
        return ()
    rows = models.Refund.objects.select_related("order__notice").filter(
        order__notice__organization_id=actor.organization_id
    )
    if open_only:
        rows = rows.filter(state=RefundState.REQUESTED.value)
    return tuple(_refund(row) for row in rows.order_by("done_at", "requested_at")[:limit])


def list_days(*, actor: Actor, limit: int = 60) -> tuple[DayLine, ...]:
    """List the days that were compared, latest first. Needs ``payments.reconcile``."""
    access.require(actor=actor, right=RECONCILE)
    rows = models.ComparedDay.objects.annotate(
        found=Count("differences"), waiting=Count("differences", filter=Q(differences__settled_at=None))
    )
    return tuple(
        DayLine(
            id=row.id,
            provider=row.provider,
            on=row.on,
            orders=row.orders,
            ours_fen=row.ours_fen,
            theirs_fen=row.theirs_fen,
            open_differences=row.waiting,
            differences=row.found,
        )
        for row in rows.order_by("-on")[:limit]
    )


def list_differences(*, actor: Actor, limit: int = 200) -> tuple[DifferenceLine, ...]:
    """List what differed, the unsettled first. Needs ``payments.reconcile``."""
    access.require(actor=actor, right=RECONCILE)
    rows = list(
        models.DayDifference.objects.select_related("day").order_by("settled_at", "-day__on", "order_ref")[:limit]
    )
    rows.sort(key=lambda row: row.settled_at is not None)
    numbers = dict(
        models.Order.objects.filter(ref__in=[row.order_ref for row in rows]).values_list("ref", "notice__case_number")
    )
    return tuple(
        DifferenceLine(
            id=row.id,
            on=row.day.on,
            kind=Difference(row.kind),
            order_ref=row.order_ref,
            case_number=numbers.get(row.order_ref, ""),
            ours_fen=row.ours_fen,
            theirs_fen=row.theirs_fen,
            settled_at=row.settled_at,
            words=row.words,
        )
        for row in rows
    )


def books_of(*, provider: str, on: date) -> Mapping[str, tuple[int, int]]:
    """Return the books of a day: by order what came in and what was given back, in fen."""
    paid = dict(
        models.Order.objects.filter(
            provider=provider, paid_on=on, state__in=[OrderState.PAID.value, OrderState.SURPLUS.value]
        ).values_list("ref", "amount_fen")
    )
    refunds = models.Refund.objects.filter(order__provider=provider, done_on=on, state=RefundState.DONE.value)
    given = {row["order_id"]: row["total"] for row in refunds.values("order_id").annotate(total=Sum("amount_fen"))}
    return {ref: (paid.get(ref, 0), given.get(ref, 0)) for ref in paid.keys() | given.keys()}


def notice_of(row: models.Notice) -> Notice:
    """Make the value of a row."""
    given = row.orders.aggregate(total=Sum("refunded_fen"))["total"] or 0
    return Notice(
        id=row.id,
        number=row.number,
        case_id=row.case_id,
        application_id=row.application_id,
        organization_id=row.organization_id,
        lines=tuple(Line(name=one["name"], amount_fen=one["amount_fen"]) for one in row.lines),
        amount_fen=row.amount_fen,
        state=NoticeState(row.state),
        requested_at=row.requested_at,
        due_on=row.due_on,
        paid_at=row.closed_at if row.state == NoticeState.PAID.value else None,
        receipt_number=row.receipt_number,
        receipt_digest=row.receipt_digest,
        refunded_fen=given,
    )


def _refund(row: models.Refund) -> RefundLine:
    notice = row.order.notice
    return RefundLine(
        id=row.id,
        notice_number=notice.number,
        case_number=notice.case_number,
        case_id=notice.case_id,
        amount_fen=row.amount_fen,
        reason=row.reason,
        state=RefundState(row.state),
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        approved_by=row.approved_by,
        done_at=row.done_at,
    )
