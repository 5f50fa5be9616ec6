"""What this module refuses."""

from __future__ import annotations

from dataclasses import dataclass

from furong.foundation.codes.errors import Refusal

__all__ = ["DecisionFinding", "DecisionRefused", "NoFinalDecision", "UnknownDecision"]


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


class DecisionRefused(Refusal):
    """A DMN file that cannot be run; ``findings`` say everything that is wrong with it."""

    code = "decisions.refused"
    message = "The decision model cannot be run."
    mend = "Mend what the findings name, and publish it again."

    def __init__(self, findings: tuple[DecisionFinding, ...]) -> None:
        super().__init__()
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(str(one) for one in self.findings)


class UnknownDecision(Refusal):
    """The model has no decision of this id or name."""

    code = "decisions.unknown"
    message = "The model has no decision %(decision)s."

    def __init__(self, decision: str) -> None:
        super().__init__(decision=decision)


class NoFinalDecision(Refusal):
    """No decision was named, and the model has none that no other requires."""

    code = "decisions.none"
    message = "The model has no decision of its own."
