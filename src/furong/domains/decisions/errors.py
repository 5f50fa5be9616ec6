"""What this module refuses."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DecisionFinding", "DecisionRefused", "UnknownDecision"]


@dataclass(frozen=True, slots=True)
class DecisionFinding:
    """One thing in a DMN file that cannot be run: where, which rule, what, and how to mend it."""

    file: str
    line: int
    element: str
    rule: str
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.element}: {self.message} {self.mend}"


class DecisionRefused(ValueError):  # noqa: N818  a refusal, not a fault
    """A DMN file that cannot be run; ``findings`` say everything that is wrong with it."""

    code = "decisions.refused"

    def __init__(self, findings: tuple[DecisionFinding, ...]) -> None:
        super().__init__("\n".join(str(one) for one in findings))
        self.findings = findings


class UnknownDecision(LookupError):  # noqa: N818  a refusal, not a fault
    """The model has no such decision, or several and none was named."""

    code = "decisions.unknown"

    def __init__(self, decision: str | None) -> None:
        message = "The model has no decision of its own." if decision is None else f"The model has no {decision!r}."
        super().__init__(message)
