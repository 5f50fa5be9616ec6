"""The procedures that stop a case's clock (行政许可法 art. 45)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class SpecialProcedure(StrEnum):
    """What the law names; time spent in them is not counted."""

    HEARING = "hearing"
    TENDER = "tender"
    AUCTION = "auction"
    INSPECTION = "inspection"
    TESTING = "testing"
    QUARANTINE = "quarantine"
    APPRAISAL = "appraisal"
    EXPERT_REVIEW = "expert_review"
    PUBLIC_NOTICE = "public_notice"


PROCEDURE_NAMES: Mapping[SpecialProcedure, Mapping[str, str]] = MappingProxyType(
    {
        SpecialProcedure.HEARING: {"zh": "听证", "en": "hearing"},
        SpecialProcedure.TENDER: {"zh": "招标", "en": "tender"},
        SpecialProcedure.AUCTION: {"zh": "拍卖", "en": "auction"},
        SpecialProcedure.INSPECTION: {"zh": "检验", "en": "inspection"},
        SpecialProcedure.TESTING: {"zh": "检测", "en": "testing"},
        SpecialProcedure.QUARANTINE: {"zh": "检疫", "en": "quarantine"},
        SpecialProcedure.APPRAISAL: {"zh": "鉴定", "en": "appraisal"},
        SpecialProcedure.EXPERT_REVIEW: {"zh": "专家评审", "en": "expert review"},
        SpecialProcedure.PUBLIC_NOTICE: {"zh": "公示", "en": "public notice"},
    }
)
