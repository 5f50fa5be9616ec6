"""FEEL as the engine uses it. A diagram's expressions are compiled by `furong.foundation.feel` and never reach Python."""

from __future__ import annotations

from furong.domains.processes.values.graph import Expression, Literal
from furong.foundation.feel import compile_expression


def compile_feel(text: str) -> Expression:
    """Compile FEEL; raises ValueError with a sentence for the author when it is not valid."""
    return compile_expression(text)


def compile_text(text: str) -> Expression:
    """Compile an attribute: FEEL when it begins with ``=``, else the text itself."""
    return compile_feel(text[1:].strip()) if text.startswith("=") else Literal(text)
