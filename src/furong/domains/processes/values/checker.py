"""What a drawing tool lets pass and an engine must not: the checks of a process that was read, each a module of its own."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from furong.domains.processes.values.cycles import Passing, check_cycles
from furong.domains.processes.values.graph import ProcessDefinition
from furong.domains.processes.values.holders import check_holders
from furong.domains.processes.values.parts import drawn_parts
from furong.domains.processes.values.rules import Findings
from furong.domains.processes.values.soundness import check_markings
from furong.domains.processes.values.structure import check_shape
from furong.domains.processes.values.throwing import check_throwing
from furong.domains.processes.values.typed import check_expressions
from furong.domains.processes.values.variables import Variable
from furong.foundation.feel import FeelType


@dataclass(frozen=True, slots=True)
class Known:
    """What is known around a process: messages sent, kinds of departments, types of variables and of decisions."""

    sent: AbstractSet[str] = frozenset()
    is_called: bool = False
    departments: AbstractSet[str] | None = None
    variables: Mapping[str, Variable] = field(default_factory=dict)
    decisions: Mapping[tuple[str, str], FeelType] = field(default_factory=dict)
    data: AbstractSet[str] = frozenset()  # names of data objects, inputs, outputs and properties that are drawn


def check_definition(process: Any, definition: ProcessDefinition, findings: Findings, known: Known) -> None:
    """Check a process that was read from the element ``process``; what is wrong goes into ``findings``."""
    passing = Passing(definition)
    before = len(findings.found)
    parts = drawn_parts(definition)
    for part in parts:
        check_shape(definition, part, findings)
        check_cycles(definition, part, passing, findings)
    sound = not any(one.is_error for one in findings.found[before:])
    if sound:
        for part in parts:
            check_markings(definition, part, findings)
    check_throwing(definition, passing, findings, sent=known.sent, is_called=known.is_called)
    check_expressions(definition, findings, declared=known.variables, decisions=known.decisions, data=known.data)
    check_holders(process, definition, findings, departments=known.departments)
