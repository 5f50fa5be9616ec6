"""People and time: lanes whose work falls to nobody, departments that nobody knows, decisions without a deadline."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from furong.domains.processes.values.declarations import M, bare
from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Literal, Node, ProcessDefinition, WorkRule
from furong.domains.processes.values.parts import CALLED
from furong.domains.processes.values.rules import Findings

# Work of these kinds is a step of a service item, for which the law sets a time.
_TIMED = frozenset({"acceptance", "decision"})


def check_holders(
    process: Any, definition: ProcessDefinition, findings: Findings, *, departments: AbstractSet[str] | None
) -> None:
    """Check the lanes of a process and its user tasks; ``departments`` are the kinds that are known, None asks nothing."""
    nodes = {node.id: node for node in definition.nodes.values() if CALLED not in node.id}
    for lane in process.iter(f"{M}lane"):
        _check_lane(lane, nodes, findings)
    for node in nodes.values():
        if node.work is not None:
            _check_task(node, node.work, findings, departments)


def _check_lane(lane: Any, nodes: dict[str, Node], findings: Findings) -> None:
    if lane.find(f"{M}childLaneSet") is not None:
        return  # the lanes in it say who
    name, line = lane.get("id", ""), lane.sourceline or 0
    inside = [bare((one.text or "").strip()) for one in lane.findall(f"{M}flowNodeRef")]
    if not inside:
        findings.add("bpmn.lane_empty", line=line, element=name)
    without = [one for one in inside if one in nodes and _has_no_holder(nodes[one])]
    if without:
        findings.add("furong.lane_holder", line=line, element=name, tasks=", ".join(without))


def _has_no_holder(node: Node) -> bool:
    work = node.work
    return work is not None and not work.department.text and not work.right.text


def _check_task(node: Node, work: WorkRule, findings: Findings, departments: AbstractSet[str] | None) -> None:
    kind = work.kind.text if isinstance(work.kind, Literal) else ""
    if work.due is None and node.kind is NodeKind.USER_TASK and (work.item.text or kind in _TIMED):
        findings.add("furong.task_clock", line=node.line, element=node.id)
    name = work.department.text if isinstance(work.department, Literal) else ""
    if name and departments is not None and name not in departments:
        known = ", ".join(sorted(departments)) or "–"
        findings.add("furong.department_unknown", line=node.line, element=node.id, name=name, known=known)
