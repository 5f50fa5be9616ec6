"""FEEL's built-in functions (DMN 1.5, 10.3.4), by topic; importing this package registers them all."""

from __future__ import annotations

from furong.foundation.feel.functions import conversions, lists, numbers, ranges, strings, temporals
from furong.foundation.feel.functions.registry import BUILTINS, Builtin, Overload

__all__ = ["BUILTINS", "Builtin", "Overload", "conversions", "lists", "numbers", "ranges", "strings", "temporals"]
