"""What this module refuses, and its one fault."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CalendarFinding", "CalendarNotLoadedError", "CalendarRefused"]


@dataclass(frozen=True, slots=True)
class CalendarFinding:
    """One thing wrong with a holiday file: where, which rule, what, and how to mend it."""

    file: str
    line: int
    rule: str
    message: str
    mend: str


class CalendarRefused(ValueError):  # noqa: N818  a refusal, not a fault
    """A holiday file that cannot be put in force; ``findings`` say where and why."""

    code = "calendar.refused"

    def __init__(self, findings: tuple[CalendarFinding, ...]) -> None:
        super().__init__("; ".join(f"{one.file}:{one.line}: {one.message}" for one in findings))
        self.findings = findings


class CalendarNotLoadedError(RuntimeError):
    """No calendar is in force: the operator has not loaded a pack."""

    code = "calendar.not_loaded"

    def __init__(self) -> None:
        super().__init__("No calendar is in force; load a pack's holidays.yaml first.")
