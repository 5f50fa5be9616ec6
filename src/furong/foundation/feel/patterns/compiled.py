"""A pattern that is ready to run, on Python's ``re`` where its cost is bounded, on the machine otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from furong.foundation.feel.patterns.machine import Machine, Spans
from furong.foundation.feel.patterns.reading import (
    Anchor,
    Branch,
    Chars,
    Group,
    Node,
    PatternError,
    Reference,
    Repeat,
    Sequence_,
    read,
)

__all__ = ["Pattern", "PatternError", "compile_pattern"]

MOST_PATTERN = 1_000
# Python's re may take about this many comparisons (the text's length to the power of the open repeats, times ways).
MOST_WORK = 3_000_000


class _Explodes(Exception):  # noqa: N818  a fork in the road, seen nowhere else
    """Backtracking might take longer than any power of the text's length."""


class Pattern:
    """A compiled pattern. Safe to share."""

    __slots__ = ("_machine", "_node", "_power", "_python", "_ways", "groups")

    def __init__(self, text: str, flags: str) -> None:
        if len(text) > MOST_PATTERN:
            raise PatternError("The pattern is too long.")
        if not set(flags) <= set("smixq"):
            raise PatternError("Flags are s, m, i, x and q.")
        self._node, self.groups = read(text, flags)
        self._machine: Machine | None = None
        self._python: re.Pattern[str] | None = None
        self._power, self._ways = 0, 1
        try:
            repeats, self._ways = _measure(self._node, inside=False)
            # A search begins anew at each character, unless the pattern is held to the start.
            self._power = max(1, repeats) if _is_anchored(self._node) else repeats + 1
            ignore = re.IGNORECASE if "i" in flags and _refers(self._node) else 0
            self._python = re.compile(_python(self._node), ignore)
        except _Explodes:
            if _refers(self._node):
                raise PatternError("A pattern that refers back repeats no repeat and no choice.") from None
        except (re.error, OverflowError, RecursionError):
            raise PatternError("The pattern is too large.") from None
        if self._python is None:
            self._machine = Machine(self._node, self.groups)

    def find_all(self, text: str, spend: Callable[[int], None]) -> Iterator[Spans]:
        """Yield where the pattern and its groups match, from left to right.

        ``spend`` is told of the work and raises when it has been too much. Raises ``PatternError`` when the text is
        too long for a pattern with references.
        """
        python = self._python
        if python is not None and (len(text) + 1) ** self._power * self._ways <= MOST_WORK:
            spend(1 + len(text) // 100)
            for match in python.finditer(text):
                spend(1)
                yield tuple(place for group in range(self.groups + 1) for place in match.span(group))
            return
        if self._machine is None:
            if _refers(self._node):
                raise PatternError("The text is too long for a pattern that refers back.")
            self._machine = Machine(self._node, self.groups)
        yield from self._machine.find_all(text, spend)

    def matches(self, text: str, spend: Callable[[int], None]) -> bool:
        """Tell whether the pattern matches anywhere in ``text``."""
        return next(self.find_all(text, spend), None) is not None


@lru_cache(maxsize=512)
def compile_pattern(text: str, flags: str) -> Pattern:
    """Compile a pattern with XPath's ``flags``. Raises ``PatternError``; the last 512 are kept."""
    return Pattern(text, flags)


def _is_anchored(node: Node) -> bool:
    if isinstance(node, Sequence_):
        return bool(node.parts) and _is_anchored(node.parts[0])
    if isinstance(node, Group):
        return _is_anchored(node.body)
    return isinstance(node, Anchor) and node.sign == "^" and not node.lines


def _refers(node: Node) -> bool:
    if isinstance(node, Reference):
        return True
    if isinstance(node, Repeat | Group):
        return _refers(node.body)
    if isinstance(node, Sequence_):
        return any(_refers(one) for one in node.parts)
    return isinstance(node, Branch) and any(_refers(one) for one in node.choices)


def _measure(node: Node, *, inside: bool) -> tuple[int, int]:
    """Measure a pattern: how many open repeats it has, and how many ways its small choices make together.

    Raises ``_Explodes`` for a repeat or a choice within a repeat.
    """
    if isinstance(node, Sequence_):
        repeats, ways = 0, 1
        for one in node.parts:
            more, times = _measure(one, inside=inside)
            repeats, ways = repeats + more, min(ways * times, MOST_WORK + 1)
        return repeats, ways
    if isinstance(node, Group):
        return _measure(node.body, inside=inside)
    if isinstance(node, Reference):
        return 1, 1
    if isinstance(node, Branch):
        if inside:
            raise _Explodes
        found = [_measure(one, inside=inside) for one in node.choices]
        return max(repeats for repeats, _ in found), sum(ways for _, ways in found)
    if isinstance(node, Repeat):
        if inside and node.least != node.most:
            raise _Explodes
        repeats, ways = 0, 1
        if node.most is None or node.most - node.least > 3:
            repeats = 1
        else:
            ways = node.most - node.least + 1
        more, times = _measure(node.body, inside=inside or node.most is None or node.most > 1)
        return repeats + more, ways * times
    return 0, 1


def _python(node: Node) -> str:
    """Write the tree as Python's ``re`` has it."""
    if isinstance(node, Chars):
        return node.chars.python()
    if isinstance(node, Anchor):
        if node.sign == "^":
            return r"(?:\A|(?<=\n)(?!\Z))" if node.lines else r"\A"
        return r"(?=\n|\Z)" if node.lines else r"\Z"
    if isinstance(node, Reference):
        return rf"(?:\{node.group})"
    if isinstance(node, Sequence_):
        return "".join(_python(one) for one in node.parts)
    if isinstance(node, Branch):
        return f"(?:{'|'.join(_python(one) for one in node.choices)})"
    if isinstance(node, Group):
        return f"({'' if node.number else '?:'}{_python(node.body)})"
    body = _python(node.body)
    if not isinstance(node.body, Chars | Group):
        body = f"(?:{body})"
    bounds = f"{{{node.least},{'' if node.most is None else node.most}}}"
    return f"{body}{bounds}{'' if node.greedy else '?'}"
