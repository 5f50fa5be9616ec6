"""What a check says about a pack: where, what is wrong, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from furong.foundation.packs.values.text import Text


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check found. ``element`` is the data element or the path of the key, ``rule`` a stable code."""

    file: str
    line: int
    element: str
    rule: str
    message: Text
    mend: Text
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def format(self, *, language: str = "en") -> str:
        """Give the finding as one line, ``file:line: element: rule: message mend``."""
        mark = "" if self.is_error else "warning: "
        words = [f"{self.file}:{self.line}: {self.element}: {mark}{self.rule}: {self.message.pick(language)}"]
        if mend := self.mend.pick(language):
            words.append(mend)
        return " ".join(words)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings by file and line, each once."""
    unique = dict.fromkeys(findings)
    return sorted(unique, key=lambda f: (f.file, f.line, f.rule, f.element))


def has_errors(findings: Sequence[Finding]) -> bool:
    return any(finding.is_error for finding in findings)
