"""Kinds of documents and what each says; the applicant's copy is served and its opening recorded."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

Text = Mapping[str, str]


class DocumentKind(StrEnum):
    """The law's papers of a case (行政许可法 art. 32, 38, 42)."""

    ACCEPTANCE = "acceptance"
    NON_ACCEPTANCE = "non_acceptance"
    SUPPLEMENT = "supplement"
    DECISION_APPROVED = "decision_approved"
    DECISION_REJECTED = "decision_rejected"
    EXTENSION = "extension"
    SPECIAL_PROCEDURE = "special_procedure"
    TERMINATION = "termination"
    WITHDRAWAL = "withdrawal"


TITLES: Mapping[DocumentKind, Text] = MappingProxyType(
    {
        DocumentKind.ACCEPTANCE: {"zh": "受理通知书", "en": "Notice of acceptance"},
        DocumentKind.NON_ACCEPTANCE: {"zh": "不予受理决定书", "en": "Decision not to accept"},
        DocumentKind.SUPPLEMENT: {"zh": "补正材料通知书", "en": "Supplement notice"},
        DocumentKind.DECISION_APPROVED: {"zh": "准予决定书", "en": "Decision to grant"},
        DocumentKind.DECISION_REJECTED: {"zh": "不予批准决定书", "en": "Decision to refuse"},
        DocumentKind.EXTENSION: {"zh": "延长办理期限通知书", "en": "Notice of extension"},
        DocumentKind.SPECIAL_PROCEDURE: {"zh": "特别程序通知书", "en": "Notice of special procedure"},
        DocumentKind.TERMINATION: {"zh": "办理终止通知书", "en": "Notice of termination"},
        DocumentKind.WITHDRAWAL: {"zh": "撤回申请确认书", "en": "Confirmation of withdrawal"},
    }
)
