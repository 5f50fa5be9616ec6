"""FEEL, the expression language of DMN 1.5 (clause 10), compiled to Python closures, never ``eval``.

* ``compile_expression(text, known_names=None)`` gives a ``CompiledExpression``: ``.evaluate(context, now=None)``,
  ``.names``.
* ``compile_unary_tests(text, known_names=None)`` gives a ``CompiledUnaryTests`` for the cells of decision tables:
  ``.matches(value, context, now=None)``.
* ``check_expression(text, types=…)`` and ``infer`` tell, before anything runs, what is wrong with an expression over
  variables of known types, and what it gives.
* ``Program`` lets many expressions share one environment (``domains.decisions``).

An expression sees FEEL values alone (see ``values``): numbers are decimals of 34 digits, a wrong type gives null
and a ``FeelProblem``. Whatever is not FEEL, Python above all, is a ``FeelSyntaxError`` before anything runs. Texts,
nesting, steps, lists and strings are bounded (``FeelLimitReached``). What of FEEL runs is in docs/reference/feel.md.
This room holds no data and knows nothing of Django.
"""

from __future__ import annotations

from furong.foundation.feel.errors import FeelLimitReached, FeelProblem, FeelSyntaxError
from furong.foundation.feel.expressions import (
    CompiledExpression,
    CompiledUnaryTests,
    compile_expression,
    compile_unary_tests,
)
from furong.foundation.feel.inference import Inferred, TypeFinding, check_expression, check_unary_tests, infer
from furong.foundation.feel.shapes import FeelType, parse_type, type_of
from furong.foundation.feel.values import FeelFunction, FeelRange, YearsMonths, to_feel
from furong.foundation.feel.wide import WideDate, WideMoment, WideTime

__all__ = [
    "CompiledExpression",
    "CompiledUnaryTests",
    "FeelFunction",
    "FeelLimitReached",
    "FeelProblem",
    "FeelRange",
    "FeelSyntaxError",
    "FeelType",
    "Inferred",
    "TypeFinding",
    "WideDate",
    "WideMoment",
    "WideTime",
    "YearsMonths",
    "check_expression",
    "check_unary_tests",
    "compile_expression",
    "compile_unary_tests",
    "infer",
    "parse_type",
    "to_feel",
    "type_of",
]
