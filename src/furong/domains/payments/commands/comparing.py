"""The day's comparison (对账): the provider's statement beside the books; what differs is settled by a person, with words."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from furong.domains.payments import models, ports, queries
from furong.domains.payments.commands.paying import paid
from furong.domains.payments.errors import DayNotOver, NoticeNotFound, ReasonNeeded
from furong.domains.payments.values import Difference, PaidOrder, compare
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendars

MOST_WORDS = 500


@command("payments.compare_day")
def compare_day(*, on: date, actor: Actor, now: datetime) -> int:
    """Compare a day that is over with the provider's statement and return how many differences stand open.

    An order that the provider says was paid, and the books do not know to be, is booked at once and noted. Compared again, a day
    keeps what was settled. By the system, or by whoever holds ``payments.reconcile``. Raises DayNotOver, AccessRefused; faults:
    ProviderSilentError.
    """
    if not actor.is_system:
        access.require(actor=actor, right=queries.RECONCILE)
    if on >= calendars.current().local_date(now):
        raise DayNotOver
    provider = ports.provider()
    theirs = {line.order_ref: (line.paid_fen, line.refunded_fen) for line in provider.statement(on=on)}
    ours = queries.books_of(provider=provider.name, on=on)
    day, _ = models.ComparedDay.objects.update_or_create(
        provider=provider.name,
        on=on,
        defaults={
            "compared_at": now,
            "orders": len(ours.keys() | theirs.keys()),
            "ours_fen": sum(came - back for came, back in ours.values()),
            "theirs_fen": sum(came - back for came, back in theirs.values()),
        },
    )
    for found in compare(ours, theirs):
        row, _ = models.DayDifference.objects.get_or_create(
            day=day,
            order_ref=found.order_ref,
            kind=found.kind.value,
            defaults={"ours_fen": found.ours_fen, "theirs_fen": found.theirs_fen},
        )
        if found.kind is Difference.MISSING_HERE and row.settled_at is None:
            order = models.Order.objects.filter(ref=found.order_ref, amount_fen=found.theirs_fen).first()
            if order is not None and order.paid_at is None:
                told = provider.ask(ref=order.ref)
                paid(order.ref, PaidOrder(provider_ref=told.provider_ref if told is not None else "", on=on), now=now)
                row.settled_at, row.words = now, "支付机构的通知没有送达，按对账单补记。"
                row.save()
    current().object("payments_day", day.id)
    current().detail(on=on.isoformat(), orders=day.orders)
    return models.DayDifference.objects.filter(day=day, settled_at=None).count()


@command("payments.settle_difference")
def settle_difference(*, difference_id: UUID, words: str, actor: Actor, now: datetime) -> None:
    """Note how a difference was settled. Needs ``payments.reconcile``. Raises ReasonNeeded, NoticeNotFound."""
    access.require(actor=actor, right=queries.RECONCILE)
    if not words.strip():
        raise ReasonNeeded
    row = models.DayDifference.objects.select_for_update(no_key=True).filter(id=difference_id, settled_at=None).first()
    if row is None:
        raise NoticeNotFound
    row.settled_at, row.settled_by, row.words = now, actor.account_id, words.strip()[:MOST_WORDS]
    row.save()
    current().object("payments_difference", row.id)
