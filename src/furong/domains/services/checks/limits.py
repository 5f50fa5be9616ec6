"""Promised limits against those of the law."""

from __future__ import annotations

from furong.domains.services.checks.scope import Scope
from furong.domains.services.values.clocks import Limit
from furong.foundation.packs.values import Severity


def promised_within(scope: Scope, promised: Limit, statutory: Limit, file: str, element: str) -> None:
    """Find a promised limit that is, or over a holiday may be, later than the statutory one."""
    if promised.certainly_exceeds(statutory):
        scope.add(
            file,
            promised.line,
            element,
            "item.promised_too_long",
            (
                f"承诺时限 {_days(promised, 'zh')} 超过法定时限 {_days(statutory, 'zh')}。",
                f"The promised limit of {_days(promised, 'en')} exceeds the statutory {_days(statutory, 'en')}.",
            ),
            ("请缩短承诺时限。", "Promise a shorter one."),
        )
    elif promised.may_exceed(statutory):
        scope.add(
            file,
            promised.line,
            element,
            "item.promised_may_be_too_long",
            (
                f"遇长假时承诺时限 {_days(promised, 'zh')} 可能超过法定时限 {_days(statutory, 'zh')}。",
                f"Over a long holiday the promised {_days(promised, 'en')} may exceed the statutory {_days(statutory, 'en')}.",
            ),
            ("请使用同一单位，或缩短承诺时限。", "Use the same unit, or promise a shorter one."),
            severity=Severity.WARNING,
        )


def _days(limit: Limit, language: str) -> str:
    if language == "zh":
        return f"{limit.days} 个{'工作日' if limit.unit == 'working' else '自然日'}"
    return f"{limit.days} {limit.unit} days"
