"""Decisions: DMN 1.3 to 1.5 files, read, checked, compiled to closures over FEEL, and run.

* ``parse_dmn(data, file=…)`` gives a ``DecisionModel`` or raises ``DecisionRefused`` with findings that name file,
  line, element, rule and mend. Equal bytes are compiled once (a small cache keyed by their digest).
* ``model.evaluate(decision, inputs, now=…)`` gives a ``DecisionResult``: outputs, the rules that fired, errors.

Decision tables with every hit policy, literal expressions, boxed contexts, lists, relations, invocations, functions,
conditionals, filters and iterators, business knowledge models and requirement graphs run. Decision services and
imports are refused for now. This room keeps no rows: definitions are stored elsewhere and handed in as bytes.
"""

from __future__ import annotations

from furong.domains.decisions.errors import DecisionFinding, DecisionRefused, UnknownDecision
from furong.domains.decisions.model import DecisionModel
from furong.domains.decisions.queries import parse_dmn, read_dmn
from furong.domains.decisions.values import DecisionProblem, DecisionResult, FiredRule, HitPolicy

__all__ = [
    "DecisionFinding",
    "DecisionModel",
    "DecisionProblem",
    "DecisionRefused",
    "DecisionResult",
    "FiredRule",
    "HitPolicy",
    "UnknownDecision",
    "parse_dmn",
    "read_dmn",
]
