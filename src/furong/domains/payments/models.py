"""Notices, orders, refunds, what was heard, and the days compared. Private to this room."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from furong.domains.payments.values import Difference, NoticeState, OrderState, RefundState
from furong.foundation.codes.ids import new_id


class Counter(models.Model):
    """The last serial of a year of an organisation's notices or receipts."""

    key = models.CharField(max_length=120, primary_key=True)
    value = models.BigIntegerField()

    class Meta:
        db_table = "payments_counter"


class Notice(models.Model):
    """A fee that a case asks for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    effect_id = models.UUIDField(unique=True)
    number = models.CharField(max_length=60)
    case_id = models.UUIDField(db_index=True)
    application_id = models.UUIDField(db_index=True)
    case_number = models.CharField(max_length=44)
    item_name = models.JSONField()
    organization_id = models.UUIDField()
    division_code = models.CharField(max_length=12)
    payer_account_id = models.UUIDField(null=True)
    payer_person_id = models.UUIDField(null=True)
    lines = models.JSONField()
    amount_fen = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in NoticeState])
    requested_at = models.DateTimeField()
    due_on = models.DateField()
    remind_on = models.DateField(null=True)
    reminded_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    receipt_number = models.CharField(max_length=60, blank=True, default="")
    receipt_on = models.DateField(null=True)
    receipt_digest = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        db_table = "payments_notice"
        constraints = (
            models.UniqueConstraint(fields=("organization_id", "number"), name="payments_notice_number"),
            models.UniqueConstraint(
                fields=("organization_id", "receipt_number"),
                condition=~Q(receipt_number=""),
                name="payments_receipt_number",
            ),
            models.UniqueConstraint(
                fields=("case_id",), condition=Q(state="requested"), name="payments_one_open_a_case"
            ),
            models.CheckConstraint(name="payments_amount", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(name="payments_notice_state", condition=Q(state__in=[s.value for s in NoticeState])),
        )
        indexes = (models.Index(fields=("due_on",), name="payments_notice_due", condition=Q(state="requested")),)


class Order(models.Model):
    """A try to pay a notice, at a provider. One of a notice is ``paid``, whatever comes twice."""

    ref = models.CharField(max_length=60, primary_key=True)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="orders")
    provider = models.CharField(max_length=40)
    provider_ref = models.CharField(max_length=100, blank=True, default="")
    amount_fen = models.BigIntegerField()
    refunded_fen = models.BigIntegerField(default=0)
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in OrderState])
    started_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    paid_on = models.DateField(null=True)

    class Meta:
        db_table = "payments_order"
        constraints = (
            models.UniqueConstraint(fields=("notice",), condition=Q(state="paid"), name="payments_paid_once"),
            models.UniqueConstraint(fields=("notice",), condition=Q(state="started"), name="payments_one_try_open"),
            models.CheckConstraint(
                name="payments_refund_within",
                condition=Q(refunded_fen__gte=0, refunded_fen__lte=F("amount_fen")),
            ),
            models.CheckConstraint(name="payments_order_state", condition=Q(state__in=[s.value for s in OrderState])),
        )
        indexes = (models.Index(fields=("provider", "paid_on"), name="payments_order_paid"),)


class Refund(models.Model):
    """Money to be given back: asked for by one person, approved by another, or by rule where it was paid twice."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    amount_fen = models.BigIntegerField()
    reason = models.TextField()
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in RefundState])
    requested_at = models.DateTimeField()
    requested_by = models.UUIDField(null=True)
    approved_by = models.UUIDField(null=True)
    approved_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    done_on = models.DateField(null=True)

    class Meta:
        db_table = "payments_refund"
        constraints = (
            models.CheckConstraint(name="payments_refund_amount", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="payments_refund_by_two",
                condition=Q(requested_by=None) | Q(approved_by=None) | ~Q(requested_by=F("approved_by")),
            ),
            models.CheckConstraint(name="payments_refund_state", condition=Q(state__in=[s.value for s in RefundState])),
        )


class Heard(models.Model):
    """A provider's message that was believed: its telling once, what it tells once."""

    id = models.BigAutoField(primary_key=True)
    provider = models.CharField(max_length=40)
    nonce = models.CharField(max_length=100)
    event_id = models.CharField(max_length=100)
    heard_at = models.DateTimeField()

    class Meta:
        db_table = "payments_heard"
        constraints = (models.UniqueConstraint(fields=("provider", "nonce"), name="payments_told_once"),)
        indexes = (models.Index(fields=("provider", "event_id"), name="payments_heard_event"),)


class ComparedDay(models.Model):
    """A day of a provider's statement beside the books."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.CharField(max_length=40)
    on = models.DateField()
    compared_at = models.DateTimeField()
    orders = models.PositiveIntegerField()
    ours_fen = models.BigIntegerField()
    theirs_fen = models.BigIntegerField()

    class Meta:
        db_table = "payments_day"
        constraints = (models.UniqueConstraint(fields=("provider", "on"), name="payments_day_once"),)


class DayDifference(models.Model):
    """What differed on a day, and how it was settled."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    day = models.ForeignKey(ComparedDay, on_delete=models.PROTECT, related_name="differences")
    kind = models.CharField(max_length=20, choices=[(d.value, d.value) for d in Difference])
    order_ref = models.CharField(max_length=60)
    ours_fen = models.BigIntegerField()
    theirs_fen = models.BigIntegerField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.UUIDField(null=True)
    words = models.TextField(blank=True, default="")

    class Meta:
        db_table = "payments_difference"
        constraints = (models.UniqueConstraint(fields=("day", "order_ref", "kind"), name="payments_difference_once"),)
        indexes = (models.Index(fields=("day",), name="payments_to_settle", condition=Q(settled_at=None)),)


class TwinOrder(models.Model):
    """An order as the simulated provider keeps it; the platform's books never read this table."""

    ref = models.CharField(max_length=60, primary_key=True)
    amount_fen = models.BigIntegerField()
    paid_at = models.DateTimeField(null=True)
    paid_on = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_twin_order"


class TwinRefund(models.Model):
    """A refund as the simulated provider keeps it."""

    ref = models.CharField(max_length=60, primary_key=True)
    order = models.ForeignKey(TwinOrder, on_delete=models.PROTECT, related_name="refunds")
    amount_fen = models.BigIntegerField()
    on = models.DateField()

    class Meta:
        db_table = "payments_twin_refund"
