"""Decisions: DMN 1.1 to 1.5 files, read, checked, compiled to closures over FEEL, and run.

* ``parse_dmn(data, file=…)`` gives a ``DecisionModel`` or raises ``DecisionRefused`` with findings that name file,
  line, element, rule and mend. Equal bytes are compiled once (a small cache keyed by their digest).
* ``read_dmn(path)`` does so for a file and what it imports from the same folder.
* ``model.evaluate(decision, inputs, now=…)`` gives a ``DecisionResult``: outputs, the rules that fired, errors.
* ``read_json`` and ``write_json`` carry FEEL's values exactly.

Decision tables with every hit policy, all boxed expressions, business knowledge models, decision services, imports and
requirement graphs run; docs/reference/dmn.md says what of each element runs, is kept or is refused. This room keeps no
rows: definitions are stored elsewhere and handed in as bytes.
"""

from __future__ import annotations

from furong.domains.decisions.errors import DecisionFinding, DecisionRefused, UnknownDecision
from furong.domains.decisions.json_values import read_json, write_json
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
    "read_json",
    "write_json",
]
