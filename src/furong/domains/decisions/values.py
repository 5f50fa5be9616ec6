"""Frozen values of decisions. Outputs are FEEL values: numbers are ``Decimal``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["DecisionProblem", "DecisionResult", "FiredRule", "HitPolicy"]


class HitPolicy(StrEnum):
    """How a table makes one result of the rules that match (DMN 1.5, 8.2.10)."""

    UNIQUE = "U"
    ANY = "A"
    PRIORITY = "P"
    FIRST = "F"
    RULE_ORDER = "R"
    OUTPUT_ORDER = "O"
    COLLECT = "C"
    COLLECT_SUM = "C+"
    COLLECT_MIN = "C<"
    COLLECT_MAX = "C>"
    COLLECT_COUNT = "C#"


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule of a decision table that matched: ``number`` counts from 1 as people read the table."""

    decision: str
    number: int
    rule_id: str
    line: int


@dataclass(frozen=True, slots=True)
class DecisionProblem:
    """Why a decision, or a part of one, is null: a stable ``code`` and a message without any value in it."""

    code: str
    message: str
    decision: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """What an evaluation gave.

    ``outputs`` are the asked decisions by name, ``decisions`` all that ran on the way. ``errors`` are breaches of the
    model (two rules of a unique table, an input that is not allowed, a type that does not fit); ``notes`` are FEEL's
    reasons for null inside of expressions, which are often meant.
    """

    outputs: Mapping[str, object]
    rules_fired: tuple[FiredRule, ...]
    errors: tuple[DecisionProblem, ...]
    notes: tuple[DecisionProblem, ...]
    decisions: Mapping[str, object]

    @property
    def value(self) -> object:
        """The output, when one decision was asked for."""
        return next(iter(self.outputs.values()), None)

    def told(self) -> tuple[DecisionProblem, ...]:
        """The errors, and for decisions that came to null the notes that say why."""
        null = {name for name, value in (*self.decisions.items(), *self.outputs.items()) if value is None}
        return (*self.errors, *(note for note in self.notes if note.decision in null))
