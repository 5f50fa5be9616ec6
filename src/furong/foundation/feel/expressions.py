"""What callers hold: compiled expressions and compiled tests. Both may be shared by threads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from furong.foundation.feel.compiler import Program
from furong.foundation.feel.errors import FeelLimitReached, FeelProblem
from furong.foundation.feel.values import check_size, to_feel

__all__ = ["CompiledExpression", "CompiledUnaryTests", "compile_expression", "compile_unary_tests"]


class CompiledExpression:
    """An expression that is ready to run, as often as wanted."""

    __slots__ = ("_fn", "_program", "names", "text")

    def __init__(self, text: str, *, known_names: Collection[str] | None = None) -> None:
        self.text = text
        self._program = Program(known_names=known_names)
        self._fn = self._program.expression(text)
        self.names = self._program.names

    def evaluate(
        self, context: Mapping[str, object], *, now: datetime | None = None, problems: list[FeelProblem] | None = None
    ) -> object:
        """Run the expression over ``context`` and return a FEEL value.

        ``now`` is what ``now()`` and ``today()`` give (null without it). What became null for a reason is appended
        to ``problems`` when given. Raises ``FeelLimitReached``. A simple condition costs about a microsecond or two.
        """
        env = self._program.environment(context, now, [] if problems is None else problems)
        try:
            return check_size(self._fn(env))
        except RecursionError:
            raise FeelLimitReached("calls within calls") from None

    def __repr__(self) -> str:
        return f"CompiledExpression({self.text!r})"


class CompiledUnaryTests:
    """The tests of one cell of a decision table, such as ``< 18, "unknown"`` or ``not([1..3])``."""

    __slots__ = ("_program", "_test", "constants", "names", "text")

    def __init__(self, text: str, *, known_names: Collection[str] | None = None) -> None:
        self.text = text
        self._program = Program(known_names=known_names)
        self._test, self.constants = self._program.unary_tests(text)
        self.names = self._program.names

    def matches(
        self,
        input_value: object,
        context: Mapping[str, object],
        *,
        now: datetime | None = None,
        problems: list[FeelProblem] | None = None,
    ) -> bool:
        """Tell whether ``input_value`` passes; a test that gives null does not pass.

        Raises ``FeelLimitReached``.
        """
        env = self._program.environment(context, now, [] if problems is None else problems)
        try:
            return self._test(env, to_feel(input_value)) is True
        except RecursionError:
            raise FeelLimitReached("calls within calls") from None

    def __repr__(self) -> str:
        return f"CompiledUnaryTests({self.text!r})"


def compile_expression(text: str, *, known_names: Collection[str] | None = None) -> CompiledExpression:
    """Compile a FEEL expression.

    With ``known_names`` any other variable is refused, and names with spaces or signs are understood; without it every
    name is a variable. Raises ``FeelSyntaxError`` with line, column, message and code. Costs a fraction of a millisecond, so
    keep the result. DMN 1.5, clause 10.3.1.
    """
    return CompiledExpression(text, known_names=known_names)


def compile_unary_tests(text: str, *, known_names: Collection[str] | None = None) -> CompiledUnaryTests:
    """Compile the unary tests of a decision table's cell; ``?`` is the input value.

    Raises ``FeelSyntaxError``. DMN 1.5, clause 7.3.3 and rules 12 to 17 of 10.3.1.2.
    """
    return CompiledUnaryTests(text, known_names=known_names)
