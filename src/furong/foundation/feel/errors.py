"""What FEEL refuses while it reads, and the one thing it refuses while it runs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FeelLimitReached", "FeelProblem", "FeelSyntaxError"]


class FeelSyntaxError(ValueError):
    """A text that is not FEEL, or reaches for what FEEL does not have.

    ``line`` and ``column`` begin at 1; ``code`` is ``feel.syntax``, ``feel.not_feel`` (it reaches for Python),
    ``feel.unknown_name``, ``feel.unknown_function``, ``feel.arguments``, ``feel.unsupported`` or ``feel.too_large``.
    """

    def __init__(self, line: int, column: int, message: str, code: str = "feel.syntax") -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line = line
        self.column = column
        self.message = message
        self.code = code


class FeelLimitReached(RuntimeError):  # noqa: N818  a refusal, not a fault
    """An evaluation that would take more steps, or make a larger value, than it may."""

    code = "feel.limit"

    def __init__(self, limit: str) -> None:
        super().__init__(f"The evaluation passed its limit of {limit}.")
        self.limit = limit


@dataclass(frozen=True, slots=True)
class FeelProblem:
    """Why an evaluation, or a part of it, gave null: a stable ``code`` and a message without any value in it."""

    code: str
    message: str
    line: int = 0
    column: int = 0
