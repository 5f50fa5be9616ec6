"""The receipt of a paid notice: a sealed PDF as other numbered documents are. No name stands on it."""

from __future__ import annotations

from datetime import datetime

from furong.domains.payments import models
from furong.domains.payments.telling import yuan
from furong.foundation.organizations import queries as organizations
from furong.foundation.storage import commands as storage
from furong.registries.licences import documents

TITLE = {"zh": "政府非税收入电子收据", "en": "Receipt of a government fee"}


def render(row: models.Notice, *, now: datetime) -> str:
    """Make the receipt and return the stored file's digest."""
    office = organizations.get_organization(organization_id=row.organization_id)
    lines = [[one["name"], f"{yuan(one['amount_fen'])} 元"] for one in row.lines]
    pdf = documents.render_sealed_pdf(
        template="receipt",
        title=TITLE,
        number=row.receipt_number,
        issuer={"zh": office.name.zh, "en": office.name.en or office.name.zh},
        issued_on=row.receipt_on,
        data={
            "paragraphs": [f"今收到办件 {row.case_number} 的下列费用，共计人民币 {yuan(row.amount_fen)} 元。"],
            "facts": [
                ["缴费通知号", row.number],
                ["事项", str(row.item_name.get("zh", ""))],
                *lines,
                ["合计", f"{yuan(row.amount_fen)} 元"],
            ],
        },
        now=now,
    )
    return storage.put(pdf, "application/pdf", now=now).digest
