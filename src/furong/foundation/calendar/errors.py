"""What this module refuses, and its one fault."""

from __future__ import annotations

from dataclasses import dataclass

from furong.foundation.codes.errors import Fault, Refusal

__all__ = ["CalendarFinding", "CalendarNotLoadedError", "CalendarRefused"]


@dataclass(frozen=True, slots=True)
class CalendarFinding:
    """One thing wrong with a holiday file: where, which rule, what, and how to mend it."""

    file: str
    line: int
    rule: str
    message: str
    mend: str


class CalendarRefused(Refusal):
    """A holiday file that cannot be put in force; ``findings`` say where and why."""

    code = "calendar.refused"
    message = "The holiday file cannot be put in force."
    mend = "Mend what the findings name, and load it again."

    def __init__(self, findings: tuple[CalendarFinding, ...]) -> None:
        super().__init__()
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(f"{one.file}:{one.line}: {one.message} {one.mend}" for one in self.findings)


class CalendarNotLoadedError(Fault):
    """No calendar is in force: the operator has not loaded a pack."""

    code = "calendar.not_loaded"

    def __init__(self) -> None:
        super().__init__("No calendar is in force; load a pack's holidays.yaml first.")
