"""What a drawing tool lets pass and an engine must not: the checks of a process that was read, each a module of its own."""

from __future__ import annotations

from furong.domains.processes.values.cycles import Passing, check_cycles
from furong.domains.processes.values.graph import ProcessDefinition
from furong.domains.processes.values.markings import check_markings
from furong.domains.processes.values.parts import drawn_parts
from furong.domains.processes.values.rules import Findings
from furong.domains.processes.values.structure import check_shape


def check_structure(definition: ProcessDefinition, findings: Findings) -> None:
    """Check a process and each of its sub-processes on its own; what is wrong goes into ``findings``."""
    passing = Passing(definition)
    before = len(findings.found)
    parts = drawn_parts(definition)
    for part in parts:
        check_shape(definition, part, findings)
        check_cycles(definition, part, passing, findings)
    if any(one.is_error for one in findings.found[before:]):
        return
    for part in parts:
        check_markings(definition, part, findings)
