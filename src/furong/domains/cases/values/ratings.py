"""The five levels of a rating and its aspects (国办发〔2019〕51号)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LEVELS: Mapping[int, Mapping[str, str]] = MappingProxyType(
    {
        5: {"zh": "非常满意", "en": "Very satisfied"},
        4: {"zh": "满意", "en": "Satisfied"},
        3: {"zh": "基本满意", "en": "Fairly satisfied"},
        2: {"zh": "不满意", "en": "Dissatisfied"},
        1: {"zh": "非常不满意", "en": "Very dissatisfied"},
    }
)
ASPECTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "efficiency": {"zh": "办理效率", "en": "Speed"},
        "guide": {"zh": "指南准确", "en": "Accuracy of the guide"},
        "convenience": {"zh": "办事便捷", "en": "Convenience"},
        "usability": {"zh": "操作易用", "en": "Ease of use"},
        "attitude": {"zh": "服务态度", "en": "Attitude"},
    }
)


def is_bad(level: int) -> bool:
    """Tell whether a level obliges the body to call back: the bottom two."""
    return level <= 2
