"""Patterns of XPath and XQuery Functions 3.1, clause 5.6.1, which DMN's ``matches``, ``replace`` and ``split`` take.

``compile_pattern`` reads a pattern into a tree of our own and measures it. What cannot explode runs as Python's ``re``
made from the tree; all else but back-references runs on a machine whose time grows with text times pattern.
"""

from __future__ import annotations

from furong.foundation.feel.patterns.compiled import Pattern, PatternError, compile_pattern

__all__ = ["Pattern", "PatternError", "compile_pattern"]
