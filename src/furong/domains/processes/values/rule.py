"""What one rule of the checks says."""

from __future__ import annotations

from dataclasses import dataclass

from furong.foundation.packs.values.findings import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence and its mend in both languages; words in braces are filled in for each finding."""

    zh: str
    en: str
    mend_zh: str
    mend_en: str
    severity: Severity = Severity.ERROR
    to_publish: bool = False  # a warning when a diagram is read, an error when it is to be published
