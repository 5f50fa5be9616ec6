"""Refusals and faults of payments."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault, Refusal


class NoticeNotFound(Refusal):
    """There is no such fee notice, or it is not the actor's: the answer is the same."""

    code = "payments.not_found"
    message = "There is no such fee notice."
    mend = "Open it from your application."


class NoticeClosed(Refusal):
    """The fee was paid, or the notice has ended."""

    code = "payments.notice_closed"
    message = "This fee notice is not open any more."
    mend = "Reload the page; it says what became of it."


class MessageRefused(Refusal):
    """A provider's message is not signed by it, is too old, or was seen before."""

    code = "payments.message_refused"
    message = "The message is not signed by the provider, is too old, or was seen before."
    mend = "Sign the message anew with the key that was agreed."


class RefundTooMuch(Refusal):
    """More would be given back than was paid."""

    code = "payments.refund_too_much"
    message = "No more can be given back than was paid and is still kept."
    mend = "Check the amount."


class RefundNotYours(Refusal):
    """Who asked for a refund does not approve it."""

    code = "payments.refund_not_yours"
    message = "A refund is approved by somebody else than who asked for it."
    mend = "Ask a colleague."


class DayNotOver(Refusal):
    """The books of a day are compared when it is over."""

    code = "payments.day_not_over"
    message = "This day is not over yet."
    mend = "Compare it tomorrow."


class ReasonNeeded(Refusal):
    """A refund and a settled difference say why."""

    code = "payments.reason_needed"
    message = "This wants a reason."
    mend = "A sentence is enough."


class ReceiptNotReady(Refusal):
    """The receipt is being made."""

    code = "payments.receipt_not_ready"
    message = "The receipt is being made."
    mend = "Try again in a minute."


class ProviderSilentError(Fault):
    """The provider of payments does not answer."""

    code = "payments.provider_silent"


class EffectReusedError(Fault):
    """An effect was carried out before with another content."""

    code = "payments.effect_reused"
