"""FEEL as the engine uses it. A diagram's expressions are compiled by `furong.foundation.feel` and never reach Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from furong.domains.processes.values.graph import Expression, Literal


class _Compiled(Protocol):
    def evaluate(self, context: Mapping[str, object]) -> object: ...


@dataclass(frozen=True, slots=True)
class Feel:
    """A compiled expression with the text it was compiled from."""

    text: str
    compiled: _Compiled

    def evaluate(self, context: Mapping[str, object]) -> object:
        return self.compiled.evaluate(context)


def compile_feel(text: str) -> Expression:
    """Compile FEEL; raises ValueError with a sentence for the author when it is not valid."""
    from furong.foundation.feel import compile_expression

    return Feel(text, compile_expression(text))


def compile_text(text: str) -> Expression:
    """Compile an attribute: FEEL when it begins with ``=``, else the text itself."""
    return compile_feel(text[1:].strip()) if text.startswith("=") else Literal(text)
