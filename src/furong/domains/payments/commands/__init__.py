"""Writes of payments: one function is one transaction, one audit entry and its events."""

from furong.domains.payments.commands.comparing import compare_day, settle_difference
from furong.domains.payments.commands.paying import ask_provider, hear, start_order
from furong.domains.payments.commands.refunding import approve_refund, carry_out_refund, request_refund
from furong.domains.payments.commands.requesting import (
    end_of_case,
    expire_notice,
    make_receipt,
    remind,
    request_fee,
    run_due,
)

__all__ = [
    "approve_refund",
    "ask_provider",
    "carry_out_refund",
    "compare_day",
    "end_of_case",
    "expire_notice",
    "hear",
    "make_receipt",
    "remind",
    "request_fee",
    "request_refund",
    "run_due",
    "settle_difference",
    "start_order",
]
