"""What payers are told. Messages name cases, items and amounts, nothing of a person."""

from __future__ import annotations

from datetime import datetime

from furong.domains.payments import models
from furong.foundation.notices import commands as notices
from furong.foundation.notices.templates import register_template

register_template(
    "payments.requested",
    title={"zh": "“{item}”请缴费", "en": "“{item}”: please pay"},
    body={
        "zh": "办件 {number} 需缴费 {amount} 元，请于 {due_on} 前在“我的申请”中缴纳。",
        "en": "Case {number} has a fee of {amount} yuan. Pay it under My applications by {due_on}.",
    },
)
register_template(
    "payments.reminder",
    title={"zh": "“{item}”还没有缴费", "en": "“{item}” is not paid yet"},
    body={
        "zh": "办件 {number} 的 {amount} 元还没有缴纳；{due_on} 过后不再办理。",
        "en": "The fee of {amount} yuan for case {number} is not paid. After {due_on} the case ends.",
    },
)
register_template(
    "payments.paid",
    title={"zh": "“{item}”已收到缴费", "en": "“{item}”: payment received"},
    body={
        "zh": "办件 {number} 的 {amount} 元已收到，电子收据可在“我的申请”中打开。",
        "en": "The {amount} yuan for case {number} came in. The receipt is under My applications.",
    },
)
register_template(
    "payments.expired",
    title={"zh": "“{item}”逾期没有缴费", "en": "“{item}” was not paid in time"},
    body={
        "zh": "办件 {number} 的缴费通知已于 {due_on} 到期，没有收取任何费用。",
        "en": "The fee notice of case {number} ended on {due_on}. Nothing was charged.",
    },
)
register_template(
    "payments.refunded",
    title={"zh": "“{item}”的费用已退还", "en": "“{item}”: money was given back"},
    body={
        "zh": "办件 {number} 的 {amount} 元已按原路退还。",
        "en": "{amount} yuan of case {number} were given back the way they came.",
    },
)


def tell_payer(
    row: models.Notice, template: str, *, now: datetime, amount_fen: int | None = None, key: str = ""
) -> None:
    """Tell whoever pays; ``key`` makes it once."""
    notices.send(
        person_id=row.payer_person_id,
        account_id=row.payer_account_id,
        template=template,
        params={
            "item": dict(row.item_name),
            "number": row.case_number,
            "amount": yuan(row.amount_fen if amount_fen is None else amount_fen),
            "due_on": row.due_on.isoformat(),
        },
        case_id=row.case_id,
        key=f"{template}:{row.id}:{key}",
        now=now,
    )


def yuan(amount_fen: int) -> str:
    """Write an amount in yuan: 120.00."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"
